package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// fall is a waterfall of a gap: the whole of it, what each initiative in progress is
// expected to take off, one below the other, and what nothing takes off. All are
// shares of the gap; the words beside them are numbers of the metric.
type fall struct {
	title string
	total string // beside the whole
	steps []fallStep
	rest  string // beside what is unfunded
}

// fallStep is one initiative: what people come along with, what is lost to
// adoption, and what rests on people nobody measured.
type fallStep struct {
	label, text             string
	ready, lost, unmeasured float64
}

func (s fallStep) sum() float64 { return s.ready + s.lost + s.unmeasured }

// CoveredObjective is how far the gaps of an objective's own targets are covered,
// initiative by initiative. Units differ, so each gap counts as one, by the weight
// of its target; more than a gap closes no other one.
type CoveredObjective struct {
	Objective string          `json:"objective"`
	Title     string          `json:"title"`
	Targets   int             `json:"targets"` // with a gap
	Worked    int             `json:"worked"`  // that an initiative in progress works on
	Parts     []ObjectivePart `json:"parts"`   // the largest first
	// Shares of the gaps: what nothing in progress is meant to close, and what stays
	// open if people come along as far as they are ready.
	Unfunded float64 `json:"unfunded"`
	Residual float64 `json:"residual"`
}

// ObjectivePart is what one initiative is expected to close, as a share of the gaps.
type ObjectivePart struct {
	Initiative string  `json:"initiative"`
	Title      string  `json:"title"`
	Expected   float64 `json:"expected"`
	Ready      float64 `json:"ready"`
	Unmeasured float64 `json:"unmeasured,omitempty"` // rests on people nobody measured
}

const objectiveFallNote = "Each gap of an objective counts as one, by its target's weight; more than a gap closes no other one."

// coveredObjectives sums the targets' coverage up, for objectives that something is
// done about.
func coveredObjectives(objectives []Objective, targets map[string]*Target, list []CoveredTarget) []CoveredObjective {
	covered := make(map[string]*CoveredTarget, len(list))
	for i := range list {
		covered[list[i].Target] = &list[i]
	}
	var out []CoveredObjective
	for _, o := range objectives {
		one := CoveredObjective{Objective: o.Name, Title: o.Title, Parts: []ObjectivePart{}}
		weights := 0.0
		parts := map[string]*ObjectivePart{}
		for _, name := range o.Members {
			t := targets[name]
			if t.Gap == nil || *t.Gap <= 0 {
				continue
			}
			one.Targets++
			weight := t.Weight
			if weight <= 0 {
				weight = 1
			}
			weights += weight
			c := covered[name]
			if c == nil {
				continue
			}
			one.Worked++
			// What people come along with counts first; what is lost or not known only
			// as far as there is a gap left.
			ready, rest := 0.0, 0.0
			for _, p := range c.Parts {
				r, v := p.shares(*t.Gap)
				ready, rest = ready+r, rest+v-r
			}
			readyScale, restScale := weight/max(1, ready), weight
			if left := max(0, 1-ready); rest > left {
				restScale *= left / rest
			}
			for _, p := range c.Parts {
				x := parts[p.Initiative]
				if x == nil {
					x = &ObjectivePart{Initiative: p.Initiative, Title: p.Title}
					parts[p.Initiative] = x
				}
				r, v := p.shares(*t.Gap)
				r, v = r*readyScale, (v-r)*restScale
				x.Ready += r
				x.Expected += r + v
				if p.Ready == nil {
					x.Unmeasured += v
				}
			}
		}
		if one.Worked == 0 {
			continue
		}
		closed, ready, unmeasured := 0.0, 0.0, 0.0
		for _, name := range slices.Sorted(maps.Keys(parts)) { // sums depend on the order of their parts
			p := parts[name]
			p.Expected, p.Ready, p.Unmeasured = p.Expected/weights, p.Ready/weights, p.Unmeasured/weights
			closed, ready, unmeasured = closed+p.Expected, ready+p.Ready, unmeasured+p.Unmeasured
			one.Parts = append(one.Parts, *p)
		}
		slices.SortFunc(one.Parts, func(x, y ObjectivePart) int {
			return cmp.Or(-cmp.Compare(x.Expected, y.Expected), cmp.Compare(x.Initiative, y.Initiative))
		})
		one.Unfunded = max(0, 1-closed)
		one.Residual = max(0, 1-ready-unmeasured)
		out = append(out, one)
	}
	return out
}

// shares are what is expected of p as parts of a gap: with the people that come
// along, and at all. Of people nobody measured nothing is ready.
func (p *Part) shares(gap float64) (ready, all float64) {
	all = max(0, p.Expected) / gap
	if p.Ready == nil {
		return 0, all
	}
	return min(all, max(0, *p.Ready)/gap), all
}

