package cli

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"connectrpc.com/connect"
	"github.com/jedib0t/go-pretty/v6/text"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	"setpoint.dev/proto/gen/setpoint/event/v1/eventv1connect"
)

func TestEventsFitTheTerminal(t *testing.T) {
	cells := []string{"251", "2026-11-26T13:43:56Z", "dev.setpoint.gap.notification-requested.v1", "target/small-business-subcontracting-2020"}
	for width := 40; width <= 120; width++ {
		for _, row := range [][]string{cells, {"REVISION", "TIME", "TYPE", "ABOUT"}} {
			if line := strings.TrimSuffix(eventLine(width, row), "\n"); text.StringWidthWithoutEscSequences(line) > width && width < 101 {
				t.Errorf("%d columns: %q", width, line)
			}
		}
	}
	if got, want := eventLine(0, cells), "251       2026-11-26T13:43:56Z  dev.setpoint.gap.notification-requested.v1       target/small-business-subcontracting-2020\n"; got != want {
		t.Errorf("without a terminal %q, want %q", got, want)
	}
	if got, want := eventLine(80, cells), "251       gap.notification-requested.v1                    target/sma…cting-2020\n"; got != want {
		t.Errorf("80 columns %q, want %q", got, want)
	}
}

// aborted is a connection that ends after some bytes of an answer, as when the server
// is killed.
type aborted struct {
	http.ResponseWriter
	left int
}

func (w *aborted) Write(b []byte) (int, error) {
	if len(b) > w.left {
		_, _ = w.ResponseWriter.Write(b[:w.left])
		_ = http.NewResponseController(w.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	w.left -= len(b)
	return w.ResponseWriter.Write(b)
}

func (w *aborted) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// feed has some events, and serves each stream in the way that is its turn.
type feed struct {
	eventv1connect.UnimplementedEventServiceHandler

	mu      sync.Mutex
	streams int
	cursors []string
}

func (f *feed) Subscribe(ctx context.Context, req *eventv1.SubscribeRequest, s *connect.ServerStream[eventv1.SubscribeResponse]) error {
	f.mu.Lock()
	f.streams++
	turn := f.streams
	f.cursors = append(f.cursors, req.GetCursor())
	f.mu.Unlock()
	at, _ := strconv.Atoi(req.GetCursor())
	if err := s.Send(&eventv1.SubscribeResponse{Cursor: strconv.Itoa(at)}); err != nil {
		return err
	}
	for at < 6 {
		at++
		err := s.Send(&eventv1.SubscribeResponse{Cursor: strconv.Itoa(at), Event: fmt.Sprintf(`{"id":"event-%d","filling":%q}`, at, strings.Repeat("x", 1000))})
		if err != nil {
			return err
		}
		if turn == 2 && at == 4 {
			return refuse(connect.CodeResourceExhausted, "an event took 11s to be taken", &commonv1.ErrorDetail{Reason: "event.slow_consumer"})
		}
	}
	<-ctx.Done()
	return ctx.Err()
}

// A server that is killed in the midst of a message, and one that cuts off who is
// slow, are gone on with where it was: each event is shown once.
func TestEventsGoOnWhereTheyWere(t *testing.T) {
	f := &feed{}
	path, handler := eventv1connect.NewEventServiceHandler(f, connect.WithCompression("gzip", nil, nil))
	mux := http.NewServeMux()
	first := true
	mux.Handle(path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if first {
			first = false
			w = &aborted{w, 2500} // in the third event
		}
		handler.ServeHTTP(w, r)
	}))
	server := httptest.NewUnstartedServer(mux)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	got := session{server: server.URL}.until(t, "event-6", "events", "--follow", "-o", "json").want(t, exitInterrupted)
	got.wantStderr(t, "the server is gone; trying again", "going on where it was")
	for i := 1; i <= 6; i++ {
		if n := strings.Count(got.stdout, fmt.Sprintf(`"event-%d"`, i)); n != 1 {
			t.Errorf("event %d is shown %d times:\n%s", i, n, got.stdout)
		}
	}
	if !slices.Equal(f.cursors, []string{"", "2", "4"}) {
		t.Errorf("began at %q", f.cursors)
	}
}
