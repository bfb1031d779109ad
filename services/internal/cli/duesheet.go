package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/display"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/workbook"
)

// The sheet that goes round: what is due, in a workbook that owners fill in and
// send back. `export sheet --due` writes it, `observe -f` reads it (duefilled.go),
// and knows it by the titles of its columns.
const (
	dueSheet   = "Due"
	aboutSheet = "About"

	dueMetric     = "Metric"
	duePeriod     = "Period"
	dueBy         = "Due"
	dueLast       = "Last value"
	dueTarget     = "Target"
	dueTargets    = "Targets"
	dueValue      = "Value"
	dueConfidence = "Confidence (0 to 10)"
	dueNote       = "Note"

	aboutDay          = "Check-ins are about the day"
	aboutRevision     = "Revision"
	aboutAsOf         = "As of"
	aboutOrganization = "Organization"
)

var dueFields = []workbook.Field{
	{Title: dueMetric}, {Title: duePeriod}, {Title: "What"}, {Title: "Unit"}, {Title: "Owner"}, {Title: dueBy}, {Title: "Days overdue"},
	{Title: dueLast}, {Title: "Last value of"}, {Title: dueTarget}, {Title: dueTargets},
	{Title: dueValue, Input: workbook.AnyNumber, Prompt: "The value of the period, in the unit of the row: a percentage as 3.3%, yes as 1 and no as 0. Empty where it is not known."},
	{Title: dueConfidence, Input: workbook.ZeroToTen, Prompt: "From 0, the target will not be reached, to 10, it will. Say why in the note."},
	{Title: dueNote, Input: workbook.FreeText, Prompt: "What readers must know. Needed beside a confidence."},
}

func (a *app) exportSheetCommand() *cobra.Command {
	var due bool
	var owner, asOf, out string
	cmd := &cobra.Command{
		Use:   "sheet --due",
		Short: "Write what is due as a workbook to be filled in",
		Long: `Sheet writes an XLSX of the values and check-ins that are due: the metric, the
period, the unit, the last value, the target, and open cells for the value, the
confidence (0 to 10) and a note. Everything else is locked. Owners fill it in and
send it back: setpoint observe -f SHEET.xlsx makes check-ins and observations of
it, or refuses it as a whole and names every cell that is wrong.

A note beside a value belongs to the value; beside a confidence, or alone, it is
a check-in on the targets of the row. A confidence needs a note. Where a check-in
is due it has a row of its own, without a value, and is about that row's period.

The sheet is read back as XLSX only: CSV keeps numbers as they are shown, rounded.`,
		Example: `  setpoint export sheet --due -o due.xlsx
  setpoint export sheet --due --owner unit/real-estate -o real-estate.xlsx
  setpoint observe -f real-estate.xlsx`,
		Args: exactArgs(),
	}
	f := cmd.Flags()
	f.BoolVar(&due, "due", false, "what is due (the only sheet there is)")
	f.StringVar(&owner, "owner", "", "only what this `OWNER` owes (unit/NAME or person/ID), or has come up to it")
	f.StringVarP(&out, "output", "o", "", "write to this `FILE`")
	_ = cmd.RegisterFlagCompletionFunc("owner", cobra.NoFileCompletions)
	a.asOfFlag(cmd, &asOf)
	cmd.RunE = runE(func(ctx context.Context, _ []string) error {
		if !due {
			return &usageError{message: "which sheet?", hint: "--due writes what is due"}
		}
		if err := checkAsOf(asOf); err != nil {
			return err
		}
		if out == "" && a.opts.IsTerminal(a.opts.Stdout) {
			return &usageError{message: "a workbook is not for a terminal", hint: "-o FILE writes it to a file"}
		}
		duties, err := a.client().strategy.ListDuties(ctx, &strategyv1.ListDutiesRequest{Owner: owner, AsOf: asOf})
		if err != nil {
			return err
		}
		gaps, err := a.client().gap.Evaluate(ctx, &gapv1.EvaluateRequest{AsOf: duties.GetAsOf(), Revision: duties.GetRevision(), WithoutForecasts: true})
		if err != nil {
			return err
		}
		titles, err := a.metricTitles(ctx, duties.GetRevision())
		if err != nil {
			return err
		}
		about := sheetAbout{day: asOf, owner: owner, organization: a.organization()}
		content, rows, err := dueWorkbook(duties, gaps, titles, about)
		if err != nil {
			return fault.Wrap(err, fault.Internal, "cli.sheet", "the workbook could not be written")
		}
		if rows == 0 {
			a.warnf("%s is due as of %s\n", strings.TrimSuffix("nothing of "+owner, " of "), duties.GetAsOf())
		}
		if out == "" || out == "-" {
			_, err := a.out.Write(content)
			return err
		}
		if err := writeFile(ctx, out, content); err != nil {
			return err
		}
		a.warnf("%s: %s due as of %s\n", out, counted(rows, "row", "rows"), duties.GetAsOf())
		return nil
	})
	return cmd
}

