package postgres_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"testing"

	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/postgres"
	"setpoint.dev/services/internal/record/recordtest"
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

func TestStore(t *testing.T) {
	url := testpostgres.New(t)
	recordtest.Run(t, func(t testing.TB, key string) record.Store {
		t.Helper()
		h := fnv.New32()
		_, _ = h.Write([]byte(key))
		d := open(t, postgres.Options{URL: url, Schema: fmt.Sprintf("s%x", h.Sum32())})
		s, _, err := d.Live(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return store{s, d}
	})
}
