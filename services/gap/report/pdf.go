package report

import (
	"fmt"
	"strings"

	"setpoint.dev/services/gap"
)

// PDF renders d on A4: the summary on the first page, each objective kept on a page, with
// bookmarks, page numbers, embedded fonts and searchable text. The charts are
// those of HTML, as vectors. notes say what could not be set as it is written;
// the document says it too.
func PDF(d Document) (content []byte, notes []string, err error) {
	foot := fmt.Sprintf("%s · as of %s · revision %d · SHA-256 %s…", isolated(clip(d.Title, 60)), orAbsent(d.AsOf.String()), d.Revision, d.SHA256()[:16])
	p := &printed{paper: newPaper(d.Title, d.AsOf, foot), d: &d, targets: d.targetsByName()}
	if d.Coverage != nil {
		p.covered = byName(d.Coverage.Targets, func(c CoveredTarget) string { return c.Target })
	}
	p.summary()
	p.page()
	p.blocks(d.overview(), 1) // pictures first: tables fill what is left of a page
	p.glance()
	if !d.shallow() {
		p.all()
		for _, g := range d.Grids {
			p.grid(g)
		}
	}
	p.units()
	p.initiatives()
	p.actions()
	p.coverage()
	p.readiness()
	if !d.shallow() {
		p.sections()
	}
	p.quality()
	p.calibration()
	if d.deep() {
		p.explanations()
	}
	p.definitions()
	content, err = p.bytes()
	return content, p.unset.notes(), err
}

// printed writes a document on paper.
type printed struct {
	*paper
	d       *Document
	targets map[string]*Target
	covered map[string]CoveredTarget
}

// stampOf is a status in its colour; the symbol tells it without.
func stampOf(s gap.Status) *stamp {
	out := &stamp{symbol: statusWord(s).Symbol, ink: inkText}
	if ink, ok := barInks[s]; ok && strings.HasPrefix(ink.fill, "#") && s != gap.NotStarted {
		out.fill, out.ink = ink.fill, ink.text
	}
	return out
}

// statusCell shows a status with its stamp and its word.
func statusCell(s gap.Status, note string) tableCell {
	text := strings.ReplaceAll(statusWord(s).Text, " ", "\u00a0")
	if note != "" {
		text += " (" + note + ")"
	}
	return tableCell{text: text, bold: true, mark: stampOf(s)}
}

func plainCell(s string) tableCell  { return tableCell{text: s} }
func strongCell(s string) tableCell { return tableCell{text: s, bold: true} }

// summary is the first page. Where it is too long for one, letters become a little
// smaller, then rows fewer.
func (p *printed) summary() {
	p.heading(0, p.d.Title, 60)
	fits := func(zoom float64, rows int) bool {
		return p.tried(func() { p.zoom = zoom; p.takeaway(rows) }) == 0
	}
	for _, try := range []struct {
		zoom float64
		rows int
	}{{1, 5}, {.95, 5}, {.9, 5}, {.86, 5}, {.86, 4}, {.86, 3}, {.86, 2}, {1, 5}} {
		if p.zoom = try.zoom; fits(try.zoom, try.rows) || try.zoom == 1 && try.rows == 5 && !fits(.86, 2) {
			p.takeaway(try.rows)
			break
		}
	}
	p.zoom = 1
}

// inSummary is how many strategies the first page names.
const inSummary = 3

func (p *printed) takeaway(rows int) {
	d := p.d
	of := "Gap report"
	if d.Organization != "" {
		of += " · " + isolated(d.Organization)
	}
	of += fmt.Sprintf(" · as of %s · revision %d · policy %s", orAbsent(d.AsOf.String()), d.Revision, orAbsent(d.Policy))
	if d.ErasureEpoch > 0 {
		of += fmt.Sprintf(" · erasure epoch %d", d.ErasureEpoch)
	}
	if d.Original {
		of += " · against the targets as first declared"
	}
	p.text(of, regular, inkMuted, smallSize)
	p.gap(6)
	p.text(d.Headline.Sentence, bold, inkText, 13)
	p.gap(3)
	if bar := statusBar(d.Headline.Counts); bar != "" {
		p.picture(bar, pageMargin, textWidth)
		p.gap(3)
		p.text(d.Headline.Detail, regular, inkText, bodySize)
	}
	for _, h := range d.Headline.Hints {
		p.text(h, regular, inkMuted, bodySize)
	}
	if d.Coverage != nil {
		p.body(d.Coverage.Sentence)
	}
	for i, s := range d.Strategies {
		if i == inSummary {
			p.text(fmt.Sprintf("… and %s more strategies.", count(len(d.Strategies)-i)), regular, inkMuted, smallSize)
			break
		}
		p.gap(3)
		title := s.Title
		if title == d.Title {
			title = "Overall"
		}
		p.text(isolated(title)+": "+rollUpText(s.RollUp), bold, inkText, bodySize)
		p.body(s.Vision)
		if len(d.Strategies) == 1 {
			p.body(s.Description)
		}
		p.text(horizon(s), regular, inkMuted, smallSize)
	}
	if len(d.Targets) == 0 {
		return
	}
	p.heading(2, "Furthest behind", 40)
	p.named(d.Headline.Worst, inHeadline, p.d.Headline.None(), d.Headline.Behind)
	if len(d.Headline.Missing) > 0 {
		p.gap(3)
		p.body(d.unjudged())
	}
	p.blocks(d.onTop(rows), 2)
}

