package reconcile

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/gap"
	"setpoint.dev/services/gap/condition"
	"setpoint.dev/services/gap/policy"
	"setpoint.dev/services/gap/portfolio"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/runner"
)

// mostAtOnce is how many targets are told of in one commit.
const mostAtOnce = 200

// picture is what is kept of an organization: everything that was read at a
// revision, by which a value of one metric is a matter of a few targets.
type picture struct {
	org       string
	at        uint64
	day       calendar.Date
	zone      *time.Location
	portfolio gap.Portfolio
	rules     policy.Rules
	policies  []policy.Ready
	parents   map[string]string // of units
	actions   map[string]int    // open ones that people opened, by target
	// promised are the open actions that policies opened.
	promised map[promise]bool

	// reviews are all of them at the end of the day.
	reviews []condition.Review

	ids     map[string]string // of targets, by name
	metrics map[string]int    // in the portfolio, by id
	byName  map[string]int    // metrics in the portfolio, by name
	uses    map[string][]int  // targets in the portfolio that a metric touches, by its name
	sets    map[key]known

	// results are those of all targets, of each what rolling it up looks at, and
	// moved says that one is another than it was; above is which targets are below
	// what.
	results []gap.TargetResult
	result  map[string]int // of a target, by name
	moved   bool
	above   above
	// chances are the probabilities that were forecast, by id of the target: the
	// costly part of looking at one, which most changes leave as it was.
	chances map[string]chance
	// unforecast says that nobody asks for them.
	unforecast bool
}

// promise is a corrective action that a policy opened.
type promise struct{ target, policy, title, owner string }

// chance is the attainment of a target, and of what it was forecast.
type chance struct {
	of         basis
	attainment *float64
	unknown    string
}

// basis changes whenever a forecast may.
type basis struct {
	day                       calendar.Date
	values                    int
	metric, observed, version uint64
}

// basisOf is that of a target.
func (p *picture) basisOf(t *gap.Target) basis {
	b := basis{day: p.day}
	for _, v := range t.Versions {
		b.version = max(b.version, v.Revision)
	}
	add := func(name string) {
		i, ok := p.byName[name]
		if !ok {
			return
		}
		m := &p.portfolio.Metrics[i]
		b.metric = max(b.metric, m.Revision)
		b.values += len(m.Observations)
		for _, o := range m.Observations {
			b.observed = max(b.observed, o.Revision)
		}
	}
	add(t.Metric)
	if i, ok := p.byName[t.Metric]; ok {
		if r := p.portfolio.Metrics[i].Ratio; r != nil {
			add(r.Numerator)
			add(r.Denominator)
		}
	}
	return b
}

// known is what was on record of some conditions, and from when on; the zero one is
// that nothing was.
type known struct {
	set  *condition.Set
	from uint64
}

// key tells whose conditions they are: a target and a review may have the same id.
type key struct{ aggregate, id string }

func keyOf(s eventlog.Subject) key { return key{s.Kind, s.ID} }

