package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/display"
)

// Initiative is work meant to close gaps, and where it stands.
type Initiative struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Owner string `json:"owner,omitempty"`
	Stage string `json:"stage"`
	// Planned and expected; what comes before it counts.
	Start       calendar.Date `json:"start,omitzero"`
	End         calendar.Date `json:"end,omitzero"`
	ExpectedEnd calendar.Date `json:"expectedEnd,omitzero"`
	SlipDays    int           `json:"slipDays,omitempty"`
	Critical    bool          `json:"critical,omitempty"`

	Reached    int         `json:"milestonesReached"`
	Milestones []Milestone `json:"milestones"`
	// Decimal strings; absent where nothing was said.
	Currency   string `json:"currency,omitempty"`
	Budget     string `json:"budget,omitempty"`
	Spent      string `json:"spent,omitempty"`
	Completion string `json:"completion,omitempty"` // expected cost at the end
	// Delivery is the probability of it by its milestones (heuristic).
	Delivery      float64        `json:"delivery"`
	Contributions []Contribution `json:"contributions"`
	Programs      []string       `json:"programs,omitempty"` // names
}

// Milestone is a step of an initiative.
type Milestone struct {
	Name     string        `json:"name"`
	Title    string        `json:"title"`
	Planned  calendar.Date `json:"planned,omitzero"`
	Expected calendar.Date `json:"expected,omitzero"`
	Reached  calendar.Date `json:"reached,omitzero"`
	Overdue  bool          `json:"overdue,omitempty"`
	Pushed   int           `json:"pushed,omitempty"` // how often its forecast moved to a later day
}

// Contribution is what an initiative is to add to a target's metric, in the
// direction that is better.
type Contribution struct {
	Target  string        `json:"target"`
	Title   string        `json:"title"`
	Low     *float64      `json:"low,omitempty"`
	Likely  float64       `json:"likely"`
	High    *float64      `json:"high,omitempty"`
	RampEnd calendar.Date `json:"rampEnd,omitzero"`
	Basis   string        `json:"basis,omitempty"`
	// Shown as the metric's values are; "" where the target is not in the report.
	Text string `json:"text,omitempty"`
}

// stages is the order of initiatives, most alive first.
var stages = []string{"active", "paused", "approved", "proposed", "completed", "cancelled"}

// chosen are the initiatives that the report is about, by name: all, or those
// that contribute to one of its targets.
func (b *builder) chosen(p gap.Portfolio, targets map[string]*Target) []gap.Initiative {
	var out []gap.Initiative
	for _, i := range p.Initiatives {
		serves := slices.ContainsFunc(i.Contributions, func(c gap.Contribution) bool { return targets[c.Target] != nil })
		if o, named := b.objective[i.Objective]; named && b.includes(o.Strategy) {
			serves = true
		}
		if serves || b.opts.Strategy == "" {
			out = append(out, i)
		}
	}
	slices.SortFunc(out, func(x, y gap.Initiative) int { return cmp.Compare(x.Name, y.Name) })
	return out
}

func (b *builder) initiatives(p gap.Portfolio, chosen []gap.Initiative, targets map[string]*Target) []Initiative {
	var out []Initiative
	// What is not in the report may still hold up what is.
	placed := gap.Schedule(p.Initiatives, b.result.AsOf)
	for _, i := range chosen {
		at := placed[i.Name]
		one := Initiative{
			Name: i.Name, Title: cmp.Or(tidy(i.Title), i.Name), Owner: b.owner(i.Owner), Stage: i.Stage,
			Start: i.Start, End: i.End, ExpectedEnd: at.End, SlipDays: at.SlipDays, Critical: at.Critical,
			Milestones: []Milestone{}, Contributions: []Contribution{}, Delivery: i.Delivery(b.result.AsOf),
			Budget: amount(i.Money.Budget), Spent: amount(i.Money.Spent), Completion: amount(i.Money.Completion),
		}
		if one.Budget+one.Spent+one.Completion != "" {
			one.Currency = tidy(i.Money.Currency)
		}
		for _, m := range at.Milestones {
			if !m.Reached.IsZero() {
				one.Reached++
			}
			one.Milestones = append(one.Milestones, Milestone{
				Name: m.Name, Title: cmp.Or(tidy(m.Title), m.Name), Planned: m.Planned, Expected: m.Expected, Reached: m.Reached,
				Overdue: m.Overdue && i.Stage != "completed" && i.Stage != "cancelled", Pushed: m.Pushed,
			})
		}
		for _, c := range i.Contributions {
			x := Contribution{
				Target: c.Target, Title: tidy(c.Target), Low: finite(c.Low), Likely: c.Likely, High: finite(c.High), RampEnd: c.RampEnd, Basis: tidy(c.Basis),
			}
			if t := targets[c.Target]; t != nil {
				x.Title, x.Text = t.Title, t.Metric.size(c.Likely)
				if c.Low != nil && c.High != nil {
					x.Text += fmt.Sprintf(" (%s to %s)", t.Metric.size(*c.Low), t.Metric.size(*c.High))
				}
			}
			one.Contributions = append(one.Contributions, x)
		}
		slices.SortFunc(one.Contributions, func(x, y Contribution) int { return cmp.Compare(x.Target, y.Target) })
		for _, g := range i.Programs {
			one.Programs = append(one.Programs, g.Name)
		}
		slices.Sort(one.Programs)
		out = append(out, one)
	}
	slices.SortStableFunc(out, func(x, y Initiative) int {
		return cmp.Or(cmp.Compare(slices.Index(stages, x.Stage), slices.Index(stages, y.Stage)), cmp.Compare(x.Title, y.Title))
	})
	return out
}

func amount(d *decimal.Decimal) string {
	if d == nil {
		return ""
	}
	// Cents keep their zeros.
	return d.StringFixed(max(0, min(-d.Exponent(), 6)))
}

// money shows spend beside the budget.
func (i *Initiative) money() string {
	if i.Currency == "" {
		return absent
	}
	text := "–"
	if i.Spent != "" {
		text = display.Money(i.Spent)
	}
	if i.Budget != "" {
		text += " of " + display.Money(i.Budget)
	}
	text += " " + i.Currency
	if i.Completion != "" {
		text += ", " + display.Money(i.Completion) + " expected at the end"
	}
	return text
}

// overdue names what should be done and is not.
func (i *Initiative) overdue() []string {
	var out []string
	for _, m := range i.Milestones {
		if m.Overdue {
			out = append(out, m.Title)
		}
	}
	return out
}

// progress is how many milestones are reached.
func (i *Initiative) progress() string {
	if len(i.Milestones) == 0 {
		return absent
	}
	text := fmt.Sprintf("%d of %d", i.Reached, len(i.Milestones))
	if n := len(i.overdue()); n > 0 {
		text += fmt.Sprintf(", %d overdue", n)
	}
	return text
}

// dates shows the plan.
func (i *Initiative) dates() string { return i.Start.String() + " to " + i.End.String() }

// expected is the end that is now expected, and how late that is.
func (i *Initiative) expected() string {
	switch {
	case i.Stage == "cancelled":
		return absent
	case i.Stage == "completed":
		return "done " + i.ExpectedEnd.String()
	case i.SlipDays > 0:
		return i.ExpectedEnd.String() + ", " + plural(i.SlipDays, "day") + " late"
	}
	return i.ExpectedEnd.String()
}
