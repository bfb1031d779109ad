package e2e_test

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"
)

// terminalless is the program as scripts and pipelines start it.
type terminalless struct {
	t         *testing.T
	path, url string
}

func (p terminalless) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(p.t.Context(), p.path, args...)
	cmd.Env = append(os.Environ(), "SETPOINT_SERVER="+p.url, "LC_ALL=C.UTF-8")
	return cmd
}

func (p terminalless) run(code int, stdin string, args ...string) string {
	p.t.Helper()
	cmd := p.command(args...)
	cmd.Stdin = strings.NewReader(stdin)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if got := cmd.ProcessState.ExitCode(); got != code {
		p.t.Fatalf("setpoint %s: exit code %d, want %d (%v)\n%s%s", strings.Join(args, " "), got, code, err, out, &errs)
	}
	return string(out)
}

func loaded(t *testing.T) (terminalless, client) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	url := serve(t, t.TempDir()).URL()
	c := connectTo(t, url, "default")
	load(t, c)
	return terminalless{t, path, url}, c
}

func records(t *testing.T, text string) []map[string]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, r := range rows[1:] {
		m := map[string]string{}
		for i, cell := range r {
			m[rows[0][i]] = cell
		}
		out = append(out, m)
	}
	return out
}

// The table, its CSV, the report's CSV and the API tell the same numbers.
func TestEveryFormatTellsTheSame(t *testing.T) {
	p, c := loaded(t)
	const asOf = "2018-12-31"
	table := p.run(0, "", "gaps", "--as-of", asOf)
	for _, want := range []string{"≤ 3.0 %", "+0.3 pp", "$5.86B", "-$0.64B", "0.00 % … 2.00 %"} {
		contains(t, "the table", table, want)
	}
	gaps, report := records(t, p.run(0, "", "gaps", "--as-of", asOf, "-o", "csv")), records(t, p.run(0, "", "report", "gap", "--format", "csv", "--as-of", asOf))
	targets := c.gaps(asOf).GetTargets()
	if len(gaps) != len(targets) || len(report) != len(targets) {
		t.Fatalf("%d and %d rows for %d targets", len(gaps), len(report), len(targets))
	}
	number := func(v *float64) string {
		if v == nil {
			return ""
		}
		return strconv.FormatFloat(*v, 'f', -1, 64)
	}
	for i, target := range targets {
		same := slices.IndexFunc(report, func(r map[string]string) bool { return r["target"] == target.GetName() })
		if same < 0 {
			t.Fatalf("the report lacks %s", target.GetName())
		}
		for _, row := range []map[string]string{gaps[i], report[same]} {
			for column, want := range map[string]string{
				"target": target.GetName(), "status": target.GetStatus(), "actual": number(target.Actual),
				"gap": number(target.Gap), "share": number(target.Share), "target_value": number(target.Target), "as_of": asOf,
			} {
				if row[column] != want {
					t.Errorf("%s: %s is %q, want %q", target.GetName(), column, row[column], want)
				}
			}
		}
	}
	again := p.run(0, "", "report", "gap", "--format", "csv", "--as-of", asOf)
	if again != p.run(0, "", "report", "gap", "--format", "csv", "--as-of", asOf) {
		t.Error("the same day and revision gave two reports")
	}
	contains(t, "original targets", p.run(0, "", "report", "gap", "--format", "csv", "--as-of", asOf, "--original-targets"), ",default,true,")
}

func TestWhatIsPrintedAsCSVIsRecordedAgain(t *testing.T) {
	p, _ := loaded(t)
	text := p.run(0, "", "get", "observations", "vacant-space", "-o", "csv")
	n := strconv.Itoa(len(records(t, text)))
	contains(t, "recorded again", p.run(0, text, "observe", "-f", "-"), "0 recorded, 0 corrected, "+n+" unchanged.")
}