// unjudged names in a sentence what cannot be judged, and why.
func (d *Document) unjudged() string {
	targets := d.targetsByName()
	var names []string
	for _, name := range d.Headline.Missing {
		t := targets[name]
		text := isolated(t.Title)
		if t.Reason != "" {
			text += " (" + t.Reason + ")"
		}
		names = append(names, text)
	}
	s := fmt.Sprintf("%s cannot be judged: %s", count(d.Headline.Unjudged), strings.Join(names, "; "))
	if n := d.Headline.Unjudged - len(names); n > 0 {
		s += fmt.Sprintf("; and %s more, see Data quality", count(n))
	}
	return s + "."
}

func rollUpText(r RollUp) string {
	w := statusWord(r.Status)
	s := fmt.Sprintf("%s %s · score %s · known %s", w.Symbol, w.Text, score(r.Score), percent(&r.Known))
	if r.Progress != nil {
		s += " · progress " + percent(r.Progress)
	}
	if words := countWords(r.Counts); words != "" {
		s += " · " + words
	}
	return s
}

func (p *printed) named(names []string, most int, none string, all int) {
	if len(names) == 0 {
		p.body(none)
		return
	}
	names = names[:min(len(names), most)]
	var rows [][]tableCell
	for _, name := range names {
		t := p.targets[name]
		rows = append(rows, []tableCell{statusCell(t.Status, t.statusNote()), strongCell(t.Title), plainCell(t.Summary)})
	}
	p.table([]tableColumn{{title: "Status", share: 1.7}, {title: "Target", share: 3}, {title: "In a sentence", share: 5}}, rows)
	if n := all - len(names); n > 0 {
		p.text(fmt.Sprintf("… and %s more.", count(n)), regular, inkMuted, smallSize)
	}
}

func (p *printed) glance() {
	list, left := p.d.glanced()
	if len(list) == 0 {
		return
	}
	p.heading(1, "Objectives at a glance", 60)
	var rows [][]tableCell
	for _, o := range list {
		rows = append(rows, []tableCell{strongCell(o.Title), statusCell(o.Status, ""), plainCell(score(o.Score)), plainCell(percent(&o.Known)),
			plainCell(percent(o.Progress)), plainCell(count(o.Targets)), plainCell(countWords(o.Counts))})
	}
	p.table([]tableColumn{{title: "Objective", share: 4}, {title: "Status", share: 1.6}, {title: "Score", share: .8, right: true}, {title: "Known", share: .9, right: true},
		{title: "Progress", share: 1.1, right: true}, {title: "Targets", share: 1, right: true}, {title: "Of which", share: 3}}, rows)
	p.text(left, regular, inkMuted, smallSize)
}

func (p *printed) all() {
	if len(p.d.Targets) == 0 {
		return
	}
	p.heading(1, "All targets, worst first", 60)
	owner := 0 // a long name takes more of the width
	for i := range p.d.Targets {
		owner = max(owner, len([]rune(p.d.Targets[i].Owner)))
	}
	rows := make([][]tableCell, 0, len(p.d.Targets))
	for i := range p.d.Targets {
		t := &p.d.Targets[i]
		f := t.Metric
		rows = append(rows, []tableCell{statusCell(t.Status, t.statusNote()), strongCell(t.Title), plainCell(orAbsent(t.when())), plainCell(f.value(t.Actual)), plainCell(f.value(t.Expected)),
			plainCell(setpoint(f, t.Direction, t.Target, t.Lower, t.Upper)), plainCell(t.gapWords()), plainCell(signedPercent(t.Share)), plainCell(orAbsent(t.Owner))})
	}
	p.tableIn([]tableColumn{{title: "Status", share: 1.7}, {title: "Target", share: 3}, {title: "Period", share: 1.2}, {title: "Actual", share: 1.2, right: true}, {title: "Expected", share: 1.2, right: true},
		{title: "Target", share: 1.4, right: true}, {title: "Gap", share: 1.5, right: true}, {title: "Share", share: .9, right: true}, {title: "Owner", share: min(3, max(1.5, float64(owner)/24))}}, rows, 6.8)
}

