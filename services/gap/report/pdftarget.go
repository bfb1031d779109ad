package report

// sections tell of each objective on pages of its own; those that are short share one.
func (p *printed) sections() {
	for i := range p.d.Objectives {
		o := &p.d.Objectives[i]
		if i == 0 || p.tried(func() { p.section(o) }) > 0 {
			p.page()
		} else {
			p.gap(10)
		}
		if i == 0 {
			p.f.Bookmark("Objective by objective", 0, p.y)
			p.deeper = 1
		}
		p.section(o)
	}
	p.deeper = 0
}

func (p *printed) section(o *Objective) {
	p.heading(1, o.Title, 80)
	p.text(about(*o), regular, inkMuted, smallSize)
	p.text(rollUpText(o.RollUp), bold, inkText, bodySize)
	p.body(o.Description)
	if o.Explanation.Rule != "" {
		p.text("How it is rolled up: "+o.Explanation.Rule, regular, inkMuted, smallSize)
	}
	if len(o.Members) == 0 {
		p.body("No target of its own; it is judged by the objectives that serve it.")
	}
	for k, name := range o.Members {
		if p.dry && k == inTrial { // it is longer than what a page has left
			p.page()
			return
		}
		p.target(p.targets[name])
	}
}

// inTrial is how many targets are set to see whether an objective fits: a page has
// room for no more.
const inTrial = 8

// The width of a chart; what is told of a target stands beside it.
const (
	chartSpan = 400.0
	factsLeft = pageMargin + chartSpan + 6
	factsWide = textWidth - chartSpan - 6
)

func (p *printed) target(t *Target) {
	chart, fall, foot := t.SVG("chart"), "", ""
	if c, ok := p.covered[t.Name]; ok && c.hasGap() {
		fall, foot = c.svg(t.Metric, "fall"), c.foot(t.Metric)
	}
	set := func() { p.targetIn(t, chart, fall, foot) }
	if !p.dry && p.tried(set) > 0 && p.y > pageMargin+60 {
		p.page()
	}
	set()
}

func (p *printed) targetIn(t *Target, chart, fall, foot string) {
	keep := 36.0
	if t.Chart != nil {
		keep += t.Chart.height() / chartWidth * chartSpan
	}
	p.heading(2, t.Title, keep)
	status := statusWord(t.Status).Text
	if note := t.statusNote(); note != "" {
		status += " (" + note + ")"
	}
	p.stamp(pageMargin, p.y+bodySize*.1, bodySize*1.22, *stampOf(t.Status))
	p.textIn(pageMargin+bodySize*stampSpace, textWidth-bodySize*stampSpace, status+". "+t.Summary, bold, inkText, bodySize)
	p.gap(2)
	if chart == "" {
		p.facts(t.facts())
	} else {
		top := p.y
		p.picture(chart, pageMargin, chartSpan)
		p.factsBeside(t.facts(), top)
	}
	if fall != "" {
		p.gap(4)
		p.picture(fall, pageMargin, chartSpan)
		p.text(foot, regular, inkMuted, smallSize)
	}
	for _, n := range t.told() {
		about := n.About
		if !n.At.IsZero() {
			about += " " + n.At.String()
		}
		p.text("• "+about+": "+isolated(n.Text), regular, inkMuted, smallSize)
	}
}

// facts stand in columns, each number below what it is; a long one takes as many
// columns as it needs.
func (p *paper) facts(list []Definition) {
	const across, label = 6, 6.2
	const column = textWidth / across
	p.gap(3)
	line := func(size float64) float64 { return size * p.zoom * leading }
	height := line(label) + line(smallSize) + 3
	p.room(height)
	at := 0
	for _, f := range list {
		text := keepTogether.Replace(p.shown(f.Meaning))
		wide := max(p.width(text, regular, smallSize), p.width(f.Term, regular, label)) + 8
		span := min(across, int(wide/column)+1)
		if at+span > across {
			at = 0
			p.y += height
			p.room(height)
		}
		x := pageMargin + float64(at)*column
		p.write(x, p.y+label, f.Term, regular, inkMuted, label)
		p.write(x, p.y+line(label)+smallSize, p.fit(text, float64(span)*column-4, smallSize), regular, inkText, smallSize)
		at += span
	}
	if len(list) > 0 {
		p.y += height
	}
}

// factsBeside stand below each other to the right of a picture that begins at top,
// each on a line with what it is where there is room; those for which the picture is
// not high enough stand below it.
func (p *paper) factsBeside(list []Definition, top float64) {
	const label, size, between = 6.2, 7.0, 2.6
	bottom := p.y
	line := size * p.zoom * 1.2
	at := top + 8
	for i, f := range list {
		term := p.width(f.Term, regular, label) + 6
		lines := p.wrap(f.Meaning, regular, size, factsWide)
		beside := len(lines) == 1 && term+p.width(lines[0], regular, size) <= factsWide
		height := float64(len(lines))*line + between
		if !beside {
			height += line
		}
		if at+height > bottom+2 {
			p.facts(list[i:])
			return
		}
		p.write(factsLeft, at+size, f.Term, regular, inkMuted, label)
		for k, text := range lines {
			y := at + size + float64(k)*line
			if !beside {
				y += line
			}
			p.write(factsLeft+factsWide-p.width(text, regular, size), y, text, regular, inkText, size)
		}
		at += height
	}
}
