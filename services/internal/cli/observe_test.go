package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"connectrpc.com/connect"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

// recorder records everything, until a request that refuse returns an error for.
func recorder(requests *[]*strategyv1.RecordObservationsRequest, refuse func(n int) error) *fake {
	calls := 0
	return &fake{record: func(r *strategyv1.RecordObservationsRequest) (*strategyv1.RecordObservationsResponse, error) {
		calls++
		if refuse != nil {
			if err := refuse(calls); err != nil {
				return nil, err
			}
		}
		*requests = append(*requests, r)
		return &strategyv1.RecordObservationsResponse{Revision: int64(100 + calls), Recorded: int32(len(r.GetObservations())) - 1, Unchanged: 1}, nil
	}}
}

func TestObserveOne(t *testing.T) {
	var got []*strategyv1.RecordObservationsRequest
	s := session{server: recorder(&got, nil).serve(t)}
	s.run(t, "observe", "vacant-space", "0.031", "--source", "REXUS", "--note", "n", "--correct", "--reason", "recount").
		want(t, exitOK).wantStdout(t, "0 recorded, 0 corrected, 1 unchanged. Revision 101.")
	r := got[0]
	o := r.GetObservations()[0]
	if o.GetMetric() != "vacant-space" || o.GetValue() != 0.031 || o.GetObservedAt() != "2026-05-17" || o.GetSource() != "REXUS" || o.GetNote() != "n" {
		t.Errorf("sent %v", o)
	}
	if !r.GetCorrect() || r.GetReason() != "recount" || r.GetManager() != "cli" || r.GetRequestId() == "" {
		t.Errorf("request %v", r)
	}
	s.run(t, "observe", "vacant-space", "0", "--at", "FY2018").want(t, exitOK)
	if o := got[1].GetObservations()[0]; o.GetObservedAt() != "FY2018" || o.Value == nil || got[1].GetCorrect() {
		t.Errorf("sent %v", got[1])
	}
	s.run(t, "observe", "vacant-space", "1", "-o", "json").want(t, exitOK).wantStdout(t, `"corrected": 0`, `"revision": "103"`)
}

func TestObserveTable(t *testing.T) {
	var got []*strategyv1.RecordObservationsRequest
	s := session{server: recorder(&got, nil).serve(t)}
	table := "value,metric,observed_at,note\n1,b,2018,\n2,a,FY2018,\"x\ny\"\n3,b,2019,\n"
	file := write(t, t.TempDir(), "t.csv", table)
	s.run(t, "observe", "-f", file, "--manager", "git").want(t, exitOK).wantStdout(t, "2 recorded, 0 corrected, 1 unchanged")
	s.stdin = table
	s.run(t, "observe", "-f", "-").want(t, exitOK)
	for _, r := range got {
		var rows []string
		for _, o := range r.GetObservations() {
			rows = append(rows, fmt.Sprintf("%s %s %v %q", o.GetMetric(), o.GetObservedAt(), o.GetValue(), o.GetNote()))
		}
		if want := `b 2018 1 "", a FY2018 2 "x\ny", b 2019 3 ""`; strings.Join(rows, ", ") != want {
			t.Errorf("sent %s", strings.Join(rows, ", "))
		}
	}
	if got[0].GetManager() != "git" || got[0].GetRequestId() == got[1].GetRequestId() {
		t.Errorf("requests %v", got)
	}
}

func TestABadTableIsNotSent(t *testing.T) {
	var got []*strategyv1.RecordObservationsRequest
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, dir, "t.csv", "metric,observed_at,value,sourcee\na,2018,1,x\n")
	write(t, dir, "u.csv", "metric,observed_at,value\na,2018,1\nb,2018-13,3%\nc,2018,\"1,234\"\n")
	s := session{server: recorder(&got, nil).serve(t)}
	golden(t, "observe-header", s.run(t, "observe", "-f", "t.csv").want(t, exitError).stderr)
	golden(t, "observe-rows", s.run(t, "observe", "-f", "u.csv").want(t, exitError).stderr)
	s.run(t, "observe", "-f", ".").want(t, exitError).wantStderr(t, "is a folder")
	s.run(t, "observe", "-f", filepath.Join(dir, "no.csv")).want(t, exitError).wantStderr(t, "no such file or directory")
	if len(got) != 0 {
		t.Errorf("sent %v", got)
	}
}

func TestFaultsOfTheServerNameTheLine(t *testing.T) {
	var got []*strategyv1.RecordObservationsRequest
	f := recorder(&got, func(int) error {
		return refuse(connect.CodeFailedPrecondition, "2 observations are refused", &commonv1.ErrorDetail{
			Reason: "strategy.observation_differs",
			Faults: []*commonv1.Fault{
				{Field: "observations[1].value", Message: "another value is on record: 2", Hint: "supersede it with --correct"},
				{Field: "observations[2].observedAt", Message: "before the metric's first break"},
				{Field: "observations[2]", Message: "and more"},
			},
		})
	})
	s := session{server: f.serve(t), stdin: "metric,observed_at,value,note\na,2018,1,\"two\nlines\"\na,2019,3,\na,2020,4,\n"}
	golden(t, "observe-refused", s.run(t, "observe", "-f", "-").want(t, exitError).stderr)
}