// stateInks shade the heat map: the worse, the darker, so that grey paper shows
// it too.
var stateInks = map[gap.PeriodState]struct{ fill, ink string }{
	gap.PeriodMet:     {"#d9efe3", inkText},
	gap.PeriodNear:    {"#f8dd93", inkText},
	gap.PeriodNotMet:  {"#e8958c", inkText},
	gap.PeriodNoData:  {"#e6e8ec", inkText},
	gap.PeriodPartial: {"#f1f3f6", inkText},
}

func (p *printed) grid(g Grid) {
	p.heading(1, "Target and actual, "+g.Cadence, 80)
	p.text(strings.TrimSpace("In each cell: the mark and the actual, below them the target. "+g.omitted()), regular, inkMuted, smallSize)
	columns := []tableColumn{{title: "Target", share: 3.4}}
	for _, c := range g.Columns {
		columns = append(columns, tableColumn{title: c.Period, share: max(1, 10/float64(len(g.Columns))), right: true})
	}
	var rows [][]tableCell
	for _, group := range g.Groups {
		row := make([]tableCell, len(columns))
		row[0] = tableCell{text: group.Title, bold: true, ink: inkMuted, fill: groupFill}
		rows = append(rows, row)
		for _, r := range group.Rows {
			t := p.targets[r.Target]
			row := []tableCell{plainCell(t.Title)}
			for i := range r.Cells {
				q := r.cell(t, i)
				if q == nil {
					row = append(row, tableCell{})
					continue
				}
				c := newCell(t, q)
				text := strings.TrimSpace(c.Mark + "\u00a0" + c.Actual)
				if c.Goal != "" {
					text += "\n" + c.Goal
				}
				ink := stateInks[gap.PeriodState(c.State)]
				row = append(row, tableCell{text: text, fill: ink.fill, ink: ink.ink})
			}
			rows = append(rows, row)
		}
	}
	p.tableIn(columns, rows, 6.3)
	var key []string
	for _, s := range states {
		if w := stateWord(s); w.Symbol != "" {
			key = append(key, w.Symbol+" "+w.Text)
		}
	}
	p.text(strings.Join(key, " · "), regular, inkMuted, smallSize)
}

func (p *printed) units() {
	list, left := p.d.glancedUnits()
	if len(list) == 0 {
		return
	}
	p.heading(1, "Units", 60)
	var rows [][]tableCell
	for _, u := range list {
		rows = append(rows, []tableCell{strongCell(u.Title), statusCell(u.Status, ""), plainCell(score(u.Score)), plainCell(percent(&u.Known)), plainCell(count(u.Targets)), plainCell(countWords(u.Counts))})
	}
	p.table([]tableColumn{{title: "Unit", share: 4}, {title: "Status", share: 1.6}, {title: "Score", share: .8, right: true}, {title: "Known", share: .9, right: true},
		{title: "Targets", share: 1, right: true}, {title: "Of which", share: 3}}, rows)
	p.text(left, regular, inkMuted, smallSize)
}

func (p *printed) initiatives() {
	if len(p.d.Initiatives) == 0 {
		return
	}
	p.heading(1, "Initiatives", 60)
	var rows [][]tableCell
	for i := range p.d.Initiatives {
		x := &p.d.Initiatives[i]
		planned := x.dates()
		if late := x.expected(); late != absent && x.ExpectedEnd != x.End && x.Stage != "completed" {
			planned += "\nexpected " + late
		}
		steps := x.progress()
		if late := x.overdue(); len(late) > 0 {
			steps += ": " + strings.Join(allIsolated(late), ", ")
		}
		title := x.Title
		if x.Owner != "" {
			title += "\n" + x.Owner
		}
		var adds []string
		for _, c := range x.Contributions {
			adds = append(adds, fmt.Sprintf("%s to %s", orAbsent(c.Text), isolated(c.Title)))
		}
		if adds == nil {
			adds = []string{"nothing: it contributes to no target"}
		}
		rows = append(rows, []tableCell{strongCell(title), plainCell(x.Stage), plainCell(planned), plainCell(steps), plainCell(x.money()), plainCell(percent(&x.Delivery)), plainCell(strings.Join(adds, "\n"))})
	}
	p.tableIn([]tableColumn{{title: "Initiative", share: 2.6}, {title: "Stage", share: .9}, {title: "Planned", share: 1.6}, {title: "Milestones", share: 1.5},
		{title: "Spent", share: 1.6}, {title: "Delivery", share: .8, right: true}, {title: "Is to add", share: 3}}, rows, 6.8)
	p.text("Delivery is a probability: (milestones on time + 1.4)/(milestones due + 2) (heuristic).", regular, inkMuted, smallSize)
}

