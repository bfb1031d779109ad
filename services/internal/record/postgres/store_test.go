package postgres_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"path/filepath"
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
	d *postgres.Database
}

func (s store) Close() error { return s.d.Close() }

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

func TestStore(t *testing.T) {
	url := testpostgres.New(t)
	recordtest.Run(t, func(t testing.TB, key string) record.Store {
		t.Helper()
		d := open(t, postgres.Options{URL: url, Schema: schema(key)})
		s, _, err := d.Live(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return store{s, d}
	})
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
