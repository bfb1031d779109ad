package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"setpoint.dev/services/gap"
)

//go:embed page.html.tmpl
var pageSource string

//go:embed act.html.tmpl
var actSource string

//go:embed style.css
var style string

//go:embed act.css
var actStyle string // only where there is something that it is for

var page = template.Must(template.Must(template.New("page").Funcs(template.FuncMap{"lang": language, "count": count, "composed": composed, "dated": dated}).Parse(pageSource)).Parse(actSource))

// contentPolicy lets the page's own style in and nothing else: no script, no request.
func contentPolicy(style string) string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
}

// HTML renders d as one self-contained page that can be printed on A4.
func HTML(d Document) []byte {
	var b bytes.Buffer
	b.Grow(60_000 + 14_000*len(d.Targets))
	if err := page.Execute(&b, newPage(&d)); err != nil {
		panic("report: the page's template does not fit its data: " + err.Error())
	}
	return b.Bytes()
}

// The types below hold what the template prints, as text. Only SVG made by this
// package and the style are trusted; the template escapes the rest.
type (
	pageView struct {
		D              *Document
		CSP            string
		CSS            template.CSS
		AsOf, Revision string
		Policy, SHA    string
		Erasure        string // what the erasure epoch means; "" if there is none
		Bar            template.HTML
		Tally          []tallyView
		Strategies     []strategyView
		Worst, Missing []*targetView
		MoreWorst      string
		MoreMissing    string
		Top, Overview  []blockView
		Deep, Shallow  bool // how the status came about is told; single targets are not
		Objectives     []*objectiveView
		Glance         []*objectiveView // those of the overview
		GlanceLeft     string
		UnitsLeft      string
		Targets        []*targetView
		Grids          []gridView
		States         []word
		Units          []rollUpView
		Issues         []issueView
		Act            *actView // nil: nothing to show
	}
	statusView struct{ Class, Symbol, Word, Reason string }
	tallyView  struct {
		Status statusView
		N      int
	}
	rollUpView struct {
		Title                        string
		Status                       statusView
		Score, Known, Progress, Rule string
		Counts                       string
		Targets                      int
		HasProgress                  bool
	}
	explainView struct {
		Rule      string
		Inputs    []inputView
		Revisions string
	}
	inputView    struct{ Name, Text string }
	strategyView struct {
		Title, Vision, Description, Horizon string
		RollUp                              rollUpView
		Explain                             explainView
	}
	objectiveView struct {
		ID, Title, Pillar, About, Description string
		Unknown                               bool
		RollUp                                rollUpView
		Explain                               explainView
		Members                               []*targetView
	}
	targetView struct {
		ID, Title, Summary, Owner           string
		Status, Bare                        statusView // Bare has no reason
		Unknown                             bool
		Period, Actual, Expected, Goal      string
		Gap, Drift, Share                   string
		GapBehind, DriftBehind, ShareBehind bool
		Chart                               template.HTML
		Facts                               []Definition
		Notes                               []Note
		Fall                                template.HTML // what closes its gap
		FallFoot                            string
		Long                                bool
		Explain                             explainView
	}
	gridView struct {
		Cadence, Omitted string
		Columns          []string
		Groups           []gridGroupView
	}
	gridGroupView struct {
		Title string
		Span  int
		Rows  []gridRowView
	}
	gridRowView struct {
		ID, Title string
		Cells     []cellView
	}
	cellView  struct{ State, Mark, Actual, Goal, Variance, Word string }
	issueView struct {
		Heading, Meaning, Left string
		All                    int
		Items                  []issueItem
	}
	issueItem struct{ ID, Title, Why string }
)

