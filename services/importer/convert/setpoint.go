package convert

import (
	"cmp"
	"fmt"
	"strings"

	"setpoint.dev/services/importer/mapping"
	"setpoint.dev/services/internal/calendar"
)

// setpoint takes a target in. byDefault: no cell says it.
func (t *table) setpoint(m *measure, said *row, col *column, n number, role mapping.Role, byDefault bool) {
	text := cmp.Or(n.text, display(n.value))
	o := originOf(t, col, said, n)
	if n.bound != "" && role == mapping.Target {
		d := "increase"
		if strings.HasPrefix(n.bound, "<") {
			d = "decrease"
		}
		switch {
		case m.direction == "":
			m.direction = d
		case m.direction != d:
			t.trouble(said.number, *col, n.bound+" "+text, fmt.Sprintf("the direction of the measure is %s elsewhere", m.direction))
			return
		}
	}
	if role == mapping.Target && t.isPath(said, col) {
		t.path(m, said, col, n, text, o, byDefault)
		return
	}
	p := t.periodOf(said, col)
	if when := said.text[mapping.TargetAt]; p == nil && when != "" && col.part == "" {
		// Bounds are of the period in which the row's target is due.
		due, why := t.conv.period(when, t.locale)
		if why != "" {
			t.trouble(said.number, *said.at[mapping.TargetAt], when, why)
			return
		}
		p = &due
	}
	if p == nil {
		t.trouble(said.number, *col, text, col.undated("target"))
		return
	}
	t.conv.counts.Targets++
	if n.yes && !p.End.Before(m.wantedAt) {
		m.wanted, m.wantedAt = n.value, p.End
	}
	if m.targets[said.edition] == nil {
		m.targets[said.edition] = map[string]*setpoint{}
	}
	s := m.targets[said.edition][p.Name]
	if s == nil {
		s = &setpoint{period: *p, origin: o}
		m.targets[said.edition][p.Name] = s
	}
	field := &s.value
	switch role {
	case mapping.Min:
		field = &s.lower
	case mapping.Max:
		field = &s.high
	}
	switch {
	case *field == nil:
		v := n.value
		*field = &v
		s.origin.percent = s.origin.percent || n.percent
	case byDefault:
	case **field != n.value:
		s.disputed = true
		t.trouble(said.number, *col, text, fmt.Sprintf("the same target is %s in row %d: neither is taken", display(**field), s.origin.row))
	}
}

// isPath reports whether a target is a path: it is due when another column of the
// row says, but for those of a column with a period of its own.
func (t *table) isPath(said *row, col *column) bool {
	return t.defaults.Form == "path" || said.text[mapping.TargetAt] != "" && col.period == nil && col.part == ""
}

// bands: a target with bounds is a band; its value, if it has one, cannot count
// beside them.
func (t *table) bands(m *measure, said *row) {
	if b := m.base; b != nil && b.row == said.number {
		m.base = nil
		if b.at == nil {
			t.trouble(said.number, *b.origin.col, cmp.Or(b.origin.text, display(b.value)), "nothing says when the baseline was true, and the row has no target that is due")
			return
		}
		// One of a day is no value of the targets' periods, and counts in the one it is in.
		point := b.at.Cadence == calendar.Daily
		t.observe(m, said, b.origin.col, number{value: b.value, percent: b.origin.percent, yes: b.origin.yes}, b.at.End, b.at.Cadence, point, display(b.value))
	}
}

func (t *table) baseline(m *measure, said *row, col *column, n number, text string) {
	b := &base{row: said.number, value: n.value, origin: originOf(t, col, said, n), at: col.period}
	if when := said.text[mapping.BaselineAt]; when != "" && b.at == nil {
		p, why := t.period(when)
		if why != "" {
			t.trouble(said.number, *said.at[mapping.BaselineAt], when, why)
			return
		}
		b.at = &p
	}
	// The row's target may have come before it.
	for _, p := range m.paths[said.edition] {
		if int(p.origin.row) == said.number && p.origin.t == t {
			p.start, p.baseline = &b.value, b.origin
			if b.at != nil {
				p.from = b.at.End
			}
			if p.from.IsZero() {
				break
			}
			return
		}
	}
	m.base = b
}

func (t *table) path(m *measure, said *row, col *column, n number, text string, o origin, byDefault bool) {
	p := path{origin: o}
	if when := said.text[mapping.TargetAt]; when != "" {
		due, why := t.period(when)
		if why != "" {
			t.trouble(said.number, *said.at[mapping.TargetAt], when, why)
			return
		}
		p.due = due.End
	} else if period := t.periodOf(said, col); period != nil {
		p.due, p.from = period.End, period.Start.AddDays(-1)
		if t.defaults.Baseline != nil {
			v := *t.defaults.Baseline
			p.start = &v
		}
	} else {
		t.trouble(said.number, *col, text, "nothing says when the target is due")
		return
	}
	if when := said.text[mapping.BaselineAt]; when != "" {
		from, why := t.period(when)
		if why != "" {
			t.trouble(said.number, *said.at[mapping.BaselineAt], when, why)
			return
		}
		p.from = from.End
	}
	if b := m.base; b != nil && b.row == said.number {
		p.start, p.baseline, m.base = &b.value, b.origin, nil
		if b.at != nil {
			p.from = b.at.End
		}
	}
	if col.Change == "" {
		v := n.value
		p.value, p.milestone = &v, n.yes && n.value == 1
	} else {
		v := n.value
		if n.percent {
			v *= 100
		}
		sign, d := "-", "decrease"
		if col.Change == "above" {
			sign, d = "+", "increase"
		}
		if v < 0 || p.from.IsZero() {
			t.trouble(said.number, *col, text, "a change needs a share of the baseline from 0 on, and the year of the baseline")
			return
		}
		p.change = sign + display(v) + "%"
		if m.direction == "" {
			m.direction = d
		}
	}
	if !p.from.IsZero() && !p.due.After(p.from) {
		t.trouble(said.number, *col, text, fmt.Sprintf("the target is due on %s, which is not after the baseline, %s", p.due, p.from))
		return
	}
	t.conv.counts.Targets++
	if m.paths[said.edition] == nil {
		m.paths[said.edition] = map[string]*path{}
	}
	before := m.paths[said.edition][p.due.String()]
	switch {
	case before == nil:
		m.paths[said.edition][p.due.String()] = &p
	case byDefault:
	case before.change != p.change || deref(before.value) != deref(p.value):
		before.disputed = true
		t.trouble(said.number, *col, text, fmt.Sprintf("row %d has another target for the same day: neither is taken", before.origin.row))
	}
}

func deref(v *float64) float64 {
	if v == nil {
		return 0
	}
	return *v
}
