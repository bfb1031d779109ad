package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
)

// Outlook is what to expect of a target's metric by the target's end, as the
// values known so far go on; see gap.Outlook. Absent numbers are not known.
type Outlook struct {
	Period       string        `json:"period,omitempty"`
	At           calendar.Date `json:"at,omitzero"`
	Value        *float64      `json:"value,omitempty"` // the median
	Lower80      *float64      `json:"lower80,omitempty"`
	Upper80      *float64      `json:"upper80,omitempty"`
	Lower95      *float64      `json:"lower95,omitempty"`
	Upper95      *float64      `json:"upper95,omitempty"`
	Method       string        `json:"method,omitempty"`
	Observations int           `json:"observations"`
	Unknown      string        `json:"unknown,omitempty"` // why something is not known
	// Attainment is the probability of reaching the target by its end.
	Attainment     *float64      `json:"attainment,omitempty"`
	AttainmentDate calendar.Date `json:"attainmentDate,omitzero"` // by which half of the courses have
	// Rates are by period of the metric, positive towards the target.
	RequiredRate *float64 `json:"requiredRate,omitempty"`
	CurrentRate  *float64 `json:"currentRate,omitempty"`
}

// FanPoint is what is expected of a period that has not come.
type FanPoint struct {
	Date    calendar.Date `json:"date"`
	Value   float64       `json:"value"`
	Lower80 *float64      `json:"lower80,omitempty"`
	Upper80 *float64      `json:"upper80,omitempty"`
	Lower95 *float64      `json:"lower95,omitempty"`
	Upper95 *float64      `json:"upper95,omitempty"`
}

// Miss is a target that is rather missed than reached, and what would change
// that.
type Miss struct {
	Target     string  `json:"target"`
	Title      string  `json:"title"`
	Attainment float64 `json:"attainment"`
	Expect     string  `json:"expect"` // in a sentence
	Fix        string  `json:"fix"`
}

func outlookOf(o *gap.Outlook) *Outlook {
	if o == nil {
		return nil
	}
	return &Outlook{
		Period: tidy(o.Period), At: o.At, Value: finite(o.Value), Lower80: finite(o.Lower80), Upper80: finite(o.Upper80), Lower95: finite(o.Lower95), Upper95: finite(o.Upper95),
		Method: tidy(o.Method), Observations: o.Observations, Unknown: tidy(o.Unknown), Attainment: finite(o.Attainment), AttainmentDate: o.AttainmentDate,
		RequiredRate: finite(o.RequiredRate), CurrentRate: finite(o.CurrentRate),
	}
}

// fan is the course of an outlook; of a running total only its end is on the
// scale of what is observed.
func fan(o *gap.Outlook, total bool) []FanPoint {
	if o == nil {
		return nil
	}
	var out []FanPoint
	if total {
		if v := finite(o.Value); v != nil {
			out = append(out, FanPoint{o.At, *v, finite(o.Lower80), finite(o.Upper80), finite(o.Lower95), finite(o.Upper95)})
		}
		return out
	}
	for _, s := range o.Course() {
		if finite(&s.Value) != nil {
			out = append(out, FanPoint{s.End, s.Value, finite(s.Lower80), finite(s.Upper80), finite(s.Lower95), finite(s.Upper95)})
		}
	}
	return out
}

// misses are the open targets that are reached with less than one half, the
// least likely first.
func (d *Document) misses() []Miss {
	var out []Miss
	covered := map[string]*CoveredTarget{}
	if d.Coverage != nil {
		for i := range d.Coverage.Targets {
			covered[d.Coverage.Targets[i].Target] = &d.Coverage.Targets[i]
		}
	}
	for i := range d.Targets {
		t := &d.Targets[i]
		if t.Status == gap.Missed || t.Status == gap.Achieved || t.Outlook == nil || t.Outlook.Attainment == nil || *t.Outlook.Attainment >= .5 {
			continue
		}
		out = append(out, Miss{Target: t.Name, Title: t.Title, Attainment: *t.Outlook.Attainment, Expect: t.expects(), Fix: d.fix(t, covered[t.Name])})
	}
	slices.SortStableFunc(out, func(x, y Miss) int { return cmp.Compare(x.Attainment, y.Attainment) })
	return out
}

// expects says what the outlook is.
func (t *Target) expects() string {
	o, m := t.Outlook, t.Metric
	s := fmt.Sprintf("%s expected for %s", m.value(o.Value), cmp.Or(o.Period, o.At.String()))
	if o.Lower80 != nil && o.Upper80 != nil {
		s += fmt.Sprintf(" (80 %%: %s to %s)", m.show(*o.Lower80), m.show(*o.Upper80))
	}
	if goal := t.finally(); goal != absent {
		s += ", to be " + goal
	}
	return s + "."
}

// finally is what is to be reached in the period that is forecast: of a target by
// periods not what the last value is judged by.
func (t *Target) finally() string {
	for _, p := range t.Periods {
		if t.Form == gap.PeriodsForm && p.Period == t.Outlook.Period && (p.Target != nil || p.Lower != nil || p.Upper != nil) {
			return setpoint(t.Metric, t.Direction, p.goal(), p.Lower, p.Upper)
		}
	}
	return setpoint(t.Metric, t.Direction, t.Target, t.Lower, t.Upper)
}

var periodNouns = map[calendar.Cadence]string{calendar.Daily: "day", calendar.Weekly: "week", calendar.Monthly: "month", calendar.Quarterly: "quarter", calendar.Yearly: "year"}

// fix says what reaching t takes, and what is under way.
func (d *Document) fix(t *Target, c *CoveredTarget) string {
	var parts []string
	o, m := t.Outlook, t.Metric
	if o.RequiredRate != nil && *o.RequiredRate > 0 {
		each := cmp.Or(periodNouns[m.Cadence], "period")
		s := fmt.Sprintf("It takes %s a %s", m.size(*o.RequiredRate), each)
		switch {
		case o.CurrentRate == nil:
		case *o.CurrentRate > 0:
			s += fmt.Sprintf("; %s is expected as things go", m.size(*o.CurrentRate))
		case *o.CurrentRate < 0:
			s += fmt.Sprintf("; as things go it moves away, by %s", m.size(*o.CurrentRate))
		default:
			s += "; as things go nothing moves"
		}
		parts = append(parts, s)
	}
	if d.Coverage != nil {
		switch {
		case c == nil:
			parts = append(parts, "No initiative in progress works on it")
		case c.hasGap():
			var names []string
			for _, p := range c.Parts {
				names = append(names, isolated(p.Title))
			}
			parts = append(parts, fmt.Sprintf("Of its gap %s is covered by %s; %s stays open", percent(c.Share), strings.Join(names, ", "), c.residual(m)))
		}
	}
	open := 0
	for _, a := range d.Actions {
		if a.Target == t.Name {
			open++
		}
	}
	if open > 0 {
		parts = append(parts, plural(open, "corrective action")+" open")
	}
	if parts == nil {
		return ""
	}
	return strings.Join(parts, ". ") + "."
}

var outlookDefinitions = []Definition{
	{"Forecast", "What to expect by the end if the values go on as they did: the median, with the ranges that hold 80 % and 95 % of what may come. It knows nothing of initiatives that have not shown in the values."},
	{"Attainment", "The probability that the forecast reaches the target by its end. Under one half the target will rather be missed."},
}
