package cli

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/text"
	"pgregory.net/rapid"

	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/display"
)

func day(s string) calendar.Date { return calendar.MustParse(s) }

// fedramp is the course of a published target: 88 to 165 by way of 110 and 145.
func fedramp() *chart {
	c := &chart{
		From: day("2014-10-01"), To: day("2020-09-30"), AsOf: day("2018-12-31"),
		Path:  []pathPoint{{day("2017-09-30"), 88}, {day("2018-09-30"), 110}, {day("2019-09-30"), 145}, {day("2020-09-30"), 165}},
		Final: &pathPoint{day("2020-09-30"), 165},
	}
	for i, v := range []float64{39, 72, 88, 121} {
		year := 2015 + i
		c.Actual = append(c.Actual, struct {
			Start, End calendar.Date
			Value      float64
		}{calendar.Of(year-1, 10, 1), calendar.Of(year, 9, 30), v})
	}
	return c
}

func TestPicture(t *testing.T) {
	zero, top := 0.0, 0.02
	band := &chart{
		From: day("2018-01-01"), To: day("2018-12-31"), AsOf: day("2018-12-31"),
		Band: &goal{Lower: &zero, Upper: &top},
	}
	for i, v := range []float64{-.004, .011, .019} {
		end := calendar.Of(2018, 4, 1).AddDays(90 * i)
		band.Actual = append(band.Actual, struct {
			Start, End calendar.Date
			Value      float64
		}{end, end, v})
	}
	var b strings.Builder
	for _, p := range []string{
		picture(fedramp(), shown{&display.Format{Style: "integer"}}, &fine, 80, false),
		picture(fedramp(), shown{}, &ascii, 60, false),
		picture(band, shown{&display.Format{Style: "percent"}}, &fine, 78, false),
		picture(band, shown{&display.Format{Style: "percent"}}, &ascii, 40, false),
	} {
		b.WriteString(p + "\n")
	}
	golden(t, "pictures", b.String())
}