func (p *printed) actions() {
	if len(p.d.Actions) == 0 {
		return
	}
	p.heading(1, "Open corrective actions", 60)
	var rows [][]tableCell
	for i := range p.d.Actions {
		a := &p.d.Actions[i]
		rows = append(rows, []tableCell{strongCell(a.Title), plainCell(a.about()), plainCell(orAbsent(a.Owner)), plainCell(a.dueWords()), plainCell(a.opener())})
	}
	p.table([]tableColumn{{title: "Action", share: 3}, {title: "About", share: 3}, {title: "Owner", share: 1.5}, {title: "Due", share: 1.5}, {title: "Opened", share: 1.5}}, rows)
}

func (p *printed) coverage() {
	c := p.d.Coverage
	if c == nil {
		return
	}
	keep := 80.0
	overview := string(coverageSVG(p.d))
	if size, err := drawnSize(overview); err == nil {
		keep = min(keep+size.height/size.width*textWidth, 600)
	}
	p.heading(1, "Coverage", keep)
	p.text(c.Sentence, bold, inkText, bodySize)
	if overview != "" {
		p.gap(4)
		p.picture(string(coverageKey), pageMargin, textWidth)
		p.gap(4)
		p.picture(overview, pageMargin, textWidth)
		p.text(c.pictured(inOverview), regular, inkMuted, smallSize)
	}
	if len(c.Objectives) > 0 {
		p.heading(2, "What closes the gaps, objective by objective", 120)
		p.text(objectiveFallNote, regular, inkMuted, smallSize)
		falls, left := p.d.fallsShown()
		for i := range falls {
			p.gap(5)
			p.picture(falls[i].svg(fmt.Sprintf("fall-%d", i)), pageMargin, chartSpan)
		}
		p.text(left, regular, inkMuted, smallSize)
	}
	if len(c.Targets) > 0 {
		p.gap(6)
		var rows [][]tableCell
		list, left := p.d.coveredShown()
		for i := range list {
			x := &list[i]
			m := p.targets[x.Target].Metric
			rows = append(rows, []tableCell{strongCell(x.Title), plainCell(gapOf(x, m)), plainCell(x.ifDelivered(m)), plainCell(x.ifReady(m)), plainCell(x.unfunded(m)), plainCell(x.residual(m)), plainCell(strings.Join(x.partList(m), "\n"))})
		}
		p.tableIn([]tableColumn{{title: "Target", share: 2.3}, {title: "Gap", share: 1, right: true}, {title: "If delivered", share: 1.4, right: true}, {title: "If people are ready", share: 1.5, right: true},
			{title: "Unfunded", share: 1, right: true}, {title: "Stays open", share: 1.1, right: true}, {title: "By", share: 3.7}}, rows, 6.8)
		p.text(left, regular, inkMuted, smallSize)
	}
	if len(c.Unserved) > 0 {
		p.heading(2, "Targets that no initiative works on", 30)
		names, left := p.d.few(c.Unserved)
		for _, name := range names {
			t := p.targets[name]
			p.body("• " + statusWord(t.Status).Symbol + " " + isolated(t.Title) + ": " + t.gapNote())
		}
		p.text(left, regular, inkMuted, smallSize)
	}
	if titles := p.d.serving(c.ServingNothing); len(titles) > 0 {
		p.heading(2, "Initiatives that contribute to no target", 30)
		p.body(strings.Join(allIsolated(titles), "; "))
	}
}

func (p *printed) readiness() {
	if len(p.d.Readiness) == 0 {
		return
	}
	p.heading(1, "Readiness", 80)
	for i := range p.d.Readiness {
		x := &p.d.Readiness[i]
		if p.tried(func() { p.program(x) }) > 0 && p.tried(func() { p.page(); p.program(x) }) == 1 {
			p.page()
		}
		p.program(x)
	}
}