// bigTable has the given rows of each metric, dealt in turn.
func bigTable(rows map[string]int, metrics ...string) string {
	var b strings.Builder
	b.WriteString("metric,observed_at,value,source\n")
	for i, left := 0, true; left; i++ {
		left = false
		for _, m := range metrics {
			if i < rows[m] {
				fmt.Fprintf(&b, "%s,2018-09-30,%d,s%d\n", m, i, i)
				left = true
			}
		}
	}
	return b.String()
}

func TestALargeTableGoesInChunksOfWholeMetrics(t *testing.T) {
	var got []*strategyv1.RecordObservationsRequest
	table := bigTable(map[string]int{"a": 600, "b": 500, "c": 1200}, "a", "b", "c")
	s := session{server: recorder(&got, nil).serve(t), stdin: table, chunk: 1000}
	r := s.run(t, "observe", "-f", "-").want(t, exitOK).wantStdout(t, "2,296 recorded, 0 corrected, 4 unchanged. Revision 104.")
	if r.stderr != "" {
		t.Errorf("not quiet: %q", r.stderr)
	}
	var shape []string
	ids := map[string]bool{}
	for _, r := range got {
		o := r.GetObservations()
		shape = append(shape, fmt.Sprintf("%s-%s:%d", o[0].GetMetric(), o[len(o)-1].GetMetric(), len(o)))
		ids[r.GetRequestId()] = true
	}
	if want := "a-a:600 b-b:500 c-c:1000 c-c:200"; strings.Join(shape, " ") != want || len(ids) != 4 {
		t.Errorf("sent %v with %d ids", shape, len(ids))
	}

	s.terminal = true
	if r := s.run(t, "observe", "-f", "-").want(t, exitOK); !strings.Contains(r.stderr, "recording") {
		t.Errorf("no progress on a terminal: %q", r.stderr)
	}
}

// What the API takes in one request goes in one request, and no more.
func TestTheChunkIsWhatTheAPITakes(t *testing.T) {
	rows := make([]observationRow, 100_001)
	for i := range rows {
		rows[i] = observationRow{line: i + 2, metric: "a"}
	}
	if got := chunkRows(rows[:100_000], Options{}.withDefaults().chunk); len(got) != 1 {
		t.Errorf("100,000 rows in %d requests", len(got))
	}
	if got := chunkRows(rows, Options{}.withDefaults().chunk); len(got) != 2 || len(got[0]) != 100_000 {
		t.Errorf("100,001 rows in %d requests", len(got))
	}
}

// A table with long notes has few rows and many bytes: the log holds only so many
// of one metric at once.
func TestLongNotesMakeMoreChunks(t *testing.T) {
	note := strings.Repeat("x", 4000)
	var rows []observationRow
	for i := range 9_000 {
		rows = append(rows, observationRow{line: i + 2, metric: string(rune('a' + i/3000)), at: "2018-09-30", note: note})
	}
	seen, last := 0, 0
	chunks := chunkRows(rows, maxChunk)
	for _, c := range chunks {
		bytes, byMetric := 0, map[string]int{}
		for _, r := range c {
			bytes += r.weight()
			byMetric[r.metric] += r.weight()
			if r.line <= last {
				t.Fatalf("line %d after %d", r.line, last)
			}
			last = r.line
			seen++
		}
		for m, n := range byMetric {
			if n > maxMetricBytes || bytes > maxChunkBytes {
				t.Errorf("%d bytes of %s in %d", n, m, bytes)
			}
		}
	}
	if seen != len(rows) || len(chunks) < 9 {
		t.Errorf("%d rows in %d chunks", seen, len(chunks))
	}
}

func TestARefusedChunkSaysWhatIsRecorded(t *testing.T) {
	table := bigTable(map[string]int{"a": 600, "b": 500, "c": 700}, "a", "b", "c")
	tests := []struct {
		name   string
		refuse func(int) error
		want   []string
	}{
		{"refused", func(n int) error {
			if n == 2 {
				return refuse(connect.CodeNotFound, "no Metric b", nil)
			}
			return nil
		}, []string{
			"error: no Metric b; of 3 chunks, recorded: chunk 1 (600 rows); chunk 2 (500 rows, metric b) is not recorded; not sent: 700 rows",
			"running the same command again is safe",
		}},
		{"no answer", func(n int) error {
			if n > 1 {
				return refuse(connect.CodeUnavailable, "gone", nil)
			}
			return nil
		}, []string{"chunk 2 (500 rows, metric b) may be recorded or not"}},
		{"the first", func(int) error { return refuse(connect.CodeNotFound, "no Metric a", nil) },
			[]string{"recorded: nothing; chunk 1 (600 rows"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []*strategyv1.RecordObservationsRequest
			s := session{server: recorder(&got, tt.refuse).serve(t), stdin: table, chunk: 1000}
			s.run(t, "observe", "-f", "-").want(t, exitError).wantStderr(t, tt.want...)
		})
	}
}

func TestOneChunkWithoutAnAnswerMayBeRecorded(t *testing.T) {
	var got []*strategyv1.RecordObservationsRequest
	f := recorder(&got, func(int) error { return refuse(connect.CodeUnavailable, "gone", nil) })
	s := session{server: f.serve(t), stdin: "metric,observed_at,value\na,2018,1\nb,2018,1\n"}
	s.run(t, "observe", "-f", "-").want(t, exitError).
		wantStderr(t, "error: gone; it is not known whether the 2 rows were recorded", "again is safe")
	session{server: "http://127.0.0.1:1", stdin: s.stdin}.run(t, "observe", "-f", "-").want(t, exitError).
		wantStderr(t, "error: no setpoint server", "nothing was recorded", "setpoint dev")
}
