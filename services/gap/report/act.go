package report

import (
	"fmt"
	"html/template"
	"strings"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
)

// What is done about the gaps: the sections Initiatives, Coverage and
// Readiness. A report on an organization that has declared neither initiatives
// nor change programs has none of them, and the same bytes as if they did not
// exist.

func (b *builder) act(d *Document, p gap.Portfolio) {
	if len(p.Initiatives) == 0 && len(p.Programs) == 0 && len(p.Actions) == 0 {
		return
	}
	targets := d.targetsByName()
	chosen := b.chosen(p, targets)
	d.Initiatives = b.initiatives(p, chosen, targets)
	d.onCharts(targets)
	if len(chosen) > 0 {
		d.Coverage = b.coverage(chosen, d.Targets)
		d.Coverage.Objectives = coveredObjectives(d.Objectives, targets, d.Coverage.Targets)
	}
	d.Actions = b.actions(p, targets, chosen)
	d.Readiness = b.programs(p, chosen)
	if len(d.Initiatives) > 0 || len(d.Readiness) > 0 {
		d.Definitions = append(append([]Definition(nil), d.Definitions...), actDefinitions...)
	}
}

// inStrip is how many initiatives stand under a chart.
const inStrip = 4

// onCharts puts initiatives on the time axis of the targets that they serve.
func (d *Document) onCharts(targets map[string]*Target) {
	for _, x := range d.Initiatives {
		if x.Stage == "cancelled" || x.Start.IsZero() || x.ExpectedEnd.IsZero() {
			continue
		}
		for _, c := range x.Contributions {
			t := targets[c.Target]
			if t == nil || t.Chart == nil || len(t.Chart.Initiatives) == inStrip || x.Start.After(t.Chart.To) || x.ExpectedEnd.Before(t.Chart.From) {
				continue
			}
			t.Chart.Initiatives = append(t.Chart.Initiatives, Mark{calendar.Later(x.Start, t.Chart.From), calendar.Earlier(x.ExpectedEnd, t.Chart.To), x.Title})
		}
	}
}

// acts tells whether there is anything to show of what is done.
func (d *Document) acts() bool {
	return len(d.Initiatives) > 0 || len(d.Readiness) > 0 || len(d.Actions) > 0
}

var actDefinitions = []Definition{
	{"Covered", "Expected amounts of the initiatives in progress × what their ramp still adds by the due date × the probability of delivery (milestones on time + 1.4)/(milestones due + 2), a heuristic."},
	{"If people are ready", "The same × (1 − d + d × adoption), where d is the share that depends on people and " + adoptionFormula + "."},
	{"Unfunded", "The part of a gap that no initiative in progress is meant to close, even if all deliver as expected."},
	{"Stays open", "The part of a gap that is left if people come along as far as they are ready: unfunded, and lost to adoption. Where people are not measured it is the least that it can be."},
	{"Barrier point", "The first element of the framework at the barrier score or lower; it is each person's own. Counts are shown from 10 people on, other results from 5, and only of closed waves."},
}

type (
	actView struct {
		Sentence       string
		Initiatives    []initiativeView
		Actions        []actionView
		HasCoverage    bool
		Covered        []coveredView
		Picture, Key   template.HTML
		Pictured       string // what the picture leaves out
		Falls          []template.HTML
		FallNote       string
		FallsLeft      string
		CoveredLeft    string
		Unserved       []unservedView
		UnservedAll    int
		UnservedLeft   string
		ServingNothing []string
		Programs       []programView
		Adoption       string
	}
	initiativeView struct {
		Title, Owner, Stage, Dates, Expected, Milestones, Money, Delivery string
		Late, Critical                                                    bool
		Overdue                                                           string
		Contributions                                                     []contributionView
	}
	actionView struct {
		Title, About, ID, Owner, Due, Opened string
		Overdue                              bool
	}
	unservedView struct {
		*targetView
		Note string
	}
	contributionView struct{ ID, Title, Text, Basis string }
	coveredView      struct {
		ID, Title, Gap, Delivered, Ready, Unfunded, Residual, Parts string
		Unknown                                                     bool
	}
	programView struct {
		Title, Of, Words, Stuck, Formula string
		Unknown                          bool
		Audiences                        []string
		Bars                             template.HTML
	}
)