func (p *printed) program(x *Program) {
	p.heading(2, x.Title, 60)
	p.text(x.of(), regular, inkMuted, smallSize)
	p.text("Readiness: "+x.readinessWords(), bold, inkText, bodySize)
	var audiences []string
	for _, a := range x.Audiences {
		audiences = append(audiences, a.words())
	}
	p.body(strings.Join(audiences, " · "))
	p.body(x.stuck())
	p.picture(string(barrierSVG(x, "barriers")), pageMargin, textWidth*0.6)
	p.text("How it is computed: "+x.Formula+"; "+adoptionFormula+".", regular, inkMuted, smallSize)
}

func (p *printed) quality() {
	p.heading(1, "Data quality", 60)
	if len(p.d.Quality) == 0 {
		p.body("Nothing is missing, stale, excluded or corrected.")
	}
	for _, k := range issueKinds {
		list, left := p.d.issuesOf(k.Kind)
		if len(list) == 0 {
			continue
		}
		p.heading(2, k.Heading, 40)
		p.text(k.Meaning, regular, inkMuted, smallSize)
		for _, i := range list {
			p.body("• " + isolated(i.Title) + ": " + i.Why)
		}
		p.text(left, regular, inkMuted, smallSize)
	}
}

func (p *printed) calibration() {
	c := p.d.Calibration
	if c == nil {
		return
	}
	p.heading(1, "Calibration", 60)
	p.text(c.Summary(), regular, inkMuted, smallSize)
	for _, t := range c.Tables() {
		p.heading(2, t.Title, 40)
		columns := make([]tableColumn, len(t.Columns))
		for i, title := range t.Columns {
			columns[i] = tableColumn{title: title, share: 1, right: i > 0}
		}
		columns[0].share = 2
		var rows [][]tableCell
		for _, r := range t.Rows {
			row := []tableCell{strongCell(r[0])}
			for _, cell := range r[1:] {
				row = append(row, plainCell(cell))
			}
			rows = append(rows, row)
		}
		p.table(columns, rows)
	}
}

func (p *printed) explanations() {
	if len(p.d.Targets) == 0 {
		return
	}
	p.heading(1, "Appendix A: how each status came about", 60)
	for _, s := range p.d.Strategies {
		p.explain(isolated(s.Title)+" (strategy)", s.Status, s.Explanation)
	}
	for _, o := range p.d.Objectives {
		p.explain(isolated(o.Title)+" (objective)", o.Status, o.Explanation)
	}
	for _, t := range p.d.Targets {
		p.explain(isolated(t.Title), t.Status, t.Explanation)
	}
}

func (p *printed) explain(title string, s gap.Status, e Explanation) {
	p.room(3 * smallSize * p.zoom * leading)
	p.text(title+" – "+strings.ToLower(statusWord(s).Text), bold, inkText, smallSize)
	p.text(e.Rule, regular, inkText, smallSize)
	var inputs []string
	for _, in := range e.Inputs {
		inputs = append(inputs, in.Name+" "+in.text())
	}
	if revs := e.revisions(); revs != "" {
		inputs = append(inputs, "revisions "+revs)
	}
	p.text(strings.Join(inputs, " · "), regular, inkMuted, smallSize-.5)
	p.gap(2.5)
}

// definitions are not parted from what identifies the document, where a page holds both.
func (p *printed) definitions() {
	if p.tried(p.words) > 0 && p.y > pageMargin {
		p.page()
	}
	p.words()
}

func (p *printed) words() {
	p.heading(1, "Appendix B: what the words mean", 60)
	for _, x := range p.d.Definitions {
		const term = 92.0
		p.room(2 * bodySize * leading)
		p.write(pageMargin, p.y+smallSize*p.zoom, x.Term, bold, inkText, smallSize)
		p.textIn(pageMargin+term, textWidth-term, x.Meaning, regular, inkText, smallSize)
		p.gap(1.5)
	}
	p.gap(10)
	p.text(fmt.Sprintf("As of %s · revision %d · policy %s", orAbsent(p.d.AsOf.String()), p.d.Revision, orAbsent(p.d.Policy)), regular, inkMuted, smallSize)
	p.text("SHA-256 "+p.d.SHA256(), regular, inkMuted, smallSize)
	if p.d.ErasureEpoch > 0 {
		p.text(erasureNote(p.d.ErasureEpoch), regular, inkMuted, smallSize)
	}
	p.text("Reproduce: "+p.d.Reproduce, regular, inkMuted, smallSize)
}
