package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
)

// Sizes in the units of the viewBox; one is about a CSS pixel.
const (
	chartWidth   = 720.0
	chartHeight  = 268.0
	plotTop      = 58.0 // below the legend and the labels of vertical lines
	plotBottom   = 238.0
	stripHeight  = 15.0 // of an initiative under the axis
	digitWidth   = 6.3  // of the label font, generously
	boldWidth    = 7.4
	crowded      = 24 // more points than this are drawn small
	manyPoints   = 80 // more than this get no markers but the last
	maxTimeTicks = 9
)

// Dark blue and orange differ in hue for every kind of colour vision and in
// lightness on paper; what they mean is also told by dash, shape and word.
const (
	inkActual = "#0b3c6f"
	inkGoal   = "#b4500a"
	inkBreak  = "#6b2d73"
	inkText   = "#1f2933"
	inkMuted  = "#5f6b7a"
	inkGrid   = "#e3e7ec"
	fillBand  = "#f6e3d2"
	fillFan80 = "#b9c9dc"
	fillFan95 = "#e1e8f0"
)

// picture draws one target's chart.
type picture struct {
	b      strings.Builder
	t      *Target
	c      *Chart
	id     string
	x      scale
	y      scale
	labels []string
	tops   []topSpan // labels above the plot
	bands  bool      // periods are places on the axis, so points stand in their middle
}

// SVG draws t's chart as a standalone, well-formed SVG element without scripts,
// styles or references to the outside; id must be unique in the page and an
// XML name. It is "" where t has no chart.
func (t *Target) SVG(id string) string {
	if t.Chart == nil {
		return ""
	}
	p := &picture{t: t, c: t.Chart, id: id, bands: len(t.Chart.Goals) > 0}
	p.scales()
	p.open()
	p.axes()
	p.excluded()
	p.fan()
	p.goal()
	p.verticals()
	p.actual()
	p.initiatives()
	p.endLabels()
	p.legend()
	p.b.WriteString("</svg>")
	return p.b.String()
}

func (p *picture) scales() {
	var values []float64
	add := func(list ...*float64) {
		for _, v := range list {
			if v != nil {
				values = append(values, *v)
			}
		}
	}
	for i := range p.c.Actual {
		add(&p.c.Actual[i].Value)
	}
	for i := range p.c.Path {
		add(&p.c.Path[i].Value)
	}
	for _, g := range p.c.Goals {
		add(g.Value, g.Lower, g.Upper)
	}
	for i := range p.c.Fan {
		add(&p.c.Fan[i].Value, p.c.Fan[i].Lower80, p.c.Fan[i].Upper80)
	}
	if p.c.Band != nil {
		add(p.c.Band.Lower, p.c.Band.Upper)
	}
	if len(p.c.Fan) > 0 && len(values) > 0 {
		// The light part of the fan too, unless it would press the rest together.
		wide := append([]float64(nil), values...)
		for _, f := range p.c.Fan {
			for _, v := range []*float64{f.Lower95, f.Upper95} {
				if v != nil {
					wide = append(wide, *v)
				}
			}
		}
		if slices.Max(wide)/2-slices.Min(wide)/2 <= 1.8*(slices.Max(values)/2-slices.Min(values)/2) {
			values = wide
		}
	}
	p.y = valueScale(values, 5, plotBottom, plotTop)
	p.labels = tickLabels(p.t.Metric, p.y.ticks)
	left := 0
	for _, l := range p.labels {
		left = max(left, len([]rune(l)))
	}
	right := max(3, len([]rune(p.goalLabel())), len([]rune(p.actualLabel()))/2)
	p.x = scale{
		lo:   p.day(p.c.From),
		hi:   p.day(p.c.To) + 1,
		from: 14 + math.Min(float64(left)*digitWidth, 150),
		to:   chartWidth - math.Min(12+float64(right)*boldWidth, 190),
	}
}

// day counts from From; a date stands for its end, so that a period's last day
// meets the next period's first.
func (p *picture) day(d calendar.Date) float64 { return float64(d.Sub(p.c.From)) }

func (p *picture) px(d calendar.Date) float64   { return p.x.at(p.day(d)) }
func (p *picture) pend(d calendar.Date) float64 { return p.x.at(p.day(d) + 1) }

func (p *picture) pointX(a ChartPoint) float64 {
	if p.bands {
		return (p.px(a.Start) + p.pend(a.End)) / 2
	}
	return p.pend(a.End)
}

