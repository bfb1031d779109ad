package devserver_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/proto/gen/setpoint/declaration/v1/declarationv1connect"
	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	"setpoint.dev/proto/gen/setpoint/event/v1/eventv1connect"
	"setpoint.dev/services/devserver"
)

type inOrg string

func (o inOrg) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Setpoint-Org", string(o))
	return http.DefaultTransport.RoundTrip(r)
}

// subscribed reads up to n events, or all there are; it returns their types and
// the cursor after them.
func subscribed(t *testing.T, url, org string, n int, q *eventv1.SubscribeRequest) (got, cursor string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := eventv1connect.NewEventServiceClient(&http.Client{Transport: inOrg(org)}, url)
	stream, err := c.Subscribe(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	var types []string
	for len(types) < n && stream.Receive() {
		cursor = stream.Msg().GetCursor()
		if stream.Msg().GetEvent() == "" {
			continue
		}
		var e struct{ Type, Subject string }
		if err := json.Unmarshal([]byte(stream.Msg().GetEvent()), &e); err != nil {
			t.Fatal(err)
		}
		types = append(types, strings.TrimPrefix(e.Type, "dev.setpoint.")+" "+e.Subject)
	}
	if err := stream.Err(); err != nil && len(types) < n {
		t.Fatal(err)
	}
	return strings.Join(types, ", "), cursor
}

func TestSubscribe(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	start := func() *devserver.Server {
		s, err := devserver.Start(ctx, devserver.Options{Data: dir, Listen: "127.0.0.1:0", ReadWait: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	s := start()
	units(t, s.URL(), "a")
	const changed = "declaration.changed.v1 changes/all"
	got, cursor := subscribed(t, s.URL(), "default", 99, &eventv1.SubscribeRequest{})
	if got != changed+", strategy.unit-declared.v1 unit/a" {
		t.Errorf("at first: %s", got)
	}
	if got, _ := subscribed(t, s.URL(), "other", 99, &eventv1.SubscribeRequest{}); got != "" {
		t.Errorf("another organization sees %s", got)
	}
	units(t, s.URL(), "a", "b")
	for name, c := range map[string]struct {
		q    *eventv1.SubscribeRequest
		want string
	}{
		"cursor":   {&eventv1.SubscribeRequest{Cursor: cursor}, changed + ", strategy.unit-declared.v1 unit/b"},
		"revision": {&eventv1.SubscribeRequest{FromRevision: 3}, changed + ", strategy.unit-declared.v1 unit/b"},
		"type":     {&eventv1.SubscribeRequest{Types: []string{"strategy"}}, "strategy.unit-declared.v1 unit/a, strategy.unit-declared.v1 unit/b"},
		"subject":  {&eventv1.SubscribeRequest{Subject: "unit/b"}, "strategy.unit-declared.v1 unit/b"},
		"follow":   {&eventv1.SubscribeRequest{Subject: "unit/b", Follow: true}, "strategy.unit-declared.v1 unit/b"},
	} {
		n := 99
		if c.q.GetFollow() {
			n = 1
		}
		if got, _ := subscribed(t, s.URL(), "default", n, c.q); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	stream, err := eventv1connect.NewEventServiceClient(http.DefaultClient, s.URL()).Subscribe(ctx, &eventv1.SubscribeRequest{Cursor: "999"})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if stream.Receive() || connect.CodeOf(stream.Err()) != connect.CodeFailedPrecondition {
		t.Errorf("beyond the end: %v", stream.Err())
	}
	// A restart publishes nothing again, and goes on.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = start()
	units(t, s.URL(), "a", "b", "c")
	if got, _ := subscribed(t, s.URL(), "default", 99, &eventv1.SubscribeRequest{Types: []string{"strategy"}}); got !=
		"strategy.unit-declared.v1 unit/a, strategy.unit-declared.v1 unit/b, strategy.unit-declared.v1 unit/c" {
		t.Errorf("after a restart: %s", got)
	}
}

// Events are asked for by the name of today or by the first one, of which they tell, and
// whole kinds by their word.
func TestSubscribeByName(t *testing.T) {
	s, err := devserver.Start(t.Context(), devserver.Options{Data: t.TempDir(), Listen: "127.0.0.1:0", ReadWait: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	declare := declarationv1connect.NewDeclarationServiceClient(http.DefaultClient, s.URL())
	for _, metadata := range []string{"{name: north}", "{name: south, renamedFrom: north}", "{name: north}"} {
		_, err := declare.Apply(t.Context(), &declarationv1.ApplyRequest{Manifests: &declarationv1.Manifests{Files: []*declarationv1.ManifestFile{
			{Path: "unit.yaml", Content: []byte("{apiVersion: setpoint.dev/v1, kind: Unit, metadata: " + metadata + ", spec: {}}")},
		}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	const first, second = "strategy.unit-declared.v1 unit/north", "strategy.unit-declared.v1 unit/north~2"
	for subject, want := range map[string]string{
		"unit/south":   first + ", " + first,
		"unit/north~2": second,
		"unit/north":   first + ", " + first + ", " + second, // one was called so first, the other is now
		"unit":         first + ", " + first + ", " + second,
		"unit/west":    "",
		"target":       "",
	} {
		if got, _ := subscribed(t, s.URL(), "default", 99, &eventv1.SubscribeRequest{Subject: subject}); got != want {
			t.Errorf("%s: %s, want %s", subject, got, want)
		}
	}
	if got, _ := subscribed(t, s.URL(), "other", 99, &eventv1.SubscribeRequest{Subject: "unit/south"}); got != "" {
		t.Errorf("another organization sees %s", got)
	}
}
