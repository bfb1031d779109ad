package manifest_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"setpoint.dev/services/declaration/manifest"
	"setpoint.dev/services/internal/fault"
)

var update = flag.Bool("update", false, "write the golden files")

// Every file in testdata/faults is wrong in several ways; the golden file
// beside it is what a person is told.
func TestFaultsAsToldToPeople(t *testing.T) {
	inputs, err := filepath.Glob("testdata/faults/*.*")
	if err != nil {
		t.Fatal(err)
	}
	cases := 0
	for _, input := range inputs {
		if strings.HasSuffix(input, ".golden") {
			continue
		}
		cases++
		t.Run(filepath.Base(input), func(t *testing.T) {
			content, err := os.ReadFile(input)
			if err != nil {
				t.Fatal(err)
			}
			_, places := manifest.Parse([]manifest.File{{Path: filepath.Base(input), Content: content}}, kinds, manifest.Limits{})
			got := render(places)
			golden := input + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if got == "" {
				t.Error("no fault was found")
			}
		})
	}
	if cases < 8 {
		t.Fatalf("only %d cases were found", cases)
	}
}

func render(places []fault.Place) string {
	var b strings.Builder
	for _, p := range places {
		b.WriteString(manifest.Render(p) + "\n")
	}
	return b.String()
}
