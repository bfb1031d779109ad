//go:build unix

package token

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"setpoint.dev/services/internal/fault"
)

// Create makes a token, adds its entry to the file, which is made if missing,
// and returns it with the entry. It is the only time that the token is known.
func Create(path string, g Grant, now time.Time) (Token, string, error) {
	made, whole, err := mint(g, now)
	if err != nil {
		return Token{}, "", err
	}
	err = change(path, true, func(tokens []Token) ([]Token, error) {
		if slices.ContainsFunc(tokens, func(t Token) bool { return t.ID == made.ID }) {
			return nil, fault.New(fault.Internal, "token.id_taken", "two tokens came out with the id %s: try again", made.ID)
		}
		return append(tokens, made), nil
	})
	if err != nil {
		return Token{}, "", err
	}
	return made, whole, nil
}

// List returns the entries of a file in the order they were made.
func List(path string) ([]Token, error) {
	tokens, _, err := read(path)
	return tokens, err
}

// Revoke ends a token, named by its id or, if it leaked, by the whole of it. A
// token that is revoked already stays so since then.
func Revoke(path, id string, now time.Time) (Token, error) {
	if of, ok := split(id); ok {
		id = of
	}
	var revoked Token
	err := change(path, false, func(tokens []Token) ([]Token, error) {
		i := slices.IndexFunc(tokens, func(t Token) bool { return t.ID == id })
		if i < 0 {
			return nil, fault.New(fault.NotFound, "token.unknown", "there is no token %.40q in %s", id, path).
				WithHint("see: setpoint token list --file %s", path)
		}
		if tokens[i].Revoked.IsZero() {
			tokens[i].Revoked = now.UTC().Truncate(time.Second)
		}
		revoked = tokens[i]
		return tokens, nil
	})
	return revoked, err
}

// change replaces the file by what f makes of its entries, alone among the
// processes that do.
func change(path string, make bool, f func([]Token) ([]Token, error)) error {
	// A symbolic link stays one.
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	} else if !errors.Is(err, fs.ErrNotExist) {
		return unusable(err, path)
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "token.file_unusable", "the folder of the token file %s cannot be used", path)
	}
	defer func() { _ = folder.Close() }() // gives the lock up
	if err := syscall.Flock(int(folder.Fd()), syscall.LOCK_EX); err != nil {
		return fault.Wrap(err, fault.Invalid, "token.file_unusable", "the folder of the token file %s cannot be locked", path)
	}
	tokens, info, err := read(path)
	if err != nil && (!make || fault.ReasonOf(err) != "token.file_missing") {
		return err
	}
	if tokens, err = f(tokens); err != nil {
		return err
	}
	if err := replace(folder, path, info, encode(tokens)); err != nil {
		return fault.Wrap(err, fault.Invalid, "token.file_unusable", "the token file %s cannot be written", path)
	}
	return nil
}

// replace puts content in the file's place; owner and mode stay as they were.
func replace(folder *os.File, path string, was fs.FileInfo, content []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
	}()
	if was != nil {
		if err := f.Chmod(was.Mode().Perm()); err != nil {
			return err
		}
		of, ok := was.Sys().(*syscall.Stat_t)
		if ok && (int(of.Uid) != os.Geteuid() || int(of.Gid) != os.Getegid()) {
			if err := f.Chown(int(of.Uid), int(of.Gid)); err != nil {
				return err
			}
		}
	}
	if _, err := f.Write(content); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	if err := folder.Sync(); err != nil {
		return err
	}
	return f.Close()
}
