package rpc

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/proto/gen/setpoint/gap/v1/gapv1connect"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
)

type watchStream = connect.ServerStream[gapv1.WatchResponse]

// drain reads a stream to its end.
func drain(t *testing.T, c gapv1connect.GapServiceClient, r *gapv1.WatchRequest) (n int, err error) {
	t.Helper()
	s, err := c.Watch(t.Context(), r)
	if err != nil {
		return 0, err
	}
	defer func() { _ = s.Close() }()
	for s.Receive() {
		n++
	}
	return n, s.Err()
}

func TestStreamsAreInterceptedAsCallsAre(t *testing.T) {
	var log lockedBuffer
	do := func(as string, send func(*gapv1.WatchResponse) error) error {
		switch as {
		case "fault":
			return fault.New(fault.NotFound, "gap.strategy_unknown", "no strategy")
		case "defect":
			return errors.New("a pointer went astray")
		case "panic":
			panic("a pointer went astray")
		}
		return send(&gapv1.WatchResponse{})
	}
	f := fakeGap{
		watch: func(ctx context.Context, r *gapv1.WatchRequest, s *watchStream) error {
			if p, err := principal.From(ctx); err != nil || p != acmeViewer {
				t.Errorf("principal %+v, %v", p, err)
			}
			return do(r.GetQuery().GetStrategy(), s.Send)
		},
		evaluate: func(_ context.Context, r *gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, error) {
			return &gapv1.EvaluateResponse{}, do(r.GetStrategy(), func(*gapv1.WatchResponse) error { return nil })
		},
	}
	_, url := serveDoor(t, newDoor(t, Options{
		Logger: slog.New(slog.NewTextHandler(&log, nil)), Tokens: fakeTokens{"good": acmeViewer},
	}, f.service()))
	for protocol := range protocols {
		c := gapClient(t, url, protocol, "good")
		for _, tt := range []struct {
			query  *gapv1.EvaluateRequest
			code   connect.Code
			reason string
		}{
			{&gapv1.EvaluateRequest{}, 0, ""},
			{&gapv1.EvaluateRequest{AsOf: "yesterday"}, connect.CodeInvalidArgument, "request.invalid"},
			{&gapv1.EvaluateRequest{Strategy: "fault"}, connect.CodeNotFound, "gap.strategy_unknown"},
			{&gapv1.EvaluateRequest{Strategy: "defect"}, connect.CodeInternal, "internal"},
			{&gapv1.EvaluateRequest{Strategy: "panic"}, connect.CodeInternal, ""},
		} {
			what := protocol + " " + tt.query.GetAsOf() + tt.query.GetStrategy()
			n, err := drain(t, c, &gapv1.WatchRequest{Query: tt.query})
			_, callErr := c.Evaluate(t.Context(), tt.query)
			if tt.code == 0 {
				if n != 1 || err != nil || callErr != nil {
					t.Errorf("%s: %d messages, %v, %v", what, n, err, callErr)
				}
				continue
			}
			wantRefusal(t, what, err, tt.code, tt.reason)
			wantRefusal(t, what+" call", callErr, tt.code, tt.reason)
			if strings.Contains(err.Error()+callErr.Error(), "astray") {
				t.Errorf("%s: a defect is told: %v", what, err)
			}
		}
	}
	if s := log.String(); strings.Count(s, "panic=") != 2*len(protocols) || strings.Count(s, `error="a pointer went astray"`) != 2*len(protocols) {
		t.Errorf("log:\n%s", s)
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A server that shuts down ends its streams and waits for its calls.
func TestShutdownEndsStreamsAndLetsCallsFinish(t *testing.T) {
	for protocol := range protocols {
		t.Run(protocol, func(t *testing.T) {
			streaming, calling, finish := make(chan struct{}), make(chan struct{}), make(chan struct{})
			ended := make(chan struct{})
			f := fakeGap{
				watch: func(ctx context.Context, _ *gapv1.WatchRequest, s *watchStream) error {
					if err := s.Send(&gapv1.WatchResponse{}); err != nil {
						return err
					}
					close(streaming)
					<-ctx.Done()
					close(ended)
					return ctx.Err()
				},
				evaluate: func(ctx context.Context, _ *gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, error) {
					close(calling)
					<-finish
					return &gapv1.EvaluateResponse{AsOf: "2020-01-01"}, ctx.Err()
				},
			}
			server, url := serveDoor(t, newDoor(t, Options{}, f.service()))
			c := gapClient(t, url, protocol, "")
			var clients sync.WaitGroup
			clients.Go(func() {
				n, err := drain(t, c, &gapv1.WatchRequest{})
				if n != 1 {
					t.Errorf("%d messages", n)
				}
				wantRefusal(t, "stream", err, connect.CodeUnavailable, "server.stopping")
			})
			clients.Go(func() {
				if res, err := c.Evaluate(t.Context(), &gapv1.EvaluateRequest{}); err != nil || res.GetAsOf() != "2020-01-01" {
					t.Errorf("the call: %v, %v", res, err)
				}
			})
			<-streaming
			<-calling
			down := make(chan error, 1)
			go func() { down <- server.Shutdown(t.Context()) }()
			<-ended
			close(finish)
			if err := <-down; err != nil {
				t.Error(err)
			}
			clients.Wait()
		})
	}
}

// revocable is one token that can end.
type revocable struct {
	mu    sync.Mutex
	ended bool
}

func (r *revocable) Authenticate(string) (principal.Principal, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return principal.Principal{}, fault.New(fault.Unauthenticated, "token.rejected", "the token is not valid")
	}
	return acmeViewer, nil
}

func (r *revocable) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
}

