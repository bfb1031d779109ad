package gap

import (
	"cmp"
	"slices"
	"strings"

	"setpoint.dev/services/internal/calendar"
)

// Decision is what a review decided. Nothing is computed of it.
type Decision struct {
	Review, ReviewTitle, Period string
	// Strategy is the one that the review looks at; Whole says that it looks at all
	// of the organization.
	Strategy string
	Whole    bool

	ID, Title, Owner      string
	Status                string // open, done, dropped
	Decided, Due, Settled calendar.Date
	Targets, Initiatives  []string
}

// Overdue tells whether it should have been done by the end of a day.
func (d Decision) Overdue(asOf calendar.Date) bool { return d.Status == "open" && d.Due.Before(asOf) }

// LastDecisions are those of the last time that each review decided something, and
// those of earlier times that are still open; open ones first, by the day they are
// due. It changes nothing.
func LastDecisions(list []Decision) []Decision {
	last := map[string]Decision{}
	for _, d := range list {
		if l, known := last[d.Review]; !known || cmp.Or(d.Decided.Compare(l.Decided), strings.Compare(d.Period, l.Period)) > 0 {
			last[d.Review] = d
		}
	}
	var out []Decision
	for _, d := range list {
		if d.Status == "open" || d.Period == last[d.Review].Period {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b Decision) int {
		open := func(d Decision) int {
			if d.Status == "open" {
				return 0
			}
			return 1
		}
		return cmp.Or(open(a)-open(b), a.Due.Compare(b.Due), strings.Compare(a.Review, b.Review), strings.Compare(a.Period, b.Period),
			len(a.ID)-len(b.ID), strings.Compare(a.ID, b.ID))
	})
	return out
}