// organization is the one that is spoken for, "" where only the token says which.
func (a *app) organization() string {
	if a.token != "" && !a.named.org {
		return ""
	}
	return a.org
}

// metricTitles are the titles of the metrics, by their names.
func (a *app) metricTitles(ctx context.Context, revision int64) (map[string]string, error) {
	k, err := kindNamed("Metric")
	if err != nil {
		return nil, err
	}
	list, _, err := a.list(ctx, k, &moment{Revision: revision})
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, r := range list {
		out[r.GetMetadata().GetName()] = r.GetSpec().GetFields()["title"].GetStringValue()
	}
	return out, nil
}

// dueWorkbook lays out what is due, a row for each period without a value and for
// each check-in, and says how many rows there are.
func dueWorkbook(duties *strategyv1.ListDutiesResponse, gaps *gapv1.EvaluateResponse, titles map[string]string, about sheetAbout) (content []byte, count int, err error) {
	targets := map[string]*gapv1.TargetGap{}
	for _, t := range gaps.GetTargets() {
		targets[t.GetName()] = t
	}
	asked := map[string]bool{} // targets whose check-in has a row of its own
	for _, d := range duties.GetDuties() {
		if d.GetKind() != "value" {
			for _, name := range d.GetTargets() {
				asked[name] = asked[name] || isCheckIn(d)
			}
		}
	}
	var rows [][]workbook.Cell
	for _, d := range duties.GetDuties() {
		var waiting []*gapv1.TargetGap
		for _, name := range d.GetTargets() {
			if t := targets[name]; t != nil {
				waiting = append(waiting, t)
			}
		}
		if d.GetKind() != "value" && !isCheckIn(d) || len(waiting) == 0 {
			continue // done elsewhere
		}
		confident := isCheckIn(d) || slices.ContainsFunc(waiting, func(t *gapv1.TargetGap) bool { return !asked[t.GetName()] })
		periods := d.GetPeriods()
		if len(periods) == 0 {
			periods = []string{d.GetPeriod()}
		}
		for i, p := range periods {
			rows = append(rows, dueRow(d, waiting, titles[d.GetName()], p, i == 0, confident && i == len(periods)-1))
		}
	}
	day, err := calendar.ParseDate(duties.GetAsOf())
	if err != nil {
		return nil, 0, err
	}
	w := workbook.New("What is due as of "+day.String(), day)
	w.Form(dueSheet, dueFields, rows)
	text := workbook.Text
	w.Table(aboutSheet, []string{"What", "Content"}, [][]workbook.Cell{
		{text(aboutOrganization), text(about.organization)},
		{text(aboutAsOf), text(day.String())},
		{text(aboutRevision), text(strconv.FormatInt(duties.GetRevision(), 10))},
		{text("Owner"), text(cmp.Or(about.owner, "all"))},
		{text(aboutDay), text(cmp.Or(about.day, "on which it is sent in"))},
		{text("How"), text("Fill in the yellow cells of the sheet Due and leave empty what is not known. Percentages are typed as they are shown, 3.3%. Save it as XLSX.")},
		{text("Target"), text("What is expected by the end of the row's period, on the way to the final value.")},
		{text("Notes"), text("A note beside a value belongs to the value; beside a confidence, or alone, it is a check-in on the targets of the row. A confidence needs a note. A row without a metric asks for a check-in about its period, by its end.")},
		{text("Send it in"), text("setpoint observe -f FILE.xlsx")},
	}, 0)
	content, err = w.Bytes()
	return content, len(rows), err
}

// isCheckIn tells a duty that a check-in fulfils.
func isCheckIn(d *strategyv1.Duty) bool {
	return d.GetKind() == "check-in" || d.GetKind() == "requested"
}

// inUnit says what a value is typed in.
func inUnit(unit string, f *gapv1.NumberFormat) string {
	switch f.GetStyle() {
	case "percent":
		return "%"
	case "boolean":
		return "1 yes, 0 no"
	case "currency":
		unit = cmp.Or(f.GetCurrency(), unit)
	}
	if f.GetMagnitude() != "" {
		return strings.TrimPrefix(unit+", ", ", ") + f.GetMagnitude()
	}
	return unit
}

