package report

import (
	"cmp"
	"strconv"
	"strings"

	"setpoint.dev/services/internal/display"
	"setpoint.dev/services/internal/workbook"
)

// inCharts is how many targets have a native chart, the worst first: each is a
// part of the file and takes a spreadsheet its time to draw.
const inCharts = 40

// XLSX renders d as a workbook, one sheet a table: numbers are numbers in their
// metric's format, unknown ones empty cells, days days. Differences are positive
// where the organization is behind. What identifies the document stands on the
// first sheet.
func XLSX(d Document) ([]byte, error) {
	w := workbook.New(d.Title, d.AsOf)
	b := &book{w: w, d: &d, targets: d.targetsByName()}
	b.summary()
	b.blocks()
	b.decisions()
	b.strategies()
	b.all()
	charts := b.periods()
	b.coverage()
	charts = append(charts, b.waterfall()...)
	b.initiatives()
	b.actions()
	b.readiness()
	b.calibration()
	b.quality()
	b.definitions()
	if len(charts) > 0 {
		w.Charts("Charts", charts)
	}
	return w.Bytes()
}

type book struct {
	w       *workbook.Workbook
	d       *Document
	targets map[string]*Target
}

// text is a cell of text: marks of the direction of writing are not for cells.
func text(s string) workbook.Cell { return workbook.Text(bare(s)) }

const (
	shareFormat = "0.0%"
	scoreFormat = "0.00"
)

func shareCell(v *float64) workbook.Cell { return workbook.Number(v, shareFormat) }
func scoreCell(v *float64) workbook.Cell { return workbook.Number(v, scoreFormat) }

func (b *book) summary() {
	d := b.d
	rows := [][]workbook.Cell{
		{text("Title"), text(d.Title)},
		{text("Organization"), text(d.Organization)},
		{text("As of"), workbook.Day(d.AsOf).Left()},
		{text("Revision"), text(uint64String(d.Revision))},
		{text("Policy"), text(d.Policy)},
		{text("Targets as first declared"), workbook.Bool(d.Original).Left()},
		{text("In a sentence"), text(d.Headline.Sentence)},
	}
	for _, h := range d.Headline.Hints {
		rows = append(rows, []workbook.Cell{text("Note"), text(h)})
	}
	if d.Coverage != nil {
		rows = append(rows, []workbook.Cell{text("Coverage"), text(d.Coverage.Sentence)})
	}
	if d.ErasureEpoch > 0 {
		rows = append(rows, []workbook.Cell{text("Erasure epoch"), text(erasureNote(d.ErasureEpoch))})
	}
	for _, name := range d.Headline.Worst {
		t := b.targets[name]
		rows = append(rows, []workbook.Cell{text("Furthest behind"), text(t.Title + ": " + t.Summary)})
	}
	rows = append(rows,
		[]workbook.Cell{text("SHA-256 of the data"), text(d.SHA256())},
		[]workbook.Cell{text("Reproduce"), text(d.Reproduce)},
	)
	b.w.Table("Summary", []string{"What", "Content"}, rows, 0)
	rows = nil
	for _, c := range d.Headline.Counts {
		rows = append(rows, []workbook.Cell{text(statusWord(c.Status).Text), workbook.Count(c.Count)})
	}
	b.w.Table("Statuses", []string{"Status", "Targets"}, rows, 0)
}

// blocks are what moved, what will be missed and the heat maps.
func (b *book) blocks() {
	for _, x := range append(b.d.onTop(inHeadline), b.d.overview()...) {
		if x.sheet == "" || len(x.rows) == 0 {
			continue
		}
		var head []string
		for _, h := range x.head {
			head = append(head, strings.TrimSuffix(h, ":"))
		}
		var rows [][]workbook.Cell
		for _, r := range x.rows {
			var row []workbook.Cell
			for _, c := range r {
				switch {
				case c.status != "":
					row = append(row, text(statusWord(c.status).Text))
				case c.share != nil:
					row = append(row, workbook.Number(c.share, "0%"))
				default:
					row = append(row, text(c.text))
				}
			}
			rows = append(rows, row)
		}
		b.w.Table(x.sheet, head, rows, 1)
	}
}

