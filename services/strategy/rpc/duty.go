package rpc

import (
	"context"
	"strconv"
	"strings"
	"time"

	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/rpc"
	"setpoint.dev/services/internal/schedule"
	"setpoint.dev/services/strategy"
)

// ListDuties implements StrategyService.
func (s *Service) ListDuties(ctx context.Context, req *strategyv1.ListDutiesRequest) (*strategyv1.ListDutiesResponse, error) {
	p, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	snapshot, err := rpc.Snapshot(p.Org, req)
	if err != nil {
		return nil, err
	}
	var asOf calendar.Date
	if req.GetAsOf() != "" {
		if asOf, err = calendar.ParseDate(req.GetAsOf()); err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "strategy.as_of", "asOf: not a date").WithHint("YYYY-MM-DD")
		}
	}
	res := &strategyv1.ListDutiesResponse{}
	var ledger strategy.Ledger
	err = s.record.At(ctx, snapshot, func(v record.View, at uint64) error {
		res.Revision = int64(at)
		if asOf.IsZero() {
			asOf = record.Today(v, p.Org, at, s.runner.Now())
		}
		if err := ownerKnown(v, p.Org, at, req.GetOwner()); err != nil {
			return err
		}
		ledger, err = Ledger(v, p.Org, at, asOf)
		return err
	})
	if err != nil {
		return nil, err
	}
	res.AsOf = asOf.String()
	for _, d := range strategy.Owed(ledger, asOf) {
		o := req.GetOwner()
		if o != "" && d.Owner != o && d.EscalatedTo != o || req.GetKind() != "" && d.Kind != req.GetKind() || req.GetOverdue() && d.Overdue == 0 {
			continue
		}
		m := &strategyv1.Duty{
			Kind: d.Kind, Name: d.Name, What: d.What, Period: d.Period, Due: d.Due.String(), Overdue: d.Overdue > 0, DaysOverdue: int32(d.Overdue),
			Owner: d.Owner, EscalatedTo: d.EscalatedTo, Missing: int32(d.Missing), Periods: d.Periods, Targets: d.Targets, Policy: d.Policy, Unit: d.Unit,
		}
		if !d.LastAt.IsZero() {
			m.LastAt, m.LastValue = d.LastAt.String(), &d.Last
		}
		res.Duties = append(res.Duties, m)
	}
	return res, nil
}

// ownerKnown refuses an owner of whom nothing can be owed because it is misspelt: an
// empty list would say that nothing is. People need not be declared.
func ownerKnown(v record.View, org string, at uint64, owner string) error {
	if owner == "" {
		return nil
	}
	kind, id, _ := strings.Cut(owner, "/")
	if id == "" || kind != "unit" && kind != "person" {
		return fault.New(fault.Invalid, "strategy.owner", "owner: %.80q names no owner", owner).WithHint("write unit/NAME or person/ID")
	}
	if kind == "person" {
		return nil
	}
	r, err := v.Resource(org, "Unit", id, at)
	if err == nil && r == nil {
		err = record.Unknown(v, org, "Unit", id)
	}
	return err
}

// Ledger reads what duties are told from, as it was known at a revision and had
// happened by a day.
func Ledger(v record.View, org string, at uint64, asOf calendar.Date) (strategy.Ledger, error) {
	b := ledger{v: v, org: org, at: at, asOf: asOf, metrics: map[string]int{}, loc: record.Location(v, org, at), set: record.NewSet(v, org, at)}
	for _, read := range []func() error{b.owners, b.readMetrics, b.observations, b.targets, b.actions, b.reviews} {
		if err := read(); err != nil {
			return strategy.Ledger{}, err
		}
	}
	return b.out, b.set.Err()
}

type ledger struct {
	v       record.View
	org     string
	at      uint64
	asOf    calendar.Date
	loc     *time.Location
	metrics map[string]int       // by id: the index of one that is observed
	specs   map[string]*metricOf // by name, ratios too
	out     strategy.Ledger
	set     *record.Set
}

type metricOf struct {
	id   string
	spec *strategyv1.MetricSpec
	k    calendar.Calendar
}

func (b *ledger) owners() error {
	b.out.Above = map[string]string{}
	units, err := b.v.Resources(b.org, "Unit", b.at, "", 0)
	if err != nil {
		return err
	}
	for _, r := range units {
		if parent := r.Spec.(*strategyv1.UnitSpec).GetParent(); parent != "" {
			b.out.Above["unit/"+r.Name] = "unit/" + parent
		}
	}
	people, err := b.v.Resources(b.org, "Person", b.at, "", 0)
	for _, r := range people {
		if unit := r.Spec.(*strategyv1.PersonSpec).GetUnit(); unit != "" {
			b.out.Above["person/"+r.Name] = "unit/" + unit
		}
	}
	return err
}

func (b *ledger) readMetrics() error {
	list, err := b.v.Resources(b.org, "Metric", b.at, "", 0)
	if err != nil {
		return err
	}
	b.specs = map[string]*metricOf{}
	for _, r := range list {
		s := r.Spec.(*strategyv1.MetricSpec)
		m := &metricOf{id: r.ID, spec: s, k: strategy.Calendar(s, b.set)}
		b.specs[r.Name] = m
		if s.GetRatio() != nil {
			continue
		}
		every := calendar.Cadence(s.GetReportedEvery())
		if every == "" {
			every = calendar.Cadence(s.GetCadence())
		}
		lag := -1
		if days, ok := strings.CutSuffix(s.GetReportingLag(), "d"); ok {
			if lag, err = strconv.Atoi(days); err != nil {
				return err
			}
		}
		since, _ := calendar.ParseDate(r.Effective)
		b.metrics[r.ID] = len(b.out.Metrics)
		b.out.Metrics = append(b.out.Metrics, strategy.LedgerMetric{
			Name: r.Name, Unit: s.GetUnit(), Owner: s.GetOwner(), Calendar: m.k, Every: every, LagDays: lag, Since: since,
		})
	}
	return nil
}

