package gsa_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/declaration/manifest"
	"setpoint.dev/services/examples/gsa"
	"setpoint.dev/services/internal/calendar"
)

// lastYear is the last one the published table covers.
const lastYear = 2020

type table map[string]proto.Message

func (t table) Names() []string { return slices.Collect(maps.Keys(t)) }

func (t table) NewSpec(kind string) (proto.Message, bool) {
	m, ok := t[kind]
	if !ok {
		return nil, false
	}
	return m.ProtoReflect().New().Interface(), true
}

var kinds = table{
	"Organization": &strategyv1.OrganizationSpec{},
	"Strategy":     &strategyv1.StrategySpec{},
	"Objective":    &strategyv1.ObjectiveSpec{},
	"Metric":       &strategyv1.MetricSpec{},
	"Target":       &strategyv1.TargetSpec{},
}

// kpi is one indicator of the published table.
type kpi struct {
	title, goal, objective, unit, direction, description, note string
	years                                                      []int // rising
	target, actual, lower, upper                               map[int]string
}

// published reads the table as it was published.
func published(t *testing.T) []*kpi {
	t.Helper()
	content, err := os.ReadFile("testdata/gsa_fy2018_apr.csv")
	if err != nil {
		t.Fatal(err)
	}
	const want = "209984986c00c377a9ed2dd2ecad5bd41e240ab99ad1bf863b6fc14432a0cb7e"
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != want {
		t.Fatalf("the published table was edited: %x", sum)
	}
	rows, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	byTitle := map[string]*kpi{}
	var all []*kpi
	for _, row := range rows[1:] {
		cell := func(name string) string { return words(row[column[name]]) }
		k := byTitle[cell("KPI")]
		if k == nil {
			k = &kpi{
				title: cell("KPI"), goal: cell("Goal"), objective: cell("2018 Strategic Objective"),
				unit: cell("Unit"), direction: cell("Desired Direction"),
				description: cell("Description:"), note: strings.TrimPrefix(cell("Notes"), "*"),
				target: map[int]string{}, actual: map[int]string{}, lower: map[int]string{}, upper: map[int]string{},
			}
			byTitle[k.title] = k
			all = append(all, k)
		}
		if cell("Goal") != k.goal || letters(cell("2018 Strategic Objective")) != letters(k.objective) ||
			cell("Unit") != k.unit || cell("Desired Direction") != k.direction || cell("Further Questions") != "" {
			t.Fatalf("the rows of %s disagree", k.title)
		}
		year, err := strconv.Atoi(cell("Year"))
		if err != nil {
			t.Fatal(err)
		}
		k.years = append(k.years, year)
		for name, values := range map[string]map[int]string{"Target": k.target, "Actual": k.actual, "Min Target": k.lower, "Max Target": k.upper} {
			if v := cell(name); v != "" {
				values[year] = v
			}
		}
	}
	for _, k := range all {
		slices.Sort(k.years)
	}
	if len(rows) != 186 || len(all) != 28 {
		t.Fatalf("%d rows, %d KPIs", len(rows), len(all))
	}
	return all
}

// words evens out white space.
func words(s string) string { return strings.Join(strings.Fields(s), " ") }

// letters leaves what remains the same when a title is spelled differently.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

func number(t *testing.T, s string) *float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return &v
}

func yearEnd(year int) string   { return fmt.Sprintf("%d-09-30", year) }
func yearStart(year int) string { return fmt.Sprintf("%d-10-01", year-1) }

// plan is the declared plan by kind.
type plan struct {
	objectives map[string]*strategyv1.ObjectiveSpec
	metrics    map[string]*strategyv1.MetricSpec
	targets    map[string]*strategyv1.TargetSpec // by metric
	names      map[string]string                 // of targets, by metric
	effective  map[string]string                 // of targets, by metric
	strategy   *strategyv1.StrategySpec
}

