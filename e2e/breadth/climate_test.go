package breadth_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

// The last value is that of 2020; 2021's is overdue after 2 July 2022.
var climateDays = []string{
	"2021-06-30",
	"2022-07-02", // the last day on which the data is fresh
	"2022-07-03",
	"2031-07-02", // the last day of 2030's reporting
	"2031-07-03",
	"2051-07-03", // all is over
}

func TestStatesEmissionTargets(t *testing.T) {
	need(t, climateTargets, climateEmissions)
	t.Parallel()
	climate := states(t)
	total := map[string]int{}
	for _, p := range climate.pledges {
		total[p.state]++
		switch p.percent {
		case 0:
			total["0 %"]++
		case 100:
			total["100 %"]++
		}
	}
	if len(climate.pledges) != 52 || len(total) != 24+2 || len(climate.emissions) != 57 || total["0 %"] != 3 || total["100 %"] != 5 {
		t.Fatalf("this is not the table that the test is for: %d targets, %v", len(climate.pledges), total)
	}
	c := as(t, "states")
	if s := c.apply(climate.manifests(+1)).GetSummary(); int(s.GetCreate()) != 2+24+57+52 {
		t.Errorf("declared: %v", s)
	}
	values := climate.observations(+1)
	if got := c.record(values); got != len(values) || len(values) != 57*31 {
		t.Errorf("%d of %d values recorded", got, len(values))
	}
	seen := map[string]int{}
	results := map[string]*gapv1.EvaluateResponse{}
	for _, asOf := range climateDays {
		results[asOf] = c.evaluate(&gapv1.EvaluateRequest{AsOf: asOf, Strategy: "climate"})
		climate.check(t, results[asOf], seen)
	}
	for _, status := range []string{"no_data", "on_track", "at_risk", "off_track", "achieved", "missed"} {
		if seen[status] == 0 {
			t.Errorf("no target was ever %s: the case is not covered", status)
		}
	}
	t.Run("worked by hand", func(t *testing.T) { workedByHand(t, results) })
	t.Run("as it was when less was known", func(t *testing.T) { climate.earlier(t) })
	t.Run("mirrored", func(t *testing.T) { climate.mirrored(t, results) })
	t.Run("report", func(t *testing.T) {
		res, err := as(t, "states").gap.Report(context.Background(), &gapv1.ReportRequest{Strategy: "climate", AsOf: "2021-06-30", Format: "json"})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range climate.pledges {
			if !strings.Contains(string(res.GetContent()), `"`+p.name+`"`) {
				t.Errorf("the report does not name %s", p.name)
			}
		}
	})
	t.Run("a restated baseline", func(t *testing.T) { climate.restated(t) })
}

// check compares every target and roll-up of a day.
func (c *climate) check(t *testing.T, r *gapv1.EvaluateResponse, seen map[string]int) {
	t.Helper()
	d := &differences{TB: t, where: "as of " + r.GetAsOf()}
	defer d.end()
	asOf := dayOf(t, r.GetAsOf())
	byName := map[string]*gapv1.TargetGap{}
	for _, g := range r.GetTargets() {
		byName[g.GetName()] = g
	}
	d.equal("all", "number of targets", len(byName), len(c.pledges))
	expected := map[string]expectation{}
	for _, p := range c.pledges {
		e := p.expect(asOf, c.emissions[p.state])
		expected[p.name] = e
		g := byName[p.name]
		if g == nil {
			d.add("%s: not compared", p.name)
			continue
		}
		drift := is(0)
		if asOf.Before(yearEnd(p.base)) {
			// Before its base year is over nobody knows where a pledge leads. It is
			// not judged, by whichever of the two statuses that say so.
			drift = nil
			if g.GetStatus() == "not_started" {
				e.status = "not_started"
				expected[p.name] = e
			}
		}
		d.target(g, e)
		d.equal(p.name, "form", g.GetForm(), "path")
		d.equal(p.name, "due", g.GetDue(), text(yearEnd(p.due)))
		d.equal(p.name, "actual at", g.GetActualAt(), e.period+"-12-31")
		d.number(p.name, "target drift", g.TargetDrift, drift, 0)
		if g.GetStale() && green(g.GetStatus()) {
			d.add("%s: stale and %s", p.name, g.GetStatus())
		}
		if seen != nil {
			seen[g.GetStatus()]++
		}
	}
	byState, all := c.summaries(expected)
	d.equal("all", "number of objectives", len(r.GetObjectives()), len(byState))
	for _, o := range r.GetObjectives() {
		d.rollUp(o, byState[o.GetName()])
	}
	if len(r.GetStrategies()) != 1 {
		d.add("%d strategies", len(r.GetStrategies()))
		return
	}
	d.rollUp(r.GetStrategies()[0], all)
	t.Logf("as of %s: targets %s; all states %s, known %.3f", r.GetAsOf(), tally(all.counts), all.status, all.known)
}