// dueRow is a row of the sheet. The title is that of the metric, of a value; the
// earliest row of a duty tells when it was due; confident, one has a cell for the
// confidence.
func dueRow(d *strategyv1.Duty, waiting []*gapv1.TargetGap, title, period string, earliest, confident bool) []workbook.Cell {
	text, first := workbook.Text, waiting[0]
	format := func(v float64) string {
		as := shownAs(first.GetFormat()).format
		if as == nil {
			as = &display.Format{}
		}
		return display.Spreadsheet(*as, v)
	}
	number := func(v *float64) workbook.Cell {
		if v == nil {
			return workbook.Cell{}
		}
		return workbook.Number(v, format(*v))
	}
	date := func(s string) workbook.Cell {
		if day, err := calendar.ParseDate(s); err == nil {
			return workbook.Day(day).Left()
		}
		return text(s)
	}
	goal := number(first.Target)
	if first.Lower != nil || first.Upper != nil {
		goal = text(shownAs(first.GetFormat()).band(first.Lower, first.Upper))
	}
	for _, p := range first.GetPeriods() {
		if p.GetPeriod() == period && p.Target != nil {
			goal = number(p.Target)
		}
	}
	metric, what, unit, value := d.GetName(), cmp.Or(title, first.GetTitle(), d.GetWhat()), inUnit(d.GetUnit(), first.GetFormat()), workbook.Cell{}
	if d.GetKind() == "value" {
		value = workbook.Open(format(d.GetLastValue() + .5)) // as of a value with decimals
	} else {
		metric, unit, what = "", "", cmp.Or(first.GetTitle(), first.GetName())+": "+d.GetWhat()
	}
	confidence, note := workbook.Open("0"), workbook.Open(workbook.TextFormat)
	// The duty tells when the first of its periods was due.
	due, overdue := date(d.GetDue()), workbook.Count(int(d.GetDaysOverdue())).Left()
	if !earliest {
		due, overdue = workbook.Cell{}, workbook.Cell{}
	}
	if !confident {
		confidence = workbook.Cell{} // one check-in a target is enough
	}
	return []workbook.Cell{
		text(metric), text(period), text(what), text(unit), text(d.GetOwner()), due, overdue,
		number(d.LastValue).Left(), date(d.GetLastAt()), goal.Left(), text(strings.Join(d.GetTargets(), " ")),
		value, confidence, note,
	}
}

// isWorkbook tells a workbook from a table of text by its name.
func isWorkbook(file string) bool {
	ext := filepath.Ext(file)
	return strings.EqualFold(ext, ".xlsx") || strings.EqualFold(ext, ".xlsm")
}

// isFilledSheet tells whether a workbook has what is due in it, so that import may
// take it for what it is. A file that cannot be read is none: who reads it next
// says why.
func isFilledSheet(ctx context.Context, file string) bool {
	if !isWorkbook(file) {
		return false
	}
	content, err := readFile(ctx, file, maxSheetBytes)
	if err != nil {
		return false
	}
	found := false
	_, _, err = workbook.Fill(bytes.NewReader(content), func(name string, titles []string) bool {
		found = found || isDueSheet(name, titles)
		return false
	})
	return err == nil && found
}

// isSheetAsText tells whether a table of text is a sheet of what is due.
func isSheetAsText(ctx context.Context, file string) bool {
	content, err := readFile(ctx, file, maxSheetBytes)
	if err != nil {
		return false
	}
	header, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")))).Read()
	return err == nil && isDueSheet("", header)
}

