package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/nats-io/nats.go/jetstream"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	"setpoint.dev/proto/gen/setpoint/event/v1/eventv1connect"
	"setpoint.dev/services/event"
	"setpoint.dev/services/event/stream"
	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/rpc"
)

// stand is the service over a real stream and a real connection.
type stand struct {
	t      *testing.T
	stream *stream.Stream
	js     jetstream.JetStream
	client eventv1connect.EventServiceClient
}

func newStand(t *testing.T, s *Service) *stand {
	t.Helper()
	ns, err := embeddednats.Start(embeddednats.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ns.Close() })
	nc, err := ns.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	x := &stand{t: t}
	if x.stream, err = stream.Open(t.Context(), nc, stream.Options{}); err != nil {
		t.Fatal(err)
	}
	if x.js, err = jetstream.New(nc); err != nil {
		t.Fatal(err)
	}
	s.events, s.settled = x.stream, func(context.Context) error { return nil }
	if s.places == nil {
		s.places = make(chan struct{}, 10)
	}
	door, err := rpc.Handler(slog.New(slog.DiscardHandler), func(context.Context) error { return nil }, rpc.Service{
		Name: eventv1connect.EventServiceName,
		Mount: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return eventv1connect.NewEventServiceHandler(s, opts...)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := rpc.NewServer(door, slog.New(slog.DiscardHandler))
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(narrow{l}) })
	t.Cleanup(func() { _ = server.Close(); serving.Wait() })
	// What the system keeps in between differs, and can be tens of megabytes.
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err == nil {
			err = c.(*net.TCPConn).SetReadBuffer(buffered)
		}
		return c, err
	}}
	t.Cleanup(transport.CloseIdleConnections)
	// Compressed, one letter many times is nothing, and takes its time.
	x.client = eventv1connect.NewEventServiceClient(&http.Client{Transport: transport}, "http://"+l.Addr().String(), connect.WithAcceptCompression("gzip", nil, nil))
	return x
}

// buffered is how much the system keeps for who does not read.
const buffered = 32 << 10

// narrow listens for connections of which the system keeps little.
type narrow struct{ net.Listener }

func (l narrow) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		err = c.(*net.TCPConn).SetWriteBuffer(buffered)
	}
	return c, err
}

func (x *stand) publish(from, n, size int) {
	x.t.Helper()
	for i := from; i < from+n; i++ {
		id := event.ID{Sequence: uint64(i), Type: "dev.setpoint.gap.opened.v1"}
		err := x.stream.Publish(x.t.Context(), event.Outgoing{ID: id, Subject: "setpoint.default.gap.gap-opened", Event: event.CloudEvent{
			SpecVersion: "1.0", ID: id.String(), Source: event.Source("l", "default"), Type: id.Type, Subject: "target/t", Revision: fmt.Sprint(i),
			Data: json.RawMessage(`{"x":"` + strings.Repeat("x", size) + `"}`),
		}})
		if err != nil {
			x.t.Fatal(err)
		}
	}
}

// subscribe reads until the stream ends or f says that it is enough.
func (x *stand) subscribe(req *eventv1.SubscribeRequest, f func(*eventv1.SubscribeResponse) bool) error {
	x.t.Helper()
	ctx, cancel := context.WithCancel(x.t.Context())
	defer cancel()
	s, err := x.client.Subscribe(ctx, req)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	for s.Receive() {
		if !f(s.Msg()) {
			return nil
		}
	}
	return s.Err()
}

func reason(err error) (code connect.Code, reason, hint string) {
	var c *connect.Error
	if errors.As(err, &c) {
		for _, d := range c.Details() {
			if v, err := d.Value(); err == nil {
				if e, ok := v.(*commonv1.ErrorDetail); ok {
					return c.Code(), e.GetReason(), e.GetHint()
				}
			}
		}
	}
	return connect.CodeOf(err), "", ""
}

// Who follows hears at once, and again when nothing comes; each heartbeat says
// where to go on.
func TestHeartbeats(t *testing.T) {
	x := newStand(t, &Service{slow: time.Hour})
	x.publish(1, 3, 1)
	var got []string
	quiet := 0 // heartbeats after the last event
	err := x.subscribe(&eventv1.SubscribeRequest{Follow: true, HeartbeatSeconds: 1}, func(m *eventv1.SubscribeResponse) bool {
		what := "event " + m.GetCursor()
		if m.GetEvent() == "" {
			what = "heartbeat " + m.GetCursor()
		}
		switch {
		case what == "heartbeat 3":
			quiet++
		case m.GetEvent() == "" && len(got) > 0 && strings.HasSuffix(got[len(got)-1], " "+m.GetCursor()):
			return true // the next event takes more than a second to come
		}
		got = append(got, what)
		return quiet < 2
	})
	if want := "heartbeat 0, event 1, event 2, event 3, heartbeat 3, heartbeat 3"; err != nil || strings.Join(got, ", ") != want {
		t.Errorf("%v, %v, want %s", got, err, want)
	}
	// What is filtered out moves the cursor too.
	got = nil
	err = x.subscribe(&eventv1.SubscribeRequest{Follow: true, HeartbeatSeconds: 1, Types: []string{"change"}}, func(m *eventv1.SubscribeResponse) bool {
		got = append(got, m.GetEvent()+m.GetCursor())
		return m.GetCursor() != "3"
	})
	if err != nil || got[0] != "0" || !slices.IsSorted(got) {
		t.Errorf("%v, %v, want from 0 to 3", got, err)
	}
}

