package services_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"setpoint.dev/services/devserver"
)

// program is the folder with the program as users have it, built once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "setpoint-")
	if err != nil {
		return "", err
	}
	built = dir
	if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "setpoint"), "./cmd/setpoint").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return dir, nil
})

// built is the folder of the program, if it was built.
var built string

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		_ = os.RemoveAll(built)
	}
	os.Exit(code)
}

// session is a running service with its command line, in a folder.
type session struct {
	dir string
	env []string
}

func startSession(t *testing.T) session {
	t.Helper()
	dir, err := program()
	if err != nil {
		t.Fatal(err)
	}
	s, err := devserver.Start(t.Context(), devserver.Options{Data: t.TempDir(), Listen: "127.0.0.1:0", ReadWait: time.Minute, NoReactor: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	path := dir + string(os.PathListSeparator) + os.Getenv("PATH")
	return session{dir: t.TempDir(), env: append(os.Environ(), "PATH="+path, "SETPOINT_SERVER="+s.URL())}
}

// run gives what a person would see. A command may fail: plan ends with 2, and
// refusals are worth showing.
func (s session) run(command string) string {
	c := exec.Command("bash", "-c", command)
	c.Dir, c.Env = s.dir, s.env
	out, err := c.CombinedOutput()
	if len(out) == 0 && err != nil {
		return err.Error() + "\n"
	}
	return string(out)
}