func newPage(d *Document) *pageView {
	css := style
	if d.acts() || len(d.Heat) > 0 || len(d.Objectives) > 1 {
		css += actStyle
	}
	v := &pageView{
		D:        d,
		CSP:      contentPolicy(css),
		CSS:      template.CSS(css),
		AsOf:     orAbsent(d.AsOf.String()),
		Revision: uint64String(d.Revision),
		Policy:   orAbsent(d.Policy),
		SHA:      d.SHA256(),
		Bar:      template.HTML(statusBar(d.Headline.Counts)),
	}
	if d.ErasureEpoch > 0 {
		v.Erasure = erasureNote(d.ErasureEpoch)
	}
	ids := newIDs()
	byName := make(map[string]*targetView, len(d.Targets))
	named := make([]string, len(d.Targets))
	for i := range d.Targets {
		named[i] = ids.of("target-" + d.Targets[i].Name)
	}
	v.Targets = targetViews(d.Targets, named)
	for i, t := range v.Targets {
		byName[d.Targets[i].Name] = t
	}
	v.Deep, v.Shallow = d.deep(), d.shallow()
	if v.Shallow { // there is nothing that a link to a target would lead to
		for _, t := range v.Targets {
			t.ID = ""
		}
	}
	v.Top, v.Overview = newBlocks(d.onTop(inHeadline), byName), newBlocks(d.overview(), byName)
	for _, c := range d.Headline.Counts {
		if c.Count > 0 {
			v.Tally = append(v.Tally, tallyView{statusOf(c.Status, ""), c.Count})
		}
	}
	for _, name := range d.Headline.Worst {
		v.Worst = append(v.Worst, byName[name])
	}
	for _, name := range d.Headline.Missing {
		v.Missing = append(v.Missing, byName[name])
	}
	v.MoreWorst = more(d.Headline.Behind - len(v.Worst))
	v.MoreMissing = more(d.Headline.Unjudged - len(v.Missing))
	for _, s := range d.Strategies {
		title := s.Title
		if title == d.Title {
			title = "Overall"
		}
		v.Strategies = append(v.Strategies, strategyView{title, s.Vision, s.Description, horizon(s), newRollUp(s.RollUp), newExplain(s.Explanation)})
	}
	for _, o := range d.Objectives {
		ov := &objectiveView{
			ID: d.objectiveID(o, ids), Title: o.Title, Pillar: o.Pillar, About: about(o), Description: o.Description,
			Unknown: o.Status == gap.NoData, RollUp: newRollUp(o.RollUp), Explain: newExplain(o.Explanation),
		}
		for _, name := range o.Members {
			ov.Members = append(ov.Members, byName[name])
		}
		v.Objectives = append(v.Objectives, ov)
	}
	glanced, left := d.glanced()
	v.GlanceLeft = left
	section := map[string]*objectiveView{}
	for i, o := range d.Objectives {
		section[o.Name] = v.Objectives[i]
	}
	for _, o := range glanced {
		v.Glance = append(v.Glance, section[o.Name])
	}
	units, left := d.glancedUnits()
	v.UnitsLeft = left
	for _, u := range units {
		v.Units = append(v.Units, newRollUp(u))
	}
	v.Grids = newGrids(d, byName)
	for _, s := range states {
		if w := stateWord(s); w.Symbol != "" {
			v.States = append(v.States, w)
		}
	}
	v.Issues = newIssues(d, byName)
	v.Act = newAct(d, byName, ids)
	if d.Coverage != nil && !v.Shallow {
		index := d.targetsByName()
		for i := range d.Coverage.Targets {
			c := &d.Coverage.Targets[i]
			if t := byName[c.Target]; c.hasGap() {
				m := index[c.Target].Metric
				t.Fall, t.FallFoot = template.HTML(c.svg(m, "fall-"+t.ID)), c.foot(m)
			}
		}
	}
	return v
}

// objectiveID is where an objective is told of; "" where it is not.
func (d *Document) objectiveID(o Objective, ids idSet) string {
	if d.shallow() {
		return ""
	}
	return ids.of("objective-" + o.Name)
}

// trusted is a picture of this package; nil where there is none.
func trusted(svg string) any {
	if svg == "" {
		return nil
	}
	return template.HTML(svg)
}

// keepUnits keeps a number and its unit on one line.
var keepUnits = strings.NewReplacer(" %", "\u00a0%", " pp", "\u00a0pp", "≤ ", "≤\u00a0", "≥ ", "≥\u00a0")

// dated keeps days and periods within a text on one line: a browser parts them at their
// hyphens. One that stands alone has the room that it needs.
func dated(s string) any {
	if len(s) <= len("2006-01-02") || !strings.ContainsRune(s, '-') {
		return s
	}
	var b strings.Builder
	at := 0
	for _, m := range datePattern.FindAllStringIndex(s, -1) {
		b.WriteString(template.HTMLEscapeString(s[at:m[0]]) + `<span class="nowrap">` + s[m[0]:m[1]] + `</span>`)
		at = m[1]
	}
	if at == 0 {
		return s
	}
	return template.HTML(b.String() + template.HTMLEscapeString(s[at:]))
}