func newAct(d *Document, byName map[string]*targetView, ids idSet) *actView {
	if !d.acts() {
		return nil
	}
	v := &actView{Adoption: adoptionFormula}
	for i := range d.Initiatives {
		x := &d.Initiatives[i]
		one := initiativeView{
			Title: x.Title, Owner: x.Owner, Stage: x.Stage, Dates: x.dates(), Expected: x.expected(), Late: x.SlipDays > 0 && x.Stage != "completed", Critical: x.Critical,
			Milestones: x.progress(), Money: x.money(), Delivery: percent(&x.Delivery), Overdue: strings.Join(allIsolated(x.overdue()), ", "),
		}
		for _, c := range x.Contributions {
			cv := contributionView{Title: c.Title, Text: c.Text, Basis: c.Basis}
			if t := byName[c.Target]; t != nil {
				cv.ID = t.ID
			}
			one.Contributions = append(one.Contributions, cv)
		}
		v.Initiatives = append(v.Initiatives, one)
	}
	for i := range d.Actions {
		a := &d.Actions[i]
		one := actionView{Title: a.Title, About: a.about(), Owner: a.Owner, Due: a.dueWords(), Opened: a.opener(), Overdue: a.Overdue}
		if t := byName[a.Target]; t != nil {
			one.ID = t.ID
		}
		v.Actions = append(v.Actions, one)
	}
	if c := d.Coverage; c != nil {
		v.HasCoverage, v.Sentence, v.Key = true, c.Sentence, coverageKey
		v.Picture, v.Pictured, v.FallNote = coverageSVG(d), c.pictured(inOverview), objectiveFallNote
		falls, left := d.fallsShown()
		v.FallsLeft = left
		for i := range falls {
			v.Falls = append(v.Falls, template.HTML(falls[i].svg(ids.of("fall-"+falls[i].Objective))))
		}
		targets := d.targetsByName()
		list, left := d.coveredShown()
		v.CoveredLeft = left
		for i := range list {
			x := &list[i]
			m := targets[x.Target].Metric
			v.Covered = append(v.Covered, coveredView{
				ID: byName[x.Target].ID, Title: x.Title, Gap: gapOf(x, m), Delivered: x.ifDelivered(m), Ready: x.ifReady(m), Unfunded: x.unfunded(m), Residual: x.residual(m),
				Parts: keepUnits.Replace(x.parts(m)), Unknown: x.Ready == nil,
			})
		}
		names, left := d.few(c.Unserved)
		v.UnservedAll, v.UnservedLeft = len(c.Unserved), left
		for _, name := range names {
			v.Unserved = append(v.Unserved, unservedView{byName[name], targets[name].gapNote()})
		}
		v.ServingNothing = d.serving(c.ServingNothing)
	}
	for i := range d.Readiness {
		p := &d.Readiness[i]
		one := programView{Title: p.Title, Of: p.of(), Words: p.readinessWords(), Stuck: p.stuck(), Formula: p.Formula, Unknown: p.Readiness == nil,
			Bars: barrierSVG(p, ids.of("barriers-"+p.Name))}
		for _, a := range p.Audiences {
			one.Audiences = append(one.Audiences, a.words())
		}
		v.Programs = append(v.Programs, one)
	}
	return v
}

func (p *Program) of() string {
	text := p.Framework
	if p.Initiative != "" {
		text += " · for " + isolated(p.Initiative)
	}
	return text + " · " + p.Start.String() + " to " + p.End.String()
}

// gapNote shows the gap of a target that nobody works on.
func (t *Target) gapNote() string {
	if t.Gap == nil {
		return "gap not known"
	}
	return t.gapWords()
}

// targetsByName points into d.
func (d *Document) targetsByName() map[string]*Target {
	out := make(map[string]*Target, len(d.Targets))
	for i := range d.Targets {
		out[d.Targets[i].Name] = &d.Targets[i]
	}
	return out
}

// gapOf shows the gap that is to be covered.
func gapOf(c *CoveredTarget, m Metric) string {
	switch {
	case c.Gap == nil:
		return "not known"
	case *c.Gap <= 0:
		return "none"
	}
	return m.size(*c.Gap)
}

func (m *markdown) act() {
	d := m.d
	if !d.acts() {
		return
	}
	if len(d.Initiatives) > 0 {
		m.printf("## Initiatives\n\n")
		t := newTable("Initiative", "Stage", "Planned", "Expected end", "Milestones", "Spent", "Delivery:", "Owner")
		for i := range d.Initiatives {
			x := &d.Initiatives[i]
			t.row(md(x.Title), md(x.Stage), x.dates(), md(x.expected()), md(x.progress()), md(x.money()), percent(&x.Delivery), md(orAbsent(x.Owner)))
		}
		m.table(t)
		m.paragraph("Delivery is a probability: (milestones on time + 1.4)/(milestones due + 2) (heuristic).")
		for i := range d.Initiatives {
			x := &d.Initiatives[i]
			for _, title := range x.overdue() {
				m.printf("- **%s**: overdue: %s\n", md(x.Title), md(title))
			}
			for _, c := range x.Contributions {
				m.printf("- **%s** is to add %s to %s by %s", md(x.Title), md(orAbsent(c.Text)), md(c.Title), orAbsent(c.RampEnd.String()))
				if c.Basis != "" {
					m.printf(" (%s)", md(c.Basis))
				}
				m.printf("\n")
			}
		}
		m.printf("\n")
	}
	m.actions()
	if d.Coverage != nil {
		m.coverage(d.Coverage)
	}
	m.readiness()
}

