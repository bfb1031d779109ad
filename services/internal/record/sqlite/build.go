package sqlite

import (
	"context"
	"errors"
	"fmt"
)

// Pages of the write-ahead log before it is carried over into the file: while
// a generation is live readers should not wade through much; while it is built
// nobody reads, and each page carried over is one not written twice.
const (
	livePages  = 4_000
	buildPages = 32_000
)

// build prepares the store for many large writes and no reader.
func (s *Store) build(ctx context.Context) (err error) {
	if s.known, err = newKnown(ctx, s); err != nil {
		return err
	}
	return s.pragma(ctx, fmt.Sprintf("wal_autocheckpoint(%d)", buildPages))
}

// finish makes everything written so far survive a power cut, and prepares the
// store for readers.
func (s *Store) finish(ctx context.Context, path string) error {
	s.known = nil
	// A checkpoint in this mode syncs the log and then the file.
	if err := s.pragma(ctx, "wal_checkpoint(TRUNCATE)"); err != nil {
		return err
	}
	if err := s.pragma(ctx, fmt.Sprintf("wal_autocheckpoint(%d)", livePages)); err != nil {
		return err
	}
	for _, name := range []string{path, path + "-wal"} {
		if exists(name) {
			if err := syncPath(name); err != nil {
				return fmt.Errorf("sync the record: %w", err)
			}
		}
	}
	return nil
}

func (s *Store) pragma(ctx context.Context, text string) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	name := "pragma " + text
	err := s.writer.prepare(name, name)
	if err == nil {
		// Some answer with a row, which must be read for them to be done.
		err = s.writer.query(ctx, name, func(scanner) error { return nil })
		err = errors.Join(err, s.writer.forget(name))
	}
	if err != nil {
		return fmt.Errorf("set up the record: %w", err)
	}
	return nil
}

// organizationsAfter are the newest revisions after one, by organization.
func (s *Store) organizationsAfter(ctx context.Context, revision uint64) (map[string]uint64, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT org, max(revision) FROM commit_time WHERE revision > ? GROUP BY org", revision)
	if err != nil {
		return nil, fmt.Errorf("read the record's commits: %w", err)
	}
	defer func() { _ = rows.Close() }()
	orgs := map[string]uint64{}
	for rows.Next() {
		var org string
		var last uint64
		if err := rows.Scan(&org, &last); err != nil {
			return nil, fmt.Errorf("read the record's commits: %w", err)
		}
		orgs[org] = last
	}
	return orgs, rows.Err()
}