func (b *book) decisions() {
	if len(b.d.Decisions) == 0 {
		return
	}
	columns := []string{"Review", "Period", "Decision", "Status", "Owner", "Decided", "Due", "Settled", "Overdue", "Days overdue", "About"}
	var rows [][]workbook.Cell
	for i := range b.d.Decisions {
		x := &b.d.Decisions[i]
		rows = append(rows, []workbook.Cell{text(x.ReviewTitle), text(x.Period), text(x.Title), text(x.Status), text(x.Owner), workbook.Day(x.Decided), workbook.Day(x.Due), workbook.Day(x.Settled),
			workbook.Bool(x.Overdue), workbook.Count(x.DaysOverdue), text(x.AboutWords())})
	}
	b.w.Table("Decisions", columns, rows, 3)
}

func rollUpCells(level string, r RollUp) []workbook.Cell {
	return []workbook.Cell{
		text(level), text(r.Name), text(r.Title), text(statusWord(r.Status).Text), scoreCell(r.Score), shareCell(r.Progress), shareCell(&r.Known),
		workbook.Count(r.Targets), text(countWords(r.Counts)), text(r.Explanation.Rule),
	}
}

func (b *book) strategies() {
	columns := []string{"Level", "Name", "Title", "Status", "Score", "Progress", "Known share", "Targets", "Of which", "Rule", "Pillar", "Perspective", "OKR type", "Owner", "Serves", "Description"}
	var rows [][]workbook.Cell
	for _, s := range b.d.Strategies {
		none := workbook.Cell{}
		rows = append(rows, append(rollUpCells("Strategy", s.RollUp), none, none, none, text(s.Owner), none, text(s.Description)))
	}
	for _, o := range b.d.Objectives {
		rows = append(rows, append(rollUpCells("Objective", o.RollUp), text(o.Pillar), text(o.Perspective), text(o.OKRType), text(o.Owner),
			text(strings.Join(o.Serves, "; ")), text(o.Description)))
	}
	for _, u := range b.d.Units {
		rows = append(rows, rollUpCells("Unit", u))
	}
	b.w.Table("Objectives", columns, rows, 3)
}

func (b *book) all() {
	columns := []string{"Target", "Title", "Status", "Why not judged", "Stale", "Last known", "Said instead", "Said until", "Confidence (of 10)",
		"Objective", "Strategy", "Owner", "Unit of", "Forecast", "80 % from", "80 % to", "Forecast for", "Attainment", "Metric", "Measured in", "Form", "Direction",
		"Period", "Actual", "Actual at", "Baseline", "Target value", "Lower", "Upper", "Due", "Expected", "Expected now",
		"Gap (+ behind)", "Drift (+ behind)", "Share (+ behind)", "Target drift (+ loosened)", "Progress", "Score", "Weight", "Summary", "Notes", "Rule", "Revisions"}
	rows := make([][]workbook.Cell, 0, len(b.d.Targets))
	for i := range b.d.Targets {
		t := &b.d.Targets[i]
		number := func(v *float64) workbook.Cell { return t.Metric.cell(v) }
		var o Override
		if t.Override != nil {
			o = *t.Override
		}
		confidence, last, said := workbook.Cell{}, "", ""
		if t.Confidence != nil {
			confidence = workbook.Count(*t.Confidence)
		}
		if t.LastKnownStatus != "" {
			last = statusWord(t.LastKnownStatus).Text
		}
		if o.Status != "" {
			said = statusWord(o.Status).Text + ": " + o.Reason
		}
		weight, ahead := t.Weight, Outlook{}
		if t.Outlook != nil {
			ahead = *t.Outlook
		}
		rows = append(rows, []workbook.Cell{
			text(t.Name), text(t.Title), text(statusWord(t.Status).Text), text(t.Reason), workbook.Bool(t.Stale), text(last), text(said), workbook.Day(o.Expires), confidence,
			text(t.ObjectiveTitle), text(t.Strategy), text(t.Owner), text(t.Unit), number(ahead.Value), number(ahead.Lower80), number(ahead.Upper80), text(ahead.Period), shareCell(ahead.Attainment), text(t.Metric.Name), text(t.Metric.Unit), text(string(t.Form)), text(t.Direction),
			text(t.Period), number(t.Actual), workbook.Day(t.ActualAt), number(t.Baseline), number(t.Target), number(t.Lower), number(t.Upper), workbook.Day(t.Due), number(t.Expected), number(t.ExpectedNow),
			number(t.Gap), number(t.Drift), shareCell(t.Share), number(t.TargetDrift), shareCell(t.Progress), scoreCell(t.Score), workbook.Number(&weight, ""),
			text(t.Summary), text(noteLine(t.Notes)), text(t.Explanation.Rule), text(t.Explanation.revisions()),
		})
	}
	b.w.Table("Targets", columns, rows, 2)
}

