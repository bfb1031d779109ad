package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"go.yaml.in/yaml/v3"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
)

// watching sends the revisions and then waits for the client to leave.
func watching(revisions ...int64) func(context.Context, *gapv1.WatchRequest, *connect.ServerStream[gapv1.WatchResponse]) error {
	return func(ctx context.Context, _ *gapv1.WatchRequest, s *connect.ServerStream[gapv1.WatchResponse]) error {
		for _, r := range revisions {
			res := sampleGaps()
			res.Revision = r
			if err := s.Send(&gapv1.WatchResponse{Result: res}); err != nil {
				return err
			}
		}
		<-ctx.Done()
		return ctx.Err()
	}
}

// until runs the command and interrupts it when its output holds want.
func (s session) until(t *testing.T, want string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	s.out = w
	done := make(chan result, 1)
	go func() {
		res := s.runContext(ctx, args...)
		w.Close()
		done <- res
	}()
	var seen strings.Builder
	for buffer := make([]byte, 4096); !strings.Contains(seen.String(), want); {
		n, err := r.Read(buffer)
		seen.Write(buffer[:n])
		if err != nil {
			t.Fatalf("ended without %q: %+v", want, <-done)
		}
	}
	cancel()
	_, _ = io.Copy(io.Discard, r)
	return <-done
}

func TestWatchAppendsJSONLines(t *testing.T) {
	f := &fake{watch: watching(1, 2, 3)}
	got := session{server: f.serve(t)}.until(t, `"revision":"3"`, "gaps", "--watch", "-o", "json", "--strategy", "gsa").want(t, exitInterrupted)
	lines := bufio.NewScanner(strings.NewReader(got.stdout))
	lines.Buffer(nil, 1<<20)
	n := 0
	for lines.Scan() {
		var e struct{ Revision string }
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%v: %s", err, lines.Text())
		}
		n++
	}
	if n != 3 || got.stderr != "" {
		t.Errorf("%d lines; stderr: %s", n, got.stderr)
	}
	if h := f.headers[0]; h.Get("Setpoint-Org") != "default" || h.Get("Setpoint-Actor") != "local" {
		t.Errorf("headers of the stream: %v", h)
	}
}

func TestWatchInTheOtherFormats(t *testing.T) {
	f := &fake{watch: watching(1, 2)}
	s := session{server: f.serve(t)}
	rows := csvRows(t, s.until(t, ",2,default,", "gaps", "--watch", "-o", "csv").want(t, exitInterrupted).stdout)
	if n := len(sampleGaps().GetTargets()); len(rows) < n+1 || rows[0]["revision"] != "1" || rows[n]["revision"] != "2" {
		t.Errorf("%d rows under one header", len(rows))
	}
	d := yaml.NewDecoder(strings.NewReader(s.until(t, `revision: "2"`, "gaps", "--watch", "-o", "yaml").want(t, exitInterrupted).stdout))
	var first struct{ Revision string }
	if err := d.Decode(&first); err != nil || first.Revision != "1" {
		t.Errorf("%v: %+v", err, first)
	}
	// Without a terminal tables follow each other.
	got := s.until(t, "revision 2,", "gaps", "-w")
	if strings.Contains(got.stdout, "\x1b") || !strings.Contains(got.stdout, "revision 1,") {
		t.Errorf("%q", got.stdout)
	}
}

func TestWatchRedrawsATerminal(t *testing.T) {
	f := &fake{watch: watching(1, 2)}
	s := session{server: f.serve(t), terminal: true, width: 100, height: 8, env: map[string]string{"NO_COLOR": "1"}}
	got := s.until(t, "revision 2,", "gaps", "--watch").want(t, exitInterrupted)
	frames := strings.Split(got.stdout, "\x1b[H")[1:]
	if len(frames) != 2 {
		t.Fatalf("%d frames: %q", len(frames), got.stdout)
	}
	if lines := strings.Count(frames[0], "\n"); lines != 7 || !strings.Contains(frames[0], "more lines") {
		t.Errorf("a frame of %d lines on 8 rows: %q", lines, frames[0])
	}
	if !strings.HasSuffix(frames[0], "\x1b[J") || strings.Count(frames[0], "\x1b[K\n") != 7 {
		t.Errorf("what was there before stays: %q", frames[0])
	}
}

func TestScreen(t *testing.T) {
	for _, tt := range []struct {
		text string
		rows int
		want string
	}{
		{"a\nb\n", 0, "a|b"},
		{"a\nb\n", 3, "a|b"},
		{"a\nb\nc\nd\n", 4, "a|b|… 2 more lines"},
		{"a\nb\nc\n", 3, "a|… 2 more lines"},
	} {
		got := strings.TrimSuffix(strings.TrimPrefix(screen(tt.text, tt.rows), "\x1b[H"), "\x1b[J")
		if got = strings.TrimSuffix(strings.ReplaceAll(got, "\x1b[K\n", "|"), "|"); got != tt.want {
			t.Errorf("%q on %d rows: %q, want %q", tt.text, tt.rows, got, tt.want)
		}
	}
}

// A server that goes away is waited for; one that never was there is an error.
func TestWatchOutlivesTheServer(t *testing.T) {
	calls := 0
	f := &fake{}
	f.watch = func(ctx context.Context, r *gapv1.WatchRequest, s *connect.ServerStream[gapv1.WatchResponse]) error {
		calls++
		switch calls {
		case 1:
			res := sampleGaps()
			res.Revision = 1
			return errors.Join(s.Send(&gapv1.WatchResponse{Result: res})) // and it stops
		case 2:
			return connect.NewError(connect.CodeUnavailable, errors.New("starting"))
		}
		return watching(7)(ctx, r, s)
	}
	got := session{server: f.serve(t)}.until(t, `"revision":"7"`, "gaps", "--watch", "-o", "json").want(t, exitInterrupted)
	got.wantStderr(t, "the server is gone; trying again")
	if strings.Count(got.stdout, "\n") != 2 {
		t.Errorf("%s", got.stdout)
	}
	session{server: "http://127.0.0.1:1"}.run(t, "gaps", "--watch").want(t, exitError).wantStderr(t, "no setpoint server at")
	session{server: (&fake{}).serve(t)}.run(t, "gaps", "--watch").want(t, exitError).wantStderr(t, "error: ")
}

func TestWatchSaysWhyItIsRefused(t *testing.T) {
	calls := 0
	f := &fake{}
	f.watch = func(ctx context.Context, r *gapv1.WatchRequest, s *connect.ServerStream[gapv1.WatchResponse]) error {
		if calls++; calls == 1 {
			return s.Send(&gapv1.WatchResponse{Result: sampleGaps()})
		}
		return refuse(connect.CodeNotFound, "there is no strategy gsa", nil)
	}
	session{server: f.serve(t)}.run(t, "gaps", "--watch", "--strategy", "gsa").want(t, exitError).wantStderr(t, "error: there is no strategy gsa")
}
