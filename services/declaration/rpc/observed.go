package rpc

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
)

// observed reads metrics' values for the rules that give advice, each metric
// once.
type observed struct {
	view record.View
	org  string
	zone *time.Location
	seen map[string][]resource.Point
	err  error // the first failure of the database
}

func newObserved(v record.View, org string) *observed {
	return &observed{view: v, org: org, zone: record.Location(v, org, v.Revision()), seen: map[string][]resource.Point{}}
}

// points are a metric's values by date; of several on one date the one
// recorded last counts.
func (o *observed) points(metricID string) []resource.Point {
	if p, known := o.seen[metricID]; known || o.err != nil {
		return p
	}
	list, err := o.view.Observations(o.org, metricID, o.view.Revision(), record.ObservationKey{}, 0)
	if err != nil {
		o.err = err
		return nil
	}
	byDate := make(map[calendar.Date]record.Observation, len(list))
	for _, v := range list {
		at, err := o.date(v.At)
		if err != nil {
			o.err = fmt.Errorf("observation of %s at %q: %w", metricID, v.At, err)
			return nil
		}
		if have, twice := byDate[at]; !twice || v.From >= have.From {
			byDate[at] = v
		}
	}
	out := make([]resource.Point, 0, len(byDate))
	for at, v := range byDate {
		out = append(out, resource.Point{At: at, Value: v.Value})
	}
	slices.SortFunc(out, func(a, b resource.Point) int { return a.At.Compare(b.At) })
	o.seen[metricID] = out
	return out
}

// date is the calendar date of an observation in the organization's time zone.
func (o *observed) date(s string) (calendar.Date, error) {
	if !strings.ContainsRune(s, 'T') {
		return calendar.ParseDate(s)
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	return calendar.FromTime(t.In(o.zone)), err
}
