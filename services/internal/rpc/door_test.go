package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/proto/gen/setpoint/declaration/v1/declarationv1connect"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/proto/gen/setpoint/gap/v1/gapv1connect"
	"setpoint.dev/services/internal/principal"
)

var acmeViewer = principal.Principal{Org: "acme", ID: "u-42", Role: principal.Viewer}

func TestWithoutATokenNothingIsAnswered(t *testing.T) {
	called := fakeGap{
		evaluate: func(context.Context, *gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, error) {
			t.Error("a stranger reached a service")
			return nil, nil
		},
		watch: func(context.Context, *gapv1.WatchRequest, *connect.ServerStream[gapv1.WatchResponse]) error {
			t.Error("a stranger reached a stream")
			return nil
		},
	}
	_, url := serveDoor(t, newDoor(t, Options{Tokens: fakeTokens{"good": acmeViewer}}, called.service()))
	for protocol := range protocols {
		for token, reason := range map[string]string{"": "token.missing", "bad": "token.rejected"} {
			c := gapClient(t, url, protocol, token)
			_, err := c.Evaluate(t.Context(), &gapv1.EvaluateRequest{})
			wantRefusal(t, protocol, err, connect.CodeUnauthenticated, reason)
			if strings.Contains(fmt.Sprint(err), http.ErrNoCookie.Error()) {
				t.Errorf("%s: a stranger is told why: %v", protocol, err)
			}
			s, err := c.Watch(t.Context(), &gapv1.WatchRequest{})
			if err == nil {
				if s.Receive() {
					t.Errorf("%s: a stranger received something", protocol)
				}
				err = s.Err()
				_ = s.Close()
			}
			wantRefusal(t, protocol+" stream", err, connect.CodeUnauthenticated, reason)
		}
	}
}

// unread fails the test where a body is read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body of a refused request was read")
	return 0, io.EOF
}

func TestARefusedRequestIsNotRead(t *testing.T) {
	door := newDoor(t, Options{Tokens: fakeTokens{"good": acmeViewer}}, everyService()...)
	for name, tt := range map[string]struct {
		path    string
		headers map[string][]string
		status  int
		says    string
	}{
		"no token":        {gapv1connect.GapServiceEvaluateProcedure, nil, 401, "token.missing"},
		"basic":           {gapv1connect.GapServiceEvaluateProcedure, map[string][]string{"Authorization": {"Basic Z29vZA=="}}, 401, "token.missing"},
		"two":             {gapv1connect.GapServiceEvaluateProcedure, map[string][]string{"Authorization": {"Bearer good", "Bearer good"}}, 401, "token.missing"},
		"bad":             {gapv1connect.GapServiceEvaluateProcedure, map[string][]string{"Authorization": {"Bearer bad"}}, 401, "token.rejected"},
		"role":            {declarationv1connect.DeclarationServiceApplyProcedure, map[string][]string{"Authorization": {"Bearer good"}}, 403, "auth.role"},
		"organization":    {gapv1connect.GapServiceEvaluateProcedure, map[string][]string{"Authorization": {"Bearer good"}, OrgHeader: {"umbrella"}}, 403, "auth.header_mismatch"},
		"actor":           {gapv1connect.GapServiceEvaluateProcedure, map[string][]string{"Authorization": {"Bearer good"}, ActorHeader: {"ceo"}}, 403, "auth.header_mismatch"},
		"second org":      {gapv1connect.GapServiceEvaluateProcedure, map[string][]string{"Authorization": {"Bearer good"}, OrgHeader: {"acme", "umbrella"}}, 403, "auth.header_mismatch"},
		"no such method":  {"/setpoint.gap.v1.GapService/Drop", map[string][]string{"Authorization": {"Bearer good"}}, 404, "not found"},
		"no such service": {"/setpoint.none.v1.None/Do", map[string][]string{"Authorization": {"Bearer good"}}, 404, "not found"},
		"a stranger asks": {"/setpoint.none.v1.None/Do", nil, 401, "token.missing"},
		"reflection":      {"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", nil, 401, "token.missing"},
	} {
		r := httptest.NewRequest(http.MethodPost, tt.path, unread{t})
		r.Header.Set("Content-Type", "application/json")
		for k, v := range tt.headers {
			r.Header[k] = v
		}
		w := httptest.NewRecorder()
		door.ServeHTTP(w, r)
		body := w.Body.String()
		if w.Code != tt.status || !strings.Contains(body, tt.says) {
			t.Errorf("%s: %d %s", name, w.Code, body)
		}
		if got := w.Header().Get("WWW-Authenticate"); (got == "Bearer") != (tt.status == 401) {
			t.Errorf("%s: WWW-Authenticate %q", name, got)
		}
	}
}

