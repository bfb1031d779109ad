package strategy

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
)

// Identity is what makes two observations of one metric the same one.
type Identity struct {
	At     string // canonical: YYYY-MM-DD, or RFC 3339 in UTC
	Source string
}

// Observed is the value on record for an identity.
type Observed struct {
	Value float64
	Note  string
}

// Observation is one value to record. Index is its place in the request, so
// that faults name it.
type Observation struct {
	Identity
	Observed
	Index int
}

// ObservedAt makes the canonical form of when a value was true: a date stays,
// an instant becomes UTC, a period of the metric's calendar its last day.
func ObservedAt(s string, k calendar.Calendar) (string, error) {
	if strings.ContainsRune(s, 'T') {
		t, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			return "", fault.New(fault.Invalid, "strategy.observed_at", "%q is not an instant", s).
				WithHint("RFC 3339, for example 2018-09-30T17:00:00Z")
		}
		t = t.UTC()
		if y := t.Year(); y < 1900 || y > 2200 {
			return "", fault.New(fault.Invalid, "strategy.observed_at", "%q lies outside the years 1900 to 2200", s)
		}
		return t.Format(time.RFC3339Nano), nil
	}
	if d, err := calendar.ParseDate(s); err == nil {
		return d.String(), nil
	} else if len(s) == len("2006-01-02") && strings.Count(s, "-") == 2 {
		return "", err
	}
	p, err := k.Parse(s)
	if err != nil {
		hint := "for example 2018-09-30, 2018-09-30T17:00:00Z, FY2018, 2018-Q3 or 2018-07"
		if _, other := k.Parse("FY2018-P07"); other == nil {
			hint = "its calendar is 4-4-5: for example 2018-09-30, 2018-09-30T17:00:00Z, FY2018, FY2018-Q3, FY2018-P07 or FY2018-W07"
		}
		return "", fault.New(fault.Invalid, "strategy.observed_at", "%.64q is not a date, an instant or a period", s).WithHint("%s", hint)
	}
	return p.End.String(), nil
}

// Observe decides what one metric's new values change: those not on record,
// and those that supersede another value. on holds what is on record for the
// identities named. The same value again changes nothing; another value is a
// fault unless correct is set. Faults name observations[Index].
func Observe(on map[Identity]Observed, values []Observation, correct bool) (recorded, corrected []Observation, faults []fault.Place) {
	first := map[Identity]Observation{}
	for _, v := range values {
		if earlier, twice := first[v.Identity]; twice {
			if earlier.Value != v.Value {
				faults = append(faults, place(v.Index, "value", "strategy.observation_twice",
					fmt.Sprintf("%s is given twice, as %s and as %s", describe(v.Identity), number(earlier.Value), number(v.Value)),
					"give each date and source once, or tell them apart by source"))
			}
			continue
		}
		first[v.Identity] = v
		have, exists := on[v.Identity]
		switch {
		case !exists:
			recorded = append(recorded, v)
		case have.Value == v.Value && (!correct || have.Note == v.Note || v.Note == ""):
			// Already so.
		case correct:
			corrected = append(corrected, v)
		default:
			faults = append(faults, place(v.Index, "value", "strategy.observation_differs",
				fmt.Sprintf("%s is on record as %s, not %s", describe(v.Identity), number(have.Value), number(v.Value)),
				"correct it with --correct (correct: true), or give another source"))
		}
	}
	return recorded, corrected, faults
}

// Within reports values outside the metric's bounds.
func Within(b *strategyv1.Bounds, values []Observation) []fault.Place {
	var faults []fault.Place
	for _, v := range values {
		if b == nil {
			break
		}
		if (b.Lower != nil && v.Value < b.GetLower()) || (b.Upper != nil && v.Value > b.GetUpper()) {
			faults = append(faults, place(v.Index, "value", "strategy.observation_out_of_bounds",
				fmt.Sprintf("%s lies outside the metric's bounds", number(v.Value)), "legal is "+bounds(b)))
		}
	}
	return faults
}

// Values is the event form of observations, in order of identity.
func Values(in []Observation) []*strategyv1.ObservedValue {
	out := make([]*strategyv1.ObservedValue, 0, len(in))
	for _, v := range in {
		out = append(out, &strategyv1.ObservedValue{ObservedAt: v.At, Value: v.Value, Source: v.Source, Note: v.Note})
	}
	sort.SliceStable(out, func(i, j int) bool {
		if out[i].GetObservedAt() != out[j].GetObservedAt() {
			return out[i].GetObservedAt() < out[j].GetObservedAt()
		}
		return out[i].GetSource() < out[j].GetSource()
	})
	return out
}

func place(index int, field, reason, message, hint string) fault.Place {
	return fault.Place{Field: fmt.Sprintf("observations[%d].%s", index, field), Reason: reason, Message: message, Hint: hint}
}

func describe(id Identity) string {
	if id.Source == "" {
		return "the value at " + id.At
	}
	return fmt.Sprintf("the value at %s from %q", id.At, id.Source)
}

func bounds(b *strategyv1.Bounds) string {
	lower, upper := math.Inf(-1), math.Inf(1)
	if b.Lower != nil {
		lower = b.GetLower()
	}
	if b.Upper != nil {
		upper = b.GetUpper()
	}
	return fmt.Sprintf("%s to %s", number(lower), number(upper))
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
