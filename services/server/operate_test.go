package server

import (
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collectorv1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
)

var update = flag.Bool("update", false, "write the table of metrics into the documentation")

const operatingPage = "../docs/operating.md"

// used makes a server on which every metric has been touched.
func used(t *testing.T) *Server {
	t.Helper()
	s := startServer(t, Options{Telemetry: TelemetryOptions{Listen: "127.0.0.1:0"}})
	call(t, s, "declaration.v1.DeclarationService/Apply",
		`{"manifests":{"resources":[{"apiVersion":"setpoint.dev/v1","kind":"Unit","metadata":{"name":"u"},"spec":{}}]}}`)
	return s
}

func call(t *testing.T, s *Server, procedure, body string) http.Header {
	t.Helper()
	res, err := http.Post(s.URL()+"/setpoint."+procedure, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if answer, err := io.ReadAll(res.Body); err != nil || res.StatusCode != 200 {
		t.Fatalf("%s: %s %s %v", procedure, res.Status, answer, err)
	}
	return res.Header
}

// metric is one of ours, as /metrics describes it.
type metric struct{ name, kind, help string }

func metrics(t *testing.T, s *Server) (ours []metric, all map[string]bool) {
	t.Helper()
	_, text := get(t, s.TelemetryURL()+"/metrics")
	all = map[string]bool{}
	help := map[string]string{}
	for line := range strings.Lines(text) {
		f := strings.SplitN(strings.TrimSpace(line), " ", 4)
		switch {
		case len(f) == 4 && f[1] == "HELP":
			help[f[2]] = f[3]
		case len(f) == 4 && f[1] == "TYPE":
			all[f[2]] = true
			if f[3] == "histogram" {
				all[f[2]+"_bucket"], all[f[2]+"_sum"], all[f[2]+"_count"] = true, true, true
			}
			if strings.HasPrefix(f[2], "setpoint_") {
				ours = append(ours, metric{f[2], f[3], help[f[2]]})
			}
		}
	}
	slices.SortFunc(ours, func(a, b metric) int { return strings.Compare(a.name, b.name) })
	return ours, all
}

// The table of metrics in the documentation is what a server shows.
func TestTheMetricsAreDocumented(t *testing.T) {
	ours, _ := metrics(t, used(t))
	if len(ours) < 30 {
		t.Errorf("only %d metrics are shown", len(ours))
	}
	var table strings.Builder
	table.WriteString("| metric | type | |\n|---|---|---|\n")
	for _, m := range ours {
		table.WriteString("| `" + m.name + "` | " + m.kind + " | " + m.help + " |\n")
	}
	content, err := os.ReadFile(operatingPage)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- metrics: go test ./server -run Documented -update -->\n", "<!-- end of metrics -->"
	before, rest, found := strings.Cut(string(content), begin)
	have, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for the metrics", operatingPage)
	}
	if have == table.String() {
		return
	}
	if !*update {
		t.Fatalf("%s has another table of metrics than a server; go test ./server -run Documented -update", operatingPage)
	}
	if err := os.WriteFile(operatingPage, []byte(before+begin+table.String()+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

var named = regexp.MustCompile(`\b(?:setpoint|go|process)_[a-z_]+\b`)

// What the dashboard and the alerts ask for exists, and each alert has its
// runbook.
func TestTheDashboardAndTheAlertsAskForWhatThereIs(t *testing.T) {
	_, all := metrics(t, used(t))
	ask := func(where, expr string) {
		names := named.FindAllString(expr, -1)
		if len(names) == 0 && !strings.HasPrefix(expr, "up{") {
			t.Errorf("%s asks for no metric: %s", where, expr)
		}
		for _, n := range names {
			if !all[n] {
				t.Errorf("%s asks for %s, which is not there", where, n)
			}
		}
		for _, pair := range []string{"()", "{}", "[]"} {
			if strings.Count(expr, pair[:1]) != strings.Count(expr, pair[1:]) {
				t.Errorf("%s: %s", where, expr)
			}
		}
	}
	asked := map[string]bool{}
	var dashboard struct {
		Title  string
		Panels []struct {
			Title   string
			Type    string
			Targets []struct{ Expr string }
		}
	}
	read(t, "../../deploy/grafana/setpoint-dashboard.json", func(b []byte) error { return json.Unmarshal(b, &dashboard) })
	for _, p := range dashboard.Panels {
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("the panel %q asks for nothing", p.Title)
		}
		for _, target := range p.Targets {
			ask("the panel "+p.Title, target.Expr)
			for _, n := range named.FindAllString(target.Expr, -1) {
				asked[strings.TrimSuffix(n, "_bucket")] = true
			}
		}
	}
	for name := range all {
		if _, isPart := strings.CutSuffix(name, "_bucket"); strings.HasPrefix(name, "setpoint_") && !isPart &&
			!strings.HasSuffix(name, "_sum") && !strings.HasSuffix(name, "_count") && !asked[name] {
			t.Errorf("the dashboard does not show %s", name)
		}
	}

	var rules struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	read(t, "../../deploy/prometheus/setpoint-alerts.yaml", func(b []byte) error { return yaml.Unmarshal(b, &rules) })
	page, err := os.ReadFile(operatingPage)
	if err != nil {
		t.Fatal(err)
	}
	alerts := 0
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			alerts++
			ask("the alert "+r.Alert, r.Expr)
			if r.Labels["severity"] == "" || r.Annotations["summary"] == "" {
				t.Errorf("the alert %s lacks a severity or a summary", r.Alert)
			}
			if want := "services/docs/operating.md#" + strings.ToLower(r.Alert); r.Annotations["runbook"] != want {
				t.Errorf("the runbook of %s is %q, want %q", r.Alert, r.Annotations["runbook"], want)
			}
			if !strings.Contains(string(page), "\n#### "+r.Alert+"\n") {
				t.Errorf("%s has no runbook in %s", r.Alert, operatingPage)
			}
		}
	}
	if alerts < 5 {
		t.Errorf("only %d alerts", alerts)
	}
}

