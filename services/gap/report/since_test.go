package report

import (
	"slices"
	"strings"
	"testing"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
)

// story is a plan of one yearly measure, evaluated as of a day with what was
// known at a revision.
func story(asOf string, revision uint64) (gap.Portfolio, gap.Result) {
	target := func(rev uint64, effective string, value float64) gap.Setpoint {
		sp := gap.Setpoint{Revision: rev, Direction: gap.Increase, Value: num(value), Due: date("2020-12-31"), Baseline: &gap.Baseline{Value: num(100), Date: date("2014-12-31")}}
		if effective != "" {
			sp.Effective = date(effective)
		}
		return sp
	}
	p := gap.Portfolio{
		Revision:   revision,
		Strategies: []gap.Strategy{{Name: "s", Title: "Plan", Revision: 1}},
		Objectives: []gap.Objective{{Name: "o", Title: "Grow", Strategy: "s", Revision: 1}},
		Units:      []gap.Unit{{Name: "sales", Title: "Sales", Revision: 1}},
		Metrics:    []gap.Metric{{Name: "m", Title: "Sales", Format: gap.Format{Style: "integer"}, Cadence: "yearly", Aggregation: gap.Last, Revision: 2}},
		Targets:    []gap.Target{{Name: "t", Title: "Sales grow", Objective: "o", Metric: "m", Owner: "unit/sales", Versions: []gap.Setpoint{target(3, "", 160)}}},
	}
	for i, v := range []float64{100, 110, 121, 122, 123} {
		o := gap.Observation{At: calendar.Of(2014+i, 12, 31), Value: v, Revision: uint64(4 + i)}
		if o.Revision <= revision {
			p.Metrics[0].Observations = append(p.Metrics[0].Observations, o)
		}
	}
	if revision >= 10 {
		p.Targets[0].Versions = append(p.Targets[0].Versions, target(10, "2019-01-01", 150))
	}
	return p, gap.Evaluate(p, date(asOf), gap.Policy{}, gap.Options{Explain: true, Forecast: true})
}

func TestSinceNamesWhatMovedAndTheEventsBehindIt(t *testing.T) {
	before, was := story("2017-06-30", 6)
	p, r := story("2019-06-30", 10)
	d := Build(p, r, Options{Before: &Before{Portfolio: before, Result: was, Label: "2017-06-30", Argument: "2017-06-30"}})
	s := d.Since
	if s == nil || len(s.Moves) != 1 {
		t.Fatalf("moves: %+v", s)
	}
	m := s.Moves[0]
	if !strings.Contains(m.What, "actual 121 → 123") || !strings.Contains(m.What, "target 160 → 150") {
		t.Errorf("it says %q", m.What)
	}
	var revisions []uint64
	for _, c := range m.Causes {
		revisions = append(revisions, uint64(c.Revision))
	}
	if !slices.Equal(revisions, []uint64{10, 8, 7}) {
		t.Errorf("caused by revisions %v; want the change of the target and the two values since", revisions)
	}
	if !strings.Contains(d.Reproduce, "--since 2017-06-30") {
		t.Errorf("reproduced by %s", d.Reproduce)
	}
	for _, f := range renderers {
		if !strings.Contains(string(f.render(d)), "160 → 150") {
			t.Errorf("%s does not tell of it", f.name)
		}
	}
}

// On the same knowledge another day alone moves what has come into its time.
func TestSinceAnEarlierDayOfTheSameKnowledge(t *testing.T) {
	_, was := story("2017-06-30", 10)
	p, r := story("2018-06-30", 10)
	d := Build(p, r, Options{Before: &Before{Portfolio: p, Result: was, Label: "2017-06-30"}})
	if m := d.Since.Moves[0]; len(m.Causes) != 1 || m.Causes[0].Revision != 7 {
		t.Errorf("caused by %+v; want the value of 2017", m.Causes)
	}
	same := Build(p, was, Options{Before: &Before{Portfolio: p, Result: was, Label: "revision 10"}})
	if same.Since.Sentence != "Nothing changed since revision 10." {
		t.Errorf("it says %q", same.Since.Sentence)
	}
}

