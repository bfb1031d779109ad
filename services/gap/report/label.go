package report

import (
	"math"

	"setpoint.dev/services/gap"
)

// goalLabel is the last value to be reached.
func (p *picture) goalLabel() string {
	m := p.t.Metric
	switch k := len(p.c.Goals); {
	case p.c.Final != nil:
		return "target " + m.brief(p.c.Final.Value)
	case k > 0:
		g := p.c.Goals[k-1]
		if g.Value == nil {
			return "target " + bandLabel(m, g)
		}
		return "target " + m.brief(*g.Value)
	case p.c.Band != nil:
		return "target " + bandLabel(m, *p.c.Band)
	}
	return ""
}

func bandLabel(m Metric, g Goal) string {
	switch {
	case g.Lower == nil:
		return "≤ " + m.brief(*g.Upper)
	case g.Upper == nil:
		return "≥ " + m.brief(*g.Lower)
	}
	return setpoint(m, "", nil, g.Lower, g.Upper)
}

func (p *picture) actualLabel() string {
	if k := len(p.c.Actual); k > 0 {
		return p.t.Metric.brief(p.c.Actual[k-1].Value)
	}
	return ""
}

// endLabels name the last goal at the right edge and the last value at its
// point, out of each other's way.
func (p *picture) endLabels() {
	if label := p.goalLabel(); label != "" {
		x, goalY := p.x.to+8, 0.0
		switch k := len(p.c.Goals); {
		case p.c.Final != nil:
			goalY = p.y.at(p.c.Final.Value)
		case k > 0 && p.c.Goals[k-1].Value != nil:
			goalY = p.y.at(*p.c.Goals[k-1].Value)
		default:
			g := p.c.Band
			if g == nil {
				g = &p.c.Goals[k-1]
			}
			goalY = p.bandMiddle(*g)
		}
		anchor := "start"
		if room := chartWidth - 4 - x; float64(len([]rune(label)))*boldWidth > room {
			x, anchor = chartWidth-4, "end"
		}
		p.text(x, goalY+3.8, anchor, inkGoal, label, ` font-weight="600"`)
	}
	k := len(p.c.Actual)
	if k == 0 {
		return
	}
	last := p.c.Actual[k-1]
	x, y := p.pointX(last), p.y.at(last.Value)
	up := k == 1 || p.c.Actual[k-2].Value <= last.Value
	// Not where the goal's bar or the path lies.
	if g, ok := p.goalAt(last); ok && math.Abs(g-y) < 22 {
		up = g >= y
	}
	if y < plotTop+16 {
		up = false
	}
	if y > plotBottom-20 {
		up = true
	}
	dy := -9.0
	if !up {
		dy = 18
	}
	label := p.actualLabel()
	half := float64(len([]rune(label))) * boldWidth / 2
	p.text(math.Max(math.Min(x, chartWidth-half-2), half+2), y+dy, "middle", inkActual, label, ` font-weight="700"`)
}

func (p *picture) bandMiddle(g Goal) float64 {
	switch {
	case g.Lower != nil && g.Upper != nil:
		return (p.y.at(*g.Lower) + p.y.at(*g.Upper)) / 2
	case g.Lower != nil:
		return p.y.at(*g.Lower)
	}
	return p.y.at(*g.Upper)
}

// goalAt is the pixel of what was to be reached when a was measured.
func (p *picture) goalAt(a ChartPoint) (float64, bool) {
	for _, g := range p.c.Goals {
		if g.Start == a.Start && g.End == a.End && g.Value != nil {
			return p.y.at(*g.Value), true
		}
	}
	for i := 1; i < len(p.c.Path); i++ {
		q, r := p.c.Path[i-1], p.c.Path[i]
		if !a.End.Before(q.Date) && !a.End.After(r.Date) && r.Date != q.Date {
			f := float64(a.End.Sub(q.Date)) / float64(r.Date.Sub(q.Date))
			return p.y.at(q.Value + f*(r.Value-q.Value)), true
		}
	}
	return 0, false
}

// legend names, in one row, the marks that are in the picture.
func (p *picture) legend() {
	x, y := 8.0, 14.0
	item := func(label string, width float64, draw func(x float64)) {
		if x > 8 && x+width+5+float64(len(label))*5.6 > chartWidth {
			x, y = 8, y+15
		}
		draw(x)
		p.printf(`<text x="%s" y="%s" fill="%s">%s</text>`, n(x+width+5), n(y+3.8), inkText, label)
		x += width + 5 + float64(len(label))*5.6 + 13
	}
	if len(p.c.Actual) > 0 {
		item("actual", 22, func(x float64) {
			p.line(x, y, x+22, y, `stroke="`+inkActual+`" stroke-width="2"`)
			p.marker(x+11, y, 3, gap.PeriodNoTarget)
		})
	}
	seen := map[gap.PeriodState]bool{}
	for _, a := range p.c.Actual {
		seen[a.State] = true
	}
	for _, s := range states {
		if seen[s] && s != gap.PeriodNoTarget && s != gap.PeriodNoData && s != gap.PeriodFuture {
			item(stateWord(s).Text, 10, func(x float64) { p.marker(x+5, y, 3.8, s) })
		}
	}
	if len(p.c.Path) > 1 {
		item("expected", 22, func(x float64) {
			p.line(x, y, x+22, y, `stroke="`+inkGoal+`" stroke-width="1.8" stroke-dasharray="6 4"`)
		})
	}
	swatch := func(x float64) {
		p.printf(`<rect x="%s" y="%s" width="18" height="10" fill="%s" stroke="%s"/>`, n(x), n(y-5), fillBand, inkGoal)
	}
	bars, bands := false, p.c.Band != nil
	for _, g := range p.c.Goals {
		bars, bands = bars || g.Value != nil, bands || g.Value == nil
	}
	if bars || p.c.Final != nil {
		item("target", 18, func(x float64) {
			p.line(x, y, x+18, y, `stroke="`+inkGoal+`" stroke-width="3"`)
		})
	}
	if bands {
		item("target band", 18, swatch)
	}
	if p.c.Tolerance > 0 && len(p.c.Path) > 1 {
		item("tolerance", 18, swatch)
	}
	if len(p.c.Fan) > 0 {
		item("forecast, 80 and 95 %", 18, func(x float64) {
			p.printf(`<rect x="%s" y="%s" width="18" height="10" fill="%s"/><rect x="%s" y="%s" width="18" height="5" fill="%s"/>`, n(x), n(y-5), fillFan95, n(x), n(y-2.5), fillFan80)
			p.line(x, y, x+18, y, `stroke="`+inkActual+`" stroke-width="1.6" stroke-dasharray="1.5 2.5"`)
		})
	}
	if len(p.c.Excluded) > 0 {
		item("excluded period", 18, func(x float64) {
			p.printf(`<rect x="%s" y="%s" width="18" height="10" fill="url(#%s-hatch)"/>`, n(x), n(y-5), p.id)
		})
	}
}