// fall is the waterfall of an objective's gaps.
func (o *CoveredObjective) fall() fall {
	f := fall{title: o.Title, total: fmt.Sprintf("100 %%, %s with a gap", plural(o.Targets, "target"))}
	for _, p := range o.Parts {
		expected, ready := p.Expected, p.Ready
		text := percent(&expected)
		switch {
		case p.Unmeasured > 0:
			text += ", people not measured"
		case percent(&ready) != text:
			text += ", " + percent(&ready) + " if people are ready"
		}
		f.steps = append(f.steps, fallStep{p.Title, text, p.Ready, max(0, p.Expected-p.Ready-p.Unmeasured), p.Unmeasured})
	}
	unfunded := o.Unfunded
	f.rest = percent(&unfunded)
	if n := o.Targets - o.Worked; n > 0 {
		f.rest += fmt.Sprintf("; nobody works on %s", plural(n, "target"))
	}
	return f
}

// fall is the waterfall of a target's gap, which is above 0.
func (c *CoveredTarget) fall(m Metric) fall {
	f := fall{title: "What closes the gap of " + m.size(*c.Gap), total: m.size(*c.Gap)}
	sum := 0.0
	for _, p := range c.Parts {
		share := p.Expected / *c.Gap
		s := fallStep{label: p.Title, text: amountShare(m, &p.Expected, &share)}
		ready, all := p.shares(*c.Gap)
		sum += all
		switch {
		case p.Ready == nil:
			s.unmeasured = all
			s.text += ", people not measured"
		default:
			s.ready, s.lost = ready, all-ready
			if amount := m.size(*p.Ready); amount != m.size(p.Expected) {
				s.text += ", " + amount + " if ready"
			}
		}
		f.steps = append(f.steps, s)
	}
	left := max(0, 1-sum)
	switch {
	case c.Unfunded != nil && *c.Unfunded > 0:
		f.rest = m.size(*c.Unfunded) + " (" + percent(&left) + ")"
	default:
		f.rest = "none"
	}
	return f
}

// foot says what stays open where it is more than what is unfunded.
func (c *CoveredTarget) foot(m Metric) string {
	switch {
	case c.Residual == nil:
		return ""
	case len(c.Unmeasured) > 0:
		return fmt.Sprintf("At least %s stays open: the people it takes are not measured for %s.", m.size(*c.Residual), strings.Join(allIsolated(c.Unmeasured), ", "))
	case c.Unfunded != nil && m.size(*c.Residual) != m.size(*c.Unfunded):
		return fmt.Sprintf("%s stays open: what is unfunded, and what is lost where people do not come along.", m.size(*c.Residual))
	}
	return ""
}

func (c *CoveredTarget) svg(m Metric, id string) string { return c.fall(m).svg(id) }
func (o *CoveredObjective) svg(id string) string        { return o.fall().svg(id) }

// inFall is how many initiatives a waterfall shows one by one; the rest are one step.
const inFall = 12

// shown is f with its smaller steps put together.
func (f fall) shown() []fallStep {
	if len(f.steps) <= inFall {
		return f.steps
	}
	rest := fallStep{label: fmt.Sprintf("%d more initiatives", len(f.steps)-inFall+1)}
	for _, s := range f.steps[inFall-1:] {
		rest.ready += s.ready
		rest.lost += s.lost
		rest.unmeasured += s.unmeasured
	}
	sum := rest.sum()
	rest.text = percent(&sum)
	return append(slices.Clone(f.steps[:inFall-1]), rest)
}

