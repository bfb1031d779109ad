package breadth_test

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
)

// FY2015 ends on 30 September 2015 and may be reported for half of FY2016,
// until 31 March 2016; FY2016 until 1 April 2017.
var austinDays = []string{
	"2015-09-30", // FY2015 has just ended, FY2016 has not begun
	"2015-12-31",
	"2016-03-31", // the last day of FY2015's reporting
	"2016-04-01", // its verdicts are for good; the amendment is in force
	"2017-04-01", // FY2016 is over and not reported, on the last day of its reporting
	"2017-04-02",
}

func TestACitysMeasures(t *testing.T) {
	need(t, austinTable)
	t.Parallel()
	city := austin(t)
	directed := map[string]int{}
	targets, created, updated := 0, 0, 0
	for i := range city.measures {
		m := &city.measures[i]
		if !m.declared() {
			continue
		}
		targets++
		directed[map[float64]string{+1: "increase", -1: "decrease", 0: "unknown"}[m.sign]]++
		switch {
		case len(m.targets(false)) == 0:
			created++
		case m.changed():
			updated++
		}
	}
	t.Logf("%d measures, %d targets (direction: %s), %d programs, %d numbers; text cells, which give no value: %s",
		len(city.measures), targets, tally(directed), len(city.programs), city.cells, tally(city.text))
	if len(city.measures) != 1716 || city.text["No Data"] == 0 || city.text["No Goal"] == 0 || city.text["New Meas."] == 0 || city.text["AAA"] == 0 || city.text["Yes"] == 0 {
		t.Fatal("this is not the table that the test is for")
	}
	for _, d := range []string{"increase", "decrease", "unknown"} {
		if directed[d] < 100 {
			t.Fatalf("only %d targets of direction %s", directed[d], d)
		}
	}

	c := as(t, "austin")
	res := c.apply(city.manifests(false, +1))
	warned := 0
	for _, w := range res.GetWarnings() {
		if strings.HasSuffix(w.GetReason(), "target_direction_missing") {
			warned++
		}
	}
	if want := directed["unknown"] - createdUndirected(&city); warned != want {
		t.Errorf("%d warnings of a missing direction, want %d", warned, want)
	}
	// Only the departments that amended something send theirs again.
	amended := city.manifests(true, +1)
	amended.Files = slices.DeleteFunc(amended.Files, func(f *declarationv1.ManifestFile) bool {
		return !bytes.Contains(f.GetContent(), []byte("effective: "+amendment))
	})
	res = c.apply(amended)
	if s := res.GetSummary(); int(s.GetCreate()) != created || int(s.GetUpdate()) != updated || s.GetDelete() != 0 ||
		int(s.GetUnchanged()) != documents(amended)-created-updated || updated < 30 {
		t.Errorf("the amendment: %v, want %d created and %d updated", s, created, updated)
	}
	values := city.observations(+1)
	if got := c.record(values); got != len(values) {
		t.Errorf("%d of %d values recorded", got, len(values))
	}
	for kind, want := range map[string]int{"Unit": 38, "Strategy": 1, "Objective": len(city.programs), "Metric": 1716, "Target": targets} {
		if got := len(c.names(kind)); got != want {
			t.Errorf("%d of %s, want %d", got, kind, want)
		}
	}

	seen := map[string]map[string]int{"increase": {}, "decrease": {}, "": {}}
	for _, asOf := range austinDays {
		city.check(t, c.evaluate(&gapv1.EvaluateRequest{AsOf: asOf}), seen)
	}
	t.Logf("statuses seen: increase %s, decrease %s, unknown %s", tally(seen["increase"]), tally(seen["decrease"]), tally(seen[""]))
	for _, d := range []string{"increase", "decrease"} {
		for _, status := range []string{"not_started", "no_data", "on_track", "at_risk", "off_track", "achieved", "missed"} {
			if seen[d][status] == 0 {
				t.Errorf("no target of direction %s was ever %s: the case is not covered", d, status)
			}
		}
	}
	t.Run("original targets", func(t *testing.T) { city.original(t) })
}

