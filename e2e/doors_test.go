package e2e_test

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
	"setpoint.dev/proto/gen/setpoint/admin/v1/adminv1connect"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/services/devserver"
)

// setpoint runs the program and gives what it prints.
func setpoint(t testing.TB, env []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	var out, said strings.Builder
	cmd.Stdout, cmd.Stderr, cmd.Env, cmd.Dir = &out, &said, append(os.Environ(), env...), t.TempDir()
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), said.String(), cmd.ProcessState.ExitCode()
}

// createToken makes a token with the program.
func createToken(t testing.TB, file, org, role, principal string) string {
	t.Helper()
	out, said, code := setpoint(t, nil, "token", "create", "--file", file, "--org", org, "--role", role, "--principal", principal)
	if code != 0 {
		t.Fatalf("token create: %d %s", code, said)
	}
	return strings.TrimSpace(out)
}

func serveWith(t testing.TB, o devserver.Options) *devserver.Server {
	t.Helper()
	o.Data, o.Listen, o.Version, o.ReadWait = t.TempDir(), "127.0.0.1:0", "test", time.Minute
	s, err := devserver.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func withToken(t testing.TB, url, token string, more ...string) client {
	h := header{"Authorization": "Bearer " + token}
	for i := 0; i+1 < len(more); i += 2 {
		h[more[i]] = more[i+1]
	}
	return connectWith(t, &http.Client{Transport: h}, url)
}

func wantCode(t testing.TB, what string, err error, code connect.Code, reason string) {
	t.Helper()
	if err == nil || connect.CodeOf(err) != code || detail(err).GetReason() != reason {
		t.Errorf("%s: %v (%s), want %v (%s)", what, err, detail(err).GetReason(), code, reason)
	}
}

const unit = "{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: sales}, spec: {title: Sales}}"

// The same journey for each role: what it may do is done, what it may not is
// refused and leaves no trace.
func TestTokensDecideWhoDoesWhat(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens")
	tokens := map[string]string{}
	for _, role := range []string{"viewer", "contributor", "editor", "admin"} {
		tokens[role] = createToken(t, file, "acme", role, "u-"+role)
	}
	foreign := createToken(t, file, "umbrella", "admin", "u-spy")
	url := serveWith(t, devserver.Options{TokenFile: file}).URL()
	withToken(t, url, tokens["editor"]).apply(`
{apiVersion: setpoint.dev/v1, kind: Metric, metadata: {name: sales}, spec: {unit: count, cadence: yearly}}
---
{apiVersion: setpoint.dev/v1, kind: Target, metadata: {name: sales}, spec: {metric: sales, direction: increase, owner: unit/north,
  baseline: {value: 0, date: 2019-12-31}, value: 100, due: 2023-12-31}}
---
{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: north}, spec: {title: North}}`)
	ctx := t.Context()
	for rank, role := range []string{"viewer", "contributor", "editor", "admin"} {
		c := withToken(t, url, tokens[role])
		admin := adminv1connect.NewAdminServiceClient(&http.Client{Transport: header{"Authorization": "Bearer " + tokens[role]}}, url)
		for _, act := range []struct {
			name  string
			needs int
			do    func() error
		}{
			{"evaluate", 0, func() error { _, err := c.gap.Evaluate(ctx, &gapv1.EvaluateRequest{}); return err }},
			{"plan", 0, func() error {
				_, err := c.declare.Plan(ctx, &declarationv1.PlanRequest{Manifests: manifests(unit)})
				return err
			}},
			{"observe", 1, func() error { _, err := c.record(value("sales", "2020-12-31", 20)); return err }},
			{"apply", 2, func() error {
				_, err := c.declare.Apply(ctx, &declarationv1.ApplyRequest{Manifests: manifests(unit)})
				return err
			}},
			{"delete", 2, func() error {
				_, err := c.declare.Delete(ctx, &declarationv1.DeleteRequest{Kind: "Unit", Name: "sales"})
				return err
			}},
			{"status", 3, func() error { _, err := admin.GetStatus(ctx, &adminv1.GetStatusRequest{}); return err }},
		} {
			err := act.do()
			if rank >= act.needs {
				if err != nil {
					t.Errorf("%s may not %s: %v", role, act.name, err)
				}
				continue
			}
			wantCode(t, role+" "+act.name, err, connect.CodePermissionDenied, "auth.role")
		}
	}

	viewer := withToken(t, url, tokens["viewer"])
	history, err := viewer.declare.History(ctx, &declarationv1.HistoryRequest{Kind: "Metric", Name: "sales"})
	if err != nil || len(history.GetEntries()) == 0 || history.GetEntries()[0].GetPrincipal() != "u-editor" {
		t.Errorf("the history does not name who: %v %v", history, err)
	}
	spy := withToken(t, url, foreign)
	if got := spy.names("metric"); len(got) != 0 {
		t.Errorf("another organization's admin sees %v", got)
	}
	_, err = withToken(t, url, foreign, "Setpoint-Org", "acme").declare.List(ctx, &declarationv1.ListRequest{Kind: "metric"})
	wantCode(t, "another organization in the header", err, connect.CodePermissionDenied, "auth.header_mismatch")
	_, err = withToken(t, url, tokens["editor"], "Setpoint-Actor", "u-ceo").declare.Apply(ctx, &declarationv1.ApplyRequest{Manifests: manifests(unit)})
	wantCode(t, "another actor in the header", err, connect.CodePermissionDenied, "auth.header_mismatch")
	_, err = connectTo(t, url, "acme").declare.List(ctx, &declarationv1.ListRequest{Kind: "metric"})
	wantCode(t, "no token", err, connect.CodeUnauthenticated, "token.missing")

	out, said, code := setpoint(t, []string{"SETPOINT_SERVER=" + url, "SETPOINT_TOKEN=" + tokens["viewer"]}, "get", "metrics")
	if code != 0 || !strings.Contains(out, "sales") {
		t.Errorf("the command line with a token: %d %s %s", code, out, said)
	}
	_, said, code = setpoint(t, []string{"SETPOINT_SERVER=" + url, "SETPOINT_TOKEN=" + tokens["viewer"]}, "get", "metrics", "--org", "umbrella")
	if code != 1 || !strings.Contains(said, `the token is for "acme"`) {
		t.Errorf("the command line with another organization: %d %s", code, said)
	}
	_, said, code = setpoint(t, []string{"SETPOINT_SERVER=" + url}, "get", "metrics")
	if code != 1 || !strings.Contains(said, "hint: give one with --token") {
		t.Errorf("the command line without a token: %d %s", code, said)
	}
}

// A token is revoked while the server runs and somebody watches with it.
func TestRevokingEndsCallsAndStreams(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens")
	token, other := createToken(t, file, "acme", "viewer", "u-1"), createToken(t, file, "acme", "viewer", "u-2")
	url := serveWith(t, devserver.Options{TokenFile: file}).URL()
	c := withToken(t, url, token)
	stream, err := c.gap.Watch(t.Context(), &gapv1.WatchRequest{})
	if err != nil || !stream.Receive() {
		t.Fatalf("watch: %v %v", err, stream.Err())
	}
	if _, said, code := setpoint(t, nil, "token", "revoke", "--file", file, strings.Split(token, "_")[1]); code != 0 {
		t.Fatalf("revoke: %s", said)
	}
	deadline := time.Now().Add(time.Minute)
	for err = nil; err == nil && time.Now().Before(deadline); {
		_, err = c.gap.Evaluate(t.Context(), &gapv1.EvaluateRequest{})
	}
	wantCode(t, "a call", err, connect.CodeUnauthenticated, "token.rejected")
	if stream.Receive() {
		t.Error("the stream went on")
	}
	wantCode(t, "the stream", stream.Err(), connect.CodeUnauthenticated, "token.rejected")
	if _, err := withToken(t, url, other).gap.Evaluate(t.Context(), &gapv1.EvaluateRequest{}); err != nil {
		t.Errorf("the other token: %v", err)
	}
}

func TestOtherMachinesAreServedOnlyWithTokensAndTLS(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens")
	createToken(t, file, "acme", "viewer", "u-1")
	for name, tt := range map[string]struct {
		args []string
		says string
	}{
		"no token file":   {[]string{"--listen", "0.0.0.0:0"}, "without tokens requests are not authenticated"},
		"in the clear":    {[]string{"--listen", "0.0.0.0:0", "--token-file", file}, "would receive tokens in the clear"},
		"a missing file":  {[]string{"--token-file", file + "x"}, "there is no token file"},
		"the log outside": {[]string{"--listen", "127.0.0.1:0", "--nats", "0.0.0.0:0"}, "listens on loopback only"},
	} {
		_, said, code := setpoint(t, nil, append([]string{"dev", "--data", t.TempDir()}, tt.args...)...)
		if code != 1 || !strings.Contains(said, tt.says) || !strings.Contains(said, "hint: ") {
			t.Errorf("%s: exit code %d, %s", name, code, said)
		}
	}
	if err := os.WriteFile(file, []byte("# tokens\nnot an entry\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, said, code := setpoint(t, nil, "dev", "--data", t.TempDir(), "--listen", "127.0.0.1:0", "--token-file", file)
	if code != 1 || !strings.Contains(said, file+":2: not an entry") {
		t.Errorf("a malformed file: exit code %d, %s", code, said)
	}
}

// A server stops at once although people watch, and tells them.
func TestStoppingDoesNotWaitForWhoWatches(t *testing.T) {
	s, err := devserver.Start(context.Background(), devserver.Options{Data: t.TempDir(), Listen: "127.0.0.1:0", ReadWait: time.Minute, ShutdownTimeout: 10 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	var watching sync.WaitGroup
	for name, c := range map[string]client{
		"HTTP/1": connectTo(t, s.URL(), "acme"), "gRPC": connectH2C(t, s.URL(), connect.WithGRPC()),
	} {
		stream, err := c.gap.Watch(t.Context(), &gapv1.WatchRequest{})
		if err != nil || !stream.Receive() {
			t.Fatalf("%s: %v %v", name, err, stream.Err())
		}
		watching.Go(func() {
			if stream.Receive() {
				t.Errorf("%s: something came", name)
			}
			wantCode(t, name, stream.Err(), connect.CodeUnavailable, "server.stopping")
		})
	}
	began := time.Now()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 2*time.Minute {
		t.Errorf("it took %v", took)
	}
	watching.Wait()
}
