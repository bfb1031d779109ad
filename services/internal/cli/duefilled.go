package cli

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/workbook"
)

// sheetRow is a row of a sheet that was filled in.
type sheetRow struct {
	cells      map[string]workbook.FilledCell
	metric, at string
	value      *float64
	targets    []string
	confidence *int32
	note       string
	// due is the last day of the period whose check-in the row asks for; unset where
	// it asks for none.
	due calendar.Date
}

// checksIn tells whether the row is a check-in: its note is not that of a value.
func (r *sheetRow) checksIn() bool {
	return r.confidence != nil || r.note != "" && r.value == nil
}

// sheetAbout is what a sheet says of itself.
type sheetAbout struct {
	day          string // that its check-ins are about, if it says one
	of           string // the state of things it was made of
	owner        string // of whom, empty for all
	organization string // that it was made of, if it says which
}

// dayOf is the day that a row's check-in is about, "" for the day on which it is
// sent in: that of the sheet, but never one after the end of the period that is
// asked about, which it would leave without a check-in.
func (s sheetAbout) dayOf(r sheetRow, today string) string {
	if due := r.due.String(); !r.due.IsZero() && due < cmp.Or(s.day, today) {
		return due
	}
	return s.day
}

// request is the id of the request that a row's check-in on a target is: the same
// for the same sheet, whatever program has saved it since. Sent in again, after
// an interruption or by somebody who did not know, a sheet says nothing twice.
func (s sheetAbout) request(r sheetRow, target string) string {
	confidence := ""
	if r.confidence != nil {
		confidence = strconv.Itoa(int(*r.confidence))
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{s.day, s.of, r.metric, r.at, target, confidence, r.note}, "\x00")))
	return "sheet-" + hex.EncodeToString(sum[:16])
}

// isDueSheet tells a sheet that goes round by the titles of its columns: people
// rename and copy sheets, and now and then a title. A table of KPIs may have some
// of them too; the confidence is in none.
func isDueSheet(_ string, titles []string) bool {
	same := 0
	for _, f := range dueFields {
		if slices.Contains(titles, f.Title) {
			same++
		}
	}
	return same >= 3 && slices.Contains(titles, dueConfidence) || same >= len(dueFields)/2+1
}

// savedAsText is the fault of a sheet that goes round which was saved as CSV: its
// numbers are what was shown, and its percentages texts.
func savedAsText(name string) error {
	return fault.New(fault.Invalid, "cli.sheet", "%s is a sheet of what is due that was saved as CSV; nothing was recorded", name).
		WithHint("save it as a workbook (XLSX): CSV keeps numbers as they are shown, rounded")
}

// readDueSheet reads what came back: every sheet with the titles of what is due,
// the copies too. Either all cells are legal, or the error names each that is not.
func readDueSheet(r io.Reader, name string) (rows []sheetRow, about sheetAbout, err error) {
	content, err := io.ReadAll(io.LimitReader(r, maxSheetBytes+1))
	if err != nil {
		return nil, about, pathError(err)
	}
	if len(content) > maxSheetBytes {
		return nil, about, fault.New(fault.Exhausted, "cli.file", "%s has more than %d MiB", name, maxSheetBytes>>20)
	}
	filled, sheets, err := workbook.Fill(bytes.NewReader(content), func(name string, titles []string) bool {
		return name == aboutSheet || isDueSheet(name, titles)
	})
	if err != nil {
		return nil, about, fault.Wrap(err, fault.Invalid, "cli.sheet", "%s cannot be read as a workbook (XLSX)", name)
	}
	f := &tableFaults{name: name}
	said := map[string]sheetRow{}
	found := false
	for _, sheet := range filled {
		if !isDueSheet(sheet.Name, sheet.Titles) {
			about.read(sheet)
			continue
		}
		found = true
		for _, c := range []string{dueMetric, duePeriod, dueTargets, dueValue, dueConfidence, dueNote} {
			if !slices.Contains(sheet.Titles, c) {
				return nil, about, fault.New(fault.Invalid, "cli.sheet", "%s: the sheet %s has no column %q", name, sheet.Name, c).
					WithHint("the titles of the columns stay as setpoint export sheet --due wrote them")
			}
		}
		for _, one := range sheet.Rows {
			row, ok := readSheetRow(f, one)
			if ok && !row.said(f, said) {
				rows = append(rows, row)
			}
		}
	}
	if !found {
		return nil, about, fault.New(fault.Invalid, "cli.sheet", "%s has no sheet with the columns %s, %s, %s and %s of what is due; it has %s",
			name, dueMetric, duePeriod, dueValue, dueConfidence, listed(sheets, "and")).
			WithHint("setpoint export sheet --due writes one; setpoint import reads other workbooks")
	}
	if err := f.err(); err != nil {
		return nil, about, err
	}
	return rows, about, nil
}

