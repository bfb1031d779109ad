package breadth_test

import (
	"testing"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
)

func TestObjectivesAndKeyResults(t *testing.T) {
	need(t, ipfsTable)
	t.Parallel()
	okrs := keyResults(t)
	scored, zero := 0, 0
	for _, k := range okrs.results {
		if k.final != nil {
			scored++
			if *k.final == 0 {
				zero++
			}
		}
	}
	t.Logf("%d key results, %d of them with a score at the end, %d of those 0; %d objectives; %d scores left empty, which give no value; %d to be defined",
		len(okrs.results), scored, zero, len(okrs.goals), okrs.empty, okrs.tbd)
	if len(okrs.results) != 49 || len(okrs.goals) != 10 || len(okrs.quarters) != 2 || scored == 0 || zero == 0 || okrs.empty == 0 || okrs.tbd != 1 {
		t.Fatal("this is not the table that the test is for")
	}
	c := as(t, "ipfs")
	if s := c.apply(okrs.manifests()).GetSummary(); int(s.GetCreate()) != 1+2+10+2*49 {
		t.Errorf("declared: %v", s)
	}
	values := okrs.observations()
	if got := c.record(values); got != len(values) {
		t.Errorf("%d of %d values recorded", got, len(values))
	}
	seen := map[string]int{}
	for _, asOf := range []string{
		"2019-06-15", // the middle of one quarter, before the other
		"2019-06-30",
		"2019-07-10", // one is over
		"2019-07-16", // the last day on which its end may be reported
		"2019-07-17",
		"2019-09-15",
		"2019-10-16", // the other is over, and not scored
		"2019-10-17",
	} {
		okrs.check(t, c.evaluate(&gapv1.EvaluateRequest{AsOf: asOf, Policy: "okr"}), nil, seen)
	}
	for _, status := range []string{"not_started", "no_data", "on_track", "at_risk", "off_track", "achieved", "missed"} {
		if seen[status] == 0 {
			t.Errorf("no key result was ever %s: the case is not covered", status)
		}
	}

	// Of a committed objective's key results all is expected, of an aspirational
	// one's 0.7; what was a success by the second is a miss by the first.
	committed := map[string]bool{}
	yaml := ""
	for _, g := range okrs.goals {
		if g.strategy == "2019-q2" && g.parent == "" {
			committed[g.name] = true
			yaml += g.manifest("committed")
		}
	}
	if s := c.apply(&declarationv1.Manifests{Files: []*declarationv1.ManifestFile{file("committed.yaml", yaml)}}).GetSummary(); int(s.GetUpdate()) != len(committed) {
		t.Errorf("committed: %v", s)
	}
	before := seen["achieved"]
	okrs.check(t, c.evaluate(&gapv1.EvaluateRequest{AsOf: "2019-07-10", Policy: "okr"}), committed, seen)
	if n := seen["achieved"] - before; n == 0 || n >= before {
		t.Errorf("%d key results achieved all that was committed", n)
	}
}

// check compares every key result, objective and quarter of a day.
func (o *okrs) check(t *testing.T, r *gapv1.EvaluateResponse, committed map[string]bool, seen map[string]int) {
	t.Helper()
	d := &differences{TB: t, where: "as of " + r.GetAsOf()}
	defer d.end()
	byName := map[string]*gapv1.TargetGap{}
	for _, g := range r.GetTargets() {
		byName[g.GetName()] = g
	}
	d.equal("all", "policy", r.GetPolicy(), "okr")
	d.equal("all", "number of targets", len(byName), len(o.results))
	expected := map[string]expectation{}
	for _, k := range o.results {
		wanted := .7
		if committed[k.objective] {
			wanted = 1
		}
		e := k.expect(dayOf(t, r.GetAsOf()), wanted)
		expected[k.name] = e
		g := byName[k.name]
		if g == nil {
			d.add("%s: not compared", k.name)
			continue
		}
		d.target(g, e)
		d.equal(k.name, "objective", g.GetObjective(), k.objective)
		d.equal(k.name, "weight", g.GetWeight(), k.weight)
		seen[g.GetStatus()]++
	}
	goals, quarters := o.summaries(expected)
	d.equal("all", "number of objectives", len(r.GetObjectives()), len(goals))
	d.equal("all", "number of strategies", len(r.GetStrategies()), len(quarters))
	for _, g := range r.GetObjectives() {
		d.rollUp(g, goals[g.GetName()])
	}
	for _, q := range r.GetStrategies() {
		d.rollUp(q, quarters[q.GetName()])
		e := quarters[q.GetName()]
		score := "none"
		if e.score != nil {
			score = decimal(*e.score)
		}
		t.Logf("as of %s: %s is %s, score %s, known %.3f", r.GetAsOf(), q.GetTitle(), e.status, score, e.known)
	}
}
