package report

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
)

// checkSVG reads a picture as XML and finds every coordinate finite.
func checkSVG(t interface {
	Helper()
	Fatalf(string, ...any)
}, svg string) (elements map[string]int, text string) {
	t.Helper()
	elements = map[string]int{}
	dec := xml.NewDecoder(strings.NewReader(svg))
	var words strings.Builder
	depth := 0
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v\n%s", err, svg)
		}
		switch e := tok.(type) {
		case xml.StartElement:
			if elements[e.Name.Local]++; e.Name.Local == "text" {
				depth++
			}
			for _, a := range e.Attr {
				switch a.Name.Local {
				case "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "width", "height":
					v, err := strconv.ParseFloat(a.Value, 64)
					if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
						t.Fatalf("%s=%q in <%s>", a.Name.Local, a.Value, e.Name.Local)
					}
					if v < -40 || v > chartWidth+40 {
						t.Fatalf("%s=%q in <%s> lies outside", a.Name.Local, a.Value, e.Name.Local)
					}
				case "d", "points":
					if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
						t.Fatalf("%s=%q", a.Name.Local, a.Value)
					}
				}
			}
		case xml.EndElement:
			if e.Name.Local == "text" {
				depth--
				words.WriteByte('\n')
			}
		case xml.CharData:
			if depth > 0 {
				words.Write(e)
			}
		}
	}
	return elements, words.String()
}

// plotted makes a target whose periods have these values.
func plotted(form gap.Form, state gap.PeriodState, values ...float64) Target {
	p := gap.Portfolio{Metrics: []gap.Metric{{Name: "m"}}, Targets: []gap.Target{{Name: "t", Versions: []gap.Setpoint{{
		Baseline: &gap.Baseline{Date: date("2009-12-31")}, Tolerance: 2, Due: date("2030-12-31"),
	}}}}}
	r := gap.TargetResult{Name: "t", Title: "T", Metric: "m", Form: form, Direction: gap.Increase, Status: gap.AtRisk}
	for i, v := range values {
		q := gap.PeriodResult{State: state, Actual: num(v)}
		q.Period, q.Start, q.End = fiscal(2010 + i)
		if form == gap.PeriodsForm {
			q.Target = num(v * 1.1)
		}
		r.Periods = append(r.Periods, q)
	}
	switch form {
	case gap.PathForm:
		r.Baseline, r.Target, r.Due = num(0), num(100), date("2030-12-31")
	case gap.MaintainForm:
		r.Lower = num(1)
	}
	return Build(p, gap.Result{AsOf: date("2018-12-31"), Targets: []gap.TargetResult{r}}, Options{}).Targets[0]
}

func TestChartsOfAllKinds(t *testing.T) {
	long := make([]float64, 130)
	for i := range long {
		long[i] = math.Sin(float64(i) / 9)
	}
	for name, values := range map[string][]float64{
		"none": nil, "one": {5}, "zero": {0}, "flat": {7, 7, 7}, "negative": {-5, -7, -100}, "crossing": {-3, 4, 9},
		"huge": {1e-300, 1e300}, "largest": {-math.MaxFloat64, math.MaxFloat64}, "tiny": {1e-308, 2e-308}, "near": {1e15, 1e15 + 1},
		"sixty": long[:60], "hundred": long, "not numbers": {math.NaN(), math.Inf(1), 3},
	} {
		for _, form := range []gap.Form{gap.PathForm, gap.PeriodsForm, gap.MaintainForm} {
			for _, state := range states {
				tg := plotted(form, state, values...)
				svg := tg.SVG("c")
				if svg == "" {
					if len(values) > 0 || form != gap.PeriodsForm {
						t.Errorf("%s, %s: no picture", name, form)
					}
					continue
				}
				checkSVG(t, svg)
			}
		}
	}
	if m := plotted(gap.MilestoneForm, gap.PeriodMet, 0, 1); m.SVG("c") != "" {
		t.Error("a milestone has a picture")
	}
}