func read(t *testing.T, path string, decode func([]byte) error) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = decode(b)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// collector receives spans as OpenTelemetry's would, over HTTP.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*tracev1.Span
	text  strings.Builder // everything that came
}

func newCollector(t *testing.T) *collector {
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var req collectorv1.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &req)
		}
		if err != nil || r.URL.Path != "/v1/traces" {
			http.Error(w, "not for me", http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.text.WriteString(req.String())
		for _, rs := range req.ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				c.spans = append(c.spans, ss.Spans...)
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// find returns the span of a name that has an attribute with the value.
func (c *collector) find(name, key, value string) *tracev1.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		for _, a := range s.Attributes {
			if s.Name == name && a.Key == key && strings.Contains(a.Value.String(), `"`+value+`"`) {
				return s
			}
		}
	}
	return nil
}

// A request is one trace from the door to the log, and the batch that puts it
// on record names the command; the collector learns nothing that was written.
func TestTracesArriveAtACollector(t *testing.T) {
	c := newCollector(t)
	for name, begin := range map[string]func() Options{
		"by flag": func() Options { return Options{Telemetry: TelemetryOptions{Traces: c.URL}} },
		"by the standard variable": func() Options {
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.URL)
			return Options{}
		},
	} {
		s := startServer(t, begin())
		id := "command-" + strings.ReplaceAll(name, " ", "-")
		request := call(t, s, "declaration.v1.DeclarationService/Apply", `{"requestId":"`+id+`","manifests":{"resources":[
			{"apiVersion":"setpoint.dev/v1","kind":"Unit","metadata":{"name":"canary"},"spec":{"title":"canary"}}]}}`).Get("X-Request-Id")
		if err := s.Close(); err != nil { // sends what waits
			t.Fatal(err)
		}
		root := c.find("setpoint.declaration.v1.DeclarationService/Apply", "setpoint.request_id", request)
		command := c.find("command", "setpoint.command_id", id)
		batch := c.find("project", "setpoint.command_ids", id)
		if root == nil || command == nil || batch == nil {
			t.Fatalf("%s: call %v, command %v, batch %v", name, root, command, batch)
		}
		if string(command.ParentSpanId) != string(root.SpanId) || string(command.TraceId) != string(root.TraceId) {
			t.Errorf("%s: the command is no part of the call", name)
		}
		if string(batch.TraceId) == string(root.TraceId) {
			t.Errorf("%s: the batch is part of the call", name)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if text := c.text.String(); strings.Contains(text, "canary") || !strings.Contains(text, `"service.name"`) {
		t.Errorf("the collector got %s", text)
	}
}

// The sampler is chosen by the standard variables.
func TestNothingIsSampledIfSaid(t *testing.T) {
	c := newCollector(t)
	t.Setenv("OTEL_TRACES_SAMPLER", "always_off")
	s := startServer(t, Options{Telemetry: TelemetryOptions{Traces: c.URL + "/v1/traces"}})
	call(t, s, "gap.v1.GapService/Evaluate", `{}`)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if len(c.spans) > 0 {
		t.Errorf("%d spans", len(c.spans))
	}
}

// A collector that is not there costs a warning, and neither a request nor the
// end of the process.
func TestACollectorThatIsGone(t *testing.T) {
	c := newCollector(t)
	url := c.URL
	c.Close()
	s := startServer(t, Options{Telemetry: TelemetryOptions{Traces: url}})
	call(t, s, "gap.v1.GapService/Evaluate", `{}`)
	began := time.Now()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	// Its exporter would go on trying for a minute.
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("the process took %s to end", took)
	}
}
