package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/services/natsfault"
	"setpoint.dev/services/testpostgres"
)

// Postgres is stopped at once (-m immediate, and without fsync's comfort of a
// clean end) again and again while a record is built from the log. The build
// goes on where the last committed batch ended, and comes to what another
// process has on SQLite.
func TestPostgresIsStoppedWhileTheRecordIsBuilt(t *testing.T) {
	t.Parallel() // faults are mostly waited for
	const applies, units = 4, 1500
	cluster := natsfault.Start(t, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	sqlite := newReplica(t, "sqlite", "serve", "--target=all", "--nats-url", cluster.URL(), "--data", t.TempDir())
	c := connectTo(t, sqlite.url(), "default")
	c.apply(small)
	var last int64
	for a := range applies {
		var b strings.Builder
		for i := range units {
			fmt.Fprintf(&b, "---\n{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: u%d-%d}, spec: {title: %q}}\n", a%3, i, fmt.Sprint("in apply ", a))
		}
		res, err := c.declare.Apply(ctx, &declarationv1.ApplyRequest{Manifests: manifests(b.String())})
		if err != nil {
			t.Fatal(err)
		}
		last = res.GetRevision()
	}
	want := everything(c)

	database, err := testpostgres.Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := database.Close(); err != nil {
			t.Error(err)
		}
	})
	// A process answers when it has caught up. One that gives up is started
	// again, as a supervisor would.
	started := make(chan child, 1)
	data := t.TempDir()
	go func() {
		for ctx.Err() == nil {
			r, err := launch([]string{"serve", "--target=all", "--data", data, "--listen", "127.0.0.1:0"},
				"SETPOINT_NATS_URL="+cluster.URL(), "SETPOINT_DATABASE_URL="+database.URL("postgres"))
			if err == nil {
				started <- r
				return
			}
		}
		close(started)
	}()
	// Each time in the midst of a write: of the first one that is seen, then of the
	// second, in turns, so that something is done between two stops. The first few
	// make the tables.
	const most = 8
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	stops := 0
	var r child
	for up := false; !up; {
		var write <-chan time.Time
		var writing func() bool
		if stops < most {
			write, writing = look.C, writes(ctx, t, database, 1+stops%2)
		}
		for stopped := false; !up && !stopped; {
			select {
			case r, up = <-started:
				if !up {
					t.Fatal("the process does not start")
				}
			case <-write:
				if !writing() {
					break
				}
				if err := errors.Join(database.Stop(), database.Run(ctx)); err != nil {
					t.Fatal(err)
				}
				stops++
				stopped = true
			}
		}
	}
	t.Cleanup(r.kill)
	eventually(t, "the record is built", 5*time.Minute, func() error {
		s, err := status(ctx, r.url)
		if err == nil && int64(s.GetRevision()) < last {
			err = fmt.Errorf("it stands at %d of %d", s.GetRevision(), last)
		}
		return err
	})
	if got := everything(connectTo(t, r.url, "default")); got != want {
		t.Error("the record on Postgres differs from the one on SQLite")
	}
	if stops < 2 {
		t.Errorf("the database was stopped %d times before the record was built: nothing was shown", stops)
	}
	t.Logf("the database was stopped %d times before the record of %d revisions was built", stops, last)
}

// writes tells whether a transaction that writes is under way, once so many of
// them were seen.
func writes(ctx context.Context, t *testing.T, database *testpostgres.Server, from int) func() bool {
	conn, err := pgx.Connect(ctx, database.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(ctx)) }) // broken by the stop, mostly
	last := ""
	return func() bool {
		var now string
		if err := conn.QueryRow(ctx, `SELECT coalesce(max(backend_xid::text), '') FROM pg_stat_activity`).Scan(&now); err != nil {
			t.Fatal(err)
		}
		if now != "" && now != last {
			last = now
			from--
		}
		return now != "" && from <= 0
	}
}