// read takes what the sheet about the sheet says.
func (s *sheetAbout) read(sheet workbook.FilledSheet) {
	for _, row := range sheet.Rows {
		switch text := row.Cells["Content"].Text; row.Cells["What"].Text {
		case aboutDay:
			if d, err := calendar.ParseDate(text); err == nil {
				s.day = d.String()
			}
		case aboutOrganization:
			s.organization = text
		case aboutRevision, aboutAsOf:
			s.of += text + " "
		}
	}
}

// said tells that a row says nothing, or just what an earlier one says, of a copy
// of the sheet. Two rows that say different things are a fault.
func (r *sheetRow) said(f *tableFaults, earlier map[string]sheetRow) bool {
	if r.value == nil && !r.checksIn() {
		return true
	}
	key := r.metric + "\x00" + r.at + "\x00" + strings.Join(r.targets, " ")
	if r.value != nil {
		key = r.metric + "\x00" + r.at // whatever waits for it, a value is one
	}
	first, again := earlier[key]
	if !again {
		earlier[key] = *r
		return false
	}
	if r.value == nil && first.cells[dueNote].Sheet == r.cells[dueNote].Sheet {
		return false // what is asked for twice may be answered twice
	}
	equal := func(a, b *float64) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }
	if equal(first.value, r.value) && equalInt(first.confidence, r.confidence) && first.note == r.note {
		return true
	}
	if r.value != nil {
		f.cell(r.cells[dueValue], "keep one of them", "%s has a value for %s in %s already", r.metric, r.at, first.cells[dueValue].Place())
	} else {
		f.cell(r.cells[dueNote], "keep one of them", "%s says something else of the same targets", first.cells[dueNote].Place())
	}
	return true
}

func equalInt(a, b *int32) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

// maxSheetBytes bounds a workbook that is sent in.
const maxSheetBytes = 64 << 20

// cell adds a fault of a cell.
func (f *tableFaults) cell(c workbook.FilledCell, hint, format string, args ...any) {
	f.add(0, c.Place(), hint, format, args...)
}

// asPercent tells whether a row shows its numbers as percentages; known, whether
// anything in it says how.
func asPercent(row workbook.Filled) (yes, known bool) {
	for _, title := range []string{dueLast, dueTarget} {
		c := row.Cells[title]
		yes = yes || c.Text != "" && (c.Shown == workbook.AsPercent || strings.HasSuffix(c.Text, "%"))
		known = known || c.Text != ""
	}
	return yes, known
}

