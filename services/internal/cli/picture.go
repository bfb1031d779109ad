package cli

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"setpoint.dev/services/internal/calendar"
)

// chart is what a picture shows: the chart member of a target in the JSON form
// of the gap report, so that the server alone says what was expected when.
type chart struct {
	From, To, AsOf calendar.Date
	Actual         []struct {
		Start, End calendar.Date
		Value      float64
	}
	Path  []pathPoint
	Goals []goal
	Band  *goal
	Final *pathPoint
}

type pathPoint struct {
	Date  calendar.Date
	Value float64
}

type goal struct {
	Start, End          calendar.Date
	Value, Lower, Upper *float64
}

// glyphs are the marks of a picture.
type glyphs struct {
	actual, target, goal, now rune
	path                      rune // of the legend; 0: in the picture, too
	side, tick, corner, floor rune
	blocks                    []rune // of a sparkline, lowest first
}

var (
	fine  = glyphs{'●', '┄', '━', '┊', '⠒', '│', '┤', '└', '─', []rune("▁▂▃▄▅▆▇█")}
	ascii = glyphs{'o', '-', '=', ':', '.', '|', '+', '+', '-', []rune("_.:-=+*#")}
)

// glyphs for where the result goes: a locale that is not UTF-8 gets ASCII. No
// locale at all says nothing about the terminal.
func (a *app) glyphs(onlyASCII bool) *glyphs {
	if onlyASCII {
		return &ascii
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v, _ := a.opts.Env(name); v != "" {
			if v = strings.ToLower(v); !strings.Contains(v, "utf-8") && !strings.Contains(v, "utf8") {
				return &ascii
			}
			break
		}
	}
	return &fine
}

const (
	pictureHeight = 11
	widestPicture = 80
	leastPlot     = 20 // columns; below that there is no picture
)

// picture draws a chart in width columns: the measured points, what was
// expected, the target, the axes. It is "" where there is nothing to draw, no
// room, or values too far apart for a scale.
func picture(c *chart, as shown, g *glyphs, width int, color paint) string {
	if c == nil || c.From.IsZero() || !c.From.Before(c.To) {
		return ""
	}
	y := newAxis(c.values(), as)
	if y == nil {
		return ""
	}
	margin := 0
	for _, l := range y.labels {
		margin = max(margin, utf8.RuneCountInString(l))
	}
	if width <= 0 || width > widestPicture {
		width = widestPicture
	}
	columns := width - margin - 2
	if columns < leastPlot {
		return ""
	}
	p := &plot{c: c, y: y, g: g, columns: columns, cells: make([][]rune, pictureHeight), dots: make([][]byte, pictureHeight)}
	for i := range p.cells {
		p.cells[i], p.dots[i] = make([]rune, columns), make([]byte, columns)
	}
	p.draw()
	var b strings.Builder
	labels := make([]string, pictureHeight)
	for i, v := range y.ticks {
		labels[p.row(v)] = y.labels[i]
	}
	for i, line := range p.cells {
		side := g.side
		if labels[i] != "" {
			side = g.tick
		}
		b.WriteString(strings.Repeat(" ", margin-utf8.RuneCountInString(labels[i])) + labels[i] + " " + string(side))
		b.WriteString(strings.TrimRight(p.line(line, p.dots[i], color), " ") + "\n")
	}
	ticks, names := p.dates()
	b.WriteString(strings.Repeat(" ", margin+1) + string(g.corner) + ticks + "\n")
	b.WriteString(strings.TrimRight(strings.Repeat(" ", margin+2)+names, " ") + "\n")
	b.WriteString(strings.Repeat(" ", margin+2) + p.legend(color) + "\n")
	return b.String()
}

func (c *chart) values() []float64 {
	var out []float64
	for _, p := range c.Actual {
		out = append(out, p.Value)
	}
	for _, p := range c.Path {
		out = append(out, p.Value)
	}
	if c.Final != nil {
		out = append(out, c.Final.Value)
	}
	goals := c.Goals
	if c.Band != nil {
		goals = append(slices.Clone(goals), *c.Band)
	}
	for _, g := range goals {
		for _, v := range []*float64{g.Value, g.Lower, g.Upper} {
			if v != nil {
				out = append(out, *v)
			}
		}
	}
	return out
}

// axis is the scale of the values, with round numbers at its ticks.
type axis struct {
	from, to float64
	ticks    []float64
	labels   []string
}

