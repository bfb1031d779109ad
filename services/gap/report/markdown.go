package report

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/width"

	"setpoint.dev/services/gap"
)

// Markdown renders d in GitHub's dialect, with tables padded so that the source
// reads well too.
func Markdown(d Document) []byte {
	m := &markdown{d: &d, targets: d.targetsByName()}
	m.headline()
	m.blocks(d.onTop(inHeadline))
	m.blocks(d.overview())
	m.objectivesAtAGlance()
	if !d.shallow() {
		m.allTargets()
		for _, g := range d.Grids {
			m.grid(g)
		}
	}
	m.units()
	m.act()
	if !d.shallow() {
		m.sections()
	}
	m.quality()
	m.calibration()
	if d.deep() {
		m.explanations()
	}
	m.definitions()
	m.footer()
	return m.b.Bytes()
}

type markdown struct {
	b       bytes.Buffer
	d       *Document
	targets map[string]*Target
}

func (m *markdown) printf(format string, args ...any) { fmt.Fprintf(&m.b, format, args...) }

func (m *markdown) paragraph(s string) {
	if s != "" {
		m.printf("%s\n\n", s)
	}
}

var escapeMarkdown = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", `\<`, ">", `\>`,
	"|", `\|`, "~", `\~`, "#", `\#`, "&", `\&`, "!", `\!`, "$", `\$`, "\n", " ", "\r", " ")

// md makes foreign text inert; one from right to left runs by itself.
func md(s string) string {
	s = escapeMarkdown.Replace(s)
	if composed(s) {
		return s
	}
	return isolated(s)
}

// lower is md of a word within a sentence.
func lower(s string) string { return md(strings.ToLower(s)) }

func statusMD(s gap.Status, note string) string {
	w := statusWord(s)
	text := w.Symbol + " " + md(w.Text)
	if note != "" {
		text += " (" + md(note) + ")"
	}
	return text
}

func (m *markdown) headline() {
	d := m.d
	m.printf("# %s\n\n", md(d.Title))
	of := "Gap report"
	if d.Organization != "" {
		of += " · " + md(d.Organization)
	}
	m.printf("%s · as of **%s** · revision **%d** · policy **%s**", of, orAbsent(d.AsOf.String()), d.Revision, md(orAbsent(d.Policy)))
	if d.ErasureEpoch > 0 {
		m.printf(" · erasure epoch **%d**", d.ErasureEpoch)
	}
	if d.Original {
		m.printf(" · against the targets as first declared")
	}
	m.printf("\n\n")
	m.printf("**%s**\n\n", md(d.Headline.Sentence))
	for _, h := range d.Headline.Hints {
		m.printf("> %s\n\n", md(h))
	}
	if d.Coverage != nil {
		m.printf("> %s\n\n", md(d.Coverage.Sentence))
	}
	if len(d.Targets) > 0 {
		t := newTable("Status", "Targets:")
		for _, c := range d.Headline.Counts {
			t.row(statusMD(c.Status, ""), count(c.Count))
		}
		t.row("Total", count(d.Headline.Total))
		m.table(t)
	}
	for _, s := range d.Strategies {
		m.printf("**%s** – %s\n\n", md(s.Title), rollUpMD(s.RollUp))
		m.paragraph(md(s.Vision))
		m.paragraph(md(s.Description))
		m.paragraph(md(horizon(s)))
	}
	if len(d.Targets) == 0 {
		return
	}
	m.printf("## Furthest behind\n\n")
	m.named(d.Headline.Worst, m.d.Headline.None(), more(d.Headline.Behind-len(d.Headline.Worst)))
	m.printf("## What cannot be judged\n\n")
	m.named(d.Headline.Missing, "Every target could be judged.", more(d.Headline.Unjudged-len(d.Headline.Missing)))
}

func (m *markdown) named(names []string, none, more string) {
	if len(names) == 0 {
		m.paragraph(none)
		return
	}
	for _, name := range names {
		t := m.targets[name]
		m.printf("- %s – **%s**: %s\n", statusMD(t.Status, t.statusNote()), md(t.Title), md(t.Summary))
	}
	if more != "" {
		m.printf("- … %s\n", more)
	}
	m.printf("\n")
}

func rollUpMD(r RollUp) string {
	s := fmt.Sprintf("%s · score %s · known %s", statusMD(r.Status, ""), score(r.Score), percent(&r.Known))
	if r.Progress != nil {
		s += " · progress " + percent(r.Progress)
	}
	if words := countWords(r.Counts); words != "" {
		s += " · " + md(words)
	}
	return s
}

func (m *markdown) objectivesAtAGlance() {
	if len(m.d.Objectives) == 0 {
		return
	}
	m.printf("## Objectives at a glance\n\n")
	t := newTable("Objective", "Status", "Score:", "Known share:", "Progress:", "Targets:", "Of which")
	list, left := m.d.glanced()
	for _, o := range list {
		t.row(md(o.Title), statusMD(o.Status, ""), score(o.Score), percent(&o.Known), percent(o.Progress), count(o.Targets), md(countWords(o.Counts)))
	}
	m.table(t)
	m.paragraph(left)
}

