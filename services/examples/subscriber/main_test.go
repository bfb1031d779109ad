package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/proto/gen/setpoint/declaration/v1/declarationv1connect"
	"setpoint.dev/proto/gen/setpoint/event/v1/eventv1connect"
	"setpoint.dev/services/devserver"
)

// lines cancels once it was given so many.
type lines struct {
	text   strings.Builder
	left   int
	cancel context.CancelFunc
}

func (l *lines) Write(b []byte) (int, error) {
	l.text.Write(b)
	if l.left--; l.left == 0 {
		l.cancel()
	}
	return len(b), nil
}

// hears runs the example until it has said n lines, and returns what of them is
// not the time.
func hears(t *testing.T, url, file string, n int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out := &lines{left: n, cancel: cancel}
	s := subscriber{
		client: eventv1connect.NewEventServiceClient(http.DefaultClient, url, connect.WithInterceptors(identity{"default", ""})),
		types:  []string{"strategy"}, file: file, out: out,
	}
	if err := s.run(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v after %s", err, out.text.String())
	}
	var got []string
	for line := range strings.Lines(out.text.String()) {
		f := strings.Fields(line)
		got = append(got, f[len(f)-1])
	}
	return strings.Join(got, " ")
}

func declare(t *testing.T, url string, units ...string) {
	t.Helper()
	var b strings.Builder
	for _, u := range units {
		b.WriteString("---\n{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: " + u + "}, spec: {}}\n")
	}
	_, err := declarationv1connect.NewDeclarationServiceClient(http.DefaultClient, url).Apply(t.Context(), &declarationv1.ApplyRequest{
		Manifests: &declarationv1.Manifests{Files: []*declarationv1.ManifestFile{{Path: "u.yaml", Content: []byte(b.String())}}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// It goes on where it was, also over a restart of the server; where its cursor is
// worth nothing any more it begins anew, and does nothing twice.
func TestTheExampleGoesOn(t *testing.T) {
	data, file := t.TempDir(), filepath.Join(t.TempDir(), "state.json")
	start := func() *devserver.Server {
		s, err := devserver.Start(t.Context(), devserver.Options{Data: data, Listen: "127.0.0.1:0", ReadWait: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	s := start()
	declare(t, s.URL(), "a", "b")
	if got := hears(t, s.URL(), file, 1); got != "unit/a" {
		t.Errorf("at first: %s", got)
	}
	if got := hears(t, s.URL(), file, 1); got != "unit/b" {
		t.Errorf("then: %s", got)
	}
	declare(t, s.URL(), "c")
	if got := hears(t, s.URL(), file, 1); got != "unit/c" {
		t.Errorf("then: %s", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = start()
	declare(t, s.URL(), "d")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before := string(b)
	i := strings.Index(before, `"last"`)
	if err := os.WriteFile(file, []byte(`{"cursor":"999999",`+before[i:]), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := hears(t, s.URL(), file, 2); got != "event.cursor_ahead unit/d" {
		t.Errorf("anew: %s", got)
	}
}

func TestAfter(t *testing.T) {
	for _, c := range []struct {
		id, last string
		want     bool
	}{
		{"0-7-0-x.v1", "", true}, {"0-7-1-x.v1", "0-7-0-x.v1", true}, {"0-10-0-x.v1", "0-9-3-x.v1", true},
		{"0-7-0-x.v1", "0-7-0-x.v1", false}, {"0-9-9-x.v1", "0-10-0-y.v1", false},
	} {
		if got := after(c.id, c.last); got != c.want {
			t.Errorf("%s after %s: %v", c.id, c.last, got)
		}
	}
}
