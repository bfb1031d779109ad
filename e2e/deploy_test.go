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
