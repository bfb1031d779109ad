package report

import (
	"fmt"
	"strings"

	"setpoint.dev/services/gap"
)

// PDF renders d on A4: the summary on the first page, an objective a page, with
// bookmarks, page numbers, embedded fonts and searchable text. The charts are
// those of HTML, as vectors.
func PDF(d Document) ([]byte, error) {
	foot := fmt.Sprintf("%s · as of %s · revision %d · SHA-256 %s…", d.Title, orAbsent(d.AsOf.String()), d.Revision, d.SHA256()[:16])
	p := &printed{paper: newPaper(d.Title, d.AsOf, foot), d: &d, targets: d.targetsByName()}
	p.summary()
	p.blocks(d.onTop(), 2)
	p.glance()
	p.blocks(d.overview(), 1)
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
	p.calibration()
	if !d.shallow() {
		p.sections()
	}
	p.quality()
	if d.deep() {
		p.explanations()
	}
	p.definitions()
	return p.bytes()
}

// printed writes a document on paper.
type printed struct {
	*paper
	d       *Document
	targets map[string]*Target
}

// statusCell shows a status in its colour; the symbol and the word tell it
// without.
func statusCell(s gap.Status, note string) tableCell {
	w := statusWord(s)
	text := w.Symbol + " " + w.Text
	if note != "" {
		text += " (" + note + ")"
	}
	c := tableCell{text: text, bold: true}
	if ink, ok := barInks[s]; ok && strings.HasPrefix(ink.fill, "#") {
		c.fill, c.ink = ink.fill, ink.text
	}
	return c
}

func plainCell(s string) tableCell  { return tableCell{text: s} }
func strongCell(s string) tableCell { return tableCell{text: s, bold: true} }

