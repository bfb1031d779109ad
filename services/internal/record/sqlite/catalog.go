package sqlite

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"setpoint.dev/services/internal/fault"
)

const (
	catalogFile = "record.json"
	firstFile   = "record.db"
)

var ourFile = regexp.MustCompile(`^record(-[0-9]+)?\.db$`)

// catalog is the list of the generations in a folder, and which one is live.
// It is a file that is replaced as a whole, so that whoever is killed leaves
// the one list or the other.
type catalog struct {
	Next        int     `json:"next"` // the number of the next generation; numbers are not used again
	Live        int     `json:"live"` // 0: none
	Generations []entry `json:"generations"`
}

type entry struct {
	Number  int    `json:"number"`
	Version int    `json:"version"` // record.FoldVersion when it was begun
	File    string `json:"file"`
}

func (c catalog) find(number int) (entry, bool) {
	i := slices.IndexFunc(c.Generations, func(e entry) bool { return e.Number == number })
	if i < 0 {
		return entry{}, false
	}
	return c.Generations[i], true
}

// superseded tells whether a generation was live before the one that is.
func (c catalog) superseded(e entry) bool { return e.Number < c.Live }

// with is the catalog and one generation more.
func (c catalog) with(version int) (catalog, entry) {
	e := entry{Number: c.Next, Version: version, File: fileOf(c.Next)}
	c.Next++
	c.Generations = append(slices.Clone(c.Generations), e)
	return c, e
}

func (c catalog) without(number int) catalog {
	c.Generations = slices.DeleteFunc(slices.Clone(c.Generations), func(e entry) bool { return e.Number == number })
	if c.Live == number {
		c.Live = 0
	}
	return c
}

func fileOf(number int) string {
	if number == 1 {
		return firstFile
	}
	return fmt.Sprintf("record-%d.db", number)
}

// readCatalog reads the list and makes it agree with the files there are:
// what is listed and has no file is struck off, what has a file and is not
// listed is left from a build or a swap that was killed and is removed. A
// folder that is older than the catalog has its one file as generation 1.
func readCatalog(dir string) (catalog, error) {
	c, err := listed(dir)
	if err != nil {
		return c, err
	}
	for _, e := range c.Generations {
		if !exists(filepath.Join(dir, e.File)) {
			c = c.without(e.Number)
		}
	}
	c.Generations = slices.DeleteFunc(c.Generations, c.superseded)
	left, err := filepath.Glob(filepath.Join(dir, scratchFiles))
	if err != nil {
		return c, err
	}
	for _, path := range left {
		if err := os.Remove(path); err != nil {
			return c, fmt.Errorf("remove a scratch store: %w", err)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "record*.db*"))
	if err != nil {
		return c, err
	}
	for _, path := range files {
		name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), "-wal"), "-shm")
		listed := slices.ContainsFunc(c.Generations, func(e entry) bool { return e.File == name })
		if !listed && ourFile.MatchString(name) {
			if err := removeFile(filepath.Join(dir, name)); err != nil {
				return c, err
			}
		}
	}
	return c, nil
}

// listed is the list as it is written.
func listed(dir string) (catalog, error) {
	c := catalog{Next: 1}
	text, err := os.ReadFile(filepath.Join(dir, catalogFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if exists(filepath.Join(dir, firstFile)) {
			c = catalog{Next: 2, Live: 1, Generations: []entry{{Number: 1, Version: 1, File: firstFile}}}
		}
	case err != nil:
		return c, fmt.Errorf("read the record's catalog: %w", err)
	default:
		if err := json.Unmarshal(text, &c); err != nil || !c.legal() {
			return c, fault.New(fault.Unavailable, "record.catalog_unreadable",
				"%s does not list the generations of the record", filepath.Join(dir, catalogFile)).
				WithHint("delete it and every record*.db beside it: the record is rebuilt from the log")
		}
	}
	return c, nil
}

func (c catalog) legal() bool {
	for _, e := range c.Generations {
		if e.Number < 1 || e.Number >= c.Next || e.File != fileOf(e.Number) {
			return false
		}
	}
	_, found := c.find(c.Live)
	return c.Next >= 1 && (c.Live == 0 || found)
}

// write replaces the list; once it returns the new one survives a power cut.
func (c catalog) write(dir string) error {
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	fail := func(err error) error { return fmt.Errorf("write the record's catalog: %w", err) }
	// One name, so that nothing piles up where a process was killed.
	f, err := os.OpenFile(filepath.Join(dir, catalogFile+".new"), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fail(err)
	}
	_, err = f.Write(append(text, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, catalogFile))
	}
	if err != nil {
		return fail(errors.Join(err, os.Remove(f.Name())))
	}
	if err := syncPath(dir); err != nil {
		return fail(err)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// removeFile removes a database and what belongs to it.
func removeFile(path string) error {
	for _, name := range []string{path, path + "-shm", path + "-wal"} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove a generation of the record: %w", err)
		}
	}
	return nil
}