// workedByHand are cases whose numbers were computed by hand.
func workedByHand(t *testing.T, results map[string]*gapv1.EvaluateResponse) {
	none := math.NaN()
	for _, tc := range []struct {
		name, asOf                                     string
		b, g, v, expected, gap, drift, share, progress float64
		status                                         string
	}{
		{"us-ca-2030", "2021-06-30", 433.0147, 259.8088, 376.4899, 303.104, 116.681, 73.3856, .42369, .326344, "off_track"},
		{"us-or-2035", "2021-06-30", 43.6933, 24.0313, 49.9467, 30.5845, 25.9154, 19.3622, .984755, -.318048, "off_track"},
		{"us-nj-2020", "2021-06-30", 114.3075, 114.3075, 89.3384, 114.3075, -24.969, -24.969, -.218437, none, "achieved"},
		{"us-ri-2020", "2021-06-30", 10.1199, 9.1079, 10.5328, 9.1079, 1.42494, 1.42494, 1.40805, -.408055, "missed"},
		{"us-il-2030", "2021-06-30", 293.3194, 217.0564, 210.8014, 247.558, -6.255, -36.757, -.481975, 1.08202, "achieved"},
		{"us-mi-2030", "2021-06-30", 227.4351, 109.1689, 168.5280, 156.470, 59.3591, 12.0578, .101954, .49809, "at_risk"},
		{"us-la-2050", "2021-06-30", 229.8588, 0, 212.5636, 153.235, 212.564, 59.3291, .258111, .075243, "off_track"},
		{"us-md-2031", "2021-06-30", 88.1962, 35.2785, 56.8738, 58.5586, 21.5953, -1.68476, -.031837, .591907, "on_track"},
		{"us-md-2031", "2022-07-03", 88.1962, 35.2785, 56.8738, 58.5586, 21.5953, -1.68476, -.031837, .591907, "no_data"},
	} {
		var g *gapv1.TargetGap
		for _, x := range results[tc.asOf].GetTargets() {
			if x.GetName() == tc.name {
				g = x
			}
		}
		if g.GetStatus() != tc.status || g.GetStale() != (tc.asOf == "2022-07-03") {
			t.Errorf("%s as of %s: %s, stale %v", tc.name, tc.asOf, g.GetStatus(), g.GetStale())
		}
		for _, n := range []struct {
			what string
			got  *float64
			want float64
		}{
			{"baseline", g.Baseline, tc.b}, {"target", g.Target, tc.g}, {"actual", g.Actual, tc.v}, {"expected", g.Expected, tc.expected},
			{"gap", g.Gap, tc.gap}, {"drift", g.Drift, tc.drift}, {"share", g.Share, tc.share}, {"progress", g.Progress, tc.progress},
		} {
			switch {
			case math.IsNaN(n.want) && n.got == nil:
			case math.IsNaN(n.want) || n.got == nil || math.Abs(*n.got-n.want) > 5e-7+3e-5*math.Abs(n.want):
				t.Errorf("%s: %s %v, want %v", tc.name, n.what, n.got, n.want)
			}
		}
	}
}

