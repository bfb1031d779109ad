// Command subscriber shows how a program follows setpoint's public events: it deals
// with each exactly once, whatever is interrupted, and goes on where it was.
//
// It needs the module setpoint.dev/proto and connectrpc.com/connect, and a
// running server:
//
//	setpoint dev &
//	go run ./examples/subscriber -types gap
//
// Start with subscriber.run.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	"setpoint.dev/proto/gen/setpoint/event/v1/eventv1connect"
)

func main() {
	server := flag.String("server", "http://127.0.0.1:8080", "address of the server")
	org := flag.String("org", "default", "organization")
	token := flag.String("token", os.Getenv("SETPOINT_TOKEN"), "bearer token, where the server asks for one")
	types := flag.String("types", "", "only these types, with commas between: gap,initiative.stage-changed")
	state := flag.String("state", "subscriber.json", "file that remembers what has been dealt with")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s := subscriber{client: eventv1connect.NewEventServiceClient(http.DefaultClient, *server, connect.WithInterceptors(identity{*org, *token})), file: *state, out: os.Stdout}
	if *types != "" {
		s.types = strings.Split(*types, ",")
	}
	if err := s.run(ctx); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// event is what this program looks at of a CloudEvent. Attributes that it does not
// know are ignored: there may be more one day.
type event struct {
	ID      string          `json:"id"`
	Source  string          `json:"source"`
	Type    string          `json:"type"`
	Subject string          `json:"subject"`
	Time    string          `json:"time"`
	Data    json.RawMessage `json:"data"`
}

// place is what has been dealt with. It is written after each event.
type place struct {
	// Cursor is where the server is to go on.
	Cursor string `json:"cursor"`
	// Last is the id of the last event, by source: a log. Events of a source come in
	// the order of their ids, so one that is not after it has been dealt with.
	Last map[string]string `json:"last"`
}

type subscriber struct {
	client eventv1connect.EventServiceClient
	types  []string
	file   string
	out    io.Writer
	place  place
}

// run follows until ctx ends, or the server says what asking again does not mend.
func (s *subscriber) run(ctx context.Context) error {
	if err := s.load(); err != nil {
		return err
	}
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		heard, err := s.follow(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		switch reason(err) {
		case "event.cursor_gone", "event.cursor_ahead":
			// What follows the cursor is not kept any more, or all was published anew:
			// begin at the beginning. What has been dealt with is known by its id; what
			// is gone has to be asked of the API.
			fmt.Fprintln(s.out, "beginning anew:", reason(err))
			s.place.Cursor = ""
			continue
		case "event.slow_consumer":
			continue // cut off, because dealing with an event took long: go on at once
		}
		if err != nil && connect.CodeOf(err) != connect.CodeUnavailable && connect.CodeOf(err) != connect.CodeUnknown && connect.CodeOf(err) != connect.CodeInternal {
			return err
		}
		if heard {
			pause = 100 * time.Millisecond
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// follow takes what one stream brings; heard tells whether that was anything.
func (s *subscriber) follow(ctx context.Context) (heard bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the stream
	stream, err := s.client.Subscribe(ctx, &eventv1.SubscribeRequest{Cursor: s.place.Cursor, Types: s.types, Follow: true})
	if err != nil {
		return false, err
	}
	defer stream.Close()
	for stream.Receive() {
		heard = true
		if body := stream.Msg().GetEvent(); body != "" {
			if err := s.take(body); err != nil {
				return heard, err
			}
		}
		// A heartbeat has a cursor too: what was left out need not be looked at again.
		if c := stream.Msg().GetCursor(); c != "0" && c != s.place.Cursor {
			s.place.Cursor = c
			if err := s.save(); err != nil {
				return heard, err
			}
		}
	}
	return heard, stream.Err()
}

// take deals with an event unless that has been done.
func (s *subscriber) take(body string) error {
	var e event
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		return err
	}
	if !after(e.ID, s.place.Last[e.Source]) {
		return nil
	}
	if err := s.handle(e); err != nil {
		return err
	}
	s.place.Last[e.Source] = e.ID
	return nil
}

// handle is where your work goes. A program that is killed between it and save does
// it again: have it look whether it is done already, or write both in one
// transaction of your database.
func (s *subscriber) handle(e event) error {
	_, err := fmt.Fprintf(s.out, "%s %s %s\n", e.Time, strings.TrimPrefix(e.Type, "dev.setpoint."), e.Subject)
	return err
}

// after compares ids, which are shard-sequence-index-type.
func after(id, last string) bool {
	if last == "" {
		return true
	}
	s1, i1 := position(id)
	s2, i2 := position(last)
	return s1 > s2 || s1 == s2 && i1 > i2
}

func position(id string) (sequence, index uint64) {
	if p := strings.SplitN(id, "-", 4); len(p) == 4 {
		sequence, _ = strconv.ParseUint(p[1], 10, 64)
		index, _ = strconv.ParseUint(p[2], 10, 64)
	}
	return sequence, index
}

func (s *subscriber) load() error {
	s.place = place{Last: map[string]string{}}
	b, err := os.ReadFile(s.file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, &s.place); err != nil {
		return fmt.Errorf("%s: %w", s.file, err)
	}
	if s.place.Last == nil {
		s.place.Last = map[string]string{}
	}
	return nil
}

// save replaces the file in one step, so that a kill leaves the one or the other.
func (s *subscriber) save() error {
	b, err := json.Marshal(s.place)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(s.file), filepath.Base(s.file)+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	if _, err := f.Write(b); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), s.file)
}

// reason is the stable word for an error of the server, "" if it has none.
func reason(err error) string {
	var c *connect.Error
	if errors.As(err, &c) {
		for _, d := range c.Details() {
			if v, err := d.Value(); err == nil {
				if e, ok := v.(*commonv1.ErrorDetail); ok {
					return e.GetReason()
				}
			}
		}
	}
	return ""
}

// identity says on whose behalf the call is made.
type identity struct{ org, token string }

// WrapUnary implements connect.Interceptor; no unary call is made.
func (i identity) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc { return next }

// WrapStreamingClient implements connect.Interceptor.
func (i identity) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return func(ctx context.Context, spec connect.Spec) connect.StreamingClientConn {
		conn := next(ctx, spec)
		conn.RequestHeader().Set("Setpoint-Org", i.org)
		if i.token != "" {
			conn.RequestHeader().Set("Authorization", "Bearer "+i.token)
		}
		return conn
	}
}

// WrapStreamingHandler implements connect.Interceptor; a client handles none.
func (i identity) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}
