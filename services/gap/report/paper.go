package report

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"codeberg.org/go-fonts/dejavu/dejavusans"
	"codeberg.org/go-fonts/dejavu/dejavusansbold"
	"codeberg.org/go-pdf/fpdf"

	"setpoint.dev/services/internal/calendar"
)

// Sizes of an A4 page in points.
const (
	pageWidth  = 595.28
	pageHeight = 841.89
	pageMargin = 42.0
	textWidth  = pageWidth - 2*pageMargin
	pageBottom = pageHeight - 50
	bodySize   = 8.5
	smallSize  = 7.5
	leading    = 1.35 // line height of a text, by its size
)

const (
	face    = "DejaVu"
	regular = ""
	bold    = "B"
)

// paper lays text, tables and pictures on pages from top to bottom. Fonts are
// embedded as the part that is used; what is written can be searched.
type paper struct {
	f      *fpdf.Fpdf
	y      float64
	zoom   float64          // of all sizes of letters
	widths map[rune]float64 // of a bold and a regular character, per point; see width
	bolds  map[rune]float64
	foot   string
	// dry lays out and draws nothing; begun counts the pages it would have taken.
	dry   bool
	begun int
	// deeper is how many bookmarks stand above those of the level of a heading.
	deeper int
	unset  unset
}

// newPaper begins a document; foot stands at the bottom of each page.
func newPaper(title string, day calendar.Date, foot string) *paper {
	f := fpdf.New("P", "pt", "A4", "")
	p := &paper{f: f, zoom: 1, widths: map[rune]float64{}, bolds: map[rune]float64{}, unset: unset{}}
	at := time.Unix(0, 0).UTC()
	if !day.IsZero() {
		at = day.Time().UTC()
	}
	// What the library takes from the clock or from a map's order is pinned.
	f.SetCreationDate(at)
	f.SetModificationDate(at)
	f.SetCatalogSort(true)
	f.SetProducer("setpoint", true)
	f.SetCreator("setpoint", true)
	f.SetTitle(strings.ToValidUTF8(title, "\uFFFD"), true)
	f.SetLang("en")
	f.SetMargins(pageMargin, pageMargin, pageMargin)
	f.SetAutoPageBreak(false, 0)
	f.SetCellMargin(0)
	f.AddUTF8FontFromBytes(face, regular, dejavusans.TTF)
	f.AddUTF8FontFromBytes(face, bold, dejavusansbold.TTF)
	p.foot = foot
	p.page()
	return p
}

func (p *paper) page() {
	if p.begun++; !p.dry {
		p.f.AddPage()
	}
	p.y = pageMargin
}

// tried tells how many pages more than the running one what lay sets would take;
// nothing is drawn.
func (p *paper) tried(lay func()) int {
	y, begun, zoom := p.y, p.begun, p.zoom
	p.dry = true
	lay()
	took := p.begun - begun
	p.dry, p.y, p.begun, p.zoom = false, y, begun, zoom
	return took
}

// room begins a new page where less than height is left on this one.
func (p *paper) room(height float64) {
	if p.y+height > pageBottom && p.y > pageMargin {
		p.page()
	}
}

func (p *paper) gap(height float64) { p.y += height }

// bytes ends the document: with the feet, which name the number of pages, and
// with what could not be set as it is written.
func (p *paper) bytes() ([]byte, error) {
	const size = 7.0
	pages := p.f.PageCount()
	p.zoom = 1
	for i := 1; i <= pages; i++ {
		p.f.SetPage(i)
		p.f.SetFont(face, bold, size) // so that the page's own stream chooses the face again
		p.write(pageMargin, pageHeight-26, p.fit(string(leftMark)+p.shown(p.foot), 430, size), regular, inkMuted, size)
		number := fmt.Sprintf("Page %d of %d", i, pages)
		p.write(pageWidth-pageMargin-p.width(number, regular, size), pageHeight-26, number, regular, inkMuted, size)
	}
	if notes := p.unset.notes(); len(notes) > 0 {
		p.f.SetPage(1)
		for i, line := range p.wrap(strings.Join(notes, " "), bold, 6.5, textWidth) {
			p.f.SetFont(face, regular, size)
			p.write(pageMargin, pageHeight-46+float64(i)*8, line, bold, inkText, 6.5)
		}
		p.f.SetPage(pages) // the library ends the document with the page it is on
	}
	var b bytes.Buffer
	err := p.f.Output(&b)
	return b.Bytes(), err
}

