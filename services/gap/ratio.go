package gap

import (
	"fmt"
	"slices"

	"setpoint.dev/services/internal/calendar"
)

// quotient is what a ratio divides. Both are added up over the sub-periods
// that both have a value for, so that a running year compares like with like.
type quotient struct{ num, den *series }

// loadRatio prepares the series of a ratio. find gives the series of an
// observed metric, nil if there is none of that name.
func (s *series) loadRatio(m *Metric, asOf calendar.Date, find func(string) *series) {
	own := *m
	own.Observations = nil // a ratio is computed, whatever was once recorded
	s.load(&own, asOf)
	s.m, s.every = m, s.cadence
	if m.Ratio == nil {
		s.problem = fmt.Sprintf("the ratio %q says not what it divides", m.Name)
		return
	}
	q := quotient{find(m.Ratio.Numerator), find(m.Ratio.Denominator)}
	for i, part := range []*series{q.num, q.den} {
		name := [...]string{m.Ratio.Numerator, m.Ratio.Denominator}[i]
		switch {
		case part == nil:
			s.problem = fmt.Sprintf("the metric %q, which %q is a ratio of, is not declared", name, m.Name)
		case part.m.Aggregation == RatioOf:
			s.problem = fmt.Sprintf("the metric %q, which %q is a ratio of, is a ratio itself", name, m.Name)
		case !part.cadence.Valid():
			s.problem = fmt.Sprintf("the metric %q, which %q is a ratio of, has no cadence", name, m.Name)
		default:
			continue
		}
		return
	}
	s.ratio = &q
	s.breaks = slices.Concat(m.Breaks, q.num.breaks, q.den.breaks)
	s.conclude()
}

// divide is ΣN/ΣD over a period.
func (s *series) divide(p calendar.Period, out *span) {
	*out = span{Period: p, running: p.End.After(s.asOf)}
	// Of the sub-periods that both are told in, the coarser.
	by := s.ratio.num.cadence
	if by.Finer(s.ratio.den.cadence) {
		by = s.ratio.den.cadence
	}
	if p.Cadence.Finer(by) {
		by = p.Cadence
	}
	var n, d float64
	matched := 0
	var first, last calendar.Date
	for sub := s.k.Span(p.Start, by); !sub.End.After(p.End); sub = s.k.Span(sub.End.AddDays(1), by) {
		out.want++
		if sub.Start.After(s.asOf) {
			continue
		}
		a, b := s.ratio.num.sumOver(sub), s.ratio.den.sumOver(sub)
		out.n += a.n + b.n
		if a.n == 0 || b.n == 0 {
			continue
		}
		matched++
		n, d = n+a.value, d+b.value
		out.covered += min(a.covered, b.covered)
		out.mixed = out.mixed || a.mixed || b.mixed
		if a.parts >= a.want && b.parts >= b.want {
			out.parts++
		}
		if first.IsZero() {
			first = s.firstFrom(sub.Start)
		}
		after := sub.End.AddDays(1)
		last = calendar.Later(s.ratio.num.lastBefore(after), s.ratio.den.lastBefore(after))
	}
	out.value = n / d
	switch {
	case out.n == 0:
		out.value = 0
	case matched == 0:
		out.note = "numerator or denominator is missing"
	case d == 0:
		out.note = "the denominator is zero"
	}
	out.mixed = out.mixed || s.breaksWithin(first, last)
}

// sumOver adds up what the metric comes to in the periods of its own cadence
// within p.
func (s *series) sumOver(p calendar.Period) span {
	if s.m.Aggregation == Sum || !s.cadence.Finer(p.Cadence) {
		return s.over(p)
	}
	out := span{Period: p, running: p.End.After(s.asOf)}
	for sub := s.k.Span(p.Start, s.cadence); !sub.End.After(p.End); sub = s.k.Span(sub.End.AddDays(1), s.cadence) {
		one := s.over(sub)
		out.want += one.want
		out.parts += one.parts
		out.covered += one.covered
		out.n += one.n
		out.mixed = out.mixed || one.mixed
		if one.n > 0 {
			out.value += one.value
		}
	}
	return out
}