func newAxis(values []float64, as shown) *axis {
	if len(values) == 0 {
		return nil
	}
	low, high := slices.Min(values), slices.Max(values)
	if low == high {
		pad := math.Abs(low) / 10
		if pad == 0 {
			pad = 1
		}
		low, high = low-pad, high+pad
	}
	step := roundStep((high - low) / 4)
	if math.IsInf(high-low, 0) || step <= 0 || math.IsInf(step, 0) {
		return nil
	}
	a := &axis{from: math.Floor(low/step+1e-9) * step, to: math.Ceil(high/step-1e-9) * step}
	n := int(math.Round((a.to - a.from) / step))
	if n < 1 || n > pictureHeight {
		return nil // the values are closer together than numbers can tell
	}
	for i := range n + 1 {
		v := (math.Round(a.from/step) + float64(i)) * step
		a.ticks = append(a.ticks, v)
	}
	a.labels = tickLabels(a.ticks, as)
	return a
}

// roundStep is the least of 1, 2, 2.5 and 5 times a power of ten that is not
// less than v.
func roundStep(v float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 2.5, 5} {
		if m*unit >= v*(1-1e-9) {
			return m * unit
		}
	}
	return 10 * unit
}

// tickLabels have as many decimals as it takes to tell them apart, and no more
// than the metric declares where that is enough.
func tickLabels(ticks []float64, as shown) []string {
	var labels []string
	for decimals := -1; decimals <= 8; decimals++ {
		try := as
		if decimals >= 0 {
			if as.format == nil {
				break
			}
			f := *as.format
			f.Decimals = &decimals
			try = shown{&f}
		}
		labels = labels[:0]
		for _, v := range ticks {
			labels = append(labels, try.value(v))
		}
		if len(slices.Compact(slices.Clone(labels))) == len(labels) && evenly(ticks, labels) {
			break
		}
	}
	return labels
}

// evenly reports whether equal distances read as equal: 9.2, 9.3, 9.5 do not.
func evenly(ticks []float64, labels []string) bool {
	number := func(s string) (float64, bool) {
		v, err := strconv.ParseFloat(strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' || r == '.' || r == '-' {
				return r
			}
			return -1
		}, s), 64)
		return v, err == nil
	}
	first, ok1 := number(labels[0])
	second, ok2 := number(labels[1])
	if !ok1 || !ok2 {
		return true
	}
	step := second - first
	for i := range labels {
		v, ok := number(labels[i])
		if !ok || math.Abs(v-(first+float64(i)*step)) > math.Abs(step)*1e-6 {
			return false
		}
	}
	return len(ticks) > 0
}

// plot is a picture under construction: cells hold marks, dots what is drawn
// finer than a character, in braille.
type plot struct {
	c       *chart
	y       *axis
	g       *glyphs
	columns int
	cells   [][]rune
	dots    [][]byte
}

func (p *plot) days(d calendar.Date) float64 {
	share := float64(d.Sub(p.c.From)) / float64(p.c.To.Sub(p.c.From))
	return math.Min(1, math.Max(0, share))
}

func (p *plot) column(d calendar.Date) int { return int(p.days(d)*float64(p.columns-1) + 0.5) }

// height is 0 at the bottom and 1 at the top.
func (p *plot) height(v float64) float64 {
	return math.Min(1, math.Max(0, (v-p.y.from)/(p.y.to-p.y.from)))
}

func (p *plot) row(v float64) int { return int((1-p.height(v))*(pictureHeight-1) + 0.5) }

// draw puts what matters most on top.
func (p *plot) draw() {
	across := func(v *float64, mark rune, from, to calendar.Date) {
		if v == nil {
			return
		}
		if from.IsZero() {
			from = p.c.From
		}
		if to.IsZero() {
			to = p.c.To
		}
		for x := p.column(from); x <= p.column(to); x++ {
			p.cells[p.row(*v)][x] = mark
		}
	}
	if p.c.AsOf.After(p.c.From) && p.c.AsOf.Before(p.c.To) {
		for _, line := range p.cells {
			line[p.column(p.c.AsOf)] = p.g.now
		}
	}
	if p.c.Final != nil {
		across(&p.c.Final.Value, p.g.target, calendar.Date{}, calendar.Date{})
	}
	if b := p.c.Band; b != nil {
		across(b.Lower, p.g.target, b.Start, b.End)
		across(b.Upper, p.g.target, b.Start, b.End)
	}
	for _, g := range p.c.Goals {
		for _, v := range []*float64{g.Value, g.Lower, g.Upper} {
			across(v, p.g.goal, g.Start, g.End)
		}
	}
	for i := 1; i < len(p.c.Path); i++ {
		p.segment(p.c.Path[i-1], p.c.Path[i])
	}
	for _, v := range p.c.Actual {
		p.cells[p.row(v.Value)][p.column(v.End)] = p.g.actual
	}
}

// brailleDots are the bits of a cell's dots, by column and by row from the top.
var brailleDots = [2][4]byte{{0x01, 0x02, 0x04, 0x40}, {0x08, 0x10, 0x20, 0x80}}