// svg draws f: id must be unique in a page.
func (f fall) svg(id string) string {
	const width, left, plot, words, row, bar = 780.0, 272.0, 240.0, 522.0, 20.0, 12.0
	steps := f.shown()
	sum, lost, unmeasured := 0.0, false, false
	for _, s := range steps {
		sum += s.sum()
		lost, unmeasured = lost || s.lost > 0, unmeasured || s.unmeasured > 0
	}
	scale := plot / max(1, sum)
	var b, told strings.Builder
	y := 22.0
	text := func(label, beside, more string) {
		lines, small, first := []string{label}, "", 11.0
		if runes(label) > 36 { // a long name a little smaller, and on two lines
			lines, small, first = clipLines(label, 43, 2), ` font-size="10"`, 6
		}
		if len(lines) == 1 {
			first = 11
		}
		b.WriteString(`<g><title>` + escapeXML.Replace(label) + `</title>`)
		for i, line := range isolatedLines(lines) {
			fmt.Fprintf(&b, `<text x="%s" y="%s" text-anchor="end" fill="%s"%s>%s</text>`, n(left-10), n(y+first+10*float64(i)), inkText, more+small, escapeXML.Replace(line))
		}
		b.WriteString(`</g>`)
		fmt.Fprintf(&b, `<text x="%s" y="%s" fill="%s"%s>%s</text>`, n(words), n(y+11), inkText, more, escapeXML.Replace(clip(beside, 37)))
		fmt.Fprintf(&told, "%s: %s. ", isolated(label), beside)
	}
	part := func(from, share float64, fill, more string) {
		if share <= 0 {
			return
		}
		fmt.Fprintf(&b, `<rect x="%s" y="%s" width="%s" height="%s" fill="%s" stroke="%s" stroke-width="1"%s/>`, n(left+from*scale+.5), n(y+.5), n(max(share*scale-1, 1)), n(bar), fill, inkText, more)
	}
	fmt.Fprintf(&b, `<text x="0" y="13" fill="%s" font-weight="650">%s</text>`, inkText, escapeXML.Replace(isolated(clip(f.title, 56))))
	key := width
	for _, k := range []struct {
		used       bool
		fill, text string
	}{{unmeasured, "url(#" + id + "-unmeasured)", "people not measured"}, {lost, "url(#" + id + "-lost)", "lost to adoption"}, {lost || unmeasured, fillReady, "people come along"}} {
		if !k.used {
			continue
		}
		key -= 7 * float64(len(k.text))
		fmt.Fprintf(&b, `<text x="%s" y="12" fill="%s" font-size="11">%s</text>`, n(key), inkMuted, k.text)
		key -= 23
		fmt.Fprintf(&b, `<rect x="%s" y="3.5" width="18" height="9" fill="%s" stroke="%s"/>`, n(key), k.fill, inkText)
		key -= 12
	}
	text("Gap", f.total, ` font-weight="650"`)
	part(0, 1, "#d5dbe2", "")
	y += row
	at := 0.0
	drop := func() {
		fmt.Fprintf(&b, `<line x1="%s" y1="%s" x2="%s" y2="%s" stroke="%s" stroke-width="1"/>`, n(left+at*scale), n(y-row+bar+1), n(left+at*scale), n(y+.5), inkMuted)
	}
	for _, s := range steps {
		if at > 0 {
			drop()
		}
		text(s.label, s.text, "")
		from := at
		part(from, s.ready, fillReady, "")
		part(from+s.ready, s.lost, "url(#"+id+"-lost)", "")
		part(from+s.ready+s.lost, s.unmeasured, "url(#"+id+"-unmeasured)", "")
		at += s.sum()
		y += row
	}
	if at > 0 && at < 1 {
		drop()
	}
	label := "Unfunded"
	text(label, f.rest, ` font-weight="650"`)
	part(at, max(0, 1-at), "#fff", ` stroke-dasharray="5 3"`)
	fmt.Fprintf(&b, `<line x1="%s" y1="19" x2="%s" y2="%s" stroke="%s" stroke-width="2"/>`, n(left+scale), n(left+scale), n(y+bar+3), inkGoal)
	y += row
	patterns := ""
	if lost || unmeasured {
		patterns = coveragePatterns(id)
	}
	return fmt.Sprintf(`<svg class="fall" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" role="img" aria-labelledby="%s-title %s-desc" %s font-size="12">`, n(width), n(y), id, id, fonts) +
		`<title id="` + id + `-title">` + escapeXML.Replace(isolated(f.title)) + `, initiative by initiative</title><desc id="` + id + `-desc">` + escapeXML.Replace(strings.TrimSpace(told.String())) + `</desc>` +
		patterns + b.String() + `</svg>`
}

// text draws f with characters, one for each 2.5 % of the gap.
func (f fall) text() string {
	const width = 40
	steps := f.shown()
	wide := len("Unfunded")
	for _, s := range steps {
		wide = max(wide, runes(clip(s.label, 34)))
	}
	var b strings.Builder
	line := func(label, bar, beside string) {
		label = strings.ReplaceAll(clip(label, 34), "`", "'")
		fmt.Fprintf(&b, "%s%s  %s%s  %s\n", isolated(label), strings.Repeat(" ", wide-runes(label)), bar, strings.Repeat(" ", max(0, width-runes(bar))), beside)
	}
	line("Gap", strings.Repeat("█", width), f.total)
	at := 0.0
	place := func(v float64) int { return min(width, int(v*width+.5)) }
	for _, s := range steps {
		bar := strings.Repeat(" ", place(at))
		for _, p := range []struct {
			share float64
			mark  string
		}{{s.ready, "█"}, {s.lost, "▒"}, {s.unmeasured, "?"}} {
			from := place(at)
			at += p.share
			bar += strings.Repeat(p.mark, place(at)-from)
		}
		line(s.label, bar, s.text)
	}
	line("Unfunded", strings.Repeat(" ", place(at))+strings.Repeat("·", width-place(at)), f.rest)
	return b.String()
}
