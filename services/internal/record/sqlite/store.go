// Package sqlite keeps the record in one SQLite file: one writer, many
// readers, write-ahead log. The file holds nothing that the log cannot give
// again, so it syncs at checkpoints only.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"runtime"
	"sort"

	_ "modernc.org/sqlite" // the driver

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store implements record.Store.
type Store struct {
	kinds  *resource.Registry
	write  *sql.DB
	read   *sql.DB
	writer map[string]*sql.Stmt
	reader map[string]*sql.Stmt
}

var _ record.Store = (*Store)(nil)

// Open opens or makes the file at path.
func Open(ctx context.Context, path string, kinds *resource.Registry) (*Store, error) {
	dsn := func(txlock string) string {
		q := url.Values{
			"_pragma": {"journal_mode(WAL)", "synchronous(NORMAL)", "busy_timeout(10000)",
				"wal_autocheckpoint(4000)", "cache_size(-32000)", "temp_store(MEMORY)"},
			"_txlock": {txlock},
		}
		return "file:" + url.PathEscape(path) + "?" + q.Encode()
	}
	w, err := sql.Open("sqlite", dsn("immediate"))
	if err != nil {
		return nil, fmt.Errorf("open the record: %w", err)
	}
	w.SetMaxOpenConns(1)
	s := &Store{kinds: kinds, write: w, writer: map[string]*sql.Stmt{}, reader: map[string]*sql.Stmt{}}
	if err := migrate(ctx, w); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	if s.read, err = sql.Open("sqlite", dsn("deferred")); err != nil {
		return nil, errors.Join(fmt.Errorf("open the record: %w", err), w.Close())
	}
	s.read.SetMaxOpenConns(2 * max(2, runtime.NumCPU()))
	s.read.SetMaxIdleConns(2 * max(2, runtime.NumCPU()))
	for name, text := range writeStatements {
		if s.writer[name], err = w.PrepareContext(ctx, text); err != nil {
			return nil, errors.Join(fmt.Errorf("prepare %s: %w", name, err), s.Close())
		}
	}
	for name, text := range readStatements {
		if s.reader[name], err = s.read.PrepareContext(ctx, text); err != nil {
			return nil, errors.Join(fmt.Errorf("prepare %s: %w", name, err), s.Close())
		}
	}
	return s, nil
}

// Close closes the file.
func (s *Store) Close() error {
	err := s.write.Close()
	if s.read != nil {
		err = errors.Join(err, s.read.Close())
	}
	return err
}

// migrate brings the schema to the newest version, forward only.
func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	sort.Strings(files)
	var version int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return fmt.Errorf("read the record's schema version: %w", err)
	}
	if version > len(files) {
		return fault.New(fault.Unavailable, "record.newer_schema",
			"the record has schema %d, this binary knows up to %d", version, len(files)).
			WithHint("use a newer binary, or delete the record: it is rebuilt from the log")
	}
	for i, name := range files[version:] {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return err
		}
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return fmt.Errorf("migrate the record: %w", err)
		}
		_, err = tx.ExecContext(ctx, string(text))
		if err == nil {
			_, err = tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version+i+1))
		}
		if err != nil {
			return errors.Join(fmt.Errorf("migrate the record with %s: %w", name, err), tx.Rollback())
		}
		if err := tx.Commit(); err != nil {
			return fmt.Errorf("migrate the record with %s: %w", name, err)
		}
	}
	return nil
}
