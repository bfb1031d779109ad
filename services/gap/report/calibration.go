package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"setpoint.dev/services/gap"
)

//go:embed calibration.html.tmpl
var calibrationSource string

var _ = template.Must(page.Parse(calibrationSource))

// Calibration is how well what was expected of targets agreed with what became of
// them. Absent where no target has ended.
type Calibration struct {
	Forecasts  Calibrated   `json:"forecasts"`
	Leads      []Calibrated `json:"leads,omitempty"` // by how much of the horizon was left
	Units      []Calibrated `json:"units,omitempty"` // owners
	Methods    []Calibrated `json:"methods,omitempty"`
	Confidence Calibrated   `json:"confidence"` // said in check-ins
	Said       []Calibrated `json:"confidenceByUnit,omitempty"`
	LeftOut    int          `json:"leftOut,omitempty"` // targets and periods that ended earlier
}

// Calibrated is one group. What n is too small for is absent.
type Calibrated struct {
	Name      string   `json:"name,omitempty"`
	N         int      `json:"n"`
	Hindsight int      `json:"hindsight,omitempty"`
	Brier     *float64 `json:"brier,omitempty"`
	BaseBrier *float64 `json:"baseBrier,omitempty"`
	BaseRate  *float64 `json:"baseRate,omitempty"`
	Mean      *float64 `json:"meanProbability,omitempty"`
	Intervals int      `json:"intervals,omitempty"`
	Within80  *float64 `json:"within80,omitempty"`
	Within95  *float64 `json:"within95,omitempty"`
}

// CalibrationOf is the section of a calibration; nil where nothing was scored.
func CalibrationOf(c gap.Calibration) *Calibration {
	if c.Forecasts.N+c.Confidence.N == 0 {
		return nil
	}
	one := func(g gap.Calibrated) Calibrated {
		return Calibrated{
			Name: tidy(g.Name), N: g.N, Hindsight: g.Hindsight, Brier: g.Brier, BaseBrier: g.BaseBrier, BaseRate: g.BaseRate, Mean: g.Said,
			Intervals: g.Intervals, Within80: g.Within80, Within95: g.Within95,
		}
	}
	list := func(in []gap.Calibrated) (out []Calibrated) {
		for _, g := range in {
			out = append(out, one(g))
		}
		return out
	}
	return &Calibration{
		Forecasts: one(c.Forecasts), Leads: list(c.Leads), Units: list(c.Units), Methods: list(c.Methods),
		Confidence: one(c.Confidence), Said: list(c.Said), LeftOut: c.LeftOut,
	}
}

// Summary says what was scored, and how to read it.
func (c *Calibration) Summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "What was expected of targets and of their periods that have ended, when 75, 50 and 25 %% of their time was left, beside what became of them: %s and %s. ",
		plural(c.Forecasts.N, "forecast"), plural(c.Confidence.N, "confidence"))
	if c.Forecasts.Hindsight > 0 {
		fmt.Fprintf(&b, "Nothing was on record at the time of %s, which were made of the values of that time as they are known now. ", plural(c.Forecasts.Hindsight, "forecast"))
	}
	if c.Confidence.Hindsight > 0 {
		fmt.Fprintf(&b, "Recorded after the day that they are about: %s. ", plural(c.Confidence.Hindsight, "confidence"))
	}
	fmt.Fprintf(&b, "The Brier score is the mean squared distance of the probability from the outcome: 0 is best, and a forecast that is worth something is below that of always naming the base rate. Groups of fewer than %d show no numbers.", gap.FewestScored)
	if c.LeftOut > 0 {
		fmt.Fprintf(&b, " %s that came earlier are left out.", plural(c.LeftOut, "end"))
	}
	return b.String()
}

// calibrationTable is a table of groups as text.
type calibrationTable struct {
	Title   string
	Columns []string
	Rows    [][]string
}

// Tables are those of the section; those without rows are left out.
func (c *Calibration) Tables() []calibrationTable {
	forecast := []string{"", "n", "Brier", "Brier of the base rate", "Mean probability", "Reached", "In 80 %", "In 95 %"}
	said := forecast[:6]
	var out []calibrationTable
	add := func(title string, columns []string, list ...Calibrated) {
		t := calibrationTable{Title: title, Columns: columns}
		if len(list) == 0 || list[0].Name != "all" && !slices.ContainsFunc(list, func(g Calibrated) bool { return g.N >= gap.FewestScored }) {
			return // no number in it
		}
		for _, g := range list {
			if g.N == 0 {
				continue
			}
			name := g.Name
			if name == "" {
				name = "no owner unit"
			}
			row := []string{name, strconv.Itoa(g.N), thousandth(g.Brier), thousandth(g.BaseBrier), percent(g.Mean), percent(g.BaseRate), percent(g.Within80), percent(g.Within95)}
			t.Rows = append(t.Rows, row[:len(columns)])
		}
		if len(t.Rows) > 0 {
			out = append(out, t)
		}
	}
	all, words := c.Forecasts, c.Confidence
	all.Name, words.Name = "all", "all"
	add("Forecasts", forecast, append([]Calibrated{all}, c.Leads...)...)
	add("Forecasts by owner unit", forecast, c.Units...)
	add("Forecasts by method", forecast, c.Methods...)
	add("Confidence of check-ins", said, append([]Calibrated{words}, c.Said...)...)
	return out
}

func thousandth(v *float64) string {
	if v == nil {
		return absent
	}
	return strconv.FormatFloat(*v, 'f', 3, 64)
}

// calibration is the section in Markdown.
func (m *markdown) calibration() {
	c := m.d.Calibration
	if c == nil {
		return
	}
	m.printf("## Calibration\n\n")
	m.paragraph(md(c.Summary()))
	for _, t := range c.Tables() {
		m.printf("### %s\n\n", t.Title)
		columns := append([]string{"Of"}, t.Columns[1:]...)
		for i := range columns[1:] {
			columns[i+1] += ":"
		}
		out := newTable(columns...)
		for _, r := range t.Rows {
			cells := append([]string{md(r[0])}, r[1:]...)
			out.row(cells...)
		}
		m.table(out)
	}
}
