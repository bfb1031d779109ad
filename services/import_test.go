package services_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"setpoint.dev/services/importer/guess"
	"setpoint.dev/services/importer/importertest"
	"setpoint.dev/services/importer/workbook"
)

// imported is what the command prints as JSON, as far as it is looked at.
type imported struct {
	Observations, Created, Changed, Recorded, Corrected, Same int
	NotUnderstood                                             []struct{ Row int }
}

// Every table of the corpus goes the whole way with the program that users have:
// read by its guess, planned, declared, read again without a change; what is
// declared is what the files of --out say; and a later edition changes the one
// value that differs.
func TestTablesGoTheWholeWay(t *testing.T) {
	t.Parallel()
	s := startSession(t)
	for _, table := range importertest.Tables(t, "importer/testdata/tables") {
		t.Run(table.Name, func(t *testing.T) {
			t.Parallel()
			s := session{dir: t.TempDir(), env: append(s.env[:len(s.env):len(s.env)], "SETPOINT_ORG="+table.Name)}
			write := func(name string, content []byte) string {
				if err := os.WriteFile(filepath.Join(s.dir, name), content, 0o644); err != nil {
					t.Fatal(err)
				}
				return name
			}
			content := table.Bytes(t)
			file := write("kpis"+table.Ext(), content)
			later := write("later"+table.Ext(), table.Next(t).Bytes(t))
			s.run("setpoint import " + file + " --guess > mapping.yaml")
			if table.Fiscal != 0 || table.Period != "" {
				// What a person answers to the guess's questions.
				b, err := workbook.Read(bytes.NewReader(content), int64(len(content)), workbook.Options{})
				if err != nil {
					t.Fatal(err)
				}
				m, err := guess.File(b)
				if err != nil {
					t.Fatal(err)
				}
				m.FiscalYearStart = table.Fiscal
				if table.Period != "" {
					m.Defaults.Period = table.Period
				}
				answered, err := m.Encode()
				if err != nil {
					t.Fatal(err)
				}
				write("mapping.yaml", answered)
			}
			run := func(command string) (got imported) {
				t.Helper()
				out := s.run(command + " -o json")
				if err := json.Unmarshal([]byte(out), &got); err != nil {
					t.Fatalf("%s: %v\n%s", command, err, out)
				}
				return got
			}
			cells := 0
			dry := run("setpoint import " + file + " --map mapping.yaml --dry-run")
			for _, x := range dry.NotUnderstood {
				if x.Row > 0 {
					cells++
				}
			}
			if dry.Created == 0 || dry.Recorded != 0 || cells != len(table.NotRead) {
				t.Errorf("a dry run says %+v, with %d cells not understood", dry, cells)
			}
			first := run("setpoint import " + file + " --map mapping.yaml --out out")
			if first.Created != dry.Created || first.Changed != 0 || first.Recorded != first.Observations || first.Corrected != 0 {
				t.Errorf("the first import says %+v", first)
			}
			again := run("setpoint import " + file + " --map mapping.yaml")
			if again.Created+again.Changed+again.Recorded+again.Corrected != 0 || again.Same != first.Observations {
				t.Errorf("importing again changes: %+v", again)
			}
			if got := s.run("setpoint plan -f out/manifests.yaml --set imported; echo code $?"); !strings.Contains(got, "code 0") {
				t.Errorf("what is declared is not what was read:\n%s", got)
			}
			if first.Observations > 0 {
				if got := s.run("setpoint observe -f out/observations.csv"); !strings.Contains(got, fmt.Sprintf("0 recorded, 0 corrected, %d unchanged", first.Observations)) {
					t.Errorf("what is recorded is not what was read:\n%s", got)
				}
			}
			// Targets of years to come count from the day of the first import on.
			day := time.Now().AddDate(0, 0, 1).Format(time.DateOnly)
			next := run("setpoint import " + later + " --map mapping.yaml --vintage " + day)
			want := imported{Changed: 1}
			if table.Later == "actual" {
				want = imported{Corrected: 1}
			}
			if next.Created != 0 || next.Changed != want.Changed || next.Recorded != 0 || next.Corrected != want.Corrected {
				t.Errorf("a later edition with another %s (%s, %s before) says %+v", table.Later, table.To, table.From, next)
			}
		})
	}
}
