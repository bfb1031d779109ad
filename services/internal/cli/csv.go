package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/sheet"
)

// Limits of a table of observations. The longest texts are the API's.
const (
	maxTableBytes   = 1 << 30
	maxRecordBytes  = 1 << 20
	maxTableColumns = 64
	maxFaultsShown  = 20
	maxMetricRunes  = 63
	maxSourceRunes  = 200
	maxNoteRunes    = 4000
)

// observationRow is one line of a table: an observation and where it stands.
type observationRow struct {
	line                     int // 1-based, of the line the row begins on
	metric, at, source, note string
	value                    float64
}

var (
	tableColumns    = []string{"metric", "observed_at", "value", "source", "note"}
	requiredColumns = tableColumns[:3]
	// What only the log knows; get observations -o csv prints it.
	ignoredColumns = []string{"corrections", "revision", "recorded"}
	// What other systems call the columns.
	columnSynonyms = map[string]string{
		"kpi": "metric", "indicator": "metric", "measure": "metric", "name": "metric",
		"date": "observed_at", "period": "observed_at", "time": "observed_at", "timestamp": "observed_at",
		"observed": "observed_at", "at": "observed_at", "year": "observed_at", "month": "observed_at",
		"actual": "value", "amount": "value", "number": "value",
		"comment": "note", "comments": "note", "notes": "note", "remark": "note", "origin": "source",
	}
)

// tableFaults collects what is wrong, of which only the first few are shown.
type tableFaults struct {
	name  string
	shown []fault.Place
	count int
}

func (f *tableFaults) add(line int, column, hint, format string, args ...any) {
	f.count++
	if len(f.shown) < maxFaultsShown {
		f.shown = append(f.shown, fault.Place{
			File: f.name, Line: line, Field: column, Hint: hint, Message: fmt.Sprintf(format, args...),
		})
	}
}

func (f *tableFaults) err() error {
	if f.count == 0 {
		return nil
	}
	message := counted(f.count, "fault", "faults") + " in " + f.name
	if f.count > len(f.shown) {
		message += fmt.Sprintf(", the first %d of them shown", len(f.shown))
	}
	e := fault.New(fault.Invalid, "cli.observations", "%s; nothing was recorded", message)
	e.Places = f.shown
	return e
}

// readObservations reads a CSV table (RFC 4180, UTF-8, with a header naming
// metric, observed_at, value and optionally source and note in any order) to
// its end. Either all rows are legal or the error, a *fault.Error, says what is
// wrong with which lines.
func readObservations(r io.Reader, name string) ([]observationRow, error) {
	return readObservationsWithin(r, name, maxTableBytes)
}

