package postgres

import "context"

// Name is the same for everybody who uses this schema of this database,
// whatever their URLs, and for nobody else.
func (d *Database) Name(ctx context.Context) (string, error) {
	var name string
	err := d.read.QueryRow(ctx, `SELECT system_identifier::text || '/' || current_database() || '/' || $1::text FROM pg_control_system()`, d.opts.Schema).
		Scan(&name)
	return name, failed("identify the database", err)
}
