package postgres_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"path/filepath"
	"slices"
	"testing"

	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/postgres"
	"setpoint.dev/services/internal/record/recordtest"
	"setpoint.dev/services/internal/record/sqlite"
	"setpoint.dev/services/kinds"
	"setpoint.dev/services/testpostgres"
)

// store is the live generation of a database of its own.
type store struct {
	record.Store
	d    *postgres.Database
	name string // of the schema
}

func open(t testing.TB, o postgres.Options) *postgres.Database {
	t.Helper()
	o.Kinds = kinds.Registry()
	d, err := postgres.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// schema is the name of a schema for a key.
func schema(key string) string {
	h := fnv.New64()
	_, _ = h.Write([]byte(key))
	return fmt.Sprintf("s%x", h.Sum64())
}

// stores gives each key a store of its own. Making a schema takes long beside
// what a property does in it, so a schema whose store is closed is emptied and
// given to the next key.
type stores struct {
	url   string
	names map[string]string // the schema of each key, while no other key has it
	free  []store
}

// closing is a store that may be taken up again.
type closing struct {
	store
	key string
	all *stores
}

func (s closing) Close() error {
	s.all.free = append(s.all.free, s.store)
	return nil
}

func (all *stores) open(t testing.TB, key string) record.Store {
	t.Helper()
	again := all.names[key] != ""
	if !again && len(all.free) > 0 {
		s := all.free[len(all.free)-1]
		all.free = all.free[:len(all.free)-1]
		if err := s.d.Empty(context.Background()); err != nil {
			t.Fatal(err)
		}
		for other, name := range all.names {
			if name == s.name {
				delete(all.names, other)
			}
		}
		all.names[key] = s.name
		return closing{s, key, all}
	}
	if again {
		// As another process finds it.
		all.free = slices.DeleteFunc(all.free, func(s store) bool {
			if s.name != all.names[key] {
				return false
			}
			if err := s.d.Close(); err != nil {
				t.Fatal(err)
			}
			return true
		})
	} else {
		all.names[key] = schema(key)
	}
	d := open(t, postgres.Options{URL: all.url, Schema: all.names[key], Connections: 5})
	s, _, err := d.Live(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return closing{store{s, d, all.names[key]}, key, all}
}

func TestStore(t *testing.T) {
	// Every write small, and every write large.
	for name, many := range map[string]int{"small writes": 1_000_000, "large writes": 1} {
		t.Run(name, func(t *testing.T) {
			defer postgres.Many(many)()
			all := &stores{url: testpostgres.New(t), names: map[string]string{}}
			t.Cleanup(func() {
				for _, s := range all.free {
					_ = s.d.Close()
				}
			})
			recordtest.Run(t, all.open)
		})
	}
}

func TestDatabase(t *testing.T) {
	url := testpostgres.New(t)
	recordtest.RunDatabase(t, func(t testing.TB, key string) record.Database {
		t.Helper()
		return open(t, postgres.Options{URL: url, Schema: schema(key)})
	})
}

// Both databases make the same of the same history, in small writes and large.
func TestSameAsSQLite(t *testing.T) {
	d, dir := open(t, postgres.Options{URL: testpostgres.New(t)}), t.TempDir()
	t.Cleanup(func() { _ = d.Close() })
	for name, many := range map[string]int{"small writes": 1000, "large writes": 1} {
		t.Run(name, func(t *testing.T) {
			defer postgres.Many(many)()
			recordtest.Same(t, func(t testing.TB, key string) record.Store {
				t.Helper()
				s, g, err := d.Begin(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				return build{s, d, g.Number}
			}, func(t testing.TB, key string) record.Store {
				t.Helper()
				s, err := sqlite.Open(context.Background(), filepath.Join(dir, schema(key)+".db"), kinds.Registry())
				if err != nil {
					t.Fatal(err)
				}
				return s
			})
		})
	}
}

// build is a generation that is dropped when it is closed.
type build struct {
	record.Store
	d      *postgres.Database
	number int
}

func (b build) Close() error { return b.d.Drop(context.Background(), b.number) }
