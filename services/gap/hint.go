package gap

import (
	"fmt"
	"slices"

	"setpoint.dev/services/internal/calendar"
)

// hint suggests a better as_of where every target with data is stale: the
// latest day of a last value on which the most of that data was fresh.
func (e *evaluator) hint(r *Result) {
	type stretch struct{ from, to calendar.Date }
	var fresh []stretch
	for i := range r.Targets {
		t := &r.Targets[i]
		if e.opts.Strategy != "" && t.Strategy != e.opts.Strategy {
			continue
		}
		switch {
		case t.Stale && !t.Quality.LastValueAt.IsZero():
			fresh = append(fresh, stretch{t.Quality.LastValueAt, t.Quality.NextDue})
		case t.Status == Achieved || t.Status == Missed || !t.Known():
			// for good, or nothing to go by
		default:
			return
		}
	}
	var best calendar.Date
	most := 0
	days := make([]calendar.Date, 0, len(fresh))
	for _, f := range fresh {
		days = append(days, f.from)
	}
	slices.SortFunc(days, calendar.Date.Compare)
	for _, d := range slices.Compact(days) {
		n := 0
		for _, f := range fresh {
			if !f.from.After(d) && !d.After(f.to) {
				n++
			}
		}
		if n >= most {
			best, most = d, n
		}
	}
	if most == 0 {
		return
	}
	r.SuggestedAsOf = best
	r.Hints = append(r.Hints, fmt.Sprintf(
		"All data is stale on %s. The latest day on which most of it was fresh (%d of %d targets) is %s; evaluate as of that day.",
		r.AsOf, most, len(fresh), best))
}
