package cli

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"github.com/jedib0t/go-pretty/v6/text"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

func resource(t *testing.T, kind, name, spec string, revision int64) *commonv1.Resource {
	t.Helper()
	return &commonv1.Resource{
		ApiVersion: "setpoint.dev/v1", Kind: kind, Metadata: &commonv1.Metadata{Name: name},
		Spec: value(t, spec).GetStructValue(),
		Provenance: &commonv1.Provenance{
			Revision: revision, CreatedRevision: 3, Recorded: "2026-05-17T12:00:00Z", Principal: "local", Manager: "cli",
			Effective: "2026-05-17", Set: "gsa",
		},
	}
}

// catalogue answers Get and List from resources, two a page.
func catalogue(resources ...*commonv1.Resource) *fake {
	return &fake{
		get: func(r *declarationv1.GetRequest) (*declarationv1.GetResponse, error) {
			for _, x := range resources {
				if x.GetKind() == r.GetKind() && x.GetMetadata().GetName() == r.GetName() {
					return &declarationv1.GetResponse{Resource: x, Revision: 99}, nil
				}
			}
			return nil, refuse(connect.CodeNotFound, fmt.Sprintf("no %s %s", r.GetKind(), r.GetName()), nil)
		},
		list: func(r *declarationv1.ListRequest) (*declarationv1.ListResponse, error) {
			var of []*commonv1.Resource
			for _, x := range resources {
				if x.GetKind() == r.GetKind() {
					of = append(of, x)
				}
			}
			from := 0
			if r.GetPageToken() != "" {
				if _, err := fmt.Sscan(r.GetPageToken(), &from); err != nil {
					return nil, err
				}
			}
			res := &declarationv1.ListResponse{Revision: 99, Resources: of[from:min(from+2, len(of))]}
			if from+2 < len(of) {
				res.NextPageToken = fmt.Sprint(from + 2)
			}
			return res, nil
		},
	}
}

const (
	metricSpec = `{"title": "Vacant space", "unit": "fraction", "format": "percent", "cadence": "yearly", "fiscalYearStart": 10, "aggregation": "last"}`
	targetSpec = `{"metric": "vacant-space", "objective": "cheaper-inventory", "direction": "decrease", "owner": "unit/real-estate",
		"periods": [{"period": "FY2018", "value": 0.03}, {"period": "FY2019", "value": 0.03}], "tolerance": 0}`
)

func TestGetTables(t *testing.T) {
	f := catalogue(
		resource(t, "Metric", "vacant-space", metricSpec, 12),
		resource(t, "Metric", "wohnfläche", `{"title": "住宅の床面積 – Wohnfläche\n\u001b[31mred", "unit": "m²", "cadence": "monthly"}`, 1300),
		resource(t, "Metric", "z", `{"title": "Z", "cadence": "daily"}`, 4),
		resource(t, "Target", "vacant-space", targetSpec, 14),
		resource(t, "Target", "band", `{"metric": "leased-revenue", "maintain": {"lower": 0, "upper": 0.02, "to": "2022-09-30"}}`, 15),
		resource(t, "Target", "systems", `{"metric": "fedramp-systems", "value": 16500, "due": "2020-09-30"}`, 16),
		resource(t, "Target", "cut", `{"metric": "co2", "changeFromBaseline": "-40%", "due": "2030-12-31"}`, 17),
		resource(t, "Target", "move", `{"metric": "moved", "milestone": {}, "due": "2021-03-31"}`, 18),
		resource(t, "Strategy", "gsa-2018-2022", `{"title": "GSA strategic plan 2018-2022", "horizon": {"start": "2017-10-01", "end": "2022-09-30"}}`, 5),
		resource(t, "Objective", "cheaper-inventory", `{"strategy": "gsa-2018-2022", "title": "Reduce the cost of the federal inventory", "pillar": "Real Estate"}`, 6),
		resource(t, "Organization", "default", `{"title": "GSA", "timeZone": "America/New_York", "currency": "USD", "fiscalYearStart": 10}`, 2),
		resource(t, "Unit", "real-estate", `{"title": "Public Buildings Service", "parent": "gsa"}`, 7),
		resource(t, "Person", "p-1", `{}`, 8),
	)
	s := session{server: f.serve(t)}
	var b strings.Builder
	for _, k := range []string{"metrics", "target", "STRATEGIES", "Objectives", "organization", "unit", "people"} {
		fmt.Fprintf(&b, "$ setpoint get %s\n%s\n", k, s.run(t, "get", k).want(t, exitOK).stdout)
	}
	golden(t, "get-tables", b.String())
	s.run(t, "get", "webhooks").want(t, exitOK).wantStderr(t, "no webhooks")
	s.run(t, "get", "metric", "nope").want(t, exitError).wantStderr(t, "error: no Metric nope")
	s.run(t, "get", "change-programs").want(t, exitOK)
}

