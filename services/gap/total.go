package gap

import (
	"fmt"
	"slices"
	"sort"

	"setpoint.dev/services/internal/calendar"
)

// total makes a series a running total since a target's start: each period's
// value is what was there at the start and the sum of the periods since.
type total struct {
	begin calendar.Date // the first day that counts
	sums  []span        // by period of the cadence, up to the one of as_of
}

// since is the running total from the period that contains start on; from is
// what was there before. Without a start it counts from the first observation.
func (s *series) since(start calendar.Date, from float64) *series {
	out := *s
	if start.IsZero() {
		start = s.firstFrom(start)
	}
	out.total = &total{begin: start}
	if !start.IsZero() {
		p := s.k.Span(start, s.cadence)
		out.total.begin = p.Start
		out.total.sums = s.accumulate(p, from)
	}
	out.conclude()
	return &out
}

// accumulate adds up the periods from p to that of as_of. After a period that
// is missing, or a change of method, the total is not known any more.
func (s *series) accumulate(p calendar.Period, sum float64) []span {
	var out []span
	begin, note := p.Start, ""
	for ; !p.Start.After(s.asOf); p = s.k.Span(p.End.AddDays(1), s.cadence) {
		one := s.over(p)
		if note == "" {
			if k, broken := s.breakBetween(begin, calendar.Earlier(p.End, s.asOf)); broken {
				note = fmt.Sprintf("the method changed on %s, within the total", k.Date)
			}
		}
		whole := one.complete()
		if one.n > 0 {
			sum += one.value
		}
		one.value, one.note = sum, note
		out = append(out, one)
		if !whole && note == "" {
			note = fmt.Sprintf("%s is missing from the total", s.named(p).Name)
		}
	}
	return out
}

// totalAt is the total at the end of a period; at the end of one that is
// longer than the cadence, that of the last period within it.
func (s *series) totalAt(p calendar.Period, out *span) {
	sums := s.total.sums
	i := sort.Search(len(sums), func(i int) bool { return sums[i].End.After(p.End) })
	if p.End.After(s.asOf) && i < len(sums) && p.Contains(sums[i].Start) {
		i++ // the running one, which ends with or after p
	}
	if i == 0 || sums[i-1].End.Before(p.Start) {
		*out = span{Period: p, want: 1, running: p.End.After(s.asOf)}
		return
	}
	*out = sums[i-1]
	out.Period = p
	out.running = p.End.After(s.asOf)
}

// start is the day from which a target's running total counts, and what was
// there before: the day after the path begins, the first declared period's
// first day, the range's, or the day the target was first declared for.
func (c *comparison) start() (calendar.Date, float64) {
	sp := c.sp
	var declared calendar.Date
	for i := range c.t.Versions {
		declared = calendar.Earlier(declared, c.t.Versions[i].Effective)
	}
	switch sp.form() {
	case PathForm:
		if s := sp.Trajectory.Start; s != nil {
			return s.Date.AddDays(1), s.Value
		}
		if b := sp.Baseline; b != nil {
			if b.Value != nil {
				return b.Date.AddDays(1), *b.Value
			}
			return b.Date.AddDays(1), 0
		}
	case PeriodsForm:
		ends := make([]calendar.Date, 0, len(sp.Periods))
		for i := range sp.Periods {
			if p, err := c.s.k.Parse(sp.Periods[i].Period); err == nil {
				ends = append(ends, p.Start)
			}
		}
		if len(ends) > 0 {
			return slices.MinFunc(ends, calendar.Date.Compare), 0
		}
	case MaintainForm:
		if from := sp.Maintain.From; !from.IsZero() {
			return from, 0
		}
	}
	return declared, 0
}