func TestTheTokenSaysWhoCalls(t *testing.T) {
	var got principal.Principal
	f := fakeGap{evaluate: func(ctx context.Context, _ *gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, error) {
		var err error
		got, err = principal.From(ctx)
		return &gapv1.EvaluateResponse{}, err
	}}
	call := func(d *Door, headers map[string]string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, gapv1connect.GapServiceEvaluateProcedure, strings.NewReader("{}"))
		r.Header.Set("Content-Type", "application/json")
		r.Host = "127.0.0.1:8080"
		for k, v := range headers {
			r.Header.Set(k, v)
		}
		w := httptest.NewRecorder()
		got = principal.Principal{}
		d.ServeHTTP(w, r)
		return w
	}
	with := newDoor(t, Options{Tokens: fakeTokens{"good": acmeViewer}}, f.service())
	for _, headers := range []map[string]string{
		{"Authorization": "Bearer good"},
		{"Authorization": "bearer  good "},
		{"Authorization": "Bearer good", OrgHeader: "acme", ActorHeader: "u-42"},
	} {
		if w := call(with, headers); w.Code != 200 || got != acmeViewer {
			t.Errorf("%v: %d %s as %+v", headers, w.Code, w.Body, got)
		}
	}
	without := newDoor(t, Options{}, f.service())
	for _, tt := range []struct {
		headers map[string]string
		want    principal.Principal
	}{
		{nil, principal.Principal{Org: DefaultOrg, ID: DefaultActor, Role: principal.Admin}},
		{map[string]string{OrgHeader: "umbrella", ActorHeader: "bot"}, principal.Principal{Org: "umbrella", ID: "bot", Role: principal.Admin}},
		{map[string]string{OrgHeader: "Not A Label"}, principal.Principal{}},
	} {
		w := call(without, tt.headers)
		if got != tt.want || (w.Code == 200) != (tt.want.Org != "") {
			t.Errorf("%v: %d %s as %+v", tt.headers, w.Code, w.Body, got)
		}
	}
}

func TestHostsAndOrigins(t *testing.T) {
	public, err := url.Parse("https://setpoint.example.org")
	if err != nil {
		t.Fatal(err)
	}
	tokens := fakeTokens{"good": acmeViewer}
	doors := map[string]*Door{
		"open":   newDoor(t, Options{}),
		"tokens": newDoor(t, Options{Tokens: tokens}),
		"public": newDoor(t, Options{Tokens: tokens, Public: public}),
	}
	for _, tt := range []struct {
		door, host, origin string
		want               int
	}{
		{"open", "127.0.0.1:8080", "", 200},
		{"open", "localhost:8080", "", 200},
		{"open", "[::1]:8080", "", 200},
		{"open", "evil.example", "", 421},
		{"open", "localhost.evil.example", "", 421},
		{"open", "10.0.0.1:8080", "", 421},
		{"open", "", "", 421},
		{"open", "127.0.0.1:8080", "http://localhost:3000", 200},
		{"open", "127.0.0.1:8080", "https://evil.example", 403},
		{"open", "127.0.0.1:8080", "null", 403},
		{"open", "127.0.0.1:8080", "https://127.0.0.1.evil.example", 403},
		{"tokens", "10.0.0.1:8080", "", 200},
		{"tokens", "setpoint.example.org", "", 200},
		{"tokens", "setpoint.example.org", "https://setpoint.example.org", 200},
		{"tokens", "setpoint.example.org", "https://evil.example", 403},
		{"tokens", "backend:8080", "https://setpoint.example.org", 403},
		{"public", "backend:8080", "https://setpoint.example.org", 200},
		{"public", "backend:8080", "http://setpoint.example.org", 403},
		{"public", "backend:8080", "https://setpoint.example.org.evil.example", 403},
		{"public", "backend:8080", "null", 403},
	} {
		r := httptest.NewRequest(http.MethodGet, "/healthz", nil)
		r.Host = tt.host
		if tt.origin != "" {
			r.Header.Set("Origin", tt.origin)
		}
		w := httptest.NewRecorder()
		doors[tt.door].ServeHTTP(w, r)
		if w.Code != tt.want {
			t.Errorf("%s door, host %q, origin %q: %d, want %d", tt.door, tt.host, tt.origin, w.Code, tt.want)
		}
	}
}