func rgb(hex string) (r, g, b int) {
	if len(hex) == 4 {
		hex = "#" + strings.Repeat(hex[1:2], 2) + strings.Repeat(hex[2:3], 2) + strings.Repeat(hex[3:4], 2)
	}
	if _, err := fmt.Sscanf(hex, "#%02x%02x%02x", &r, &g, &b); err != nil {
		return 0, 0, 0
	}
	return r, g, b
}

func (p *paper) ink(hex string) { p.f.SetTextColor(rgb(hex)) }

// width is that of s in points. The font must be the one that s is set in.
func (p *paper) width(s, style string, size float64) float64 {
	known := p.widths
	if style == bold {
		known = p.bolds
	}
	sum := 0.0
	for _, r := range s {
		if directs(r) {
			continue
		}
		w, ok := known[r]
		if !ok {
			p.f.SetFont(face, style, 1000)
			w = p.f.GetStringWidth(string(r)) / 1000
			known[r] = w
		}
		sum += w
	}
	return sum * size * p.zoom
}

// fit cuts s to a width.
func (p *paper) fit(s string, width, size float64) string {
	if p.width(s, regular, size) <= width {
		return s
	}
	r := []rune(s)
	for len(r) > 0 && p.width(string(r)+"…", regular, size) > width {
		r = r[:len(r)-1]
	}
	return string(r) + "…"
}

// wrap breaks s into lines of a width, between words where it can. A number keeps
// its unit and its sign beside it.
func (p *paper) wrap(s, style string, size, width float64) []string {
	s = keepTogether.Replace(p.shown(s))
	if p.width(s, style, size) <= width {
		return []string{s}
	}
	var lines []string
	line := ""
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' }) {
		joined := word
		if line != "" {
			joined = line + " " + word
		}
		if p.width(joined, style, size) <= width {
			line = joined
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for p.width(word, style, size) > width {
			r := []rune(word)
			k, last := 0, 0
			for k < len(r)-1 && p.width(string(r[:k+1]), style, size) <= width {
				k++
				if strings.ContainsRune("\u00a0-/_", r[k-1]) {
					last = k // rather there than within a word or a number
				}
			}
			if last > 0 {
				k = last
			}
			k = max(k, 1)
			lines, word = append(lines, string(r[:k])), string(r[k:])
			if len(r) <= 1 {
				break
			}
		}
		line = word
	}
	if line != "" {
		lines = append(lines, line)
	}
	return running(s, lines)
}

// keepTogether joins what must not be parted at the end of a line.
var keepTogether = strings.NewReplacer(" %", "\u00a0%", " pp", "\u00a0pp", "≤ ", "≤\u00a0", "≥ ", "≥\u00a0", "− ", "−\u00a0")

// write sets one line with its baseline at y.
func (p *paper) write(x, y float64, s, style, hex string, size float64) {
	if p.dry {
		return
	}
	p.f.SetFont(face, style, size*p.zoom)
	p.ink(hex)
	p.f.Text(x, y, visual(s))
}

// text sets a paragraph over the whole width.
func (p *paper) text(s, style, hex string, size float64) {
	p.textIn(pageMargin, textWidth, s, style, hex, size)
}

func (p *paper) textIn(x, width float64, s, style, hex string, size float64) {
	if s == "" {
		return
	}
	height := size * p.zoom
	for _, line := range p.wrap(s, style, size, width) {
		p.room(height * leading)
		p.write(x, p.y+height, line, style, hex, size)
		p.y += height * leading
	}
}

func (p *paper) body(s string) { p.text(s, regular, inkText, bodySize) }

