package cli

import (
	"bytes"
	"context"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
	"setpoint.dev/proto/gen/setpoint/admin/v1/adminv1connect"
	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/proto/gen/setpoint/declaration/v1/declarationv1connect"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/proto/gen/setpoint/gap/v1/gapv1connect"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/proto/gen/setpoint/strategy/v1/strategyv1connect"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// packageFolder is where the tests start; some of them go elsewhere.
var packageFolder = func() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	return dir
}()

// fake answers as its functions say and remembers the headers of each request.
type fake struct {
	declarationv1connect.UnimplementedDeclarationServiceHandler
	strategyv1connect.UnimplementedStrategyServiceHandler
	gapv1connect.UnimplementedGapServiceHandler
	adminv1connect.UnimplementedAdminServiceHandler

	plan        func(*declarationv1.PlanRequest) (*declarationv1.PlanResponse, error)
	apply       func(*declarationv1.ApplyRequest) (*declarationv1.ApplyResponse, error)
	get         func(*declarationv1.GetRequest) (*declarationv1.GetResponse, error)
	list        func(*declarationv1.ListRequest) (*declarationv1.ListResponse, error)
	history     func(*declarationv1.HistoryRequest) (*declarationv1.HistoryResponse, error)
	export      func(*declarationv1.ExportRequest) (*declarationv1.ExportResponse, error)
	diff        func(*declarationv1.DiffRequest) (*declarationv1.DiffResponse, error)
	remove      func(*declarationv1.DeleteRequest) (*declarationv1.DeleteResponse, error)
	record      func(*strategyv1.RecordObservationsRequest) (*strategyv1.RecordObservationsResponse, error)
	observed    func(*strategyv1.ListObservationsRequest) (*strategyv1.ListObservationsResponse, error)
	whatIf      func(*gapv1.WhatIfRequest) (*gapv1.WhatIfResponse, error)
	sensitivity func(*gapv1.SensitivityRequest) (*gapv1.SensitivityResponse, error)
	conditions  func(*gapv1.ListConditionsRequest) (*gapv1.ListConditionsResponse, error)
	evaluate    func(*gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, error)
	report      func(*gapv1.ReportRequest) (*gapv1.ReportResponse, error)
	projections []*adminv1.Projection
	rebuild     []*adminv1.RebuildProjectionResponse // what a rebuild tells
	verified    []*adminv1.VerifyProjectionResponse
	told        func() // is called before the last of either
	skip        func(*adminv1.SkipEventRequest) (*adminv1.SkipEventResponse, error)
	status      func(context.Context) (*adminv1.GetStatusResponse, error)
	follow      func(context.Context, *connect.ServerStream[declarationv1.FollowResponse]) error
	watch       func(context.Context, *gapv1.WatchRequest, *connect.ServerStream[gapv1.WatchResponse]) error

	mu      sync.Mutex
	headers []http.Header
	paths   []string
}

func unset[Req, Res any](f func(Req) (Res, error), req Req) (Res, error) {
	if f == nil {
		var none Res
		return none, connect.NewError(connect.CodeUnimplemented, io.ErrUnexpectedEOF)
	}
	return f(req)
}

func (f *fake) Plan(_ context.Context, r *declarationv1.PlanRequest) (*declarationv1.PlanResponse, error) {
	return unset(f.plan, r)
}

func (f *fake) WhatIf(_ context.Context, r *gapv1.WhatIfRequest) (*gapv1.WhatIfResponse, error) {
	return unset(f.whatIf, r)
}

func (f *fake) Sensitivity(_ context.Context, r *gapv1.SensitivityRequest) (*gapv1.SensitivityResponse, error) {
	return unset(f.sensitivity, r)
}

func (f *fake) Apply(_ context.Context, r *declarationv1.ApplyRequest) (*declarationv1.ApplyResponse, error) {
	return unset(f.apply, r)
}