// segment draws a line between two points of the path, two dots a column wide
// and four a row high; in ASCII, one dot a column.
func (p *plot) segment(from, to pathPoint) {
	wide, high := 2, 4
	if p.g.path < utf8.RuneSelf {
		wide, high = 1, 1
	}
	// A cell's middle is its row, so that path and points agree.
	place := func(q pathPoint) (x, y float64) {
		rows := (1-p.height(q.Value))*(pictureHeight-1) + 0.5
		return p.days(q.Date)*float64(p.columns-1)*float64(wide) + float64(wide)/2, rows * float64(high)
	}
	x0, y0 := place(from)
	x1, y1 := place(to)
	steps := int(math.Max(math.Abs(x1-x0), math.Abs(y1-y0))) + 1
	for i := 0; i <= steps; i++ {
		u := float64(i) / float64(steps)
		x, y := int(x0+(x1-x0)*u), int(y0+(y1-y0)*u)
		x, y = min(x, p.columns*wide-1), min(y, pictureHeight*high-1)
		if high == 1 {
			p.cells[y][x] = p.g.path
			continue
		}
		p.dots[y/4][x/2] |= brailleDots[x%2][y%4]
	}
}

func (p *plot) line(cells []rune, dots []byte, color paint) string {
	var b strings.Builder
	for i, r := range cells {
		switch {
		case r == p.g.actual:
			b.WriteString(color.with(bold, string(r)))
		case dots[i] != 0:
			b.WriteString(color.with(cyan, string(rune(0x2800)+rune(dots[i]))))
		case r == p.g.path:
			b.WriteString(color.with(cyan, string(r)))
		case r == p.g.now:
			b.WriteString(color.with(faint, string(r)))
		case r == 0:
			b.WriteByte(' ')
		default:
			b.WriteString(color.with(green, string(r)))
		}
	}
	return b.String()
}

// dates are the bottom line and the names below it: years where there are two
// or more of them, else months.
func (p *plot) dates() (ticks, names string) {
	line, text := slices.Repeat([]rune{p.g.floor}, p.columns), slices.Repeat([]rune{' '}, p.columns)
	yearly := p.c.To.Year()-p.c.From.Year() >= 2
	var all []calendar.Date
	for d := calendar.Of(p.c.From.Year(), 1, 1); !d.After(p.c.To); {
		if !d.Before(p.c.From) {
			all = append(all, d)
		}
		y, m := d.Year(), int(d.Month())+1
		if yearly || m > 12 {
			y, m = y+1, 1
		}
		d = calendar.Of(y, time.Month(m), 1)
	}
	label := func(d calendar.Date) string {
		if yearly {
			return d.String()[:4]
		}
		return d.String()[:7]
	}
	stride := 1
	for len(all) > 0 && len(all)/stride*(len(label(all[0]))+2) > p.columns {
		stride++
	}
	free := 0
	for i := 0; i < len(all); i += stride {
		x := p.column(all[i])
		name := label(all[i])
		if x < free || x+len(name) > p.columns {
			continue
		}
		line[x] = p.tickBelow()
		copy(text[x:], []rune(name))
		free = x + len(name) + 1
	}
	return string(line), string(text)
}

func (p *plot) tickBelow() rune {
	if p.g == &fine {
		return '┬'
	}
	return '+'
}

func (p *plot) legend(color paint) string {
	var parts []string
	add := func(has bool, code string, mark rune, word string) {
		if has {
			parts = append(parts, color.with(code, string(mark))+" "+word)
		}
	}
	add(len(p.c.Actual) > 0, bold, p.g.actual, "actual")
	add(len(p.c.Path) > 1, cyan, p.g.path, "expected")
	add(len(p.c.Goals) > 0, green, p.g.goal, "target of a period")
	add(p.c.Final != nil || p.c.Band != nil, green, p.g.target, "target")
	add(p.c.AsOf.After(p.c.From) && p.c.AsOf.Before(p.c.To), faint, p.g.now, "as of "+p.c.AsOf.String())
	return strings.Join(parts, "   ")
}

// sparkline draws values with eight heights in at most width columns; where
// there are more values than that, a column is the last of its share.
func sparkline(values []float64, g *glyphs, width int) string {
	if len(values) < 2 {
		return ""
	}
	low, high := slices.Min(values), slices.Max(values)
	columns := min(len(values), width)
	var b strings.Builder
	for i := range columns {
		v := values[(i+1)*len(values)/columns-1]
		level := len(g.blocks) / 2
		if high > low {
			level = int((v/2 - low/2) / (high/2 - low/2) * (float64(len(g.blocks)) - 0.001))
		}
		b.WriteRune(g.blocks[level])
	}
	return b.String()
}
