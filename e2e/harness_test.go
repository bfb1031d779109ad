package e2e_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/proto/gen/setpoint/declaration/v1/declarationv1connect"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/proto/gen/setpoint/gap/v1/gapv1connect"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/proto/gen/setpoint/strategy/v1/strategyv1connect"
	"setpoint.dev/services/devserver"
)

// client is one organization's view of a server.
type client struct {
	t       testing.TB
	declare declarationv1connect.DeclarationServiceClient
	observe strategyv1connect.StrategyServiceClient
	gap     gapv1connect.GapServiceClient
}

// serve starts a server in a folder of the test, and stops it with the test.
func serve(t testing.TB, dir string) *devserver.Server {
	t.Helper()
	s, err := devserver.Start(context.Background(), devserver.Options{Data: dir, Listen: "127.0.0.1:0", ReadWait: time.Minute, Version: "test"})
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// connectTo makes a client of an organization.
func connectTo(t testing.TB, url, org string, opts ...connect.ClientOption) client {
	return connectWith(t, &http.Client{Transport: header{"Setpoint-Org": org}}, url, opts...)
}

func connectWith(t testing.TB, h *http.Client, url string, opts ...connect.ClientOption) client {
	opts = append(opts, connect.WithInterceptors(readsOwnWrites(t, url)))
	return client{
		t:       t,
		declare: declarationv1connect.NewDeclarationServiceClient(h, url, opts...),
		observe: strategyv1connect.NewStrategyServiceClient(h, url, opts...),
		gap:     gapv1connect.NewGapServiceClient(h, url, opts...),
	}
}

// header adds headers to each request.
type header map[string]string

func (h header) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for k, v := range h {
		r.Header.Set(k, v)
	}
	return http.DefaultTransport.RoundTrip(r)
}

func manifests(yaml string) *declarationv1.Manifests {
	return &declarationv1.Manifests{Files: []*declarationv1.ManifestFile{{Path: "plan.yaml", Content: []byte(yaml)}}}
}

// apply applies YAML and fails the test if that fails.
func (c client) apply(yaml string) *declarationv1.ApplyResponse {
	c.t.Helper()
	res, err := c.declare.Apply(context.Background(), &declarationv1.ApplyRequest{Manifests: manifests(yaml)})
	if err != nil {
		c.t.Fatalf("apply: %v %v", err, faults(err))
	}
	return res
}

// refused applies YAML that must be refused, and returns the faults.
func (c client) refused(yaml string) []*commonv1.Fault {
	c.t.Helper()
	_, err := c.declare.Apply(context.Background(), &declarationv1.ApplyRequest{Manifests: manifests(yaml)})
	if err == nil {
		c.t.Fatal("the manifests were accepted")
	}
	if connect.CodeOf(err) != connect.CodeInvalidArgument {
		c.t.Fatalf("code %v of %v", connect.CodeOf(err), err)
	}
	return faults(err)
}

func (c client) record(values ...*strategyv1.Observation) (*strategyv1.RecordObservationsResponse, error) {
	return c.observe.RecordObservations(context.Background(), &strategyv1.RecordObservationsRequest{Observations: values})
}

func value(metric, at string, v float64) *strategyv1.Observation {
	return &strategyv1.Observation{Metric: metric, ObservedAt: at, Value: &v}
}

func (c client) gaps(asOf string) *gapv1.EvaluateResponse {
	c.t.Helper()
	res, err := c.gap.Evaluate(context.Background(), &gapv1.EvaluateRequest{AsOf: asOf})
	if err != nil {
		c.t.Fatal(err)
	}
	return res
}

// names lists the resources of a kind.
func (c client) names(kind string) []string {
	c.t.Helper()
	var out []string
	token := ""
	for {
		res, err := c.declare.List(context.Background(), &declarationv1.ListRequest{Kind: kind, PageSize: 1000, PageToken: token})
		if err != nil {
			c.t.Fatal(err)
		}
		for _, r := range res.GetResources() {
			out = append(out, r.GetMetadata().GetName())
		}
		if token = res.GetNextPageToken(); token == "" {
			return out
		}
	}
}

func detail(err error) *commonv1.ErrorDetail {
	var c *connect.Error
	if !errors.As(err, &c) {
		return nil
	}
	for _, d := range c.Details() {
		if m, err := d.Value(); err == nil {
			if e, ok := m.(*commonv1.ErrorDetail); ok {
				return e
			}
		}
	}
	return nil
}

func faults(err error) []*commonv1.Fault { return detail(err).GetFaults() }

// gsaPlan reads the example's manifests.
func gsaPlan(t testing.TB) *declarationv1.Manifests {
	t.Helper()
	files, err := filepath.Glob("../services/examples/gsa/plan/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no example plan: %v", err)
	}
	sort.Strings(files)
	m := &declarationv1.Manifests{}
	for _, f := range files {
		content, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		m.Files = append(m.Files, &declarationv1.ManifestFile{Path: filepath.Base(f), Content: content})
	}
	return m
}

func contains(t testing.TB, what, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Errorf("%s: %q does not say %q", what, text, part)
	}
}