func (m *markdown) allTargets() {
	if len(m.d.Targets) == 0 {
		return
	}
	m.printf("## All targets, worst first\n\n")
	t := newTable("Status", "Target", "Period", "Actual:", "Expected:", "Target:", "Gap to target:", "Drift off path:", "Share:", "Owner")
	for i := range m.d.Targets {
		v := &m.d.Targets[i]
		f := v.Metric
		t.row(statusMD(v.Status, v.statusNote()), md(v.Title), md(orAbsent(v.when())), md(f.value(v.Actual)), md(f.value(v.Expected)),
			md(setpoint(f, v.Direction, v.Target, v.Lower, v.Upper)), md(v.gapWords()), md(f.behind(v.Drift)), signedPercent(v.Share), md(orAbsent(v.Owner)))
	}
	m.table(t)
}

// grid gives each target three rows, so that a column's numbers stay aligned.
func (m *markdown) grid(g Grid) {
	m.printf("## Target, actual and variance, %s\n\n", md(g.Cadence))
	m.paragraph("Variance: + is behind, " + minus + " is ahead, whichever direction is better. " + g.omitted())
	head := []string{"Target", ""}
	for _, c := range g.Columns {
		head = append(head, md(c.Period)+":")
	}
	t := newTable(head...)
	for _, group := range g.Groups {
		cells := make([]string, len(head))
		cells[0] = "**" + md(group.Title) + "**"
		t.row(cells...)
		for _, r := range group.Rows {
			target := m.targets[r.Target]
			actual, goal, variance := []string{md(target.Title), "actual"}, []string{"", "target"}, []string{"", "variance"}
			for i := range r.Cells {
				c := cellView{}
				if p := r.cell(target, i); p != nil {
					c = newCell(target, p)
					if c.Actual == "" {
						c.Actual = c.Word
					} else if p.State == gap.PeriodExcluded || p.State == gap.PeriodPartial || p.State == gap.PeriodRunning {
						c.Actual += " " + c.Word
					}
				}
				actual = append(actual, md(strings.TrimSpace(c.Mark+" "+c.Actual)))
				goal = append(goal, md(c.Goal))
				variance = append(variance, md(c.Variance))
			}
			t.row(actual...)
			t.row(goal...)
			t.row(variance...)
		}
	}
	m.table(t)
	var key []string
	for _, s := range states {
		if w := stateWord(s); w.Symbol != "" {
			key = append(key, w.Symbol+" "+w.Text)
		}
	}
	m.paragraph(strings.Join(key, " · "))
}

func (m *markdown) units() {
	list, left := m.d.glancedUnits()
	if len(list) == 0 {
		return
	}
	m.printf("## Units\n\n")
	t := newTable("Unit", "Status", "Score:", "Known share:", "Targets:", "Of which")
	for _, u := range list {
		t.row(md(u.Title), statusMD(u.Status, ""), score(u.Score), percent(&u.Known), count(u.Targets), md(countWords(u.Counts)))
	}
	m.table(t)
	m.paragraph(md(left))
}

func (m *markdown) sections() {
	if len(m.d.Objectives) == 0 {
		return
	}
	m.printf("## Objective by objective\n\n")
	for _, o := range m.d.Objectives {
		m.printf("### %s\n\n", md(o.Title))
		m.paragraph(md(about(o)))
		m.printf("%s\n\n", rollUpMD(o.RollUp))
		m.paragraph(md(o.Description))
		if o.Explanation.Rule != "" {
			m.printf("How it is rolled up: %s\n\n", md(o.Explanation.Rule))
		}
		if len(o.Members) == 0 {
			m.paragraph("No target of its own; it is judged by the objectives that serve it.")
		}
		for _, name := range o.Members {
			m.target(m.targets[name])
		}
	}
}

func (m *markdown) target(t *Target) {
	m.printf("#### %s\n\n", md(t.Title))
	m.printf("%s – %s\n\n", statusMD(t.Status, t.statusNote()), md(t.Summary))
	var facts []string
	for _, f := range t.facts() {
		facts = append(facts, f.Term+" "+md(f.Meaning))
	}
	m.paragraph(strings.Join(facts, " · "))
	if line := t.sparkline(); line != "" {
		m.printf("Trend `%s`\n\n", line)
	}
	for _, n := range t.told() {
		when := ""
		if !n.At.IsZero() {
			when = " " + n.At.String()
		}
		m.printf("- *%s%s*: %s\n", md(n.About), when, md(n.Text))
	}
	if len(t.Notes) > 0 {
		m.printf("\n")
	}
}

