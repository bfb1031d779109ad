package sqlite

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"setpoint.dev/services/internal/record"
)

// column is one of a table, in the order of its definition.
type column struct {
	name string
	key  bool
}

// tables are those of the record but the checkpoint, by name, with their
// columns.
func tables(ctx context.Context, tx *sql.Tx) (names []string, columns map[string][]column, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT t.name, c.name, c.pk > 0 FROM sqlite_schema t, pragma_table_info(t.name) c
		WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name <> 'checkpoint' ORDER BY t.name, c.cid`)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = rows.Close() }()
	columns = map[string][]column{}
	for rows.Next() {
		var table string
		var c column
		if err := rows.Scan(&table, &c.name, &c.key); err != nil {
			return nil, nil, err
		}
		if columns[table] == nil {
			names = append(names, table)
		}
		columns[table] = append(columns[table], c)
	}
	return names, columns, rows.Err()
}

// Rows implements record.Store.
func (s *Store) Rows(ctx context.Context, f func(record.Row) error) (at record.Checkpoint, err error) {
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return at, fmt.Errorf("list the record: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	if at, err = checkpoint(tx.QueryRowContext(ctx, readCheckpoint).Scan); err != nil {
		return at, err
	}
	names, columns, err := tables(ctx, tx)
	if err != nil {
		return at, fmt.Errorf("list the record's tables: %w", err)
	}
	for _, table := range names {
		if err := rowsOf(ctx, tx, table, columns[table], f); err != nil {
			return at, err
		}
	}
	return at, nil
}

func rowsOf(ctx context.Context, tx *sql.Tx, table string, columns []column, f func(record.Row) error) error {
	var all, keys []string
	for _, c := range columns {
		all = append(all, c.name)
		if c.key {
			keys = append(keys, c.name)
		}
	}
	rows, err := tx.QueryContext(ctx, "SELECT "+strings.Join(all, ", ")+" FROM "+table+" ORDER BY "+strings.Join(keys, ", "))
	if err != nil {
		return fmt.Errorf("list %s: %w", table, err)
	}
	defer func() { _ = rows.Close() }()
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	var key, value []byte
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return fmt.Errorf("list %s: %w", table, err)
		}
		key, value = key[:0], value[:0]
		for i, c := range columns {
			if c.key {
				key = appendColumn(key, c.name, values[i])
			} else {
				value = appendColumn(value, c.name, values[i])
			}
		}
		if err := f(record.Row{Table: table, Key: string(key), Value: string(value)}); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("list %s: %w", table, err)
	}
	return nil
}

func appendColumn(to []byte, name string, value any) []byte {
	if len(to) > 0 {
		to = append(to, record.ColumnSeparator)
	}
	to = append(append(to, name...), '=')
	switch v := value.(type) {
	case nil:
		return append(to, "null"...)
	case int64:
		return strconv.AppendInt(to, v, 10)
	case float64:
		return strconv.AppendFloat(to, v, 'g', -1, 64)
	case []byte:
		return hex.AppendEncode(to, v)
	case string:
		return append(to, v...)
	}
	return fmt.Append(to, value)
}
