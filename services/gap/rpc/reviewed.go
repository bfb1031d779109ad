package rpc

import (
	"cmp"
	"context"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/schedule"
)

// reviewed is what the last review before a report looked at.
type reviewed struct {
	// Of the last review before the report: its title and period, its day and what
	// was known. None has been locked where revision is 0.
	label    string
	asOf     calendar.Date
	revision uint64
}

// reviewedBy reads the reviews as they stood on the day of a result.
func (s *Service) reviewedBy(ctx context.Context, r gap.Result) (out reviewed, err error) {
	if r.Revision == 0 {
		return out, nil
	}
	who, err := principal.From(ctx)
	if err != nil {
		return out, err
	}
	titles := map[string]string{}
	err = s.record.At(ctx, record.Snapshot{Org: who.Org, Revision: r.Revision}, func(v record.View, at uint64) error {
		out = reviewed{}
		reviews, err := v.Resources(who.Org, "Review", at, "", 0)
		if err != nil {
			return err
		}
		for _, x := range reviews {
			titles[x.ID] = cmp.Or(x.Spec.(*strategyv1.ReviewSpec).GetTitle(), x.Name)
		}
		return v.States(who.Org, "strategy", "occurrence", at, func(have record.State) error {
			id, _ := record.Parted(have.ID)
			title, declared := titles[id]
			state := &strategyv1.OccurrenceState{}
			if err := have.Into(state); err != nil {
				return err
			}
			if state = schedule.OccurrenceOn(state, r.AsOf); state == nil || !declared {
				return nil
			}
			pack := state.GetPack()
			day, err := calendar.ParseDate(pack.GetAsOf())
			if err != nil || !day.Before(r.AsOf) || uint64(pack.GetRevision()) > r.Revision {
				return nil // nothing was locked, or not before this report
			}
			if cmp.Or(day.Compare(out.asOf), cmp.Compare(uint64(pack.GetRevision()), out.revision)) > 0 {
				out.label, out.asOf, out.revision = "the review "+title+", "+state.GetPeriod(), day, uint64(pack.GetRevision())
			}
			return nil
		})
	})
	return out, err
}