func (f *fake) Get(_ context.Context, r *declarationv1.GetRequest) (*declarationv1.GetResponse, error) {
	return unset(f.get, r)
}

func (f *fake) List(_ context.Context, r *declarationv1.ListRequest) (*declarationv1.ListResponse, error) {
	return unset(f.list, r)
}

func (f *fake) History(_ context.Context, r *declarationv1.HistoryRequest) (*declarationv1.HistoryResponse, error) {
	return unset(f.history, r)
}

func (f *fake) Export(_ context.Context, r *declarationv1.ExportRequest) (*declarationv1.ExportResponse, error) {
	return unset(f.export, r)
}

func (f *fake) Diff(_ context.Context, r *declarationv1.DiffRequest) (*declarationv1.DiffResponse, error) {
	return unset(f.diff, r)
}

func (f *fake) Delete(_ context.Context, r *declarationv1.DeleteRequest) (*declarationv1.DeleteResponse, error) {
	return unset(f.remove, r)
}

func (f *fake) RecordObservations(_ context.Context, r *strategyv1.RecordObservationsRequest) (*strategyv1.RecordObservationsResponse, error) {
	return unset(f.record, r)
}

func (f *fake) ListObservations(_ context.Context, r *strategyv1.ListObservationsRequest) (*strategyv1.ListObservationsResponse, error) {
	return unset(f.observed, r)
}

func (f *fake) Evaluate(_ context.Context, r *gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, error) {
	return unset(f.evaluate, r)
}

func (f *fake) ListConditions(_ context.Context, r *gapv1.ListConditionsRequest) (*gapv1.ListConditionsResponse, error) {
	return unset(f.conditions, r)
}

func (f *fake) Report(_ context.Context, r *gapv1.ReportRequest) (*gapv1.ReportResponse, error) {
	return unset(f.report, r)
}

func (f *fake) Watch(ctx context.Context, r *gapv1.WatchRequest, s *connect.ServerStream[gapv1.WatchResponse]) error {
	if f.watch == nil {
		return connect.NewError(connect.CodeUnimplemented, io.ErrUnexpectedEOF)
	}
	return f.watch(ctx, r, s)
}

func (f *fake) Follow(ctx context.Context, _ *declarationv1.FollowRequest, s *connect.ServerStream[declarationv1.FollowResponse]) error {
	if f.follow == nil {
		return connect.NewError(connect.CodeUnimplemented, io.ErrUnexpectedEOF)
	}
	return f.follow(ctx, s)
}

func (f *fake) GetStatus(ctx context.Context, _ *adminv1.GetStatusRequest) (*adminv1.GetStatusResponse, error) {
	return unset(f.status, ctx)
}

func (f *fake) ListProjections(context.Context, *adminv1.ListProjectionsRequest) (*adminv1.ListProjectionsResponse, error) {
	return &adminv1.ListProjectionsResponse{Projections: f.projections}, nil
}

func (f *fake) ResumeProjection(context.Context, *adminv1.ResumeProjectionRequest) (*adminv1.ResumeProjectionResponse, error) {
	return &adminv1.ResumeProjectionResponse{Projection: f.projections[0]}, nil
}

func (f *fake) SkipEvent(_ context.Context, r *adminv1.SkipEventRequest) (*adminv1.SkipEventResponse, error) {
	return unset(f.skip, r)
}

func (f *fake) RebuildProjection(_ context.Context, _ *adminv1.RebuildProjectionRequest, s *connect.ServerStream[adminv1.RebuildProjectionResponse]) error {
	return tellAll(f, f.rebuild, s)
}

func (f *fake) VerifyProjection(_ context.Context, _ *adminv1.VerifyProjectionRequest, s *connect.ServerStream[adminv1.VerifyProjectionResponse]) error {
	return tellAll(f, f.verified, s)
}

