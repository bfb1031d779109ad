package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"setpoint.dev/services/gap"
)

// Heat is how many of the periods of a unit's targets were met, by period. Where
// no target has a unit, its rows are objectives.
type Heat struct {
	Cadence string    `json:"cadence"`
	By      string    `json:"by"` // unit, objective
	Columns []Column  `json:"columns"`
	Rows    []HeatRow `json:"rows"`
}

// HeatRow is one unit or objective.
type HeatRow struct {
	Name  string     `json:"name"`
	Title string     `json:"title"`
	Cells []HeatCell `json:"cells"`
}

// HeatCell counts periods by how they ended; NoData are closed ones that could
// not be judged.
type HeatCell struct {
	Met    int `json:"met"`
	Near   int `json:"near"`
	NotMet int `json:"notMet"`
	NoData int `json:"noData"`
}

// inHeat is how many rows a picture has; the worst stand first.
const inHeat = 40

func (c HeatCell) judged() int { return c.Met + c.Near + c.NotMet }

// heat sums the grids up.
func (b *builder) heat(d *Document) []Heat {
	by := "objective"
	for _, t := range d.Targets {
		if t.Unit != "" {
			by = "unit"
			break
		}
	}
	targets := d.targetsByName()
	var out []Heat
	for _, g := range d.Grids {
		h := Heat{Cadence: g.Cadence, By: by, Columns: g.Columns}
		rows := map[string]*HeatRow{}
		for _, group := range g.Groups {
			for _, r := range group.Rows {
				t := targets[r.Target]
				name, title := t.Objective, cmp.Or(t.ObjectiveTitle, "Without an objective")
				if by == "unit" {
					name, title = t.Unit, cmp.Or(tidy(b.units[t.Unit].Title), t.Unit, "Without a unit")
				}
				row := rows[name]
				if row == nil {
					row = &HeatRow{Name: name, Title: title, Cells: make([]HeatCell, len(g.Columns))}
					rows[name] = row
				}
				for i := range r.Cells {
					p := r.cell(t, i)
					if p == nil {
						continue
					}
					switch c := &row.Cells[i]; p.State {
					case gap.PeriodMet:
						c.Met++
					case gap.PeriodNear:
						c.Near++
					case gap.PeriodNotMet:
						c.NotMet++
					case gap.PeriodNoData:
						c.NoData++
					}
				}
			}
		}
		judged := 0
		for _, r := range rows {
			h.Rows = append(h.Rows, *r)
			for _, c := range r.Cells {
				judged += c.judged()
			}
		}
		if judged == 0 {
			continue
		}
		h.trim()
		share := func(r HeatRow) float64 {
			met, all := 0, 0
			for _, c := range r.Cells {
				met, all = met+c.Met, all+c.judged()
			}
			if all == 0 {
				return 2 // nothing judged: last
			}
			return float64(met) / float64(all)
		}
		slices.SortFunc(h.Rows, func(x, y HeatRow) int {
			return cmp.Or(cmp.Compare(share(x), share(y)), cmp.Compare(x.Title, y.Title), cmp.Compare(x.Name, y.Name))
		})
		out = append(out, h)
	}
	return out
}

// trim drops the periods at the end in which nothing has ended.
func (h *Heat) trim() {
	last := 0
	for _, r := range h.Rows {
		for i, c := range r.Cells {
			if c.judged()+c.NoData > 0 {
				last = max(last, i+1)
			}
		}
	}
	h.Columns = h.Columns[:last]
	for i := range h.Rows {
		h.Rows[i].Cells = h.Rows[i].Cells[:last]
	}
}

// drawn are the rows of the picture: those of which something could be judged, the
// worst first.
func (h *Heat) drawn() []HeatRow {
	var out []HeatRow
	for _, r := range h.Rows {
		if r.judged() > 0 && len(out) < inHeat {
			out = append(out, r)
		}
	}
	return out
}

func (r HeatRow) judged() int {
	n := 0
	for _, c := range r.Cells {
		n += c.judged()
	}
	return n
}

// words show a cell: 3 of 4 met.
func (c HeatCell) words() string {
	switch {
	case c.judged() > 0:
		return count(c.Met) + "/" + count(c.judged())
	case c.NoData > 0:
		return "?"
	}
	return ""
}

