package gap

import (
	"cmp"
	"fmt"
	"slices"
	"sort"

	"setpoint.dev/services/internal/calendar"
)

// series is what a metric was observed to be up to as_of: finite values by
// date, one a date. Periods are aggregated when they are asked for.
//
// A ratio has no observations of its own but those of the two series it
// divides (ratio.go); a running total adds up the periods since a target's
// start (total.go). What a period comes to is over's answer in every case.
type series struct {
	m              *Metric
	asOf           calendar.Date
	cadence, every calendar.Cadence
	k              calendar.Calendar
	obs            []Observation
	breaks         []Break
	ratio          *quotient
	total          *total
	last           span // the latest closed and complete period
	hasLast        bool
	nextDue        calendar.Date // when the value after last should be there
	problem        string        // why it can have no values
	recent         *recent
}

// recent remembers the period of the last value and what follows from its
// dates: it is mostly the same from one metric to the next.
type recent struct {
	k       calendar.Calendar
	lagDays int
	p       calendar.Period // named
	nextDue calendar.Date
}

// knows reports whether d lies in the period remembered.
func (m *recent) knows(s *series, d calendar.Date) bool {
	return m != nil && m.p.Contains(d) && m.k == s.k && m.p.Cadence == s.cadence
}

// span is the data of one period.
type span struct {
	calendar.Period
	value       float64
	n           int // observations
	parts, want int // sub-periods with a value, and how many there should be
	covered     int // days of the sub-periods with a value
	running     bool
	mixed       bool   // a method changed within
	note        string // why the value cannot be judged though there is one
}

// complete says that the period may be judged.
func (p *span) complete() bool {
	return p.n > 0 && !p.running && p.parts >= p.want && !p.mixed && p.note == "" && finite(p.value)
}

// load prepares the series of a metric that is observed; the metric's own
// slice is never written to.
func (s *series) load(m *Metric, asOf calendar.Date) {
	s.m, s.asOf, s.cadence, s.every, s.k = m, asOf, m.Cadence, m.ReportedEvery, m.Calendar
	s.breaks, s.ratio, s.total, s.hasLast, s.nextDue, s.problem = m.Breaks, nil, nil, false, calendar.Date{}, ""
	if s.every == "" || (s.every != s.cadence && (!s.every.Valid() || s.cadence.Finer(s.every))) {
		s.every = s.cadence
	}
	s.obs = m.Observations
	if !tidied(s.obs) {
		s.obs = tidy(s.obs)
	}
	// The series ends with as_of.
	if n := len(s.obs); n > 0 && s.obs[n-1].At.After(asOf) {
		s.obs = s.obs[:s.from(asOf.AddDays(1))]
	}
	s.conclude()
}

// conclude finds the latest period that may be judged.
func (s *series) conclude() {
	s.hasLast = s.cadence.Valid() && s.latestBefore(s.asOf.AddDays(1), &s.last)
	if !s.hasLast {
		return
	}
	m := s.recent
	if m.knows(s, s.last.End) && m.lagDays == s.m.ReportingLagDays {
		s.nextDue = m.nextDue
		return
	}
	s.nextDue = s.dueAfter(s.last.Period)
	if m != nil {
		s.last.Period = s.named(s.last.Period)
		*m = recent{k: s.k, lagDays: s.m.ReportingLagDays, p: s.last.Period, nextDue: s.nextDue}
	}
}

// tidied reports whether observations are by date, one a date, and finite.
func tidied(obs []Observation) bool {
	var before calendar.Date
	for i := range obs {
		o := &obs[i]
		if !before.Before(o.At) || o.Value-o.Value != 0 {
			return false
		}
		before = o.At
	}
	return true
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

// over is what a period comes to; of a longer one than the metric's cadence
// too.
func (s *series) over(p calendar.Period) (out span) {
	switch {
	case s.ratio != nil:
		s.divide(p, &out)
	case s.total != nil:
		s.totalAt(p, &out)
	default:
		first := s.from(p.Start)
		end := first
		for end < len(s.obs) && !s.obs[end].At.After(p.End) {
			end++
		}
		s.aggregate(p, s.obs[first:end], &out)
	}
	return out
}

// aggregate turns the observations of a period into one value.
func (s *series) aggregate(p calendar.Period, obs []Observation, out *span) {
	*out = span{Period: p, n: len(obs), want: 1, running: p.End.After(s.asOf)}
	every := s.every
	if p.Cadence != s.cadence && p.Cadence.Finer(every) {
		every = p.Cadence
	}
	if every != p.Cadence {
		out.want = s.k.CountUntil(p, every, p.End)
	}
	if out.n == 0 {
		return
	}
	if out.want == 1 {
		out.parts = 1
		out.covered = obs[out.n-1].At.Sub(p.Start) + 1
	} else {
		var sub calendar.Period
		for i := range obs {
			if i > 0 && !obs[i].At.After(sub.End) {
				continue
			}
			sub = s.k.Span(obs[i].At, every)
			if sub.End.After(p.End) {
				continue // a week that ends in the next period
			}
			out.parts++
			out.covered += calendar.Earlier(sub.End, s.asOf).Sub(sub.Start) + 1
		}
	}
	if s.m.Aggregation == Last || s.m.Aggregation == "" {
		out.value = obs[out.n-1].Value
		return
	}
	out.value = s.fold(obs)
	out.mixed = s.breaksWithin(obs[0].At, obs[out.n-1].At)
}

func (s *series) fold(obs []Observation) float64 {
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
			v = min(v, obs[i].Value)
		}
	case Max:
		for i := range obs {
			v = max(v, obs[i].Value)
		}
	}
	return v
}

