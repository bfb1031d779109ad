package postgres

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"strings"

	"github.com/jackc/pgx/v5"
)

// rows are rows of one table in PostgreSQL's binary COPY format. They are made
// by appending: the driver's way by reflection takes several times as long,
// which counts where a whole log is written.
type rows struct {
	data    []byte
	columns uint16
	n       int64
}

// signature begins the format; no flags and no extension of the header follow.
const signature = "PGCOPY\n\xff\r\n\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00"

func newRows(columns, room int) *rows {
	r := &rows{columns: uint16(columns)}
	r.data = append(make([]byte, 0, len(signature)+room), signature...)
	return r
}

// row begins a row, of which every column follows in order.
func (r *rows) row() *rows {
	r.n++
	r.data = binary.BigEndian.AppendUint16(r.data, r.columns)
	return r
}

func (r *rows) size(n int) { r.data = binary.BigEndian.AppendUint32(r.data, uint32(n)) }

func (r *rows) text(values ...string) *rows {
	for _, v := range values {
		r.size(len(v))
		r.data = append(r.data, v...)
	}
	return r
}

func (r *rows) bytes(values ...[]byte) *rows {
	for _, v := range values {
		r.size(len(v))
		r.data = append(r.data, v...)
	}
	return r
}

func (r *rows) bigint(values ...int64) *rows {
	for _, v := range values {
		r.size(8)
		r.data = binary.BigEndian.AppendUint64(r.data, uint64(v))
	}
	return r
}

func (r *rows) integer(values ...int) *rows {
	for _, v := range values {
		r.size(4)
		r.data = binary.BigEndian.AppendUint32(r.data, uint32(int32(v)))
	}
	return r
}

func (r *rows) double(v float64) *rows {
	r.size(8)
	r.data = binary.BigEndian.AppendUint64(r.data, math.Float64bits(v))
	return r
}

// jsonb writes a document in version 1 of its format, which is its text.
func (r *rows) jsonb(v []byte) *rows {
	r.size(1 + len(v))
	r.data = append(append(r.data, 1), v...)
	return r
}

// copyTo writes the rows to a table, if there are any.
func (r *rows) copyTo(ctx context.Context, conn *pgx.Conn, schema, table string, columns []string) error {
	if r.n == 0 {
		return nil
	}
	r.data = binary.BigEndian.AppendUint16(r.data, math.MaxUint16) // the end
	tag, err := conn.PgConn().CopyFrom(ctx, bytes.NewReader(r.data),
		`COPY `+schema+`.`+table+` (`+strings.Join(columns, ", ")+`) FROM STDIN (FORMAT binary)`)
	if err == nil && tag.RowsAffected() != r.n {
		err = errors.New("rows were lost on the way")
	}
	return err
}
