package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
	"setpoint.dev/proto/gen/setpoint/admin/v1/adminv1connect"
	"setpoint.dev/services/natsfault"
	"setpoint.dev/services/testpostgres"
)

// deployment is setpoint in parts, as it runs on a cluster: processes of the
// binary on an external NATS and on Postgres, two of each part.
type deployment struct {
	dir      string
	nats     child
	natsURL  string
	postgres *testpostgres.Server
	database string
	release  func() // the network that NATS is on

	api        map[string][]child // by target
	projectors []child
}

// apiTargets are the parts that answer requests. The reactor answers about events,
// and keeps conditions.
var apiTargets = []string{"declaration", "strategy", "initiative", "change", "gap", "reactor"}

const natsPassword = "e2e secret"

// deploy starts NATS with the settings of deploy/nats, an empty database, and
// the processes, each target in some of its own.
func deploy(ctx context.Context) (*deployment, error) {
	return deployOn(ctx, (*deployment).startNATS, apiTargets...)
}

// deployOn starts the processes on the NATS servers that nats starts; a target
// may be several, with commas between, in one process.
func deployOn(ctx context.Context, nats func(*deployment) error, api ...string) (_ *deployment, err error) {
	d := &deployment{api: map[string][]child{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	if d.dir, err = os.MkdirTemp("", "setpoint-split-"); err != nil {
		return nil, err
	}
	if err := nats(d); err != nil {
		return nil, err
	}
	if d.postgres, err = testpostgres.Start(ctx, "fsync=off"); err != nil {
		return nil, err
	}
	d.database = d.postgres.URL("postgres")
	// All at once, as after a power failure: they wait for each other.
	type started struct {
		target string
		child  child
		err    error
	}
	all := make(chan started)
	targets := append([]string{"projector"}, api...)
	for range 2 {
		for _, target := range targets {
			go func() {
				c, err := d.serve(target)
				all <- started{target, c, err}
			}()
		}
	}
	for range 2 * len(targets) {
		s := <-all
		switch {
		case s.err != nil:
			err = errors.Join(err, s.err)
		case s.target == "projector":
			d.projectors = append(d.projectors, s.child)
		default:
			for target := range strings.SplitSeq(s.target, ",") {
				d.api[target] = append(d.api[target], s.child)
			}
		}
	}
	return d, err
}

func (d *deployment) startNATS() error {
	network, release, err := natsfault.Network()
	if err != nil {
		return err
	}
	d.release = release
	address := network + ".1:4222" // the same when it starts again
	settings, err := os.ReadFile("../deploy/nats/setpoint.conf")
	if err == nil {
		err = os.WriteFile(filepath.Join(d.dir, "setpoint.conf"), settings, 0o600)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(d.dir, "nats.conf"), fmt.Appendf(nil,
			"server_name: e2e\nlisten: %q\ninclude \"setpoint.conf\"\nauthorization { user: setpoint, password: %q }\n",
			address, natsPassword), 0o600)
	}
	if err != nil {
		return err
	}
	d.natsURL = "nats://setpoint:" + strings.ReplaceAll(natsPassword, " ", "%20") + "@" + address
	return d.runNATS()
}

// runNATS starts the server, also again; setpoint waits until it is ready.
func (d *deployment) runNATS() error {
	path, err := natsfault.Binary()
	if err != nil {
		return err
	}
	cmd := exec.Command(path, "-c", filepath.Join(d.dir, "nats.conf"))
	cmd.Env = append(os.Environ(), "NATS_STORE_DIR="+filepath.Join(d.dir, "nats"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	d.nats = child{cmd: cmd, ended: &sync.Once{}}
	return nil
}

// serve starts one process, and waits until it answers. Its URLs, which hold
// passwords, come in the environment.
func (d *deployment) serve(target string) (child, error) {
	data, err := os.MkdirTemp(d.dir, target+"-")
	if err != nil {
		return child{}, err
	}
	return launch([]string{"serve", "--target", target, "--data", data, "--listen", "127.0.0.1:0"},
		"SETPOINT_NATS_URL="+d.natsURL, "SETPOINT_DATABASE_URL="+d.database)
}

// close ends everything, the parts first.
func (d *deployment) close() error {
	for _, replicas := range d.api {
		for _, c := range replicas {
			c.kill()
		}
	}
	for _, c := range d.projectors {
		c.kill()
	}
	if d.nats.cmd != nil {
		d.nats.kill()
	}
	var err error
	if d.postgres != nil {
		err = d.postgres.Close()
	}
	if d.release != nil {
		d.release()
	}
	return errors.Join(err, os.RemoveAll(d.dir))
}

// lines is what a process says, also while it runs.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// status is where one process says that the record stands.
func status(ctx context.Context, url string) (*adminv1.ProjectionStatus, error) {
	res, err := adminv1connect.NewAdminServiceClient(http.DefaultClient, url).GetStatus(ctx, &adminv1.GetStatusRequest{})
	if err != nil {
		return nil, err
	}
	return res.GetProjections()[0], nil
}

// eventually waits until f is nil.
func eventually(t testing.TB, what string, within time.Duration, f func() error) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.After(within)
	for {
		err := f()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("%s: not within %s: %v", what, within, err)
		}
	}
}