// A cursor whose successors were dropped by the stream's limits is refused with a
// reason, one at the edge is not.
func TestCursorGone(t *testing.T) {
	x := newStand(t, &Service{slow: time.Hour})
	x.publish(1, 10, 1)
	s, err := x.js.Stream(t.Context(), stream.Name)
	if err != nil {
		t.Fatal(err)
	}
	c := s.CachedInfo().Config
	c.MaxMsgs = 4 // 7 to 10 stay
	if _, err := x.js.UpdateStream(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	for cursor, want := range map[string]string{"1": "event.cursor_gone", "5": "event.cursor_gone", "6": "7", "9": "10", "": "7", "11": "event.cursor_ahead"} {
		first := ""
		err := x.subscribe(&eventv1.SubscribeRequest{Cursor: cursor}, func(m *eventv1.SubscribeResponse) bool {
			first = m.GetCursor()
			return false
		})
		code, why, hint := reason(err)
		if got := first + why; got != want || why != "" && (code != connect.CodeFailedPrecondition || !strings.Contains(hint, "begin at the beginning")) {
			t.Errorf("cursor %q: %s %v, want %s", cursor, got, err, want)
		}
	}
}

// dropped had one more event when it was first asked for the last one.
type dropped struct {
	*stream.Stream
	asked int
}

func (d *dropped) Last(ctx context.Context, org string) (*event.CloudEvent, uint64, error) {
	e, place, err := d.Stream.Last(ctx, org)
	if d.asked++; d.asked == 1 {
		place++
	}
	return e, place, err
}

// Who reads what there is does not wait for an event that is not kept any more.
func TestTheLastEventIsDropped(t *testing.T) {
	s := &Service{slow: time.Hour}
	x := newStand(t, s)
	x.publish(1, 3, 1)
	s.events = &dropped{Stream: x.stream}
	last := ""
	err := x.subscribe(&eventv1.SubscribeRequest{HeartbeatSeconds: 1}, func(m *eventv1.SubscribeResponse) bool {
		last = m.GetCursor()
		return true
	})
	if err != nil || last != "3" {
		t.Errorf("it ended after %s: %v", last, err)
	}
}

// Who takes events too slowly is cut off, with a code and the cursor to go on
// with, and misses nothing.
func TestSlowConsumersOverARealConnection(t *testing.T) {
	x := newStand(t, &Service{slow: 100 * time.Millisecond})
	const n, size = 12, 300_000 // each is more than the buffers in between hold
	x.publish(1, n, size)
	next, cuts, cursor := 1, 0, ""
	for next <= n {
		err := x.subscribe(&eventv1.SubscribeRequest{Cursor: cursor, Follow: true}, func(m *eventv1.SubscribeResponse) bool {
			if m.GetCursor() != "0" {
				cursor = m.GetCursor()
			}
			if m.GetEvent() == "" {
				return true
			}
			if want := fmt.Sprintf(`"revision":"%d"`, next); !strings.Contains(m.GetEvent(), want) {
				t.Fatalf("after %d comes %.100s", next-1, m.GetEvent())
			}
			next++
			if cuts == 0 {
				time.Sleep(400 * time.Millisecond) // being slow is what is tested
			}
			return next <= n
		})
		if err == nil {
			continue
		}
		code, why, hint := reason(err)
		if code != connect.CodeResourceExhausted || why != "event.slow_consumer" || !strings.Contains(hint, "cursor") {
			t.Fatalf("%v %s %s: %v", code, why, hint, err)
		}
		cuts++
	}
	if cuts == 0 {
		t.Error("nobody was cut off")
	}
}

func TestPlacesAreFew(t *testing.T) {
	x := newStand(t, &Service{slow: time.Hour, places: make(chan struct{}, 1)})
	err := x.subscribe(&eventv1.SubscribeRequest{Follow: true}, func(*eventv1.SubscribeResponse) bool {
		err := x.subscribe(&eventv1.SubscribeRequest{}, func(*eventv1.SubscribeResponse) bool { return true })
		if code, why, _ := reason(err); code != connect.CodeResourceExhausted || why != "event.too_many_subscribers" {
			t.Errorf("the second: %v", err)
		}
		return false
	})
	if err != nil {
		t.Error(err)
	}
}

// The limits that are asked for are set, also on a stream that is there, and stay
// when they are not asked for again.
func TestLimits(t *testing.T) {
	ns, err := embeddednats.Start(embeddednats.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ns.Close() })
	nc, err := ns.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		o     stream.Options
		age   time.Duration
		bytes int64
		why   string
	}{
		{o: stream.Options{}, bytes: -1},
		{o: stream.Options{MaxAge: 48 * time.Hour}, age: 48 * time.Hour, bytes: -1},
		{o: stream.Options{MaxBytes: 2 << 20}, age: 48 * time.Hour, bytes: 2 << 20},
		{o: stream.Options{}, age: 48 * time.Hour, bytes: 2 << 20},
		{o: stream.Options{MaxAge: time.Minute}, age: 48 * time.Hour, bytes: 2 << 20, why: "event.max_age"},
		{o: stream.Options{MaxBytes: 10}, age: 48 * time.Hour, bytes: 2 << 20, why: "event.max_bytes"},
		{o: stream.Options{MaxAge: -time.Hour}, age: 48 * time.Hour, bytes: 2 << 20, why: "event.max_age"},
	} {
		_, err := stream.Open(t.Context(), nc, c.o)
		if (err != nil || c.why != "") && fault.ReasonOf(err) != c.why {
			t.Errorf("%+v: %v", c.o, err)
		}
		s, err := js.Stream(t.Context(), stream.Name)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.CachedInfo().Config; got.MaxAge != c.age || got.MaxBytes != c.bytes {
			t.Errorf("%+v: %s, %d", c.o, got.MaxAge, got.MaxBytes)
		}
	}
}