const (
	periodColumn   = 3
	targetColumn   = 6
	expectedColumn = 7
	actualColumn   = 10
)

// periods is the table behind the native charts, which it lists: a target's
// periods stand together.
func (b *book) periods() []workbook.Chart {
	columns := []string{"Target", "Title", "Period", "From", "To", "Target value", "Expected", "Lower", "Upper", "Actual", "Variance (+ behind)", "State", "Note"}
	var rows [][]workbook.Cell
	charts := []workbook.Chart{{
		Title: "Targets by status", Sheet: "Statuses", First: 2, Last: len(b.d.Headline.Counts) + 1, Categories: 1, Bars: true, Format: "0",
		Series: []workbook.Series{{Column: 2, Color: "0B3C6F"}},
	}}
	if len(b.d.Targets) == 0 {
		charts = nil
	}
	for i := range b.d.Targets {
		t := &b.d.Targets[i]
		first := len(rows) + 2
		actuals := 0
		for _, p := range t.Periods {
			if p.Actual != nil {
				actuals++
			}
			rows = append(rows, []workbook.Cell{
				text(t.Name), text(t.Title), text(p.Period), workbook.Day(p.Start), workbook.Day(p.End), t.Metric.cell(p.Target), t.Metric.cell(p.Expected),
				t.Metric.cell(p.Lower), t.Metric.cell(p.Upper), t.Metric.cell(p.Actual), t.Metric.cell(p.Variance), text(stateWord(p.State).Text), text(p.Note),
			})
		}
		if actuals < 2 || len(charts) > inCharts {
			continue
		}
		charts = append(charts, t.nativeChart(first, len(rows)+1))
	}
	b.w.Table("Periods", columns, rows, 3)
	return charts
}

func (t *Target) nativeChart(first, last int) workbook.Chart {
	w := statusWord(t.Status)
	c := workbook.Chart{
		Title: clip(t.Title, 70) + " – " + strings.ToLower(w.Text), Sheet: "Periods", First: first, Last: last, Categories: periodColumn,
		Series: []workbook.Series{{Column: actualColumn, Color: "0B3C6F", Marked: true}},
		Format: t.Metric.Format.numberFormat(cmp.Or(value(t.Target), value(t.Actual), value(t.Lower), value(t.Upper))),
	}
	count := func(has func(Period) *float64) int {
		n := 0
		for _, p := range t.Periods {
			if has(p) != nil {
				n++
			}
		}
		return n
	}
	add := func(column int, has func(Period) *float64) {
		if count(has) > 0 {
			c.Series = append(c.Series, workbook.Series{Column: column, Color: "B4500A", Dash: true})
		}
	}
	target, expected := func(p Period) *float64 { return p.Target }, func(p Period) *float64 { return p.Expected }
	if count(expected) > count(target) { // a path whose periods have no targets of their own
		add(expectedColumn, expected)
	} else {
		add(targetColumn, target)
	}
	add(targetColumn+2, func(p Period) *float64 { return p.Lower })
	add(targetColumn+3, func(p Period) *float64 { return p.Upper })
	return c
}

func value(v *float64) float64 {
	if v == nil {
		return 0
	}
	return *v
}

func (b *book) coverage() {
	if b.d.Coverage == nil {
		return
	}
	columns := []string{"Target", "Title", "Gap", "Initiative", "Covered if delivered", "Covered if people are ready", "Share of the gap", "Share if ready", "Delivery", "Ramp", "Adoption", "Unfunded", "Stays open", "Not measured"}
	var rows [][]workbook.Cell
	for _, c := range b.d.Coverage.Targets {
		m := b.targets[c.Target].Metric
		expected := c.Expected
		rows = append(rows, []workbook.Cell{text(c.Target), text(c.Title), m.cell(c.Gap), text("All"), m.cell(&expected), m.cell(c.Ready), shareCell(c.Share), shareCell(c.ReadyShare),
			{}, {}, {}, m.cell(c.Unfunded), m.cell(c.Residual), text(strings.Join(c.Unmeasured, "; "))})
		for _, p := range c.Parts {
			rows = append(rows, []workbook.Cell{text(c.Target), text(c.Title), {}, text(p.Title), m.cell(&p.Expected), m.cell(p.Ready), {}, {}, shareCell(&p.Delivery), shareCell(&p.Ramp), shareCell(p.Adoption)})
		}
	}
	b.w.Table("Coverage", columns, rows, 2)
}

