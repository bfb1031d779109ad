package report

import (
	"fmt"
	"strings"

	"setpoint.dev/services/gap"
)

// Audiences, from the least deep to the deepest.
const (
	// Board is the summary and what stands out: no page for each target.
	Board = "board"
	// Owner adds an objective a page.
	Owner = "owner"
	// Analyst adds how each status came about; the default.
	Analyst = "analyst"
)

// block is a part of the report that every format shows alike: a heading, a
// sentence, a picture where pictures can be shown, else a table.
type block struct {
	heading, intro string
	svg            string
	head           []string // a colon at the end: numbers, aligned to the right
	rows           [][]blockCell
	foot           string
	cut            string // below the picture: what it does not show in full
	keepTable      bool   // beside the picture
	sheet          string
}

type blockCell struct {
	text   string
	status gap.Status // shown in front of the text; "" for none
	target string     // name of a target that it leads to
	share  *float64   // what text shows as a number
}

func (d *Document) deep() bool    { return d.Audience == "" || d.Audience == Analyst }
func (d *Document) shallow() bool { return d.Audience == Board }

// onTop are the blocks of the summary, with at most so many rows each.
func (d *Document) onTop(rows int) []block {
	var out []block
	if s := d.Since; s != nil {
		b := s.block("What moved", min(len(s.Moves), rows))
		b.intro = s.Sentence
		if s.Note != "" {
			b.intro += " " + s.Note
		}
		if n := len(s.Moves) - len(b.rows); n > 0 {
			b.foot = fmt.Sprintf("and %s more.", count(n))
			if !d.shallow() {
				b.sheet = "" // the full list has it
			}
		}
		if len(s.Removed) > 0 {
			b.foot = strings.TrimSpace(b.foot + " No longer declared: " + strings.Join(allIsolated(s.Removed), "; ") + ".")
		}
		out = append(out, b)
	}
	if len(d.Misses) > 0 {
		b := block{heading: "What will be missed, and what would fix it", head: []string{"Target", "Probability:", "Forecast", "What would fix it"}, sheet: "Will be missed"}
		most := min(len(d.Misses), rows)
		for _, m := range d.Misses[:most] {
			p := m.Attainment
			b.rows = append(b.rows, []blockCell{{text: m.Title, target: m.Target}, {text: probability(&p), share: &p}, {text: m.Expect}, {text: m.Fix}})
		}
		b.intro = fmt.Sprintf("As the values go on, %s will rather be missed than reached.", plural(len(d.Misses), "target"))
		if n := len(d.Misses) - most; n > 0 {
			b.foot = fmt.Sprintf("and %s more; each is told at its target.", count(n))
		}
		out = append(out, b)
	}
	if len(d.Decisions) > 0 {
		b := d.decisions()
		if n := len(b.rows) - rows; n > 0 {
			b.rows, b.foot = b.rows[:rows], fmt.Sprintf("and %s more.", count(n))
		}
		out = append(out, b)
	}
	return out
}

// block lists the first most moves.
func (s *Since) block(heading string, most int) block {
	b := block{heading: heading, head: []string{"Target", "Before", "Now", "What", "What did it"}, sheet: "What moved"}
	for i := range s.Moves[:most] {
		m := &s.Moves[i]
		b.rows = append(b.rows, []blockCell{{text: m.Title, target: m.Target}, {status: m.Before}, {status: m.After}, {text: m.What}, {text: m.causeWords()}})
	}
	return b
}

// decisions are those of the reviews.
func (d *Document) decisions() block {
	b := block{heading: "Decisions of the last reviews", head: []string{"Due", "Decision", "About", "Owner", "Review"}}
	for i := range d.Decisions {
		x := &d.Decisions[i]
		due := x.Stands()
		if x.Overdue {
			due = "▼ " + due
		}
		about := blockCell{text: x.AboutWords()}
		if len(x.Targets) == 1 && len(x.About) == 1 {
			about.target = x.Targets[0]
		}
		b.rows = append(b.rows, []blockCell{{text: due}, {text: x.Title}, about, {text: x.Owner}, {text: x.Of()}})
	}
	return b
}

