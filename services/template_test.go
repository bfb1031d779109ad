package services_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"setpoint.dev/services/internal/template"
)

// What a template promises: it applies to an empty server, applies again
// without a change, and every target of it is evaluated. The first and the last
// year that are legal are valid as well.
func TestTemplatesApply(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "setpoint")
	if out, err := exec.Command("go", "build", "-o", binary, "./cmd/setpoint").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	for _, tmpl := range template.All {
		t.Run(tmpl.Name, func(t *testing.T) {
			s := startSession(t, binary)
			must := func(command, want string) {
				t.Helper()
				if got := s.run(command + " && echo ended well"); !strings.Contains(got, want) || !strings.Contains(got, "ended well") {
					t.Errorf("%s\ngot:\n%s\nwant in it: %s", command, got, want)
				}
			}
			file := tmpl.Name + ".yaml"
			must("setpoint init --template "+tmpl.Name, "Wrote "+file)
			if documents := strings.Count(s.run("cat "+file), "apiVersion:"); documents != strings.Count(s.run("cat "+file), "# yaml-language-server: $schema=") {
				t.Errorf("an editor does not check every one of its %d documents", documents)
			}
			must("mkdir odd && touch odd/.setpoint; setpoint init --template "+tmpl.Name+" --out odd; ls odd", "ended well")
			if got := s.run("ls odd"); got != "" {
				t.Errorf("a folder without schemas has %s", got)
			}
			must("head -1 "+file+"; cat $(head -1 "+file+" | cut -d= -f2)", `"$schema": "http://json-schema.org/draft-07/schema#"`)
			must("setpoint apply --yes -f "+file, "")
			if got := s.run("setpoint plan --offline -f ."); !strings.HasPrefix(got, "Valid: ") { // and no advice; the schemas are no manifests
				t.Errorf("offline:\n%s", got)
			}
			must("setpoint plan -f "+file, "")
			targets := regexp.MustCompile(`(?m)^kind: Target\nmetadata: \{name: ([a-z-]+)\}`)
			content, err := tmpl.Manifests(2026)
			if err != nil {
				t.Fatal(err)
			}
			found := targets.FindAllSubmatch(content, -1)
			if len(found) < 2 {
				t.Fatalf("%d targets", len(found))
			}
			for _, m := range found {
				must("setpoint gaps -o csv", string(m[1]))
			}
			if got := s.run("setpoint init --template " + tmpl.Name); !strings.Contains(got, "is there already and is not overwritten") {
				t.Errorf("again: %s", got)
			}
			must("setpoint init --template "+tmpl.Name+" --year 1901 --out first && setpoint plan --offline -f first", "Valid")
			must("setpoint init --template "+tmpl.Name+" --year 2190 --out last && setpoint plan --offline -f last", "Valid")
		})
	}
}
