package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// perspectives is the order of a balanced scorecard's rows, from the top.
var perspectives = []string{"financial", "stakeholder", "customer", "internal process", "process", "learning and growth", "organizational capacity"}

// inMap is how many objectives a map has: more cannot be read on a page.
const inMap = 60

// strategyMap draws the objectives in rows by perspective, or by pillar, with
// lines to what they contribute to. It is "" where there are fewer than two, or
// more than can be read.
func strategyMap(d *Document) (svg string, cut []string) {
	var list []Objective
	served := false // by pillar: what has none is served by what has one
	by := func(o Objective) string { return o.Pillar }
	for _, o := range d.Objectives {
		if o.Name == "" {
			continue
		}
		list = append(list, o)
		served = served || len(o.ContributesTo) > 0
		if o.Perspective != "" {
			by = func(o Objective) string { return o.Perspective }
		}
	}
	if len(list) < 2 || len(list) > inMap {
		return "", nil
	}
	var names []string
	rows := map[string][]Objective{}
	for _, o := range list {
		r := by(o)
		if rows[r] == nil {
			names = append(names, r)
		}
		rows[r] = append(rows[r], o)
	}
	rank := func(r string) int {
		if r == "" && served {
			return -1 // what the pillars serve
		}
		if r == "" {
			return len(perspectives) + 1
		}
		if i := slices.Index(perspectives, strings.ToLower(r)); i >= 0 {
			return i
		}
		return len(perspectives)
	}
	slices.SortStableFunc(names, func(x, y string) int { return cmp.Compare(rank(x), rank(y)) })
	// The margin has room for lines around boxes.
	const width, margin, gapX, gapY, head = 860.0, 14.0, 16.0, 30.0, 22.0
	across := 3
	for _, r := range rows {
		across = max(across, min(4, len(r)))
	}
	box := (width - margin - gapX*float64(across-1)) / float64(across)
	at := map[string]place{}
	var b, boxes, words strings.Builder
	y := 0.0
	for _, r := range names {
		fmt.Fprintf(&boxes, `<text x="0" y="%s" fill="%s" stroke="#fff" stroke-width="4" paint-order="stroke" font-weight="600">%s</text>`, n(y+13), inkMuted, escapeXML.Replace(isolated(cmp.Or(r, "Other objectives"))))
		y += head
		high := 0.0
		for i, o := range rows[r] {
			if i%across == 0 { // the boxes beside each other are as high as the longest title needs
				if i > 0 {
					y += high + 10
				}
				high = 0
				for _, o := range rows[r][i:min(len(rows[r]), i+across)] {
					high = max(high, boxHeight(o.Title, box))
				}
			}
			cut = append(cut, cutShort(o.Title, boxTitle(box), boxLines)...)
			// A row that is not full stands in the middle.
			inRow := min(across, len(rows[r])-i/across*across)
			from := margin + (width-margin-float64(inRow)*box-float64(inRow-1)*gapX)/2
			x := from + float64(i%across)*(box+gapX)
			at[o.Name] = place{x, y, high}
			o.draw(&boxes, x, y, box, high)
			fmt.Fprintf(&words, "%s: %s. ", isolated(o.Title), strings.ToLower(statusWord(o.Status).Text))
		}
		y += high + gapY
	}
	for _, o := range list {
		from := at[o.Name]
		for _, name := range o.ContributesTo {
			to, ok := at[name]
			if !ok {
				continue
			}
			// Lines from different sides arrive at different places.
			lean := min(max((to.x-from.x)*.2, -box/3), box/3)
			x1, y1, x2, y2, tip := from.x+box/2+lean, from.y, to.x+box/2-lean, to.y+to.h, "l-4 7 h8 z"
			switch {
			case to.y > from.y:
				y1, y2, tip = from.y+from.h, to.y, "l-4 -7 h8 z"
			case to.y == from.y && to.x > from.x:
				x1, y1, x2, y2, tip = from.x+box, from.y+from.h/2, to.x, to.y+to.h/2, "l-7 -4 v8 z"
			case to.y == from.y:
				x1, y1, x2, y2, tip = from.x, from.y+from.h/2, to.x+box, to.y+to.h/2, "l7 -4 v8 z"
			}
			// Around what stands between the two, not behind it.
			if side, ok := detour(from, to, box, at); ok {
				fmt.Fprintf(&b, `<polyline points="%s,%s %s,%s %s,%s %s,%s" fill="none" stroke="%s" stroke-width="1.2"/><path d="M%s %s l-7 -4 v8 z" fill="%s"/>`, n(from.x), n(from.y+from.h/2), n(side), n(from.y+from.h/2),
					n(side), n(to.y+to.h/2), n(to.x), n(to.y+to.h/2), inkMuted, n(to.x), n(to.y+to.h/2), inkMuted)
				continue
			}
			fmt.Fprintf(&b, `<line x1="%s" y1="%s" x2="%s" y2="%s" stroke="%s" stroke-width="1.2"/><path d="M%s %s %s" fill="%s"/>`, n(x1), n(y1), n(x2), n(y2), inkMuted, n(x2), n(y2), tip, inkMuted)
		}
	}
	svg = fmt.Sprintf(`<svg class="coverage" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" role="img" aria-label="%s" %s font-size="12">`, n(width), n(y-gapY+4), escapeXML.Replace("Strategy map. "+strings.TrimSpace(words.String())), fonts) +
		b.String() + boxes.String() + `</svg>`
	return svg, cut
}