func TestChartSaysWhatItShows(t *testing.T) {
	p, r := fixture()
	by := map[string]string{}
	for _, tg := range Build(p, r, Options{}).Targets {
		by[tg.Name] = tg.SVG("c-" + tg.Name)
	}
	for name, want := range map[string][]string{
		"fedramp":  {"actual", "expected", "tolerance", "target 165", "121", "as of 2018-12-31", "FY2018", "200"},
		"vacant":   {"target 3.0 %", "3.3 %", "near", "met", "FY2018"},
		"revenue":  {"target band", "target 0.0 to 2.0 %", "not met", "−1.0 %"},
		"supplier": {"method changed", "excluded period", "excluded"},
		"latency":  {"partial"},
	} {
		_, text := checkSVG(t, by[name])
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s does not say %q:\n%s", name, w, text)
			}
		}
	}
	if svg := by["revenue"]; !strings.Contains(svg, `<title id="c-revenue-title">`) || !strings.Contains(svg, `<desc id="c-revenue-desc">Off track. `) {
		t.Error("no title or description")
	}
	// Where values cross zero there is a second dark horizontal line.
	dark := regexp.MustCompile(`<line x1="[^"]*" y1="([^"]*)" x2="[^"]*" y2="([^"]*)" stroke="` + inkMuted + `" stroke-width="1"/>`)
	for name, want := range map[string]int{"revenue": 2, "vacant": 1} {
		got := 0
		for _, m := range dark.FindAllStringSubmatch(by[name], -1) {
			if m[1] == m[2] {
				got++
			}
		}
		if got != want {
			t.Errorf("%s: %d dark horizontal lines, want %d", name, got, want)
		}
	}
}

func TestLineStopsAtAMethodBreak(t *testing.T) {
	tg := plotted(gap.MaintainForm, gap.PeriodMet, 1, 2, 3)
	lines := func() int { e, _ := checkSVG(t, tg.SVG("c")); return e["line"] }
	whole := lines()
	tg.Chart.Breaks = []Mark{{date("2010-10-01"), date("2010-10-01"), "new survey"}}
	// One line fewer between the points, one more for the break itself.
	if broken := lines(); broken != whole || !strings.Contains(tg.SVG("c"), "new survey") {
		t.Errorf("%d lines with a break, %d without", broken, whole)
	}
}

func TestLongLabelsStayInside(t *testing.T) {
	tg := plotted(gap.PathForm, gap.PeriodMet, 1, 2, 3)
	tg.Metric.Format = Format{Style: "currency", Currency: strings.Repeat("W", 60)}
	tg.Title = strings.Repeat("long ", 400)
	checkSVG(t, tg.SVG("c"))
}

func TestValueScale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-1e18, 1e18), 1, 70).Draw(t, "values")
		if k := rapid.Float64Range(1e-15, 1).Draw(t, "scale"); rapid.Bool().Draw(t, "small") {
			for i := range values {
				values[i] *= k
			}
		}
		s := valueScale(values, 5, 200, 10)
		for _, v := range values {
			if y := s.at(v); !(y >= 10-1e-6 && y <= 200+1e-6) {
				t.Fatalf("%v lies at %v in %+v", v, y, s)
			}
		}
		if len(s.ticks) < 2 || len(s.ticks) > 9 {
			t.Fatalf("%d ticks: %v", len(s.ticks), s.ticks)
		}
		for i := 1; i < len(s.ticks); i++ {
			if s.ticks[i] <= s.ticks[i-1] {
				t.Fatalf("ticks do not rise: %v", s.ticks)
			}
		}
		labels, seen := tickLabels(Metric{Format: Format{Style: "integer"}}, s.ticks), map[string]bool{}
		for _, l := range labels {
			if seen[l] && s.ticks[1]-s.ticks[0] > 1e-8 {
				t.Fatalf("two ticks say %s: %v", l, s.ticks)
			}
			seen[l] = true
		}
	})
}

func TestDateTicks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := calendar.Of(1950, 1, 1).AddDays(rapid.IntRange(0, 40000).Draw(t, "from"))
		to := from.AddDays(rapid.IntRange(1, 20000).Draw(t, "days"))
		ticks := dateTicks(from, to, 8)
		if len(ticks) > 13 {
			t.Fatalf("%v to %v: %d ticks", from, to, len(ticks))
		}
		if len(ticks) == 0 {
			t.Fatalf("%v to %v: no ticks", from, to)
		}
		for i, k := range ticks {
			if k.at.Before(from) || k.at.After(to) || (i > 0 && !k.at.After(ticks[i-1].at)) {
				t.Fatalf("%v to %v: %v", from, to, ticks)
			}
		}
	})
}

