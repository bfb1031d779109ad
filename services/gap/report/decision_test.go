package report

import (
	"strings"
	"testing"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
)

func TestDecisionsOfTheLastReviews(t *testing.T) {
	day := calendar.MustParse
	p := gap.Portfolio{
		Strategies: []gap.Strategy{{Name: "s"}, {Name: "other"}}, Objectives: []gap.Objective{{Name: "o", Strategy: "s"}}, Units: []gap.Unit{{Name: "estate", Title: "Real <estate>"}},
		Metrics: []gap.Metric{{Name: "m", Cadence: "monthly"}}, Targets: []gap.Target{{Name: "t", Title: "Vacant space", Metric: "m", Objective: "o", Versions: []gap.Setpoint{{Maintain: &gap.Maintain{}}}}},
		Decisions: []gap.Decision{
			{Review: "q", ReviewTitle: "Quarterly", Period: "2026-Q3", Strategy: "s", ID: "d1", Title: "move | two", Owner: "unit/estate", Status: "open", Decided: day("2026-10-08"), Due: day("2026-11-01"), Targets: []string{"t"}},
			{Review: "q", ReviewTitle: "Quarterly", Period: "2026-Q3", Strategy: "s", ID: "d2", Title: "stay", Owner: "person/p", Status: "done", Decided: day("2026-10-08"), Due: day("2026-11-01"), Settled: day("2026-10-20")},
			{Review: "x", Period: "2026-Q3", Strategy: "other", ID: "d1", Title: "elsewhere", Owner: "unit/estate", Status: "open", Decided: day("2026-10-08"), Due: day("2026-12-01")},
			{Review: "all", Period: "2026", Whole: true, ID: "d1", Title: "everywhere", Owner: "unit/estate", Status: "open", Decided: day("2026-10-08"), Due: day("2026-12-01")},
		},
	}
	asOf := day("2026-11-03")
	d := Build(p, gap.Evaluate(p, asOf, gap.Default(), gap.Options{}), Options{Strategy: "s"})
	text, page := string(Markdown(d)), string(HTML(d))
	for _, want := range []string{"## Decisions of the last reviews", "▼ 2026-11-01, 2 days overdue", "move \\| two", "Quarterly, 2026-Q3", "done on 2026-10-20", "everywhere"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "elsewhere") || !strings.Contains(page, "Real &lt;estate&gt;") || !strings.Contains(page, "Decisions of the last reviews") {
		t.Errorf("the page shows %s", page)
	}
	if i, j := strings.Index(text, "move"), strings.Index(text, "stay"); i > j {
		t.Error("what is open does not come first")
	}
	p.Decisions = nil
	if d := Build(p, gap.Evaluate(p, asOf, gap.Default(), gap.Options{}), Options{Strategy: "s"}); strings.Contains(string(JSON(d)), "decisions") {
		t.Error("a report without decisions has a list of them")
	}
}
