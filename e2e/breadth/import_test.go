package breadth_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/importer"
	"setpoint.dev/services/importer/convert"
	"setpoint.dev/services/importer/mapping"
	"setpoint.dev/services/importer/workbook"
)

const (
	gsaTable    = "gsa_apr_fy2018/gsa_fy2018_apr.csv"
	bostonTable = "boston_budget_fy18_fy19/performance_measures.csv"
)

// imports reads a table by one of the example mappings and writes what it comes
// to; then once more, which must change nothing.
func (c tenant) imports(table, example string, fiscalYearStart int) convert.Result {
	c.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "services", "examples", "mappings", example))
	if err != nil {
		c.Fatal(err)
	}
	m, err := mapping.Parse(example, content)
	if err != nil {
		c.Fatal(err)
	}
	folder, _ := dataFolder()
	b, err := workbook.Open(filepath.Join(folder, filepath.FromSlash(table)), workbook.Options{})
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	conv := func() convert.Result {
		conv, err := importer.Read(b, m, convert.Options{FiscalYearStart: fiscalYearStart}, nil)
		if err != nil {
			c.Fatal(err)
		}
		res, err := conv.Finish(convert.Known{Targets: c.targets()})
		if err != nil {
			c.Fatal(err)
		}
		return res
	}
	first := conv()
	for _, s := range first.Steps {
		c.applyFiles(convert.Manifests(m.SetName(), s.Resources))
	}
	var values []*strategyv1.Observation
	for _, o := range first.Observations {
		values = append(values, observation(o.Metric, o.At.String(), o.Value, o.Source))
	}
	if len(values) > 0 {
		c.record(values)
	}
	again := conv()
	for _, s := range again.Steps {
		if changed := c.applyFiles(convert.Manifests(m.SetName(), s.Resources)).GetChanges(); len(changed) > 0 {
			c.Errorf("%s imported again changes %d resources, the first %v", example, len(changed), changed[0])
		}
	}
	return first
}

// targets are those that are declared.
func (c tenant) targets() map[string]convert.KnownTarget {
	c.Helper()
	out := map[string]convert.KnownTarget{}
	var revision int64
	if at, ok := world.written.Load(c.org); ok {
		revision = at.(int64)
	}
	for token := ""; ; {
		res, err := c.declare.List(context.Background(), &declarationv1.ListRequest{Kind: "Target", PageSize: 1000, PageToken: token, MinRevision: revision})
		if err != nil {
			c.Fatal(err)
		}
		for _, r := range res.GetResources() {
			raw, err := r.GetSpec().MarshalJSON()
			if err != nil {
				c.Fatal(err)
			}
			spec := &strategyv1.TargetSpec{}
			if err := protojson.Unmarshal(raw, spec); err != nil {
				c.Fatal(err)
			}
			out[r.GetMetadata().GetName()] = convert.KnownTarget{Spec: spec, Effective: r.GetProvenance().GetEffective()}
		}
		if token = res.GetNextPageToken(); token == "" {
			return out
		}
	}
}

// TestImportedCity compares the import of the city's table with the table read
// by its own code: each measure has the target, the value and the verdict that
// arithmetic on the cells gives. The mapping names no directions.
func TestImportedCity(t *testing.T) {
	need(t, austinTable)
	t.Parallel()
	city := austin(t)
	c := as(t, "imported-austin")
	res := c.imports(austinTable, "austin.yaml", 0)
	numbers := 0
	for i := range city.measures {
		numbers += len(city.measures[i].actual)
	}
	if len(res.Observations) != numbers+city.answers {
		t.Errorf("%d values, the table has %d numbers and %d answers", len(res.Observations), numbers, city.answers)
	}
	for _, x := range res.Troubles {
		if _, ok := number(x.Content); ok {
			t.Errorf("a number was not understood: %v", x)
		}
	}
	got := map[string]*gapv1.TargetGap{}
	for _, g := range c.evaluate(&gapv1.EvaluateRequest{AsOf: "2016-04-01"}).GetTargets() {
		got[g.GetName()] = g
	}
	d := &differences{TB: t, where: "the city as imported"}
	declared := 0
	for i := range city.measures {
		m := &city.measures[i]
		targets := m.targets(true)
		if len(targets) == 0 {
			continue
		}
		declared++
		m.sign = 0
		g := got[m.name]
		if g == nil {
			d.add("%s is missing", m.name)
			continue
		}
		d.target(g, m.expect(day(2016, 4, 1), targets))
	}
	for _, name := range city.promised {
		if got[name] == nil {
			d.add("%s, which is to be so, is missing", name)
		}
	}
	d.equal("all", "targets", len(got), declared+len(city.promised))
	d.end()
}

