package services_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

const sheetPlan = `
apiVersion: setpoint.dev/v1
kind: Strategy
metadata: {name: s}
spec: {title: S, horizon: {start: 2026-01-01, end: 2027-12-31}}
---
apiVersion: setpoint.dev/v1
kind: Objective
metadata: {name: o}
spec: {title: O, strategy: s}
---
apiVersion: setpoint.dev/v1
kind: Unit
metadata: {name: estate}
spec: {title: Estate}
---
apiVersion: setpoint.dev/v1
kind: Metric
metadata: {name: vacant}
spec: {title: Vacant space, unit: fraction, format: percent, cadence: monthly, aggregation: last}
---
apiVersion: setpoint.dev/v1
kind: Target
metadata: {name: less-vacant, effective: 2026-01-01}
spec: {objective: o, metric: vacant, checkInEvery: monthly, direction: decrease, owner: unit/estate, baseline: {value: 0.06, date: 2025-12-31}, value: 0.03, due: 2027-12-31}
---
apiVersion: setpoint.dev/v1
kind: Metric
metadata: {name: visits}
spec: {title: Visits, unit: visits, format: integer, cadence: monthly, aggregation: last}
---
apiVersion: setpoint.dev/v1
kind: Target
metadata: {name: more-visits}
spec: {objective: o, metric: visits, direction: increase, owner: unit/estate, baseline: {value: 100, date: 2025-12-31}, value: 400, due: 2027-12-31}
`

// roundTrip is a service with a plan, and the sheet of what is due on it.
func roundTrip(t *testing.T) session {
	s := startSession(t)
	if err := os.WriteFile(filepath.Join(s.dir, "plan.yaml"), []byte(sheetPlan), 0o644); err != nil {
		t.Fatal(err)
	}
	out := s.run("setpoint apply -f plan.yaml --yes && setpoint observe vacant 0.058 --at 2026-01 && setpoint observe visits 110 --at 2026-02 && setpoint export sheet --due --owner unit/estate --as-of 2026-04-15 -o due.xlsx")
	if !strings.Contains(out, "due.xlsx: 5 rows due as of 2026-04-15") {
		t.Fatalf("it printed\n%s", out)
	}
	return s
}

