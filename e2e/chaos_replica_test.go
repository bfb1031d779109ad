package e2e_test

import (
	"sync"
	"syscall"
	"testing"
)

// replica is a server process that is killed, stopped and started again, while
// clients use it: its address is another one each time.
type replica struct {
	name string
	args []string

	mu      sync.Mutex
	running child
	up      bool
}

// newReplica starts one with arguments of the binary; it ends with the test.
func newReplica(t *testing.T, name string, args ...string) *replica {
	t.Helper()
	r := &replica{name: name, args: append(args, "--listen", "127.0.0.1:0")}
	t.Cleanup(r.kill)
	if err := r.start(); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *replica) start() error {
	c, err := launch(r.args)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running, r.up = c, true
	return nil
}

// url is where it answers, or answered.
func (r *replica) url() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.running.url
}

func (r *replica) kill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.up {
		r.running.kill()
	}
	r.up = false
}

// shutdown asks it to end and waits until it has.
func (r *replica) shutdown() {
	r.signal(syscall.SIGTERM)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.up {
		r.running.ended.Do(func() { _ = r.running.cmd.Wait() })
	}
	r.up = false
}

func (r *replica) signal(s syscall.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.up {
		_ = r.running.cmd.Process.Signal(s)
	}
}
