//go:build unix

package embeddednats

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"setpoint.dev/services/internal/fault"
)

// lock is an exclusive lock on a file, given up by the kernel when the process
// ends in whatever way. The file holds the process id for people.
type lock struct{ file *os.File }

func acquire(path string) (*lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "nats.data_unusable", "the data folder %s cannot be written", filepath.Dir(path))
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fault.Wrap(err, fault.Internal, "nats.data_unusable", "the data folder %s cannot be locked", filepath.Dir(path))
		}
		holder := "another process"
		if b, err := io.ReadAll(io.LimitReader(f, 32)); err == nil && len(b) > 0 {
			holder = "process " + strings.TrimSpace(string(b))
		}
		return nil, fault.New(fault.Rule, "nats.data_in_use", "the data folder %s is in use by %s", filepath.Dir(path), holder).
			WithHint("stop that process, or give this one another --data folder")
	}
	if err := f.Truncate(0); err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
		if err != nil {
			return nil, errors.Join(fault.Wrap(err, fault.Invalid, "nats.data_unusable", "the data folder %s cannot be written", filepath.Dir(path)), f.Close())
		}
	}
	return &lock{f}, nil
}

// release gives the lock up; the file stays, so that nobody locks a file that
// is being removed.
func (l *lock) release() error { return l.file.Close() }
