package server

import (
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/gap/condition"
	"setpoint.dev/services/gap/portfolio"
	gaprpc "setpoint.dev/services/gap/rpc"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/record"
	strategyrpc "setpoint.dev/services/strategy/rpc"
)

// statusOf gives the strategy slice what the gap slice computes; the slices do
// not know each other.
func statusOf(v record.View, org, target string, day calendar.Date) (string, error) {
	status, err := portfolio.Status(v, org, target, v.Revision(), day)
	return string(status), err
}

// packOf does the same for what a review looks at.
func packOf(v record.View, org string, at uint64, day calendar.Date, scope *strategyv1.ReviewScope, policy string) (*strategyv1.ReviewPack, []byte, error) {
	p, err := gaprpc.PackAt(v, org, at, day, gaprpc.Scope{Strategy: scope.GetStrategy(), Objective: scope.GetObjective(), Unit: scope.GetUnit()}, policy)
	if err != nil {
		return nil, nil, err
	}
	out := &strategyv1.ReviewPack{
		Revision: int64(at), AsOf: day.String(), Policy: p.Policy, PolicyRevision: int64(p.PolicyRevision), Evaluator: p.Evaluator, Scope: scope,
		Sha256: p.SHA256, Targets: int32(p.Targets), Statuses: map[string]int32{}, Status: string(p.Status), Score: p.Score, Known: p.Known,
	}
	for s, n := range p.Statuses {
		out.Statuses[string(s)] = int32(n)
	}
	return out, p.Content, nil
}

// reviewsOf gives the gap slice, which watches over reviews, what the strategy slice
// knows of them.
func reviewsOf(v record.View, org string, at uint64, day calendar.Date) ([]condition.Review, error) {
	list, err := strategyrpc.Standing(v, org, at, day)
	var out []condition.Review
	for _, x := range list {
		r := condition.Review{
			ID: x.ID, Name: x.Name, Title: x.Title, Owner: x.Owner, Cadence: x.Cadence, Strategy: x.Strategy, Unit: x.Unit, Missed: x.Late, Since: x.Since,
		}
		if x.Owed > 0 {
			r.Period = x.Latest.Name
		}
		out = append(out, r)
	}
	return out, err
}
