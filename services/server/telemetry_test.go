package server

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/kinds"
)

// get fails where nobody answers. How long a probe may take is for the tests of
// health, whose clock does not depend on the machine.
func get(t testing.TB, url string) (int, string) {
	t.Helper()
	c := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// until asks until the answer says something.
func until(t testing.TB, url string, status int, parts ...string) string {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		code, body := get(t, url)
		ok := code == status
		for _, p := range parts {
			ok = ok && strings.Contains(body, p)
		}
		if ok {
			return body
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s stays %d %.2000s; want %d with %q", url, code, body, status, parts)
		}
		time.Sleep(20 * time.Millisecond) // between two looks at a condition
	}
}

// assembled starts a process as Start does, and gives the stops of each part.
func assembled(t *testing.T, o Options, after ...func(s *Server, part string)) (*Server, map[string][]func() error) {
	t.Helper()
	o.Data, o.Listen, o.Telemetry.Listen = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	o = o.withDefaults()
	all, err := chosen(o)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{opts: o, id: identity(), kinds: kinds.Registry(), serves: make(chan error, 1)}
	stops := map[string][]func() error{}
	s.close = sync.OnceValue(s.stop)
	t.Cleanup(func() { _ = s.Close() }) // some of it has ended already
	for _, p := range all {
		before := len(s.stops)
		if err := p.start(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		stops[p.name] = s.stops[before:]
		for _, f := range after {
			f(s, p.name)
		}
	}
	return s, stops
}

// Every probe tells the same: the process's own, those of the operators' door,
// and that of gRPC.
func notReady(t *testing.T, s *Server, why ...string) {
	t.Helper()
	until(t, s.TelemetryURL()+"/readyz", 503, append(why, "not ready: ")...)
	for _, url := range []string{s.URL() + "/healthz", s.URL() + "/readyz"} {
		until(t, url, 503, why...)
	}
	if body := grpcHealth(t, s); !strings.Contains(body, "NOT_SERVING") {
		t.Errorf("gRPC says %s", body)
	}
	if code, _ := get(t, s.TelemetryURL()+"/livez"); code != 200 {
		t.Errorf("it is not alive: %d", code)
	}
	until(t, s.TelemetryURL()+"/metrics", 200, "\nsetpoint_ready 0\n")
}

func grpcHealth(t *testing.T, s *Server) string {
	t.Helper()
	res, err := http.Post(s.URL()+"/grpc.health.v1.Health/Check", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func isReady(t *testing.T, s *Server) {
	t.Helper()
	for _, url := range []string{s.TelemetryURL() + "/readyz", s.URL() + "/healthz", s.URL() + "/readyz", s.URL() + "/livez"} {
		if code, body := get(t, url); code != 200 || body != "ok\n" {
			t.Errorf("%s: %d %s", url, code, body)
		}
	}
	if body := grpcHealth(t, s); !strings.Contains(body, `"SERVING`) && !strings.Contains(body, "SERVING_STATUS_SERVING") {
		t.Errorf("gRPC says %s", body)
	}
}

func TestAHaltedRecordIsNotReady(t *testing.T) {
	s, _ := assembled(t, Options{})
	isReady(t, s)
	_, err := s.log.Append(t.Context(), eventlog.Command{RequestID: "r", Principal: "p", Manager: "api", Recorded: time.Now()}, eventlog.Draft{
		Subject: eventlog.Subject{Org: "default", Service: "strategy", Kind: "wish", ID: "w"},
		Events:  []eventlog.Event{{Type: "strategy.wish_declared.v9", Payload: []byte{1}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	notReady(t, s, "record: ", "halted at revision 0")
	until(t, s.TelemetryURL()+"/metrics", 200, `setpoint_projection_halted{projection="record"} 1`,
		`setpoint_projection_lag_revisions{projection="record"} 1`, `setpoint_check_ok{check="record"} 0`,
		`setpoint_projection_active{projection="record"} 0`, `setpoint_check_ok{check="log"} 1`)
}

func TestALostLogIsNotReady(t *testing.T) {
	s, stops := assembled(t, Options{})
	isReady(t, s)
	if err := stops["nats"][0](); err != nil { // the embedded server
		t.Fatal(err)
	}
	notReady(t, s, "log: ", "shut down")
	body := until(t, s.TelemetryURL()+"/metrics", 200, `setpoint_check_ok{check="log"} 0`)
	if strings.Contains(body, "setpoint_projection_lag_seconds{") {
		t.Error("a lag is told that nobody knows")
	}
}

func TestALostDatabaseIsNotReady(t *testing.T) {
	s, _ := assembled(t, Options{})
	isReady(t, s)
	if err := s.database.Close(); err != nil {
		t.Fatal(err)
	}
	notReady(t, s, "database: ")
}

func TestARecordFarBehindIsNotReady(t *testing.T) {
	now := time.Now()
	for lag, late := range map[record.Lag]bool{
		{}: false,
		{Revisions: 100_000, Since: now.Add(-time.Second)}:    false,
		{Revisions: 1, Since: now.Add(-maxLag - time.Second)}: true,
		{Revisions: 1, Since: now.Add(time.Hour)}:             false, // another machine's clock
	} {
		if err := tooFarBehind(lag, now); (err != nil) != late {
			t.Errorf("%+v: %v", lag, err)
		}
	}
}

// While it drains, the process says that it is not ready and still answers.
func TestReadinessEndsBeforeTheDoorCloses(t *testing.T) {
	const drain = 1500 * time.Millisecond
	s, stops := assembled(t, Options{Drain: drain})
	isReady(t, s)
	rests, over := make(chan time.Duration, 1), make(chan struct{})
	s.rest = func(d time.Duration) { rests <- d; <-over }
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_ = stops["ready"][0]()
	}()
	until(t, s.TelemetryURL()+"/readyz", 503, "shutting down")
	until(t, s.URL()+"/healthz", 503, "shutting down")
	res, err := http.Post(s.URL()+"/setpoint.gap.v1.GapService/Evaluate", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != 200 {
		t.Errorf("a request in the drain: %s", res.Status)
	}
	if d := <-rests; d != drain {
		t.Errorf("it drains for %s", d)
	}
	select {
	case <-drained:
		t.Error("the drain ended before its time")
	default:
	}
	close(over)
	<-drained
}

func TestTheOperatorsDoorIsLoopback(t *testing.T) {
	for address, tt := range map[string]struct {
		open   bool
		reason string
	}{
		"0.0.0.0:0": {false, "server.telemetry_not_loopback"}, ":0": {false, "server.telemetry_not_loopback"},
		"127.0.0.1": {false, "server.address"}, "0.0.0.0:99999": {true, "server.listen"},
	} {
		s, err := Start(t.Context(), Options{Data: t.TempDir(), Listen: "127.0.0.1:0", Telemetry: TelemetryOptions{Listen: address, Open: tt.open}})
		if err == nil {
			_ = s.Close()
		}
		if fault.ReasonOf(err) != tt.reason {
			t.Errorf("%q: %v", address, err)
		}
	}
	for _, traces := range []string{"collector:4318", "ftp://collector", "http://"} {
		if _, err := Start(t.Context(), Options{Data: t.TempDir(), Listen: "127.0.0.1:0", Telemetry: TelemetryOptions{Traces: traces}}); fault.ReasonOf(err) != "server.traces" {
			t.Errorf("traces to %q: %v", traces, err)
		}
	}
	s := startServer(t, Options{Telemetry: TelemetryOptions{Listen: ":0", Open: true}})
	if code, _ := get(t, strings.Replace(s.TelemetryURL(), "[::]", "127.0.0.1", 1)+"/livez"); code != 200 {
		t.Errorf("asked to be open: %d", code)
	}
}

// Without tokens asked for, strangers on the API's port are not told why.
func TestStrangersAreNotToldWhy(t *testing.T) {
	tokens, _ := tokenFile(t)
	s, _ := assembled(t, Options{TokenFile: tokens})
	if err := s.database.Close(); err != nil {
		t.Fatal(err)
	}
	until(t, s.TelemetryURL()+"/readyz", 503, "database")
	if code, body := get(t, s.URL()+"/readyz"); code != 503 || strings.Contains(body, "database") {
		t.Errorf("%d %s", code, body)
	}
}

// What is acknowledged when the process stops is on record when it has ended,
// although its batch was held up: the next start has nothing to catch up.
func TestAStopLeavesNothingToCatchUp(t *testing.T) {
	gate := make(chan struct{})
	s, _ := assembled(t, Options{}, func(s *Server, part string) {
		switch part {
		case "record":
			s.record.Observe(record.Observer{Batch: func(ctx context.Context, _ record.Batch) (context.Context, func(error)) {
				<-gate
				return ctx, func(error) {}
			}})
		case "settled":
			s.onStop(func() error { close(gate); return nil }) // once the door is closed
		}
	})
	res, err := http.Post(s.URL()+"/setpoint.declaration.v1.DeclarationService/Apply", "application/json",
		strings.NewReader(`{"manifests":{"resources":[{"apiVersion":"setpoint.dev/v1","kind":"Unit","metadata":{"name":"u"},"spec":{}}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	last, err := s.log.LastRevision(t.Context())
	if err != nil || res.StatusCode != 200 || last == 0 {
		t.Fatalf("%s %s, log at %d, %v", res.Status, body, last, err)
	}
	if at, _ := s.record.Status(); at != 0 {
		t.Fatalf("the batch was not held up: %d", at)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if at, err := s.record.Status(); at != last || err != nil {
		t.Errorf("the record ended at %d, acknowledged is %d: %v", at, last, err)
	}
}
