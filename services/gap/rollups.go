package gap

import "setpoint.dev/services/internal/calendar"

// RollUps rolls results up as Evaluate does, without comparing anything again:
// whoever keeps the results of all targets needs to evaluate only those that have
// changed. Of a result it looks at name, objective, unit, form, status, weight, score and
// progress; targets must be sorted by name, each once. Units above a target's own are
// found in p; targets and metrics of p are not looked at.
func RollUps(p Portfolio, targets []TargetResult, policy Policy) Result {
	p.Targets, p.Metrics = nil, nil
	e := newEvaluator(&p, calendar.Date{}, &policy, Options{})
	e.parts = make([]part, len(targets))
	for i := range targets {
		t, up := &targets[i], &e.parts[i]
		up.objective = -1
		if o, ok := e.objectives[t.Objective]; ok {
			up.objective = o
		}
		e.partOf(t, up)
	}
	r := Result{Revision: p.Revision, Policy: policy.Name, Targets: targets}
	e.rollUp(&r)
	return r
}
