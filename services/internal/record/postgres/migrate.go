package postgres

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"sort"

	"github.com/jackc/pgx/v5"

	"setpoint.dev/services/internal/fault"
)

// Migrations go forward only: those of the schema with the table of
// generations, and those that every generation passes.
//
//go:embed migrations
var migrations embed.FS

func scripts(kind string) ([]string, error) {
	files, err := fs.Glob(migrations, "migrations/"+kind+"/*.sql")
	sort.Strings(files)
	out := make([]string, len(files))
	for i, name := range files {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		out[i] = string(text)
	}
	return out, err
}

const oldest = 150000 // server_version_num

// migrate brings the schema to the newest version if the role owns it, or may
// make it; otherwise it must be there.
func (d *Database) migrate(ctx context.Context) error {
	conn, err := d.connectOwner(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var server int
	var exists, owns bool
	err = conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, n.oid IS NOT NULL, coalesce(pg_has_role(n.nspowner, 'MEMBER'), false)
		FROM (SELECT 1) one LEFT JOIN pg_namespace n ON n.nspname = $1`, d.opts.Schema).Scan(&server, &exists, &owns)
	if err != nil {
		return failed("read the record's schema", err)
	}
	if server < oldest {
		return fault.New(fault.Unavailable, "record.database_version",
			"the database server is PostgreSQL %d; the record needs 15 or newer", server/10000)
	}
	if exists && !owns {
		return d.expect(ctx, conn)
	}
	err = d.asOwner(ctx, "make the record's schema", func(o *owner) error {
		if err := o.migrate(); err != nil {
			return err
		}
		return o.arrange()
	})
	if !exists && fault.ReasonOf(err) == "record.not_owner" {
		return fault.Wrap(err, fault.Denied, "record.no_schema",
			"the record's schema %s is not there yet, and the database's role may not make it", d.opts.Schema).
			WithHint("start one process with the projector first, with the URL of the role that owns the record as --database-owner-url")
	}
	return err
}

// expect fails if the schema is not what this binary works with.
func (d *Database) expect(ctx context.Context, conn *pgx.Conn) error {
	var control, generations int
	err := conn.QueryRow(ctx, fmt.Sprintf(`SELECT (SELECT coalesce(max(version), 0) FROM %[1]s.migration),
		(SELECT coalesce(min(schema_version), 1000000) FROM %[1]s.generation WHERE state <> 'dropping')`, d.opts.Schema)).Scan(&control, &generations)
	if err != nil {
		return failed("read the record's schema", err)
	}
	want, err := scripts("control")
	if err != nil {
		return err
	}
	each, err := scripts("generation")
	if err != nil {
		return err
	}
	if control > len(want) {
		return newer(control, len(want))
	}
	if control < len(want) || generations < len(each) {
		return fault.New(fault.Unavailable, "record.older_schema",
			"the schema %s is older than this binary, and the database's role may not migrate it", d.opts.Schema).
			WithHint("start one process of this version with the URL of the role that owns the schema")
	}
	return nil
}

func newer(have, know int) error {
	return fault.New(fault.Unavailable, "record.newer_schema",
		"the record has schema %d, this binary knows up to %d", have, know).
		WithHint("use a newer binary, or drop the schemas of the record: it is rebuilt from the log")
}

// migrate applies what is missing, to the schema and to each generation.
func (o *owner) migrate() error {
	schema := o.d.opts.Schema
	files, err := scripts("control")
	if err != nil {
		return err
	}
	if err := o.exec(`CREATE SCHEMA IF NOT EXISTS `+schema, `CREATE TABLE IF NOT EXISTS `+schema+`.migration (
			version integer PRIMARY KEY, applied timestamptz NOT NULL DEFAULT now())`); err != nil {
		return err
	}
	var version int
	if err := o.tx.QueryRow(o.ctx, `SELECT coalesce(max(version), 0) FROM `+schema+`.migration`).Scan(&version); err != nil {
		return err
	}
	if version > len(files) {
		return newer(version, len(files))
	}
	for i, text := range files[version:] {
		if err := o.exec(`SET LOCAL search_path = `+schema, text,
			fmt.Sprintf(`INSERT INTO %s.migration (version) VALUES (%d)`, schema, version+i+1)); err != nil {
			return fmt.Errorf("migration %d: %w", version+i+1, err)
		}
	}
	rows, err := o.tx.Query(o.ctx, `SELECT number, schema_version FROM `+schema+`.generation WHERE state <> 'dropping' ORDER BY number`)
	if err != nil {
		return err
	}
	versions := map[int]int{}
	var number, have int
	_, err = pgx.ForEachRow(rows, []any{&number, &have}, func() error { versions[number] = have; return nil })
	if err != nil {
		return err
	}
	for number, have := range versions {
		if err := o.migrateGeneration(number, have); err != nil {
			return err
		}
	}
	return nil
}

func (o *owner) migrateGeneration(number, version int) error {
	files, err := scripts("generation")
	if err != nil {
		return err
	}
	if version > len(files) {
		return newer(version, len(files))
	}
	if version == len(files) {
		return nil
	}
	schema := o.d.schemaOf(number)
	for i, text := range files[version:] {
		if err := o.exec(`SET LOCAL search_path = `+schema, text); err != nil {
			return fmt.Errorf("migration %d of generation %d: %w", version+i+1, number, err)
		}
	}
	return o.exec(fmt.Sprintf(`UPDATE %s.generation SET schema_version = %d WHERE number = %d`,
		o.d.opts.Schema, len(files), number))
}

// exec runs scripts, of several statements each.
func (o *owner) exec(texts ...string) error {
	for _, text := range texts {
		// The simple protocol takes several statements.
		if _, err := o.tx.Conn().PgConn().Exec(o.ctx, text).ReadAll(); err != nil {
			return err
		}
	}
	return nil
}