func TestTablesStayAlignedAndFitTheTerminal(t *testing.T) {
	f := catalogue(
		resource(t, "Metric", "a", `{"title": "住宅の床面積とそのほかの長い長い題名の例", "unit": "m²", "cadence": "monthly"}`, 1300),
		resource(t, "Metric", "b", `{"title": "A title that is rather long for a narrow terminal", "unit": "USD", "cadence": "yearly"}`, 7),
	)
	s := session{server: f.serve(t), terminal: true, width: 60, env: map[string]string{"NO_COLOR": "1"}}
	for _, s.width = range []int{30, 40, 60} {
		for _, l := range strings.Split(strings.TrimSpace(s.run(t, "get", "metrics").want(t, exitOK).stdout), "\n") {
			if w := text.StringWidthWithoutEscSequences(l); w > s.width {
				t.Errorf("%d columns of %d: %s", w, s.width, l)
			}
		}
	}
	s.terminal = false // a file has no width
	lines := strings.Split(strings.TrimSpace(s.run(t, "get", "metrics").want(t, exitOK).stdout), "\n")
	if !strings.Contains(lines[1], "題名の例") || !strings.Contains(lines[2], "narrow terminal") {
		t.Errorf("shortened without a terminal:\n%s", strings.Join(lines, "\n"))
	}
	for _, l := range lines[1:] { // REVISION is right-aligned
		if got, want := text.StringWidthWithoutEscSequences(l), text.StringWidthWithoutEscSequences(lines[0]); got != want {
			t.Errorf("ends at column %d, not %d: %s", got, want, l)
		}
	}
}

// However long names, titles, notes and flags are: a table fits the terminal,
// and its numbers are there.
func TestWideTablesFitEveryTerminal(t *testing.T) {
	const title = "Percent of customers who report being satisfied or very satisfied with the quality and reliability of the drinking water services provided"
	name := strings.Repeat("percent-of-customers-", 3)[:60] + "-"
	f := catalogue()
	f.evaluate = func(*gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, error) {
		res := sampleGaps()
		for i, x := range res.Targets {
			x.Name, x.Title = fmt.Sprintf("%s%d", name, i), title
			x.Conditions = append(x.Conditions, "FinalPending", "DataFresh")
		}
		res.Objectives[0].Title, res.Hints = title, []string{title}
		return res, nil
	}
	f.list = func(r *declarationv1.ListRequest) (*declarationv1.ListResponse, error) {
		res := &declarationv1.ListResponse{Revision: 99}
		for i := range 3 {
			spec := fmt.Sprintf(`{"title": %q, "metric": %q, "objective": %[2]q, "strategy": %[2]q, "unit": "USD", "cadence": "yearly", "value": %d, "due": "2020-12-31", "owner": "unit/water"}`,
				title, name+"m", 1234567+i)
			res.Resources = append(res.Resources, resource(t, r.GetKind(), fmt.Sprintf("%s%d", name, i), spec, 12))
		}
		return res, nil
	}
	server := f.serve(t)
	for _, width := range []int{40, 60, 80, 120, 200} {
		s := session{server: server, terminal: true, width: width, env: map[string]string{"NO_COLOR": "1"}}
		for command, want := range map[string][]string{
			"gaps":           {"+25,915,400", "0.50", "-0.40 %"},
			"get metrics":    {"yearly"},
			"get targets":    {"1,234,567", "2020-12-31"},
			"get objectives": {"…"},
		} {
			if width < 80 { // columns are left out
				want = []string{"…"}
			}
			got := s.run(t, strings.Fields(command)...).want(t, exitOK).wantStdout(t, want...)
			for _, l := range strings.Split(got.stdout, "\n") {
				if w := text.StringWidthWithoutEscSequences(l); w > width {
					t.Errorf("%s at %d: %d columns: %s", command, width, w, l)
				}
			}
			// Names that differ at their end stay apart.
			if command != "get objectives" && !(regexp.MustCompile(`-0\s`).MatchString(got.stdout) && regexp.MustCompile(`-1\s`).MatchString(got.stdout)) {
				t.Errorf("%s at %d cuts the ends of names:\n%s", command, width, got.stdout)
			}
		}
	}
	// In a file a title takes no more than it is worth, and names are whole.
	for _, l := range strings.Split(session{server: server}.run(t, "get", "metrics").want(t, exitOK).stdout, "\n")[1:] {
		if w := text.StringWidthWithoutEscSequences(l); w > 170 || l != "" && !strings.HasPrefix(l, name) {
			t.Errorf("%d columns: %s", w, l)
		}
	}
}

