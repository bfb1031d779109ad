package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"setpoint.dev/services/internal/fault"
)

func TestReadObservations(t *testing.T) {
	tests := []struct {
		name, table string
		want        []observationRow
	}{
		{"plain", "metric,observed_at,value\na,2018-09-30,1.5\nb,FY2018,-2\n", []observationRow{
			{line: 2, metric: "a", at: "2018-09-30", value: 1.5}, {line: 3, metric: "b", at: "FY2018", value: -2}}},
		{"columns in any order", "note,value,source,observed_at,metric\nn,1,s,2018-Q3,a\n", []observationRow{
			{line: 2, metric: "a", at: "2018-Q3", value: 1, source: "s", note: "n"}}},
		{"no line end at the end", "metric,observed_at,value\na,2018-07,1", []observationRow{
			{line: 2, metric: "a", at: "2018-07", value: 1}}},
		{"byte order mark, CRLF, spaces and capitals", "\xef\xbb\xbfMetric, Observed_At ,VALUE\r\na , 2018-W07,  1e3 \r\n", []observationRow{
			{line: 2, metric: "a", at: "2018-W07", value: 1000}}},
		{"empty lines", "\n\nmetric,observed_at,value\n\na,2018,1\n\n\na,2019,2\n\n", []observationRow{
			{line: 5, metric: "a", at: "2018", value: 1}, {line: 8, metric: "a", at: "2019", value: 2}}},
		{"emptied rows", "metric,observed_at,value\r\n,,\r\na,2018,1\r\n , ,\r\n,\r\n", []observationRow{
			{line: 3, metric: "a", at: "2018", value: 1}}},
		{"quoted line breaks", "metric,observed_at,value,note\na,2018,1,\"first\nsecond, \"\"third\"\"\n\"\nb,2018,2,\n", []observationRow{
			{line: 2, metric: "a", at: "2018", value: 1, note: "first\nsecond, \"third\"\n"}, {line: 5, metric: "b", at: "2018", value: 2}}},
		{"an instant", "metric,observed_at,value\na,2018-09-30T12:00:00+02:00,0\n", []observationRow{
			{line: 2, metric: "a", at: "2018-09-30T12:00:00+02:00"}}},
		{"the same row twice", "metric,observed_at,value\na,2018,1\na,2018,1.0\n", []observationRow{
			{line: 2, metric: "a", at: "2018", value: 1}, {line: 3, metric: "a", at: "2018", value: 1}}},
		{"two sources", "metric,observed_at,value,source\na,2018,1,x\na,2018,2,y\n", []observationRow{
			{line: 2, metric: "a", at: "2018", value: 1, source: "x"}, {line: 3, metric: "a", at: "2018", value: 2, source: "y"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readObservations(strings.NewReader(tt.table), "t.csv")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(observationRow{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadObservationsRefuses(t *testing.T) {
	const header = "metric,observed_at,value,source,note\n"
	tests := []struct{ name, table, want string }{
		{"nothing", "", "t.csv:1: the table is empty"},
		{"only a mark", "\xef\xbb\xbf", "t.csv:1: the table is empty"},
		{"only line ends", "\n\r\n", "t.csv:1: the table is empty"},
		{"only a header", header, "t.csv:1: the table has no rows"},
		{"missing column", "metric,value\na,1\n", "t.csv:1: the column observed_at is missing"},
		{"unknown column, near", "metric,observed_at,valu\na,2018,1\n", `t.csv:1: unknown column "valu" | hint: did you mean value?`},
		{"unknown column, synonym", "kpi,observed_at,value\na,2018,1\n", `t.csv:1: unknown column "kpi" | hint: did you mean metric?`},
		{"unknown column, far", "metric,observed_at,value,colour of the sky\na,2018,1,x\n", `unknown column "colour of the sky" | hint: legal are metric, observed_at, value, source, note`},
		{"column twice", "metric,observed_at,value,Value\na,2018,1,1\n", "t.csv:1: the column value is there twice"},
		{"empty column", "metric,observed_at,value,\na,2018,1,\n", `t.csv:1: unknown column "" | hint: the header has an empty column`},
		{"semicolons", "metric;observed_at;value\na;2018;1\n", "hint: columns are separated by commas"},
		{"carriage returns", "metric,observed_at,value\ra,2018,1\r", "hint: lines end in LF or CRLF"},
		{"too many columns", strings.Repeat("a,", 64) + "a\n", "t.csv:1: 65 columns"},
		{"too few fields", header + "a,2018,1\n", "t.csv:2: 3 fields, but the header has 5"},
		{"too many fields", "metric,observed_at,value\na,2018,1,234\n", "t.csv:2: 4 fields, but the header has 3 | hint: a text with a comma"},
		{"no metric", header + ",2018,1,,\n", "t.csv:2: metric: the metric is empty"},
		{"metric with capitals", header + "Vacant Space,2018,1,,\n", `t.csv:2: metric: "Vacant Space" is not the name of a metric`},
		{"not a date", header + "a,soon,1,,\n", `t.csv:2: observed_at: "soon" is not the name of a period | hint: write FY2018`},
		{"no date", header + "a,,1,,\n", "t.csv:2: observed_at: the date is empty"},
		{"American date", header + "a,09/30/2018,1,,\n", `t.csv:2: observed_at: "09/30/2018" is not a date written YYYY-MM-DD`},
		{"no such day", header + "a,2018-02-30,1,,\n", `t.csv:2: observed_at: "2018-02-30" does not exist`},
		{"no value", header + "a,2018,,,\n", "t.csv:2: value: the value is empty | hint: an unknown value is left out"},
		{"thousands", header + "a,2018,\"1,234\",,\n", `t.csv:2: value: "1,234" is not a number | hint: write it without separators: 1234`},
		{"thousands with decimals", header + "a,2018,\"-1,234,567.8\",,\n", "hint: write it without separators: -1234567.8"},
		{"decimal comma", header + "a,2018,\"3,5\",,\n", "hint: the decimal point is a dot: 3.5"},
		{"percent", header + "a,2018,3%,,\n", `"3%" is not a number | hint: percentages are written as fractions: 0.03`},
		{"currency", header + "a,2018,$5,,\n", "hint: write the number without its currency"},
		{"accounting", header + "a,2018,(5),,\n", "hint: a negative number is written with a minus: -5"},
		{"NaN", header + "a,2018,NaN,,\n", `"NaN" is not a number`},
		{"infinity", header + "a,2018,-Inf,,\n", `"-Inf" is not a number`},
		{"hexadecimal", header + "a,2018,0x10,,\n", `"0x10" is not a number`},
		{"underscore", header + "a,2018,1_000,,\n", `"1_000" is not a number`},
		{"too large", header + "a,2018,1e999,,\n", `"1e999" is too large`},
		{"long source", header + "a,2018,1," + strings.Repeat("é", 201) + ",\n", "t.csv:2: source: 201 characters; at most 200 are legal"},
		{"long note", header + "a,2018,1,," + strings.Repeat("n", 4001) + "\n", "t.csv:2: note: 4001 characters; at most 4000 are legal"},
		{"Latin-1", header + "a,2018,1,,caf\xe9\n", "t.csv:2: note: not UTF-8"},
		{"UTF-16", "\xff\xfem\x00", "t.csv:1: the table is UTF-16"},
		{"spreadsheet", "PK\x03\x04rest", "t.csv:1: this is a spreadsheet"},
		{"bare quote", header + "a,2018,1,x\"y,\n", "t.csv:2: a quote inside a text without quotes, at column 11"},
		{"wrong quote", header + "a,2018,1,\"x\"y,\n", "t.csv:2: a quote is not closed properly, at column 12"},
		{"open quote", header + "a,2018,1,,\nb,2018,1,\"x,\nc,2018,1,,\n", "t.csv:3: a quote opened here is not closed properly"},
		{"the line after quoted line breaks", header + "a,2018,1,,\"1\n2\n3\"\nb,2018,x,,\n", "t.csv:5: value:"},
		{"two values", header + "a,2018,1,,\nb,2018,1,,\na,2018,2,,\n", "t.csv:4: value: a at 2018 is 2 here and 1 in line 2"},
		{"endless row", header + "a,2018,1,,\n\"" + strings.Repeat("x\n", maxRecordBytes), "t.csv:3: the row has more than 1 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rows, err := readObservations(strings.NewReader(tt.table), "t.csv")
			if err == nil {
				t.Fatalf("accepted: %v", rows)
			}
			if rows != nil {
				t.Errorf("rows beside the error: %v", rows)
			}
			var e *fault.Error
			if !errors.As(err, &e) || e.Kind != fault.Invalid {
				t.Fatalf("not an invalid input: %v", err)
			}
			if !strings.HasSuffix(e.Message, "nothing was recorded") {
				t.Errorf("message %q", e.Message)
			}
			if len(e.Places) != 1 {
				t.Errorf("%d faults, want one: %v", len(e.Places), e.Places)
			}
			var b bytes.Buffer
			writePlace(&b, "", e.Places[0])
			if got := strings.ReplaceAll(strings.TrimSpace(b.String()), "\n    ", " | "); !strings.Contains(got, tt.want) {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestEveryBadLineIsCountedAndTwentyAreShown(t *testing.T) {
	var b strings.Builder
	b.WriteString("metric,observed_at,value\n")
	for range 30 {
		b.WriteString("a,2018,x\nb,2018,1\n")
	}
	_, err := readObservations(strings.NewReader(b.String()), "t.csv")
	var e *fault.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	if len(e.Places) != 20 || e.Places[19].Line != 40 {
		t.Errorf("%d places, the last in line %d", len(e.Places), e.Places[len(e.Places)-1].Line)
	}
	if want := "30 faults in t.csv, the first 20 of them shown; nothing was recorded"; e.Message != want {
		t.Errorf("message %q, want %q", e.Message, want)
	}
}

func TestTheSizeOfATableIsBounded(t *testing.T) {
	table := "metric,observed_at,value\n" + strings.Repeat("a,2018,1\n", 2000)
	if _, err := readObservationsWithin(strings.NewReader(table), "t.csv", int64(len(table))); err != nil {
		t.Error(err)
	}
	rows, err := readObservationsWithin(strings.NewReader(table), "t.csv", int64(len(table))-1)
	var e *fault.Error
	if !errors.As(err, &e) || rows != nil || e.Places[0].Message != "the table has more than 1 GiB" {
		t.Errorf("%d rows, error %v", len(rows), err)
	}
}

type brokenPipe struct{ r io.Reader }

func (b brokenPipe) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err == io.EOF {
		err = errors.New("input/output error")
	}
	return n, err
}

func TestAReadErrorIsNotTheEndOfTheTable(t *testing.T) {
	rows, err := readObservations(brokenPipe{strings.NewReader("metric,observed_at,value\na,2018,1\n")}, "t.csv")
	if err == nil || !strings.Contains(err.Error(), "input/output error") {
		t.Fatalf("rows %v, error %v", rows, err)
	}
}

// Property: what is written as CSV is read back, with the line each row begins on.
func TestReadObservationsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		quote := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
		line := 2
		var b strings.Builder
		b.WriteString("metric,observed_at,value,note\n")
		var want []observationRow
		for i := range rapid.IntRange(1, 20).Draw(t, "rows") {
			note := rapid.StringMatching(`[a-z",\n é]{0,20}`).Draw(t, "note")
			v := rapid.Float64().Filter(func(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }).Draw(t, "value")
			want = append(want, observationRow{line: line, metric: fmt.Sprintf("m%d", i), at: "FY2018", value: v, note: note})
			fmt.Fprintf(&b, "m%d,FY2018,%v,%s\n", i, v, quote(note))
			line += 1 + strings.Count(note, "\n")
		}
		got, err := readObservations(strings.NewReader(b.String()), "t.csv")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(observationRow{})); diff != "" {
			t.Fatal(diff)
		}
	})
}

// Whatever the bytes, either all rows are legal or the error names a place.
func FuzzReadObservations(f *testing.F) {
	f.Add([]byte("metric,observed_at,value\na,2018-09-30,1\n"))
	f.Add([]byte("metric,observed_at,value,source,note\r\na,FY2018,-.5e-3,s,\"x\n\"\"y\"\r\n"))
	f.Add([]byte("\xef\xbb\xbfmetric;value\n"))
	f.Add([]byte("metric,observed_at,value\n\"a\n"))
	f.Fuzz(func(t *testing.T, table []byte) {
		rows, err := readObservations(bytes.NewReader(table), "t.csv")
		if err != nil {
			var e *fault.Error
			if !errors.As(err, &e) || len(e.Places) == 0 || len(e.Places) > maxFaultsShown || rows != nil {
				t.Fatalf("rows %v, error %v", rows, err)
			}
			return
		}
		lines := bytes.Count(table, []byte("\n")) + 1
		before := 1
		for _, r := range rows {
			if r.line <= before || r.line > lines {
				t.Fatalf("line %d after %d of %d", r.line, before, lines)
			}
			before = r.line
			if !labelPattern.MatchString(r.metric) || checkObservedAt(r.at) != nil ||
				math.IsNaN(r.value) || math.IsInf(r.value, 0) || !utf8.ValidString(r.note) || !utf8.ValidString(r.source) {
				t.Fatalf("illegal row %+v", r)
			}
		}
	})
}

func TestChunks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 8).Draw(t, "size")
		metrics := rapid.SliceOfN(rapid.StringMatching(`[abc]`), 1, 40).Draw(t, "metrics")
		rows := make([]observationRow, len(metrics))
		perMetric := map[string]int{}
		for i, m := range metrics {
			rows[i] = observationRow{line: i + 2, metric: m}
			perMetric[m]++
		}
		last := map[string]int{}     // line
		chunksOf := map[string]int{} // chunks a metric is in
		seen := 0
		for _, c := range chunkRows(rows, size) {
			if len(c) == 0 || len(c) > size {
				t.Fatalf("chunk of %d", len(c))
			}
			in := map[string]bool{}
			for _, r := range c {
				if r.line <= last[r.metric] {
					t.Fatalf("line %d after %d", r.line, last[r.metric])
				}
				last[r.metric] = r.line
				in[r.metric] = true
				seen++
			}
			for m := range in {
				chunksOf[m]++
			}
		}
		if seen != len(rows) {
			t.Fatalf("%d of %d rows", seen, len(rows))
		}
		for m, n := range perMetric {
			if least := (n + size - 1) / size; len(rows) > size && chunksOf[m] > least {
				t.Fatalf("metric %s with %d rows is in %d chunks of %d", m, n, chunksOf[m], size)
			}
		}
	})
}
