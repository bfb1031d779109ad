package convert

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"setpoint.dev/services/importer/cell"
)

// sameTime turns an amount of time into the measure's unit of time, where both
// name one: 45 min is 0.75 h.
func (m *measure) sameTime(n *number) {
	if n.unit == "" || m.said == "" || sameUnit(n.unit, m.said) {
		return
	}
	from, ok := cell.TimeUnit(n.unit)
	to, ok2 := cell.TimeUnit(m.said)
	if !ok || !ok2 {
		return
	}
	n.value = n.value * from / to
	if n.high != nil {
		*n.high = *n.high * from / to
	}
	n.unit = m.said
}

// sameCount turns a number that was written with a power of ten of its own into
// those that the measure's unit counts in: ₹ 13 lakh is 13 where the unit is lakh.
func (m *measure) sameCount(n *number) {
	power, ok := cell.UnitPower(m.said)
	if !ok || !n.counted {
		return
	}
	n.value = cell.MovePoint(n.value, power)
	if n.high != nil {
		*n.high = cell.MovePoint(*n.high, power)
	}
	if n.unit != "" && strings.HasSuffix(m.said, n.unit) {
		n.unit = m.said // 2万人 where the unit is 万人
	}
}

// unitOf takes in what stands beside a number, which counts so much for or against
// a per cent sign; why is set where it contradicts
// what stands beside others.
func (m *measure) unitOf(n number, change bool, weight int) (why string) {
	if change {
		return ""
	}
	if cell.IsChange(n.unit) {
		return fmt.Sprintf("%q stands beside the number: a change is no value", n.unit)
	}
	if n.unit != "" {
		switch {
		case m.said == "":
			m.said = n.unit
		case cell.SameMoney(n.unit, m.said): // the unit says whose it is
		case !sameUnit(m.said, n.unit) && !m.saidByColumn:
			return fmt.Sprintf("the unit is %q here and %q elsewhere", n.unit, m.said)
		case !sameUnit(m.said, n.unit):
			return fmt.Sprintf("%q stands beside the number, but the unit of the measure is %q", n.unit, m.said)
		}
	}
	// $ may be of another country than most mean by it, as the unit says.
	if n.currency != "" && (n.sign == "" || !cell.SameMoney(n.sign, m.said)) {
		if m.currency != "" && m.currency != n.currency {
			return fmt.Sprintf("the currency is %s here and %s elsewhere", n.currency, m.currency)
		}
		m.currency = n.currency
	}
	switch {
	case n.yes:
		m.yeses++
	case n.ratio:
		m.others++
	case m.ratios > 0:
		return "other values of the measure are ratios"
	case n.percent || n.unit != "" || n.currency != "" || n.value != 0 && n.value != 1:
		m.others++
	}
	switch {
	case n.yes || n.ratio:
	case n.percent:
		m.percents += weight
	case n.value != 0:
		m.plains += weight
		m.largest = max(m.largest, math.Abs(n.value))
	}
	m.percent = m.percents > 0 && m.percents >= m.plains
	return ""
}

func (c *Converter) unitNamed(titles []string) *unit {
	var above *unit
	id := ""
	for i, title := range titles {
		id += "\x1f" + foldTitle(title)
		u := c.units[id]
		if u == nil {
			u = &unit{id: id, title: title, parent: above, context: slices.Clone(titles[:i])}
			c.units[id] = u
		}
		above = u
	}
	return above
}