// heading is a line with a bookmark; deeper levels are smaller. keep is how much
// room must follow it on the page.
func (p *paper) heading(level int, s string, keep float64) {
	size := []float64{17, 13, 10.5, 9.5}[level]
	lines := p.wrap(s, bold, size, textWidth)
	height := size * p.zoom
	if p.y > pageMargin {
		p.gap(height * 0.8)
	}
	p.room(float64(len(lines))*height*leading + keep)
	if !p.dry {
		p.f.Bookmark(p.shown(s), max(0, level-1)+p.deeper, p.y)
	}
	for _, line := range lines {
		p.write(pageMargin, p.y+height, line, bold, inkText, size)
		p.y += height * leading
	}
	p.gap(height * 0.2)
}

// cell is the content of a table; a line feed begins a line of its own.
type tableCell struct {
	text string
	bold bool
	fill string // a colour behind it; "" for none
	ink  string // "" is that of text
	mark *stamp // in front of the text
}

// stamp is a small square with a symbol, as statuses have.
type stamp struct{ symbol, fill, ink string }

// tableColumn is a share of the width of the page.
type tableColumn struct {
	title string
	share float64
	right bool
}

const (
	cellPad    = 3.0
	stampSpace = 1.75 // of the size of letters: a stamp and the blank behind it
	// inMeasure is how many rows are looked at for the width of a column.
	inMeasure = 400
)

// shares is the width of each column: as declared, but no word or number is
// broken while another column has room to give.
func (p *paper) shares(columns []tableColumn, rows [][]tableCell, size float64) []float64 {
	total := 0.0
	for _, c := range columns {
		total += c.share
	}
	width, least := make([]float64, len(columns)), make([]float64, len(columns))
	const most = textWidth * .34 // of one column's longest word
	wide := func(i int, c tableCell) {
		style := regular
		if c.bold {
			style = bold
		}
		for _, line := range strings.Split(c.text, "\n") {
			for _, word := range strings.FieldsFunc(keepTogether.Replace(line), func(r rune) bool { return r == ' ' }) {
				w := p.width(word, style, size) + 2*cellPad + 0.1
				if c.mark != nil { // its lines stand beside it, all of them
					w += stampSpace * size * p.zoom
				}
				least[i] = max(least[i], min(w, most))
			}
		}
	}
	for i, c := range columns {
		width[i] = c.share / total * textWidth
		wide(i, tableCell{text: c.title, bold: true})
	}
	for _, r := range rows[:min(len(rows), inMeasure)] {
		if len(r) == len(columns) && r[0].fill != groupFill {
			for i, c := range r {
				wide(i, c)
			}
		}
	}
	missing, spare, sum := 0.0, 0.0, 0.0
	for i := range columns {
		missing += max(0, least[i]-width[i])
		spare += max(0, width[i]-least[i])
		sum += least[i]
	}
	if missing == 0 {
		return width
	}
	for i := range width {
		switch {
		case spare < missing: // there is not room for all: each gives alike
			width[i] = least[i] / sum * textWidth
		case width[i] < least[i]:
			width[i] = least[i]
		default:
			width[i] -= (width[i] - least[i]) * missing / spare
		}
	}
	return width
}

// groupFill is behind a row that heads those below it.
const groupFill = "#f3f5f8"

// table sets rows under a head that is repeated on each page.
func (p *paper) table(columns []tableColumn, rows [][]tableCell) {
	p.tableIn(columns, rows, smallSize)
}

