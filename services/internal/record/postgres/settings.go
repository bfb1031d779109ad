package postgres

import (
	"context"
	"fmt"
)

// Settings are those of the server and the database that an operator may have
// to look at, by PostgreSQL's own names; lc_collate is the database's.
func (d *Database) Settings(ctx context.Context) (map[string]string, error) {
	rows, err := d.read.Query(ctx, `SELECT name, setting FROM pg_settings
			WHERE name IN ('server_version', 'server_encoding', 'max_connections')
		UNION ALL SELECT 'lc_collate', datcollate FROM pg_database WHERE datname = current_database()
		UNION ALL SELECT 'connections', count(*)::text FROM pg_stat_activity WHERE backend_type = 'client backend'`)
	if err != nil {
		return nil, fmt.Errorf("read the settings of the database: %w", err)
	}
	defer rows.Close()
	settings := map[string]string{}
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return nil, fmt.Errorf("read the settings of the database: %w", err)
		}
		settings[name] = value
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the settings of the database: %w", err)
	}
	return settings, nil
}