func readObservationsWithin(r io.Reader, name string, most int64) ([]observationRow, error) {
	f := &tableFaults{name: name}
	in := bufio.NewReader(r)
	if !skipMark(in, f) {
		return nil, f.err()
	}
	limited := &recordLimit{r: in, most: most}
	c := csv.NewReader(limited)
	c.ReuseRecord = true
	c.FieldsPerRecord = -1

	header, err := c.Read()
	switch {
	case err == io.EOF:
		f.add(1, "", headerHint, "the table is empty")
		return nil, f.err()
	case err != nil:
		unreadable(f, err, 0)
		return nil, f.err()
	}
	headerLine, _ := c.FieldPos(0)
	width := len(header)
	index := readHeader(f, headerLine, header)
	if f.count > 0 {
		return nil, f.err()
	}

	intern := map[string]string{}
	var rows []observationRow
	for after := headerLine; ; {
		limited.start = c.InputOffset()
		record, err := c.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			if !unreadable(f, err, after) {
				return nil, f.err()
			}
			continue
		}
		line, _ := c.FieldPos(0)
		last, _ := c.FieldPos(len(record) - 1)
		after = last + strings.Count(record[len(record)-1], "\n")
		if blank(record) {
			continue // spreadsheets save emptied rows
		}
		if row, ok := readRow(f, line, record, width, index, intern); ok && f.count == 0 {
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 && f.count == 0 {
		f.add(headerLine, "", "each observation is a line below the header", "the table has no rows")
	}
	if f.count == 0 {
		contradictions(f, rows)
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	return rows, nil
}

const headerHint = "the first line names the columns: metric,observed_at,value[,source,note]"

// skipMark skips a UTF-8 byte order mark and refuses what is no text at all.
func skipMark(in *bufio.Reader, f *tableFaults) bool {
	head, err := in.Peek(4)
	if err != nil && err != io.EOF && len(head) == 0 {
		f.add(0, "", "", "cannot be read: %v", err)
		return false
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, err := in.Discard(3)
		return err == nil
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		f.add(1, "", "save it as CSV UTF-8", "the table is UTF-16")
		return false
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")):
		f.add(1, "", "save it as CSV UTF-8; a sheet of what is due as a workbook, NAME.xlsx", "this is a spreadsheet or an archive, not CSV")
		return false
	}
	return true
}

var (
	errRecordTooLong = errors.New("row too long")
	errTableTooLarge = errors.New("table too large")
)

// recordLimit bounds what the CSV reader holds in memory: a quote that is never
// closed would make the rest of the table one row. start is the offset at which
// the row being read begins.
type recordLimit struct {
	r                io.Reader
	start, delivered int64
	most             int64 // of the whole table
}

func (l *recordLimit) Read(p []byte) (int, error) {
	const buffered = 4096 // what the CSV reader may have read ahead of the row
	if l.delivered-l.start > maxRecordBytes+buffered {
		return 0, errRecordTooLong
	}
	if l.delivered > l.most {
		return 0, errTableTooLarge
	}
	n, err := l.r.Read(p)
	l.delivered += int64(n)
	return n, err
}

// unreadable reports a row that is not CSV, and whether the next one can be
// read. after is the line on which the row before ended.
func unreadable(f *tableFaults, err error, after int) bool {
	const quoting = `a text with a comma, a quote or a line break stands in "…", a quote inside it is written ""`
	var p *csv.ParseError
	switch {
	case errors.Is(err, errRecordTooLong):
		f.add(after+1, "", "is a quote never closed?", "the row has more than 1 MiB")
	case errors.Is(err, errTableTooLarge):
		f.add(0, "", "split it into several", "the table has more than 1 GiB")
	case errors.As(err, &p) && errors.Is(err, csv.ErrBareQuote):
		f.add(p.Line, "", quoting, "a quote inside a text without quotes, at column %d", p.Column)
		return true
	case errors.As(err, &p) && p.Line != p.StartLine:
		f.add(p.StartLine, "", quoting, "a quote opened here is not closed properly (line %d, column %d)", p.Line, p.Column)
		return true
	case errors.As(err, &p):
		f.add(p.Line, "", quoting, "a quote is not closed properly, at column %d", p.Column)
		return true
	default:
		f.add(after+1, "", "", "cannot be read: %v", err)
	}
	return false
}

// readHeader maps the known columns to their positions.
func readHeader(f *tableFaults, line int, header []string) map[string]int {
	if len(header) > maxTableColumns {
		f.add(line, "", headerHint, "%d columns", len(header))
		return nil
	}
	if isDueSheet("", header) {
		f.add(line, "", "save it as a workbook (XLSX): CSV keeps numbers as they are shown, rounded", "this is a sheet of what is due that was saved as CSV")
		return nil
	}
	index := map[string]int{}
	meant := map[string]bool{} // what an unknown column probably is
	for i, raw := range header {
		name := strings.ToLower(strings.TrimSpace(raw))
		if _, twice := index[name]; twice {
			f.add(line, "", "", "the column %s is there twice", name)
			continue
		}
		if slices.Contains(tableColumns, name) {
			index[name] = i
			continue
		}
		if slices.Contains(ignoredColumns, name) {
			continue
		}
		guess, hint := explainColumn(name)
		f.add(line, "", hint, "unknown column %q", clip(printable(raw), 60))
		if guess == "" && hint != legalColumns {
			return nil // the whole line is cut wrongly
		}
		meant[guess] = true
	}
	for _, name := range requiredColumns {
		if _, ok := index[name]; !ok && !meant[name] {
			f.add(line, "", headerHint, "the column %s is missing", name)
		}
	}
	return index
}

var legalColumns = "legal are " + strings.Join(tableColumns, ", ")

// explainColumn says what an unknown column probably is.
func explainColumn(name string) (guess, hint string) {
	switch {
	case name == "":
		return "", "the header has an empty column: is there a comma too many?"
	case strings.ContainsAny(name, ";\t|"):
		return "", "columns are separated by commas"
	case strings.Contains(name, "\r"):
		return "", "lines end in LF or CRLF"
	}
	guess = columnSynonyms[name]
	if guess == "" {
		guess = nearest(name, tableColumns)
	}
	if guess == "" {
		return "", legalColumns
	}
	return guess, "did you mean " + guess + "?"
}

func blank(record []string) bool {
	return !slices.ContainsFunc(record, func(s string) bool { return strings.TrimSpace(s) != "" })
}

// readRow checks one row; every wrong field is a fault of its own.
func readRow(f *tableFaults, line int, record []string, width int, index map[string]int, intern map[string]string) (observationRow, bool) {
	before := f.count
	if len(record) != width {
		hint := ""
		if len(record) > width {
			hint = `a text with a comma stands in "…"; a number has no thousands separators`
		}
		f.add(line, "", hint, "%s, but the header has %d", counted(len(record), "field", "fields"), width)
		return observationRow{}, false
	}
	get := func(name string) string {
		i, ok := index[name]
		if !ok {
			return ""
		}
		if !utf8.ValidString(record[i]) {
			f.add(line, name, "save the table as CSV UTF-8", "not UTF-8")
			return ""
		}
		return record[i]
	}
	// Few different texts make up a large table; each is kept once.
	keep := func(s string) string {
		if s == "" {
			return ""
		}
		if known, ok := intern[s]; ok {
			return known
		}
		s = strings.Clone(s)
		intern[s] = s
		return s
	}
	row := observationRow{
		line: line, metric: keep(strings.TrimSpace(get("metric"))), at: keep(strings.TrimSpace(get("observed_at"))),
		source: keep(sheet.Plain(strings.TrimSpace(get("source")))), note: strings.Clone(sheet.Plain(get("note"))),
	}
	if f.count > before {
		return row, false
	}
	if bad := checkMetric(row.metric); bad != nil {
		f.add(line, "metric", bad.Hint, "%s", bad.Message)
	}
	if bad := checkObservedAt(row.at); bad != nil {
		f.add(line, "observed_at", bad.Hint, "%s", bad.Message)
	}
	v, bad := parseNumber(strings.TrimSpace(get("value")))
	if bad != nil {
		f.add(line, "value", bad.Hint, "%s", bad.Message)
	}
	row.value = v
	if n := utf8.RuneCountInString(row.source); n > maxSourceRunes {
		f.add(line, "source", "", "%d characters; at most %d are legal", n, maxSourceRunes)
	}
	if n := utf8.RuneCountInString(row.note); n > maxNoteRunes {
		f.add(line, "note", "", "%d characters; at most %d are legal", n, maxNoteRunes)
	}
	return row, f.count == before
}

func checkMetric(s string) *fault.Place {
	switch {
	case s == "":
		return &fault.Place{Message: "the metric is empty", Hint: "write the name of a declared metric"}
	case !labelPattern.MatchString(s):
		return &fault.Place{
			Message: fmt.Sprintf("%q is not the name of a metric", clip(printable(s), 60)),
			Hint:    fmt.Sprintf("legal are lower-case letters, digits and - inside, at most %d", maxMetricRunes),
		}
	}
	return nil
}

// checkObservedAt accepts a date, an instant, or a period, as the API does.
func checkObservedAt(s string) *fault.Place {
	if s == "" {
		return &fault.Place{Message: "the date is empty", Hint: "write when the value was true, for example 2018-09-30 or FY2018"}
	}
	err := calendar.Named(s)
	if err == nil {
		return nil
	}
	if _, instant := time.Parse(time.RFC3339, s); instant == nil {
		return nil
	}
	p := &fault.Place{Message: err.Error()}
	var e *fault.Error
	if errors.As(err, &e) {
		p.Message, p.Hint = e.Message, e.Hint
	}
	return p
}

// contradictions reports rows that give one metric, date and source two values:
// which of them is right nobody can know.
func contradictions(f *tableFaults, rows []observationRow) {
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	compare := func(x, y *observationRow) int {
		return cmp.Or(cmp.Compare(x.metric, y.metric), cmp.Compare(x.at, y.at), cmp.Compare(x.source, y.source))
	}
	slices.SortFunc(order, func(i, j int) int {
		return cmp.Or(compare(&rows[i], &rows[j]), cmp.Compare(rows[i].line, rows[j].line))
	})
	type contradiction struct{ first, second int }
	var found []contradiction
	for k := 1; k < len(order); k++ {
		x, y := order[k-1], order[k]
		if compare(&rows[x], &rows[y]) == 0 && rows[x].value != rows[y].value {
			found = append(found, contradiction{x, y})
		}
	}
	slices.SortFunc(found, func(x, y contradiction) int { return cmp.Compare(x.second, y.second) })
	for _, c := range found {
		x, y := rows[c.first], rows[c.second]
		f.add(y.line, "value", "one metric has one value per date and source", "%s at %s is %s here and %s in line %d",
			y.metric, y.at, exactNumber(y.value), exactNumber(x.value), x.line)
	}
}