// A watch that nobody touches shows what others record.
func TestWatchShowsWhatOthersRecord(t *testing.T) {
	p, c := loaded(t)
	cmd := p.command("gaps", "--watch", "-o", "json", "--as-of", "2018-12-31")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 8<<20)
	next := func() (revision string, actual float64) {
		if !lines.Scan() {
			t.Fatalf("the watch ended: %v", lines.Err())
		}
		var res struct {
			Revision string
			Targets  []struct {
				Name   string
				Actual float64
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &res); err != nil {
			t.Fatalf("%v: %s", err, lines.Text())
		}
		for _, x := range res.Targets {
			if x.Name == "customer-loyalty" {
				return res.Revision, x.Actual
			}
		}
		t.Fatal("a target is missing")
		return "", 0
	}
	if _, actual := next(); actual != 7.5 {
		t.Fatalf("actual %v", actual)
	}
	if _, err := c.record(value("customer-loyalty", "2018-09-30", 8.25)); err != nil {
		t.Fatal(err)
	}
	for _, actual := next(); actual != 8.25; _, actual = next() {
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d", code)
	}
}

// The picture of every target can be drawn, in 80 columns, in ASCII, too.
func TestEveryTargetCanBeDescribed(t *testing.T) {
	p, c := loaded(t)
	for _, name := range c.names("Target") {
		text := p.run(0, "", "describe", "target", name, "--as-of", "2018-12-31", "--ascii")
		_, rest, drawn := strings.Cut(text, "\nCourse:\n")
		picture, rest, explained := strings.Cut(rest, "\nHow the status came about:\n")
		if !drawn || !explained || !strings.Contains(rest, "Revisions:") {
			t.Errorf("%s:\n%s", name, text)
			continue
		}
		for _, l := range strings.Split(picture, "\n") {
			if len(l) > 80 || strings.ContainsFunc(l, func(r rune) bool { return r >= utf8.RuneSelf && !strings.ContainsRune("€£¥", r) }) {
				t.Errorf("%s: %q", name, l)
			}
		}
		contains(t, name, picture, "o actual")
	}
	contains(t, "a metric", p.run(0, "", "describe", "metric", "vacant-space"), "lowest 2.9 %, highest 3.8 %, latest 3.3 %")
}

// What was known before anything was, is nothing; every read says so alike.
func TestTheCommandLineReadsThePast(t *testing.T) {
	p, c := loaded(t)
	before := strconv.FormatInt(c.gaps("2018-12-31").GetRevision(), 10)
	if _, err := c.record(value("fedramp-systems", "2018-09-30", 987654)); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"gaps", "--as-of", "2018-12-31"}, {"describe", "target", "fedramp-2020", "--as-of", "2018-12-31"},
		{"describe", "metric", "fedramp-systems"}, {"get", "observations", "fedramp-systems"},
		{"report", "gap", "--as-of", "2018-12-31"},
	} {
		contains(t, strings.Join(args, " ")+" now", p.run(0, "", args...), "987,654")
		if past := p.run(0, "", append(args, "--revision", before)...); strings.Contains(past, "987,654") || !strings.Contains(past, "121") {
			t.Errorf("%v at revision %s knows what came later:\n%s", args, before, past)
		}
		p.run(64, "", append(args, "--revision", before, "--known-at", "2018-12-31")...)
	}
	p.run(1, "", "describe", "target", "fedramp-2020", "--known-at", "2001-01-01")
	p.run(0, "", "get", "targets", "--known-at", "2001-01-01")
}

func TestNamesAreCompletedByTheServer(t *testing.T) {
	p, _ := loaded(t)
	contains(t, "names", p.run(0, "", "__complete", "describe", "target", "fed"), "fedramp-2020")
	contains(t, "strategies", p.run(0, "", "__complete", "gaps", "--strategy", ""), "gsa-2018-2022\tGSA strategic plan 2018-2022")
	contains(t, "policies", p.run(0, "", "__complete", "gaps", "--policy", "ok"), "okr")
	p.url = "http://127.0.0.1:1"
	if got := p.run(0, "", "__complete", "describe", "target", "fed"); got != ":4\n" {
		t.Errorf("without a server: %q", got)
	}
}

func TestManifestsAreCheckedWithoutAServer(t *testing.T) {
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := terminalless{t, path, "http://127.0.0.1:1"}
	contains(t, "the example", p.run(0, "", "plan", "--offline", "-f", "../services/examples/gsa/plan"), "Valid: 69 resources")
	file := filepath.Join(t.TempDir(), "t.yaml")
	if err := os.WriteFile(file, []byte("apiVersion: setpoint.dev/v1\nkind: Target\nmetadata: {name: t}\nspec: {metric: nowhere, value: 1, direction: increase, due: 2020-12-31}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.run(1, "", "plan", "--offline", "-f", file)
	p.run(64, "", "plan", "--offline")
}