// createdUndirected counts the undirected targets that only the amendment
// declares.
func createdUndirected(c *city) int {
	n := 0
	for i := range c.measures {
		if m := &c.measures[i]; m.declared() && m.sign == 0 && len(m.targets(false)) == 0 {
			n++
		}
	}
	return n
}

// check compares every target and roll-up of a day.
func (c *city) check(t *testing.T, r *gapv1.EvaluateResponse, seen map[string]map[string]int) {
	t.Helper()
	asOf := dayOf(t, r.GetAsOf())
	d := &differences{TB: t, where: "as of " + r.GetAsOf()}
	defer d.end()
	expected := map[string]expectation{}
	for i := range c.measures {
		if m := &c.measures[i]; m.declared() {
			expected[m.name] = m.expect(asOf, m.inForce(asOf))
		}
	}
	byName := map[string]*gapv1.TargetGap{}
	for _, g := range r.GetTargets() {
		byName[g.GetName()] = g
	}
	d.equal("all", "number of targets", len(byName), len(expected))
	for i := range c.measures {
		m := &c.measures[i]
		e, ok := expected[m.name]
		g := byName[m.name]
		if !ok {
			if g != nil {
				d.add("%s: compared, though its cells are words", m.name)
			}
			continue
		}
		if g == nil {
			d.add("%s: not compared", m.name)
			continue
		}
		d.target(g, e)
		d.equal(m.name, "metric", g.GetMetric(), m.name)
		d.equal(m.name, "objective", g.GetObjective(), m.objective)
		d.equal(m.name, "unit", g.GetUnit(), m.unit)
		d.equal(m.name, "weight", g.GetWeight(), m.weight)
		if _, has := m.actual[2015]; (!has || m.sign == 0) && green(g.GetStatus()) {
			d.add("%s: green, though it is not known", m.name)
		}
		if m.sign == -1 && e.known() && (*e.actual > *e.target) == green(g.GetStatus()) {
			d.add("%s: is to decrease, is %v against %v, and %s", m.name, *e.actual, *e.target, g.GetStatus())
		}
		d.grid(m, g, m.inForce(asOf), asOf)
		seen[g.GetDirection()][g.GetStatus()]++
	}
	programs, all := c.summaries(asOf, expected)
	d.equal("all", "number of objectives", len(r.GetObjectives()), len(programs))
	for _, o := range r.GetObjectives() {
		d.rollUp(o, programs[o.GetName()])
	}
	if len(r.GetStrategies()) != 1 {
		d.add("%d strategies", len(r.GetStrategies()))
		return
	}
	d.rollUp(r.GetStrategies()[0], all)
	known := map[string]int{}
	for _, p := range programs {
		known[p.status]++
	}
	t.Logf("as of %s: targets %s; programs %s; the city %s, known %.3f", r.GetAsOf(), tally(all.counts), tally(known), all.status, all.known)
}

