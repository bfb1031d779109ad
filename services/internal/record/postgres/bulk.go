package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"setpoint.dev/services/internal/record"
)

// many is how many changes make a write worth more round trips, for which the
// server spends less on each row.
var many = 2_000

const uniqueViolation = "23505"

// sift leaves out the values that are newer than every one of their metric:
// nothing stands under them. Histories come in the order of their dates, mostly.
func (b *batch) sift(ctx context.Context, conn *pgx.Conn) error {
	type metric struct{ org, id string }
	var metrics []metric
	for _, v := range b.wantValues { // in order
		if m := (metric{v.org, v.metric}); len(metrics) == 0 || metrics[len(metrics)-1] != m {
			metrics = append(metrics, m)
		}
	}
	if 4*len(metrics) > len(b.wantValues) {
		return nil
	}
	rows, err := conn.Query(ctx, b.texts.newestValues, column(metrics, func(m metric) string { return m.org }),
		column(metrics, func(m metric) string { return m.id }))
	if err != nil {
		return err
	}
	newest := map[metric]string{}
	var i int
	var date string
	if _, err := pgx.ForEachRow(rows, []any{&i, &date}, func() error { newest[metrics[i-1]] = date; return nil }); err != nil {
		return err
	}
	kept := b.wantValues[:0]
	for _, v := range b.wantValues {
		if date, ok := newest[metric{v.org, v.metric}]; ok && v.at <= date {
			kept = append(kept, v)
		}
	}
	b.wantValues = kept
	return nil
}

// copyIn writes the rows that are new for certain, and the requests, which
// nearly always are.
func (b *batch) copyIn(ctx context.Context, conn *pgx.Conn) error {
	if err := copyRows(ctx, conn, b.texts.schema, "resource",
		[]string{"org", "kind", "name", "rev_from", "rev_to", "id", "created", "metadata", "spec", "set_name", "effective", "recorded", "principal", "manager", "doc"},
		b.resources, func(r *version) []any {
			return []any{r.Org, r.Kind, r.Name, r.From, r.to, r.ID, r.created, nonNil(r.metadata), nonNil(r.spec), r.Set, r.Effective,
				r.Recorded.UnixNano(), r.Principal, r.Manager, string(r.doc)}
		}); err != nil {
		return err
	}
	if err := copyRows(ctx, conn, b.texts.schema, "observation",
		[]string{"org", "metric_id", "observed_at", "source", "rev_from", "rev_to", "value", "note", "recorded", "corrections"},
		b.observed, func(o *record.Observation) []any {
			return []any{o.Org, o.MetricID, o.At, o.Source, o.From, o.To, o.Value, o.Note, o.Recorded.UnixNano(), o.Corrections}
		}); err != nil {
		return err
	}
	if err := copyRows(ctx, conn, b.texts.schema, "commit_time", []string{"revision", "org", "recorded"},
		b.commits, func(c commitTime) []any { return []any{c.Revision, c.Org, c.recorded} }); err != nil {
		return err
	}
	b.resources, b.observed, b.commits = nil, nil, nil
	if len(b.requests) == 0 {
		return nil
	}
	// One that is there already is added to, by the statement that looks.
	if _, err := conn.Exec(ctx, `SAVEPOINT requests`); err != nil {
		return err
	}
	err := copyRows(ctx, conn, b.texts.schema, "request", []string{"org", "request_id", "digest", "revision", "recorded", "corrected", "detail"},
		b.requests, func(r *record.Request) []any {
			return []any{r.Org, r.ID, nonNil(r.Digest), r.Revision, r.Recorded, r.Corrected, nonNil(r.Detail)}
		})
	if codeOf(err) == uniqueViolation {
		_, err = conn.Exec(ctx, `ROLLBACK TO SAVEPOINT requests`)
		return err
	}
	if err != nil {
		return err
	}
	b.requests = nil
	_, err = conn.Exec(ctx, `RELEASE SAVEPOINT requests`)
	return err
}

func copyRows[R any](ctx context.Context, conn *pgx.Conn, schema, table string, columns []string, rows []R, values func(R) []any) error {
	if len(rows) == 0 {
		return nil
	}
	n, err := conn.CopyFrom(ctx, pgx.Identifier{schema, table}, columns, pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
		return values(rows[i]), nil
	}))
	if err == nil && n != int64(len(rows)) {
		err = errors.New("rows were lost on the way")
	}
	return err
}
