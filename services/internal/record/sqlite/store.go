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
	"os"
	"runtime"
	"sort"
	"strings"
	"sync"

	_ "modernc.org/sqlite" // the driver

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store implements record.Store.
type Store struct {
	kinds *resource.Registry
	// read is for what is asked for rarely.
	read    *sql.DB
	readers *pool

	writing sync.Mutex // is held by who uses writer
	writer  *session
	known   *known // while it is built
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
	if err := errors.Join(migrate(ctx, w), w.Close()); err != nil {
		return nil, err
	}
	s := &Store{kinds: kinds}
	if s.read, err = sql.Open("sqlite", dsn("deferred")); err != nil {
		return nil, fmt.Errorf("open the record: %w", err)
	}
	s.readers = newPool(2*max(2, runtime.NumCPU()), func() (*session, error) {
		return openSession(s.read.Driver(), dsn("deferred"), readStatements)
	})
	if s.writer, err = openSession(s.read.Driver(), dsn("immediate"), writeStatements); err != nil {
		return nil, errors.Join(fmt.Errorf("open the record: %w", err), s.Close())
	}
	return s, nil
}

// Close closes the file.
func (s *Store) Close() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	err := errors.Join(s.readers.close(), s.read.Close())
	if s.writer != nil {
		err = errors.Join(err, s.writer.close())
		s.writer = nil
	}
	return err
}

// scratchFiles are those of Scratch, which a process that was killed leaves.
const scratchFiles = "record-scratch-*.db*"

// Scratch makes an empty store in the folder of a Database, which is gone when
// it is closed.
func Scratch(ctx context.Context, dir string, kinds *resource.Registry) (record.Store, error) {
	f, err := os.CreateTemp(dir, strings.TrimSuffix(scratchFiles, "*"))
	if err != nil {
		return nil, fmt.Errorf("make a scratch store: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("make a scratch store: %w", err)
	}
	s, err := Open(ctx, f.Name(), kinds)
	if err == nil {
		err = s.build(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, removeFile(f.Name()))
	}
	return scratch{s, f.Name()}, nil
}

type scratch struct {
	*Store
	path string
}

func (s scratch) Close() error { return errors.Join(s.Store.Close(), removeFile(s.path)) }

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
