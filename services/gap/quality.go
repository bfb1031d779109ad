package gap

import "setpoint.dev/services/internal/calendar"

// quality fills what a reader must know about the data, and the grid.
func (c *comparison) quality() {
	q, s := &c.r.Quality, c.s
	q.Observations = s.count()
	if s.hasLast {
		q.LastValueAt, q.NextDue = s.last.End, s.nextDue
	} else {
		q.LastValueAt = s.lastBefore(s.asOf.AddDays(1))
	}
	if !c.explain {
		return
	}
	s.each(calendar.Date{}, s.asOf, func(o *Observation) {
		if o.Corrections > 0 {
			q.Corrected++
		}
	})
	for i := range c.sp.Periods {
		if c.sp.Periods[i].Excluded != "" {
			q.Excluded++
		}
	}
	observed := s.all()
	q.Missing = s.missing(observed)
	c.grid(observed)
}

// missing counts the closed periods since the first observed one that have no
// value at all.
func (s *series) missing(observed []span) int {
	if len(observed) == 0 {
		return 0
	}
	n := 0
	for i, p := 0, observed[0].Period; !p.End.After(s.asOf); p = s.k.Span(p.End.AddDays(1), s.cadence) {
		if i < len(observed) && observed[i].Same(p) {
			i++
			continue
		}
		n++
	}
	return n
}
