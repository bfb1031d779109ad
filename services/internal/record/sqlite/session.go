package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
)

// session is one connection with its prepared statements, used by one
// goroutine at a time. It stands where database/sql would: for a command's few
// reads of one row each, that costs as much again as SQLite itself. (It
// prepares BEGIN and COMMIT each time, and starts a goroutine for each
// transaction, statement and result that could be cancelled.)
type session struct {
	conn       driver.Conn
	statements map[string]*statement
}

type statement struct {
	stmt driver.Stmt
	busy bool
	args []driver.NamedValue
	row  row
}

// Statements that every session has.
const (
	begin          = "begin"
	beginImmediate = "begin immediate"
	commit         = "commit"
	rollback       = "rollback"
)

// openSession opens a connection and prepares the statements, given by name.
func openSession(d driver.Driver, dsn string, texts map[string]string) (_ *session, err error) {
	conn, err := d.Open(dsn)
	if err != nil {
		return nil, err
	}
	s := &session{conn: conn, statements: make(map[string]*statement, len(texts)+4)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	for _, text := range []string{begin, beginImmediate, commit, rollback} {
		if err := s.prepare(text, text); err != nil {
			return nil, err
		}
	}
	for name, text := range texts {
		if err := s.prepare(name, text); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *session) prepare(name, text string) error {
	stmt, err := s.conn.Prepare(text)
	if err != nil {
		return fmt.Errorf("prepare %s: %w", name, err)
	}
	s.statements[name] = &statement{stmt: stmt}
	return nil
}

func (s *session) forget(name string) error {
	st := s.statements[name]
	delete(s.statements, name)
	return st.stmt.Close()
}

func (s *session) close() error {
	var err error
	for _, st := range s.statements {
		err = errors.Join(err, st.stmt.Close())
	}
	return errors.Join(err, s.conn.Close())
}

// bind takes the statement into use.
func (s *session) bind(name string, args []any) (*statement, error) {
	st := s.statements[name]
	if st == nil || st.busy {
		return nil, fmt.Errorf("statement %q is not prepared, or in use", name)
	}
	st.args = st.args[:0]
	for i, a := range args {
		st.args = append(st.args, driver.NamedValue{Ordinal: i + 1, Value: value(a)})
	}
	st.busy = true
	return st, nil
}

func (st *statement) free() {
	clear(st.args) // hold on to nobody's memory
	st.busy = false
}

// exec runs a statement that returns no rows.
func (s *session) exec(name string, args ...any) error {
	_, err := s.run(name, args)
	return err
}

// change is exec for who asks how many rows were changed.
func (s *session) change(name string, args ...any) (rows int64, err error) {
	done, err := s.run(name, args)
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}

func (s *session) run(name string, args []any) (done driver.Result, err error) {
	st, err := s.bind(name, args)
	if err == nil {
		done, err = st.stmt.(driver.StmtExecContext).ExecContext(context.Background(), st.args)
		st.free()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return done, nil
}

// query calls each for every row; what it is given is the caller's to keep, but
// not the row itself. It ends with ctx.
func (s *session) query(ctx context.Context, name string, each func(scanner) error, args ...any) (err error) {
	st, err := s.bind(name, args)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	defer st.free()
	// A context that can end would cost a goroutine for each statement; the end
	// is noticed at the next row.
	rows, err := st.stmt.(driver.StmtQueryContext).QueryContext(context.Background(), st.args)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	defer func() {
		if closed := rows.Close(); err == nil && closed != nil {
			err = fmt.Errorf("read %s: %w", name, closed)
		}
	}()
	if st.row == nil {
		st.row = make(row, len(rows.Columns()))
	}
	defer clear(st.row)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := rows.Next(st.row); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		if err := each(st.row); err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
	}
}

// one scans the only row of a result; sql.ErrNoRows if there is none.
func (s *session) one(ctx context.Context, name string, args []any, dest ...any) error {
	found := false
	err := s.query(ctx, name, func(r scanner) error {
		found = true
		return r.Scan(dest...)
	}, args...)
	if err == nil && !found {
		return sql.ErrNoRows
	}
	return err
}

// value is an argument as the driver takes it.
func value(a any) driver.Value {
	switch a := a.(type) {
	case uint64:
		return int64(a)
	case int:
		return int64(a)
	case *int:
		if a == nil {
			return nil
		}
		return int64(*a)
	}
	return a
}

// row is a row as the driver gives it. Texts and blobs are copies.
type row []driver.Value

// Scan has database/sql's meaning, for the few types that the record has.
func (r row) Scan(dest ...any) error {
	if len(dest) != len(r) {
		return fmt.Errorf("%d columns where %d are expected", len(r), len(dest))
	}
	for i, d := range dest {
		ok := false
		switch d := d.(type) {
		case *string:
			*d, ok = r[i].(string)
		case *[]byte:
			*d, ok = r[i].([]byte)
		case *float64:
			*d, ok = r[i].(float64)
		case *int64:
			*d, ok = r[i].(int64)
		case *uint64:
			var n int64
			n, ok = r[i].(int64)
			*d = uint64(n)
		case *int:
			var n int64
			n, ok = r[i].(int64)
			*d = int(n)
		case *bool:
			var n int64
			n, ok = r[i].(int64)
			*d = n != 0
		case **int:
			if r[i] == nil {
				*d, ok = nil, true
				break
			}
			var n int64
			n, ok = r[i].(int64)
			v := int(n)
			*d = &v
		}
		if !ok {
			return fmt.Errorf("column %d is a %T, which does not go into a %T", i, r[i], d)
		}
	}
	return nil
}
