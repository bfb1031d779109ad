package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"setpoint.dev/services/natsfault"
)

// What deploy/ sets is a flag, its NATS configuration is one that the server
// takes, and every part it starts exists.
func TestDeploymentFiles(t *testing.T) {
	_, said, _ := setpoint(t, nil, "serve", "--target", "none")
	reference, _, _ := setpoint(t, nil, "serve", "--help")
	for _, pattern := range []string{"../deploy/systemd/*", "../deploy/compose/*", "../deploy/container/*"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				if info, statErr := os.Stat(file); statErr == nil && info.IsDir() {
					continue
				}
				t.Fatal(err)
			}
			for _, variable := range regexp.MustCompile(`SETPOINT_[A-Z_]+`).FindAllString(string(text), -1) {
				flag := "--" + strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(variable, "SETPOINT_")), "_", "-")
				if !strings.Contains(reference, flag+" ") {
					t.Errorf("%s sets %s, and serve has no flag %s", file, variable, flag)
				}
			}
			for _, m := range regexp.MustCompile(`--target=([a-z,]+)`).FindAllStringSubmatch(string(text), -1) {
				for target := range strings.SplitSeq(m[1], ",") {
					if !regexp.MustCompile(`\b` + target + `\b`).MatchString(said) {
						t.Errorf("%s runs %s, which is none of: %s", file, target, said)
					}
				}
			}
		}
	}
	entranceOfCompose(t, said)
	path, err := natsfault.Binary()
	if err != nil {
		t.Fatal(err)
	}
	check := exec.Command(path, "-t", "-c", "../deploy/nats/cluster.conf")
	check.Env = append(os.Environ(), "NATS_STORE_DIR="+t.TempDir(), "NATS_SERVER_NAME=nats-1", "NATS_PASSWORD=a", "NATS_ROUTE_PASSWORD=b")
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("deploy/nats: %v %s", err, out)
	}
}

// everyTarget holds that a deployment runs all of setpoint, and that all that answers
// calls is where they arrive.
func everyTarget(t *testing.T, said string, runs, serves map[string]bool) {
	t.Helper()
	_, legal, _ := strings.Cut(said, "legal are ")
	targets := regexp.MustCompile(`[a-z]+`).FindAllString(strings.SplitN(legal, "\n", 2)[0], -1)
	if len(targets) < 8 {
		t.Fatalf("the targets are %q, of: %s", targets, said)
	}
	for _, target := range targets {
		if target == "all" {
			continue
		}
		if !runs[target] {
			t.Errorf("nothing runs %s", target)
		}
		if answers := target != "projector" && target != "reactor"; answers && !serves[target] {
			t.Errorf("calls to %s arrive nowhere", target)
		}
	}
}

// entranceOfCompose looks what the compose file runs, and what of it the entrance
// spreads calls over.
func entranceOfCompose(t *testing.T, said string) {
	t.Helper()
	read := func(name string) string {
		text, err := os.ReadFile("../deploy/compose/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	runs, of := map[string]bool{}, map[string]map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^  ([a-z0-9-]+): .*--target=([a-z,]+)`).FindAllStringSubmatch(read("compose.yaml"), -1) {
		of[m[1]] = map[string]bool{}
		for target := range strings.SplitSeq(m[2], ",") {
			runs[target], of[m[1]][target] = true, true
		}
	}
	upstream := regexp.MustCompile(`server ([a-z0-9-]+):8080`).FindAllStringSubmatch(read("nginx.conf"), -1)
	if len(upstream) < 2 {
		t.Errorf("the entrance spreads calls over %v", upstream)
	}
	for _, m := range upstream {
		everyTarget(t, said, runs, of[m[1]])
	}
}
