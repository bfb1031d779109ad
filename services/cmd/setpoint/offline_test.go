package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"setpoint.dev/services/internal/cli"
)

// offline runs the command as a pipeline does: nobody listens anywhere.
func offline(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = cli.Run(t.Context(), cli.Options{
		Args:        append([]string{"plan", "--offline", "--server", "http://127.0.0.1:1"}, args...),
		Stdin:       strings.NewReader(""),
		Stdout:      &out,
		Stderr:      &errs,
		Env:         func(string) (string, bool) { return "", false },
		PlanOffline: planOffline,
	})
	return code, out.String(), errs.String()
}

func manifests(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "plan.yaml")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestTheExamplesAreValidOffline(t *testing.T) {
	code, out, errs := offline(t, "-f", "../../examples/gsa/plan")
	if code != 0 || !strings.Contains(out, "Valid: 69 resources in 5 files (1 organization, 1 strategy, 11 objectives, 28 metrics, 28 targets).") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
	if !strings.Contains(out, "Target/leases-at-market spec.direction") {
		t.Errorf("the advice is missing:\n%s", out)
	}
}

const metric = "apiVersion: setpoint.dev/v1\nkind: Metric\nmetadata: {name: m}\nspec: {title: M, cadence: yearly}\n---\n"

func TestOfflineFindsWhatTheServerWouldFind(t *testing.T) {
	const head = "apiVersion: setpoint.dev/v1\nkind: Target\nmetadata: {name: t}\nspec:\n"
	for name, tt := range map[string]struct {
		content string
		want    []string
	}{
		"schema": {metric + head + "  metric: m\n  valu: 3\n", []string{"plan.yaml:11:3", "valu", "did you mean"}},
		"rule": {metric + head + "  metric: m\n  value: 3\n  due: 2019-12-31\n  baseline: {date: 2020-12-31, value: 1}\n",
			[]string{"plan.yaml:", "Target/t"}},
		"reference": {head + "  metric: m\n  value: 3\n  due: 2019-12-31\n  direction: increase\n",
			[]string{"plan.yaml:5:11", "Target/t", "spec.metric", "offline, only what is in these files exists"}},
		"twice":   {metric + metric, []string{"Metric/m", "declared twice"}},
		"syntax":  {"kind: [\n", []string{"plan.yaml:"}},
		"nothing": {"# nothing\n", []string{"declare nothing"}},
		"several": {head + "  metric: m\n  objective: o\n  value: 3\n  direction: increase\n  due: 2019-12-31\n", []string{"spec.metric", "spec.objective", "2 faults"}},
	} {
		code, out, errs := offline(t, "-f", manifests(t, tt.content))
		if code != 1 || out != "" {
			t.Errorf("%s: exit code %d, stdout %q", name, code, out)
		}
		for _, want := range tt.want {
			if !strings.Contains(errs, want) {
				t.Errorf("%s lacks %q:\n%s", name, want, errs)
			}
		}
	}
}

// A rename is none where nothing is declared; the manifest is still valid.
func TestARenameIsValidOffline(t *testing.T) {
	if code, _, errs := offline(t, "-f", manifests(t, strings.Replace(metric, "{name: m}", "{name: m, renamedFrom: old}", 1))); code != 0 {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

// The pipelines that the documentation shows check what they say they check.
func TestTheDocumentedCommandsExist(t *testing.T) {
	doc, err := fs.ReadFile(os.DirFS("../../docs"), "ci.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"setpoint plan --offline -f plan/", "setpoint schema > setpoint.schema.json"} {
		if !bytes.Contains(doc, []byte(want)) {
			t.Errorf("ci.md no longer shows %q", want)
		}
	}
	var out bytes.Buffer
	if code := cli.Run(t.Context(), cli.Options{Args: []string{"schema"}, Stdout: &out, Stderr: &out, Env: func(string) (string, bool) { return "", false }}); code != 0 || out.Len() < 1000 {
		t.Errorf("exit code %d: %.200s", code, out.String())
	}
}