func n(v float64) string {
	s := strconv.FormatFloat(v, 'f', 1, 64)
	return strings.TrimSuffix(strings.Replace(s, "-0.0", "0.0", 1), ".0")
}

var escapeXML = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;")

func (p *picture) printf(format string, args ...any) { fmt.Fprintf(&p.b, format, args...) }

func (p *picture) line(x1, y1, x2, y2 float64, attrs string) {
	p.printf(`<line x1="%s" y1="%s" x2="%s" y2="%s" %s/>`, n(x1), n(y1), n(x2), n(y2), attrs)
}

// text writes s with a white halo, so that it stays legible over lines.
func (p *picture) text(x, y float64, anchor, fill, s, more string) {
	p.printf(`<text x="%s" y="%s" text-anchor="%s" fill="%s" stroke="#fff" stroke-width="3" stroke-linejoin="round" paint-order="stroke"%s>%s</text>`,
		n(x), n(y), anchor, fill, more, escapeXML.Replace(s))
}

func (p *picture) open() {
	p.printf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" role="img" aria-labelledby="%s-title %s-desc" font-family="system-ui, 'Segoe UI', 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif" font-size="11">`,
		n(chartWidth), n(p.c.height()), p.id, p.id)
	p.printf(`<title id="%s-title">%s</title>`, p.id, escapeXML.Replace(p.t.Title+": actual against target"))
	p.printf(`<desc id="%s-desc">%s</desc>`, p.id, escapeXML.Replace(p.describe()))
	p.printf(`<defs><pattern id="%s-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="#f4f5f7"/><line x1="0" y1="0" x2="0" y2="6" stroke="#b8c0ca" stroke-width="2"/></pattern></defs>`, p.id)
}

// describe tells the chart to those who do not see it.
func (p *picture) describe() string {
	w := statusWord(p.t.Status)
	s := w.Text + ". " + p.t.Summary
	if k := len(p.c.Actual); k > 0 {
		first, last := p.c.Actual[0], p.c.Actual[k-1]
		s += fmt.Sprintf(" %s", plural(k, "value"))
		if k > 1 {
			s += fmt.Sprintf(" from %s on %s to %s on %s", p.t.Metric.show(first.Value), first.End, p.t.Metric.show(last.Value), last.End)
		}
		s += "."
	}
	return s
}

func (p *picture) axes() {
	for i, v := range p.y.ticks {
		y := p.y.at(v)
		ink := inkGrid
		if v == 0 && p.y.lo < 0 && p.y.hi > 0 {
			ink = inkMuted
		}
		p.line(p.x.from, y, p.x.to, y, `stroke="`+ink+`" stroke-width="1"`)
		p.text(p.x.from-7, y+3.8, "end", inkMuted, p.labels[i], "")
	}
	p.line(p.x.from, plotBottom, p.x.to, plotBottom, `stroke="`+inkMuted+`" stroke-width="1"`)
	if !p.periodTicks() {
		for _, t := range dateTicks(p.c.From, p.c.To, maxTimeTicks-1) {
			p.timeTick(p.px(t.at), t.label)
		}
	}
}

// periodTicks names the periods, every k-th where there are many; it reports
// whether there are any to name.
func (p *picture) periodTicks() bool {
	type place struct {
		x    float64
		name string
	}
	var places []place
	width := 0.0
	for _, q := range p.t.Periods {
		if q.Period == "" || q.Start.IsZero() || q.End.After(p.c.To) || q.Start.Before(p.c.From) {
			continue
		}
		x := p.pend(q.End)
		if p.bands {
			x = (p.px(q.Start) + x) / 2
		}
		places = append(places, place{x, q.Period})
		width = math.Max(width, float64(len([]rune(q.Period)))*digitWidth+10)
	}
	if len(places) < 2 {
		return false
	}
	covered := places[len(places)-1].x - places[0].x
	if covered < 0.6*(p.x.to-p.x.from) {
		return false // the path is much longer than the data
	}
	// From the back, so that the latest is named; the others in even steps, where
	// there is room.
	least := math.Inf(1)
	for i := 1; i < len(places); i++ {
		least = math.Min(least, places[i].x-places[i-1].x)
	}
	every, last := 1, math.Inf(1)
	for ; least > 0 && least*float64(every) < width && every < len(places); every++ {
	}
	for i := len(places) - 1; i >= 0; i-- {
		far := i < len(places)-1 && places[i+1].x-places[i].x > 3*least // the last one stands alone
		if (len(places)-1-i)%every != 0 && !far || places[i].x+width > last {
			continue
		}
		p.timeTick(places[i].x, places[i].name)
		last = places[i].x
	}
	return true
}

