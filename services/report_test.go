package services_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const reviewPlan = `
---
apiVersion: setpoint.dev/v1
kind: Review
metadata: {name: monthly, effective: 2026-01-01}
spec: {title: Monthly review, cadence: monthly, owner: unit/estate}
`

// A report says what moved since the last review, or since a revision or a day,
// which events did it, and what the review decided; in every format with the same
// hash, and each time with the same bytes.
func TestReportsSinceAReview(t *testing.T) {
	t.Parallel()
	s := startSession(t)
	if err := os.WriteFile(filepath.Join(s.dir, "plan.yaml"), []byte(sheetPlan+reviewPlan), 0o644); err != nil {
		t.Fatal(err)
	}
	must := func(command string, says ...string) string {
		t.Helper()
		out := s.run(command + "; echo code $?")
		for _, part := range append(says, "code 0") {
			if !strings.Contains(out, part) {
				t.Errorf("%s does not say %q:\n%s", command, part, out)
			}
		}
		return out
	}
	must("setpoint apply -f plan.yaml --yes")
	must("setpoint observe vacant 0.058 --at 2026-01 && setpoint observe vacant 0.055 --at 2026-02")
	must("setpoint review open monthly 2026-02 --at 2026-03-05 && setpoint review lock monthly 2026-02 --as-of 2026-03-05 && setpoint review decide monthly 2026-02 --title 'end two leases' --owner unit/estate --due 2030-06-30 --target less-vacant")
	must("setpoint observe vacant 0.08 --at 2026-03 --source REXUS")
	must("setpoint checkin less-vacant --at 2026-04-10 --confidence 4 --note 'a tenant left early'")
	must("setpoint report gap --audience owner", "Check-in 2026-04-10", "a tenant left early")

	// Decisions are of the day on which they are made.
	must("setpoint report gap",
		"Since the review Monthly review, 2026-02: ", "actual 5.5 % → 8.0 %", "value of 2026-03-31: 8.0 % (REXUS)", "end two leases", "What moved")
	must("setpoint report gap --as-of 2026-04-20 --since 2026-02-20", "Since 2026-02-20: ", "Nothing was on record by then")
	must("setpoint report gap --as-of 2026-04-20 --since 9", "Since revision 9: ")
	for _, bad := range []string{"--since 999999", "--since 2026-04-20", "--since soon", "--audience everybody", "--format docx"} {
		if out := s.run("setpoint report gap --as-of 2026-04-20 " + bad + "; echo code $?"); strings.Contains(out, "code 0") || strings.Contains(out, "internal") {
			t.Errorf("%s: %s", bad, out)
		}
	}
	today := strings.TrimSpace(s.run("date -u +%F"))
	sums := map[string]string{}
	for format, magic := range map[string]string{"md": "# S", "html": "<!DOCTYPE html>", "pdf": "%PDF-1.", "xlsx": "PK", "csv": "target,", "json": `{"document":`} {
		first, again := filepath.Join(s.dir, "1."+format), filepath.Join(s.dir, "2."+format)
		out := must("setpoint report gap --as-of " + today + " --revision 15 --format " + format + " -o " + first)
		must("setpoint report gap --as-of " + today + " --revision 15 --format " + format + " -o " + again)
		_, sum, _ := strings.Cut(out, "sha256 ")
		sums[strings.Fields(sum + " -")[0]] = format
		a, err := os.ReadFile(first)
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(again)
		if err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: the same command gives other bytes, %v", format, err)
		}
		if !bytes.HasPrefix(a, []byte(magic)) {
			t.Errorf("%s begins with %q", format, a[:min(20, len(a))])
		}
	}
	if len(sums) != 1 {
		t.Errorf("the formats have the hashes %v; want one", sums)
	}
	if pdftotext, err := exec.LookPath("pdftotext"); err != nil {
		t.Log("NOT RUN: there is no pdftotext to read the PDF with")
	} else if text, err := exec.Command(pdftotext, filepath.Join(s.dir, "1.pdf"), "-").Output(); err != nil || !strings.Contains(string(text), "end two leases") || !strings.Contains(string(text), "Page 1 of ") {
		t.Errorf("the PDF reads, %v:\n%s", err, text)
	}
}
