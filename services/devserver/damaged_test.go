package devserver_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
	"setpoint.dev/proto/gen/setpoint/admin/v1/adminv1connect"
	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/proto/gen/setpoint/declaration/v1/declarationv1connect"
	"setpoint.dev/services/devserver"
	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/eventlog/eventlogtest"
)

func units(t testing.TB, url string, names ...string) {
	t.Helper()
	var b strings.Builder
	for _, n := range names {
		b.WriteString("---\n{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: " + n + "}, spec: {}}\n")
	}
	if _, err := declarationv1connect.NewDeclarationServiceClient(http.DefaultClient, url).Apply(context.Background(), &declarationv1.ApplyRequest{
		Manifests: &declarationv1.Manifests{Files: []*declarationv1.ManifestFile{{Path: "u.yaml", Content: []byte(b.String())}}},
	}); err != nil {
		t.Fatal(err)
	}
}

func names(t testing.TB, url string) string {
	t.Helper()
	res, err := declarationv1connect.NewDeclarationServiceClient(http.DefaultClient, url).List(context.Background(),
		&declarationv1.ListRequest{Kind: "Unit", PageSize: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range res.GetResources() {
		out = append(out, r.GetMetadata().GetName())
	}
	return strings.Join(out, " ")
}

// A service whose log lost a message starts, says so, serves what precedes it,
// and goes on when the operator has decided, also after a restart and a rebuild.
func TestALogWithAHoleIsServedAndMended(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	start := func() (*devserver.Server, adminv1connect.AdminServiceClient) {
		s, err := devserver.Start(ctx, devserver.Options{Data: dir, Listen: "127.0.0.1:0", ReadWait: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		return s, adminv1connect.NewAdminServiceClient(http.DefaultClient, s.URL())
	}
	s, _ := start()
	units(t, s.URL(), "a")                // 1 the guard, 2 a
	units(t, s.URL(), "a", "b", "c", "d") // 3 the guard, 4 b, 5 c, 6 d
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	nats, err := embeddednats.Start(embeddednats.Options{Dir: filepath.Join(dir, "nats")})
	if err != nil {
		t.Fatal(err)
	}
	nc, err := nats.ConnectInProcess()
	if err != nil {
		t.Fatal(err)
	}
	eventlogtest.Damage(t, nc, 0, 4)
	nc.Close()
	if err := nats.Close(); err != nil {
		t.Fatal(err)
	}
	for _, f := range must(filepath.Glob(filepath.Join(dir, "record*"))) {
		remove(t, f)
	}

	s, admin := start()
	if err := s.Healthy(ctx); err == nil || !strings.Contains(err.Error(), "sequence 4 is missing") {
		t.Errorf("healthy: %v", err)
	}
	if got := names(t, s.URL()); got != "a" {
		t.Errorf("what precedes the hole is %q", got)
	}
	list, err := admin.ListProjections(ctx, &adminv1.ListProjectionsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	p := list.GetProjections()[0]
	if p.GetState() != "halted" || p.GetHalt().GetSequence() != 4 || p.GetHalt().GetReason() != "log.hole" || p.GetRevision() != 2 || p.GetHalt().GetHint() == "" {
		t.Errorf("projection %v", p)
	}
	status, err := admin.GetStatus(ctx, &adminv1.GetStatusRequest{})
	if err != nil || status.GetProjections()[0].GetState() != "halted" {
		t.Errorf("status %v, %v", status, err)
	}
	resumed, err := admin.ResumeProjection(ctx, &adminv1.ResumeProjectionRequest{})
	if err != nil || resumed.GetProjection().GetState() != "halted" {
		t.Errorf("resumed: %v, %v", resumed, err)
	}
	if _, err := admin.SkipEvent(ctx, &adminv1.SkipEventRequest{Sequence: 3, Reason: "no"}); connect.CodeOf(err) != connect.CodeFailedPrecondition {
		t.Errorf("skipping a message that is not the reason: %v", err)
	}
	skipped, err := admin.SkipEvent(ctx, &adminv1.SkipEventRequest{Sequence: 4, Reason: "the disk", RequestId: "s"})
	if err != nil {
		t.Fatal(err)
	}
	again, err := admin.SkipEvent(ctx, &adminv1.SkipEventRequest{Sequence: 4, Reason: "the disk", RequestId: "s"})
	if err != nil || again.GetRevision() != skipped.GetRevision() {
		t.Errorf("given again: %v, %v", again, err)
	}
	wait(t, s.URL(), skipped.GetRevision())
	check := func(when string) {
		t.Helper()
		if got := names(t, s.URL()); got != "a c d" {
			t.Errorf("%s there are %q", when, got)
		}
		// Health is looked at every now and then.
		var err error
		for until := time.Now().Add(time.Minute); time.Now().Before(until); runtime.Gosched() {
			if err = s.Healthy(ctx); err == nil {
				return
			}
		}
		t.Errorf("%s: %v", when, err)
	}
	check("after the skip")
	units(t, s.URL(), "a", "b", "c", "d") // the lost one is declared again
	if got := names(t, s.URL()); got != "a b c d" {
		t.Errorf("declared again: %q", got)
	}
	rebuild, err := admin.RebuildProjection(ctx, &adminv1.RebuildProjectionRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var last *adminv1.RebuildProjectionResponse
	for rebuild.Receive() {
		last = rebuild.Msg()
	}
	if err := rebuild.Err(); err != nil || last.GetStage() != "done" {
		t.Errorf("rebuilt: %v, %v", last, err)
	}
	_ = rebuild.Close()
	verify, err := admin.VerifyProjection(ctx, &adminv1.VerifyProjectionRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var found *adminv1.VerifyProjectionResponse
	for verify.Receive() {
		found = verify.Msg()
	}
	if err := verify.Err(); err != nil || found.GetStage() != "done" || found.GetDiffering() != 0 || found.GetRows() == 0 {
		t.Errorf("verified: %v, %v", found, err)
	}
	_ = verify.Close()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, _ = start()
	defer func() { _ = s.Close() }()
	if got := names(t, s.URL()); got != "a b c d" {
		t.Errorf("after a restart: %q", got)
	}
}

// What a log lost before the place of the record, no reader comes to: health
// tells it, and a write to the aggregate whose end is gone is told why it cannot
// be, and is not taken for a race.
func TestWhatIsLostBeforeTheRecordIsTold(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	start := func() *devserver.Server {
		s, err := devserver.Start(ctx, devserver.Options{Data: dir, Listen: "127.0.0.1:0", ReadWait: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	stop := func(s *devserver.Server) {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s := start()
	units(t, s.URL(), "a")
	units(t, s.URL(), "a", "b", "c") // 3 the guard, 4 b, 5 c
	if err := s.Healthy(ctx); err != nil {
		t.Error(err)
	}
	stop(s)
	nats, err := embeddednats.Start(embeddednats.Options{Dir: filepath.Join(dir, "nats")})
	if err != nil {
		t.Fatal(err)
	}
	nc, err := nats.ConnectInProcess()
	if err != nil {
		t.Fatal(err)
	}
	eventlogtest.Damage(t, nc, 0, 4)
	nc.Close()
	if err := nats.Close(); err != nil {
		t.Fatal(err)
	}

	s = start()
	defer stop(s)
	if got := names(t, s.URL()); got != "a b c" {
		t.Errorf("the record has %q", got)
	}
	if err := s.Healthy(ctx); err == nil || !strings.Contains(err.Error(), "sequence 4 is missing, the next is 5") {
		t.Errorf("healthy: %v", err)
	}
	declarations := declarationv1connect.NewDeclarationServiceClient(http.DefaultClient, s.URL())
	_, err = declarations.Delete(ctx, &declarationv1.DeleteRequest{Kind: "Unit", Name: "b"})
	reason, hint := told(err)
	if connect.CodeOf(err) != connect.CodeInternal || reason != "log.aggregate_tail_lost" ||
		!strings.Contains(err.Error(), "unit b, message 4, is lost") || !strings.Contains(hint, "setpoint doctor") {
		t.Errorf("%v (%s, %s)", err, reason, hint)
	}
	if _, err := declarations.Delete(ctx, &declarationv1.DeleteRequest{Kind: "Unit", Name: "c"}); err != nil {
		t.Errorf("another resource: %v", err)
	}
	verify, err := adminv1connect.NewAdminServiceClient(http.DefaultClient, s.URL()).VerifyProjection(ctx, &adminv1.VerifyProjectionRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for verify.Receive() {
	}
	if reason, _ := told(verify.Err()); reason != "log.hole" || !strings.Contains(verify.Err().Error(), "message 4") {
		t.Errorf("verified: %v", verify.Err())
	}
	_ = verify.Close()
}

// told is what an error says to programs, and what to do.
func told(err error) (reason, hint string) {
	var c *connect.Error
	if !errors.As(err, &c) {
		return "", ""
	}
	for _, d := range c.Details() {
		if v, err := d.Value(); err == nil {
			if e, ok := v.(*commonv1.ErrorDetail); ok {
				return e.GetReason(), e.GetHint()
			}
		}
	}
	return "", ""
}

func wait(t testing.TB, url string, revision int64) {
	t.Helper()
	if _, err := declarationv1connect.NewDeclarationServiceClient(http.DefaultClient, url).List(context.Background(),
		&declarationv1.ListRequest{Kind: "Unit", PageSize: 1, MinRevision: revision}); err != nil {
		t.Fatal(err)
	}
}

func remove(t testing.TB, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