func (p *picture) timeTick(x float64, label string) {
	p.line(x, plotBottom, x, plotBottom+4, `stroke="`+inkMuted+`" stroke-width="1"`)
	p.text(x, plotBottom+17, "middle", inkMuted, label, "")
}

func (p *picture) excluded() {
	for _, e := range p.c.Excluded {
		x := p.px(e.Start)
		w := math.Max(p.pend(e.End)-x, 2)
		p.printf(`<rect x="%s" y="%s" width="%s" height="%s" fill="url(#%s-hatch)"><title>%s</title></rect>`,
			n(x), n(plotTop), n(w), n(plotBottom-plotTop), p.id, escapeXML.Replace("Excluded: "+e.Text))
	}
}

// goal draws what was to be reached: a band, a path with its tolerance, or a
// bar for each period.
func (p *picture) goal() {
	if b := p.c.Band; b != nil {
		p.bandRect(*b)
	}
	if len(p.c.Path) > 1 {
		p.tolerance()
		p.printf(`<polyline points="%s" fill="none" stroke="%s" stroke-width="1.8" stroke-dasharray="6 4"/>`, p.points(p.c.Path, 0), inkGoal)
	}
	for _, g := range p.c.Goals {
		if g.Value == nil {
			p.bandRect(g)
			continue
		}
		y := p.y.at(*g.Value)
		p.line(p.px(g.Start)+1, y, math.Max(p.pend(g.End)-1, p.px(g.Start)+2), y, `stroke="`+inkGoal+`" stroke-width="2.6"`)
	}
	if f := p.c.Final; f != nil {
		x, y := p.pend(f.Date), p.y.at(f.Value)
		p.line(x-9, y, x+5, y, `stroke="`+inkGoal+`" stroke-width="3.4"`)
		p.printf(`<path d="M%s %s l-4 -7 h8 z" fill="%s"/>`, n(x), n(y-2), inkGoal)
	}
}

// bandRect fills the values to stay between; an open side reaches the edge.
func (p *picture) bandRect(g Goal) {
	x1, x2 := p.px(g.Start), p.pend(g.End)
	top, bottom := plotTop, plotBottom
	if g.Upper != nil {
		top = p.y.at(*g.Upper)
	}
	if g.Lower != nil {
		bottom = p.y.at(*g.Lower)
	}
	p.printf(`<rect x="%s" y="%s" width="%s" height="%s" fill="%s" fill-opacity="0.75"/>`,
		n(x1), n(top), n(math.Max(x2-x1, 1)), n(math.Max(bottom-top, 0)), fillBand)
	edge := `stroke="` + inkGoal + `" stroke-width="1.8"`
	if g.Upper != nil {
		p.line(x1, top, x2, top, edge)
	}
	if g.Lower != nil {
		p.line(x1, bottom, x2, bottom, edge)
	}
}

// tolerance shades from the path as far behind as is still on it.
func (p *picture) tolerance() {
	tol := p.c.Tolerance
	if tol == 0 {
		return
	}
	above, below := 0.0, -tol // increase: below the path is behind
	if p.t.Direction == "decrease" {
		above, below = tol, 0
	}
	there := p.points(p.c.Path, above)
	back := make([]PathPoint, 0, len(p.c.Path))
	for i := len(p.c.Path) - 1; i >= 0; i-- {
		back = append(back, p.c.Path[i])
	}
	p.printf(`<polygon points="%s %s" fill="%s" fill-opacity="0.75"/>`, there, p.points(back, below), fillBand)
}

func (p *picture) points(path []PathPoint, shift float64) string {
	var s strings.Builder
	for i, q := range path {
		if i > 0 {
			s.WriteByte(' ')
		}
		y := math.Min(math.Max(p.y.at(q.Value+shift), plotTop), plotBottom)
		s.WriteString(n(p.pend(q.Date)) + "," + n(y))
	}
	return s.String()
}

