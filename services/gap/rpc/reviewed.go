package rpc

import (
	"cmp"
	"context"
	"strings"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/gap"
	"setpoint.dev/services/gap/report"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/principal"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/schedule"
)

// reviewed is what reviews leave to a report: what they decided, and what the last
// one looked at.
type reviewed struct {
	decisions []report.Decision
	// Of the last review before the report: its title and period, its day and what
	// was known. None has been locked where revision is 0.
	label    string
	asOf     calendar.Date
	revision uint64
}

// reviewedBy reads the reviews as they stood on the day of a result. Decisions are
// those that are open, and those made or settled since the last review.
func (s *Service) reviewedBy(ctx context.Context, r gap.Result) (out reviewed, err error) {
	if r.Revision == 0 {
		return out, nil
	}
	who, err := principal.From(ctx)
	if err != nil {
		return out, err
	}
	titles := map[string]string{}
	targets := map[string]string{}
	for _, t := range r.Targets {
		targets[t.Name] = t.Title
	}
	type decided struct {
		review string
		*strategyv1.ReviewDecision
	}
	var all []decided
	err = s.record.At(ctx, record.Snapshot{Org: who.Org, Revision: r.Revision}, func(v record.View, at uint64) error {
		out, all = reviewed{}, nil
		reviews, err := v.Resources(who.Org, "Review", at, "", 0)
		if err != nil {
			return err
		}
		for _, x := range reviews {
			titles[x.ID] = cmp.Or(x.Spec.(*strategyv1.ReviewSpec).GetTitle(), x.Name)
		}
		return v.States(who.Org, "strategy", "occurrence", at, func(have record.State) error {
			id, _, _ := strings.Cut(have.ID, "~")
			title, declared := titles[id]
			state := &strategyv1.OccurrenceState{}
			if err := have.Into(state); err != nil {
				return err
			}
			if state = schedule.OccurrenceOn(state, r.AsOf); state == nil || !declared {
				return nil
			}
			for _, d := range state.GetDecisions() {
				all = append(all, decided{title + ", " + state.GetPeriod(), d})
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
	if err != nil {
		return out, err
	}
	for _, d := range all {
		if d.GetStatus() != "open" && max(d.GetDecided(), d.GetSettled()) < out.asOf.String() {
			continue
		}
		one := report.Decision{ID: d.GetId(), Review: d.review, Text: d.GetTitle(), By: d.GetOwner(), Status: d.GetStatus()}
		one.At, _ = calendar.ParseDate(d.GetDecided())
		one.Due, _ = calendar.ParseDate(d.GetDue())
		for _, t := range d.GetTargets() {
			if title, ok := targets[t]; ok {
				one.About, one.AboutTitle = t, cmp.Or(title, t)
				break
			}
		}
		out.decisions = append(out.decisions, one)
	}
	return out, nil
}
