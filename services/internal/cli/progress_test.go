package cli

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

// screenful collects what is drawn and tells when it holds a text.
type screenful struct {
	mu    sync.Mutex
	b     bytes.Buffer
	want  string
	found chan struct{}
}

func waitFor(want string) *screenful { return &screenful{want: want, found: make(chan struct{})} }

func (s *screenful) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.b.Write(p)
	if s.want != "" && strings.Contains(s.b.String(), s.want) {
		s.want = ""
		close(s.found)
	}
	return n, err
}

func rowsOf(n int) string {
	var b strings.Builder
	b.WriteString("metric,observed_at,value\n")
	for i := range n {
		fmt.Fprintf(&b, "m%d,2018-09-30,1\n", i)
	}
	return b.String()
}

// recording answers once seen holds what it waits for.
func recording(seen *screenful) *fake {
	return &fake{record: func(r *strategyv1.RecordObservationsRequest) (*strategyv1.RecordObservationsResponse, error) {
		if seen != nil {
			<-seen.found
		}
		return &strategyv1.RecordObservationsResponse{Revision: 1, Recorded: int32(len(r.GetObservations()))}, nil
	}}
}

// The server answers only when the bar is there: a bar that never comes would
// hang.
func TestManyRowsShowTheirProgressAtOnce(t *testing.T) {
	seen := waitFor("the server is at work")
	s := session{server: recording(seen).serve(t), terminal: true, patience: time.Hour, err: seen, stdin: rowsOf(manyRows + 1)}
	got := s.run(t, "observe", "-f", "-").want(t, exitOK).wantStdout(t, "20,001 recorded").wantStderr(t, "recording", "20001)")
	if strings.Contains(got.stdout, "recording") {
		t.Errorf("a bar among the results: %q", got.stdout)
	}
}

func TestALongUploadShowsItsProgress(t *testing.T) {
	seen := waitFor("recording")
	s := session{server: recording(seen).serve(t), terminal: true, patience: time.Nanosecond, err: seen, stdin: rowsOf(3)}
	s.run(t, "observe", "-f", "-").want(t, exitOK)

	seen = waitFor("applying")
	f := &fake{apply: func(*declarationv1.ApplyRequest) (*declarationv1.ApplyResponse, error) {
		<-seen.found
		return &declarationv1.ApplyResponse{Revision: 1}, nil
	}}
	s = session{server: f.serve(t), terminal: true, patience: time.Nanosecond, err: seen}
	s.run(t, "apply", "--yes", "-f", write(t, t.TempDir(), "a.yaml", "kind: Metric\n")).want(t, exitOK)
}

func TestShortOrPipedUploadsAreQuiet(t *testing.T) {
	for name, s := range map[string]session{
		"piped": {patience: time.Nanosecond, stdin: rowsOf(manyRows + 1)},
		"short": {terminal: true, patience: time.Hour, stdin: rowsOf(10)},
	} {
		s.server = recording(nil).serve(t)
		if got := s.run(t, "observe", "-f", "-").want(t, exitOK); got.stderr != "" {
			t.Errorf("%s: %q", name, got.stderr)
		}
	}
}

// Units follow the bytes that have been sent.
func TestPositionFollowsTheBytes(t *testing.T) {
	p := &progress{total: 100}
	if units, sent := p.position(); units != 0 || sent {
		t.Errorf("before anything is sent: %d %v", units, sent)
	}
	g := p.part(t.Context(), 40, 20).Value(gaugeKey{}).(*gauge)
	g.total.Store(1000)
	for _, tt := range []struct {
		sent int64
		want int
		all  bool
	}{{0, 40, false}, {500, 50, false}, {1000, 60, true}} {
		g.sent.Store(tt.sent)
		if units, all := p.position(); units != tt.want || all != tt.all {
			t.Errorf("%d bytes: %d %v, want %d %v", tt.sent, units, all, tt.want, tt.all)
		}
	}
}

// When a bar has been taken away nothing draws any more: what comes next on the
// terminal is the result.
func TestABarThatHasEndedIsNotDrawn(t *testing.T) {
	for name, total := range map[string]int{"a bar": 1000, "a spinner, of which nobody knows how long it will take": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var drawn bytes.Buffer
				a := newApp(Options{Stderr: &drawn, IsTerminal: func(any) bool { return true }}.withDefaults())
				p := a.show(&progress{what: "comparing", total: total, steps: true}, true)
				time.Sleep(time.Second)
				p.done.Store(5)
				time.Sleep(time.Second)
				p.end()
				if !strings.Contains(drawn.String(), "comparing") {
					t.Fatalf("it was never drawn: %q", drawn.String())
				}
				before := drawn.String()
				time.Sleep(time.Minute)
				if after := drawn.String(); after != before {
					t.Errorf("%d bytes more", len(after)-len(before))
				}
			})
		})
	}
}