func declared(t *testing.T) plan {
	t.Helper()
	paths, err := fs.Glob(gsa.Plan(), "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var files []manifest.File
	for _, path := range paths {
		content, err := fs.ReadFile(gsa.Plan(), path)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, manifest.File{Path: path, Content: content})
	}
	documents, places := manifest.Parse(files, kinds, manifest.Limits{})
	for _, p := range places {
		t.Error(manifest.Render(p))
	}
	p := plan{
		objectives: map[string]*strategyv1.ObjectiveSpec{}, metrics: map[string]*strategyv1.MetricSpec{},
		targets: map[string]*strategyv1.TargetSpec{}, names: map[string]string{}, effective: map[string]string{},
	}
	for _, d := range documents {
		name := d.Metadata.GetName()
		switch spec := d.Spec.(type) {
		case *strategyv1.StrategySpec:
			if p.strategy = spec; name != gsa.Strategy {
				t.Errorf("the strategy is called %s", name)
			}
		case *strategyv1.ObjectiveSpec:
			p.objectives[name] = spec
		case *strategyv1.MetricSpec:
			p.metrics[name] = spec
		case *strategyv1.TargetSpec:
			if p.targets[spec.Metric] != nil {
				t.Errorf("%s has two targets", spec.Metric)
			}
			p.targets[spec.Metric], p.names[spec.Metric], p.effective[spec.Metric] = spec, name, d.Metadata.GetEffective()
		}
	}
	if len(documents) != 69 || len(p.objectives) != 11 || len(p.metrics) != 28 || len(p.targets) != 28 || p.strategy == nil {
		t.Fatalf("%d documents: %d objectives, %d metrics, %d targets", len(documents), len(p.objectives), len(p.metrics), len(p.targets))
	}
	return p
}

func (p plan) metric(t *testing.T, title string) (string, *strategyv1.MetricSpec) {
	t.Helper()
	for name, m := range p.metrics {
		if m.Title == title {
			return name, m
		}
	}
	t.Fatalf("no metric is called %q", title)
	return "", nil
}

func TestObjectivesSayWhatTheSourceSays(t *testing.T) {
	p := declared(t)
	var goals []string
	used := map[string]bool{}
	for _, k := range published(t) {
		if !slices.Contains(goals, k.goal) {
			goals = append(goals, k.goal)
		}
		name, _ := p.metric(t, k.title)
		objective := p.objectives[p.targets[name].Objective]
		used[p.targets[name].Objective] = true
		if letters(objective.GetTitle()) != letters(k.objective) {
			t.Errorf("%s serves %q, not %q", name, objective.GetTitle(), k.objective)
		}
		if objective.GetPillar() != k.goal || objective.GetStrategy() != gsa.Strategy {
			t.Errorf("%s stands under %q of %q, not under %q", name, objective.GetPillar(), objective.GetStrategy(), k.goal)
		}
	}
	if diff := cmp.Diff(goals, p.strategy.Pillars); diff != "" {
		t.Errorf("pillars (-want +got)\n%s", diff)
	}
	if len(used) != len(p.objectives) {
		t.Errorf("%d of %d objectives have targets", len(used), len(p.objectives))
	}
}