// load reads an organization; before is what was kept of it, nil at first.
func (r *Reconciler) load(v record.View, org string, before *picture) (*picture, error) {
	now := r.runner.Now()
	p := &picture{org: org, at: v.Revision(), zone: record.Location(v, org, v.Revision())}
	if before != nil {
		p.chances = before.chances
	}
	p.day = calendar.FromTime(now.In(p.zone))
	var err error
	if p.portfolio, err = portfolio.Load(v, org, p.at, p.day); err != nil {
		return nil, err
	}
	if err := p.prepare(v); err != nil {
		return nil, err
	}
	if err := p.above.index(v, p); err != nil {
		return nil, err
	}
	if r.reviews != nil {
		if p.reviews, err = r.reviews(v, org, p.at, p.day); err != nil {
			return nil, err
		}
	}
	p.sets = map[key]known{}
	for _, aggregate := range condition.Aggregates() {
		err = v.States(org, policy.Service, aggregate, p.at, func(s record.State) error {
			set := &condition.Set{}
			if err := s.Into(set); err != nil {
				return err
			}
			p.sets[key{aggregate, s.ID}] = known{set, s.From}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return p, nil
}

// prepare indexes a portfolio that was read.
func (p *picture) prepare(v record.View) (err error) {
	if p.rules, err = portfolio.Rules(v, p.org, "", p.at, p.day); err != nil {
		return err
	}
	if p.policies, err = portfolio.Policies(v, p.org, p.at, p.day); err != nil {
		return err
	}
	if p.ids, _, err = portfolio.IDs(v, p.org, "Target", p.at); err != nil {
		return err
	}
	metricIDs, _, err := portfolio.IDs(v, p.org, "Metric", p.at)
	if err != nil {
		return err
	}
	p.parents, p.metrics, p.byName, p.uses = map[string]string{}, map[string]int{}, map[string]int{}, map[string][]int{}
	for _, u := range p.portfolio.Units {
		p.parents[u.Name] = u.Parent
	}
	needs := map[string][]string{} // metrics that a metric is part of
	for i, m := range p.portfolio.Metrics {
		p.metrics[metricIDs[m.Name]], p.byName[m.Name] = i, i
		if m.Ratio != nil {
			needs[m.Ratio.Numerator] = append(needs[m.Ratio.Numerator], m.Name)
			needs[m.Ratio.Denominator] = append(needs[m.Ratio.Denominator], m.Name)
		}
	}
	of := map[string][]int{}
	for i, t := range p.portfolio.Targets {
		of[t.Metric] = append(of[t.Metric], i)
	}
	for _, m := range p.portfolio.Metrics {
		p.uses[m.Name] = slices.Clone(of[m.Name])
		for _, ratio := range needs[m.Name] {
			p.uses[m.Name] = append(p.uses[m.Name], of[ratio]...)
		}
	}
	p.actions, p.promised = map[string]int{}, map[promise]bool{}
	return v.States(p.org, "initiative", "action", p.at, func(s record.State) error {
		var a initiativev1.ActionState
		if err := s.Into(&a); err != nil {
			return err
		}
		switch {
		case a.GetStatus() != "open":
		case a.GetPolicy() == "":
			p.actions[a.GetTarget()]++
		default:
			p.promised[promise{a.GetTarget(), a.GetPolicy(), a.GetTitle(), a.GetOwner()}] = true
		}
		return nil
	})
}

// observe reads the values of metrics anew, and returns the targets that they
// touch.
func (p *picture) observe(v record.View, metricIDs map[string]bool) ([]int, error) {
	p.at = v.Revision()
	p.portfolio.Revision = p.at
	touched := map[int]bool{}
	for id := range metricIDs {
		i, ok := p.metrics[id]
		if !ok {
			continue // deleted
		}
		m := &p.portfolio.Metrics[i]
		if err := portfolio.Observe(v, p.org, id, p.at, m); err != nil {
			return nil, err
		}
		for _, t := range p.uses[m.Name] {
			touched[t] = true
		}
	}
	out := make([]int, 0, len(touched))
	for t := range touched {
		out = append(out, t)
	}
	slices.Sort(out)
	return out, nil
}

// part is the portfolio of some of the targets, with all that their evaluation
// looks at. Roll-ups are not looked at.
func (p *picture) part(targets []int) gap.Portfolio {
	out := gap.Portfolio{Revision: p.at, Strategies: p.portfolio.Strategies, Initiatives: p.portfolio.Initiatives}
	metrics, objectives := map[string]bool{}, map[string]bool{}
	for _, i := range targets {
		t := p.portfolio.Targets[i]
		out.Targets = append(out.Targets, t)
		metrics[t.Metric], objectives[t.Objective] = true, true
		if j, ok := p.byName[t.Metric]; ok {
			if r := p.portfolio.Metrics[j].Ratio; r != nil {
				metrics[r.Numerator], metrics[r.Denominator] = true, true
			}
		}
	}
	for name := range metrics {
		if j, ok := p.byName[name]; ok {
			out.Metrics = append(out.Metrics, p.portfolio.Metrics[j])
		}
	}
	for _, o := range p.portfolio.Objectives {
		if objectives[o.Name] {
			o.ContributesTo = nil
			out.Objectives = append(out.Objectives, o)
		}
	}
	return out
}

// observed evaluates; nil targets are all of them.
func (p *picture) observed(targets []int, instant time.Time) []condition.Observed {
	part := p.portfolio
	if targets != nil {
		part = p.part(targets)
	}
	opts := gap.Options{Chances: true, ForecastOf: map[string]bool{}}
	bases := map[string]basis{}
	for i := range part.Targets {
		t := &part.Targets[i]
		b := p.basisOf(t)
		bases[t.Name] = b
		if have, ok := p.chances[p.ids[t.Name]]; !p.unforecast && !(ok && have.of == b) {
			opts.ForecastOf[t.Name], opts.Forecast = true, true
		}
	}
	result := gap.Evaluate(part, p.day, p.rules.Policy, opts)
	p.keep(result.Targets, targets == nil)
	if p.chances == nil {
		p.chances = map[string]chance{}
	}
	// What nothing works on is not covered: no need to look for it.
	worked := map[string][]gap.Initiative{}
	for _, i := range part.Initiatives {
		for _, c := range i.Contributions {
			worked[c.Target] = append(worked[c.Target], i)
		}
	}
	out := make([]condition.Observed, 0, len(result.Targets))
	for _, t := range result.Targets {
		o := condition.Observed{
			Result: t, Rules: p.rules, Day: p.day, Instant: instant.UTC().Format(time.RFC3339), Revision: p.at,
		}
		id := p.ids[t.Name]
		if opts.ForecastOf[t.Name] {
			c := chance{of: bases[t.Name]}
			if t.Outlook != nil {
				c.unknown = t.Outlook.Unknown
				if a := t.Outlook.Attainment; a != nil { // of its own: the result's keeps the room of thousands
					c.attainment = proto.Float64(*a)
				}
			}
			p.chances[id] = c
		}
		o.Attainment, o.Unforecast = p.chances[id].attainment, p.chances[id].unknown
		works := worked[t.Name]
		c := gap.Cover(gap.Result{AsOf: p.day, Targets: []gap.TargetResult{t}}, works)[0]
		o.Coverage = &c
		o.Readiness, o.Asked = readiness(works)
		out = append(out, o)
	}
	return out
}

// readiness is the least of the initiatives in progress; nil if one that asks
// something of people is unmeasured.
func readiness(list []gap.Initiative) (least *float64, asked bool) {
	unknown := false
	for _, i := range list {
		if !i.InProgress() {
			continue
		}
		r, of := i.Readiness()
		if !of {
			continue
		}
		asked = true
		switch {
		case r == nil:
			unknown = true
		case least == nil || *r < *least:
			least = r
		}
	}
	if unknown {
		return nil, asked
	}
	return least, asked
}

// next is what is to be told of a target, and the set after it.
func (p *picture) next(set *condition.Set, o condition.Observed, identity string) ([]proto.Message, *condition.Set) {
	events := condition.Decide(set, o)
	for _, e := range events {
		set = condition.Evolve(set, e)
	}
	reactions := condition.React(set, o, condition.Surroundings{
		Units: condition.Chain(o.Result.Unit, p.parents), OpenActions: p.actions[o.Result.Name], Identity: p.org + "/" + identity,
		Promised: func(policy, title, owner string) bool {
			return p.promised[promise{o.Result.Name, policy, title, owner}]
		},
	}, p.policies)
	for _, e := range reactions {
		set = condition.Evolve(set, e)
	}
	return append(events, reactions...), set
}

// told is something of which there is something to tell.
type told struct {
	of eventlog.Subject
	// next is what is to be told, and the set after it, where s is on record.
	next func(s *condition.Set) ([]proto.Message, *condition.Set)
	// target is the one for which policies act; "" for what is none.
	target string
}

// tell appends what is to be told of targets, many in a commit, and carries out
// what policies decided; then of what rolls them up. It returns of how many something
// was told.
func (r *Reconciler) tell(ctx context.Context, p *picture, targets []int) (int, error) {
	now := r.runner.Now()
	var list []told
	for _, o := range p.observed(targets, now) {
		if id := p.ids[o.Result.Name]; id != "" {
			list = append(list, told{of: subject(p.org, id), target: o.Result.Name, next: func(s *condition.Set) ([]proto.Message, *condition.Set) {
				return p.next(s, o, id)
			}})
		}
	}
	n, err := r.commitAll(ctx, p, list)
	if err != nil {
		return n, err
	}
	if targets == nil || n > 0 || p.moved {
		above, err := r.commitAll(ctx, p, p.rolledUp(targets, now))
		n += above
		if err != nil {
			return n, err
		}
	}
	if targets != nil {
		return n, nil // values touch no review
	}
	reviews, err := r.commitAll(ctx, p, p.reviewed(now))
	return n + reviews, err
}

// commitAll tells of those of a list of which there is something to tell, by what
// is known here; it returns how many they are.
func (r *Reconciler) commitAll(ctx context.Context, p *picture, list []told) (int, error) {
	pending := slices.DeleteFunc(list, func(t told) bool {
		events, _ := t.next(p.sets[keyOf(t.of)].set)
		return len(events) == 0
	})
	for chunk := range slices.Chunk(pending, min(mostAtOnce, r.runner.MaxCommit())) {
		if err := r.commit(ctx, p, chunk); err != nil {
			return 0, err
		}
	}
	return len(pending), nil
}

// commit tells of some, decided on what their guards say.
func (r *Reconciler) commit(ctx context.Context, p *picture, list []told) error {
	var guards []eventlog.Subject
	h := sha256.New()
	fmt.Fprintf(h, "%s %s %d %s %d", p.org, p.day, p.at, p.rules.Name, p.rules.Revision)
	for _, t := range list {
		guards = append(guards, t.of)
		fmt.Fprintf(h, "\n%s %s %d", t.of.Kind, t.of.ID, p.sets[keyOf(t.of)].from)
	}
	request := "gap-" + strings.ToLower(base32.StdEncoding.EncodeToString(h.Sum(nil)[:15]))
	after := map[key]*condition.Set{}
	fired := map[key][]*gapv1.ReactionFired{}
	out, err := r.runner.Run(ctx, runner.Command{
		Org: p.org, RequestID: request, Principal: Principal, Manager: Manager, Guards: guards,
	}, func(v record.View) ([]runner.Write, error) {
		clear(after)
		clear(fired)
		var writes []runner.Write
		for _, t := range list {
			set, err := setOf(v, t.of)
			if err != nil {
				return nil, err
			}
			if set.GetObservedRevision() > int64(p.at) {
				continue // another one has told what is newer
			}
			events, next := t.next(set)
			if len(events) == 0 {
				continue
			}
			w, err := write(t.of, p.day, events, next)
			if err != nil {
				return nil, err
			}
			writes = append(writes, w)
			k := keyOf(t.of)
			after[k] = next
			for _, e := range events {
				if f, ok := e.(*gapv1.ReactionFired); ok {
					fired[k] = append(fired[k], f)
				}
			}
		}
		return writes, nil
	})
	if err != nil {
		return err
	}
	if out.Replayed != nil || len(after) < len(list) {
		return errElsewhere // somebody else told: read again
	}
	for _, t := range list {
		k := keyOf(t.of)
		p.sets[k] = known{after[k], out.Revision}
		for _, f := range fired[k] {
			if t.target != "" {
				r.carryOut(ctx, p, t.target, f.GetCause().GetPolicy(), f.GetEffects())
			}
		}
	}
	return nil
}

// errElsewhere says that what is kept of an organization is older than the record.
var errElsewhere = errors.New("another reconciler has told what is newer")

func subject(org, targetID string) eventlog.Subject {
	return eventlog.Subject{Org: org, Service: policy.Service, Kind: condition.Aggregate, ID: targetID}
}

// setOf reads the set of a target, or of a review; nil if there is none.
func setOf(v record.View, of eventlog.Subject) (*condition.Set, error) {
	s, err := v.State(of.Org, of.Service, of.Kind, of.ID, v.Revision())
	if err != nil || s == nil {
		return nil, err
	}
	set := &condition.Set{}
	return set, s.Into(set)
}

func write(of eventlog.Subject, day calendar.Date, events []proto.Message, next *condition.Set) (runner.Write, error) {
	w := runner.Write{Subject: of, Effective: day.String()}
	for _, e := range events {
		typ, payload, err := condition.Acts().Encode(e)
		if err != nil {
			return w, err
		}
		w.Events = append(w.Events, eventlog.Event{Type: typ, Payload: payload})
	}
	var err error
	w.State, err = proto.MarshalOptions{Deterministic: true}.Marshal(next)
	return w, err
}

// carryOut does what a firing decided. A refusal is told to the operator; what
// failed for another reason is tried again when a reconciler begins.
func (r *Reconciler) carryOut(ctx context.Context, p *picture, target, policyName string, effects []*gapv1.Effect) {
	org := p.org
	for _, e := range effects {
		if e.GetRequestId() == "" {
			continue
		}
		var err error
		switch e.GetKind() {
		case "openCorrectiveAction":
			err = r.acts.OpenAction(ctx, org, "policy/"+policyName, &initiativev1.OpenActionRequest{
				RequestId: e.GetRequestId(), Title: e.GetTitle(), Target: target, Owner: e.GetOwner(), Due: e.GetDue(),
				Policy: policyName, Manager: "policy",
			})
			if err == nil { // what policies do is no reason to read everything anew
				p.promised[promise{target, policyName, e.GetTitle(), e.GetOwner()}] = true
			}
		case "requireCheckIn":
			err = r.acts.RequestCheckIn(ctx, org, "policy/"+policyName, &strategyv1.RequestCheckInRequest{
				RequestId: e.GetRequestId(), Target: target, Reason: e.GetTitle(), Due: e.GetDue(), Policy: policyName, Manager: "policy",
			})
		}
		if err != nil && ctx.Err() == nil {
			r.logger.Warn("what a policy decided could not be done", "org", org, "policy", policyName, "target", target, "effect", e.GetKind(), "error", err)
		}
	}
}

// makeUp carries out the effects of firings that are not on record; before, if not
// nil, is what was kept until somebody else told something, and limits it to what
// they told: whoever did may have been killed before the effects.
func (r *Reconciler) makeUp(ctx context.Context, p, before *picture) error {
	type due struct {
		target, policy string
		effects        []*gapv1.Effect
	}
	var missing []due
	err := r.record.View(ctx, func(v record.View) error {
		missing = nil
		for _, t := range p.portfolio.Targets {
			k := key{condition.Aggregate, p.ids[t.Name]}
			if before != nil && before.sets[k].from == p.sets[k].from {
				continue
			}
			for _, f := range p.sets[k].set.GetFirings() {
				for _, e := range f.GetEffects() {
					if e.GetRequestId() == "" {
						continue
					}
					done, err := v.Request(p.org, e.GetRequestId())
					if err != nil {
						return err
					}
					if done == nil {
						missing = append(missing, due{t.Name, f.GetPolicy(), []*gapv1.Effect{e}})
					}
				}
			}
		}
		return nil
	})
	for _, d := range missing {
		r.carryOut(ctx, p, d.target, d.policy, d.effects)
	}
	return err
}
