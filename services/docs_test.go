package services_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	"setpoint.dev/services/declaration/manifest"
	"setpoint.dev/services/kinds"
)

var update = flag.Bool("update", false, "write what the commands of the README print into it")

// The README shows what the program prints: every console block is typed in
// and compared. A line "…" stands for any number of lines. The loop is at rest,
// as else the revision that a command gets depends on who was first.
func TestReadmeShowsWhatIsPrinted(t *testing.T) {
	const readme = "../README.md"
	t.Parallel()
	content, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	tour, demo := startSession(t), startSession(t)
	demo.dir = "examples/gsa"
	demo.run("setpoint apply -f plan --yes && setpoint observe -f observations.csv")

	blocks := regexp.MustCompile("(?s)```(yaml|console)\n(.*?)```")
	ran := 0
	written := blocks.ReplaceAllStringFunc(string(content), func(block string) string {
		m := blocks.FindStringSubmatch(block)
		if m[1] == "yaml" {
			name, ok := strings.CutPrefix(strings.SplitN(m[2], "\n", 2)[0], "# ")
			if !ok {
				t.Errorf("a yaml block does not begin with the name of its file:\n%s", block)
				return block
			}
			file := filepath.Join(tour.dir, name)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(m[2]), 0o644); err != nil {
				t.Fatal(err)
			}
			return block
		}
		where := tour
		if strings.Contains(m[2], "gsa-2018-2022") {
			where = demo
		}
		var printed strings.Builder
		for line := range strings.Lines(m[2]) {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				ran++
				printed.WriteString(line)
				printed.WriteString(where.run(command))
			}
		}
		if elides := strings.Contains(m[2], "\n…\n"); !shows(m[2], printed.String()) {
			if !*update || elides {
				t.Errorf("the README shows\n%s\nthe program prints\n%s", m[2], printed.String())
			}
			if *update && !elides {
				return "```console\n" + printed.String() + "```"
			}
		}
		return block
	})
	if ran < 10 {
		t.Errorf("only %d commands were found in the README", ran)
	}
	if *update && written != string(content) {
		if err := os.WriteFile(readme, []byte(written), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// The examples apply, twice the same, and what they walk through works. Advice
// is what their READMEs say.
func TestExamplesApplyCleanly(t *testing.T) {
	t.Parallel()
	report := filepath.Join(t.TempDir(), "report.html")
	for name, walk := range map[string]struct {
		command, says string
		advice        int
	}{
		"bridges":  {"setpoint change stage one-dispatch-room ending --to in_progress --evidence farewell && setpoint change describe one-dispatch-room", "Readiness (heuristic):\n  0.17, adoption 0.28", 1}, // the program belongs to no initiative
		"helpdesk": {"./walkthrough.sh " + report, "Covered:      31.6 % by knowledge-base, 11.9 % with people as ready as they are (heuristic)", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := startSession(t)
			s.dir = filepath.Join("examples", name)
			if out := s.run("setpoint apply -f plan --yes"); !strings.Contains(out, " created, 0 changed") || strings.Contains(out, "warning") != (walk.advice > 0) ||
				walk.advice > 0 && !strings.Contains(out, fmt.Sprintf("%d warning", walk.advice)) {
				t.Errorf("apply says\n%s", out)
			}
			if out := s.run("setpoint apply -f plan --yes"); !strings.Contains(out, "0 created, 0 changed, 0 deleted") {
				t.Errorf("a second apply says\n%s", out)
			}
			if out := s.run(walk.command + " 2>&1"); !strings.Contains(out, walk.says) {
				t.Errorf("%q is not in\n%s", walk.says, out)
			}
		})
	}
	page, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	for _, section := range []string{"<h2>Initiatives</h2>", "<h2>Coverage: what closes the gaps</h2>", "<h2>Readiness: whether people come along</h2>"} {
		if !strings.Contains(string(page), section) {
			t.Errorf("the report has no %s", section)
		}
	}
}

// moments are what differs from run to run: when it was recorded, and the day
// from which a declaration counts by default.
var moments = regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z|Effective: +\d{4}-\d\d-\d\d`)

// shows compares a block with what was printed, blanks at the ends of lines
// aside.
func shows(block, printed string) bool {
	lines := func(s string) []string {
		out := strings.Split(strings.TrimSpace(moments.ReplaceAllString(s, "(then)")), "\n")
		for i := range out {
			out[i] = strings.TrimRight(out[i], " ")
		}
		return out
	}
	want, got := lines(block), lines(printed)
	any := false
	for _, w := range want {
		if w == "…" {
			any = true
			continue
		}
		i := 0
		if any {
			i = slices.Index(got, w)
		}
		if i < 0 || i >= len(got) || got[i] != w {
			return false
		}
		got, any = got[i+1:], false
	}
	return any || len(got) == 0
}

func TestEveryFieldOfAManifestIsDocumented(t *testing.T) {
	content, err := os.ReadFile("docs/manifests.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := strings.Split(string(content), "\n## ")
	section := func(name string) string {
		for _, s := range sections {
			if title, body, _ := strings.Cut(s, "\n"); strings.TrimSpace(title) == name {
				return body
			}
		}
		t.Errorf("docs/manifests.md has no section %q", name)
		return ""
	}
	metadata := section("Metadata")
	each((&commonv1.Metadata{}).ProtoReflect().Descriptor(), "", func(path string) {
		if !strings.Contains(metadata, "`"+path+"`") {
			t.Errorf("docs/manifests.md, Metadata: the field `%s` is not described", path)
		}
	})
	for _, k := range kinds.Registry().Kinds() {
		text := section(k.Name)
		each(k.NewSpec().ProtoReflect().Descriptor(), "", func(path string) {
			if !strings.Contains(text, "`"+path+"`") {
				t.Errorf("docs/manifests.md, %s: the field `%s` is not described", k.Name, path)
			}
		})
		if !strings.Contains(text, "kind: "+k.Name+"\n") {
			t.Errorf("docs/manifests.md, %s: there is no example", k.Name)
		}
	}
}

// The examples are manifests that the server would read.
func TestExamplesOfManifestsCanBeRead(t *testing.T) {
	content, err := os.ReadFile("docs/manifests.md")
	if err != nil {
		t.Fatal(err)
	}
	registry := kinds.Registry()
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(content), -1)
	if len(examples) < len(registry.Kinds()) {
		t.Errorf("%d examples for %d kinds", len(examples), len(registry.Kinds()))
	}
	for _, m := range examples {
		documents, faults := manifest.Parse([]manifest.File{{Path: "example.yaml", Content: []byte(m[1])}}, registry, manifest.Limits{})
		if len(faults) > 0 || len(documents) != 1 {
			t.Errorf("%s\n%d documents, %+v", m[1], len(documents), faults)
		}
	}
}

// each calls f for every field by its path in a manifest; an element of a list
// is written with [].
func each(m protoreflect.MessageDescriptor, prefix string, f func(path string)) {
	fields := m.Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		path := prefix + field.JSONName()
		if field.IsList() && field.Message() != nil {
			path += "[]"
		}
		if field.Message() != nil && !field.IsMap() {
			each(field.Message(), path+".", f)
			continue
		}
		f(path)
	}
}

// A link to a file that is not there leads a stranger astray.
func TestLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#\s]+)[^)]*\)`)
	pages := []string{"../README.md", "../CONTRIBUTING.md", "examples/gsa/README.md"}
	for _, pattern := range []string{"docs/*.md", "docs/adr/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	for _, page := range pages {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(content), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", page, m[1])
			}
		}
	}
}