// observations keeps the last value of each metric by the day.
func (b *ledger) observations() error {
	revision := map[int]uint64{}
	return b.v.AllObservations(b.org, b.at, func(o record.Observation) error {
		i, known := b.metrics[o.MetricID]
		if !known {
			return nil
		}
		day, err := calendar.ParseDate(o.At)
		if err != nil {
			at, err := time.Parse(time.RFC3339, o.At)
			if err != nil {
				return err
			}
			day = calendar.FromTime(at.In(b.loc))
		}
		m := &b.out.Metrics[i]
		if day.After(b.asOf) || day.Before(m.LastAt) && !m.LastAt.IsZero() || day == m.LastAt && o.From < revision[i] {
			return nil
		}
		m.LastAt, m.Last, revision[i] = day, o.Value, o.From
		return nil
	})
}

func (b *ledger) targets() error {
	list, err := b.v.Resources(b.org, "Target", b.at, "", 0)
	if err != nil {
		return err
	}
	byID, created := map[string]int{}, map[string]uint64{}
	for _, r := range list {
		s := r.Spec.(*strategyv1.TargetSpec)
		m := b.specs[s.GetMetric()]
		if m == nil {
			continue
		}
		i := len(b.out.Targets)
		t := strategy.LedgerTarget{
			Name: r.Name, Owner: b.ownerOf(s), Calendar: m.k, Every: calendar.Cadence(s.GetCheckInEvery()), End: strategy.Ends(s, m.k),
		}
		t.Since, _ = calendar.ParseDate(r.Effective)
		for _, x := range b.observed(s.GetMetric(), 0) {
			o := &b.out.Metrics[x]
			o.Waiting = append(o.Waiting, i)
			t.Done = t.Done || s.GetMilestone() != nil && !o.LastAt.IsZero() && o.Last >= 1
		}
		state := &strategyv1.CheckInRequests{}
		if _, err := record.StateOf(b.v, r, "strategy", requestToken, b.at, state); err != nil {
			return err
		}
		t.Requests = since(state, r.Created).GetRequests()
		byID[r.ID], created[r.ID] = i, r.Created
		b.out.Targets = append(b.out.Targets, t)
	}
	return b.v.AllCheckIns(b.org, b.at, func(c record.CheckIn) error {
		if i, known := byID[c.TargetID]; known && c.Revision >= created[c.TargetID] && c.At <= b.asOf.String() {
			b.out.Targets[i].Told = append(b.out.Targets[i].Told, strategy.Told{At: c.At, Revision: c.Revision})
		}
		return nil
	})
}

// ownerOf is who owns a target: its owner, else that of its objective, else that
// of the strategy.
func (b *ledger) ownerOf(s *strategyv1.TargetSpec) string {
	if s.GetOwner() != "" || s.GetObjective() == "" {
		return s.GetOwner()
	}
	spec, _ := b.set.Spec("Objective", s.GetObjective())
	o, _ := spec.(*strategyv1.ObjectiveSpec)
	if o.GetOwner() != "" || o.GetStrategy() == "" {
		return o.GetOwner()
	}
	spec, _ = b.set.Spec("Strategy", o.GetStrategy())
	plan, _ := spec.(*strategyv1.StrategySpec)
	return plan.GetOwner()
}

// observed are the metrics whose values a metric rests on: itself, or those of a
// ratio.
func (b *ledger) observed(name string, deep int) []int {
	m := b.specs[name]
	if m == nil || deep > 4 {
		return nil
	}
	if r := m.spec.GetRatio(); r != nil {
		return append(b.observed(r.GetNumerator(), deep+1), b.observed(r.GetDenominator(), deep+1)...)
	}
	return []int{b.metrics[m.id]}
}

func (b *ledger) actions() error {
	return b.v.States(b.org, "initiative", "action", b.at, func(have record.State) error {
		state := &initiativev1.ActionState{}
		if err := have.Into(state); err != nil {
			return err
		}
		if state = schedule.ActionOn(state, b.asOf); state.GetStatus() != "open" {
			return nil
		}
		due, err := calendar.ParseDate(state.GetDue())
		if err != nil {
			return err
		}
		b.out.Actions = append(b.out.Actions, strategy.LedgerAction{
			ID: have.ID, Title: state.GetTitle(), Target: state.GetTarget(), Owner: state.GetOwner(), Due: due,
		})
		return nil
	})
}

func (b *ledger) reviews() error {
	list, err := reviewsAt(b.v, b.org, b.at, b.asOf, "")
	for _, x := range list {
		b.out.Reviews = append(b.out.Reviews, strategy.LedgerReview{Name: x.Name, Owner: x.spec.GetOwner(), Rhythm: x.rhythm, States: x.states})
	}
	return err
}

// since drops what was asked of an earlier target of the same identity.
func since(s *strategyv1.CheckInRequests, created uint64) *strategyv1.CheckInRequests {
	out := &strategyv1.CheckInRequests{}
	for _, r := range s.GetRequests() {
		if uint64(r.GetAfter()) >= created {
			out.Requests = append(out.Requests, r)
		}
	}
	return out
}