func TestMetricsSayWhatTheSourceSays(t *testing.T) {
	p := declared(t)
	counted := map[string]string{ // what is counted is in the title only
		"fedramp-systems": "systems", "assisted-acquisitions-count": "acquisitions", "m3-tools": "agencies", "vehicles-studied": "vehicles",
	}
	amounts := []string{"acquisition-savings", "assisted-acquisitions-value", "assisted-acquisitions-count", "vehicles-studied"}
	for _, k := range published(t) {
		name, got := p.metric(t, k.title)
		want := &strategyv1.MetricSpec{
			Title: k.title, Description: k.description, Note: k.note,
			Cadence: "yearly", FiscalYearStart: 10, Aggregation: "last",
			Source: "GSA FY2018 Annual Performance Report, complete KPI data",
			// Judgements, checked below or in README.md.
			Bounds: got.Bounds,
		}
		if slices.Contains(amounts, name) {
			want.Aggregation = "sum"
		}
		digits := 0
		for _, values := range []map[int]string{k.target, k.actual, k.lower, k.upper} {
			for year, v := range values {
				_, fraction, _ := strings.Cut(v, ".")
				digits = max(digits, len(fraction))
				if b := got.Bounds; b != nil && (b.Lower != nil && *number(t, v) < *b.Lower || b.Upper != nil && *number(t, v) > *b.Upper) {
					t.Errorf("%s: %s in FY%d is out of bounds", name, v, year)
				}
			}
		}
		switch k.unit {
		case "Percentage":
			want.Unit, want.Format, want.Decimals = "fraction", "percent", proto.Int32(int32(max(0, digits-2)))
		case "Billions":
			want.Unit, want.Format, want.Decimals = "USD", "currency", proto.Int32(int32(digits))
			want.Magnitude, want.Currency = "billions", "USD"
		case "10 point scale", "7 point scale", "5 point scale":
			want.Unit, want.Format, want.Decimals = strings.Replace(k.unit, " ", "-", 1), "number", proto.Int32(int32(digits))
		case "Raw Count", "Cumulative Total":
			want.Unit, want.Format = counted[name], "integer"
			if digits != 0 || want.Unit == "" {
				t.Errorf("%s is not a count", name)
			}
		default:
			t.Errorf("%s has the unit %s", name, k.unit)
		}
		if name == "supplier-satisfaction" {
			// "FY 2016, FY 2017, and FY 2018 results reflect the new methodology."
			want.Breaks = got.Breaks
			if len(got.Breaks) != 1 || got.Breaks[0].Date != yearStart(2016) || !strings.Contains(k.note, "FY 2016") {
				t.Errorf("breaks of %s: %v", name, got.Breaks)
			}
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("%s (-source +manifest)\n%s", name, diff)
		}
	}
}

func TestTargetsSayWhatTheSourceSays(t *testing.T) {
	p := declared(t)
	forms := map[string]int{}
	for _, k := range published(t) {
		name, _ := p.metric(t, k.title)
		got := p.targets[name]
		want := &strategyv1.TargetSpec{Metric: name, Objective: got.Objective, Note: got.Note}
		switch k.direction {
		case "Increase", "Decrease":
			want.Direction = strings.ToLower(k.direction)
		case "", "With in Range":
		default:
			t.Errorf("%s has the direction %q", name, k.direction)
		}
		years := slices.Sorted(maps.Keys(k.target))
		effective := yearStart(years[0])
		switch {
		case len(k.lower) > 0:
			forms["maintain"]++
			effective = maintain(t, k, want)
		case got.Baseline != nil:
			forms["path"]++
			effective = path(t, k, want)
			if p.names[name] == name {
				t.Errorf("%s: a path is named by its end", name)
			}
		default:
			forms["periods"]++
			periods(t, k, name, want, got)
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("%s (-source +manifest)\n%s", name, diff)
		}
		if p.effective[name] != effective {
			t.Errorf("%s counts from %s, not from %s", name, p.effective[name], effective)
		}
		if want.Direction == "" && got.Maintain == nil && !strings.Contains(got.Note, "not judged") {
			t.Errorf("%s has no direction and does not say why", name)
		}
	}
	if diff := cmp.Diff(map[string]int{"maintain": 1, "path": 4, "periods": 23}, forms); diff != "" {
		t.Errorf("forms (-want +got)\n%s", diff)
	}
}

