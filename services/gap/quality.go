package gap

import "setpoint.dev/services/internal/calendar"

// quality fills what a reader must know about the data, and the grid.
func (c *comparison) quality() {
	q, s := &c.r.Quality, c.s
	q.Observations = len(s.obs)
	if s.hasLast {
		q.LastValueAt, q.NextDue = s.last.End, s.nextDue(s.last.Period)
	} else if n := len(s.obs); n > 0 {
		q.LastValueAt = s.obs[n-1].At
	}
	if !c.explain {
		return
	}
	for i := range s.obs {
		if s.obs[i].Corrections > 0 {
			q.Corrected++
		}
	}
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
	for i, p := 0, observed[0].Period; !p.End.After(s.asOf); p = calendar.Span(p.End.AddDays(1), s.cadence, s.fy) {
		if i < len(observed) && observed[i].Same(p) {
			i++
			continue
		}
		n++
	}
	return n
}