func (m *markdown) quality() {
	m.printf("## Data quality\n\n")
	if len(m.d.Quality) == 0 {
		m.paragraph("Nothing is missing, stale, excluded or corrected.")
	}
	for _, k := range issueKinds {
		list, left := m.d.issuesOf(k.Kind)
		if len(list) == 0 {
			continue
		}
		m.printf("### %s\n\n%s\n\n", k.Heading, md(k.Meaning))
		for _, i := range list {
			m.printf("- **%s**: %s\n", md(i.Title), md(i.Why))
		}
		m.printf("\n")
		m.paragraph(left)
	}
}

func (m *markdown) explanations() {
	if len(m.d.Targets) == 0 {
		return
	}
	m.printf("## Appendix A: how each status came about\n\n")
	for _, s := range m.d.Strategies {
		m.explain(isolated(s.Title)+" (strategy)", s.Status, s.Explanation)
	}
	for _, o := range m.d.Objectives {
		m.explain(isolated(o.Title)+" (objective)", o.Status, o.Explanation)
	}
	for _, t := range m.d.Targets {
		m.explain(t.Title, t.Status, t.Explanation)
	}
	m.printf("\n")
}

func (m *markdown) explain(title string, s gap.Status, e Explanation) {
	m.printf("- **%s** – %s. %s", md(title), lower(statusWord(s).Text), md(e.Rule))
	var inputs []string
	for _, in := range e.Inputs {
		inputs = append(inputs, md(in.Name)+" "+md(in.text()))
	}
	if len(inputs) > 0 {
		m.printf(" Inputs: %s.", strings.Join(inputs, "; "))
	}
	if revs := e.revisions(); revs != "" {
		m.printf(" Revisions: %s.", revs)
	}
	m.printf("\n")
}

func (m *markdown) definitions() {
	m.printf("## Appendix B: what the words mean\n\n")
	for _, d := range m.d.Definitions {
		m.printf("- **%s**: %s\n", md(d.Term), md(d.Meaning))
	}
	m.printf("\n")
}

func (m *markdown) footer() {
	m.printf("---\n\nAs of %s · revision %d · policy %s · SHA-256 `%s`\n\n", orAbsent(m.d.AsOf.String()), m.d.Revision, md(orAbsent(m.d.Policy)), m.d.SHA256())
	if m.d.ErasureEpoch > 0 {
		m.printf("%s\n\n", erasureNote(m.d.ErasureEpoch))
	}
	m.printf("Reproduce: `%s`\n", strings.ReplaceAll(m.d.Reproduce, "`", "'"))
}

// sparkline draws the actual values with eight heights, oldest first.
func (t *Target) sparkline() string {
	if t.Chart == nil || len(t.Chart.Actual) < 3 {
		return ""
	}
	pts := t.Chart.Actual
	lo, hi := pts[0].Value, pts[0].Value
	for _, p := range pts {
		lo, hi = min(lo, p.Value), max(hi, p.Value)
	}
	blocks := []rune("▁▂▃▄▅▆▇█")
	var b strings.Builder
	for _, p := range pts {
		i := 3
		if hi > lo {
			i = int((p.Value/2 - lo/2) / (hi/2 - lo/2) * 7.999)
		}
		b.WriteRune(blocks[i])
	}
	return b.String()
}

// table is a Markdown table; a heading that ends in a colon is of numbers and
// aligned to the right.
type table struct {
	right []bool
	rows  [][]string
}

func newTable(head ...string) *table {
	t := &table{right: make([]bool, len(head))}
	row := make([]string, len(head))
	for i, h := range head {
		row[i], t.right[i] = strings.CutSuffix(h, ":")
	}
	t.rows = append(t.rows, row)
	return t
}

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

func (m *markdown) table(t *table) {
	wide := make([]int, len(t.right))
	for _, r := range t.rows {
		for i, c := range r {
			wide[i] = max(wide[i], runes(c), 3)
		}
	}
	for k, r := range t.rows {
		m.b.WriteByte('|')
		for i, c := range r {
			pad := strings.Repeat(" ", wide[i]-runes(c))
			if t.right[i] {
				c, pad = pad+c, ""
			}
			m.b.WriteString(" " + c + pad + " |")
		}
		m.b.WriteByte('\n')
		if k > 0 {
			continue
		}
		m.b.WriteByte('|')
		for i, right := range t.right {
			line := strings.Repeat("-", wide[i])
			if right {
				line = line[1:] + ":"
			}
			m.b.WriteString(" " + line + " |")
		}
		m.b.WriteByte('\n')
	}
	m.b.WriteByte('\n')
}

// isWide tells whether a character takes two places, as Chinese ones do.
func isWide(r rune) bool {
	kind := width.LookupRune(r).Kind()
	return kind == width.EastAsianWide || kind == width.EastAsianFullwidth
}

// runes counts the places a text takes in a fixed-width font, near enough.
func runes(s string) int {
	k := 0
	for _, r := range s {
		switch {
		case r < 0x300:
			k++
		case unicode.Is(unicode.Mn, r), directs(r):
		case r >= 0x1100 && isWide(r):
			k += 2
		default:
			k++
		}
	}
	return k
}