func TestAStreamEndsWithItsToken(t *testing.T) {
	for name, renewEvery := range map[string]time.Duration{
		"while it is idle": time.Millisecond, "with the next message": time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			tokens := &revocable{}
			f := fakeGap{watch: func(ctx context.Context, _ *gapv1.WatchRequest, s *watchStream) error {
				if err := s.Send(&gapv1.WatchResponse{}); err != nil {
					return err
				}
				tokens.end()
				if renewEvery == time.Hour {
					return s.Send(&gapv1.WatchResponse{})
				}
				<-ctx.Done()
				return nil
			}}
			_, url := serveDoor(t, newDoor(t, Options{Tokens: tokens, RenewEvery: renewEvery}, f.service()))
			n, err := drain(t, gapClient(t, url, "connect", "good"), &gapv1.WatchRequest{})
			if n != 1 {
				t.Errorf("%d messages", n)
			}
			wantRefusal(t, "stream", err, connect.CodeUnauthenticated, "token.rejected")
		})
	}
}

// The time for a request's body to arrive is not the time for its answer.
func TestStreamsAndCallsOutliveTheTimeForTheBody(t *testing.T) {
	const bodyTime = 3 * time.Second // enough for a body that is sent at once
	wait := func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(bodyTime): // the body was there before this began
			return nil
		}
	}
	f := fakeGap{
		watch: func(ctx context.Context, _ *gapv1.WatchRequest, s *watchStream) error {
			if err := wait(ctx); err != nil {
				return err
			}
			return s.Send(&gapv1.WatchResponse{})
		},
		evaluate: func(ctx context.Context, _ *gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, error) {
			return &gapv1.EvaluateResponse{}, wait(ctx)
		},
	}
	_, url := serveDoor(t, newDoor(t, Options{BodyTime: bodyTime}, f.service()))
	var all sync.WaitGroup
	for protocol := range protocols {
		c := gapClient(t, url, protocol, "")
		all.Go(func() {
			if n, err := drain(t, c, &gapv1.WatchRequest{}); n != 1 || err != nil {
				t.Errorf("%s stream: %d messages, %v", protocol, n, err)
			}
		})
		all.Go(func() {
			if _, err := c.Evaluate(t.Context(), &gapv1.EvaluateRequest{}); err != nil {
				t.Errorf("%s call: %v", protocol, err)
			}
		})
	}
	all.Wait()
}

// A client that promises a body and does not send it is not waited for.
func TestABodyThatTricklesIsCutOff(t *testing.T) {
	f := fakeGap{evaluate: func(context.Context, *gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, error) {
		t.Error("half a request reached the service")
		return nil, nil
	}}
	_, url := serveDoor(t, newDoor(t, Options{BodyTime: 50 * time.Millisecond}, f.service()))
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(conn, "POST "+gapv1connect.GapServiceEvaluateProcedure+" HTTP/1.1\r\nHost: localhost\r\n"+
		"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	if err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	if res, err := http.ReadResponse(in, nil); err == nil {
		if res.StatusCode < 400 || res.StatusCode == 500 {
			t.Errorf("half a request was answered %s", res.Status)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
	}
	if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("the connection is still open: %v", err)
	}
}

// A client that leaves ends its stream.
func TestAStreamEndsWhenTheClientLeaves(t *testing.T) {
	for protocol := range protocols {
		left := make(chan error, 1)
		f := fakeGap{watch: func(ctx context.Context, _ *gapv1.WatchRequest, s *watchStream) error {
			if err := s.Send(&gapv1.WatchResponse{}); err != nil {
				return err
			}
			<-ctx.Done()
			left <- ctx.Err()
			return ctx.Err()
		}}
		_, url := serveDoor(t, newDoor(t, Options{}, f.service()))
		ctx, leave := context.WithCancel(t.Context())
		s, err := gapClient(t, url, protocol, "").Watch(ctx, &gapv1.WatchRequest{})
		if err != nil || !s.Receive() {
			t.Fatalf("%s: %v %v", protocol, err, s.Err())
		}
		leave()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", protocol, err)
		}
		_ = s.Close()
	}
}
