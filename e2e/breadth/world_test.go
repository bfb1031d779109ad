package breadth_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/proto/gen/setpoint/declaration/v1/declarationv1connect"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/proto/gen/setpoint/gap/v1/gapv1connect"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/proto/gen/setpoint/strategy/v1/strategyv1connect"
	"setpoint.dev/services/devserver"
)

// One server holds every organization of the package.
var world struct {
	once   sync.Once
	folder string
	server *devserver.Server
	err    error
	// written is the last revision an organization's tests wrote, by its name:
	// what they read is to have it.
	written sync.Map
}

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if world.server != nil {
		if err := world.server.Close(); err != nil {
			fmt.Println("close:", err)
			code = 1
		}
	}
	if world.folder != "" {
		_ = os.RemoveAll(world.folder)
	}
	os.Exit(code)
}

// tenant is one organization's clients.
type tenant struct {
	testing.TB
	org     string
	declare declarationv1connect.DeclarationServiceClient
	observe strategyv1connect.StrategyServiceClient
	gap     gapv1connect.GapServiceClient
}

// as makes the clients of an organization, and the server when it is the first.
func as(t testing.TB, org string) tenant {
	t.Helper()
	world.once.Do(func() {
		if world.folder, world.err = os.MkdirTemp("", "breadth"); world.err != nil {
			return
		}
		world.server, world.err = devserver.Start(context.Background(), devserver.Options{Data: world.folder, Listen: "127.0.0.1:0", ReadWait: time.Minute, Version: "test"})
	})
	if world.err != nil {
		t.Fatal(world.err)
	}
	h, url := &http.Client{Transport: header{"Setpoint-Org": org}}, world.server.URL()
	return tenant{
		TB: t, org: org,
		declare: declarationv1connect.NewDeclarationServiceClient(h, url),
		observe: strategyv1connect.NewStrategyServiceClient(h, url),
		gap:     gapv1connect.NewGapServiceClient(h, url),
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

// took prints how long something took; it is a figure, not a condition.
func (c tenant) took(what string, begin time.Time) {
	c.Helper()
	c.Logf("%-14s %-44s %6.2f s", c.org, what, time.Since(begin).Seconds())
}

// apply declares the manifests, a dozen files at a time as a large plan is
// rolled out, and says how long that took. The answers are put together.
func (c tenant) apply(m *declarationv1.Manifests) *declarationv1.ApplyResponse {
	c.Helper()
	all := &declarationv1.ApplyResponse{Summary: &declarationv1.Summary{}}
	for files := range slices.Chunk(m.GetFiles(), 12) {
		res := c.applyFiles(&declarationv1.Manifests{Files: files})
		all.Revision = res.GetRevision()
		all.Changes = append(all.Changes, res.GetChanges()...)
		all.Warnings = append(all.Warnings, res.GetWarnings()...)
		all.Summary.Create += res.GetSummary().GetCreate()
		all.Summary.Update += res.GetSummary().GetUpdate()
		all.Summary.Delete += res.GetSummary().GetDelete()
		all.Summary.Unchanged += res.GetSummary().GetUnchanged()
	}
	return all
}

func (c tenant) applyFiles(m *declarationv1.Manifests) *declarationv1.ApplyResponse {
	c.Helper()
	size := 0
	for _, f := range m.GetFiles() {
		size += len(f.GetContent())
	}
	begin := time.Now()
	var res *declarationv1.ApplyResponse
	c.patiently("apply", func() (err error) {
		res, err = c.declare.Apply(context.Background(), &declarationv1.ApplyRequest{Manifests: m, Manager: "git"})
		return err
	})
	world.written.Store(c.org, res.GetRevision())
	c.took(fmt.Sprintf("apply %d documents, %d KB, %d changes", documents(m), size>>10, len(res.GetChanges())), begin)
	return res
}

// record observes the values, some at a time, and says how many are new and how
// long that took.
func (c tenant) record(values []*strategyv1.Observation) int {
	c.Helper()
	begin, n := time.Now(), 0
	for some := range slices.Chunk(values, 2500) {
		req := &strategyv1.RecordObservationsRequest{Observations: some, Manager: "git", RequestId: fmt.Sprintf("values-%s-%s", some[0].GetMetric(), some[0].GetObservedAt())}
		c.patiently("observe", func() error {
			res, err := c.observe.RecordObservations(context.Background(), req)
			if err == nil {
				n += int(res.GetRecorded())
				world.written.Store(c.org, res.GetRevision())
			}
			return err
		})
	}
	c.took(fmt.Sprintf("record %d observations", len(values)), begin)
	return n
}

// evaluate compares, with all that was written, and says how long that took.
func (c tenant) evaluate(q *gapv1.EvaluateRequest) *gapv1.EvaluateResponse {
	c.Helper()
	if at, ok := world.written.Load(c.org); ok && q.GetRevision() == 0 && q.GetMinRevision() == 0 {
		q = proto.CloneOf(q)
		q.MinRevision = at.(int64)
	}
	begin := time.Now()
	var res *gapv1.EvaluateResponse
	c.patiently("evaluate", func() (err error) {
		res, err = c.gap.Evaluate(context.Background(), q)
		return err
	})
	c.took(fmt.Sprintf("evaluate %d targets as of %s", len(res.GetTargets()), q.GetAsOf()), begin)
	if res.GetAsOf() != q.GetAsOf() {
		c.Errorf("%s: asked as of %s, answered as of %s", c.org, q.GetAsOf(), res.GetAsOf())
	}
	return res
}

// patiently does what a client does while the record is behind by more than the
// server waits for, as it may be under the race detector: it asks again.
func (c tenant) patiently(what string, call func() error) {
	c.Helper()
	for try := 1; ; try++ {
		err := call()
		if err == nil {
			return
		}
		if connect.CodeOf(err) != connect.CodeUnavailable || try == 6 {
			c.Fatalf("%s: %s: %v\n%s", c.org, what, err, faults(err))
		}
		c.Logf("%s: %s: %v; asked again", c.org, what, err)
	}
}

// names lists the resources of a kind.
func (c tenant) names(kind string) []string {
	c.Helper()
	var out []string
	var revision int64
	if at, ok := world.written.Load(c.org); ok {
		revision = at.(int64)
	}
	for token := ""; ; {
		res, err := c.declare.List(context.Background(), &declarationv1.ListRequest{Kind: kind, PageSize: 1000, PageToken: token, MinRevision: revision})
		if err != nil {
			c.Fatal(err)
		}
		for _, r := range res.GetResources() {
			out = append(out, r.GetMetadata().GetName())
		}
		if token = res.GetNextPageToken(); token == "" {
			return out
		}
	}
}

func file(path, yaml string) *declarationv1.ManifestFile {
	return &declarationv1.ManifestFile{Path: path, Content: []byte(yaml)}
}

// document is one manifest; spec is in YAML's flow style.
func document(kind, metadata, spec string) string {
	return fmt.Sprintf("---\napiVersion: setpoint.dev/v1\nkind: %s\nmetadata: {%s}\nspec: {%s}\n", kind, metadata, spec)
}

func documents(m *declarationv1.Manifests) int {
	n := 0
	for _, f := range m.GetFiles() {
		n += strings.Count(string(f.GetContent()), "---\napiVersion:")
	}
	return n
}

func observation(metric, at string, v float64, source string) *strategyv1.Observation {
	return &strategyv1.Observation{Metric: metric, ObservedAt: at, Value: &v, Source: source}
}

// faults tells what was wrong with the input, the first of it.
func faults(err error) string {
	var c *connect.Error
	if !errors.As(err, &c) {
		return ""
	}
	var b strings.Builder
	for _, d := range c.Details() {
		m, err := d.Value()
		if err != nil {
			continue
		}
		if e, ok := m.(*commonv1.ErrorDetail); ok {
			for i, f := range e.GetFaults() {
				if i == 10 {
					fmt.Fprintf(&b, "… %d in all\n", len(e.GetFaults()))
					break
				}
				fmt.Fprintf(&b, "%s:%d %s %s: %s\n", f.GetFile(), f.GetLine(), f.GetResource(), f.GetField(), f.GetMessage())
			}
		}
	}
	return b.String()
}