// observeSheet records the observations of a sheet, all or none, and then its
// check-ins one by one, which look at the new values. Where one is refused or the
// answer does not come, the sheet is sent in again: values that are on record are
// unchanged, and check-ins are told by their requests.
func (a *app) observeSheet(ctx context.Context, o observeFlags, f format) error {
	content, err := readFile(ctx, o.file, maxSheetBytes+1)
	if err != nil {
		return err
	}
	rows, about, err := readDueSheet(bytes.NewReader(content), o.file)
	if err != nil {
		return err
	}
	if there, here := about.organization, a.organization(); there != "" && here != "" && there != here {
		return fault.New(fault.Invalid, "cli.sheet", "%s was written for the organization %s, and would be recorded in %s; nothing was recorded",
			o.file, strconv.Quote(there), strconv.Quote(here)).WithHint("--org %s sends it to its own", there)
	}
	if len(rows) == 0 {
		a.warnf("%s: nothing is filled in\n", o.file)
		return nil
	}
	seen, err := a.checkSheetTargets(ctx, rows, o.file)
	if err != nil {
		return err
	}
	req := &strategyv1.RecordObservationsRequest{RequestId: requestID(), Correct: o.correct, Manager: o.write.manager, Reason: o.write.reason}
	var observed []sheetRow
	for _, r := range rows {
		if r.value == nil {
			continue
		}
		one := &strategyv1.Observation{Metric: r.metric, ObservedAt: r.at, Value: r.value}
		if !r.checksIn() {
			one.Note = r.note
		}
		observed, req.Observations = append(observed, r), append(req.Observations, one)
	}
	res := &strategyv1.RecordObservationsResponse{}
	if len(observed) > 0 {
		if res, err = a.client().strategy.RecordObservations(ctx, req); err != nil {
			return a.explainSheet(err, o.file, observed)
		}
	}
	said, before, today := 0, 0, a.today()
	for _, r := range rows {
		if !r.checksIn() {
			continue
		}
		for _, target := range r.targets {
			answer, err := a.client().strategy.CheckIn(ctx, &strategyv1.CheckInRequest{
				RequestId: about.request(r, target), Target: target, At: about.dayOf(r, today), Confidence: r.confidence, Note: r.note, Manager: o.write.manager,
			})
			if err != nil {
				e := a.explain(err)
				if e.Reason == "request.id_reused" {
					// The same words about another day: the sheet was sent in before
					// the period ended, and is again after it.
					before++
					continue
				}
				e.Message = fmt.Sprintf("%s: the check-in on %s: %s; on record are %s and %s before it", r.cells[dueNote].Place(), target, e.Message,
					counted(len(observed), "value", "values"), counted(said+before, "check-in", "check-ins"))
				e.Hint = strings.TrimPrefix(e.Hint+"; send the sheet in again: what is on record is not written twice", "; ")
				return e
			}
			if answer.GetRevision() <= seen {
				before++
			} else {
				said++
			}
			res.Revision = max(res.GetRevision(), answer.GetRevision())
		}
	}
	a.settle(ctx, res.GetRevision())
	if f == asTable && said+before > 0 {
		line := counted(said, "check-in", "check-ins")
		if before > 0 {
			line += fmt.Sprintf(", %d said before", before)
		}
		defer a.printf("%s.\n", line)
	}
	return a.writeRecorded(res, f)
}

// checkSheetTargets refuses a sheet with check-ins on targets that are not
// declared, before anything is written, and says at which revision it looked.
func (a *app) checkSheetTargets(ctx context.Context, rows []sheetRow, name string) (int64, error) {
	if !slices.ContainsFunc(rows, func(r sheetRow) bool { return r.checksIn() }) {
		return 0, nil
	}
	res, err := a.client().gap.Evaluate(ctx, &gapv1.EvaluateRequest{WithoutForecasts: true})
	if err != nil {
		return 0, err
	}
	declared := map[string]bool{}
	for _, t := range res.GetTargets() {
		declared[t.GetName()] = true
	}
	f := &tableFaults{name: name}
	for _, r := range rows {
		for _, target := range r.targets {
			if r.checksIn() && !declared[target] {
				f.cell(r.cells[dueTargets], "setpoint export sheet --due writes the sheet anew", "there is no target %s any more", strconv.Quote(target))
			}
		}
	}
	return res.GetRevision(), f.err()
}

var sheetField = regexp.MustCompile(`^observations\[(\d+)\]\.?(.*)$`)

// explainSheet turns the server's refusal into the cells of the sheet.
func (a *app) explainSheet(err error, name string, rows []sheetRow) error {
	e := a.explain(err)
	columns := map[string]string{"metric": dueMetric, "observedAt": duePeriod, "note": dueNote}
	for i, p := range e.Places {
		m := sheetField.FindStringSubmatch(p.Field)
		if m == nil {
			continue
		}
		if n, err := strconv.Atoi(m[1]); err == nil && n < len(rows) {
			e.Places[i].File, e.Places[i].Field = name, rows[n].cells[cmp.Or(columns[m[2]], dueValue)].Place()
		}
	}
	if !strings.Contains(e.Message, "nothing was recorded") {
		e.Message += "; nothing was recorded"
	}
	return e
}
