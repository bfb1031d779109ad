package sqlite

import (
	"context"
	"sync"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
)

// generation is one file of a Database. It is closed, and removed if it was
// dropped, when the last one who uses it has gone.
type generation struct {
	entry
	path  string
	store *Store
	db    *Database

	// writing is held by a Write and by a Promote of another generation, so that
	// none begins after another generation has become live.
	writing    sync.Mutex
	superseded bool

	// Of these the Database's mutex takes care.
	users   int
	dropped chan struct{} // nil: not dropped; closed when the file has gone
}

var (
	_ record.Store    = (*generation)(nil)
	_ record.Preparer = (*generation)(nil)
)

// use keeps the file open until release; false if it was dropped.
func (g *generation) use() bool {
	g.db.mu.Lock()
	defer g.db.mu.Unlock()
	if g.dropped != nil {
		return false
	}
	g.users++
	return true
}

func (g *generation) release() {
	g.db.mu.Lock()
	g.users--
	last := g.users == 0 && g.dropped != nil
	g.db.mu.Unlock()
	if last {
		g.remove()
	}
}

// remove removes the file that nobody uses. A file that cannot be removed is
// left to the next Open, which finds that it is not listed.
func (g *generation) remove() {
	_ = g.store.Close()
	_ = removeFile(g.path)
	close(g.dropped)
}

func (g *generation) gone() error {
	return fault.New(fault.Aborted, "record.generation_dropped", "generation %d of the record was dropped", g.Number)
}

// Checkpoint implements record.Store.
func (g *generation) Checkpoint(ctx context.Context) (record.Checkpoint, error) {
	if !g.use() {
		return record.Checkpoint{}, g.gone()
	}
	defer g.release()
	return g.store.Checkpoint(ctx)
}

// Write implements record.Store.
func (g *generation) Write(ctx context.Context, from, to record.Checkpoint, changes []record.Change) error {
	b, err := batchOf(changes)
	if err != nil {
		return err
	}
	defer b.recycle()
	if !g.use() {
		return g.gone()
	}
	defer g.release()
	g.writing.Lock()
	defer g.writing.Unlock()
	if g.superseded {
		return fault.New(fault.Aborted, "record.generation_superseded",
			"generation %d of the record is not live any more", g.Number)
	}
	if err := g.store.writeBatch(ctx, from, to, b); err != nil {
		return err
	}
	if g.db.isLive(g) {
		g.db.watchers.moved(to, b.organizations())
	}
	return nil
}

// Prepare implements record.Preparer.
func (g *generation) Prepare() record.Preparation { return g.store.Prepare() }

// BulkMessages implements record.Preparer.
func (g *generation) BulkMessages() int { return g.store.BulkMessages() }

// View implements record.Store.
func (g *generation) View(ctx context.Context, f func(record.View) error) error {
	if !g.use() {
		return g.gone()
	}
	defer g.release()
	return g.store.View(ctx, f)
}

// Rows implements record.Store.
func (g *generation) Rows(ctx context.Context, f func(record.Row) error) (record.Checkpoint, error) {
	if !g.use() {
		return record.Checkpoint{}, g.gone()
	}
	defer g.release()
	return g.store.Rows(ctx, f)
}

// Close does nothing: the file belongs to the Database.
func (g *generation) Close() error { return nil }