// fill writes into the row of a metric and a period.
func fill(t *testing.T, file, metric, period string, cells map[string]any) {
	t.Helper()
	f, err := excelize.OpenFile(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows("Due")
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rows {
		if r[0] != metric || r[1] != period {
			continue
		}
		for k, title := range rows[0] {
			if v, ok := cells[title]; ok {
				at, err := excelize.CoordinatesToCellName(k+1, i+1)
				if err != nil {
					t.Fatal(err)
				}
				if err := f.SetCellValue("Due", at, v); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := f.Save(); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("there is no row for %s in %s: %q", metric, period, rows)
}

// save lets LibreOffice write a sheet into a folder. It makes a profile when it is
// started, which now and then fails or hangs, whatever the sheet is: it has three
// tries.
func save(t *testing.T, program, file, folder string) {
	t.Helper()
	var said []byte
	var err error
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		c := exec.CommandContext(ctx, program, "-env:UserInstallation=file://"+t.TempDir(), "--headless",
			"--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", folder, file)
		// It starts another program, which must not outlive it, nor hold its output open.
		c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
		c.WaitDelay = time.Second
		said, err = c.CombinedOutput()
		cancel()
		if err == nil {
			_, err = os.Stat(filepath.Join(folder, filepath.Base(file)))
		}
		if err == nil {
			return
		}
		t.Logf("soffice: %v\n%s", err, said)
	}
	t.Fatalf("soffice does not save the sheet: %v\n%s", err, said)
}

// The sheet goes to its owner, is filled in, and comes back as observations and
// check-ins: as it was saved by the library, and by a spreadsheet program.
func TestTheSheetGoesRound(t *testing.T) {
	t.Parallel()
	for _, by := range []string{"as it is", "LibreOffice"} {
		t.Run(by, func(t *testing.T) {
			program, err := exec.LookPath("soffice")
			if by == "LibreOffice" && err != nil {
				t.Skip("NOT RUN: there is no LibreOffice (soffice) to save the sheet with")
			}
			s := roundTrip(t)
			file := filepath.Join(s.dir, "due.xlsx")
			fill(t, file, "vacant", "2026-02", map[string]any{"Value": .055, "Note": "two leases ended"})
			fill(t, file, "vacant", "2026-03", map[string]any{"Value": .051})
			// Of the month that is over, and of the running one.
			fill(t, file, "", "2026-03", map[string]any{"Confidence (0 to 10)": 7, "Note": "on the way"})
			fill(t, file, "", "2026-04", map[string]any{"Note": "as in March"})
			fill(t, file, "visits", "2026-03", map[string]any{"Value": 118, "Confidence (0 to 10)": 4, "Note": "=the hall is closed"})
			if by == "LibreOffice" {
				saved := t.TempDir()
				save(t, program, file, saved)
				file = filepath.Join(saved, "due.xlsx")
			}
			if out := s.run("setpoint observe -f " + file); !strings.Contains(out, "3 recorded, 0 corrected, 0 unchanged") || !strings.Contains(out, "3 check-ins.") {
				t.Fatalf("it printed\n%s", out)
			}
			for command, parts := range map[string][]string{
				"setpoint get observations vacant -o csv":  {"2026-02-28,0.055", "two leases ended", "2026-03-31,0.051"},
				"setpoint get observations visits -o csv":  {"2026-03-31,118"},
				"setpoint get checkins more-visits -o csv": {"more-visits,2026-04-15,4,", "=the hall is closed"},
				"setpoint get checkins less-vacant -o csv": {"less-vacant,2026-03-31,7,on the way", "less-vacant,2026-04-15,,as in March"},
			} {
				for _, part := range parts {
					if out := s.run(command); !strings.Contains(out, part) {
						t.Errorf("%s does not say %q:\n%s", command, part, out)
					}
				}
			}
			// Sent in again, it says nothing over what was said since.
			s.run("setpoint checkin more-visits --confidence 6 --note reopened --at 2026-04-15")
			if out := s.run("setpoint import " + file); !strings.Contains(out, "0 recorded, 0 corrected, 3 unchanged") || !strings.Contains(out, "0 check-ins, 3 said before.") {
				t.Errorf("again it printed\n%s", out)
			}
			said := s.run("setpoint get checkins more-visits -o csv")
			if strings.Count(said, "the hall is closed") != 1 || strings.Count(said, "reopened") != 1 {
				t.Errorf("check-ins are there twice:\n%s", said)
			}
			if out := s.run("setpoint export sheet --due --as-of 2026-04-15 -o again.xlsx"); !strings.Contains(out, "nothing is due") {
				t.Errorf("it printed\n%s", out)
			}
		})
	}
	t.Run("refused as a whole", func(t *testing.T) {
		s := roundTrip(t)
		file := filepath.Join(s.dir, "due.xlsx")
		fill(t, file, "vacant", "2026-02", map[string]any{"Value": .055})
		fill(t, file, "vacant", "2026-03", map[string]any{"Value": "n/a"})
		fill(t, file, "", "2026-04", map[string]any{"Confidence (0 to 10)": 11, "Note": "x"})
		fill(t, file, "visits", "2026-03", map[string]any{"Confidence (0 to 10)": 4})
		out := s.run("setpoint observe -f due.xlsx; echo code $?")
		for _, part := range []string{"Due!L3", `"n/a" is not a number`, "Due!M6", "Due!N5", "a confidence needs a note", "nothing was recorded", "code 1"} {
			if !strings.Contains(out, part) {
				t.Errorf("it does not say %q:\n%s", part, out)
			}
		}
		if out := s.run("setpoint get observations vacant -o csv"); strings.Contains(out, "0.055") {
			t.Errorf("a value was recorded:\n%s", out)
		}
	})
}
