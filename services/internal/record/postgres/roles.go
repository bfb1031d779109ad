package postgres

import (
	"strings"

	"setpoint.dev/services/internal/fault"
)

// roles says which of the installation's roles there are.
func (o *owner) roles() (map[string]bool, error) {
	out := map[string]bool{}
	for _, name := range []string{"owner", "writer", "reader"} {
		var is bool
		if err := o.tx.QueryRow(o.ctx, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)`, o.d.role(name)).Scan(&is); err != nil {
			return nil, err
		}
		out[name] = is
	}
	return out, nil
}

// RolesSQL is the script that a database's administrator runs, as a role that
// may make roles, to divide who owns, writes and reads the record. What
// the three may do is granted by the owner when it next opens the record. It may be run again.
func RolesSQL(schema, database string) (string, error) {
	o, err := Options{Schema: schema}.check()
	if err != nil {
		return "", err
	}
	if database == "" || strings.ContainsAny(database, "\x00\n") {
		return "", fault.New(fault.Invalid, "record.database_name", "the database %q has no legal name", database)
	}
	return strings.NewReplacer("{s}", o.Schema, "{d}", `"`+strings.ReplaceAll(database, `"`, `""`)+`"`).Replace(rolesSQL), nil
}

const rolesSQL = `-- The roles of setpoint's record in the database {d}.
-- Nobody logs in as them: people and services are made members.
-- Run again, it changes nothing: roles that are there stay as they are.
DO $roles$
DECLARE role text;
BEGIN
	FOREACH role IN ARRAY ARRAY[
		'{s}_owner',   -- makes and migrates the tables, builds generations
		'{s}_writer',  -- reads and writes rows
		'{s}_reader'   -- reads the views, each member of its organizations only
	] LOOP
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
			EXECUTE format('CREATE ROLE %I NOLOGIN', role);
		END IF;
	END LOOP;
END
$roles$;
GRANT CONNECT, CREATE ON DATABASE {d} TO {s}_owner;
GRANT CONNECT ON DATABASE {d} TO {s}_writer, {s}_reader;

-- Members, for example:
--   CREATE ROLE {s}_migrator LOGIN PASSWORD '…' IN ROLE {s}_owner;
--   CREATE ROLE {s}_server LOGIN PASSWORD '…' IN ROLE {s}_writer;
--   CREATE ROLE acme_bi LOGIN PASSWORD '…' IN ROLE {s}_reader;
-- Processes of the service that take over from each other log in as one role.

-- Once the owner has opened the record, it says which organizations a reader
-- reads; a reader that is not listed reads nothing:
--   INSERT INTO {s}.reader (role, org) VALUES ('acme_bi', 'acme');
`
