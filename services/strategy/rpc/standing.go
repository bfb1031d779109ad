package rpc

import (
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/strategy"
)

const (
	// few values are looked up one by one, many by reading the days between the
	// first and the last of them: a database that is not in this process takes
	// as long for one row as for a hundred.
	few = 50
	// pageOfMany is how many rows are read at a time.
	pageOfMany = 10_000
)

// standing tells what stands on record where the values of one metric are to go.
type standing struct {
	v           record.View
	org, metric string
	days        map[string][]record.Observation // by date; nil: look up one by one
}

// standingOf prepares for the values. Where far more stands between the first
// and the last of them than there are values, each is looked up.
func standingOf(v record.View, org, metric string, values []strategy.Observation) (standing, error) {
	s := standing{v: v, org: org, metric: metric}
	if len(values) <= few {
		return s, nil
	}
	first, last := values[0].At, values[0].At
	for _, o := range values {
		first, last = min(first, o.At), max(last, o.At)
	}
	days := map[string][]record.Observation{}
	// What begins with all but the last letter of a date comes before it.
	after := record.ObservationKey{At: first[:len(first)-1]}
	for read := 0; read <= 10*len(values)+pageOfMany; read += pageOfMany {
		page, err := v.Observations(org, metric, v.Revision(), after, pageOfMany)
		if err != nil {
			return s, err
		}
		for _, o := range page {
			days[o.At] = append(days[o.At], o)
		}
		if len(page) < pageOfMany || page[len(page)-1].At > last {
			s.days = days
			return s, nil
		}
		after = page[len(page)-1].ObservationKey
	}
	return s, nil
}

// find is View.Observation.
func (s standing) find(key record.ObservationKey) (have *record.Observation, beside []string, err error) {
	if s.days == nil {
		return s.v.Observation(s.org, s.metric, key)
	}
	// As a view has it: the neighbours by name among the sources of the day.
	var below, above *record.Observation
	for i := range s.days[key.At] {
		o := &s.days[key.At][i]
		switch {
		case o.Source == key.Source:
			have = o
		case o.Source < key.Source && (below == nil || o.Source > below.Source):
			below = o
		case o.Source > key.Source && (above == nil || o.Source < above.Source):
			above = o
		}
	}
	for _, o := range []*record.Observation{below, above} {
		if o != nil {
			beside = append(beside, o.Source)
		}
	}
	return have, beside, nil
}