func TestSinceATimeBeforeTheTarget(t *testing.T) {
	p, r := story("2018-06-30", 10)
	gone := gap.Result{Targets: []gap.TargetResult{{Name: "old", Title: "Old one", Status: gap.OnTrack}}}
	d := Build(p, r, Options{Before: &Before{Result: gone, Label: "revision 2"}})
	if m := d.Since.Moves[0]; m.Before != "" || m.What != "new" {
		t.Errorf("the new target: %+v", m)
	}
	if !slices.Equal(d.Since.Removed, []string{"Old one"}) {
		t.Errorf("removed: %q", d.Since.Removed)
	}
}

func TestWhatWillBeMissedIsToldWithWhatWouldFixIt(t *testing.T) {
	p, r := story("2019-06-30", 10)
	p.Initiatives = []gap.Initiative{{Name: "i", Title: "Sell more", Stage: "active", Start: date("2019-01-01"), End: date("2020-06-30"),
		Contributions: []gap.Contribution{{Target: "t", Likely: 5}}}}
	d := Build(p, r, Options{})
	if len(d.Misses) != 1 || d.Misses[0].Attainment >= .5 {
		t.Fatalf("misses: %+v", d.Misses)
	}
	if m := d.Misses[0]; !strings.Contains(m.Fix, "It takes ") || !strings.Contains(m.Fix, "Sell more") {
		t.Errorf("fix: %q", m.Fix)
	}
	svg := d.Targets[0].SVG("x")
	for _, part := range []string{"forecast, 80 and 95 %", "target 160 → 150", "Sell more"} {
		if !strings.Contains(svg, part) {
			t.Errorf("the chart lacks %q", part)
		}
	}
	pdf(t, d)
}

func TestHeatCountsThePeriodsOfAUnit(t *testing.T) {
	p, r := fixture()
	d := Build(p, r, Options{})
	if len(d.Heat) == 0 || len(d.Heat[0].Columns) != len(d.Heat[0].Rows[0].Cells) {
		t.Fatalf("heat: %+v", d.Heat)
	}
	counted, want := 0, 0
	for _, h := range d.Heat {
		for _, row := range h.Rows {
			for _, c := range row.Cells {
				counted += c.judged() + c.NoData
			}
		}
	}
	for _, target := range d.Targets {
		for _, q := range target.Periods {
			switch q.State {
			case gap.PeriodMet, gap.PeriodNear, gap.PeriodNotMet, gap.PeriodNoData:
				want++
			}
		}
	}
	if counted != want {
		t.Errorf("%d periods are counted; want %d", counted, want)
	}
}

func TestAudienceSetsTheDepth(t *testing.T) {
	p, r := fixture()
	for _, tc := range []struct {
		audience      string
		pages, causes bool
	}{{"", true, true}, {Analyst, true, true}, {Owner, true, false}, {Board, false, false}} {
		d := Build(p, r, Options{Audience: tc.audience})
		for _, f := range renderers[:2] {
			text := string(f.render(d))
			if got := strings.Contains(text, "Objective by objective"); got != tc.pages {
				t.Errorf("%s for %q: the objectives are told: %t", f.name, tc.audience, got)
			}
			if got := strings.Contains(text, "Appendix A"); got != tc.causes {
				t.Errorf("%s for %q: how it came about is told: %t", f.name, tc.audience, got)
			}
		}
		// Nothing leads nowhere.
		page := string(HTML(d))
		for _, link := range strings.Split(page, `href="#`)[1:] {
			id, _, _ := strings.Cut(link, `"`)
			if !strings.Contains(page, `id="`+id+`"`) {
				t.Errorf("for %q: a link leads to %q, which is not there", tc.audience, id)
			}
		}
	}
}