// What a script gives whose variable is not set, or whose file is Latin-1.
func TestANameThatIsNoneIsNotSent(t *testing.T) {
	session{}.run(t, "get", "targets", "").want(t, exitUsage).wantStderr(t, "NAME is empty")
	session{server: catalogue().serve(t)}.run(t, "get", "targets", "b\xfccher").want(t, exitError).wantStderr(t, "not UTF-8", "nothing was sent")
}

func TestGetJSON(t *testing.T) {
	f := catalogue(resource(t, "Metric", "a", metricSpec, 12), resource(t, "Metric", "b", metricSpec, 13), resource(t, "Metric", "c", metricSpec, 14))
	s := session{server: f.serve(t)}
	golden(t, "get-one-json", s.run(t, "get", "metric/a", "-o", "json").want(t, exitOK).stdout)

	var l struct {
		Items []struct {
			Kind       string
			Metadata   struct{ Name string }
			Provenance struct{ Revision string }
		}
		Revision string
	}
	got := s.run(t, "get", "metrics", "-o", "json").want(t, exitOK)
	if err := json.Unmarshal([]byte(got.stdout), &l); err != nil {
		t.Fatal(err)
	}
	if len(l.Items) != 3 || l.Items[2].Metadata.Name != "c" || l.Items[2].Provenance.Revision != "14" || l.Revision != "99" {
		t.Errorf("%+v", l)
	}
	got = s.run(t, "get", "units", "-o", "json").want(t, exitOK)
	if want := "{\n  \"items\": [],\n  \"revision\": \"99\"\n}\n"; got.stdout != want {
		t.Errorf("no units: %s", got.stdout)
	}
}

func TestGetYAMLIsManifests(t *testing.T) {
	awkward := resource(t, "Target", "awkward", `{"metric": "m", "due": "2020-09-30", "title": "yes", "description": "a: b\n- c # d\n", "value": 1e21,
		"note": "0123", "baseline": {"value": 0, "date": "2017-09-30"}, "owner": "~"}`, 15)
	awkward.Metadata.RenamedFrom = "old"
	awkward.Metadata.Protected = true
	awkward.Metadata.Labels = map[string]string{"year": "2018", "on": "off"}
	f := catalogue(resource(t, "Target", "vacant-space", targetSpec, 14), awkward)
	s := session{server: f.serve(t)}
	got := s.run(t, "get", "targets", "-o", "yaml").want(t, exitOK).stdout
	golden(t, "get-yaml", got)

	d := yaml.NewDecoder(strings.NewReader(got))
	for _, want := range []*commonv1.Resource{resource(t, "Target", "vacant-space", targetSpec, 14), awkward} {
		var doc map[string]any
		if err := d.Decode(&doc); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.GetSpec().AsMap(), floats(doc["spec"])); diff != "" {
			t.Errorf("%s: %s", want.GetMetadata().GetName(), diff)
		}
		if _, there := doc["provenance"]; there {
			t.Error("what only the log knows is in the manifest")
		}
	}
	if strings.Contains(got, "renamedFrom") {
		t.Error("a renaming that has happened is in the manifest")
	}
}

