package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"setpoint.dev/services/internal/record"
)

// many is how many changes make a write worth more round trips, for which the
// server spends less on each row.
var many = 2_000

const uniqueViolation = "23505"

// sift leaves out the values that are newer than every one of their metric:
// nothing stands under them. Histories come in the order of their dates, mostly.
// Of metrics that are not known yet it asks.
func (b *batch) sift(ctx context.Context, conn *pgx.Conn) error {
	var ask []metric
	count, last := 0, metric{}
	for i, v := range b.wantValues { // in order
		m := metric{v.org, v.metric}
		if i > 0 && m == last {
			continue
		}
		count, last = count+1, m
		if _, ok := b.newest[m]; !ok {
			ask = append(ask, m)
		}
	}
	if 4*count > len(b.wantValues) {
		return nil
	}
	if b.newest == nil {
		b.newest = make(map[metric]string, len(ask))
	}
	if len(ask) > 0 {
		rows, err := conn.Query(ctx, b.texts.newestValues, column(ask, func(m metric) string { return m.org }),
			column(ask, func(m metric) string { return m.id }))
		if err != nil {
			return err
		}
		for _, m := range ask {
			b.newest[m] = ""
		}
		var i int
		var date string
		if _, err := pgx.ForEachRow(rows, []any{&i, &date}, func() error { b.newest[ask[i-1]] = date; return nil }); err != nil {
			return err
		}
	}
	kept := b.wantValues[:0]
	for _, v := range b.wantValues {
		if v.at <= b.newest[metric{v.org, v.metric}] {
			kept = append(kept, v)
		}
	}
	b.wantValues = kept
	return nil
}

// The columns that copyIn writes, in order.
var (
	resourceInto    = append(columnsOf("resource"), "doc")
	observationInto = columnsOf("observation")
	commitInto      = columnsOf("commit_time")
	requestInto     = columnsOf("request")
)

func columnsOf(name string) []string {
	for _, t := range tables {
		if t.name == name {
			return strings.Fields(t.columns)
		}
	}
	panic("there is no table " + name)
}

// dated are rows that have a revision in their key.
type dated struct {
	schema   string
	observed []*record.Observation
	commits  []commitTime
}

// takeDated takes them out of the batch.
func (b *batch) takeDated() dated {
	d := dated{b.texts.schema, b.observed, b.commits}
	b.observed, b.commits = nil, nil
	return d
}

func (d dated) copyIn(ctx context.Context, conn *pgx.Conn) error {
	observed := newRows(len(observationInto), 160*len(d.observed))
	for _, o := range d.observed {
		observed.row().text(o.Org, o.MetricID, o.At, o.Source).bigint(int64(o.From), int64(o.To)).double(o.Value).text(o.Note).
			bigint(o.Recorded.UnixNano()).integer(o.Corrections)
	}
	if err := observed.copyTo(ctx, conn, d.schema, "observation", observationInto); err != nil {
		return err
	}
	commits := newRows(len(commitInto), 50*len(d.commits))
	for _, c := range d.commits {
		commits.row().bigint(int64(c.Revision)).text(c.Org).bigint(c.recorded)
	}
	return commits.copyTo(ctx, conn, d.schema, "commit_time", commitInto)
}

// copyIn writes the rows that are new for certain, and the requests, which
// nearly always are.
func (b *batch) copyIn(ctx context.Context, conn *pgx.Conn) error {
	resources := newRows(len(resourceInto), 400*len(b.resources))
	for _, r := range b.resources {
		resources.row().text(r.Org, r.Kind, r.Name).bigint(int64(r.From), int64(r.to)).text(r.ID).bigint(int64(r.created)).
			bytes(r.metadata, r.spec).text(r.Set, r.Effective).bigint(r.Recorded.UnixNano()).text(r.Principal, r.Manager).jsonb(r.doc)
	}
	if err := resources.copyTo(ctx, conn, b.texts.schema, "resource", resourceInto); err != nil {
		return err
	}
	b.resources = nil
	if err := b.takeDated().copyIn(ctx, conn); err != nil {
		return err
	}
	if len(b.requests) == 0 {
		return nil
	}
	// One that is there already is added to, by the statement that looks.
	if _, err := conn.Exec(ctx, `SAVEPOINT requests`); err != nil {
		return err
	}
	requests := newRows(len(requestInto), 160*len(b.requests))
	for _, r := range b.requests {
		requests.row().text(r.Org, r.ID).bytes(r.Digest).bigint(int64(r.Revision)).integer(r.Recorded, r.Corrected).bytes(r.Detail)
	}
	err := requests.copyTo(ctx, conn, b.texts.schema, "request", requestInto)
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