// Columns of the waterfall; see waterfall.
const (
	stepColumn   = 4
	beforeColumn = 5
)

// waterfall is the table behind the native waterfalls: of each gap the whole, what
// each initiative in progress is expected to take off, and what is unfunded; each
// step begins where the one before ended. Of objectives the amounts are shares.
func (b *book) waterfall() []workbook.Chart {
	c := b.d.Coverage
	if c == nil {
		return nil
	}
	columns := []string{"Level", "Name", "Title", "Step", "Closed before", "People come along", "Lost to adoption", "People not measured", "Unfunded", "Gap", "In words"}
	var rows [][]workbook.Cell
	var charts []workbook.Chart
	add := func(level, name, title string, f fall, whole float64, cell func(float64) workbook.Cell, format string) {
		first, at := len(rows)+2, 0.0
		row := func(step string, before, ready, lost, unmeasured, open, gap *float64, words string) {
			amount := func(v *float64) workbook.Cell {
				if v == nil {
					return workbook.Cell{}
				}
				return cell(*v * whole)
			}
			rows = append(rows, []workbook.Cell{text(level), text(name), text(title), text(step), amount(before), amount(ready), amount(lost), amount(unmeasured), amount(open), amount(gap), text(words)})
		}
		one := 1.0
		row("Gap", nil, nil, nil, nil, nil, &one, f.total)
		for _, s := range f.steps {
			before := at
			row(s.label, &before, &s.ready, &s.lost, &s.unmeasured, nil, nil, s.text)
			at += s.sum()
		}
		open := max(0, 1-at)
		row("Unfunded", &at, nil, nil, nil, &open, nil, f.rest)
		if len(charts) < inFalls {
			charts = append(charts, workbook.Chart{
				Title: clip(title, 60) + ": from the gap to what is unfunded", Sheet: "Waterfall", First: first, Last: len(rows) + 1, Categories: stepColumn, Bars: true, Stacked: true, Format: format,
				Series: []workbook.Series{{Column: beforeColumn, Hidden: true, Unnamed: true}, {Column: beforeColumn + 1, Color: "0B3C6F"}, {Column: beforeColumn + 2, Color: "8FA9C4"},
					{Column: beforeColumn + 3, Color: "E2A66F"}, {Column: beforeColumn + 4, Color: "E6E8EC"}, {Column: beforeColumn + 5, Color: "5F6B7A", Unnamed: true}},
			})
		}
	}
	for i := range c.Objectives {
		o := &c.Objectives[i]
		add("Objective", o.Objective, o.Title, o.fall(), 1, func(v float64) workbook.Cell { return shareCell(&v) }, shareFormat)
	}
	for i := range c.Targets {
		x := &c.Targets[i]
		if !x.hasGap() {
			continue
		}
		m := b.targets[x.Target].Metric
		add("Target", x.Target, x.Title, x.fall(m), *x.Gap, func(v float64) workbook.Cell { return m.cell(&v) }, m.Format.numberFormat(*x.Gap))
	}
	if len(rows) > 0 {
		b.w.Table("Waterfall", columns, rows, 4)
	}
	return charts
}

// inFalls is how many waterfalls are drawn natively.
const inFalls = 24

func (b *book) initiatives() {
	if len(b.d.Initiatives) == 0 {
		return
	}
	columns := []string{"Initiative", "Title", "Owner", "Stage", "Start", "Planned end", "Expected end", "Days late", "Critical", "Milestones reached", "Milestones", "Overdue", "Currency", "Spent", "Budget", "Expected cost", "Delivery", "Contributes to"}
	var rows [][]workbook.Cell
	for i := range b.d.Initiatives {
		x := &b.d.Initiatives[i]
		var to []string
		for _, c := range x.Contributions {
			to = append(to, strings.TrimSpace(c.Title+" "+c.Text))
		}
		rows = append(rows, []workbook.Cell{
			text(x.Name), text(x.Title), text(x.Owner), text(x.Stage), workbook.Day(x.Start), workbook.Day(x.End), workbook.Day(x.ExpectedEnd), workbook.Count(x.SlipDays), workbook.Bool(x.Critical),
			workbook.Count(x.Reached), workbook.Count(len(x.Milestones)), text(strings.Join(x.overdue(), "; ")),
			text(x.Currency), amountCell(x.Spent), amountCell(x.Budget), amountCell(x.Completion), shareCell(&x.Delivery), text(strings.Join(to, "; ")),
		})
	}
	b.w.Table("Initiatives", columns, rows, 2)
}