// TestImportedStates does so with the states' emissions and targets, in tonnes.
func TestImportedStates(t *testing.T) {
	need(t, climateTargets, climateEmissions)
	t.Parallel()
	climate := states(t)
	c := as(t, "imported-states")
	c.imports(climateEmissions, "climate-emissions.yaml", 0)
	res := c.imports(climateTargets, "climate-targets.yaml", 0)
	if len(res.Troubles) > 0 {
		t.Errorf("not understood: %v", res.Troubles)
	}
	for _, asOf := range []string{"2021-06-30", "2026-01-01"} {
		at, err := time.Parse(time.DateOnly, asOf)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]*gapv1.TargetGap{}
		for _, g := range c.evaluate(&gapv1.EvaluateRequest{AsOf: asOf, Strategy: "climate"}).GetTargets() {
			got[g.GetName()] = g
		}
		d := &differences{TB: t, where: "states as imported, " + asOf}
		for _, p := range climate.pledges {
			tonnes := map[int]float64{}
			for year, v := range climate.emissions[p.state] {
				tonnes[year] = math.Round(v * 1e6)
			}
			if got[p.name] == nil {
				d.add("%s is missing", p.name)
				continue
			}
			d.target(got[p.name], p.expect(at, tonnes))
		}
		d.equal("all", "targets", len(got), len(climate.pledges))
		d.end()
	}
}

// TestImportedBudget holds the four books' targets against the cells: what is
// declared for a year is what the last book with a number for it says, and a
// target has as many versions as books that change it.
func TestImportedBudget(t *testing.T) {
	need(t, bostonTable)
	t.Parallel()
	c := as(t, "imported-boston")
	res := c.imports(bostonTable, "boston.yaml", 0)
	books := []string{"fy18_recommended", "fy18_adopted", "fy19_recommended", "fy19_adopted"}
	text := func(s string) (float64, bool) {
		s = strings.ReplaceAll(strings.TrimSpace(s), ",", "")
		v, err := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
		if strings.HasSuffix(s, "%") {
			v /= 100
		}
		return v, err == nil
	}
	// The books write "and" in two ways.
	same := func(s string) string {
		words := strings.Fields(strings.ToLower(s))
		for i := range words {
			if words[i] == "and" {
				words[i] = "&"
			}
		}
		return strings.Join(words, " ")
	}
	type id struct{ department, program, measure, year string }
	last, revisions := map[id]float64{}, 0
	plain := map[id]bool{} // by measure: has values that are numbers or percentages only
	for _, book := range books {
		for _, r := range read(t, bostonTable) {
			if r["vintage"] != book || r["kind"] != "Target" {
				continue
			}
			k := id{same(r["department"]), same(r["program"]), same(r["measure"]), r["fiscal_year"]}
			if v, ok := text(r["value_raw"]); ok {
				if before, has := last[k]; has && before != v {
					revisions++
				}
				last[k], plain[k] = v, true
			} else if strings.Trim(r["value_raw"], " -/NATBD.") != "" {
				delete(plain, k) // a number with words: read by other code
			}
		}
	}
	want := map[string]int{}
	for k := range plain {
		want[fmt.Sprintf("FY%s %.6g", k.year, last[k])]++
	}
	got := map[string]int{}
	for _, target := range c.targets() {
		for _, p := range target.Spec.GetPeriods() {
			got[fmt.Sprintf("%s %.6g", p.GetPeriod(), p.GetValue())]++
		}
	}
	short := 0
	for v, n := range want {
		short += max(0, n-got[v])
	}
	// Titles that differ in blanks or points are one measure to the import.
	if short*100 > len(plain) || len(plain) < 800 || revisions < 200 {
		t.Errorf("%d of %d targets of the books are not declared; %d revisions", short, len(plain), revisions)
	}
	changed := 0
	for _, s := range res.Steps[1:] {
		changed += len(s.Resources)
	}
	if len(res.Steps) != len(books) || changed < 200 {
		t.Errorf("%d editions, %d re-targets", len(res.Steps), changed)
	}
	t.Logf("%d targets by year, %d revised cells, %d re-targets", len(plain), revisions, changed)
}

