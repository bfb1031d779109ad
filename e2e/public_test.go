package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	"setpoint.dev/proto/gen/setpoint/event/v1/eventv1connect"
)

// natsTool is the command line of NATS, as integrators have it, built once.
var natsTool = sync.OnceValues(func() (string, error) {
	path, err := binary()
	if err != nil {
		return "", err
	}
	tool := filepath.Join(filepath.Dir(path), "nats")
	build := exec.Command("go", "build", "-o", tool, "github.com/nats-io/natscli/nats")
	build.Dir, build.Env = "../.tools", append(os.Environ(), "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return tool, nil
})

// natsRun asks the NATS of a data folder.
func natsRun(t *testing.T, dir string, args ...string) string {
	t.Helper()
	tool, err := natsTool()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "nats", "nats-credentials.json"))
	if err != nil {
		t.Fatal(err)
	}
	var c struct{ URL, User, Password string }
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, tool, args...)
	cmd.Env = append(os.Environ(), "NATS_URL="+c.URL, "NATS_USER="+c.User, "NATS_PASSWORD="+c.Password, "XDG_CONFIG_HOME="+t.TempDir(), "NO_COLOR=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("nats %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// receiver is somebody's endpoint: it verifies, and remembers what it has dealt
// with by webhook-id.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	secret string
	seen   map[string]bool
	order  []string // of the units, each once
	again  int
	bad    []string
	have   chan struct{} // a word after each
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{seen: map[string]bool{}, have: make(chan struct{}, 1)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			return // killed while it sent
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		v, err := standardwebhooks.NewWebhook(r.secret)
		if err == nil {
			err = v.Verify(body, q.Header)
		}
		if err != nil {
			r.bad = append(r.bad, err.Error())
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		id := q.Header.Get(standardwebhooks.HeaderWebhookID)
		if r.seen[id] {
			r.again++
		} else {
			var e struct{ Subject string }
			_ = json.Unmarshal(body, &e)
			r.seen[id], r.order = true, append(r.order, e.Subject)
		}
		w.WriteHeader(http.StatusNoContent)
		select {
		case r.have <- struct{}{}:
		default:
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// The server is killed again and again while units are declared one by one. In the
// end each has exactly one public event, in the order of the log, as the command
// line of NATS reads it; and a webhook's receiver, who looks at webhook-id, has
// each exactly once and in order.
func TestPublicEventsSurviveKills(t *testing.T) {
	dir, hook := t.TempDir(), newReceiver(t)
	start := func() (child, client, eventv1connect.EventServiceClient) {
		s, err := launch([]string{"dev", "--data", dir, "--listen", "127.0.0.1:0", "--nats", "127.0.0.1:0", "--webhook-allow-private"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.kill)
		h := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		return s, connectWith(t, h, s.url), eventv1connect.NewEventServiceClient(h, s.url)
	}
	s, c, events := start()
	c.apply("{apiVersion: setpoint.dev/v1, kind: Webhook, metadata: {name: hook}, spec: {url: '" + hook.URL + "', types: [strategy.unit-declared]}}")
	res, err := events.RotateWebhookSecret(t.Context(), &eventv1.RotateWebhookSecretRequest{Webhook: "hook"})
	if err != nil {
		t.Fatal(err)
	}
	hook.mu.Lock()
	hook.secret = res.GetSecret()
	hook.mu.Unlock()
	var want []string
	n, kills := 0, 12
	for cycle := range kills {
		// The kill comes at another moment of the work in each cycle.
		timer := time.AfterFunc(time.Duration(60+cycle*40)*time.Millisecond, s.kill)
		for {
			unit := fmt.Sprintf("u-%04d", n)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			_, err := c.declare.Apply(ctx, &declarationv1.ApplyRequest{
				RequestId: "declare-" + unit, Manifests: manifests("{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: " + unit + "}, spec: {}}"),
			})
			cancel()
			if err != nil {
				break // killed; the same request is given again
			}
			want = append(want, "unit/"+unit)
			n++
		}
		timer.Stop()
		s.kill()
		s, c, events = start()
	}
	c.apply("{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: last}, spec: {}}")
	// One that was under way may be there although nobody was told.
	if names := c.names("unit"); len(names) == len(want)+2 {
		want = append(want, fmt.Sprintf("unit/u-%04d", n))
	}
	want = append(want, "unit/last")

	stored := ofUnits(t, natsRun(t, dir, "sub", "--stream", "SETPOINT_PUBLIC", "setpoint.default.strategy.unit-declared", "--all", "--raw", fmt.Sprintf("--count=%d", len(want))))
	if !slices.Equal(stored, want) {
		t.Errorf("on NATS: %d, want %d\n%v\n%v", len(stored), len(want), stored, want)
	}
	var info struct {
		State struct {
			Messages int `json:"messages"`
			Subjects int `json:"num_subjects"`
		} `json:"state"`
	}
	all := subscribedIDs(t, events) // once all of the log is published
	if err := json.Unmarshal([]byte(natsRun(t, dir, "stream", "info", "SETPOINT_PUBLIC", "--json")), &info); err != nil {
		t.Fatal(err)
	}
	// A declaration is two events: what changed, and the unit.
	if len(all) != info.State.Messages || len(all) < 2*len(want) {
		t.Errorf("%d are subscribed to, %d are stored", len(all), info.State.Messages)
	} else if distinct := slices.Compact(slices.Sorted(slices.Values(all))); len(distinct) != len(all) {
		t.Errorf("%d of %d are stored twice", len(all)-len(distinct), len(all))
	}

	end := time.After(3 * time.Minute)
	for {
		hook.mu.Lock()
		got, again, bad := slices.Clone(hook.order), hook.again, slices.Clone(hook.bad)
		hook.mu.Unlock()
		if len(got) >= len(want) {
			if !slices.Equal(got, want) || len(bad) > 0 {
				t.Errorf("the webhook got %v, want %v; %v", got, want, bad)
			}
			t.Logf("%d kills, %d events, %d delivered again", kills, len(want), again)
			return
		}
		select {
		case <-hook.have:
		case <-end:
			t.Fatalf("the webhook got %d of %d: %v", len(got), len(want), bad)
		}
	}
}

// ofUnits are the subjects of events, one a line.
func ofUnits(t *testing.T, lines string) (out []string) {
	t.Helper()
	for line := range strings.Lines(lines) {
		var e struct{ Subject, SpecVersion string }
		if json.Unmarshal([]byte(line), &e) == nil && e.SpecVersion == "1.0" {
			out = append(out, e.Subject)
		}
	}
	return out
}

func subscribedIDs(t *testing.T, events eventv1connect.EventServiceClient) (out []string) {
	t.Helper()
	s, err := events.Subscribe(t.Context(), &eventv1.SubscribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for s.Receive() {
		var e struct{ ID, Source string }
		if err := json.Unmarshal([]byte(s.Msg().GetEvent()), &e); err != nil {
			t.Fatal(err)
		}
		out = append(out, e.Source+" "+e.ID)
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
