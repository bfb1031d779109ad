package gap

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"setpoint.dev/services/internal/calendar"
)

// series is a metric's observations up to as_of: finite, by date, one a date.
// Periods are aggregated when they are asked for.
type series struct {
	m              *Metric
	asOf           calendar.Date
	cadence, every calendar.Cadence
	fy             int
	obs            []Observation
	last           span // the latest closed and complete period
	hasLast        bool
}

// span is the data of one period.
type span struct {
	calendar.Period
	value       float64
	first, n    int // its observations are obs[first : first+n]
	parts, want int // sub-periods with a value, and how many there should be
	covered     int // days of the sub-periods with a value
	mixed       bool
	running     bool // it ends after as_of
}

// complete says that the period may be judged.
func (p *span) complete() bool {
	return p.n > 0 && !p.running && p.parts >= p.want && !p.mixed && finite(p.value)
}

// load prepares the series; the metric's own slice is never written to.
func (s *series) load(m *Metric, asOf calendar.Date) {
	*s = series{m: m, asOf: asOf, cadence: m.Cadence, every: m.ReportedEvery, fy: m.FiscalYearStart, obs: m.Observations}
	if !s.every.Valid() || s.cadence.Finer(s.every) {
		s.every = s.cadence
	}
	clean := true
	for i := range s.obs {
		o := &s.obs[i]
		if !finite(o.Value) || o.At.IsZero() || (i > 0 && !s.obs[i-1].At.Before(o.At)) {
			clean = false
			break
		}
	}
	if !clean {
		s.obs = tidy(s.obs)
	}
	// The series ends with as_of.
	if n := len(s.obs); n > 0 && s.obs[n-1].At.After(asOf) {
		s.obs = s.obs[:s.from(asOf.AddDays(1))]
	}
	if s.cadence.Valid() {
		s.last, s.hasLast = s.latestBefore(asOf.AddDays(1))
	}
}

// tidy sorts a copy by date, drops what is not finite and keeps of each date
// the highest revision; the rest of the order only makes ties certain.
func tidy(obs []Observation) []Observation {
	out := slices.DeleteFunc(slices.Clone(obs), func(o Observation) bool { return !finite(o.Value) || o.At.IsZero() })
	slices.SortFunc(out, func(a, b Observation) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(b.Revision, a.Revision), cmp.Compare(a.Source, b.Source),
			cmp.Compare(a.Value, b.Value), cmp.Compare(a.Corrections, b.Corrections), cmp.Compare(a.Note, b.Note))
	})
	return slices.CompactFunc(out, func(a, b Observation) bool { return a.At == b.At })
}

// from is the index of the first observation at d or later.
func (s *series) from(d calendar.Date) int {
	n := len(s.obs)
	if n == 0 || s.obs[n-1].At.Before(d) {
		return n
	}
	return sort.Search(n, func(i int) bool { return !s.obs[i].At.Before(d) })
}

// over aggregates the observations of a period; of a longer one than the
// metric's cadence too.
func (s *series) over(p calendar.Period) span {
	out := span{Period: p, first: s.from(p.Start), running: p.End.After(s.asOf)}
	for i := out.first; i < len(s.obs) && !s.obs[i].At.After(p.End); i++ {
		out.n++
	}
	s.fill(&out)
	return out
}

// fill computes what follows from out's period and observations.
func (s *series) fill(out *span) {
	every := s.every
	if p := out.Cadence; p.Finer(every) {
		every = p
	}
	if every == out.Cadence {
		out.want = 1
	} else {
		out.want = out.CountUntil(every, out.End, s.fy)
	}
	if out.n == 0 {
		return
	}
	obs := s.obs[out.first : out.first+out.n]
	if out.want == 1 {
		out.parts = 1
		out.covered = obs[out.n-1].At.Sub(out.Start) + 1
	} else {
		var sub calendar.Period
		for i := range obs {
			if i > 0 && !obs[i].At.After(sub.End) {
				continue
			}
			sub = calendar.Span(obs[i].At, every, s.fy)
			if sub.End.After(out.End) {
				continue // a week that ends in the next period
			}
			out.parts++
			out.covered += calendar.Earlier(sub.End, s.asOf).Sub(sub.Start) + 1
		}
	}
	out.value = s.aggregate(obs)
	if s.m.Aggregation != Last && s.m.Aggregation != "" {
		for _, b := range s.m.Breaks {
			if b.Date.After(obs[0].At) && !b.Date.After(obs[out.n-1].At) {
				out.mixed = true
			}
		}
	}
}

