package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
)

// Decision is what a review decided: those of the last time that each review did,
// and those of earlier times that are open.
type Decision struct {
	Review      string        `json:"review"`
	ReviewTitle string        `json:"reviewTitle"`
	Period      string        `json:"period"`
	ID          string        `json:"id"`
	Title       string        `json:"title"`
	Owner       string        `json:"owner"`
	Status      string        `json:"status"` // open, done, dropped
	Decided     calendar.Date `json:"decided,omitzero"`
	Due         calendar.Date `json:"due,omitzero"`
	Settled     calendar.Date `json:"settled,omitzero"`
	Overdue     bool          `json:"overdue,omitempty"`
	Targets     []string      `json:"targets,omitempty"`
	Initiatives []string      `json:"initiatives,omitempty"`
	About       []string      `json:"about,omitempty"` // titles
	DaysOverdue int           `json:"daysOverdue,omitempty"`
}

// decisions are those about what is in the report: of reviews that look at its
// strategy or at all of the organization, or that name one of its targets.
func (b *builder) decisions(p gap.Portfolio, targets map[string]*Target) []Decision {
	titles := map[string]string{}
	for _, i := range p.Initiatives {
		titles[i.Name] = cmp.Or(tidy(i.Title), i.Name)
	}
	var out []Decision
	for _, d := range gap.LastDecisions(p.Decisions) {
		named := slices.ContainsFunc(d.Targets, func(t string) bool { return targets[t] != nil })
		if b.opts.Strategy != "" && d.Strategy != b.opts.Strategy && !d.Whole && !named {
			continue
		}
		one := Decision{
			Review: d.Review, ReviewTitle: cmp.Or(tidy(d.ReviewTitle), d.Review), Period: d.Period, ID: d.ID, Title: tidy(d.Title), Owner: b.owner(d.Owner),
			Status: d.Status, Decided: d.Decided, Due: d.Due, Settled: d.Settled, Overdue: d.Overdue(b.result.AsOf), Targets: d.Targets, Initiatives: d.Initiatives,
		}
		if one.Overdue {
			one.DaysOverdue = b.result.AsOf.Sub(d.Due)
		}
		for _, name := range d.Targets {
			title := name
			if t := targets[name]; t != nil {
				title = t.Title
			}
			one.About = append(one.About, title)
		}
		for _, name := range d.Initiatives {
			one.About = append(one.About, cmp.Or(titles[name], name))
		}
		out = append(out, one)
	}
	return out
}

// Stands says by when it is owed, or what became of it.
func (d *Decision) Stands() string {
	switch {
	case d.Overdue:
		return fmt.Sprintf("%s, %s overdue", d.Due, plural(d.DaysOverdue, "day"))
	case d.Status == "open":
		return d.Due.String()
	}
	return d.Status + " on " + d.Settled.String()
}

// Of names the review and the period.
func (d *Decision) Of() string { return isolated(d.ReviewTitle) + ", " + d.Period }

// AboutWords names what it is about.
func (d *Decision) AboutWords() string { return strings.Join(allIsolated(d.About), ", ") }