// place is the corner of a box, and its height.
type place struct{ x, y, h float64 }

// boxLines is how many lines of a title a box shows at most.
const boxLines = 7

// boxTitle is how many letters of the widest usual face a line of a title has.
func boxTitle(w float64) int { return int((w - 26) / 8.2) }

// boxHeight is that of a box with room for its title: three lines at least.
func boxHeight(title string, w float64) float64 {
	return 66 + 13.5*float64(max(0, len(clipLines(title, boxTitle(w), boxLines))-3))
}

// detour is the side on which a line leaves its row where boxes stand in the way of
// the straight one.
func detour(from, to place, w float64, at map[string]place) (side float64, ok bool) {
	side = min(from.x, to.x)
	for _, p := range at {
		if p.y <= min(from.y, to.y) || p.y >= max(from.y, to.y) {
			continue // not between the two rows
		}
		f := (p.y - from.y) / (to.y - from.y)
		x := from.x + w/2 + f*(to.x-from.x)
		if x > p.x-8 && x < p.x+w+8 {
			side, ok = min(side, p.x), true
		}
	}
	return side - 12, ok
}

// links tells whether an objective of d serves another one.
func (d *Document) links() bool {
	return slices.ContainsFunc(d.Objectives, func(o Objective) bool { return len(o.ContributesTo) > 0 })
}

// draw is a box with the status as a bar, a symbol and a word.
func (o Objective) draw(b *strings.Builder, x, y, w, h float64) {
	ink := barInks[o.Status]
	fill := ink.fill
	if fill == "" || strings.HasPrefix(fill, "url(") {
		fill = "#c3cad3"
	}
	b.WriteString(`<g><title>` + escapeXML.Replace(o.Title) + `</title>`)
	fmt.Fprintf(b, `<rect x="%s" y="%s" width="%s" height="%s" fill="#fff" stroke="%s"/>`, n(x+.5), n(y+.5), n(w-1), n(h-1), inkMuted)
	fmt.Fprintf(b, `<rect x="%s" y="%s" width="7" height="%s" fill="%s"/>`, n(x+.5), n(y+.5), n(h-1), fill)
	lines := isolatedLines(clipLines(o.Title, boxTitle(w), boxLines))
	for i, line := range lines {
		fmt.Fprintf(b, `<text x="%s" y="%s" fill="%s" font-weight="600">%s</text>`, n(x+14), n(y+15+float64(i)*13.5), inkText, escapeXML.Replace(line))
	}
	s := statusWord(o.Status)
	known := o.Known
	line := fmt.Sprintf("%s %s · score %s · known %s", s.Symbol, s.Text, score(o.Score), percent(&known))
	if w < 240 { // four in a row
		line = fmt.Sprintf("%s %s · %s · known %s", s.Symbol, s.Text, score(o.Score), percent(&known))
	}
	fmt.Fprintf(b, `<text x="%s" y="%s" fill="%s" font-size="10">%s</text>`, n(x+14), n(y+h-7), inkMuted, escapeXML.Replace(line))
	b.WriteString(`</g>`)
}

// clipLines breaks s between words into lines of so many characters, at most
// most of them.
func clipLines(s string, width, most int) []string {
	var out []string
	line := ""
	for _, word := range strings.Fields(s) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
			out = append(out, line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	out = append(out, line)
	if len(out) > most {
		last := out[most-1]
		for i := strings.LastIndex(last, " "); i > 0 && len([]rune(last)) > width-2; i = strings.LastIndex(last, " ") {
			last = last[:i]
		}
		out = append(out[:most-1], last+" …")
	}
	for i := range out {
		out[i] = clip(out[i], width)
	}
	return out
}

// isolatedLines are the lines of one foreign text, each of which runs as the first.
func isolatedLines(lines []string) []string {
	if all := strings.Join(lines, " "); strings.ContainsFunc(all, rightToLeft) {
		mark := leftMark
		if runsLeft(all) {
			mark = rightMark
		}
		for i, line := range lines {
			lines[i] = string(isolateMark) + string(mark) + line + string(endMark)
		}
	}
	return lines
}

// cutShort is s where clipLines shows less than all of it.
func cutShort(s string, width, most int) []string {
	if strings.Join(clipLines(s, width, most), " ") == strings.Join(strings.Fields(s), " ") {
		return nil
	}
	return []string{s}
}

// inFull are the titles that a picture cuts short, for below it.
func inFull(titles []string) string {
	if len(titles) == 0 {
		return ""
	}
	return "Cut short in the picture: " + strings.Join(allIsolated(titles), "; ") + "."
}
