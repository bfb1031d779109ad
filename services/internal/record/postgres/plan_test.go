package postgres_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/postgres"
	"setpoint.dev/services/testpostgres"
)

// Whatever the planner knows of the tables, it finds a version as of a revision
// by one seek for each name, and never reads a whole history.
func TestReadsSeek(t *testing.T) {
	url := testpostgres.New(t)
	d := open(t, postgres.Options{URL: url})
	defer func() { _ = d.Close() }()
	s := live(t, d)
	const names, versions = 100, 200
	at := record.Checkpoint{}
	for at.Revision < versions {
		to := record.Checkpoint{LogID: "log", Revision: at.Revision + 1}
		changes := []record.Change{record.PutCommit{Org: "acme", Revision: to.Revision, Recorded: time.Now()}}
		for n := range names {
			name := fmt.Sprintf("unit-%03d", n)
			changes = append(changes, record.PutResource{Resource: record.Resource{Org: "acme", Kind: "Unit", Name: name, ID: name, From: to.Revision,
				Metadata: &commonv1.Metadata{Name: name}, Spec: &strategyv1.UnitSpec{Title: fmt.Sprint(to.Revision)}, Recorded: time.Now()}})
		}
		if err := s.Write(t.Context(), at, to, changes); err != nil {
			t.Fatal(err)
		}
		at = to
	}
	conn := connect(t, url)
	for _, statistics := range []string{"without statistics", "with statistics"} {
		if statistics == "with statistics" {
			execute(t, conn, `ANALYZE`)
		}
		for _, at := range []uint64{1, versions / 2, versions} {
			for name, q := range map[string]struct {
				text, index string
				args        []any
				most        int // rows read of the table of versions
			}{
				"resource":  {postgres.Text("resource"), "resource_pkey", []any{"acme", "Unit", "unit-050", at}, 1},
				"resources": {postgres.Text("resources"), "resource_pkey", []any{"acme", "Unit", at, "", nil}, names},
				"earlier":   {postgres.Text("earlier"), "resource_by_id", []any{[]string{"acme"}, []string{"Unit"}, []string{"unit-050"}}, 1},
			} {
				rows, err := conn.Query(t.Context(), `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS) `+q.text, q.args...)
				if err != nil {
					t.Fatal(err)
				}
				lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
				if err != nil {
					t.Fatal(err)
				}
				plan := strings.Join(lines, "\n")
				seeks := strings.Contains(plan, "using "+q.index+" on resource") && !strings.Contains(plan, "Seq Scan on resource ") && !strings.Contains(plan, "Seq Scan on resource v") &&
					!strings.Contains(plan, "Bitmap")
				if !seeks || !strings.Contains(plan, fmt.Sprintf("actual rows=1 loops=%d", q.most)) {
					t.Errorf("%s at %d, %s:\n%s", name, at, statistics, plan)
				}
			}
		}
	}
}
