package postgres_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/postgres"
	"setpoint.dev/services/testpostgres"

	"google.golang.org/protobuf/proto"
)

// fill declares and observes something in two organizations.
func fill(t *testing.T, s record.Store) {
	t.Helper()
	at := record.Checkpoint{}
	commit := func(when time.Time, org string, changes ...record.Change) {
		t.Helper()
		to := record.Checkpoint{LogID: "log", Revision: at.Revision + 1, Hash: []byte{1}}
		for i, c := range changes {
			switch c := c.(type) {
			case record.PutResource:
				c.Org, c.From, c.Recorded, c.ID = org, to.Revision, when, c.Metadata.GetName()
				c.Name, c.Effective, c.Principal, c.Manager = c.ID, when.Format(time.DateOnly), "p-17", "cli"
				changes[i] = c
			case record.PutObservation:
				c.Org, c.From, c.Recorded = org, to.Revision, when
				changes[i] = c
			case record.PutCheckIn:
				c.Org, c.Revision, c.Recorded = org, to.Revision, when
				changes[i] = c
			}
		}
		changes = append(changes, record.PutCommit{Org: org, Revision: to.Revision, Recorded: when})
		if err := s.Write(t.Context(), at, to, changes); err != nil {
			t.Fatal(err)
		}
		at = to
	}
	put := func(kind, name string, spec proto.Message) record.Change {
		return record.PutResource{Resource: record.Resource{Kind: kind, Spec: spec,
			Metadata: &commonv1.Metadata{Name: name, Labels: map[string]string{"source": "gsa"}}}}
	}
	value := func(metric, date string, v float64) record.Change {
		return record.PutObservation{Observation: record.Observation{MetricID: metric,
			ObservationKey: record.ObservationKey{At: date}, Value: v, Note: "a secret note"}}
	}
	confidence := 4
	early, late := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC), time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	for _, org := range []string{"acme", "umbrella"} {
		commit(early, org,
			put("Strategy", "plan", &strategyv1.StrategySpec{Title: "Plan of " + org, Horizon: &strategyv1.Horizon{Start: "2025-01-01", End: "2028-12-31"}}),
			put("Objective", "less", &strategyv1.ObjectiveSpec{Strategy: "plan", Title: "Use less"}),
			put("Metric", "vacant-space", &strategyv1.MetricSpec{Title: "Vacant space", Unit: "fraction", Cadence: "monthly", Owner: "unit/estate"}),
			put("Target", "vacant", &strategyv1.TargetSpec{Objective: "less", Metric: "vacant-space", Value: proto.Float64(0.05), Due: "2026-09-30",
				Baseline: &strategyv1.Baseline{Date: "2025-01-01", Value: proto.Float64(0.2)}, Owner: "unit/estate"}),
			put("Target", "yearly", &strategyv1.TargetSpec{Objective: "less", Metric: "vacant-space", Periods: []*strategyv1.PeriodTarget{
				{Period: "FY2025", Value: proto.Float64(0.1)}, {Period: "FY2026", Value: proto.Float64(0.03)}}}))
		commit(early.AddDate(0, 1, 0), org, value("vacant-space", "2025-03-31", 0.19), value("vacant-space", "2026-03-31", 0.11))
		commit(late, org, value("vacant-space", "2025-03-31", 0.18),
			put("Target", "vacant", &strategyv1.TargetSpec{Objective: "less", Metric: "vacant-space", Value: proto.Float64(0.03), Due: "2026-09-30", Owner: "unit/estate"}),
			record.PutCheckIn{CheckIn: record.CheckIn{TargetID: "vacant", CheckInKey: record.CheckInKey{At: "2026-10-01"},
				Confidence: &confidence, Note: "a secret note", Principal: "p-17",
				Override: &record.Override{Status: "at_risk", Reason: "a secret reason", Expires: "2026-12-31"}}})
	}
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.WithoutCancel(t.Context()), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func execute(t *testing.T, conn *pgx.Conn, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if _, err := conn.PgConn().Exec(context.WithoutCancel(t.Context()), text).ReadAll(); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

func live(t *testing.T, d *postgres.Database) record.Store {
	t.Helper()
	s, _, err := d.Live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// queries are the examples of the page, by file.
func queries(t *testing.T) (names []string, texts map[string]string) {
	t.Helper()
	names, err := filepath.Glob("testdata/queries/*.sql")
	if err != nil || len(names) < 10 {
		t.Fatalf("%d example queries, %v", len(names), err)
	}
	texts = map[string]string{}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(content)
	}
	return names, texts
}

// The page is made of what the database says of itself.
func TestReadModelsAreDocumented(t *testing.T) {
	url := testpostgres.New(t)
	d := open(t, postgres.Options{URL: url})
	t.Cleanup(func() { _ = d.Close() })
	live(t, d)
	rows, err := connect(t, url).Query(t.Context(), `SELECT c.relname, obj_description(c.oid), a.attname, format_type(a.atttypid, a.atttypmod),
			col_description(c.oid, a.attnum)
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
		WHERE c.relnamespace = 'setpoint'::regnamespace AND c.relkind = 'v' ORDER BY c.relname, a.attnum`)
	if err != nil {
		t.Fatal(err)
	}
	var page strings.Builder
	page.WriteString(readModelsHead)
	var view, name, kind string
	var about, said *string
	last := ""
	if _, err := pgx.ForEachRow(rows, []any{&view, &about, &name, &kind, &said}, func() error {
		if about == nil || said == nil {
			t.Errorf("%s.%s has no comment", view, name)
			return nil
		}
		if view != last {
			fmt.Fprintf(&page, "\n### %s\n\n%s\n\n| column | type | |\n|---|---|---|\n", view, *about)
			last = view
		}
		kind = strings.ReplaceAll(kind, "timestamp with time zone", "timestamptz")
		fmt.Fprintf(&page, "| `%s` | %s | %s |\n", name, kind, strings.ReplaceAll(*said, "|", `\|`))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	page.WriteString("\n## Ten queries\n")
	names, texts := queries(t)
	for _, n := range names {
		title, query, _ := strings.Cut(texts[n], "\n")
		fmt.Fprintf(&page, "\n%s:\n\n```sql\n%s```\n", strings.TrimPrefix(title, "-- "), query)
	}
	compare(t, "../../../docs/read-models.md", page.String())
}

const readModelsHead = "<!-- Made from the comments of the database by go test ./internal/record/postgres -update. -->\n" +
	`# Read models in PostgreSQL

Where the record is kept in PostgreSQL, other programs read it with SQL: BI tools, notebooks, spreadsheets. The views in the schema ` + "`setpoint`" + ` are over the live generation of the record; their names, columns and types stay when it is rebuilt. Tables in other schemas are an inner matter.

What is computed (status, gap, forecast) is not in tables: one truth of it is ` + "`setpoint gaps -o json`" + ` and the API. What people wrote when they recorded a value or checked in, who they were, and fields that may hold personal data are not in the views.

## Who reads what

` + "`setpoint database roles`" + ` prints a script that makes three roles, for the database's administrator to run: the owner makes and migrates the tables, the writer is for the service, and members of the reader read the views, each the rows of its organizations only. Without the roles, whoever may connect as the owner reads everything.

` + "```sql" + `
CREATE ROLE acme_bi LOGIN PASSWORD '…' IN ROLE setpoint_reader;
INSERT INTO setpoint.reader (role, org) VALUES ('acme_bi', 'acme');  -- as the owner
` + "```" + `

A role that is not in ` + "`setpoint.reader`" + ` sees no rows. The table is about the role as which queries run (` + "`current_user`" + `), so a tool may log in as one role and ` + "`SET ROLE`" + ` to another.

A rebuilt record is swapped in within one transaction, which waits up to a minute for queries on the views to end; give roles of readers a ` + "`statement_timeout`" + ` and an ` + "`idle_in_transaction_session_timeout`" + `.

## Views
`

// Every example gives rows, read as a tool would, of one organization only.
func TestExampleQueries(t *testing.T) {
	url := testpostgres.New(t)
	// The examples name the schema setpoint, and roles belong to the whole server.
	reader := asReader(t, url, "setpoint", "acme")
	names, texts := queries(t)
	for _, name := range names {
		rows, err := reader.Query(t.Context(), texts[name])
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		list, err := pgx.CollectRows(rows, pgx.RowToMap)
		if err != nil || len(list) == 0 {
			t.Errorf("%s: %d rows, %v", name, len(list), err)
		}
		if text := fmt.Sprint(list); strings.Contains(text, "umbrella") || strings.Contains(text, "secret") {
			t.Errorf("%s gives %s", name, text)
		}
	}
}