func TestPathShapes(t *testing.T) {
	base := gap.Setpoint{Baseline: &gap.Baseline{Date: date("2020-01-01")}}
	tg := Target{Baseline: num(100), Target: num(200), Due: date("2024-01-01")}
	with := func(f func(*gap.Setpoint)) *gap.Setpoint { sp := base; f(&sp); return &sp }
	quarter := date("2021-01-01")
	for _, tc := range []struct {
		name string
		sp   *gap.Setpoint
		want float64
	}{
		{"linear", with(func(*gap.Setpoint) {}), 125.05},
		{"step", with(func(sp *gap.Setpoint) { sp.Trajectory.Shape = gap.Step }), 100},
		{"s-curve", with(func(sp *gap.Setpoint) { sp.Trajectory.Shape = gap.SCurve }), 115.2},
		{"exponential", with(func(sp *gap.Setpoint) { sp.Trajectory.Shape = gap.Exponential }), 118.96},
		{"points", with(func(sp *gap.Setpoint) {
			sp.Trajectory = gap.Trajectory{Shape: gap.Points, Points: []gap.Point{{Date: quarter, Value: 190}, {Date: tg.Due, Value: 200}}}
		}), 190},
		{"start", with(func(sp *gap.Setpoint) { sp.Trajectory.Start = &gap.Point{Date: quarter, Value: 140} }), 140},
	} {
		pts := path(tg, tc.sp)
		if last := pts[len(pts)-1]; last != (PathPoint{tg.Due, 200}) {
			t.Errorf("%s ends at %v", tc.name, last)
		}
		got := math.NaN()
		for i := 1; i < len(pts); i++ {
			if q, r := pts[i-1], pts[i]; !quarter.Before(q.Date) && quarter.Before(r.Date) {
				got = q.Value + (r.Value-q.Value)*float64(quarter.Sub(q.Date))/float64(r.Date.Sub(q.Date))
			}
		}
		if math.Abs(got-tc.want) > 0.2 {
			t.Errorf("%s: %v a quarter of the way, want %v", tc.name, got, tc.want)
		}
	}
	if pts := path(Target{Target: num(1)}, &base); pts != nil {
		t.Errorf("without a due date: %v", pts)
	}
}

// What is drawn is what was judged: the path of a chart passes through the
// value the evaluation expects on any day.
func TestPathAgreesWithEvaluation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := calendar.Of(2018, 1, 1)
		due := start.AddDays(rapid.IntRange(400, 3000).Draw(t, "days"))
		b, g := rapid.Float64Range(10, 100).Draw(t, "baseline"), rapid.Float64Range(101, 300).Draw(t, "target")
		sp := gap.Setpoint{Baseline: &gap.Baseline{Date: start, Value: &b}, Value: &g, Due: due, Direction: gap.Increase}
		sp.Trajectory.Shape = rapid.SampledFrom([]gap.Shape{"", gap.Linear, gap.Step, gap.SCurve, gap.Exponential, gap.Points}).Draw(t, "shape")
		if sp.Trajectory.Shape == gap.Points {
			sp.Trajectory.Steps = rapid.Bool().Draw(t, "steps")
			sp.Trajectory.Points = []gap.Point{{Date: start.AddDays(200), Value: b + 5}, {Date: due, Value: g}}
		}
		if rapid.Bool().Draw(t, "starts later") {
			sp.Trajectory.Start = &gap.Point{Date: start.AddDays(100), Value: b + 1}
		}
		p := gap.Portfolio{
			Metrics: []gap.Metric{{Name: "m", Cadence: calendar.Daily, Aggregation: gap.Last, Observations: []gap.Observation{{At: start, Value: b}}}},
			Targets: []gap.Target{{Name: "t", Metric: "m", Versions: []gap.Setpoint{sp}}},
		}
		asOf := start.AddDays(rapid.IntRange(101, due.Sub(start)-1).Draw(t, "as of"))
		r := gap.Evaluate(p, asOf, gap.Default(), gap.Options{Explain: true})
		tg := Build(p, r, Options{}).Targets[0]
		if tg.ExpectedNow == nil {
			t.Fatal("nothing expected")
		}
		tolerance := 1e-9 * g
		if s := sp.Trajectory.Shape; s == gap.SCurve || s == gap.Exponential {
			tolerance = (g - b) / 100 // drawn by samples
		}
		pts := tg.Chart.Path
		for i := 1; i < len(pts); i++ {
			q, r := pts[i-1], pts[i]
			if asOf.Before(q.Date) || !asOf.Before(r.Date) {
				continue
			}
			drawn := q.Value + (r.Value-q.Value)*float64(asOf.Sub(q.Date))/float64(r.Date.Sub(q.Date))
			if math.Abs(drawn-*tg.ExpectedNow) > tolerance {
				t.Fatalf("on %v %v is drawn, %v expected", asOf, drawn, *tg.ExpectedNow)
			}
			return
		}
		t.Fatalf("nothing is drawn on %v: %v", asOf, pts)
	})
}