// shownOtherwise is why a number in a cell is not what was typed, "" if it is. A
// day, a time and true are numbers to the file alone; a percentage is a hundredth
// of what is shown, which is meant only where the row shows its numbers so too.
func shownOtherwise(c workbook.FilledCell, row workbook.Filled) (message, hint string) {
	v, bad := parseNumber(strings.TrimSpace(c.Text))
	if bad != nil {
		return "", ""
	}
	percent, known := asPercent(row)
	switch c.Shown {
	case workbook.AsTime:
		text := "a time"
		if v >= 366 && v < 1e6 { // of less, whoever typed it meant hours
			text = "the day " + time.Date(1899, 12, 30+int(v), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		}
		return "the cell holds " + text + ", which is no number", "type the number again, and choose a number format for the cell if it is still shown as a day or a time"
	case workbook.AsTruth:
		return "the cell holds TRUE or FALSE, which is no number", "write 1 for yes, 0 for no"
	case workbook.AsPercent:
		if percent || !known {
			return "", ""
		}
		points := strconv.FormatFloat(v*100, 'g', 12, 64)
		return fmt.Sprintf("the cell holds the percentage %s %%, and the numbers of this row are not shown as percentages", points),
			fmt.Sprintf("write %s or %s, whichever is meant, and choose a number format for the cell", points, exactNumber(v))
	}
	return "", ""
}

// sheetNumber reads the number of a value's cell. A percentage may be a text, as a
// cell keeps it that is formatted as one; a number above one is a percentage only
// where the cell shows it as such: 5.5 is as likely 5.5 % as 550 %.
func sheetNumber(c workbook.FilledCell, row workbook.Filled) (float64, *fault.Place) {
	percent, _ := asPercent(row)
	points, isPercent := strings.CutSuffix(c.Text, "%")
	if isPercent = isPercent && percent; isPercent {
		c.Text = strings.TrimSpace(points)
	}
	v, bad := parseNumber(c.Text)
	switch {
	case bad != nil && c.Failed:
		bad.Message, bad.Hint = "the cell holds the error "+c.Text, "mend its formula, or clear the cell"
	case bad != nil && isPercent:
		bad.Message, bad.Hint = strconv.Quote(points+"%")+" is not a number", "write it with a decimal point, 5.5%"
	case bad != nil && slices.Contains([]string{"yes", "no", "true", "false"}, strings.ToLower(c.Text)):
		bad.Hint = "write 1 for yes, 0 for no"
	case bad != nil && bad.Hint == unknownIsLeftOut:
		bad.Hint = "leave the cell empty where the value is not known"
	case bad != nil:
	case isPercent:
		return v / 100, nil
	case percent && c.Shown == workbook.AsItIs && math.Abs(v) > 1:
		bad = &fault.Place{Message: fmt.Sprintf("the row shows percentages, and %s is %s %% as it stands", c.Text, exactNumber(v*100)),
			Hint: fmt.Sprintf("write %s%% or %s%%, whichever is meant", c.Text, exactNumber(v*100))}
	}
	return v, bad
}

const besideHint = "write into the columns " + dueValue + ", " + dueConfidence + " and " + dueNote + ", or clear the cell"

func readSheetRow(f *tableFaults, one workbook.Filled) (sheetRow, bool) {
	at := func(title string) workbook.FilledCell {
		c := one.Cells[title]
		c.Text = strings.TrimSpace(c.Text)
		return c
	}
	before := f.count
	row := sheetRow{cells: one.Cells, metric: at(dueMetric).Text, at: at(duePeriod).Text, targets: strings.Fields(at(dueTargets).Text)}
	value, confidence, note := at(dueValue), at(dueConfidence), at(dueNote)
	for _, c := range []workbook.FilledCell{value, confidence, note} {
		if c.Formula && c.Text == "" {
			f.cell(c, "write its result", "the formula has no result")
			return row, false
		}
		if c.Merged > 0 && c.Text != "" {
			f.cell(c, "undo the merging, and write into each row what belongs to it", "the cell is merged with those below it, down to row %d", c.Merged)
			return row, false
		}
	}
	for _, c := range one.Beside {
		f.cell(c, besideHint, "nothing is read here: the column has no title, or that of an earlier one")
	}
	for _, title := range slices.Sorted(maps.Keys(one.Cells)) {
		c := one.Cells[title]
		if (c.Text != "" || c.Formula) && !slices.ContainsFunc(dueFields, func(f workbook.Field) bool { return f.Title == title }) {
			f.cell(c, besideHint, "nothing is read here: the column %q is none of the sheet's", title)
		}
	}
	for _, c := range []workbook.FilledCell{value, confidence} {
		if message, hint := shownOtherwise(c, one); message != "" {
			f.cell(c, hint, "%s", message)
			return row, false
		}
	}
	if note.Failed {
		f.cell(note, "write it as text, with an apostrophe in front", "the cell holds the error %s", note.Text)
	}
	if note.Shown == workbook.AsTime {
		f.cell(note, "write it as text, with an apostrophe in front", "the note is a day or a time to the spreadsheet, not a text")
	}
	row.note = note.Text
	if n := utf8.RuneCountInString(row.note); n > maxNoteRunes {
		f.cell(note, "", "the note has %d characters; at most %d are legal", n, maxNoteRunes)
	}
	if value.Text != "" {
		v, bad := sheetNumber(value, one)
		switch {
		case row.metric == "":
			f.cell(value, "leave the cell empty; a confidence and a note are asked for here", "this row asks for a check-in, not for a value")
		case bad != nil:
			f.cell(value, bad.Hint, "%s", bad.Message)
		default:
			row.value = &v
			if p := checkMetric(row.metric); p != nil {
				f.cell(at(dueMetric), p.Hint, "%s", p.Message)
			}
			if period := at(duePeriod); period.Shown == workbook.AsTime {
				f.cell(period, "write it as text, with an apostrophe in front: '2026-03", "the period is a day to the spreadsheet, not a text")
			} else if p := checkObservedAt(row.at); p != nil {
				f.cell(period, p.Hint, "%s", p.Message)
			}
		}
	}
	if confidence.Text != "" {
		v, bad := parseNumber(confidence.Text)
		switch {
		case bad != nil || v != float64(int32(v)) || v < 0 || v > 10:
			f.cell(confidence, "a whole number: 0, it will not be reached, to 10, it will", "%s is no confidence from 0 to 10", strconv.Quote(confidence.Text))
		case row.note == "":
			f.cell(note, "say what makes you think so", "a confidence needs a note")
		default:
			n := int32(v)
			row.confidence = &n
		}
	}
	if row.metric == "" && row.at != "" {
		row.due = dayIn(at(dueBy))
	}
	if row.checksIn() && len(row.targets) == 0 {
		f.cell(at(dueTargets), "the locked columns stay as they were written", "it is not told which target the check-in is about")
	}
	for _, name := range row.targets {
		if row.checksIn() && !labelPattern.MatchString(name) {
			f.cell(at(dueTargets), "the locked columns stay as they were written", "%s is not the name of a target", strconv.Quote(name))
		}
	}
	return row, f.count == before
}

// dayIn is the day that a cell holds, as a day or as text; unset if it holds none.
func dayIn(c workbook.FilledCell) calendar.Date {
	if v, bad := parseNumber(c.Text); bad == nil && v >= 366 && v < 1e6 {
		return calendar.FromTime(time.Date(1899, 12, 30+int(v), 0, 0, 0, 0, time.UTC))
	}
	d, err := calendar.ParseDate(c.Text)
	if err != nil {
		return calendar.Date{}
	}
	return d
}