// maintain is a range that is the same in every year.
func maintain(t *testing.T, k *kpi, want *strategyv1.TargetSpec) (effective string) {
	first, last := k.years[0], k.years[len(k.years)-1]
	for _, year := range k.years {
		if k.lower[year] != k.lower[first] || k.upper[year] != k.upper[first] || k.target[year] != k.upper[first] {
			t.Errorf("the range of %s changes in FY%d", k.title, year)
		}
	}
	want.Maintain = &strategyv1.Maintain{
		Lower: number(t, k.lower[first]), Upper: number(t, k.upper[first]),
		From: yearStart(first), To: yearEnd(last),
	}
	return yearStart(first)
}

// path goes from the actual of FY2017 through the targets after it; the note
// holds the targets before.
func path(t *testing.T, k *kpi, want *strategyv1.TargetSpec) (effective string) {
	want.Baseline = &strategyv1.Baseline{Date: yearEnd(2017), Value: number(t, k.actual[2017])}
	want.Trajectory = &strategyv1.Trajectory{Shape: "points"}
	for _, year := range k.years {
		v, ok := k.target[year]
		switch {
		case !ok:
		case year <= 2017:
			percent := strconv.FormatFloat(math.Round(*number(t, v)*1000)/10, 'f', -1, 64)
			if said := fmt.Sprintf("%s%% in FY%d", percent, year); !strings.Contains(want.Note, said) {
				t.Errorf("the note on %s does not say %q", k.title, said)
			}
		default:
			point := &strategyv1.Point{Date: yearEnd(year), Value: number(t, v)}
			want.Trajectory.Points = append(want.Trajectory.Points, point)
			want.Value, want.Due = point.Value, point.Date
		}
	}
	return yearStart(2018)
}

// periods are the years with a target.
func periods(t *testing.T, k *kpi, name string, want, got *strategyv1.TargetSpec) {
	first := slices.Min(slices.Collect(maps.Keys(k.target)))
	for year := first; year <= lastYear; year++ {
		period := &strategyv1.PeriodTarget{Period: fmt.Sprintf("FY%d", year)}
		v, ok := k.target[year]
		switch {
		case name == "supplier-satisfaction" && year == 2018:
			i := slices.IndexFunc(got.Periods, func(p *strategyv1.PeriodTarget) bool { return p.Period == "FY2018" })
			if period.Excluded = got.Periods[i].Excluded; !strings.Contains(period.Excluded, v) {
				t.Errorf("%s: the reason does not name the target %s", name, v)
			}
		case ok:
			period.Value = number(t, v)
		default:
			continue
		}
		want.Periods = append(want.Periods, period)
	}
}

func TestObservationsSayWhatTheSourceSays(t *testing.T) {
	p := declared(t)
	rows, err := csv.NewReader(bytes.NewReader(gsa.Observations())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"metric", "observed_at", "value", "source", "note"}, rows[0]); diff != "" {
		t.Fatalf("header (-want +got)\n%s", diff)
	}
	got := map[string]string{}
	for _, row := range rows[1:] {
		if _, err := calendar.ParseDate(row[1]); err != nil {
			t.Error(err)
		}
		if row[3] != "GSA FY2018 APR" {
			t.Errorf("%v has the source %q", row, row[3])
		}
		key := row[0] + " " + row[1]
		if _, twice := got[key]; twice {
			t.Errorf("%s is there twice", key)
		}
		got[key] = row[2]
	}
	want := map[string]string{}
	for _, k := range published(t) {
		name, _ := p.metric(t, k.title)
		for year, v := range k.actual {
			want[name+" "+yearEnd(year)] = v
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-source +observations)\n%s", diff)
	}
	if len(got) != 129 {
		t.Errorf("%d observations", len(got))
	}
}

func TestFilesHoldTheWholeExample(t *testing.T) {
	var got []string
	err := fs.WalkDir(gsa.Files(), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			got = append(got, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"README.md", "observations.csv", "plan/acquisition.yaml", "plan/real-estate.yaml",
		"plan/service-expansion.yaml", "plan/strategy.yaml", "plan/technology.yaml",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
