package report

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

// From the gap, by what each initiative is expected to close, to what is unfunded:
// the steps add up.
func TestAWaterfallEndsWhereTheUnfundedBegins(t *testing.T) {
	p, r := acting()
	d := Build(p, r, Options{})
	seen := 0
	for _, c := range d.Coverage.Targets {
		if !c.hasGap() {
			continue
		}
		seen++
		sum := 0.0
		for _, s := range c.fall(d.targetsByName()[c.Target].Metric).steps {
			sum += s.sum()
		}
		if want := max(0, 1-sum) * *c.Gap; !near(*c.Unfunded, want) {
			t.Errorf("%s: unfunded %v; the steps leave %v", c.Target, *c.Unfunded, want)
		}
	}
	if seen < 3 {
		t.Fatalf("only %d gaps are covered", seen)
	}
}

// More than one gap closes no other one, and what people come along with counts
// before what is lost: what stays open of an objective is the mean of what stays
// open of its targets.
func TestTheGapsOfAnObjectiveAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		targets := map[string]*Target{}
		o := Objective{RollUp: RollUp{Name: "o", Title: "O"}}
		var list []CoveredTarget
		weights, open, unfunded := 0.0, 0.0, 0.0
		for i := range rapid.IntRange(1, 4).Draw(t, "targets") {
			name := string(rune('a' + i))
			size, weight := rapid.Float64Range(.1, 100).Draw(t, "gap"), rapid.Float64Range(.1, 5).Draw(t, "weight")
			targets[name] = &Target{Name: name, Gap: num(size), Weight: weight}
			o.Members = append(o.Members, name)
			c := CoveredTarget{Target: name, Gap: num(size)}
			ready, all := 0.0, 0.0
			for k := range rapid.IntRange(0, 3).Draw(t, "parts") {
				x := Part{Initiative: string(rune('p' + k)), Expected: size * rapid.Float64Range(0, 1.5).Draw(t, "expected")}
				all += x.Expected / size
				if rapid.Bool().Draw(t, "measured") {
					x.Ready = num(x.Expected * rapid.Float64Range(0, 1).Draw(t, "adoption"))
					ready += *x.Ready / size
				}
				c.Parts = append(c.Parts, x)
			}
			if len(c.Parts) > 0 {
				list = append(list, c)
			}
			weights += weight
			unfunded += weight * max(0, 1-all)
			open += weight * max(0, 1-ready)
		}
		got := coveredObjectives([]Objective{o}, targets, list)
		if len(list) == 0 {
			if got != nil {
				t.Fatalf("nothing is done, and there is %+v", got)
			}
			return
		}
		if !near(got[0].Unfunded, unfunded/weights) {
			t.Fatalf("unfunded %v; want %v", got[0].Unfunded, unfunded/weights)
		}
		sum, unmeasured := got[0].Unfunded, 0.0
		for _, p := range got[0].Parts {
			sum += p.Expected
			unmeasured += p.Unmeasured
			if p.Ready+p.Unmeasured > p.Expected+1e-9 {
				t.Fatalf("%+v: more is ready than expected", p)
			}
		}
		if !near(sum, 1) {
			t.Fatalf("the steps and the rest are %v of the gap", sum)
		}
		if !near(got[0].Residual, open/weights-unmeasured) {
			t.Fatalf("%v stays open; want %v", got[0].Residual, open/weights-unmeasured)
		}
	})
}

// Every format names each initiative with what it is expected to close, and what is
// unfunded.
func TestEveryFormatHasTheWaterfall(t *testing.T) {
	p, r := acting()
	d := Build(p, r, Options{})
	const initiative = "Share desks, give floors back"
	for name, text := range map[string]string{"md": string(Markdown(d)), "html": string(HTML(d)), "csv": string(CSV(d)), "json": string(JSON(d))} {
		for _, want := range map[string][]string{
			"md": {initiative, "Unfunded", "(54"}, "html": {initiative + ": 0.1", "Unfunded: 0.2", "What closes the gap of 0.3"},
			"csv": {"covered_by", "desks=0.00"}, "json": {`"objectives":[{"objective":"modern","parts"`, `"unfunded"`},
		}[name] {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q", name, want)
			}
		}
	}
	f := opened(t, d)
	rows, err := f.GetRows("Waterfall")
	if err != nil {
		t.Fatal(err)
	}
	steps := ""
	for _, row := range rows {
		if row[1] == "vacant" {
			steps += row[3] + "|"
		}
	}
	if want := "Gap|" + initiative + "|Unfunded|"; steps != want {
		t.Errorf("the workbook's steps of vacant are %q; want %q", steps, want)
	}
}

// A picture stays well-formed whatever the titles are, and has no numbers that are none.
func TestWaterfallsAreWellFormed(t *testing.T) {
	p := newPaper("", date("2018-12-31"), "")
	rapid.Check(t, func(t *rapid.T) {
		f := fall{title: rapid.String().Draw(t, "title"), total: rapid.String().Draw(t, "total"), rest: "none"}
		f.title, f.total = tidy(f.title), tidy(f.total)
		share := rapid.Float64Range(0, 3)
		for range rapid.IntRange(0, 40).Draw(t, "steps") {
			f.steps = append(f.steps, fallStep{tidy(rapid.String().Draw(t, "label")), "", share.Draw(t, "ready"), share.Draw(t, "lost"), share.Draw(t, "unmeasured")})
		}
		svg := f.svg("id")
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Fatal(svg)
		}
		dec := xml.NewDecoder(strings.NewReader(svg))
		for {
			_, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		p.picture(svg, pageMargin, textWidth)
		if err := p.f.Error(); err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(f.text(), "\n"); lines > inFall+2 {
			t.Fatalf("%d lines", lines)
		}
	})
}
