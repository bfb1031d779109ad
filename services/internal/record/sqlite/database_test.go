package sqlite_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/recordtest"
	"setpoint.dev/services/internal/record/sqlite"
	"setpoint.dev/services/kinds"
)

func openDatabase(t testing.TB, dir string) *sqlite.Database {
	t.Helper()
	d, err := sqlite.OpenDatabase(context.Background(), dir, kinds.Registry())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDatabase(t *testing.T) {
	dir := t.TempDir()
	recordtest.RunDatabase(t, func(t testing.TB, key string) record.Database {
		return openDatabase(t, filepath.Join(dir, strings.NewReplacer("/", "_", " ", "_").Replace(key)))
	})
}

// to is a place in a log.
func to(revision uint64) record.Checkpoint {
	return record.Checkpoint{LogID: "log", Revision: revision}
}

func revisionIn(t testing.TB, d *sqlite.Database) uint64 {
	t.Helper()
	at, err := d.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return at.Revision
}

func files(t testing.TB, dir string) []string {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range all {
		out = append(out, f.Name())
	}
	slices.Sort(out)
	return out
}

// A folder from before there were generations has one file.
func TestAFolderOfOneFile(t *testing.T) {
	dir := t.TempDir()
	s, err := sqlite.Open(t.Context(), filepath.Join(dir, "record.db"), kinds.Registry())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), record.Checkpoint{}, to(7), nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		d := openDatabase(t, dir)
		_, g, err := d.Live(t.Context())
		if err != nil || g.Number != 1 || g.Version != 1 || g.At.Revision != 7 {
			t.Errorf("live: %+v, %v", g, err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Whatever files are deleted while nothing runs, the rest opens.
func TestDeletedFiles(t *testing.T) {
	for name, pattern := range map[string]string{
		"the files": "*.db", "the files and what belongs to them": "*.db*", "the catalog": "record.json",
		"everything": "record*", "the first": "record.db*", "the second": "record-2.db*", "the third": "record-3.db*",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			d := openDatabase(t, dir)
			for n := range 3 {
				s, g, err := d.Live(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if n > 0 {
					if s, g, err = d.Begin(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				if err := s.Write(t.Context(), g.At, to(uint64(10*(n+1))), nil); err != nil {
					t.Fatal(err)
				}
				if n == 1 {
					if err := d.Promote(t.Context(), g.Number); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			victims, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil || len(victims) == 0 {
				t.Fatalf("nothing to delete in %v: %v", files(t, dir), err)
			}
			for _, f := range victims {
				if err := os.Remove(f); err != nil {
					t.Fatal(err)
				}
			}
			d = openDatabase(t, dir)
			s, g, err := d.Live(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Write(t.Context(), g.At, to(g.At.Revision+1), nil); err != nil {
				t.Fatal(err)
			}
			want := g.At.Revision + 1
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			d = openDatabase(t, dir)
			defer func() { _ = d.Close() }()
			if got := revisionIn(t, d); got != want {
				t.Errorf("opened again it stands at %d, not %d", got, want)
			}
		})
	}
}

// What is not listed was left by somebody who was killed.
func TestLeftoversAreRemoved(t *testing.T) {
	dir := t.TempDir()
	d := openDatabase(t, dir)
	if _, _, err := d.Live(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	want := files(t, dir)
	for _, name := range []string{"record-9.db", "record-9.db-wal", "record-8.db-shm"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("left"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "record-of-mine.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d = openDatabase(t, dir)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	want = append(want, "record-of-mine.db")
	slices.Sort(want)
	if got := files(t, dir); !slices.Equal(got, want) {
		t.Errorf("left are %v, want %v", got, want)
	}
}

func TestAnUnreadableCatalogIsRefusedInWords(t *testing.T) {
	for _, text := range []string{"", "{", `{"next":1,"live":1}`, `{"next":3,"live":2,"generations":[{"number":2,"file":"../x"}]}`} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "record.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := sqlite.OpenDatabase(t.Context(), dir, kinds.Registry())
		if fault.ReasonOf(err) != "record.catalog_unreadable" {
			t.Errorf("%q: %v", text, err)
		}
	}
}
