package portfolio

import (
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/schedule"
)

// decisions reads what reviews decided by the end of the day.
func (l *loader) decisions(p *gap.Portfolio) error {
	reviews := map[string]*record.Resource{}
	if err := l.each("Review", func(r *record.Resource) { reviews[r.ID] = r }); err != nil || len(reviews) == 0 {
		return err
	}
	return l.v.States(l.org, "strategy", "occurrence", l.at, func(have record.State) error {
		id, _ := record.Parted(have.ID)
		r := reviews[id]
		if r == nil {
			return nil // it was deleted
		}
		state := &strategyv1.OccurrenceState{}
		if err := have.Into(state); err != nil {
			return err
		}
		spec := r.Spec.(*strategyv1.ReviewSpec)
		scope := spec.GetScope()
		for _, d := range schedule.OccurrenceOn(state, l.asOf).GetDecisions() {
			p.Decisions = append(p.Decisions, gap.Decision{
				Review: r.Name, ReviewTitle: spec.GetTitle(), Period: state.GetPeriod(), Strategy: scope.GetStrategy(),
				Whole: scope.GetStrategy()+scope.GetObjective()+scope.GetUnit() == "",
				ID:    d.GetId(), Title: d.GetTitle(), Owner: d.GetOwner(), Status: d.GetStatus(),
				Decided: date(d.GetDecided()), Due: date(d.GetDue()), Settled: date(d.GetSettled()), Targets: d.GetTargets(), Initiatives: d.GetInitiatives(),
			})
		}
		return nil
	})
}