// verticals marks the report's date and changes of method.
func (p *picture) verticals() {
	x := p.pend(p.c.AsOf)
	p.line(x, plotTop-14, x, plotBottom, `stroke="`+inkMuted+`" stroke-width="1.2" stroke-dasharray="1.5 3"`)
	p.topLabel(x, topHigh, inkMuted, "as of "+p.c.AsOf.String())
	for _, m := range p.c.Changes {
		x := p.px(m.Start)
		p.printf(`<g><title>%s</title>`, escapeXML.Replace("Target changed "+m.Start.String()+": "+m.Text))
		p.line(x, plotTop-4, x, plotBottom, `stroke="`+inkGoal+`" stroke-width="1.2" stroke-dasharray="2 2"`)
		p.topLabel(x, topLow, inkGoal, clip(m.Text, 40))
		p.b.WriteString(`</g>`)
	}
	for _, br := range p.c.Breaks {
		x := p.px(br.Start)
		p.printf(`<g><title>%s</title>`, escapeXML.Replace("Method changed "+br.Start.String()+": "+br.Text))
		p.line(x, plotTop-4, x, plotBottom, `stroke="`+inkBreak+`" stroke-width="1.4" stroke-dasharray="7 3 1.5 3"`)
		p.topLabel(x, topLow, inkBreak, "method changed")
		p.b.WriteString(`</g>`)
	}
}

// height is that of the picture: initiatives stand below the axis.
func (c *Chart) height() float64 {
	if len(c.Initiatives) == 0 {
		return chartHeight
	}
	return chartHeight + 4 + stripHeight*float64(len(c.Initiatives))
}

// fan shades what is expected to come, the likelier the darker, around its
// middle; it begins at the last value.
func (p *picture) fan() {
	if len(p.c.Fan) == 0 {
		return
	}
	type edge struct{ x, lower, upper float64 }
	shade := func(fill string, of func(FanPoint) (lower, upper *float64)) {
		var edges []edge
		if k := len(p.c.Actual); k > 0 {
			y := p.y.at(p.c.Actual[k-1].Value)
			edges = append(edges, edge{p.pointX(p.c.Actual[k-1]), y, y})
		}
		for _, f := range p.c.Fan {
			if lower, upper := of(f); lower != nil && upper != nil {
				edges = append(edges, edge{p.pend(f.Date), p.y.at(*lower), p.y.at(*upper)})
			}
		}
		if len(edges) < 2 {
			return
		}
		var points []string
		for _, e := range edges {
			points = append(points, n(e.x)+","+n(e.upper))
		}
		for i := len(edges) - 1; i >= 0; i-- {
			points = append(points, n(edges[i].x)+","+n(edges[i].lower))
		}
		p.printf(`<polygon points="%s" fill="%s"/>`, strings.Join(points, " "), fill)
	}
	shade(fillFan95, func(f FanPoint) (*float64, *float64) { return f.Lower95, f.Upper95 })
	shade(fillFan80, func(f FanPoint) (*float64, *float64) { return f.Lower80, f.Upper80 })
	var middle []string
	if k := len(p.c.Actual); k > 0 {
		middle = append(middle, n(p.pointX(p.c.Actual[k-1]))+","+n(p.y.at(p.c.Actual[k-1].Value)))
	}
	for _, f := range p.c.Fan {
		middle = append(middle, n(p.pend(f.Date))+","+n(p.y.at(f.Value)))
	}
	p.printf(`<polyline points="%s" fill="none" stroke="%s" stroke-width="1.6" stroke-dasharray="1.5 2.5"/>`, strings.Join(middle, " "), inkActual)
}

// initiatives are bars on the time axis, below its labels.
func (p *picture) initiatives() {
	for i, m := range p.c.Initiatives {
		y := chartHeight - 6 + stripHeight*float64(i)
		x1, x2 := p.px(m.Start), p.pend(m.End)
		p.printf(`<g><title>%s</title>`, escapeXML.Replace(m.Text))
		p.printf(`<rect x="%s" y="%s" width="%s" height="5" fill="%s"/>`, n(x1), n(y+3), n(math.Max(x2-x1, 3)), inkBreak)
		// Behind the bar, or before it where there is more room, as far as there is.
		label := clip(m.Text, 48)
		x, anchor, room := x2+5, "start", chartWidth-x2-9
		if wide := float64(len([]rune(label))) * digitWidth; wide > room && x1-9 > room {
			x, anchor, room = x1-5, "end", x1-9
		}
		p.text(x, y+9.5, anchor, inkBreak, isolated(clip(label, max(1, int(room/digitWidth)))), ` font-size="10.5"`)
		p.b.WriteString(`</g>`)
	}
}

// topSpan is where a label stands above the plot.
type topSpan struct{ from, to, y float64 }

// The lines on which labels of upright lines stand.
const (
	topLow  = plotTop - 6
	topHigh = plotTop - 17
)

