package rpc

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/proto/gen/setpoint/gap/v1/gapv1connect"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/logging"
	"setpoint.dev/services/internal/principal"
)

// safeBuffer is a log that several requests write.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// seen is what an observer was told.
type seen struct {
	procedure, code string
	stream          bool
}

func observing() (Observer, func() seen) {
	all := make(chan seen, 16)
	o := Observer{Request: func(p string, stream bool) func(string, time.Duration) {
		return func(code string, _ time.Duration) { all <- seen{p, code, stream} }
	}}
	return o, func() seen {
		select {
		case s := <-all:
			return s
		case <-time.After(time.Minute):
			return seen{code: "never told"}
		}
	}
}

func TestEveryRequestIsToldWithItsCode(t *testing.T) {
	evaluate := gapv1connect.GapServiceEvaluateProcedure
	for name := range protocols {
		o, next := observing()
		d := newDoor(t, Options{Observer: o, Tokens: fakeTokens{"v": {Org: "a", ID: "u", Role: principal.Viewer}}}, fakeGap{
			evaluate: func(_ context.Context, r *gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, error) {
				switch r.GetStrategy() {
				case "panic":
					panic("a defect")
				case "rule":
					return nil, fault.New(fault.Rule, "x.y", "no")
				}
				return &gapv1.EvaluateResponse{}, nil
			},
			watch: func(context.Context, *gapv1.WatchRequest, *connect.ServerStream[gapv1.WatchResponse]) error {
				return fault.New(fault.Unavailable, "x.y", "not now")
			},
		}.service())
		_, url := serveDoor(t, d)
		c := gapClient(t, url, name, "v")
		for strategy, want := range map[string]string{"": "ok", "rule": "failed_precondition", "panic": "internal"} {
			_, err := c.Evaluate(t.Context(), &gapv1.EvaluateRequest{Strategy: strategy})
			if got := next(); got != (seen{evaluate, want, false}) {
				t.Errorf("%s, %q: told %+v, client got %v", name, strategy, got, err)
			}
		}
		stream, err := c.Watch(t.Context(), &gapv1.WatchRequest{})
		if err == nil {
			for stream.Receive() {
			}
			_ = stream.Close()
		}
		if got := next(); got != (seen{gapv1connect.GapServiceWatchProcedure, "unavailable", true}) {
			t.Errorf("%s: of a stream %+v", name, got)
		}
		_, _ = gapClient(t, url, name, "stranger").Evaluate(t.Context(), &gapv1.EvaluateRequest{})
		if got := next(); got != (seen{evaluate, "unauthenticated", false}) {
			t.Errorf("%s: of a stranger %+v", name, got)
		}
	}
}

func TestWhatIsNoProcedureHasOneName(t *testing.T) {
	o, next := observing()
	d := newDoor(t, Options{Observer: o}, fakeGap{}.service())
	_, url := serveDoor(t, d)
	for path, want := range map[string]seen{
		"/secret/jane":                           {OtherProcedure, "not_found", false},
		"/setpoint.gap.v1.GapService/Nope":       {OtherProcedure, "not_found", false},
		gapv1connect.GapServiceEvaluateProcedure: {gapv1connect.GapServiceEvaluateProcedure, "invalid_argument", false},
	} {
		res, err := http.Post(url+path, "application/json", strings.NewReader("{"))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if got := next(); got != want {
			t.Errorf("%s: %+v", path, got)
		}
	}
}

// An internal error is in the log once, with the id that the client is told;
// what the client sent is not.
func TestAnInternalErrorIsFoundByItsRequestID(t *testing.T) {
	const canary = "canary-9f3b"
	var log safeBuffer
	logger, err := logging.New(&log, "json", "debug")
	if err != nil {
		t.Fatal(err)
	}
	o, next := observing()
	d := newDoor(t, Options{Logger: logger, Observer: o}, fakeGap{evaluate: func(_ context.Context, r *gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, error) {
		if r.GetStrategy() == canary+"-panic" {
			panic("a defect")
		}
		return nil, errors.New("the disk is on fire")
	}}.service())
	_, url := serveDoor(t, d)
	for _, tt := range []struct{ strategy, said string }{{canary, "the disk is on fire"}, {canary + "-panic", "a defect"}} {
		r, err := http.NewRequest(http.MethodPost, url+gapv1connect.GapServiceEvaluateProcedure+"?q="+canary, strings.NewReader(`{"strategy":"`+tt.strategy+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+canary)
		r.Header.Set("Cookie", canary)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		var body bytes.Buffer
		_, _ = body.ReadFrom(res.Body)
		_ = res.Body.Close()
		next()
		id := res.Header.Get(RequestIDHeader)
		if id == "" || !strings.Contains(body.String(), id) || strings.Contains(body.String(), tt.said) {
			t.Errorf("id %q, the client is told %s", id, body.String())
		}
		if n := strings.Count(log.String(), tt.said); n != 1 {
			t.Errorf("%q is in the log %d times:\n%s", tt.said, n, log.String())
		}
		about := 0
		for line := range strings.Lines(log.String()) {
			if strings.Contains(line, `"request_id":"`+id+`"`) {
				about++
			}
		}
		if about != 2 { // the error, and the request at debug
			t.Errorf("%d lines about %s:\n%s", about, id, log.String())
		}
	}
	if strings.Contains(log.String(), canary) {
		t.Errorf("the log has what the client sent:\n%s", log.String())
	}
}

func TestTheIDOfARequestIsTheClientsIfSane(t *testing.T) {
	d := newDoor(t, Options{}, fakeGap{}.service())
	_, url := serveDoor(t, d)
	for offered, taken := range map[string]bool{"build-17.4": true, "a b": false, strings.Repeat("x", 200): false} {
		r, err := http.NewRequest(http.MethodGet, url+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(RequestIDHeader, offered)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if got := res.Header.Values(RequestIDHeader); len(got) != 1 || (got[0] == offered) != taken || got[0] == "" {
			t.Errorf("%q: answered %q", offered, got)
		}
	}
}