func (p *printed) summary() {
	d := p.d
	p.heading(0, d.Title, 60)
	of := "Gap report"
	if d.Organization != "" {
		of += " · " + d.Organization
	}
	of += fmt.Sprintf(" · as of %s · revision %d · policy %s", orAbsent(d.AsOf.String()), d.Revision, orAbsent(d.Policy))
	if d.ErasureEpoch > 0 {
		of += fmt.Sprintf(" · erasure epoch %d", d.ErasureEpoch)
	}
	if d.Original {
		of += " · against the targets as first declared"
	}
	p.text(of, regular, inkMuted, smallSize)
	p.gap(8)
	p.text(d.Headline.Sentence, bold, inkText, 13)
	p.gap(4)
	if bar := statusBar(d.Headline.Counts); bar != "" {
		p.picture(bar, pageMargin, textWidth)
		p.gap(4)
		p.text(d.Headline.Detail, regular, inkText, bodySize)
	}
	for _, h := range d.Headline.Hints {
		p.text(h, regular, inkMuted, bodySize)
	}
	if d.Coverage != nil {
		p.body(d.Coverage.Sentence)
	}
	for _, s := range d.Strategies {
		p.gap(4)
		title := s.Title
		if title == d.Title {
			title = "Overall"
		}
		p.text(title+": "+rollUpText(s.RollUp), bold, inkText, bodySize)
		p.body(s.Vision)
		p.body(s.Description)
		p.text(horizon(s), regular, inkMuted, smallSize)
	}
	if len(d.Targets) == 0 {
		return
	}
	p.heading(2, "Furthest behind", 40)
	p.named(d.Headline.Worst, "No target is behind.", more(d.Headline.Behind-len(d.Headline.Worst)))
	p.heading(2, "What cannot be judged", 40)
	p.named(d.Headline.Missing, "Every target could be judged.", more(d.Headline.Unjudged-len(d.Headline.Missing)))
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

func (p *printed) named(names []string, none, more string) {
	if len(names) == 0 {
		p.body(none)
		return
	}
	var rows [][]tableCell
	for _, name := range names {
		t := p.targets[name]
		rows = append(rows, []tableCell{statusCell(t.Status, t.statusNote()), strongCell(t.Title), plainCell(t.Summary)})
	}
	p.table([]tableColumn{{title: "Status", share: 1.5}, {title: "Target", share: 3}, {title: "In a sentence", share: 5}}, rows)
	if more != "" {
		p.text("… "+more, regular, inkMuted, smallSize)
	}
}

func (p *printed) glance() {
	if len(p.d.Objectives) == 0 {
		return
	}
	p.page()
	p.heading(1, "Objectives at a glance", 60)
	var rows [][]tableCell
	for _, o := range p.d.Objectives {
		rows = append(rows, []tableCell{strongCell(o.Title), statusCell(o.Status, ""), plainCell(score(o.Score)), plainCell(percent(&o.Known)),
			plainCell(percent(o.Progress)), plainCell(fmt.Sprint(o.Targets)), plainCell(countWords(o.Counts))})
	}
	p.table([]tableColumn{{title: "Objective", share: 4}, {title: "Status", share: 1.6}, {title: "Score", share: .8, right: true}, {title: "Known", share: .9, right: true},
		{title: "Progress", share: 1.1, right: true}, {title: "Targets", share: 1, right: true}, {title: "Of which", share: 3}}, rows)
}

func (p *printed) all() {
	if len(p.d.Targets) == 0 {
		return
	}
	p.heading(1, "All targets, worst first", 60)
	rows := make([][]tableCell, 0, len(p.d.Targets))
	for i := range p.d.Targets {
		t := &p.d.Targets[i]
		f := t.Metric
		rows = append(rows, []tableCell{statusCell(t.Status, t.statusNote()), strongCell(t.Title), plainCell(orAbsent(t.when())), plainCell(f.value(t.Actual)), plainCell(f.value(t.Expected)),
			plainCell(setpoint(f, t.Direction, t.Target, t.Lower, t.Upper)), plainCell(t.gapWords()), plainCell(signedPercent(t.Share)), plainCell(orAbsent(t.Owner))})
	}
	p.tableIn([]tableColumn{{title: "Status", share: 1.7}, {title: "Target", share: 3}, {title: "Period", share: 1.2}, {title: "Actual", share: 1.2, right: true}, {title: "Expected", share: 1.2, right: true},
		{title: "Target", share: 1.4, right: true}, {title: "Gap", share: 1.5, right: true}, {title: "Share", share: .9, right: true}, {title: "Owner", share: 1.5}}, rows, 6.8)
}

// stateInks shade the heat map: the worse, the darker, so that grey paper shows
// it too.
var stateInks = map[gap.PeriodState]struct{ fill, ink string }{
	gap.PeriodMet:     {"#d9efe3", inkText},
	gap.PeriodNear:    {"#f8dd93", inkText},
	gap.PeriodNotMet:  {"#b3261e", "#fff"},
	gap.PeriodNoData:  {"#e6e8ec", inkText},
	gap.PeriodPartial: {"#f1f3f6", inkText},
}

func (p *printed) grid(g Grid) {
	p.heading(1, "Target, actual and variance, "+g.Cadence, 80)
	p.text(strings.TrimSpace("In each cell: the mark, the actual / the target. "+g.omitted()), regular, inkMuted, smallSize)
	columns := []tableColumn{{title: "Target", share: 3.4}}
	for _, c := range g.Columns {
		columns = append(columns, tableColumn{title: c.Period, share: max(1, 10/float64(len(g.Columns))), right: true})
	}
	var rows [][]tableCell
	for _, group := range g.Groups {
		row := make([]tableCell, len(columns))
		row[0] = tableCell{text: group.Title, bold: true, ink: inkMuted}
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
				text := strings.TrimSpace(c.Mark + " " + c.Actual)
				if c.Goal != "" {
					text += " / " + c.Goal
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
	if len(p.d.Units) == 0 {
		return
	}
	p.heading(1, "Units", 60)
	var rows [][]tableCell
	for _, u := range p.d.Units {
		rows = append(rows, []tableCell{strongCell(u.Title), statusCell(u.Status, ""), plainCell(score(u.Score)), plainCell(percent(&u.Known)), plainCell(fmt.Sprint(u.Targets)), plainCell(countWords(u.Counts))})
	}
	p.table([]tableColumn{{title: "Unit", share: 4}, {title: "Status", share: 1.6}, {title: "Score", share: .8, right: true}, {title: "Known", share: .9, right: true},
		{title: "Targets", share: 1, right: true}, {title: "Of which", share: 3}}, rows)
}

func (p *printed) initiatives() {
	if len(p.d.Initiatives) == 0 {
		return
	}
	p.heading(1, "Initiatives", 60)
	var rows [][]tableCell
	for i := range p.d.Initiatives {
		x := &p.d.Initiatives[i]
		rows = append(rows, []tableCell{strongCell(x.Title), plainCell(x.Stage), plainCell(x.dates()), plainCell(x.expected()), plainCell(x.progress()), plainCell(x.money()), plainCell(percent(&x.Delivery)), plainCell(orAbsent(x.Owner))})
	}
	p.table([]tableColumn{{title: "Initiative", share: 3}, {title: "Stage", share: 1.1}, {title: "Planned", share: 1.7}, {title: "Expected end", share: 1.6}, {title: "Milestones", share: 1.2},
		{title: "Spent", share: 2}, {title: "Delivery", share: 1, right: true}, {title: "Owner", share: 1.5}}, rows)
	for i := range p.d.Initiatives {
		x := &p.d.Initiatives[i]
		for _, title := range x.overdue() {
			p.body("• " + x.Title + ": overdue: " + title)
		}
		for _, c := range x.Contributions {
			line := fmt.Sprintf("• %s is to add %s to %s by %s", x.Title, orAbsent(c.Text), c.Title, orAbsent(c.RampEnd.String()))
			if c.Basis != "" {
				line += " (" + c.Basis + ")"
			}
			p.body(line)
		}
	}
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
	if size, err := drawnSize(string(coverageSVG(p.d))); err == nil {
		keep = min(keep+size.height/size.width*textWidth, 500)
	}
	p.heading(1, "Coverage", keep)
	p.text(c.Sentence, bold, inkText, bodySize)
	if picture := coverageSVG(p.d); picture != "" {
		p.gap(4)
		p.picture(string(coverageKey), pageMargin, textWidth)
		p.gap(4)
		p.picture(string(picture), pageMargin, textWidth)
	}
	if len(c.Targets) > 0 {
		var rows [][]tableCell
		for i := range c.Targets {
			x := &c.Targets[i]
			m := p.targets[x.Target].Metric
			rows = append(rows, []tableCell{strongCell(x.Title), plainCell(gapOf(x, m)), plainCell(x.ifDelivered(m)), plainCell(x.ifReady(m)), plainCell(x.unfunded(m)), plainCell(x.residual(m)), plainCell(x.parts(m))})
		}
		p.table([]tableColumn{{title: "Target", share: 2.5}, {title: "Gap", share: 1, right: true}, {title: "If delivered", share: 1.4, right: true}, {title: "If people are ready", share: 1.5, right: true},
			{title: "Unfunded", share: 1, right: true}, {title: "Stays open", share: 1.1, right: true}, {title: "By", share: 3.5}}, rows)
	}
	if len(c.Unserved) > 0 {
		p.heading(2, "Targets that no initiative works on", 30)
		for _, name := range c.Unserved {
			t := p.targets[name]
			p.body("• " + statusWord(t.Status).Symbol + " " + t.Title + ": " + t.gapNote())
		}
	}
	if titles := p.d.serving(c.ServingNothing); len(titles) > 0 {
		p.heading(2, "Initiatives that contribute to no target", 30)
		p.body(strings.Join(titles, "; "))
	}
}

func (p *printed) readiness() {
	if len(p.d.Readiness) == 0 {
		return
	}
	p.heading(1, "Readiness", 80)
	for i := range p.d.Readiness {
		x := &p.d.Readiness[i]
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
}

func (p *printed) sections() {
	for _, o := range p.d.Objectives {
		p.page()
		p.heading(1, o.Title, 80)
		p.text(about(o), regular, inkMuted, smallSize)
		p.text(rollUpText(o.RollUp), bold, inkText, bodySize)
		p.body(o.Description)
		if o.Explanation.Rule != "" {
			p.text("How it is rolled up: "+o.Explanation.Rule, regular, inkMuted, smallSize)
		}
		if len(o.Members) == 0 {
			p.body("No target of its own; it is judged by the objectives that serve it.")
		}
		for _, name := range o.Members {
			p.target(p.targets[name])
		}
	}
}

// chartSpan lets three targets stand on a page.
const chartSpan = 435.0

func (p *printed) target(t *Target) {
	keep := 40.0
	if t.Chart != nil {
		keep += t.Chart.height() / chartWidth * chartSpan
	}
	p.heading(2, t.Title, keep)
	w := statusWord(t.Status)
	status := w.Symbol + " " + w.Text
	if note := t.statusNote(); note != "" {
		status += " (" + note + ")"
	}
	p.text(status+" – "+t.Summary, bold, inkText, bodySize)
	p.gap(2)
	p.picture(t.SVG("chart"), pageMargin, chartSpan)
	var facts []string
	for _, f := range t.facts() {
		facts = append(facts, f.Term+" "+f.Meaning)
	}
	p.text(strings.Join(facts, " · "), regular, inkText, smallSize)
	for _, n := range t.Notes {
		about := n.About
		if !n.At.IsZero() {
			about += " " + n.At.String()
		}
		p.text("• "+about+": "+n.Text, regular, inkMuted, smallSize)
	}
}

func (p *printed) calibration() {
	c := p.d.Calibration
	if c == nil {
		return
	}
	p.heading(1, "Calibration", 80)
	p.text(c.Summary(), regular, inkMuted, smallSize)
	for _, t := range c.Tables() {
		p.heading(2, t.Title, 40)
		columns := []tableColumn{{title: "Of", share: 4}}
		for _, name := range t.Columns[1:] {
			columns = append(columns, tableColumn{title: name, share: 1.3, right: true})
		}
		var rows [][]tableCell
		for _, r := range t.Rows {
			row := []tableCell{strongCell(r[0])}
			for _, v := range r[1:] {
				row = append(row, plainCell(v))
			}
			rows = append(rows, row)
		}
		p.table(columns, rows)
	}
}

func (p *printed) quality() {
	p.page()
	p.heading(1, "Data quality", 60)
	if len(p.d.Quality) == 0 {
		p.body("Nothing is missing, stale, excluded or corrected.")
	}
	for _, k := range issueKinds {
		heading := false
		for _, i := range p.d.Quality {
			if i.Kind != k.Kind {
				continue
			}
			if !heading {
				p.heading(2, k.Heading, 40)
				p.text(k.Meaning, regular, inkMuted, smallSize)
				heading = true
			}
			p.body("• " + i.Title + ": " + i.Why)
		}
	}
}

func (p *printed) explanations() {
	if len(p.d.Targets) == 0 {
		return
	}
	p.heading(1, "Appendix A: how each status came about", 60)
	for _, s := range p.d.Strategies {
		p.explain(s.Title+" (strategy)", s.Status, s.Explanation)
	}
	for _, o := range p.d.Objectives {
		p.explain(o.Title+" (objective)", o.Status, o.Explanation)
	}
	for _, t := range p.d.Targets {
		p.explain(t.Title, t.Status, t.Explanation)
	}
}

func (p *printed) explain(title string, s gap.Status, e Explanation) {
	text := fmt.Sprintf("• %s – %s. %s", title, strings.ToLower(statusWord(s).Text), e.Rule)
	var inputs []string
	for _, in := range e.Inputs {
		inputs = append(inputs, in.Name+" "+in.text())
	}
	if len(inputs) > 0 {
		text += " Inputs: " + strings.Join(inputs, "; ") + "."
	}
	if revs := e.revisions(); revs != "" {
		text += " Revisions: " + revs + "."
	}
	p.text(text, regular, inkText, smallSize)
}

func (p *printed) definitions() {
	p.heading(1, "Appendix B: what the words mean", 60)
	for _, x := range p.d.Definitions {
		p.room(2 * bodySize * leading)
		p.text(x.Term+": "+x.Meaning, regular, inkText, smallSize)
	}
	p.gap(10)
	p.text(fmt.Sprintf("As of %s · revision %d · policy %s", orAbsent(p.d.AsOf.String()), p.d.Revision, orAbsent(p.d.Policy)), regular, inkMuted, smallSize)
	p.text("SHA-256 "+p.d.SHA256(), regular, inkMuted, smallSize)
	if p.d.ErasureEpoch > 0 {
		p.text(erasureNote(p.d.ErasureEpoch), regular, inkMuted, smallSize)
	}
	p.text("Reproduce: "+p.d.Reproduce, regular, inkMuted, smallSize)
}