var datePattern = regexp.MustCompile(`\b(FY)?\d{4}-(\d\d-\d\d|\d\d|Q\d|W\d\d|P\d\d)\b`)

// ids makes names unique fragments of a URL.
type idSet map[string]int

func newIDs() idSet { return idSet{} }

func (s idSet) of(name string) string {
	id := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, name)
	s[id]++
	if k := s[id]; k > 1 {
		return s.of(id + "-" + strconv.Itoa(k))
	}
	return id
}

// statusOf is a status with the class that colours it; what the style does not
// know looks like no data.
func statusOf(s gap.Status, reason string) statusView {
	w := statusWord(s)
	class := string(gap.NoData)
	if _, known := statusWords[s]; known {
		class = string(s)
	}
	return statusView{class, w.Symbol, w.Text, reason}
}

// targetViews makes the views of all targets, most of which is drawing, on all
// processors.
func targetViews(targets []Target, ids []string) []*targetView {
	out := make([]*targetView, len(targets))
	var done sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), len(targets))
	for w := range workers {
		done.Go(func() {
			for i := w; i < len(targets); i += workers {
				out[i] = newTargetView(&targets[i], ids[i])
			}
		})
	}
	done.Wait()
	return out
}

func newTargetView(t *Target, id string) *targetView {
	m := t.Metric
	v := &targetView{
		ID: id, Title: t.Title, Summary: keepUnits.Replace(t.Summary), Owner: orAbsent(t.Owner),
		Status:   statusOf(t.Status, t.statusNote()),
		Bare:     statusOf(t.Status, ""),
		Unknown:  t.Status == gap.NoData,
		Period:   orAbsent(t.when()),
		Actual:   m.value(t.Actual),
		Expected: m.value(t.Expected),
		Goal:     setpoint(m, t.Direction, t.Target, t.Lower, t.Upper),
		Gap:      t.gapWords(),
		Drift:    m.behind(t.Drift),
		Share:    signedPercent(t.Share),
		Chart:    template.HTML(t.SVG("chart-" + id)),
		Facts:    t.facts(),
		Notes:    t.told(),
		Explain:  newExplain(t.Explanation),
	}
	v.Long = len(v.Notes) > 12
	behind := t.Status == gap.OffTrack || t.Status == gap.Missed || t.Status == gap.AtRisk
	v.GapBehind = behind && t.Gap != nil && *t.Gap > 0
	v.DriftBehind = t.Drift != nil && *t.Drift > 0 && behind
	v.ShareBehind = t.Share != nil && *t.Share > 0 && behind
	return v
}

func newRollUp(r RollUp) rollUpView {
	return rollUpView{
		Title: r.Title, Status: statusOf(r.Status, ""), Score: score(r.Score), Known: percent(&r.Known),
		Progress: percent(r.Progress), HasProgress: r.Progress != nil, Rule: r.Explanation.Rule,
		Counts: countWords(r.Counts), Targets: r.Targets,
	}
}

func newExplain(e Explanation) explainView {
	v := explainView{Rule: orAbsent(e.Rule), Revisions: e.revisions()}
	for _, in := range e.Inputs {
		v.Inputs = append(v.Inputs, inputView{in.Name, in.text()})
	}
	return v
}

func newGrids(d *Document, byName map[string]*targetView) []gridView {
	index := make(map[string]*Target, len(d.Targets))
	for i := range d.Targets {
		index[d.Targets[i].Name] = &d.Targets[i]
	}
	var out []gridView
	for _, g := range d.Grids {
		gv := gridView{Cadence: g.Cadence, Omitted: g.omitted()}
		for _, c := range g.Columns {
			gv.Columns = append(gv.Columns, c.Period)
		}
		for _, group := range g.Groups {
			rows := make([]gridRowView, 0, len(group.Rows))
			for _, r := range group.Rows {
				t := index[r.Target]
				row := gridRowView{ID: byName[r.Target].ID, Title: t.Title, Cells: make([]cellView, len(r.Cells))}
				for i := range r.Cells {
					if p := r.cell(t, i); p != nil {
						row.Cells[i] = newCell(t, p)
					}
				}
				rows = append(rows, row)
			}
			gv.Groups = append(gv.Groups, gridGroupView{group.Title, len(g.Columns) + 1, rows})
		}
		out = append(out, gv)
	}
	return out
}