func (h *Heat) block() block {
	b := block{
		heading: "Heat map: " + h.By + " by period, " + h.Cadence,
		intro:   "Of each period: how many were met of those judged; the lowest share stands first.",
		svg:     h.svg(), sheet: "Heat map " + h.Cadence,
	}
	b.head = []string{strings.ToUpper(h.By[:1]) + h.By[1:]}
	for _, c := range h.Columns {
		b.head = append(b.head, c.Period+":")
	}
	for _, r := range h.Rows {
		row := []blockCell{{text: r.Title}}
		for _, c := range r.Cells {
			cell := blockCell{text: c.words()}
			if n := c.judged(); n > 0 {
				share := float64(c.Met) / float64(n)
				cell.share = &share
			}
			row = append(row, cell)
		}
		b.rows = append(b.rows, row)
	}
	var cut []string
	drawn := h.drawn()
	for _, r := range drawn {
		cut = append(cut, cutShort(r.Title, heatTitle, heatLines)...)
	}
	b.cut = inFull(cut)
	idle := 0
	for _, r := range h.Rows {
		if r.judged() == 0 {
			idle++
		}
	}
	if n := len(h.Rows) - idle - len(drawn); n > 0 {
		b.cut = strings.TrimSpace(b.cut + " " + fmt.Sprintf("The picture has the %d rows with the lowest share; %s more are in the workbook.", len(drawn), count(n)))
	}
	if idle > 0 {
		b.cut = strings.TrimSpace(b.cut + " Of " + plural(idle, "more "+h.By) + " no period could be judged.")
	}
	return b
}

// The inks go from light to dark as less is met.
func (c HeatCell) inks() (fill, ink string) {
	switch share := float64(c.Met) / float64(max(1, c.judged())); {
	case c.judged() == 0:
		return "#f6f7f9", inkMuted
	case share == 1:
		return "#d9efe3", inkText
	case share >= .75:
		return "#f8dd93", inkText
	case share >= .5:
		return "#e69a3c", inkText
	case share > 0:
		return "#c4452f", "#fff"
	}
	return "#7a1a17", "#fff"
}

// A title takes up to so many characters a line, and so many lines.
const heatTitle, heatLines = 32, 5

func (h *Heat) svg() string {
	const width, left, top = 860.0, 230.0, 26.0
	rows := h.drawn()
	cell := (width - left) / float64(max(6, len(h.Columns))) // a few are not stretched
	var b strings.Builder
	for i, c := range h.Columns {
		fmt.Fprintf(&b, `<text x="%s" y="18" text-anchor="middle" fill="%s">%s</text>`, n(left+cell*(float64(i)+.5)), inkMuted, escapeXML.Replace(clip(c.Period, 12)))
	}
	y := top
	for _, r := range rows {
		lines := isolatedLines(clipLines(r.Title, heatTitle, heatLines))
		row := 23 + 14*float64(len(lines)-1)
		b.WriteString(`<g><title>` + escapeXML.Replace(r.Title) + `</title>`)
		for k, line := range lines {
			fmt.Fprintf(&b, `<text x="%s" y="%s" text-anchor="end" fill="%s">%s</text>`, n(left-8), n(y+16+14*float64(k)), inkText, escapeXML.Replace(line))
		}
		b.WriteString(`</g>`)
		for i, c := range r.Cells {
			if c.judged() == 0 && c.NoData == 0 {
				continue
			}
			fill, ink := c.inks()
			x := left + cell*float64(i)
			fmt.Fprintf(&b, `<rect x="%s" y="%s" width="%s" height="%s" fill="%s"/>`, n(x+1), n(y+1), n(cell-2), n(row-2), fill)
			fmt.Fprintf(&b, `<text x="%s" y="%s" text-anchor="middle" fill="%s" font-weight="600">%s</text>`, n(x+cell/2), n(y+row/2+4.5), ink, c.words())
		}
		y += row
	}
	// The key.
	y += 14
	x := left
	for _, k := range []struct {
		cell HeatCell
		text string
	}{{HeatCell{Met: 1}, "all met"}, {HeatCell{Met: 3, NotMet: 1}, "3/4 or more"}, {HeatCell{Met: 1, NotMet: 1}, "half or more"}, {HeatCell{Met: 1, NotMet: 3}, "fewer"}, {HeatCell{NotMet: 1}, "none"}, {HeatCell{NoData: 1}, "? closed, not judged"}} {
		fill, _ := k.cell.inks()
		fmt.Fprintf(&b, `<rect x="%s" y="%s" width="18" height="12" fill="%s" stroke="%s" stroke-width="0.6"/><text x="%s" y="%s" fill="%s" font-size="11">%s</text>`, n(x+1), n(y), fill, inkMuted, n(x+25), n(y+10), inkMuted, k.text)
		x += 25 + 6.6*float64(len(k.text)) + 10
	}
	height := y + 18
	return fmt.Sprintf(`<svg class="coverage" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" role="img" aria-label="%s" %s font-size="12.5">`, n(width), n(height), escapeXML.Replace("Periods met by "+h.By+", "+h.Cadence+". "+h.told()), fonts) + b.String() + `</svg>`
}

// told is the picture in words, for those who do not see it.
func (h *Heat) told() string {
	var out []string
	for _, r := range h.drawn() {
		met, judged := 0, 0
		for _, c := range r.Cells {
			met, judged = met+c.Met, judged+c.judged()
		}
		out = append(out, fmt.Sprintf("%s: %s of %s.", isolated(r.Title), count(met), count(judged)))
	}
	return strings.Join(out, " ")
}
