package cli

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
)

// completes gives what a shell would be offered: names without their titles,
// and the directive.
func (s session) completes(t *testing.T, args ...string) (words []string, directive string) {
	t.Helper()
	s.names = time.Minute
	got := s.run(t, append([]string{"__complete"}, args...)...).want(t, exitOK)
	lines := strings.Split(strings.TrimSpace(got.stdout), "\n")
	for _, l := range lines[:len(lines)-1] {
		name, _, _ := strings.Cut(l, "\t")
		words = append(words, name)
	}
	return words, lines[len(lines)-1]
}

func TestCompletion(t *testing.T) {
	f := catalogue(
		resource(t, "Metric", "vacant-space", metricSpec, 12),
		resource(t, "Metric", "vacancies", metricSpec, 13),
		resource(t, "Target", "vacant-space", targetSpec, 14),
		resource(t, "Strategy", "gsa-2018-2022", `{"title": "GSA"}`, 5),
		resource(t, "Policy", "house", `{}`, 6),
	)
	s := session{server: f.serve(t)}
	for _, tt := range []struct {
		line string // the last word is being typed; ~ is nothing typed yet
		want []string
	}{
		{"get metric vaca", []string{"vacant-space", "vacancies"}},
		{"get metrics vacan", []string{"vacant-space", "vacancies"}},
		{"get metric vacant", []string{"vacant-space"}},
		{"get metric/vacant", []string{"metric/vacant-space"}},
		{"get observations vacant", []string{"vacant-space"}},
		{"describe target ~", []string{"vacant-space"}},
		{"describe target vacant-space ~", nil},
		{"delete strategy ~", []string{"gsa-2018-2022"}},
		{"history target ~", []string{"vacant-space"}},
		{"observe vacanc", []string{"vacancies"}},
		{"observe vacancies ~", nil},
		{"gaps --strategy ~", []string{"gsa-2018-2022"}},
		{"gaps --policy ~", []string{"default", "okr", "house"}},
		{"report gap --strategy g", []string{"gsa-2018-2022"}},
		{"gaps -o ~", []string{"table", "json", "yaml", "csv"}},
		{"describe -o ~", []string{"table", "json", "yaml"}},
		{"report gap --format ~", []string{"md", "html", "pdf", "xlsx", "json", "csv"}},
		{"apply --manager ~", []string{"cli", "git", "console", "policy", "api"}},
		{"gaps --as-of ~", nil},
		{"schema ~", append(declaredKindNames(), "mapping", "asyncapi")},
	} {
		args := strings.Fields(tt.line)
		if last := len(args) - 1; args[last] == "~" {
			args[last] = ""
		}
		got, directive := s.completes(t, args...)
		if !slices.Equal(got, tt.want) || directive != ":4" { // no file names
			t.Errorf("%s: %v %s, want %v", tt.line, got, directive, tt.want)
		}
	}
	if got, _ := s.completes(t, "get", ""); !slices.Contains(got, "observations") || !slices.Contains(got, "targets") {
		t.Errorf("kinds: %v", got)
	}
	if got, _ := s.completes(t, "gaps", "--w"); !slices.Contains(got, "--watch") {
		t.Errorf("flags: %v", got)
	}
	titled := s.run(t, "__complete", "get", "metric", "vacant").want(t, exitOK)
	titled.wantStdout(t, "vacant-space\tVacant space\n")
}

func TestCompletionTakesTheServerFromFlagsAndTheEnvironment(t *testing.T) {
	f := catalogue(resource(t, "Metric", "m", metricSpec, 12))
	server := f.serve(t)
	if got, _ := (session{}).completes(t, "get", "--server", server, "--org", "acme", "metric", ""); !slices.Equal(got, []string{"m"}) {
		t.Errorf("%v", got)
	}
	if org := f.headers[0].Get("Setpoint-Org"); org != "acme" {
		t.Errorf("organization %q", org)
	}
	if got, _ := (session{env: map[string]string{"SETPOINT_SERVER": server}}).completes(t, "get", "metric", ""); !slices.Equal(got, []string{"m"}) {
		t.Errorf("%v", got)
	}
}

// Where there is no server, or none that answers at once, a shell is offered
// nothing and reads nothing.
func TestCompletionIsSilentWithoutAServer(t *testing.T) {
	slow := &fake{}
	release := make(chan struct{})
	slow.list = func(*declarationv1.ListRequest) (*declarationv1.ListResponse, error) {
		<-release
		return &declarationv1.ListResponse{}, nil
	}
	silent := slow.serve(t)
	t.Cleanup(func() { close(release) })
	for _, server := range []string{"http://127.0.0.1:1", silent, "not a server"} {
		begun := time.Now()
		got := session{server: server}.runContext(context.Background(), "__complete", "get", "metric", "")
		if got.code != exitOK || got.stdout != ":4\n" || strings.Contains(got.stderr, "rror:") {
			t.Errorf("%s: %+v", server, got)
		}
		if took := time.Since(begun); took > time.Minute { // it waits a second, and not for the answer
			t.Errorf("%s: the shell hung for %s", server, took)
		}
	}
}

func TestCompletionScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		session{}.run(t, "completion", shell).want(t, exitOK).wantStdout(t, "__complete")
	}
}