func TestPictureOfNothing(t *testing.T) {
	flat := &chart{From: day("2018-01-01"), To: day("2019-01-01"), Final: &pathPoint{day("2019-01-01"), 0}}
	for name, tt := range map[string]struct {
		c     *chart
		width int
		empty bool
	}{
		"no chart":      {nil, 80, true},
		"no values":     {&chart{From: day("2018-01-01"), To: day("2019-01-01")}, 80, true},
		"no dates":      {&chart{Final: &pathPoint{day("2019-01-01"), 1}}, 80, true},
		"no room":       {fedramp(), 20, true},
		"one value, 0":  {flat, 80, false},
		"no terminal":   {fedramp(), 0, false},
		"wide terminal": {fedramp(), 300, false},
		"too far apart": {&chart{From: day("2018-01-01"), To: day("2019-01-01"), Path: []pathPoint{{day("2018-01-01"), -math.MaxFloat64}, {day("2019-01-01"), math.MaxFloat64}}}, 80, true},
	} {
		got := picture(tt.c, shown{}, &fine, tt.width, false)
		if (got == "") != tt.empty {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// Whatever the values: a picture keeps to its width, has the same shape, is
// ASCII where that is asked for, and shows every kind of mark it has.
func TestPictureKeepsItsFrame(t *testing.T) {
	value := rapid.OneOf(rapid.Float64Range(-1, 1), rapid.Float64Range(-1e12, 1e12), rapid.Just(0.0))
	rapid.Check(t, func(t *rapid.T) {
		from := calendar.Of(2000, 1, 1).AddDays(rapid.IntRange(0, 5000).Draw(t, "from"))
		days := rapid.IntRange(1, 12000).Draw(t, "days")
		at := func(name string) calendar.Date { return from.AddDays(rapid.IntRange(0, days).Draw(t, name)) }
		c := &chart{From: from, To: from.AddDays(days), AsOf: at("as of")}
		for range rapid.IntRange(1, 20).Draw(t, "actual") {
			end := at("end")
			c.Actual = append(c.Actual, struct {
				Start, End calendar.Date
				Value      float64
			}{end, end, value.Draw(t, "v")})
		}
		for range rapid.IntRange(0, 4).Draw(t, "path") {
			c.Path = append(c.Path, pathPoint{at("date"), value.Draw(t, "expected")})
		}
		if rapid.Bool().Draw(t, "goal") {
			v := value.Draw(t, "goal value")
			c.Goals = append(c.Goals, goal{Start: from, End: c.To, Value: &v})
		}
		g := rapid.SampledFrom([]*glyphs{&fine, &ascii}).Draw(t, "glyphs")
		as := rapid.SampledFrom([]shown{{}, {&display.Format{Style: "percent"}}, {&display.Format{Style: "currency", Currency: "CHF"}}}).Draw(t, "format")
		width := rapid.IntRange(48, 80).Draw(t, "width")
		got := picture(c, as, g, width, false)
		if got == "" {
			return // too close together to be told apart
		}
		lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
		if len(lines) != pictureHeight+3 {
			t.Fatalf("%d lines:\n%s", len(lines), got)
		}
		for _, l := range lines[:pictureHeight+2] {
			if w := text.StringWidthWithoutEscSequences(l); w > width {
				t.Fatalf("%d columns of %d: %s", w, width, l)
			}
		}
		if !strings.Contains(strings.Join(lines[:pictureHeight], ""), string(g.actual)) {
			t.Fatalf("no point:\n%s", got)
		}
		if g == &ascii {
			for _, r := range got {
				if r >= utf8.RuneSelf {
					t.Fatalf("%q in:\n%s", r, got)
				}
			}
		}
	})
}

// Points of the path at the height of an actual value lie in its row.
func TestPathAndPointsAgree(t *testing.T) {
	c := fedramp()
	p := &plot{c: c, y: newAxis(c.values(), shown{}), g: &ascii, columns: 60}
	for range pictureHeight {
		p.cells, p.dots = append(p.cells, make([]rune, 60)), append(p.dots, make([]byte, 60))
	}
	p.segment(pathPoint{c.From, 100}, pathPoint{c.To, 100})
	for x, r := range p.cells[p.row(100)] {
		if r != p.g.path {
			t.Errorf("column %d of the row of 100: %q", x, r)
		}
	}
}

func TestTickLabelsTellValuesApart(t *testing.T) {
	as := shown{&display.Format{Style: "percent"}}
	a := newAxis([]float64{.0891, .0899}, as)
	for i := 1; i < len(a.labels); i++ {
		if a.labels[i] == a.labels[i-1] {
			t.Errorf("%v for %v", a.labels, a.ticks)
		}
	}
	if a := newAxis([]float64{.03, .05}, as); strings.Join(a.labels, " ") != "3.0 % 3.5 % 4.0 % 4.5 % 5.0 %" {
		t.Errorf("%v", a.labels)
	}
}

func TestGlyphsFollowTheLocale(t *testing.T) {
	for _, tt := range []struct {
		env  map[string]string
		want *glyphs
	}{
		{nil, &fine},
		{map[string]string{"LANG": "de_DE.UTF-8"}, &fine},
		{map[string]string{"LANG": "C.utf8"}, &fine},
		{map[string]string{"LANG": "C"}, &ascii},
		{map[string]string{"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"}, &ascii},
		{map[string]string{"LC_CTYPE": "en_US.UTF-8", "LANG": "C"}, &fine},
		{map[string]string{"LC_ALL": "", "LANG": "en_US.ISO-8859-1"}, &ascii},
	} {
		a := newApp(Options{Env: func(k string) (string, bool) { v, ok := tt.env[k]; return v, ok }}.withDefaults())
		if a.glyphs(false) != tt.want {
			t.Errorf("%v", tt.env)
		}
		if a.glyphs(true) != &ascii {
			t.Errorf("--ascii under %v", tt.env)
		}
	}
}

func TestSparkline(t *testing.T) {
	for _, tt := range []struct {
		values []float64
		width  int
		want   string
	}{
		{nil, 10, ""},
		{[]float64{1}, 10, ""},
		{[]float64{0, 1, 2, 3, 4, 5, 6, 7}, 10, "▁▂▃▄▅▆▇█"},
		{[]float64{7, 0}, 10, "█▁"},
		{[]float64{5, 5, 5}, 10, "▅▅▅"},
		{[]float64{0, 9, 0, 9, 0, 7}, 3, "██▇"},
		{[]float64{-math.MaxFloat64, math.MaxFloat64}, 10, "▁█"},
	} {
		if got := sparkline(tt.values, &fine, tt.width); got != tt.want {
			t.Errorf("%v in %d: %s, want %s", tt.values, tt.width, got, tt.want)
		}
	}
	if got := sparkline([]float64{0, 7}, &ascii, 5); got != "_#" {
		t.Errorf("%s", got)
	}
}
