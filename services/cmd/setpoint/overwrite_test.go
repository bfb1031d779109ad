package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A repository and somebody at the command line declare the same resources:
// what the one set is not overwritten by the other without a word.
func TestOverwritingWhatOthersSetIsTold(t *testing.T) {
	s := running(t, t.TempDir())
	dir := t.TempDir()
	put := func(name string, lines ...string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	metric := func(name, title, unit string) string {
		return "---\n{apiVersion: setpoint.dev/v1, kind: Metric, metadata: {name: " + name + "}, spec: {cadence: monthly, title: " + title + ", unit: " + unit + "}}"
	}
	run := func(args ...string) result { t.Helper(); return setpoint(t, s.URL(), args...) }
	git := put("git.yaml", metric("a", "A", "points"), metric("b", "B", "points"))
	ofGit := []string{"-f", git, "--manager", "git", "--set", "repository", "--prune"}
	apply := append([]string{"apply", "--yes"}, ofGit...)
	plan := append([]string{"plan"}, ofGit...)
	const said = "was changed by local (cli) on "

	if r := run(apply...).want(t, 0); strings.Contains(r.errors, "overwr") {
		t.Errorf("nothing was there: %s", r.errors)
	}
	// The same person edits by hand.
	edited := put("edit.yaml", metric("a", "Better", "points"))
	run("apply", "--yes", "-f", edited, "--set", "repository").want(t, 0)
	// Git knows nothing of it, and changes something else, too.
	put("git.yaml", metric("a", "A", "days"), metric("b", "B", "points"))

	run(plan...).want(t, 2, "git.yaml:2:", "Metric/a", "spec.title", said, "revision 5", "and would be overwritten", "setpoint history")
	run(append(plan, "--refuse-overwrites")...).want(t, 1, said, "error: applying this would overwrite what others have set, in 1 resource")
	before := run("get", "metric", "a", "-o", "json").want(t, 0).out
	run(append(apply, "--refuse-overwrites")...).want(t, 1, "error: nothing was changed: it would overwrite what others have set", "spec.title", said)
	if now := run("get", "metric", "a", "-o", "json").out; now != before {
		t.Errorf("a refused apply changed it: %s", now)
	}
	var planned struct {
		Changes []struct {
			Fields []struct {
				Path       string
				Overwrites *struct{ Revision, Recorded, Principal, Manager string }
			}
		}
	}
	if err := json.Unmarshal([]byte(run(append(plan, "-o", "json")...).want(t, 2).out), &planned); err != nil {
		t.Fatal(err)
	}
	for _, f := range planned.Changes[0].Fields {
		switch by := f.Overwrites; {
		case f.Path == "spec.title" && (by == nil || by.Manager != "cli" || by.Principal != "local" || by.Revision != "5" || by.Recorded == ""):
			t.Errorf("%s: %+v", f.Path, by)
		case f.Path != "spec.title" && by != nil:
			t.Errorf("%s was not edited: %+v", f.Path, by)
		}
	}
	// Without the flag it is done, and said.
	if r := run(apply...).want(t, 0, "Metric/a", "spec.title", said, "and is overwritten", "Applied: "); strings.Contains(r.errors, "spec.unit") {
		t.Errorf("nobody else set the unit: %s", r.errors)
	}
	// From then on it is git's.
	put("git.yaml", metric("a", "Again", "days"), metric("b", "B", "points"))
	if r := run(append(apply, "--refuse-overwrites")...).want(t, 0); strings.Contains(r.errors, "overwr") {
		t.Errorf("it is git's own: %s", r.errors)
	}
	// An edit that git takes over is no conflict.
	run("apply", "--yes", "-f", put("edit.yaml", metric("a", "Taken", "days")), "--set", "repository").want(t, 0, "and is overwritten", "by local (git)")
	put("git.yaml", metric("a", "Taken", "weeks"), metric("b", "B", "points"))
	run(append(apply, "--refuse-overwrites")...).want(t, 0, "~ Metric/a changed")
	// What is edited by hand and no longer in the repository.
	run("apply", "--yes", "-f", put("edit.yaml", metric("b", "Mine", "points")), "--set", "repository").want(t, 0)
	put("git.yaml", metric("a", "Taken", "weeks"))
	run(append(plan, "--refuse-overwrites")...).want(t, 1, "Metric/b", said, "pruning takes it away")
	run(append(apply, "--refuse-overwrites")...).want(t, 1, "Metric/b", said)
	run(apply...).want(t, 0, "- Metric/b deleted", said, "pruning takes it away")
}