func (m *markdown) coverage(c *Coverage) {
	m.printf("## Coverage\n\n**%s**\n\n", md(c.Sentence))
	if len(c.Targets) > 0 {
		t := newTable("Target", "Gap:", "Covered if delivered:", "If people are ready:", "Unfunded:", "Stays open:")
		list, left := m.d.coveredShown()
		for i := range list {
			x := &list[i]
			of := m.targets[x.Target].Metric
			t.row(md(x.Title), md(gapOf(x, of)), md(x.ifDelivered(of)), md(x.ifReady(of)), md(x.unfunded(of)), md(x.residual(of)))
		}
		m.table(t)
		m.paragraph(left)
		for i := range list {
			x := &list[i]
			m.printf("- **%s**: %s\n", md(x.Title), md(x.parts(m.targets[x.Target].Metric)))
		}
		m.printf("\n")
		m.paragraph("If people are ready: × (1 " + minus + " d + d × adoption), " + md(adoptionFormula) + "; people who were not measured count as unknown, not as ready.")
		m.falls(c)
	}
	if len(c.Unserved) > 0 {
		m.printf("Targets that no initiative works on:\n\n")
		names, left := m.d.few(c.Unserved)
		for _, name := range names {
			t := m.targets[name]
			m.printf("- %s – %s: %s\n", statusMD(t.Status, t.statusNote()), md(t.Title), md(t.gapNote()))
		}
		m.printf("\n")
		m.paragraph(left)
	}
	if names := m.d.serving(c.ServingNothing); len(names) > 0 {
		m.printf("Initiatives that contribute to no target:\n\n")
		for _, title := range names {
			m.printf("- %s\n", md(title))
		}
		m.printf("\n")
	}
}

// falls are the waterfalls, of objectives and, but for a board, of targets.
func (m *markdown) falls(c *Coverage) {
	const key = "`█` covered: delivered, and people come along; `▒` delivered, lost to adoption; `?` rests on people who were not measured; `·` unfunded."
	if len(c.Objectives) > 0 {
		m.printf("### What closes the gaps\n\n")
		m.paragraph("From the whole gap, initiative by initiative, to what is unfunded: " + key)
		m.paragraph(md(objectiveFallNote))
	}
	falls, left := m.d.fallsShown()
	for i := range falls {
		o := &falls[i]
		m.printf("**%s**\n\n```text\n%s```\n\n", md(o.Title), o.fall().text())
	}
	m.paragraph(left)
	if m.d.shallow() {
		return
	}
	for i := range c.Targets {
		x := &c.Targets[i]
		if !x.hasGap() {
			continue
		}
		of := m.targets[x.Target].Metric
		m.printf("#### %s\n\n```text\n%s```\n\n", md(x.Title), x.fall(of).text())
		m.paragraph(md(x.foot(of)))
	}
}

func (m *markdown) readiness() {
	if len(m.d.Readiness) == 0 {
		return
	}
	m.printf("## Readiness\n\n")
	for i := range m.d.Readiness {
		p := &m.d.Readiness[i]
		m.printf("### %s\n\n%s\n\n", md(p.Title), md(p.of()))
		m.printf("Readiness: **%s**\n\n", md(p.readinessWords()))
		var audiences []string
		for _, a := range p.Audiences {
			audiences = append(audiences, md(a.words()))
		}
		m.paragraph(strings.Join(audiences, " · "))
		m.paragraph(md(p.stuck()))
		if bars := p.Wave.bars(); bars != nil {
			most, wide := 1, 0
			for _, x := range bars {
				most, wide = max(most, x.People), max(wide, runes(x.Title))
			}
			m.printf("```text\n")
			for _, x := range bars {
				title := strings.ReplaceAll(x.Title, "`", "'")
				line := fmt.Sprintf("%s%s %s %s", title, strings.Repeat(" ", wide-runes(title)), strings.Repeat("█", (x.People*30+most/2)/most), count(x.People))
				m.printf("%s\n", strings.Replace(line, "  "+count(x.People), " "+count(x.People), 1))
			}
			m.printf("```\n\n")
		}
		m.paragraph("How it is computed: " + md(p.Formula) + "; " + md(adoptionFormula) + ".")
	}
}