// grid compares the years of a target: each with what was measured and what
// was to be reached.
func (d *differences) grid(m *measure, g *gapv1.TargetGap, targets map[int]float64, asOf time.Time) {
	d.Helper()
	got := map[string]*gapv1.PeriodGap{}
	for _, p := range g.GetPeriods() {
		got[p.GetPeriod()] = p
	}
	rows := 0
	for year := 2011; year <= 2016; year++ {
		v, has := m.actual[year]
		goal, aimed := targets[year]
		if !has && !aimed {
			continue
		}
		rows++
		p, name := got[fiscal(year)], m.name+" "+fiscal(year)
		if p == nil {
			d.add("%s: not in the grid", name)
			continue
		}
		d.equal(name, "end", p.GetEnd(), text(fiscalEnd(year)))
		var wantV, wantG, variance *float64
		state := "no_target"
		if has {
			wantV = is(v)
		}
		if aimed {
			wantG = is(goal)
		}
		over := !fiscalEnd(year).After(asOf)
		switch {
		case !over && asOf.After(fiscalEnd(year-1)):
			state = "running"
		case !over:
			state = "future"
		case !has:
			state = "no_data"
		case aimed && m.sign != 0:
			gap := m.sign * (goal - v)
			variance, state = is(gap), "not_met"
			if gap <= 1e-9*math.Max(math.Abs(goal), math.Abs(v)) {
				state = "met"
			} else if goal != 0 && gap/math.Abs(goal) <= .15+1e-9 {
				state = "near"
			}
		}
		d.equal(name, "state", p.GetState(), state)
		d.number(name, "actual", p.Actual, wantV, 0)
		d.number(name, "target", p.Target, wantG, 0)
		d.number(name, "variance", p.Variance, variance, math.Max(math.Abs(v), math.Abs(goal)))
	}
	// A year with neither value nor target may be shown, as one without data.
	for _, p := range g.GetPeriods() {
		if p.Actual == nil && p.Target == nil {
			rows++
			d.equal(m.name+" "+p.GetPeriod(), "state of an empty year", p.GetState(), "no_data")
		}
	}
	d.equal(m.name, "rows of the grid", len(got), rows)
}

// original compares with the targets as they were first declared: FY2016's is
// then the approved one, whatever was amended.
func (c *city) original(t *testing.T) {
	const asOf = "2017-04-01"
	r := as(t, "austin").evaluate(&gapv1.EvaluateRequest{AsOf: asOf, OriginalTargets: true})
	d := &differences{TB: t, where: "original targets as of " + asOf}
	defer d.end()
	byName := map[string]*measure{}
	for i := range c.measures {
		byName[c.measures[i].name] = &c.measures[i]
	}
	other := 0
	for _, g := range r.GetTargets() {
		m := byName[g.GetName()]
		first := m.targets(false)
		if len(first) == 0 {
			first = m.targets(true)
		}
		d.target(g, m.expect(dayOf(t, asOf), first))
		d.grid(m, g, first, dayOf(t, asOf))
		if m.changed() {
			other++
		}
	}
	t.Logf("%d targets were amended", other)
}

// TestACitysMeasuresMirrored loads what has a direction once more, with each
// number negated and each direction turned round: what made an increase right
// must make its decrease right, and the other way round. All that decreases is
// in it, and as much that increases.
func TestACitysMeasuresMirrored(t *testing.T) {
	need(t, austinTable)
	t.Parallel()
	whole := austin(t)
	some := city{programs: whole.programs}
	n, decreasing := map[float64]int{}, 0
	for i := range whole.measures {
		if m := &whole.measures[i]; m.declared() && m.sign == -1 {
			decreasing++
		}
	}
	straight := map[string]*measure{}
	for i := range whole.measures {
		m := &whole.measures[i]
		if m.sign == 0 || !m.declared() || n[m.sign] == decreasing {
			continue
		}
		n[m.sign]++
		some.measures = append(some.measures, *m)
		straight[m.name] = m
	}
	c := as(t, "austin-mirror")
	c.apply(some.manifests(true, -1))
	c.record(some.observations(-1))
	opposite := map[string]string{"increase": "decrease", "decrease": "increase"}
	for _, asOf := range []string{"2016-04-01", "2017-04-02"} {
		r := c.evaluate(&gapv1.EvaluateRequest{AsOf: asOf})
		d := &differences{TB: t, where: "mirrored as of " + asOf}
		d.equal("all", "number of targets", len(r.GetTargets()), 2*decreasing)
		for _, g := range r.GetTargets() {
			m := straight[g.GetName()]
			if m == nil {
				d.add("%s: compared, and not declared", g.GetName())
				continue
			}
			e := m.expect(dayOf(t, asOf), m.targets(true))
			e.direction, e.actual, e.target = opposite[e.direction], negated(e.actual), negated(e.target)
			d.target(g, e)
		}
		d.end()
	}
}

func negated(v *float64) *float64 {
	if v == nil {
		return nil
	}
	return is(-*v)
}
