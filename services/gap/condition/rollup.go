package condition

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/services/gap"
	"setpoint.dev/services/gap/policy"
	"setpoint.dev/services/internal/calendar"
)

// The tokens in subjects of the conditions of what is rolled up; the id is that of
// the objective, strategy or unit.
const (
	ObjectiveAggregate = "objective-condition"
	StrategyAggregate  = "strategy-condition"
	UnitAggregate      = "unit-condition"
)

// mostNamed is how many targets a message names.
const mostNamed = 3

// RolledUp is an objective, a strategy or a unit at the end of a day.
type RolledUp struct {
	Kind   string // Objective, Strategy, Unit
	RollUp gap.RollUp
	Owner  string
	Below  Below

	Rules    policy.Rules
	Day      calendar.Date
	Instant  string // RFC 3339, when it was looked at
	Revision uint64 // up to which was read
}

// Below counts how the conditions of the targets below a roll-up stand. The zero
// one counts none.
type Below struct {
	counts map[string]*standing // by type
}

// standing is how one condition stands with the targets below.
type standing struct {
	good, unknown, bad int
	named              []string // of the bad ones, the first few
}

// good is the status in which nobody has to do anything.
var good = map[string]string{DataFresh: True, FinalPending: False, Covered: True, ForecastAttains: True, ChangeReady: True}

// Add counts the conditions of a target. What is not asked of it counts for nothing:
// nothing is expected yet of a target that has not begun, and no people have to be
// ready where no program asks something of them.
func (b *Below) Add(target string, s *Set) {
	if Of(s, OnTrack).GetReason() == "NotStarted" {
		return
	}
	if b.counts == nil {
		b.counts = make(map[string]*standing, len(good))
	}
	for _, c := range s.GetConditions() {
		fine, ok := good[c.GetType()]
		if !ok || c.GetReason() == "NoProgram" {
			continue
		}
		n := b.counts[c.GetType()]
		if n == nil {
			n = &standing{}
			b.counts[c.GetType()] = n
		}
		switch c.GetStatus() {
		case fine:
			n.good++
		case Unknown:
			n.unknown++
		default:
			n.bad++
			n.named = append(n.named, target)
			if len(n.named) > mostNamed {
				slices.Sort(n.named)
				n.named = n.named[:mostNamed]
			}
		}
	}
}

// worst is the condition of a type that follows from the targets below: what is bad
// with one is bad, and what is unknown of one is not known to be good.
func (b *Below) worst(typ, fine, bad string) *gapv1.Condition {
	n := b.counts[typ]
	if n == nil {
		n = &standing{}
	}
	opposite := map[string]string{True: False, False: True}[good[typ]]
	all := n.good + n.unknown + n.bad
	switch {
	case all == 0:
		return verdict(typ, Unknown, "NothingBelow", "there is no target below of which that is asked")
	case n.bad > 0:
		slices.Sort(n.named)
		more := ""
		if n.bad > len(n.named) {
			more = fmt.Sprintf(" and %d more", n.bad-len(n.named))
		}
		return verdict(typ, opposite, "SomeBelow", "%d of %d targets below: %s (%s%s)", n.bad, all, bad, strings.Join(n.named, ", "), more)
	case n.unknown > 0:
		return verdict(typ, Unknown, "UnknownBelow", "not known of %d of %d targets below", n.unknown, all)
	}
	return verdict(typ, good[typ], "AllBelow", "%d of %d targets below: %s", n.good, all, fine)
}

// conditions are those that hold; open tells whether it is told, or is told now, that
// the roll-up is not on its track.
func (o *RolledUp) conditions(open bool) []*gapv1.Condition {
	return []*gapv1.Condition{
		o.onTrack(open),
		o.Below.worst(DataFresh, "data is fresh", "data is stale"),
		o.Below.worst(FinalPending, "no last value is waited for", "the last value is not there yet"),
		o.Below.worst(Covered, "initiatives in progress cover the gap, or there is none", "initiatives in progress do not cover the gap"),
		o.Below.worst(ForecastAttains, "the forecast attains", "the forecast falls short"),
		o.Below.worst(ChangeReady, "people are ready (heuristic)", "people are not ready (heuristic)"),
	}
}

func (o *RolledUp) onTrack(open bool) *gapv1.Condition {
	r := &o.RollUp
	what := strings.ToLower(o.Kind)
	score := ""
	if r.Score != nil {
		score = fmt.Sprintf(" at a score of %.2f, with %.0f %% of the weight known", *r.Score, 100*r.Known)
	}
	switch {
	case r.Status == gap.NotStarted:
		return verdict(OnTrack, Unknown, "NotStarted", "nothing below the %s has begun", what)
	case r.Status == gap.NoData && r.Targets == 0:
		return verdict(OnTrack, Unknown, "NothingBelow", "no target is below the %s", what)
	case r.Status == gap.NoData:
		return verdict(OnTrack, Unknown, "NoData", "only %.0f %% of the weight below the %s is known", 100*r.Known, what)
	case red(r.Status):
		return verdict(OnTrack, False, reasonOf(r.Status), "the %s is %s%s", what, words(r.Status), score)
	case open:
		return verdict(OnTrack, False, "WithinHysteresis", "the %s is %s%s, by less than the margin of %v", what, words(r.Status), score, o.Rules.Margin)
	}
	return verdict(OnTrack, True, reasonOf(r.Status), "the %s is %s%s", what, words(r.Status), score)
}

