package postgres_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/postgres"
	"setpoint.dev/services/testpostgres"
)

// roles runs the script of roles and makes members that log in.
func roles(t *testing.T, server, schema string) (owner, writer string) {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	script, err := postgres.RolesSQL(schema, strings.TrimPrefix(u.Path, "/"))
	if err != nil {
		t.Fatal(err)
	}
	admin := connect(t, server)
	made := []string{schema + "_owner", schema + "_writer", schema + "_reader"}
	var exists bool
	if err := admin.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)`, made[0]).Scan(&exists); err != nil {
		t.Fatal(err)
	}
	if exists {
		t.Fatalf("the server has a role %s already: these tests make their own", made[0])
	}
	execute(t, admin, script)
	execute(t, admin, script) // by an installer that runs twice
	login := func(name, of string) string {
		name = fmt.Sprintf("t%s_%s", strings.ToLower(rand.Text()[:8]), name)
		execute(t, admin, fmt.Sprintf(`CREATE ROLE %s LOGIN PASSWORD 'p' IN ROLE %s`, name, of))
		made = append(made, name)
		return testpostgres.With(t, server, strings.TrimPrefix(u.Path, "/"), name, "p")
	}
	owner, writer = login("migrator", made[0]), login("server", made[1])
	t.Cleanup(func() {
		admin := connect(t, server)
		for i := len(made) - 1; i >= 0; i-- {
			execute(t, admin, `DROP OWNED BY `+made[i]+` CASCADE`, `DROP ROLE `+made[i])
		}
	})
	return owner, writer
}

// asReader fills a record and connects as somebody who reads one organization.
func asReader(t *testing.T, server, schema, org string) *pgx.Conn {
	t.Helper()
	owner, writer := roles(t, server, schema)
	d := open(t, postgres.Options{URL: writer, OwnerURL: owner, Schema: schema})
	t.Cleanup(func() { _ = d.Close() })
	fill(t, live(t, d))
	admin := connect(t, server)
	name := schema + "_bi"
	execute(t, admin, `CREATE ROLE `+name+` LOGIN PASSWORD 'p' IN ROLE `+schema+`_reader`)
	t.Cleanup(func() { execute(t, connect(t, server), `DROP ROLE `+name) })
	if org != "" {
		execute(t, connect(t, owner), fmt.Sprintf(`SET ROLE %[1]s_owner; INSERT INTO %[1]s.reader VALUES ('%[2]s', '%[3]s')`, schema, name, org))
	}
	u, _ := url.Parse(server)
	return connect(t, testpostgres.With(t, server, strings.TrimPrefix(u.Path, "/"), name, "p"))
}

// refused expects that a statement is not permitted.
func refused(t *testing.T, conn *pgx.Conn, text string) {
	t.Helper()
	_, err := conn.Exec(t.Context(), text)
	var e *pgconn.PgError
	if !errors.As(err, &e) || e.Code != "42501" {
		t.Errorf("%s: %v, want a refusal", text, err)
	}
}

func TestAReaderReadsItsOrganizationOnly(t *testing.T) {
	server := testpostgres.New(t)
	const schema = "rolesr"
	reader := asReader(t, server, schema, "acme")
	views := []string{"target", "metric", "objective", "strategy", "resource", "resource_history", "observation", "observation_history", "check_in", "revision"}
	for _, view := range views {
		var orgs []string
		if err := reader.QueryRow(t.Context(), `SELECT array_agg(DISTINCT org) FROM `+schema+`.`+view).Scan(&orgs); err != nil {
			t.Errorf("%s: %v", view, err)
		}
		if fmt.Sprint(orgs) != "[acme]" {
			t.Errorf("%s shows %v", view, orgs)
		}
	}
	// The tables behind the views show no more, and hide what people wrote.
	var n int
	if err := reader.QueryRow(t.Context(), `SELECT count(*) FROM `+schema+`_g1.resource WHERE org <> 'acme'`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d resources of others, %v", n, err)
	}
	for _, text := range []string{
		`SELECT note FROM {g}.observation`, `SELECT note FROM {g}.check_in`, `SELECT reason FROM {g}.check_in`,
		`SELECT metadata FROM {g}.resource`, `SELECT principal FROM {g}.resource`, `SELECT * FROM {g}.request`, `SELECT * FROM {g}.aggregate`,
		`SELECT * FROM {c}.generation`,
		`INSERT INTO {g}.resource_name VALUES ('acme', 'Unit', 'x')`, `UPDATE {g}.observation SET value = 0`, `DELETE FROM {g}.observation`,
		`UPDATE {c}.target SET name = 'x'`, `INSERT INTO {c}.reader VALUES (current_user, 'umbrella')`, `CREATE TABLE {c}.mine ()`,
		`ALTER TABLE {g}.resource DISABLE ROW LEVEL SECURITY`, `DROP SCHEMA {g} CASCADE`,
	} {
		text = strings.NewReplacer("{c}", schema, "{g}", schema+"_g1").Replace(text)
		if _, err := reader.Exec(t.Context(), text); err == nil {
			t.Errorf("a reader may %s", text)
		}
	}
	refused(t, reader, `UPDATE `+schema+`_g1.observation SET value = 0`)
	refused(t, reader, `SELECT note FROM `+schema+`_g1.observation`)
}

func TestAReaderWhoIsNotListedReadsNothing(t *testing.T) {
	server := testpostgres.New(t)
	const schema = "rolesn"
	reader := asReader(t, server, schema, "")
	// A setting is not a right.
	execute(t, reader, `SET setpoint.org = 'acme'`)
	for _, view := range []string{"target", "resource_history", "observation", "check_in", "revision"} {
		var n int
		if err := reader.QueryRow(t.Context(), `SELECT count(*) FROM `+schema+`.`+view).Scan(&n); err != nil || n != 0 {
			t.Errorf("%s: %d rows, %v", view, n, err)
		}
	}
}

// A reader goes on reading, with the same rights, when a generation is swapped.
func TestReadersSeeTheNextGeneration(t *testing.T) {
	server := testpostgres.New(t)
	const schema = "rolesg"
	reader := asReader(t, server, schema, "acme")
	u, _ := url.Parse(server)
	d := open(t, postgres.Options{URL: server, Schema: schema})
	defer func() { _ = d.Close() }()
	next, g, err := d.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fill(t, next)
	if err := d.Promote(t.Context(), g.Number); err != nil {
		t.Fatal(err)
	}
	if err := d.Drop(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	var orgs []string
	if err := reader.QueryRow(t.Context(), `SELECT array_agg(DISTINCT org) FROM `+schema+`.target`).Scan(&orgs); err != nil || fmt.Sprint(orgs) != "[acme]" {
		t.Errorf("%v, %v of %s", orgs, err, u.Path)
	}
}

// What the hint of a record of another log says: without those schemas there is
// no record, and opening makes one.
func TestARecordIsDeleted(t *testing.T) {
	server := testpostgres.New(t)
	const schema = "goner"
	owner, writer := roles(t, server, schema)
	o := postgres.Options{URL: writer, OwnerURL: owner, Schema: schema}
	d := open(t, o)
	fill(t, live(t, d))
	if _, _, err := d.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	execute(t, connect(t, server), `DROP SCHEMA goner, goner_g1, goner_g2 CASCADE`)
	d = open(t, o)
	defer func() { _ = d.Close() }()
	if at, err := d.Checkpoint(t.Context()); err != nil || at.Revision != 0 {
		t.Errorf("the record stands at %d, %v", at.Revision, err)
	}
	fill(t, live(t, d))
}

func TestTheWriterDoesNotMigrate(t *testing.T) {
	server := testpostgres.New(t)
	const schema = "rolesw"
	owner, writer := roles(t, server, schema)
	_, err := postgres.Open(t.Context(), postgres.Options{URL: writer, Schema: schema})
	if got := fault.ReasonOf(err); got != "record.no_schema" {
		t.Errorf("a writer made the schema: %v", err)
	} else if f := new(fault.Error); !errors.As(err, &f) || !strings.Contains(f.Hint, "--database-owner-url") {
		t.Errorf("who makes the schema is not told: %v", f.Hint)
	}
	both := open(t, postgres.Options{URL: writer, OwnerURL: owner, Schema: schema})
	defer func() { _ = both.Close() }()
	fill(t, live(t, both))

	d := open(t, postgres.Options{URL: writer, Schema: schema})
	defer func() { _ = d.Close() }()
	s := live(t, d)
	at, err := s.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), at, record.Checkpoint{LogID: "log", Revision: at.Revision + 1}, nil); err != nil {
		t.Errorf("the writer cannot write: %v", err)
	}
	if err := d.View(t.Context(), func(v record.View) error {
		list, err := v.Resources("umbrella", "Target", v.Revision(), "", 0)
		if len(list) != 2 {
			t.Errorf("the writer sees %d targets", len(list))
		}
		return err
	}); err != nil {
		t.Error(err)
	}
	if _, _, err := d.Begin(t.Context()); fault.ReasonOf(err) != "record.not_owner" {
		t.Errorf("a writer began a generation: %v", err)
	}
	if err := d.Drop(t.Context(), 1); fault.KindOf(err) != fault.Denied && fault.ReasonOf(err) != "record.generation_live" {
		t.Errorf("drop: %v", err)
	}
	w := connect(t, writer)
	for _, text := range []string{
		`CREATE TABLE {c}.mine ()`, `CREATE SCHEMA mine`, `ALTER TABLE {g}.resource ADD COLUMN mine text`, `DROP TABLE {g}.resource`,
		`UPDATE {c}.generation SET state = 'superseded'`, `INSERT INTO {c}.migration VALUES (99)`, `INSERT INTO {c}.reader VALUES ('x', 'acme')`,
		`TRUNCATE {g}.observation`, `DELETE FROM {g}.observation`,
	} {
		refused(t, w, strings.NewReplacer("{c}", schema, "{g}", schema+"_g1").Replace(text))
	}
	// An older schema is not the writer's to mend.
	execute(t, connect(t, owner), `SET ROLE `+schema+`_owner; UPDATE `+schema+`.generation SET schema_version = 0`)
	if _, err := postgres.Open(t.Context(), postgres.Options{URL: writer, Schema: schema}); fault.ReasonOf(err) != "record.older_schema" {
		t.Errorf("an older schema: %v", err)
	}
	execute(t, connect(t, owner), `SET ROLE `+schema+`_owner; INSERT INTO `+schema+`.migration VALUES (99)`)
	for who, url := range map[string]string{"writer": writer, "owner": owner} {
		if _, err := postgres.Open(t.Context(), postgres.Options{URL: url, Schema: schema}); fault.ReasonOf(err) != "record.newer_schema" {
			t.Errorf("the %s opens a newer schema: %v", who, err)
		}
	}
}

// Who is refused is told so at once, as waiting changes nothing.
func TestADatabaseThatRefuses(t *testing.T) {
	server := testpostgres.New(t)
	owner, _ := roles(t, server, "rolesr")
	u, err := url.Parse(owner)
	if err != nil {
		t.Fatal(err)
	}
	role := u.User.Username()
	if role == "" {
		role = u.Query().Get("user")
	}
	database := strings.TrimPrefix(u.Path, "/")
	for name, refused := range map[string]string{
		"no such role":     testpostgres.With(t, server, database, "nobody_by_this_name", "p"),
		"no such database": testpostgres.With(t, server, "no_such_database", role, "p"),
	} {
		_, err := postgres.Open(t.Context(), postgres.Options{URL: refused, Schema: "rolesr"})
		if fault.ReasonOf(err) != "record.database_refuses" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