// earlier goes through the years: each with what had been measured by then, so
// with another latest value, and for some with a base year yet to come.
func (c *climate) earlier(t *testing.T) {
	tenant := as(t, "states")
	for _, asOf := range []string{"2006-06-30", "2015-06-30"} {
		r := tenant.evaluate(&gapv1.EvaluateRequest{AsOf: asOf, Strategy: "climate"})
		c.check(t, r, nil)
	}
}

// mirrored loads avoided emissions, so that every decrease is an increase.
func (c *climate) mirrored(t *testing.T, results map[string]*gapv1.EvaluateResponse) {
	mirror := as(t, "states-mirror")
	mirror.apply(c.manifests(-1))
	mirror.record(c.observations(-1))
	for _, asOf := range []string{"2021-06-30", "2022-07-03", "2031-07-03"} {
		r := mirror.evaluate(&gapv1.EvaluateRequest{AsOf: asOf})
		d := &differences{TB: t, where: "mirrored as of " + asOf}
		d.equal("all", "number of targets", len(r.GetTargets()), len(c.pledges))
		for i, h := range r.GetTargets() {
			g := results[asOf].GetTargets()[i]
			name := g.GetName()
			d.equal(name, "name", h.GetName(), name)
			d.equal(name, "direction", h.GetDirection(), "increase")
			d.equal(name, "status", h.GetStatus(), g.GetStatus())
			d.equal(name, "last known status", h.GetLastKnownStatus(), g.GetLastKnownStatus())
			for _, n := range []struct {
				what      string
				got, want *float64
			}{
				{"actual", negated(h.Actual), g.Actual}, {"target", negated(h.Target), g.Target},
				{"expected", negated(h.Expected), g.Expected}, {"expected now", negated(h.ExpectedNow), g.ExpectedNow},
				{"gap", h.Gap, g.Gap}, {"drift", h.Drift, g.Drift}, {"share", h.Share, g.Share},
				{"progress", h.Progress, g.Progress}, {"score", h.Score, g.Score},
			} {
				d.number(name, n.what, n.got, n.want, 0)
			}
		}
		d.end()
	}
}

// restated corrects a base year: the targets that are a percentage of it move
// with it, which is not a loosened target; all others stay as they are; and what
// was known before is still told as it was.
func (c *climate) restated(t *testing.T) {
	const asOf, state, year = "2021-06-30", "us-ca", 1990
	tenant := as(t, "states")
	query := &gapv1.EvaluateRequest{AsOf: asOf, Strategy: "climate"}
	before := tenant.evaluate(query)
	was := c.emissions[state][year]
	now := was + 12.5
	res, err := tenant.observe.CorrectObservation(context.Background(), &strategyv1.CorrectObservationRequest{
		Observation: observation(state, text(yearEnd(year)), now, "EPA"), Reason: "the inventory was restated",
	})
	if err != nil {
		t.Fatalf("%v %s", err, faults(err))
	}
	c.emissions[state][year] = now
	query.MinRevision = res.GetRevision()
	after := tenant.evaluate(query)
	c.check(t, after, nil) // with target drift 0 throughout
	moved := 0
	for i, g := range after.GetTargets() {
		h := before.GetTargets()[i]
		if g.GetMetric() == state {
			moved++
			if math.Abs(g.GetBaseline()-h.GetBaseline()-12.5) > 1e-9 || (g.GetTarget() <= h.GetTarget()) {
				t.Errorf("%s: from %v to %v, before from %v to %v", g.GetName(), g.GetBaseline(), g.GetTarget(), h.GetBaseline(), h.GetTarget())
			}
		} else if !proto.Equal(g, h) {
			t.Errorf("%s changed with another state's base year", g.GetName())
		}
	}
	if moved != 3 {
		t.Errorf("%d targets moved, want California's 3", moved)
	}
	query.OriginalTargets = true
	c.check(t, tenant.evaluate(query), nil)

	query.OriginalTargets, query.MinRevision, query.Revision = false, 0, before.GetRevision()
	if then := tenant.evaluate(query); !proto.Equal(then, before) {
		t.Error("what was known before the correction is told differently after it")
	}
	c.emissions[state][year] = was
}