func (s *series) aggregate(obs []Observation) float64 {
	v := obs[len(obs)-1].Value
	switch s.m.Aggregation {
	case Sum, Mean:
		v = 0
		for i := range obs {
			v += obs[i].Value
		}
		if s.m.Aggregation == Mean {
			v /= float64(len(obs))
		}
	case Min:
		for i := range obs {
			v = math.Min(v, obs[i].Value)
		}
	case Max:
		for i := range obs {
			v = math.Max(v, obs[i].Value)
		}
	}
	return v
}

// latestBefore is the latest closed and complete period of the metric's
// cadence that ends before d.
func (s *series) latestBefore(d calendar.Date) (span, bool) {
	for i := s.from(d) - 1; i >= 0; {
		p := calendar.Span(s.obs[i].At, s.cadence, s.fy)
		if p.End.Before(d) {
			if sp := s.over(p); sp.complete() {
				return sp, true
			}
		}
		i = s.from(p.Start) - 1
	}
	return span{}, false
}

// at is the metric's value at a date, for a baseline: that of the period that
// ends on the date, else of the period before, else of the period the date
// lies in. why names the choice.
func (s *series) at(d calendar.Date) (p span, why string, ok bool) {
	if !s.cadence.Valid() {
		return span{}, "", false
	}
	in := calendar.Span(d, s.cadence, s.fy)
	if in.End == d {
		p = s.over(in)
		return p, "the period that ends on it", p.complete()
	}
	if p = s.over(calendar.Span(in.Start.AddDays(-1), s.cadence, s.fy)); p.complete() {
		return p, "the period before it", true
	}
	p = s.over(in)
	return p, "the period it lies in", p.complete()
}

// all lists the observed periods of the metric's cadence, in order.
func (s *series) all() []span {
	if !s.cadence.Valid() {
		return nil
	}
	var out []span
	if s.every == s.cadence {
		out = make([]span, 0, len(s.obs))
	}
	for i := 0; i < len(s.obs); {
		p := s.over(calendar.Span(s.obs[i].At, s.cadence, s.fy))
		out = append(out, p)
		i = p.first + p.n
	}
	return out
}

// lag is how many days after the end of a period its value is due: declared,
// or half the next period, rounded up.
func (s *series) lag(p calendar.Period) int {
	if s.m.ReportingLagDays >= 0 {
		return s.m.ReportingLagDays
	}
	return (calendar.Span(p.End.AddDays(1), p.Cadence, s.fy).Days() + 1) / 2
}

// dueBy is the day by which the value of a period should be there.
func (s *series) dueBy(p calendar.Period) calendar.Date { return p.End.AddDays(s.lag(p)) }

// nextDue is the day by which the value after p should be there.
func (s *series) nextDue(p calendar.Period) calendar.Date {
	return s.dueBy(calendar.Span(p.End.AddDays(1), p.Cadence, s.fy))
}

// breakBetween is the last change of method after a and not after b.
func (s *series) breakBetween(a, b calendar.Date) (Break, bool) {
	var out Break
	for _, k := range s.m.Breaks {
		if k.Date.After(a) && !k.Date.After(b) && k.Date.After(out.Date) {
			out = k
		}
	}
	return out, !out.Date.IsZero()
}

// named gives a span's period its name.
func (s *series) named(p calendar.Period) calendar.Period {
	if p.Name != "" {
		return p
	}
	return calendar.PeriodOf(p.Start, p.Cadence, s.fy)
}

// finite is false for NaN and the infinities, whose difference to themselves
// is NaN.
func finite(v float64) bool { return v-v == 0 }