// TestImportedAgency compares each KPI's judged year with the published cells.
func TestImportedAgency(t *testing.T) {
	need(t, gsaTable)
	t.Parallel()
	c := as(t, "imported-gsa")
	c.imports(gsaTable, "gsa.yaml", 0)
	got := map[string]*gapv1.TargetGap{}
	for _, g := range c.evaluate(&gapv1.EvaluateRequest{AsOf: "2018-12-31"}).GetTargets() {
		got[fmt.Sprintf("%.9g|%.9g", g.GetActual(), g.GetTarget())] = g
	}
	judged := 0
	for _, r := range read(t, gsaTable) {
		actual, ok := number(r["Actual"])
		target, ok2 := number(r["Target"])
		if r["Year"] != "2018" || !ok || !ok2 || strings.TrimSpace(r["Min Target"]) != "" {
			continue
		}
		judged++
		g := got[fmt.Sprintf("%.9g|%.9g", actual, target)]
		if g == nil {
			t.Errorf("%s: no target %v with the value %v", r["KPI"], target, actual)
			continue
		}
		sign := map[string]float64{"Increase": 1, "Decrease": -1}[strings.TrimSpace(r["Desired Direction"])]
		if sign != 0 && math.Abs(g.GetGap()-sign*(target-actual)) > 1e-9 {
			t.Errorf("%s: the gap is %v, want %v", r["KPI"], g.GetGap(), sign*(target-actual))
		}
	}
	if judged < 20 {
		t.Errorf("only %d KPIs have a target and a value in 2018", judged)
	}
}

// TestImportedKeyResults: each scored key result is measured by its last score,
// against 1.
func TestImportedKeyResults(t *testing.T) {
	need(t, ipfsTable)
	t.Parallel()
	c := as(t, "imported-ipfs")
	res := c.imports(ipfsTable, "ipfs.yaml", 0)
	scored, want := 0, map[string]int{}
	for _, r := range read(t, ipfsTable) {
		for _, column := range []string{"mid_q_actual", "end_q_score"} {
			if _, ok := number(r[column]); ok {
				scored++
			}
		}
		if v, ok := number(r["end_q_score"]); ok && r["quarter"] == "2019 Q2" {
			want[fmt.Sprintf("%.6g", 1-v)]++
		}
	}
	if len(res.Observations) != scored {
		t.Errorf("%d scores, the table has %d", len(res.Observations), scored)
	}
	got := map[string]int{}
	for _, g := range c.evaluate(&gapv1.EvaluateRequest{AsOf: "2019-07-01"}).GetTargets() {
		if g.GetDue() == "2019-06-30" && g.Gap != nil && g.GetPeriod() == "2019-06" {
			got[fmt.Sprintf("%.6g", g.GetGap())]++
		}
	}
	for gap, n := range want {
		if got[gap] != n {
			t.Errorf("%d key results of 2019 Q2 with a gap of %s, want %d", got[gap], gap, n)
		}
	}
}
