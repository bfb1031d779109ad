package rpc

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/services/internal/principal"
)

func TestTooManyAtOnceAreRefused(t *testing.T) {
	entered, finish := make(chan struct{}), make(chan struct{})
	hold := func() { entered <- struct{}{}; <-finish }
	f := fakeGap{
		evaluate: func(context.Context, *gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, error) {
			hold()
			return &gapv1.EvaluateResponse{}, nil
		},
		watch: func(context.Context, *gapv1.WatchRequest, *watchStream) error { hold(); return nil },
	}
	tokens := fakeTokens{"a": acmeViewer, "b": {Org: "acme", ID: "b", Role: principal.Viewer}, "c": {Org: "acme", ID: "c", Role: principal.Viewer}}
	_, url := serveDoor(t, newDoor(t, Options{Tokens: tokens, Limits: Limits{
		Requests: 3, RequestsPerPrincipal: 2, Streams: 3, StreamsPerPrincipal: 2,
	}}, f.service()))
	for name, do := range map[string]func(token string) error{
		"requests": func(token string) error {
			_, err := gapClient(t, url, "connect", token).Evaluate(t.Context(), &gapv1.EvaluateRequest{})
			return err
		},
		"streams": func(token string) error {
			_, err := drain(t, gapClient(t, url, "grpc", token), &gapv1.WatchRequest{})
			return err
		},
	} {
		var running sync.WaitGroup
		for _, token := range []string{"a", "a", "b"} {
			running.Go(func() {
				if err := do(token); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
			<-entered
			if token == "a" {
				continue
			}
			wantRefusal(t, name+" of all", do("c"), connect.CodeResourceExhausted, "server.busy")
		}
		finish <- struct{}{} // any one of them
		finish <- struct{}{}
		finish <- struct{}{}
		running.Wait()

		for range 2 {
			running.Go(func() {
				if err := do("a"); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
			<-entered
		}
		wantRefusal(t, name+" of one", do("a"), connect.CodeResourceExhausted, "server.principal_busy")
		running.Go(func() {
			if err := do("b"); err != nil {
				t.Errorf("%s: another's place is taken: %v", name, err)
			}
		})
		<-entered
		for range 3 {
			finish <- struct{}{}
		}
		running.Wait()
	}
}

func TestPlacesAreGivenBackWhateverHappens(t *testing.T) {
	f := fakeGap{evaluate: func(context.Context, *gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, error) { panic("astray") }}
	d := newDoor(t, Options{Limits: Limits{Requests: 1}}, f.service())
	_, url := serveDoor(t, d)
	for range 5 {
		_, err := gapClient(t, url, "connect", "").Evaluate(t.Context(), &gapv1.EvaluateRequest{})
		wantRefusal(t, "panic", err, connect.CodeInternal, "")
	}
	d.calls.mu.Lock()
	defer d.calls.mu.Unlock()
	if d.calls.total != 0 || len(d.calls.each) != 0 {
		t.Errorf("places held: %d, %v", d.calls.total, d.calls.each)
	}
}

func TestConnectionsOverTheMaximumAreClosed(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := LimitConnections(inner, 2)
	accepted := make(chan net.Conn)
	go func() {
		defer close(accepted)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	dial()
	first := <-accepted
	dial()
	second := <-accepted
	over := dial()
	if err := over.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := over.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !isReset(err) {
		t.Errorf("the third connection: %v", err)
	}
	for range 2 { // closing twice gives one place
		_ = first.Close()
	}
	dial()
	third := <-accepted
	over = dial()
	if err := over.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := over.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !isReset(err) {
		t.Errorf("the fourth connection: %v", err)
	}
	_, _ = second.Close(), third.Close()
	_ = l.Close()
	<-accepted
}

func isReset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && !op.Timeout()
}