// overview are the strategy map and the heat maps.
func (d *Document) overview() []block {
	var out []block
	if svg, cut := strategyMap(d); svg != "" {
		b := block{heading: "Strategy map", intro: "What serves what: a line leads from an objective up to the one it contributes to.", svg: svg,
			head: []string{"Objective", "Status", "Serves"}, cut: inFull(cut)}
		if !d.links() {
			b.intro = "No objective is declared to serve another one."
		}
		for _, o := range d.Objectives {
			if o.Name != "" {
				b.rows = append(b.rows, []blockCell{{text: o.Title}, {status: o.Status}, {text: orAbsent(strings.Join(allIsolated(o.Serves), "; "))}})
			}
		}
		out = append(out, b)
	}
	for i := range d.Heat {
		out = append(out, d.Heat[i].block())
	}
	if s := d.Since; s != nil && len(s.Moves) > inHeadline && !d.shallow() {
		out = append(out, s.block("All that moved", len(s.Moves)))
	}
	if len(d.Decisions) > inHeadline && !d.shallow() {
		b := d.decisions()
		b.heading = "All decisions"
		out = append(out, b)
	}
	return out
}

func (m *markdown) blocks(list []block) {
	for _, b := range list {
		m.printf("## %s\n\n", md(b.heading))
		m.paragraph(md(b.intro))
		if len(b.rows) > 0 {
			head := make([]string, len(b.head))
			for i, h := range b.head {
				title, right := strings.CutSuffix(h, ":")
				head[i] = md(title)
				if right {
					head[i] += ":"
				}
			}
			t := newTable(head...)
			for _, r := range b.rows {
				var cells []string
				for _, c := range r {
					cells = append(cells, c.markdown())
				}
				t.row(cells...)
			}
			m.table(t)
		}
		m.paragraph(md(b.foot))
	}
}

func (c blockCell) markdown() string {
	if c.status != "" {
		return strings.TrimSpace(statusMD(c.status, "") + " " + md(c.text))
	}
	return md(orAbsent(c.text))
}

type (
	blockView struct {
		Heading, Intro, Foot string
		SVG                  any
		Head                 []headView
		Rows                 [][]blockCellView
	}
	headView struct {
		Title string
		Right bool
	}
	blockCellView struct {
		Text, ID, Label string
		Status          *statusView
		Right, Row      bool
		Short           bool // a day or a word, which is not to be broken
	}
)

func newBlocks(list []block, byName map[string]*targetView) []blockView {
	var out []blockView
	for _, b := range list {
		v := blockView{Heading: b.heading, Intro: keepUnits.Replace(b.intro), Foot: strings.TrimSpace(b.foot + " " + b.cut), SVG: trusted(b.svg)}
		if b.svg == "" || b.keepTable {
			for _, h := range b.head {
				title, right := strings.CutSuffix(h, ":")
				v.Head = append(v.Head, headView{title, right})
			}
			for _, r := range b.rows {
				var row []blockCellView
				for i, c := range r {
					cell := blockCellView{Text: keepUnits.Replace(c.text), Label: v.Head[i].Title, Right: v.Head[i].Right, Row: i == 0, Short: v.Head[i].Title == "Due"}
					if c.status != "" {
						s := statusOf(c.status, "")
						cell.Status = &s
					} else {
						cell.Text = orAbsent(cell.Text)
					}
					if t := byName[c.target]; t != nil {
						cell.ID = t.ID
					}
					row = append(row, cell)
				}
				v.Rows = append(v.Rows, row)
			}
		}
		out = append(out, v)
	}
	return out
}

func (p *printed) blocks(list []block, level int) {
	for _, b := range list {
		keep := 60.0
		if b.svg != "" {
			if s, err := drawnSize(b.svg); err == nil {
				keep = min(s.height/s.width*textWidth+30, 500)
			}
		}
		p.heading(level, b.heading, keep)
		p.text(b.intro, regular, inkText, bodySize)
		p.gap(3)
		if b.svg != "" {
			p.picture(b.svg, pageMargin, textWidth)
		}
		if (b.svg == "" || b.keepTable) && len(b.rows) > 0 {
			var columns []tableColumn
			for i, h := range b.head {
				title, right := strings.CutSuffix(h, ":")
				longest := 6.0
				for _, r := range b.rows {
					longest = max(longest, min(60, float64(len([]rune(r[i].text)))))
					if r[i].status != "" {
						longest = max(longest, 22)
					}
				}
				columns = append(columns, tableColumn{title: title, right: right, share: max(longest, 14)})
			}
			var rows [][]tableCell
			for _, r := range b.rows {
				var row []tableCell
				for i, c := range r {
					cell := plainCell(orAbsent(c.text))
					if c.status != "" {
						cell = statusCell(c.status, "")
					}
					if i == 0 {
						cell.bold = true
					}
					row = append(row, cell)
				}
				rows = append(rows, row)
			}
			p.table(columns, rows)
		}
		p.text(strings.TrimSpace(b.foot+" "+b.cut), regular, inkMuted, smallSize)
	}
}
