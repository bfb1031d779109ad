// Package testpostgres gives tests a PostgreSQL server: the one that
// SETPOINT_TEST_POSTGRES_URL names, or a private one made from the programs on
// this machine, in a temporary folder, which ends with the process that started
// it, however that ends. Where neither is to be had the test fails and says why.
//
// Start with New, which gives an empty database.
package testpostgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a private server.
type Server struct {
	dir, bin string
	owner    *syscall.Credential // nil: this process's user
	settings []string

	mu       sync.Mutex
	watchdog *exec.Cmd
	leash    io.Closer // the server ends when it is closed, by us or by our death
}

// Start makes a server, with settings such as fsync=off. It listens on a socket
// in its folder only.
func Start(ctx context.Context, settings ...string) (_ *Server, err error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, settings: settings}
	if s.owner, err = unprivileged(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp(s.parent(), "setpoint-pg-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(s.dir)
		}
	}()
	if s.owner != nil {
		if err := os.Chown(s.dir, int(s.owner.Uid), int(s.owner.Gid)); err != nil {
			return nil, err
		}
	}
	out, err := s.command(ctx, filepath.Join(bin, "initdb"), "-D", s.data(), "-U", "postgres", "-A", "trust",
		"-E", "UTF8", "--locale=C", "--no-sync").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out))
	}
	if err := s.Run(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// command makes a command that runs as the server's user, in its folder.
func (s *Server) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = s.dir
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "LC_ALL=C", "TZ=UTC"}
	if s.owner != nil {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner}
	}
	return c
}

// guard runs the server until its input ends: when the process that holds the
// other end closes it, or dies.
const guard = `"$@" </dev/null >>server.log 2>&1 &
pid=$!
cat >/dev/null
kill -QUIT $pid 2>/dev/null
wait $pid
test -e keep || rm -rf "$PWD"`

// Run starts the server again after Stop.
func (s *Server) Run(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	args := []string{"-c", guard, "guard", filepath.Join(s.bin, "postgres"), "-D", s.data(), "-k", s.dir, "-h", ""}
	for _, one := range append([]string{"max_connections=200"}, s.settings...) {
		args = append(args, "-c", one)
	}
	_ = os.Remove(filepath.Join(s.dir, "keep"))
	c := s.command(context.WithoutCancel(ctx), "/bin/sh", args...)
	// What is sent to the whole group of a test's processes (Ctrl-C, a time limit)
	// is not for the one that cleans up after them.
	if c.SysProcAttr == nil {
		c.SysProcAttr = &syscall.SysProcAttr{}
	}
	c.SysProcAttr.Setsid = true
	leash, err := c.StdinPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return fmt.Errorf("start the PostgreSQL server: %w", err)
	}
	s.watchdog, s.leash = c, leash
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(s.dir, "server.log"))
			return errors.Join(fmt.Errorf("the PostgreSQL server does not answer: %w: %s", err, bytes.TrimSpace(log)), leash.Close())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Stop ends the server at once, as a crash would, and keeps its data for Run.
func (s *Server) Stop() error {
	if err := os.WriteFile(filepath.Join(s.dir, "keep"), nil, 0o600); err != nil {
		return err
	}
	return s.end()
}

// Close ends the server and removes its folder.
func (s *Server) Close() error {
	return errors.Join(s.end(), os.RemoveAll(s.dir))
}

func (s *Server) end() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watchdog == nil {
		return nil
	}
	err := s.leash.Close()
	_ = s.watchdog.Wait() // its code is that of a server that was told to quit
	s.watchdog = nil
	return err
}

// URL is that of one of the server's databases, as its superuser.
func (s *Server) URL(database string) string {
	return "postgres:///" + database + "?" + encode(url.Values{"host": {s.dir}, "user": {"postgres"}})
}

// encode gives a query in which a space is %20: a + is one in forms only, and the
// client of PostgreSQL takes it for itself.
func encode(q url.Values) string { return strings.ReplaceAll(q.Encode(), "+", "%20") }

const oldest = 15 // major version

// programs finds the newest server installed here.
func programs() (string, error) {
	var places []string
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin",
		"/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin",
	} {
		found, _ := filepath.Glob(pattern)
		places = append(places, found...)
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		places = append(places, filepath.Dir(path))
	}
	best, version := "", 0
	var refused []string
	for _, dir := range places {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
			continue
		}
		out, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output()
		if err != nil {
			refused = append(refused, fmt.Sprintf("%s: %v", dir, err))
			continue
		}
		words := strings.Fields(string(out)) // postgres (PostgreSQL) 15.18 (Debian …)
		major := 0
		if len(words) > 2 {
			major, _ = strconv.Atoi(strings.FieldsFunc(words[2], func(r rune) bool { return r < '0' || r > '9' })[0])
		}
		if major < oldest {
			refused = append(refused, fmt.Sprintf("%s: %s, which is older than %d", dir, bytes.TrimSpace(out), oldest))
			continue
		}
		if major > version {
			best, version = dir, major
		}
	}
	if best == "" {
		return "", fmt.Errorf("there is no PostgreSQL server on this machine: no initdb of version %d or newer on PATH or in /usr/lib/postgresql/*/bin %v; "+
			"install one (Debian, Ubuntu: apt-get install postgresql), or set SETPOINT_TEST_POSTGRES_URL", oldest, refused)
	}
	return best, nil
}

// longest is how many bytes the name of the folder may have that the server's is
// made in: the path of a socket has 107 at most.
const longest = 60

// parent is the folder for temporary files, unless the server could not use it:
// because another user, as whom it runs, may not enter it, or because the path of
// a socket in it would be too long.
func (s *Server) parent() string {
	for _, dir := range []string{os.TempDir(), "/tmp", "/var/tmp"} {
		if len(dir) <= longest && (s.owner == nil || enterable(dir)) {
			return dir
		}
	}
	return ""
}

// enterable says whether everybody may enter a folder.
func enterable(dir string) bool {
	dir, err := filepath.Abs(dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	for ; err == nil; dir = filepath.Dir(dir) {
		var f os.FileInfo
		if f, err = os.Stat(dir); err == nil && f.Mode().Perm()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	return err == nil
}

// unprivileged is whom the server runs as: it refuses to run as root.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as")
}
