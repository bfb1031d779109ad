package convert

import (
	"fmt"

	"setpoint.dev/services/internal/calendar"
)

// actual takes a measured value in.
func (t *table) actual(m *measure, said *row, col *column, n number, text string) {
	if n.bound != "" {
		t.trouble(said.number, *col, text, "a bound is not a measured value")
		return
	}
	p := t.periodOf(said, col)
	if p == nil {
		t.trouble(said.number, *col, text, col.undated("value"))
		return
	}
	day, point := p.End, false
	switch col.At {
	case "start":
		day, point = p.Start, true
	case "middle":
		day, point = p.Start.AddDays(p.Days()/2), true
	}
	t.observe(m, said, col, n, day, p.Cadence, point, text)
}

func (t *table) periodOf(said *row, col *column) *calendar.Period {
	if col.period != nil {
		return col.period
	}
	if col.part != "" {
		return t.partOf(said.period, col.part)
	}
	return said.period
}

// undated is why a value or a target of the column has no period.
func (c *column) undated(what string) string {
	if c.part != "" {
		return noYear
	}
	return "nothing says which period the " + what + " is for"
}

func (t *table) observe(m *measure, said *row, col *column, n number, day calendar.Date, cadence calendar.Cadence, point bool, text string) {
	t.conv.counts.Actual++
	o := observed{value: n.value, edition: said.edition, origin: originOf(t, col, said, n), day: day, cadence: cadence, point: point}
	key := moment{day, cadence}
	i, twice := m.at[key]
	if !twice {
		m.at[key] = int32(len(m.observed))
		m.observed = append(m.observed, o)
		return
	}
	before := &m.observed[i]
	switch {
	case o.edition > before.edition:
		// Also where it says the same: what stands between the two in time, and
		// after them in the file, does not count against it.
		*before = o
	case o.edition < before.edition:
		// The later edition's word counts, and is there already.
	case before.value == o.value && before.origin.percent == o.origin.percent:
	default:
		before.disputed = true
		t.trouble(said.number, *col, text, fmt.Sprintf("the same measure and period is %s in row %d: neither is taken", display(before.value), before.origin.row))
	}
}
