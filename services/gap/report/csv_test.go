package report

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"strings"
	"testing"

	"setpoint.dev/services/gap"
)

// readCSV gives each row by column name.
func readCSV(t *testing.T, content []byte) []map[string]string {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, r := range rows[1:] {
		m := map[string]string{}
		for i, c := range r {
			m[rows[0][i]] = c
		}
		out = append(out, m)
	}
	return out
}

func TestCSVGolden(t *testing.T) {
	p, r := fixture()
	golden(t, "plan.golden.csv", CSV(Build(p, r, Options{Strategy: "plan"})))
}

func TestCSVHasRawNumbersAndNothingForTheUnknown(t *testing.T) {
	p, r := fixture()
	d := Build(p, r, Options{OriginalTargets: true})
	rows := readCSV(t, CSV(d))
	if len(rows) != len(d.Targets) {
		t.Fatalf("%d rows for %d targets", len(rows), len(d.Targets))
	}
	for i, row := range rows {
		target := d.Targets[i] // the same order: worst first
		if row["target"] != target.Name || row["sha256"] != d.SHA256() || row["original_targets"] != "true" || row["as_of"] != "2018-12-31" {
			t.Errorf("row %d: %v", i, row)
		}
		for column, want := range map[string]*float64{"actual": target.Actual, "gap": target.Gap, "share": target.Share, "target_value": target.Target} {
			if want == nil {
				if row[column] != "" {
					t.Errorf("%s: %s is %q, though it is not known", target.Name, column, row[column])
				}
				continue
			}
			if got, err := strconv.ParseFloat(row[column], 64); err != nil || got != *want {
				t.Errorf("%s: %s is %q, want %v", target.Name, column, row[column], *want)
			}
		}
	}
}

func TestCSVRunsNothing(t *testing.T) {
	p, r := fixture()
	for i := range r.Targets {
		r.Targets[i].Title = "=HYPERLINK(\"http://example.org\")"
		r.Targets[i].Owner = "@owner"
	}
	p.Metrics[0].Unit = "+1\r\nx,y"
	for _, row := range readCSV(t, CSV(Build(p, r, Options{}))) {
		for column, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
				if _, err := strconv.ParseFloat(cell, 64); err != nil {
					t.Errorf("%s: %q", column, cell)
				}
			}
		}
	}
}

func TestCSVOfNothingIsItsHeader(t *testing.T) {
	got := string(CSV(Build(gap.Portfolio{}, gap.Result{}, Options{})))
	if want := strings.Join(csvColumns, ",") + "\r\n"; got != want {
		t.Errorf("%q", got)
	}
}

func TestCSVDoesNotDependOnTheOrderOfInputs(t *testing.T) {
	p, r := fixture()
	first := CSV(Build(p, r, Options{}))
	for seed := range uint64(5) {
		p2, r2 := shuffled(p, r, seed)
		if !bytes.Equal(first, CSV(Build(p2, r2, Options{}))) {
			t.Fatalf("differs after shuffle %d", seed)
		}
	}
}

func TestCSVShowsWhatPeopleSaidBesideWhatWasComputed(t *testing.T) {
	p, r := fixture()
	confidence := 7
	r.Targets[0].Confidence = &confidence
	r.Targets[0].Override = &gap.Override{Status: gap.OnTrack, Reason: "-1 building is sold", Expires: date("2019-03-31")}
	for _, row := range readCSV(t, CSV(Build(p, r, Options{}))) {
		want := []string{"", "", "", ""}
		if row["target"] == r.Targets[0].Name {
			want = []string{"on_track", "'-1 building is sold", "2019-03-31", "7"}
		}
		for i, column := range []string{"override_status", "override_reason", "override_expires", "confidence"} {
			if row[column] != want[i] {
				t.Errorf("%s: %s is %q, want %q", row["target"], column, row[column], want[i])
			}
		}
		if row["status"] == "" {
			t.Errorf("%s: the computed status is gone", row["target"])
		}
	}
}