// topLabel centres a label on x, as far as the picture has room; where another one
// stands there, beside the upright line or a line higher. One that has no place is
// read where the mouse rests on its line.
func (p *picture) topLabel(x, y float64, ink, s string) {
	half := float64(len([]rune(s)))*digitWidth/2 + 2
	other := topLow
	if y == topLow {
		other = topHigh
	}
	for _, row := range []float64{y, other} {
		for _, at := range []float64{x, x + half + 2, x - half - 2} {
			at = math.Min(math.Max(at, half), chartWidth-half)
			span := topSpan{at - half, at + half, row}
			if !slices.ContainsFunc(p.tops, func(o topSpan) bool { return o.y == span.y && o.from < span.to && span.from < o.to }) {
				p.tops = append(p.tops, span)
				p.text(at, row, "middle", ink, s, ` font-size="10.5"`)
				return
			}
		}
	}
}

// actual draws the observed values; the line does not cross a change of
// method, and is thin towards what is not complete.
func (p *picture) actual() {
	pts := p.c.Actual
	for i := 1; i < len(pts); i++ {
		a, b := pts[i-1], pts[i]
		style := `stroke-width="2"`
		switch {
		case p.broken(a, b):
			continue
		case incomplete(a.State) || incomplete(b.State):
			style = `stroke-width="1.2" stroke-dasharray="2 3"`
		}
		p.line(p.pointX(a), p.y.at(a.Value), p.pointX(b), p.y.at(b.Value), `stroke="`+inkActual+`" stroke-linecap="round" `+style)
	}
	r := 4.2
	if len(pts) > crowded {
		r = 2.6
	}
	for i, a := range pts {
		if len(pts) > manyPoints && i < len(pts)-1 {
			continue
		}
		x, y := p.pointX(a), p.y.at(a.Value)
		p.printf(`<g><title>%s</title>`, escapeXML.Replace(p.pointTitle(a)))
		p.marker(x, y, r, a.State)
		p.b.WriteString(`</g>`)
	}
}

func (p *picture) pointTitle(a ChartPoint) string {
	name := a.Period
	if name == "" {
		name = a.End.String()
	}
	return name + ": " + p.t.Metric.show(a.Value) + ", " + stateWord(a.State).Text
}

func (p *picture) broken(a, b ChartPoint) bool {
	for _, br := range p.c.Breaks {
		if a.End.Before(br.Start) && !b.End.Before(br.Start) {
			return true
		}
	}
	return false
}

func incomplete(s gap.PeriodState) bool {
	return s == gap.PeriodRunning || s == gap.PeriodPartial || s == gap.PeriodExcluded
}

// marker tells a period's state by shape: filled disc met, triangle near, cross
// not met, ring not complete, diamond excluded, small disc without a target.
func (p *picture) marker(x, y, r float64, s gap.PeriodState) {
	switch s {
	case gap.PeriodNear:
		p.printf(`<path d="M%s %s l%s %s h%s z" fill="#f0b429" stroke="%s" stroke-width="1.4" stroke-linejoin="round"/>`,
			n(x), n(y-r*1.25), n(r*1.25), n(r*2.2), n(-r*2.5), inkActual)
	case gap.PeriodNotMet:
		p.printf(`<circle cx="%s" cy="%s" r="%s" fill="#fff"/>`, n(x), n(y), n(r*1.15))
		d := r * 0.95
		p.printf(`<path d="M%s %s l%s %s m%s 0 l%s %s" fill="none" stroke="#b3261e" stroke-width="2.4" stroke-linecap="round"/>`,
			n(x-d), n(y-d), n(2*d), n(2*d), n(-2*d), n(2*d), n(-2*d))
	case gap.PeriodRunning, gap.PeriodPartial:
		p.printf(`<circle cx="%s" cy="%s" r="%s" fill="#fff" stroke="%s" stroke-width="1.6"/>`, n(x), n(y), n(r), inkActual)
	case gap.PeriodExcluded:
		p.printf(`<path d="M%s %s l%s %s l%s %s l%s %s z" fill="#fff" stroke="%s" stroke-width="1.4" stroke-dasharray="2 1.5"/>`,
			n(x), n(y-r*1.2), n(r*1.2), n(r*1.2), n(-r*1.2), n(r*1.2), n(-r*1.2), n(-r*1.2), inkMuted)
	case gap.PeriodMet:
		p.printf(`<circle cx="%s" cy="%s" r="%s" fill="%s"/>`, n(x), n(y), n(r), inkActual)
	default:
		p.printf(`<circle cx="%s" cy="%s" r="%s" fill="%s"/>`, n(x), n(y), n(r*0.65), inkActual)
	}
}
