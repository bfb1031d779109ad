package gap

import (
	"slices"
	"strings"
	"testing"
)

func roll(p Portfolio, policy Policy) map[string]RollUp {
	r := Evaluate(p, day("2018-12-31"), policy, Options{Explain: true})
	out := map[string]RollUp{}
	for _, o := range r.Objectives {
		out[o.Name] = o
	}
	for _, s := range r.Strategies {
		out["strategy "+s.Name] = s
	}
	for _, u := range r.Units {
		out["unit "+u.Name] = u
	}
	return out
}

func check(t *testing.T, got RollUp, status Status, score *float64, known float64, targets int) {
	t.Helper()
	near(t, got.Name+" score", got.Score, score)
	near(t, got.Name+" known", &got.Known, &known)
	if got.Status != status || got.Targets != targets {
		t.Errorf("%s: %s with %d targets, want %s with %d: %s", got.Name, got.Status, got.Targets, status, targets, got.Explanation.Rule)
	}
}

// A shared child counts in each parent with the weight of that edge; its
// targets are counted once above both.
func TestSharedChild(t *testing.T) {
	p := tree([]Objective{
		{Name: "top", Strategy: "s"},
		{Name: "left", Strategy: "s", ContributesTo: []Edge{{"top", 3}}},
		{Name: "right", Strategy: "s", ContributesTo: []Edge{{"top", 0}}},
		{Name: "shared", Strategy: "s", ContributesTo: []Edge{{"left", 1}, {"right", 3}}},
	}, leaf{"shared", 1, OnTrack}, leaf{"left", 1, OffTrack}, leaf{"right", 1, AtRisk})
	got := roll(p, Default())
	check(t, got["shared"], OnTrack, num(1), 1, 1)
	check(t, got["left"], AtRisk, num(.5), 1, 2)
	check(t, got["right"], OnTrack, num(.875), 1, 2)
	check(t, got["top"], AtRisk, num((3*.5+.875)/4), 1, 3)
	check(t, got["strategy s"], AtRisk, num((3*.5+.875)/4), 1, 3)
}

// Only objectives that serve no other of the same strategy are roots.
func TestStrategyAveragesItsRoots(t *testing.T) {
	p := tree([]Objective{
		{Name: "root", Strategy: "s", Weight: 3},
		{Name: "other", Strategy: "s", ContributesTo: []Edge{{"elsewhere", 1}, {"nowhere", 1}}},
		{Name: "child", Strategy: "s", ContributesTo: []Edge{{"root", 1}}},
		{Name: "elsewhere", Strategy: "z"},
	}, leaf{"root", 1, OnTrack}, leaf{"other", 1, OffTrack}, leaf{"child", 1, OffTrack})
	p.Strategies = append(p.Strategies, Strategy{Name: "z"})
	got := roll(p, Default())
	check(t, got["root"], AtRisk, num(.5), 1, 2)
	check(t, got["strategy s"], OffTrack, num((3*.5+0)/4), 1, 3)
	check(t, got["strategy z"], OffTrack, num(0), 1, 1)
}

func TestKnownShare(t *testing.T) {
	p := tree([]Objective{{Name: "o", Strategy: "s"}, {Name: "under", ContributesTo: []Edge{{"o", 2}}}, {Name: "blind", ContributesTo: []Edge{{"o", 1}}}},
		leaf{"under", 2, OnTrack}, leaf{"under", 1, NoData}, leaf{"blind", 1, OnTrack}, leaf{"blind", 2, NoData}, leaf{"o", 1, NotStarted})
	got := roll(p, Default())
	check(t, got["under"], OnTrack, num(1), 2/3.0, 2)
	check(t, got["blind"], NoData, absent, 1/3.0, 2)
	if in := got["blind"].Explanation.Inputs; !slices.Contains(in, Input{"score of the known part", 1.0}) {
		t.Errorf("blind is explained by %v", in)
	}
	// under knows two thirds of its weight 2; blind counts as unknown; what has
	// not started is neither.
	check(t, got["o"], NoData, absent, (2*2/3.0)/3, 5)
	p = tree([]Objective{{Name: "o", Strategy: "s"}}, leaf{"o", 1, NotStarted}, leaf{"o", 4, NotStarted})
	check(t, roll(p, Default())["o"], NotStarted, absent, 0, 2)
	p = tree([]Objective{{Name: "o", Strategy: "s"}}, leaf{"o", 1, OnTrack}, leaf{"o", 1, NoData})
	check(t, roll(p, Default())["o"], OnTrack, num(1), .5, 2)
	p = tree([]Objective{{Name: "o", Strategy: "s"}}, leaf{"o", 1, NoData})
	excluded := Default()
	excluded.RollUp.Missing = MissingExcluded
	check(t, roll(p, excluded)["o"], NoData, absent, 0, 1)
}

