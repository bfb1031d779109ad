package e2e_test

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
)

// A real survey (three waves of 495 people, R package multilevel, data univbct)
// goes through the command line under a declared framework, and what was
// published of it comes out.
func TestARealSurveyThroughTheCommandLine(t *testing.T) {
	dir := os.Getenv("SETPOINT_DATA")
	if dir == "" {
		dir = "../../shared/data"
	}
	file, err := filepath.Abs(filepath.Join(dir, "unit_readiness_survey", "readiness_3waves.csv"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if os.IsNotExist(err) && os.Getenv("SETPOINT_DATA") == "" {
		t.Skip("NOT RUN: there is no survey data (set SETPOINT_DATA)")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	size, parent := map[string]int{}, map[string]string{}
	var order []string
	add := func(name, under string) {
		if size[name] == 0 {
			order = append(order, name)
		}
		size[name]++
		parent[name] = under
	}
	for _, r := range rows[1:] {
		if r[3] == "0" {
			add(strings.ToLower(r[1]), "")
			add(strings.ToLower(r[1]+"-"+r[2]), strings.ToLower(r[1]))
		}
	}
	var plan, audiences strings.Builder
	plan.WriteString(`apiVersion: setpoint.dev/v1
kind: ChangeFramework
metadata: {name: unit-readiness}
spec: {title: Readiness of a unit, elements: [{name: satisfaction}, {name: commitment}, {name: readiness}]}
`)
	for _, name := range order {
		fmt.Fprintf(&plan, "---\napiVersion: setpoint.dev/v1\nkind: Audience\nmetadata: {name: %q}\nspec: {size: %d", name, size[name])
		if parent[name] != "" {
			fmt.Fprintf(&plan, ", parent: %q", parent[name])
		}
		plan.WriteString("}\n")
		fmt.Fprintf(&audiences, "{audience: %q},", name)
	}
	fmt.Fprintf(&plan, "---\napiVersion: setpoint.dev/v1\nkind: ChangeProgram\nmetadata: {name: r}\nspec: {framework: unit-readiness, start: 2025-01-01, end: 2026-12-31, audiences: [%s]}\n",
		strings.TrimSuffix(audiences.String(), ","))
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	url := serve(t, t.TempDir()).URL()
	o := officeOf(t, url)
	o.apply(plan.String())
	p := terminalless{t, path, url}
	for i, want := range []float64{3.010, 3.109, 3.212} {
		wave := fmt.Sprint("wave-", i)
		p.run(0, "", "--org", "acme", "change", "wave", "open", "r", wave)
		said := p.run(0, "", "--org", "acme", "change", "survey", "import", "r", wave, file, "--respondent", "subject",
			"--audience", "battalion,company", "--where", fmt.Sprint("wave=", i), "--element", "satisfaction=job_satisfaction")
		contains(t, "import", said, "495 answers recorded")
		p.run(0, "", "--org", "acme", "change", "wave", "close", "r", wave)
		res, err := o.change.GetResults(o.ctx, &changev1.GetResultsRequest{Program: "r", Wave: wave})
		if err != nil {
			t.Fatal(err)
		}
		whole := res.GetWave().GetResults().GetCells()[0]
		e := whole.GetElements()[2]
		if math.Abs(e.GetMean()-want) > .0005 {
			t.Errorf("%s: mean readiness %v, want %v", wave, e.GetMean(), want)
		}
		switch b := whole.GetBarriers(); i {
		case 0:
			got := fmt.Sprint(b.GetElements()[0].GetCount(), b.GetElements()[1].GetCount(), b.GetElements()[2].GetCount(), b.GetNone(), b.GetUnknown())
			if got != "202 28 77 156 32" || whole.GetComplete() != 454 || math.Abs(whole.GetReadiness()-.4329) > .00005 {
				t.Errorf("barriers %s, readiness %v of %d", got, whole.GetReadiness(), whole.GetComplete())
			}
		case 1:
			if math.Abs(e.GetChange()-.1187) > .00005 || e.GetPairs() != 438 {
				t.Errorf("change %v of %d", e.GetChange(), e.GetPairs())
			}
		}
	}
	contains(t, "describe", p.run(0, "", "--org", "acme", "describe", "changeprogram", "r"), "readiness")
	contains(t, "results", p.run(0, "", "--org", "acme", "change", "results", "r", "-o", "csv"), "1022")
}