// open tells whether the roll-up is off its track, or was told to be and is not yet
// back by the margin.
func (o *RolledUp) open(s *Set) bool {
	r := &o.RollUp
	switch {
	case red(r.Status):
		return true
	case !s.GetGapOpen():
		return false
	case !r.Status.Green():
		return true // what is not known closes nothing
	case r.Score == nil || s.Score == nil:
		return false
	}
	return *r.Score < min(s.GetScore()+o.Rules.Margin, 1)
}

// moved tells that a roll-up that is off its track has another status than was told,
// and is further from there than the margin.
func (o *RolledUp) moved(s *Set) bool {
	r := &o.RollUp
	if !red(r.Status) || !red(gap.Status(s.GetStatus())) || string(r.Status) == s.GetStatus() {
		return false
	}
	if r.Score == nil || s.Score == nil {
		return true
	}
	d := *r.Score - s.GetScore()
	return d >= o.Rules.Margin || -d >= o.Rules.Margin
}

// DecideRollUp returns what is to be told of a roll-up: nothing if all is told
// already, or as long as no target has ever been below it.
func DecideRollUp(s *Set, o RolledUp) []proto.Message {
	if s == nil && o.RollUp.Targets == 0 {
		return nil
	}
	open := o.open(s)
	now := o.conditions(open)
	carry(s, now, o.Revision, o.Day, o.Instant)
	f := o.finding(s, now)
	var out []proto.Message
	if s == nil || Of(s, OnTrack).GetStatus() != now[0].GetStatus() || o.moved(s) {
		out = append(out, &gapv1.RollUpChanged{Finding: f})
	}
	for _, c := range now[1:] {
		if was := Of(s, c.GetType()); s != nil && was.GetStatus() != c.GetStatus() {
			out = append(out, &gapv1.ConditionChanged{
				Finding: f, Type: c.GetType(), From: was.GetStatus(), To: c.GetStatus(), Reason: c.GetReason(), Message: c.GetMessage(),
			})
		}
	}
	return out
}

func (o *RolledUp) finding(s *Set, now []*gapv1.Condition) *gapv1.Finding {
	r := &o.RollUp
	f := &gapv1.Finding{
		Kind: o.Kind, Name: r.Name, Title: r.Title, Strategy: r.Strategy, Owner: o.Owner,
		FromStatus: s.GetStatus(), ToStatus: string(r.Status), Score: r.Score, Known: proto.Float64(r.Known),
		AsOf: o.Day.String(), Revision: int64(o.Revision),
		Policy: o.Rules.Name, PolicyRevision: int64(o.Rules.Revision), Evaluator: Evaluator,
		Rule:       fmt.Sprintf("%s of what is below: from %v on track, from %v at risk", o.Rules.RollUp.Method, o.Rules.RollUp.OnTrack, o.Rules.RollUp.AtRisk),
		Conditions: now, Statuses: map[string]int32{},
	}
	for _, status := range slices.Sorted(maps.Keys(r.Counts)) {
		f.Statuses[string(status)] = int32(r.Counts[status])
	}
	if s != nil {
		f.FromScore = s.Score
	}
	return f
}

// valuesOf are what an expression about a roll-up is given: only what is known.
func (o *RolledUp) valuesOf(s *Set, around Surroundings) map[string]any {
	r, group := &o.RollUp, strings.ToLower(o.Kind)+"."
	v := map[string]any{
		group + "name": r.Name, group + "strategy": r.Strategy, group + "owner": o.Owner, group + "status": string(r.Status),
		group + "known": r.Known, group + "targets": r.Targets, group + "atRisk": r.Counts[gap.AtRisk],
		group + "offTrack": r.Counts[gap.OffTrack] + r.Counts[gap.Missed],
		"transition.last":  s.GetLast(), "units": around.Units,
	}
	if r.Score != nil {
		v[group+"score"] = *r.Score
	}
	ofConditions(v, s, o.Day)
	return v
}

// ReactToRollUp returns what policies do about a roll-up whose conditions are on
// record as s, which is after what DecideRollUp told.
func ReactToRollUp(s *Set, o RolledUp, around Surroundings, policies []policy.Ready) []proto.Message {
	if s == nil || len(policies) == 0 && len(s.GetReactions()) == 0 {
		return nil // of what has never had a target below it nothing is known
	}
	strategy := o.RollUp.Strategy
	if o.Kind == policy.Strategy {
		strategy = o.RollUp.Name
	}
	return subject{
		kind: o.Kind, name: o.RollUp.Name, title: cmp.Or(o.RollUp.Title, o.RollUp.Name), owner: o.Owner, strategy: strategy, day: o.Day, revision: o.Revision,
		standing: Of(s, OnTrack).GetMessage(), finding: func() *gapv1.Finding { return o.finding(s, s.GetConditions()) },
	}.reactions(s, o.valuesOf(s, around), around, policies)
}
