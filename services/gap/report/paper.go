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
	widths map[rune]float64 // of a bold and a regular character, per point; see width
	bolds  map[rune]float64
}

// newPaper begins a document; foot stands at the bottom of each page.
func newPaper(title string, day calendar.Date, foot string) *paper {
	f := fpdf.New("P", "pt", "A4", "")
	p := &paper{f: f, widths: map[rune]float64{}, bolds: map[rune]float64{}}
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
	f.SetTitle(printable(title), true)
	f.SetLang("en")
	f.SetMargins(pageMargin, pageMargin, pageMargin)
	f.SetAutoPageBreak(false, 0)
	f.SetCellMargin(0)
	f.AddUTF8FontFromBytes(face, regular, dejavusans.TTF)
	f.AddUTF8FontFromBytes(face, bold, dejavusansbold.TTF)
	f.AliasNbPages("{pages}")
	foot = printable(foot)
	f.SetFooterFunc(func() {
		p.write(pageMargin, pageHeight-26, p.fit(foot, 400, 7), regular, inkMuted, 7)
		p.write(pageWidth-pageMargin-66, pageHeight-26, fmt.Sprintf("Page %d of {pages}", f.PageNo()), regular, inkMuted, 7)
	})
	p.page()
	return p
}

func (p *paper) page() {
	p.f.AddPage()
	p.y = pageMargin
}

// room begins a new page where less than height is left on this one.
func (p *paper) room(height float64) {
	if p.y+height > pageBottom && p.y > pageMargin {
		p.page()
	}
}

func (p *paper) gap(height float64) { p.y += height }

func (p *paper) bytes() ([]byte, error) {
	var b bytes.Buffer
	err := p.f.Output(&b)
	return b.Bytes(), err
}

// printable replaces what the fonts cannot number: characters outside the
// basic plane.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r > 0xFFFD || r < ' ' {
			return '\uFFFD'
		}
		return r
	}, s)
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
		w, ok := known[r]
		if !ok {
			p.f.SetFont(face, style, 1000)
			w = p.f.GetStringWidth(string(r)) / 1000
			known[r] = w
		}
		sum += w
	}
	return sum * size
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

// wrap breaks s into lines of a width, between words where it can.
func (p *paper) wrap(s, style string, size, width float64) []string {
	s = printable(s)
	if p.width(s, style, size) <= width {
		return []string{s}
	}
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
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
			k := 0
			r := []rune(word)
			for k < len(r)-1 && p.width(string(r[:k+1]), style, size) <= width {
				k++
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
	return lines
}

// write sets one line with its baseline at y.
func (p *paper) write(x, y float64, s, style, hex string, size float64) {
	p.f.SetFont(face, style, size)
	p.ink(hex)
	p.f.Text(x, y, s)
}

// text sets a paragraph over the whole width.
func (p *paper) text(s, style, hex string, size float64) {
	p.textIn(pageMargin, textWidth, s, style, hex, size)
}

func (p *paper) textIn(x, width float64, s, style, hex string, size float64) {
	if s == "" {
		return
	}
	for _, line := range p.wrap(s, style, size, width) {
		p.room(size * leading)
		p.write(x, p.y+size, line, style, hex, size)
		p.y += size * leading
	}
}

func (p *paper) body(s string) { p.text(s, regular, inkText, bodySize) }

// heading is a line with a bookmark; deeper levels are smaller. keep is how much
// room must follow it on the page.
func (p *paper) heading(level int, s string, keep float64) {
	size := []float64{17, 13, 11, 9.5}[level]
	lines := p.wrap(s, bold, size, textWidth)
	if p.y > pageMargin {
		p.gap(size * 0.8)
	}
	p.room(float64(len(lines))*size*leading + keep)
	p.f.Bookmark(printable(s), max(0, level-1), p.y)
	for _, line := range lines {
		p.write(pageMargin, p.y+size, line, bold, inkText, size)
		p.y += size * leading
	}
	p.gap(size * 0.25)
}

// cell is the content of a table.
type tableCell struct {
	text string
	bold bool
	fill string // a colour behind it; "" for none
	ink  string // "" is that of text
}

// tableColumn is a share of the width of the page.
type tableColumn struct {
	title string
	share float64
	right bool
}

const cellPad = 3.0

// shares is the width of each column: as declared, but no word of a heading is
// broken while another column has room to give.
func (p *paper) shares(columns []tableColumn, size float64) []float64 {
	total := 0.0
	for _, c := range columns {
		total += c.share
	}
	width, least := make([]float64, len(columns)), make([]float64, len(columns))
	missing, spare := 0.0, 0.0
	for i, c := range columns {
		width[i] = c.share / total * textWidth
		for _, word := range strings.Fields(c.title) {
			least[i] = max(least[i], p.width(word, bold, size)+2*cellPad+0.1)
		}
		missing += max(0, least[i]-width[i])
		spare += max(0, width[i]-least[i])
	}
	if missing == 0 || spare < missing {
		return width
	}
	for i := range width {
		if width[i] < least[i] {
			width[i] = least[i]
		} else {
			width[i] -= (width[i] - least[i]) * missing / spare
		}
	}
	return width
}

// table sets rows under a head that is repeated on each page.
func (p *paper) table(columns []tableColumn, rows [][]tableCell) {
	p.tableIn(columns, rows, smallSize)
}

func (p *paper) tableIn(columns []tableColumn, rows [][]tableCell, size float64) {
	width := p.shares(columns, size)
	head := make([]tableCell, len(columns))
	for i, c := range columns {
		head[i] = tableCell{text: c.title, bold: true, ink: inkText, fill: "#e8edf3"}
	}
	set := func(row []tableCell) float64 {
		height := 0.0
		for i, c := range row {
			height = max(height, float64(len(p.wrapCell(c, width[i], size)))*size*leading)
		}
		return height + 4
	}
	draw := func(row []tableCell) {
		height, x := set(row), pageMargin
		for i, c := range row {
			if c.fill != "" {
				p.f.SetFillColor(rgb(c.fill))
				p.f.Rect(x, p.y, width[i], height, "F")
			}
			style, ink := regular, inkText
			if c.bold {
				style = bold
			}
			if c.ink != "" {
				ink = c.ink
			}
			for k, line := range p.wrapCell(c, width[i], size) {
				at := x + cellPad
				if columns[i].right {
					at = x + width[i] - cellPad - p.width(line, style, size)
				}
				p.write(at, p.y+2+size+float64(k)*size*leading, line, style, ink, size)
			}
			x += width[i]
		}
		p.y += height
		p.f.SetDrawColor(rgb("#c9d1da"))
		p.f.SetLineWidth(0.4)
		p.f.Line(pageMargin, p.y, pageMargin+textWidth, p.y)
	}
	first := set(head)
	if len(rows) > 0 {
		first += min(set(rows[0]), 200)
	}
	p.room(first)
	draw(head)
	for _, r := range rows {
		if p.y+set(r) > pageBottom && p.y > pageMargin+set(head) {
			p.page()
			draw(head)
		}
		draw(r)
	}
	p.gap(6)
}

const mostCellLines = 14

func (p *paper) wrapCell(c tableCell, width, size float64) []string {
	style := regular
	if c.bold {
		style = bold
	}
	lines := p.wrap(c.text, style, size, width-2*cellPad)
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
	if err := p.draw(svg, x, p.y, scale); err != nil {
		p.f.SetError(err)
	}
	p.y += size.height * scale
}
