package postgres

import (
	"context"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"setpoint.dev/services/internal/record"
)

// table is one of a generation as Rows lists it: the columns that every
// database has, the first of them the key.
type table struct {
	name    string
	keys    int
	columns string // in the order of their definition, those of the key first
}

// tables are in order of their names. doc is not in Rows: it is made of spec.
var tables = []table{
	{"aggregate", 4, `org service kind id sequence hash revision`},
	{"check_in", 4, `org target_id at rev confidence note status reason expires clear recorded principal`},
	{"commit_time", 1, `revision org recorded`},
	{"erasure", 3, `org kind id revision name holders reason recorded principal`},
	{"observation", 5, `org metric_id observed_at source rev_from rev_to value note recorded corrections`},
	{"request", 2, `org request_id digest revision recorded corrected detail`},
	{"resource", 4, `org kind name rev_from rev_to id created metadata spec set_name effective recorded principal manager`},
	{"resource_name", 3, `org kind name`},
	{"state", 5, `org service kind id rev_from payload recorded`},
}

// Rows implements record.Store.
func (g *generation) Rows(ctx context.Context, f func(record.Row) error) (at record.Checkpoint, err error) {
	err = g.d.pin(ctx, g, func(conn *pgx.Conn, _ *generation, pinned record.Checkpoint) error {
		at = pinned
		for _, t := range tables {
			if err := t.list(ctx, conn, g.d.schemaOf(g.number), f); err != nil {
				return failed("list "+t.name, err)
			}
		}
		return nil
	})
	return at, err
}

func (t table) list(ctx context.Context, conn *pgx.Conn, schema string, f func(record.Row) error) error {
	columns := strings.Fields(t.columns)
	// Rows come as they are asked for: the connection holds back the server.
	rows, err := conn.Query(ctx, `SELECT `+strings.Join(columns, ", ")+` FROM `+schema+`.`+t.name+
		` ORDER BY `+strings.Join(columns[:t.keys], ", "))
	if err != nil {
		return err
	}
	defer rows.Close()
	var key, value []byte
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return err
		}
		key, value = key[:0], value[:0]
		for i, name := range columns {
			if i < t.keys {
				key = appendColumn(key, name, values[i])
			} else {
				value = appendColumn(value, name, values[i])
			}
		}
		if err := f(record.Row{Table: t.name, Key: string(key), Value: string(value)}); err != nil {
			return err
		}
	}
	return rows.Err()
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
	case int32:
		return strconv.AppendInt(to, int64(v), 10)
	case int16:
		return strconv.AppendInt(to, int64(v), 10)
	case float64:
		return strconv.AppendFloat(to, v, 'g', -1, 64)
	case bool:
		if v {
			return append(to, '1')
		}
		return append(to, '0')
	case []byte:
		return hex.AppendEncode(to, v)
	case string:
		return append(to, v...)
	}
	panic("a column of " + name + " is of a type that has no canonical form")
}