func tellAll[T any](f *fake, all []*T, s *connect.ServerStream[T]) error {
	for i, m := range all {
		if i == len(all)-1 && f.told != nil {
			f.told()
		}
		if err := s.Send(m); err != nil {
			return err
		}
	}
	return nil
}

// serve starts the fake on a port of its own.
func (f *fake) serve(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(declarationv1connect.NewDeclarationServiceHandler(f))
	mux.Handle(strategyv1connect.NewStrategyServiceHandler(f))
	mux.Handle(gapv1connect.NewGapServiceHandler(f))
	mux.Handle(adminv1connect.NewAdminServiceHandler(f))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.headers = append(f.headers, r.Header.Clone())
		f.paths = append(f.paths, r.URL.Path)
		f.mu.Unlock()
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// session is one way to run the command line.
type session struct {
	server   string
	stdin    string
	env      map[string]string
	terminal bool // all three streams are one
	width    int
	chunk    int
	declared int
	serve    func(context.Context, ServeOptions) error
	height   int
	patience time.Duration
	names    time.Duration // as in Options
	offline  func([]*declarationv1.ManifestFile) (*OfflinePlan, error)
	out, err io.Writer // beside what is collected
}

type result struct {
	code           int
	stdout, stderr string
}

func (s session) run(t *testing.T, args ...string) result {
	t.Helper()
	return s.runContext(t.Context(), args...)
}

func (s session) runContext(ctx context.Context, args ...string) result {
	var stdout, stderr bytes.Buffer
	env := map[string]string{}
	if s.server != "" {
		env["SETPOINT_SERVER"] = s.server
	}
	for k, v := range s.env {
		env[k] = v
	}
	also := func(b *bytes.Buffer, w io.Writer) io.Writer {
		if w == nil {
			return b
		}
		return io.MultiWriter(b, w)
	}
	opts := Options{
		Args: args, Stdin: strings.NewReader(s.stdin), Stdout: also(&stdout, s.out), Stderr: also(&stderr, s.err),
		Env:        func(k string) (string, bool) { v, ok := env[k]; return v, ok },
		IsTerminal: func(any) bool { return s.terminal },
		Width:      func() int { return s.width },
		Now:        func() time.Time { return time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC) },
		RetryDelay: time.Microsecond,
		Version:    "v1.2.3",
		Serve:      s.serve,
		chunk:      s.chunk,
		declared:   s.declared,
		Height:     func() int { return s.height },
		patience:   s.patience,
		names:      s.names,

		PlanOffline: s.offline,
		Policies:    []string{"default", "okr"},
		Targets:     targets,
	}
	code := Run(ctx, opts)
	return result{code, stdout.String(), stderr.String()}
}

// golden compares got with testdata/<name>.golden.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join(packageFolder, "testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}

func (r result) want(t *testing.T, code int) result {
	t.Helper()
	if r.code != code {
		t.Fatalf("exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", r.code, code, r.stdout, r.stderr)
	}
	return r
}

func (r result) wantStderr(t *testing.T, parts ...string) result {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(r.stderr, p) {
			t.Errorf("stderr lacks %q:\n%s", p, r.stderr)
		}
	}
	return r
}

func (r result) wantStdout(t *testing.T, parts ...string) result {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(r.stdout, p) {
			t.Errorf("stdout lacks %q:\n%s", p, r.stdout)
		}
	}
	return r
}

// refuse is an error as the server sends it.
func refuse(code connect.Code, message string, detail *commonv1.ErrorDetail) error {
	e := connect.NewError(code, &plainError{message})
	if detail != nil {
		d, err := connect.NewErrorDetail(detail)
		if err != nil {
			return err
		}
		e.AddDetail(d)
	}
	return e
}

type plainError struct{ message string }

func (e *plainError) Error() string { return e.message }

func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// targets are those of package server, whose test compares them with the
// reference.
var targets = []string{"all", "projector", "declaration", "strategy", "initiative", "change", "gap", "event", "reactor"}
