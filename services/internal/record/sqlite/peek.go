package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"setpoint.dev/services/internal/record"
)

// Peek looks at the record in a folder that no process has open, and changes
// nothing in it: where the live generation stands. ok is false if there is no
// record. A file that SQLite finds damaged is an error.
//
// Where a process was killed, SQLite makes its index of the write-ahead log
// (record*.db-shm) anew to read it; nothing else is written.
func Peek(ctx context.Context, dir string) (at record.Checkpoint, ok bool, err error) {
	c, err := listed(dir)
	if err != nil {
		return at, false, err
	}
	e, found := c.find(c.Live)
	if !found {
		return at, false, nil
	}
	path := filepath.Join(dir, e.File)
	if !exists(path) {
		return at, false, nil
	}
	q := url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(10000)", "query_only(1)"}}
	if wal, err := os.Stat(path + "-wal"); err != nil || wal.Size() == 0 {
		q.Set("immutable", "1") // nothing but the file itself is needed, and nothing made
	}
	db, err := sql.Open("sqlite", "file:"+url.PathEscape(path)+"?"+q.Encode())
	if err != nil {
		return at, true, fmt.Errorf("open the record: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var said string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&said); err != nil {
		return at, true, fmt.Errorf("check %s: %w", e.File, err)
	}
	if said != "ok" {
		return at, true, fmt.Errorf("%s is damaged: %s", e.File, strings.ReplaceAll(said, "\n", " "))
	}
	at, err = checkpoint(db.QueryRowContext(ctx, readCheckpoint).Scan)
	return at, true, err
}