// breaksWithin reports whether the method changed after a and not after b.
func (s *series) breaksWithin(a, b calendar.Date) bool {
	_, broken := s.breakBetween(a, b)
	return broken
}

// latestBefore finds the latest closed and complete period of the metric's
// cadence that ends before d.
func (s *series) latestBefore(d calendar.Date, out *span) bool {
	if s.ratio != nil || s.total != nil {
		for at := s.lastBefore(d); !at.IsZero(); {
			p := s.k.Span(at, s.cadence)
			if p.End.Before(d) {
				if *out = s.over(p); out.complete() {
					return true
				}
			}
			at = s.lastBefore(p.Start)
		}
		return false
	}
	for end := s.from(d); end > 0; {
		var p calendar.Period
		if at := s.obs[end-1].At; s.recent.knows(s, at) {
			p = s.recent.p
		} else {
			p = s.k.Span(at, s.cadence)
		}
		first := end - 1
		for first > 0 && !s.obs[first-1].At.Before(p.Start) {
			first--
		}
		if p.End.Before(d) {
			if s.aggregate(p, s.obs[first:end], out); out.complete() {
				return true
			}
		}
		end = first
	}
	return false
}

// lastBefore is the date of the last observation before d, of a ratio the
// earlier of its two; unset if there is none.
func (s *series) lastBefore(d calendar.Date) calendar.Date {
	if q := s.ratio; q != nil {
		a, b := q.num.lastBefore(d), q.den.lastBefore(d)
		if a.Before(b) {
			return a
		}
		return b
	}
	if i := s.from(d); i > 0 {
		return s.obs[i-1].At
	}
	return calendar.Date{}
}

// firstFrom is the date of the first observation at d or later, of a ratio the
// earlier of its two; unset if there is none.
func (s *series) firstFrom(d calendar.Date) calendar.Date {
	if q := s.ratio; q != nil {
		return calendar.Earlier(q.num.firstFrom(d), q.den.firstFrom(d))
	}
	if i := s.from(d); i < len(s.obs) {
		return s.obs[i].At
	}
	return calendar.Date{}
}

// each visits the observations that the values of a stretch of days rest on.
func (s *series) each(from, to calendar.Date, visit func(*Observation)) {
	if q := s.ratio; q != nil {
		q.num.each(from, to, visit)
		q.den.each(from, to, visit)
		return
	}
	if s.total != nil {
		from = s.total.begin
	}
	for i := s.from(from); i < len(s.obs) && !s.obs[i].At.After(to); i++ {
		visit(&s.obs[i])
	}
}

// count is the number of observations.
func (s *series) count() int {
	if q := s.ratio; q != nil {
		return q.num.count() + q.den.count()
	}
	return len(s.obs)
}

// at is the metric's value at a date, for a baseline: that of the period that
// ends on the date, else of the period before, else of the period the date
// lies in. why names the choice.
func (s *series) at(d calendar.Date) (p span, why string, ok bool) {
	if !s.cadence.Valid() {
		return span{}, "", false
	}
	in := s.k.Span(d, s.cadence)
	if in.End == d {
		p = s.over(in)
		return p, "the period that ends on it", p.complete()
	}
	if p = s.over(s.k.Span(in.Start.AddDays(-1), s.cadence)); p.complete() {
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
	var from calendar.Date
	if s.total != nil {
		from = s.total.begin
	}
	for d := s.firstFrom(from); !d.IsZero(); {
		p := s.k.Span(d, s.cadence)
		out = append(out, s.over(p))
		d = s.firstFrom(p.End.AddDays(1))
	}
	return out
}

// lag is how many days after the end of a period its value is due: declared,
// or half the next period, rounded up.
func (s *series) lag(p calendar.Period) int {
	if s.m.ReportingLagDays >= 0 {
		return s.m.ReportingLagDays
	}
	return (s.k.Span(p.End.AddDays(1), p.Cadence).Days() + 1) / 2
}

// dueBy is the day by which the value of a period should be there.
func (s *series) dueBy(p calendar.Period) calendar.Date { return p.End.AddDays(s.lag(p)) }

// dueAfter is the day by which the value after p should be there.
func (s *series) dueAfter(p calendar.Period) calendar.Date {
	return s.dueBy(s.k.Span(p.End.AddDays(1), p.Cadence))
}

// breakBetween is the last change of method after a and not after b.
func (s *series) breakBetween(a, b calendar.Date) (Break, bool) {
	var out Break
	for _, k := range s.breaks {
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
	return s.k.PeriodOf(p.Start, p.Cadence)
}

// reported says how much of a period has been reported.
func (s *series) reported(p *span) string {
	switch {
	case p.n == 0:
		return "nothing reported yet"
	case p.want > 1:
		return fmt.Sprintf("%d of %d values reported", p.parts, p.want)
	}
	return fmt.Sprintf("reported to %s", s.lastBefore(p.End.AddDays(1)))
}

// finite is false for NaN and the infinities, whose difference to themselves
// is NaN.
func finite(v float64) bool { return v-v == 0 }