func (b *book) actions() {
	if len(b.d.Actions) == 0 {
		return
	}
	columns := []string{"Action", "Title", "Target", "Initiative", "Owner", "Policy", "Opened", "Due", "Overdue", "Days overdue"}
	var rows [][]workbook.Cell
	for _, a := range b.d.Actions {
		rows = append(rows, []workbook.Cell{text(a.ID), text(a.Title), text(a.TargetTitle), text(a.InitiativeTitle), text(a.Owner), text(a.Policy), workbook.Day(a.Opened), workbook.Day(a.Due), workbook.Bool(a.Overdue), workbook.Count(a.DaysOverdue)})
	}
	b.w.Table("Actions", columns, rows, 2)
}

func (b *book) readiness() {
	if len(b.d.Readiness) == 0 {
		return
	}
	columns := []string{"Program", "Title", "Initiative", "Framework", "Audience", "People", "Readiness", "Adoption", "Where people are stuck", "Why not known", "Formula"}
	var rows [][]workbook.Cell
	for i := range b.d.Readiness {
		p := &b.d.Readiness[i]
		rows = append(rows, []workbook.Cell{text(p.Name), text(p.Title), text(p.Initiative), text(p.Framework), text("All"), {}, shareCell(p.Readiness), shareCell(p.Adoption), text(p.stuck()), text(p.Unknown), text(p.Formula)})
		for _, a := range p.Audiences {
			rows = append(rows, []workbook.Cell{text(p.Name), text(p.Title), text(p.Initiative), text(p.Framework), text(a.Title), workbook.Count(a.Size), shareCell(a.Readiness)})
		}
	}
	b.w.Table("Readiness", columns, rows, 2)
}

// calibration is a row for each group, also those too small for numbers.
func (b *book) calibration() {
	c := b.d.Calibration
	if c == nil {
		return
	}
	columns := []string{"What", "By", "Of", "n", "With hindsight", "Brier", "Brier of the base rate", "Mean probability", "Reached", "Intervals", "In 80 %", "In 95 %"}
	var rows [][]workbook.Cell
	score := func(v *float64) workbook.Cell { return workbook.Number(v, "0.000") }
	add := func(what, by string, list ...Calibrated) {
		for _, g := range list {
			rows = append(rows, []workbook.Cell{
				text(what), text(by), text(g.Name), workbook.Count(g.N), workbook.Count(g.Hindsight), score(g.Brier), score(g.BaseBrier),
				shareCell(g.Mean), shareCell(g.BaseRate), workbook.Count(g.Intervals), shareCell(g.Within80), shareCell(g.Within95),
			})
		}
	}
	add("Forecast", "all", c.Forecasts)
	add("Forecast", "time left", c.Leads...)
	add("Forecast", "owner unit", c.Units...)
	add("Forecast", "method", c.Methods...)
	add("Confidence", "all", c.Confidence)
	add("Confidence", "owner unit", c.Said...)
	b.w.Table("Calibration", columns, rows, 3)
}

func (b *book) quality() {
	var rows [][]workbook.Cell
	for _, i := range b.d.Quality {
		for _, k := range issueKinds {
			if k.Kind == i.Kind {
				rows = append(rows, []workbook.Cell{text(k.Heading), text(i.Target), text(i.Title), text(i.Why), text(k.Meaning)})
			}
		}
	}
	b.w.Table("Data quality", []string{"Issue", "Target", "Title", "Why", "What it means"}, rows, 0)
}

func (b *book) definitions() {
	var rows [][]workbook.Cell
	for _, x := range b.d.Definitions {
		rows = append(rows, []workbook.Cell{text(x.Term), text(x.Meaning)})
	}
	b.w.Table("Definitions", []string{"Term", "Meaning"}, rows, 0)
}

// cell is v as a number in the metric's format.
func (m Metric) cell(v *float64) workbook.Cell {
	return workbook.Number(v, m.Format.numberFormat(value(v)))
}

// amountCell is a decimal string as a number; amounts of money are exact in the
// other formats, here they are what spreadsheets count with.
func amountCell(amount string) workbook.Cell {
	v, err := strconv.ParseFloat(amount, 64)
	if err != nil {
		return workbook.Cell{}
	}
	return workbook.Number(&v, "#,##0.00")
}

// numberFormat is the format of spreadsheets that shows v as the metric does.
func (f Format) numberFormat(v float64) string {
	return display.Spreadsheet(display.Format(f.of(v)), v)
}
