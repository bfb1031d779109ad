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
	built bool // generations that are built, not live ones
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

func newStores(t *testing.T, built bool) *stores {
	all := &stores{url: testpostgres.New(t), names: map[string]string{}, built: built}
	t.Cleanup(func() {
		for _, s := range all.free {
			_ = s.d.Close()
		}
	})
	return all
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
	begin := d.Live
	if all.built {
		begin = d.Begin
	}
	s, _, err := begin(context.Background())
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
			recordtest.Run(t, newStores(t, false).open)
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

// Both databases make the same of the same history, in small writes and large,
// of generations that are built.
func TestSameAsSQLite(t *testing.T) {
	dir := t.TempDir()
	for name, many := range map[string]int{"small writes": 1_000_000, "large writes": 1} {
		t.Run(name, func(t *testing.T) {
			defer postgres.Many(many)()
			recordtest.Same(t, newStores(t, true).open, func(t testing.TB, key string) record.Store {
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

// A generation that was built has the indexes that the migrations make.
func TestABuiltGenerationIsIndexed(t *testing.T) {
	url := testpostgres.New(t)
	d := open(t, postgres.Options{URL: url})
	defer func() { _ = d.Close() }()
	_ = live(t, d)
	_, built, err := d.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn := connect(t, url)
	indexes := func(number int) (names []string) {
		t.Helper()
		if err := conn.QueryRow(t.Context(), `SELECT array_agg(replace(indexdef, schemaname || '.', '') ORDER BY indexname) FROM pg_indexes WHERE schemaname = $1`,
			fmt.Sprintf("setpoint_g%d", number)).Scan(&names); err != nil {
			t.Fatal(err)
		}
		return names
	}
	if slices.Equal(indexes(built.Number), indexes(1)) {
		t.Error("indexes for readers are kept while there are none")
	}
	if err := d.Promote(t.Context(), built.Number); err != nil {
		t.Fatal(err)
	}
	execute(t, conn, append([]string{`CREATE SCHEMA fresh; SET search_path = fresh`}, postgres.Migrations(t)...)...)
	var fresh []string
	if err := conn.QueryRow(t.Context(), `SELECT array_agg(replace(indexdef, 'fresh.', '') ORDER BY indexname) FROM pg_indexes WHERE schemaname = 'fresh'`).Scan(&fresh); err != nil {
		t.Fatal(err)
	}
	for _, number := range []int{1, built.Number} {
		if got := indexes(number); !slices.Equal(got, fresh) {
			t.Errorf("generation %d has the indexes %q, not %q", number, got, fresh)
		}
	}
}
