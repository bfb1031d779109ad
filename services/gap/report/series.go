package report

import (
	"cmp"
	"slices"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
)

// Chart is what the picture of a target shows. Values are finite and dates
// lie in From to To.
type Chart struct {
	From calendar.Date `json:"from"`
	To   calendar.Date `json:"to"`
	AsOf calendar.Date `json:"asOf"`

	Actual []ChartPoint `json:"actual"`
	// Path is what was expected when, joined by lines; Tolerance is how far
	// behind it still counts as on it.
	Path      []PathPoint `json:"path,omitempty"`
	Tolerance float64     `json:"tolerance,omitempty"`
	Goals     []Goal      `json:"goals,omitempty"` // of single periods
	Band      *Goal       `json:"band,omitempty"`  // to stay in
	Final     *PathPoint  `json:"final,omitempty"` // the target of a path
	Breaks    []Mark      `json:"breaks,omitempty"`
	Excluded  []Mark      `json:"excluded,omitempty"`
	// Fan is what is expected to come; Changes are where the target was moved;
	// Initiatives are those that are to close its gap.
	Fan         []FanPoint `json:"fan,omitempty"`
	Changes     []Mark     `json:"changes,omitempty"`
	Initiatives []Mark     `json:"initiatives,omitempty"`
}

// ChartPoint is an observed value of a period.
type ChartPoint struct {
	Period string          `json:"period,omitempty"`
	Start  calendar.Date   `json:"start"`
	End    calendar.Date   `json:"end"`
	Value  float64         `json:"value"`
	State  gap.PeriodState `json:"state"`
}

// PathPoint is a value expected on a date.
type PathPoint struct {
	Date  calendar.Date `json:"date"`
	Value float64       `json:"value"`
}

// Goal is what the days Start to End are to reach: a value or a band.
type Goal struct {
	Start calendar.Date `json:"start"`
	End   calendar.Date `json:"end"`
	Value *float64      `json:"value,omitempty"`
	Lower *float64      `json:"lower,omitempty"`
	Upper *float64      `json:"upper,omitempty"`
}

// Mark is a stretch of days (or one) with a text.
type Mark struct {
	Start calendar.Date `json:"start"`
	End   calendar.Date `json:"end"`
	Text  string        `json:"text"`
}

// chartOf gathers what is to be drawn of t; nil if nothing has a value.
func chartOf(t Target, sp *gap.Setpoint, m gap.Metric, asOf calendar.Date) *Chart {
	if t.Form == gap.MilestoneForm {
		return nil // done or not: a word says it better
	}
	if sp == nil {
		sp = &gap.Setpoint{}
	}
	c := &Chart{AsOf: asOf, Actual: []ChartPoint{}}
	for _, p := range t.Periods {
		if p.End.IsZero() {
			continue
		}
		start := p.Start
		if start.IsZero() {
			start = p.End
		}
		if p.Actual != nil {
			c.Actual = append(c.Actual, ChartPoint{p.Period, start, p.End, *p.Actual, p.State})
		}
		if p.State == gap.PeriodExcluded {
			c.Excluded = append(c.Excluded, Mark{start, p.End, cmp.Or(p.Note, "not judged")})
		}
		if t.Form != gap.PathForm && t.Form != gap.MaintainForm && (p.Target != nil || p.Lower != nil || p.Upper != nil) {
			c.Goals = append(c.Goals, Goal{start, p.End, p.Target, p.Lower, p.Upper})
		}
	}
	if len(c.Actual) == 0 {
		c.Actual = rawPoints(m, asOf)
	}
	switch t.Form {
	case gap.PathForm:
		c.Path = path(t, sp)
		if tol := finite(&sp.Tolerance); tol != nil && *tol > 0 {
			c.Tolerance = *tol
		}
		if t.Target != nil && !t.Due.IsZero() {
			c.Final = &PathPoint{t.Due, *t.Target}
		}
	case gap.MaintainForm:
		if t.Lower != nil || t.Upper != nil {
			c.Band = &Goal{Lower: t.Lower, Upper: t.Upper}
			if sp.Maintain != nil {
				c.Band.Start, c.Band.End = sp.Maintain.From, sp.Maintain.To
			}
		}
	}
	if len(c.Actual) == 0 && len(c.Path) == 0 && len(c.Goals) == 0 && c.Band == nil {
		return nil
	}
	c.span()
	for _, br := range m.Breaks {
		if !br.Date.Before(c.From) && !br.Date.After(c.To) {
			c.Breaks = append(c.Breaks, Mark{br.Date, br.Date, cmp.Or(tidy(br.Reason), "method changed")})
		}
	}
	slices.SortFunc(c.Breaks, func(x, y Mark) int {
		return cmp.Or(x.Start.Compare(y.Start), cmp.Compare(x.Text, y.Text))
	})
	return c
}

// rawPoints stands in where no period was compared: the observations, the
// highest revision of each day.
func rawPoints(m gap.Metric, asOf calendar.Date) []ChartPoint {
	latest := map[calendar.Date]gap.Observation{}
	for _, o := range m.Observations {
		if have, ok := latest[o.At]; finite(&o.Value) != nil && !o.At.IsZero() && !o.At.After(asOf) && (!ok || o.Revision > have.Revision) {
			latest[o.At] = o
		}
	}
	out := make([]ChartPoint, 0, len(latest))
	for at, o := range latest {
		out = append(out, ChartPoint{Start: at, End: at, Value: o.Value, State: gap.PeriodNoTarget})
	}
	slices.SortFunc(out, func(x, y ChartPoint) int { return x.End.Compare(y.End) })
	return out
}

// span sets From and To around everything dated, and gives an open band ends.
func (c *Chart) span() {
	include := func(from, to calendar.Date) {
		c.From, c.To = calendar.Earlier(c.From, from), calendar.Later(c.To, to)
	}
	include(c.AsOf, c.AsOf)
	for _, p := range c.Actual {
		include(p.Start, p.End)
	}
	for _, p := range c.Path {
		include(p.Date, p.Date)
	}
	for _, g := range c.Goals {
		include(g.Start, g.End)
	}
	if c.Band != nil {
		include(c.Band.Start, c.Band.End)
		if c.Band.Start.IsZero() {
			c.Band.Start = c.From
		}
		if c.Band.End.IsZero() {
			c.Band.End = c.To
		}
	}
	if c.To == c.From {
		c.From, c.To = c.From.AddDays(-30), c.To.AddDays(30)
	}
}
