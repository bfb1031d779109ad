package natsfault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Binary is nats-server as the module pins it; the Go tool builds and keeps it.
var Binary = sync.OnceValues(func() (string, error) {
	cmd := exec.Command("go", "tool", "-n", "github.com/nats-io/nats-server/v2")
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("build nats-server: %w: %s", err, complaints.String())
	}
	return strings.TrimSpace(string(out)), nil
})

// Server is one server of a cluster. Its methods are for one goroutine.
type Server struct {
	Name string
	// Dir is where its data lies.
	Dir string

	config  string // the configuration's file
	log     string
	monitor string // URL of its monitoring, beside all links
	cmd     *exec.Cmd
	ended   chan struct{} // closed when the process has
	paused  bool
}

// errEnded says that a process ended that nobody asked to.
var errEnded = errors.New("its process ended by itself")

// Running says whether it has a process that is not stopped.
func (s *Server) Running() bool { return s.cmd != nil && !s.paused }

// Start starts the process, which is not ready yet.
func (s *Server) Start() error {
	if s.cmd != nil {
		return nil
	}
	path, err := Binary()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(path, "-c", s.config)
	cmd.Stdout, cmd.Stderr = log, log
	// If the test dies the server must not live on.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	s.cmd, s.ended = cmd, ended
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	return nil
}

// Kill ends the process at once, stopped or not.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	<-s.ended
	s.cmd, s.paused = nil, false
}

// Shutdown asks the process to end, and waits until it has.
func (s *Server) Shutdown() {
	if s.cmd == nil {
		return
	}
	s.Resume()
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	<-s.ended
	s.cmd = nil
}

// Pause stops the process (SIGSTOP): its connections stand, nobody answers.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP, true) }

// Resume lets a stopped process go on, as if no time had passed for it.
func (s *Server) Resume() { s.signal(syscall.SIGCONT, false) }

func (s *Server) signal(signal syscall.Signal, paused bool) {
	if s.cmd != nil && s.paused != paused {
		_ = s.cmd.Process.Signal(signal)
		s.paused = paused
	}
}

// Log is what the server has said.
func (s *Server) Log() string {
	data, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// healthy asks the server whether all it holds is up to date.
func (s *Server) healthy(ctx context.Context) error {
	return s.ask(ctx, "/healthz", nil)
}

// stream is what a server says of a stream that it holds.
type stream struct {
	leader   string // "" if it knows nobody
	metadata string // who leads the servers' metadata, likewise
	last     uint64 // the last sequence it has stored
}

func (s *Server) stream(ctx context.Context, name string) (stream, error) {
	var answer struct {
		Metadata struct {
			Leader string `json:"leader"`
		} `json:"meta_cluster"`
		Accounts []struct {
			Streams []struct {
				Name    string `json:"name"`
				Cluster struct {
					Leader string `json:"leader"`
				} `json:"cluster"`
				State struct {
					Last uint64 `json:"last_seq"`
				} `json:"state"`
			} `json:"stream_detail"`
		} `json:"account_details"`
	}
	if err := s.ask(ctx, "/jsz?accounts=true&streams=true", &answer); err != nil {
		return stream{}, err
	}
	for _, a := range answer.Accounts {
		for _, d := range a.Streams {
			if d.Name == name {
				return stream{d.Cluster.Leader, answer.Metadata.Leader, d.State.Last}, nil
			}
		}
	}
	return stream{}, fmt.Errorf("%s has no stream %s", s.Name, name)
}

func (s *Server) ask(ctx context.Context, path string, into any) error {
	if !s.Running() {
		return errors.New("it does not run")
	}
	select {
	case <-s.ended:
		return errEnded
	default:
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.monitor+path, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", res.Status, body)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(body, into)
}
