package guess

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"setpoint.dev/services/importer/mapping"
	"setpoint.dev/services/importer/workbook"
	"setpoint.dev/services/internal/fault"
)

var update = flag.Bool("update", false, "write the golden files anew")

// What is guessed of real tables, as a person would get it for review. Each is a
// mapping that is legal as it stands.
func TestFile(t *testing.T) {
	dir := os.Getenv("SETPOINT_DATA")
	if dir == "" {
		dir = "../../../../shared/data"
	}
	for golden, file := range map[string]string{
		"gsa":       "gsa_apr_fy2018/gsa_fy2018_apr.csv",
		"austin":    "austin_eperf_fy2016/austin_eperf_measures.csv",
		"boston":    "boston_budget_fy18_fy19/performance_measures.csv",
		"climate":   "us_state_climate_targets/targets.csv",
		"emissions": "us_state_climate_targets/emissions.csv",
		"okrs":      "ipfs_okrs_2019/key_results.csv",
	} {
		b, err := workbook.Open(filepath.Join(dir, file), workbook.Options{})
		if err != nil {
			if os.Getenv("SETPOINT_DATA") != "" {
				t.Fatal(err)
			}
			t.Skipf("NOT RUN: the tables of real organizations are not here: %v", err)
		}
		defer b.Close()
		m, err := File(b)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		got, err := m.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := mapping.Parse(golden, got); err != nil {
			t.Errorf("%s: what is written is not read: %v", file, err)
		}
		path := filepath.Join("testdata", golden+".yaml")
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), string(got)); d != "" {
			t.Errorf("%s (go test -update writes it anew):\n%s", file, d)
		}
	}
}

func TestFileFindsNoTable(t *testing.T) {
	text := "Annual report\nWe did well.\n"
	b, err := workbook.Read(strings.NewReader(text), int64(len(text)), workbook.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := File(b); fault.ReasonOf(err) != "import.no_table" {
		t.Errorf("%v", err)
	}
}