func (p *paper) tableIn(columns []tableColumn, rows [][]tableCell, size float64) {
	width := p.shares(columns, rows, size)
	head := make([]tableCell, len(columns))
	for i, c := range columns {
		head[i] = tableCell{text: c.title, bold: true, ink: inkText, fill: "#e8edf3"}
	}
	line := size * p.zoom * leading
	// A group's title runs over the whole row.
	isGroup := func(row []tableCell) bool { return row[0].fill == groupFill }
	lay := func(row []tableCell) (lines [][]string, height float64) {
		lines = make([][]string, len(row))
		for i, c := range row {
			w := width[i]
			if i == 0 && isGroup(row) {
				w = textWidth
			}
			lines[i] = p.wrapCell(c, w, size)
			height = max(height, float64(len(lines[i]))*line)
		}
		return lines, height + 4
	}
	draw := func(row []tableCell, lines [][]string, height float64) {
		defer func() { p.y += height }()
		if p.dry {
			return
		}
		x := pageMargin
		for i, c := range row {
			if c.fill != "" {
				w := width[i]
				if i == 0 && isGroup(row) {
					w = textWidth
				}
				p.f.SetFillColor(rgb(c.fill))
				p.f.Rect(x, p.y, w, height, "F")
			}
			style, ink := regular, inkText
			if c.bold {
				style = bold
			}
			if c.ink != "" {
				ink = c.ink
			}
			shift := 0.0
			if c.mark != nil {
				shift = stampSpace * size * p.zoom
				p.stamp(x+cellPad, p.y+2+size*p.zoom*.12, size*p.zoom*1.22, *c.mark)
			}
			for k, text := range lines[i] {
				at := x + cellPad + shift
				if columns[i].right {
					at = x + width[i] - cellPad - p.width(text, style, size)
				}
				p.write(at, p.y+2+size*p.zoom+float64(k)*line, text, style, ink, size)
			}
			x += width[i]
		}
		p.f.SetDrawColor(rgb("#c9d1da"))
		p.f.SetLineWidth(0.4)
		p.f.Line(pageMargin, p.y+height, pageMargin+textWidth, p.y+height)
	}
	headLines, headHeight := lay(head)
	first := headHeight
	for i, r := range rows {
		_, h := lay(r)
		first += min(h, 200)
		if i > 0 || !isGroup(r) { // a group's title is not left alone
			break
		}
	}
	p.room(first)
	draw(head, headLines, headHeight)
	for i, r := range rows {
		lines, height := lay(r)
		keep := height
		if isGroup(r) && i+1 < len(rows) {
			_, next := lay(rows[i+1])
			keep += next
		}
		if p.y+keep > pageBottom && p.y > pageMargin+headHeight {
			p.page()
			draw(head, headLines, headHeight)
		}
		draw(r, lines, height)
	}
	p.gap(6)
}

// stamp draws a square with a symbol in its middle.
func (p *paper) stamp(x, y, size float64, s stamp) {
	if p.dry {
		return
	}
	f := p.f
	f.SetAlpha(1, "Normal")
	how := "F"
	if s.fill == "" {
		s.fill, how = "#fff", "FD"
		f.SetDrawColor(rgb("#98a2af"))
		f.SetLineWidth(0.6)
		f.SetDashPattern(nil, 0)
	}
	f.SetFillColor(rgb(s.fill))
	f.RoundedRect(x, y, size, size, size*.22, "1234", how)
	letter := size * .66 / p.zoom
	p.write(x+(size-p.width(s.symbol, bold, letter))/2, y+size*.74, s.symbol, bold, s.ink, letter)
}

const mostCellLines = 14

func (p *paper) wrapCell(c tableCell, width, size float64) []string {
	style := regular
	if c.bold {
		style = bold
	}
	width -= 2 * cellPad
	if c.mark != nil {
		width -= stampSpace * size * p.zoom
	}
	var lines []string
	for _, part := range strings.Split(c.text, "\n") {
		lines = append(lines, p.wrap(part, style, size, width)...)
	}
	if len(lines) > mostCellLines {
		lines = append(lines[:mostCellLines-1:mostCellLines-1], "…")
	}
	return lines
}

// picture draws an SVG of this package over a width, keeping its proportions.
func (p *paper) picture(svg string, x, width float64) {
	if svg == "" {
		return
	}
	size, err := drawnSize(svg)
	if err != nil {
		p.f.SetError(err)
		return
	}
	scale := width / size.width
	p.room(size.height * scale)
	if !p.dry {
		if err := p.draw(svg, x, p.y, scale); err != nil {
			p.f.SetError(err)
		}
	}
	p.y += size.height * scale
}