// floats makes YAML's integers what JSON has.
func floats(v any) any {
	switch v := v.(type) {
	case int:
		return float64(v)
	case map[string]any:
		for k := range v {
			v[k] = floats(v[k])
		}
	case []any:
		for i := range v {
			v[i] = floats(v[i])
		}
	}
	return v
}

func TestSnapshotIsSent(t *testing.T) {
	var got []*moment
	f := &fake{
		list: func(r *declarationv1.ListRequest) (*declarationv1.ListResponse, error) {
			got = append(got, momentOf(r))
			return &declarationv1.ListResponse{}, nil
		},
		evaluate: func(r *gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, error) {
			got = append(got, momentOf(r))
			return &gapv1.EvaluateResponse{}, nil
		},
	}
	s := session{server: f.serve(t)}
	s.run(t, "get", "metrics", "--revision", "17").want(t, exitOK)
	s.run(t, "gaps", "--known-at", "2019-02-01T00:00:00Z").want(t, exitOK)
	if got[0].GetRevision() != 17 || got[1].GetKnownAt() != "2019-02-01T00:00:00Z" {
		t.Errorf("sent %v", got)
	}
}

func observations(n int) func(*strategyv1.ListObservationsRequest) (*strategyv1.ListObservationsResponse, error) {
	return func(r *strategyv1.ListObservationsRequest) (*strategyv1.ListObservationsResponse, error) {
		if r.GetMetric() != "vacant-space" {
			return nil, refuse(connect.CodeNotFound, "no Metric "+r.GetMetric(), nil)
		}
		from := 0
		if r.GetPageToken() != "" {
			if _, err := fmt.Sscan(r.GetPageToken(), &from); err != nil {
				return nil, err
			}
		}
		res := &strategyv1.ListObservationsResponse{Revision: 99}
		for i := from; i < min(from+3, n); i++ {
			o := &strategyv1.Observation{
				Metric: "vacant-space", ObservedAt: fmt.Sprintf("%d-09-30", 2010+i), Value: proto.Float64(0.03 + float64(i)/1000),
				Source: "REXUS", Revision: int64(20 + i), Recorded: "2026-05-17T12:00:00Z",
			}
			if i == 2 {
				o.Corrections, o.Note = 1, "recounted"
			}
			res.Observations = append(res.Observations, o)
		}
		if from+3 < n {
			res.NextPageToken = fmt.Sprint(from + 3)
		}
		return res, nil
	}
}

func TestGetObservations(t *testing.T) {
	f := catalogue(resource(t, "Metric", "vacant-space", metricSpec, 12))
	f.observed = observations(7)
	s := session{server: f.serve(t)}
	golden(t, "get-observations", s.run(t, "get", "observations", "vacant-space").want(t, exitOK).stdout)
	got := s.run(t, "get", "observations", "vacant-space", "-o", "json").want(t, exitOK)
	var l struct {
		Items []struct {
			ObservedAt, Revision string
			Value                *float64
			Corrections          *int
		}
		Revision string
	}
	if err := json.Unmarshal([]byte(got.stdout), &l); err != nil {
		t.Fatal(err)
	}
	if len(l.Items) != 7 || l.Items[0].ObservedAt != "2010-09-30" || *l.Items[0].Value != 0.03 || *l.Items[0].Corrections != 0 || l.Items[6].Revision != "26" {
		t.Errorf("%s", got.stdout)
	}
	s.run(t, "get", "observations/nope").want(t, exitError).wantStderr(t, "no Metric nope")
}