func newCell(t *Target, p *Period) cellView {
	w := stateWord(p.State)
	class := p.State
	if _, known := stateWords[p.State]; !known {
		class = gap.PeriodNoData
	}
	if p.State == gap.PeriodNoTarget && p.Actual != nil && p.goal() != nil {
		// A value and a target, and still no verdict: not the same as no target.
		w, class = word{stateWords[gap.PeriodNoData].Symbol, "not judged"}, gap.PeriodNoData
	}
	c := cellView{State: string(class), Mark: w.Symbol, Word: w.Text}
	if p.Actual != nil {
		c.Actual = t.Metric.show(*p.Actual)
	}
	if goal := setpoint(t.Metric, t.Direction, p.goal(), p.Lower, p.Upper); goal != absent {
		c.Goal = goal
	}
	if p.Variance != nil {
		c.Variance = t.Metric.signed(p.Variance)
	}
	switch class {
	case gap.PeriodMet, gap.PeriodNear, gap.PeriodNotMet, gap.PeriodFuture, gap.PeriodNoTarget:
		c.Word = "" // the mark and the key say it; in these cells room is short
	}
	return c
}

func newIssues(d *Document, byName map[string]*targetView) []issueView {
	var out []issueView
	for _, k := range issueKinds {
		v := issueView{Heading: k.Heading, Meaning: k.Meaning}
		list, left := d.issuesOf(k.Kind)
		for _, i := range list {
			v.Items = append(v.Items, issueItem{byName[i.Target].ID, i.Title, i.Why})
		}
		v.Left, v.All = left, d.countIssues(k.Kind)
		if len(v.Items) > 0 {
			out = append(out, v)
		}
	}
	return out
}

// statusBar stacks the counts, worst at the left: colour, pattern, symbol and
// number tell the parts apart.
func statusBar(list []Count) string {
	const width, height = 1000.0, 34.0
	total := 0
	for _, c := range list {
		total += c.Count
	}
	if total == 0 {
		return ""
	}
	var b, words strings.Builder
	x := 0.0
	for _, c := range list {
		if c.Count == 0 {
			continue
		}
		w := statusWord(c.Status)
		fmt.Fprintf(&words, "%s %s. ", count(c.Count), strings.ToLower(w.Text))
		span := width * float64(c.Count) / float64(total)
		ink := barInks[c.Status]
		fmt.Fprintf(&b, `<rect x="%s" y="0" width="%s" height="%s" fill="%s" stroke="#fff" stroke-width="2"/>`, n(x), n(span), n(height), ink.fill)
		if span >= 52 {
			fmt.Fprintf(&b, `<text x="%s" y="22" text-anchor="middle" fill="%s" font-size="15" font-weight="700">%s %s</text>`, n(x+span/2), ink.text, w.Symbol, count(c.Count))
		} else if span >= 18 {
			fmt.Fprintf(&b, `<text x="%s" y="22" text-anchor="middle" fill="%s" font-size="15" font-weight="700">%s</text>`, n(x+span/2), ink.text, count(c.Count))
		}
		x += span
	}
	return `<svg class="bar" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 34" role="img" aria-labelledby="bar-title" font-family="system-ui, 'Segoe UI', 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif">` +
		`<title id="bar-title">` + strings.TrimSpace(words.String()) + `</title>` +
		`<defs><pattern id="bar-hatch" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="8" height="8" fill="#eef0f3"/><line x1="0" y1="0" x2="0" y2="8" stroke="#c3cad3" stroke-width="3"/></pattern></defs>` +
		b.String() + `</svg>`
}

var barInks = map[gap.Status]struct{ fill, text string }{
	gap.OffTrack:   {"#b3261e", "#fff"},
	gap.Missed:     {"#6f1d1b", "#fff"},
	gap.AtRisk:     {"#f0b429", "#2b2100"},
	gap.NoData:     {"url(#bar-hatch)", "#1f2933"},
	gap.NotStarted: {"#f6f7f9", "#5f6b7a"},
	gap.OnTrack:    {"#2f7d5b", "#fff"},
	gap.Achieved:   {"#14532d", "#fff"},
}