func TestHealthNeedsNoTokenAndTellsNoDetail(t *testing.T) {
	sick := func(context.Context) error { return errors.New("the log of acme is full") }
	get := func(o Options) (int, string) {
		r := httptest.NewRequest(http.MethodGet, "/healthz", nil)
		r.Host = "localhost"
		w := httptest.NewRecorder()
		newDoor(t, o).ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	warning := func() string { return "the token file is not usable" }
	for name, tt := range map[string]struct {
		o      Options
		status int
		body   string
	}{
		"well":             {Options{}, 200, "ok\n"},
		"well with tokens": {Options{Tokens: fakeTokens{}}, 200, "ok\n"},
		"a warning":        {Options{Tokens: fakeTokens{}, Warning: warning}, 200, "ok\nwarning: the token file is not usable\n"},
		"sick":             {Options{Healthy: sick}, 503, "not ready: the log of acme is full\n"},
		"sick with tokens": {Options{Healthy: sick, Tokens: fakeTokens{}}, 503, "not ready\n"},
	} {
		if status, body := get(tt.o); status != tt.status || body != tt.body {
			t.Errorf("%s: %d %q", name, status, body)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/grpc.health.v1.Health/Check", strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	newDoor(t, Options{Tokens: fakeTokens{}}).ServeHTTP(w, r)
	if w.Code != 200 || !strings.Contains(w.Body.String(), "SERVING") {
		t.Errorf("grpc health: %d %s", w.Code, w.Body)
	}
}

func TestRefusalsAreLoggedWithTheirCauseButNotEndlessly(t *testing.T) {
	var log bytes.Buffer
	door := newDoor(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil)), Tokens: fakeTokens{}}, everyService()...)
	now := time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)
	door.refusals.now = func() time.Time { return now }
	try := func() {
		r := httptest.NewRequest(http.MethodPost, gapv1connect.GapServiceEvaluateProcedure, strings.NewReader("{}"))
		r.Header.Set("Authorization", "Bearer guess")
		door.ServeHTTP(httptest.NewRecorder(), r)
	}
	for range 1000 {
		try()
	}
	if n := lines(log.String()); n != saysPerMinute {
		t.Errorf("%d lines for 1000 refusals", n)
	}
	if s := log.String(); !strings.Contains(s, http.ErrNoCookie.Error()) || !strings.Contains(s, "192.0.2.1") || strings.Contains(s, "guess") {
		t.Errorf("log:\n%s", s)
	}
	now = now.Add(time.Minute)
	log.Reset()
	try()
	if s := log.String(); lines(s) != 1 || !strings.Contains(s, "not_logged_before=990") {
		t.Errorf("a minute later:\n%s", s)
	}
}

func TestMessagesAreBounded(t *testing.T) {
	door := newDoor(t, Options{}, everyService()...)
	for _, tt := range []struct {
		procedure string
		size      int
		through   bool
	}{
		{gapv1connect.GapServiceEvaluateProcedure, MaxSmallMessage / 2, true},
		{gapv1connect.GapServiceEvaluateProcedure, MaxSmallMessage + 1, false},
		{declarationv1connect.DeclarationServicePlanProcedure, MaxSmallMessage + 1, true},
		{declarationv1connect.DeclarationServicePlanProcedure, MaxMessage + 1, false},
	} {
		r := httptest.NewRequest(http.MethodPost, tt.procedure, io.MultiReader(
			strings.NewReader("{"), io.LimitReader(blanks{}, int64(tt.size-2)), strings.NewReader("}")))
		r.Host = "localhost"
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		door.ServeHTTP(w, r)
		body := w.Body.String()
		if through := strings.Contains(body, `"unimplemented"`) || strings.Contains(body, "request.invalid"); through != tt.through || !through && !strings.Contains(body, `"resource_exhausted"`) {
			t.Errorf("%s of %d bytes: %d %s", tt.procedure, tt.size, w.Code, body)
		}
	}
}

// blanks is white space without end.
type blanks struct{}

var blank = strings.Repeat(" ", 32<<10)

func (blanks) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		n += copy(p[n:], blank)
	}
	return n, nil
}

type applying struct {
	declarationv1connect.UnimplementedDeclarationServiceHandler
	deadline *time.Time
}

func (a applying) Apply(ctx context.Context, _ *declarationv1.ApplyRequest) (*declarationv1.ApplyResponse, error) {
	*a.deadline, _ = ctx.Deadline()
	return &declarationv1.ApplyResponse{}, nil
}

func TestCallsHaveADeadline(t *testing.T) {
	var deadline time.Time
	f := fakeGap{evaluate: func(ctx context.Context, _ *gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, error) {
		deadline, _ = ctx.Deadline()
		return &gapv1.EvaluateResponse{}, nil
	}}
	door := newDoor(t, Options{}, f.service(), Service{declarationv1connect.DeclarationServiceName, func(o ...connect.HandlerOption) (string, http.Handler) {
		return declarationv1connect.NewDeclarationServiceHandler(applying{deadline: &deadline}, o...)
	}})
	for _, tt := range []struct {
		procedure, timeout, body string
		want                     time.Duration
	}{
		{gapv1connect.GapServiceEvaluateProcedure, "", "{}", unaryTime},
		{gapv1connect.GapServiceEvaluateProcedure, "3600000", "{}", unaryTime},
		{gapv1connect.GapServiceEvaluateProcedure, "20000", "{}", 20 * time.Second},
		{declarationv1connect.DeclarationServiceApplyProcedure, "", `{"manifests":{"files":[{"path":"a.yaml"}]}}`, bulkTime},
	} {
		deadline = time.Time{}
		r := httptest.NewRequest(http.MethodPost, tt.procedure, strings.NewReader(tt.body))
		r.Host = "localhost"
		r.Header.Set("Content-Type", "application/json")
		if tt.timeout != "" {
			r.Header.Set("Connect-Timeout-Ms", tt.timeout)
		}
		w := httptest.NewRecorder()
		door.ServeHTTP(w, r)
		if left := time.Until(deadline); w.Code != 200 || left > tt.want || left < tt.want-10*time.Second {
			t.Errorf("%s with timeout %q: %d %s, deadline in %v", tt.procedure, tt.timeout, w.Code, w.Body, left)
		}
	}
}