func TestDescribe(t *testing.T) {
	target := resource(t, "Target", "vacant-space", targetSpec, 14)
	target.Metadata.Labels = map[string]string{"source": "gsa", "area": "buildings"}
	target.Metadata.Protected = true
	f := catalogue(target, resource(t, "Metric", "vacant-space", metricSpec, 12))
	f.observed = observations(7)
	f.evaluate = func(r *gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, error) {
		e := sampleGaps()
		e.AsOf = r.GetAsOf()
		return e, nil
	}
	s := session{server: f.serve(t)}
	f.report = func(r *gapv1.ReportRequest) (*gapv1.ReportResponse, error) {
		if r.GetFormat() != "json" || r.GetAsOf() != "2018-12-31" || r.GetRevision() != 99 {
			t.Errorf("the picture is of something else: %v", r)
		}
		return &gapv1.ReportResponse{Content: []byte(sampleChart)}, nil
	}
	golden(t, "describe-target", s.run(t, "describe", "target", "vacant-space", "--as-of", "2018-12-31").want(t, exitOK).stdout)
	golden(t, "describe-metric", s.run(t, "describe", "metric/vacant-space").want(t, exitOK).stdout)

	var d struct {
		Kind, AsOf string
		Evaluation struct{ Status string }
	}
	got := s.run(t, "describe", "target", "vacant-space", "--as-of", "2018-12-31", "-o", "json").want(t, exitOK)
	if err := json.Unmarshal([]byte(got.stdout), &d); err != nil || d.Kind != "Target" || d.AsOf != "2018-12-31" || d.Evaluation.Status != "at_risk" {
		t.Errorf("%v: %+v", err, d)
	}
}

// sampleChart is the part of a gap report that a picture is made of.
const sampleChart = `{"schema": "x", "document": {"targets": [{"name": "other"}, {"name": "vacant-space", "chart": {
	"from": "2014-10-01", "to": "2020-09-30", "asOf": "2018-12-31",
	"actual": [{"start": "2014-10-01", "end": "2015-09-30", "value": 0.034}, {"start": "2016-10-01", "end": "2017-09-30", "value": 0.029},
		{"start": "2017-10-01", "end": "2018-09-30", "value": 0.033}],
	"goals": [{"start": "2017-10-01", "end": "2018-09-30", "value": 0.03}, {"start": "2018-10-01", "end": "2020-09-30", "value": 0.0275}]}}]}}`

func TestDelete(t *testing.T) {
	var got []*declarationv1.DeleteRequest
	f := &fake{remove: func(r *declarationv1.DeleteRequest) (*declarationv1.DeleteResponse, error) {
		got = append(got, r)
		if r.GetName() == "used" {
			return nil, refuse(connect.CodeFailedPrecondition, "Metric/used is referred to", &commonv1.ErrorDetail{
				Faults: []*commonv1.Fault{{Resource: "Target/t", Field: "spec.metric", Message: "refers to it"}},
			})
		}
		return &declarationv1.DeleteResponse{Revision: 61}, nil
	}}
	s := session{server: f.serve(t)}
	s.run(t, "delete", "metrics", "m", "--reason", "gone").want(t, exitOK).wantStdout(t, "- Metric/m deleted. Revision 61.")
	if got[0].GetKind() != "Metric" || got[0].GetReason() != "gone" || got[0].GetManager() != "cli" || got[0].GetRequestId() == "" {
		t.Errorf("request %v", got[0])
	}
	s.run(t, "delete", "metric/used").want(t, exitError).wantStderr(t, "Target/t spec.metric: refers to it\n", "error: Metric/used is referred to\n")
	s.terminal = true
	s.run(t, "delete", "metric", "m").want(t, exitError).wantStderr(t, "Delete Metric/m?")
	if len(got) != 2 {
		t.Errorf("deleted without consent: %v", got)
	}
	s.run(t, "delete", "metric", "m", "-y").want(t, exitOK)
}

func TestAServerThatRepeatsItsPages(t *testing.T) {
	f := &fake{list: func(*declarationv1.ListRequest) (*declarationv1.ListResponse, error) {
		return &declarationv1.ListResponse{NextPageToken: "x"}, nil
	}}
	session{server: f.serve(t)}.run(t, "get", "metrics").want(t, exitError).wantStderr(t, "same page again")
}