func TestRollUpMethods(t *testing.T) {
	p := tree([]Objective{{Name: "o", Strategy: "s"}}, leaf{"o", 6, OnTrack}, leaf{"o", 1, AtRisk}, leaf{"o", 1, OffTrack})
	for method, want := range map[RollUpMethod]struct {
		score  float64
		status Status
	}{Weighted: {6.5 / 8, OnTrack}, Worst: {0, OffTrack}, Threshold: {6 / 8.0, OnTrack}} {
		policy := Default()
		policy.RollUp.Method = method
		check(t, roll(p, policy)["o"], want.status, num(want.score), 1, 3)
	}
}

// Cycles are refused when they are declared; one that got through is cut at a
// place that does not depend on the order, and said.
func TestCycleDoesNotHang(t *testing.T) {
	objectives := []Objective{
		{Name: "a", Strategy: "s", ContributesTo: []Edge{{"b", 1}, {"a", 1}}},
		{Name: "b", Strategy: "s", ContributesTo: []Edge{{"c", 1}}},
		{Name: "c", Strategy: "s", ContributesTo: []Edge{{"a", 1}}},
	}
	p := tree(objectives, leaf{"a", 1, OnTrack}, leaf{"b", 1, OffTrack})
	p.Units = []Unit{{Name: "u", Parent: "v"}, {Name: "v", Parent: "u"}}
	p.Targets[0].Owner = "unit/u"
	r := Evaluate(p, day("2018-12-31"), Default(), Options{})
	if len(r.Hints) != 1 || !strings.Contains(r.Hints[0], "objective a ") {
		t.Errorf("hints %q", r.Hints)
	}
	check(t, r.Strategies[0], NoData, absent, 0, 0)
	check(t, r.Objectives[0], AtRisk, num(.5), 1, 2)
	for _, u := range r.Units {
		check(t, u, OnTrack, num(1), 1, 1)
	}
}

func TestUnits(t *testing.T) {
	p := tree([]Objective{{Name: "o", Strategy: "s", Owner: "unit/ops"}}, leaf{"o", 1, OnTrack}, leaf{"o", 3, OffTrack}, leaf{"o", 1, OnTrack})
	p.Units = []Unit{{Name: "company"}, {Name: "ops", Parent: "company"}, {Name: "sales", Parent: "company"}, {Name: "idle"}}
	p.Targets[1].Owner, p.Targets[2].Owner = "unit/sales", "person/7"
	r := Evaluate(p, day("2018-12-31"), Default(), Options{Explain: true})
	got := roll(p, Default())
	check(t, got["unit ops"], OnTrack, num(1), 1, 1)
	check(t, got["unit sales"], OffTrack, num(0), 1, 1)
	check(t, got["unit company"], OffTrack, num(.25), 1, 2)
	check(t, got["unit idle"], NoData, absent, 0, 0)
	if r.Targets[0].Unit != "ops" || r.Targets[1].Unit != "sales" || r.Targets[2].Unit != "" {
		t.Errorf("units %q %q %q", r.Targets[0].Unit, r.Targets[1].Unit, r.Targets[2].Unit)
	}
}

// Unclamped progress is never averaged, and a mean of some is not shown as the
// mean of all.
func TestRolledUpProgress(t *testing.T) {
	a, b := yearly(2018, 300), yearly(2018, 150)
	a.Name, b.Name = "a", "b"
	p := Portfolio{Metrics: []Metric{a, b}, Objectives: []Objective{{Name: "o"}}, Targets: []Target{
		{Name: "a", Metric: "a", Objective: "o", Versions: []Setpoint{line("2017-09-30", 100, "2020-09-30", 200)}},
		{Name: "b", Metric: "b", Objective: "o", Versions: []Setpoint{line("2017-09-30", 100, "2020-09-30", 200)}},
	}}
	near(t, "progress", roll(p, Default())["o"].Progress, num(.75))
	p.Targets[1].Versions = []Setpoint{eachYear(Increase, 100, "FY2018", "FY2019")}
	near(t, "progress without a basis", roll(p, Default())["o"].Progress, absent)
}

func TestOneStrategy(t *testing.T) {
	p := tree([]Objective{{Name: "o", Strategy: "s"}, {Name: "z", Strategy: "other"}}, leaf{"o", 1, OnTrack}, leaf{"z", 1, OnTrack}, leaf{"", 1, OnTrack})
	p.Strategies = append(p.Strategies, Strategy{Name: "other"})
	r := Evaluate(p, day("2018-12-31"), Default(), Options{Strategy: "s"})
	if len(r.Targets) != 1 || r.Targets[0].Name != "a" || len(r.Objectives) != 1 || len(r.Strategies) != 1 || r.Strategies[0].Name != "s" {
		t.Errorf("%+v", r)
	}
}
