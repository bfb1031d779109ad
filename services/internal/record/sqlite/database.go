package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
)

// Database implements record.Database in a folder of one process: a file for
// each generation, and record.json, which lists them. Every generation has one
// connection that writes and several that read.
type Database struct {
	dir      string
	kinds    *resource.Registry
	watchers watchers

	// changing is held by whoever changes the list of generations.
	changing sync.Mutex

	mu      sync.Mutex
	catalog catalog
	open    map[int]*generation
	live    *generation
	closed  bool
}

var _ record.Database = (*Database)(nil)

// OpenDatabase opens the generations of the record in a folder, which must not
// be open in another process. Files that a killed process left are removed; an
// unfinished generation stays, for Begin to go on with.
func OpenDatabase(ctx context.Context, dir string, kinds *resource.Registry) (_ *Database, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the record: %w", err)
	}
	d := &Database{dir: dir, kinds: kinds, open: map[int]*generation{}}
	if d.catalog, err = readCatalog(dir); err != nil {
		return nil, err
	}
	for _, e := range d.catalog.Generations {
		g, err := d.openFile(ctx, e, e.Number != d.catalog.Live)
		if err != nil {
			return nil, errors.Join(err, d.Close())
		}
		if e.Number == d.catalog.Live {
			d.live = g
		}
	}
	return d, nil
}

// openFile opens a listed generation.
func (d *Database) openFile(ctx context.Context, e entry, building bool) (*generation, error) {
	g := &generation{entry: e, path: filepath.Join(d.dir, e.File), db: d}
	var err error
	if g.store, err = Open(ctx, g.path, d.kinds); err != nil {
		return nil, err
	}
	if building {
		if err := g.store.build(ctx); err != nil {
			return nil, errors.Join(err, g.store.Close())
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open[e.Number] = g
	return g, nil
}

// list makes c the list of generations, on disk first.
func (d *Database) list(c catalog, live *generation) error {
	if err := c.write(d.dir); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.catalog, d.live = c, live
	return nil
}

func (d *Database) isLive(g *generation) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.live == g
}

// current is the live generation, kept open until it is released; nil if there
// is none.
func (d *Database) current() *generation {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.live != nil {
		d.live.users++
	}
	return d.live
}

// View implements record.Database.
func (d *Database) View(ctx context.Context, f func(record.View) error) error {
	g := d.current()
	if g == nil {
		return fault.New(fault.Unavailable, "record.no_generation", "there is no record yet")
	}
	defer g.release()
	return g.store.View(ctx, f)
}

// Checkpoint implements record.Database.
func (d *Database) Checkpoint(ctx context.Context) (record.Checkpoint, error) {
	g := d.current()
	if g == nil {
		return record.Checkpoint{}, nil
	}
	defer g.release()
	return g.store.Checkpoint(ctx)
}

// Generations implements record.Database.
func (d *Database) Generations(ctx context.Context) ([]record.Generation, error) {
	d.mu.Lock()
	var all []*generation
	for _, e := range d.catalog.Generations {
		if g := d.open[e.Number]; g != nil {
			g.users++
			all = append(all, g)
		}
	}
	live := d.live
	d.mu.Unlock()
	var out []record.Generation
	var failed error
	for _, g := range all {
		at, err := g.store.Checkpoint(ctx)
		failed = errors.Join(failed, err)
		out = append(out, record.Generation{Number: g.Number, Version: g.Version, Live: g == live, At: at})
		g.release()
	}
	return out, failed
}

// Live implements record.Database.
func (d *Database) Live(ctx context.Context) (record.Store, record.Generation, error) {
	d.changing.Lock()
	defer d.changing.Unlock()
	d.mu.Lock()
	live := d.live
	d.mu.Unlock()
	if live == nil {
		// An unfinished build is a beginning, if its rows are what today's are.
		g, err := d.unfinished(ctx)
		if err != nil {
			return nil, record.Generation{}, err
		}
		d.mu.Lock()
		c := d.catalog
		d.mu.Unlock()
		c.Live = g.Number
		if err := g.store.finish(ctx, g.path); err != nil {
			return nil, record.Generation{}, err
		}
		if err := d.list(c, g); err != nil {
			return nil, record.Generation{}, err
		}
		live = g
	}
	at, err := live.store.Checkpoint(ctx)
	return live, record.Generation{Number: live.Number, Version: live.Version, Live: true, At: at}, err
}

// Begin implements record.Database.
func (d *Database) Begin(ctx context.Context) (record.Store, record.Generation, error) {
	d.changing.Lock()
	defer d.changing.Unlock()
	g, err := d.unfinished(ctx)
	if err != nil {
		return nil, record.Generation{}, err
	}
	at, err := g.store.Checkpoint(ctx)
	return g, record.Generation{Number: g.Number, Version: g.Version, At: at}, err
}

// unfinished is the generation of the present version that is not live; it is
// made if there is none. Listed before its file is made, so that none is there
// that nobody knows of.
func (d *Database) unfinished(ctx context.Context) (*generation, error) {
	d.mu.Lock()
	c := d.catalog
	var found *generation
	for _, e := range c.Generations {
		if e.Version == record.FoldVersion && e.Number != c.Live && !c.superseded(e) && d.open[e.Number] != nil {
			found = d.open[e.Number]
		}
	}
	live := d.live
	d.mu.Unlock()
	if found != nil {
		return found, nil
	}
	c, e := c.with(record.FoldVersion)
	if err := d.list(c, live); err != nil {
		return nil, err
	}
	g, err := d.openFile(ctx, e, true)
	if err != nil {
		return nil, errors.Join(err, d.list(c.without(e.Number), live))
	}
	return g, nil
}

// Promote implements record.Database.
func (d *Database) Promote(ctx context.Context, number int) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	d.mu.Lock()
	c, old, g := d.catalog, d.live, d.open[number]
	d.mu.Unlock()
	if g == nil {
		return fault.New(fault.NotFound, "record.no_generation", "the record has no generation %d", number)
	}
	if g == old {
		return nil
	}
	// Nothing is written to either from here on.
	g.writing.Lock()
	defer g.writing.Unlock()
	to, err := g.store.Checkpoint(ctx)
	if err != nil {
		return err
	}
	var from record.Checkpoint
	if old != nil {
		old.writing.Lock()
		defer old.writing.Unlock()
		if from, err = old.store.Checkpoint(ctx); err != nil {
			return err
		}
	}
	if to.Revision < from.Revision || from.Revision != 0 && to.LogID != from.LogID {
		return fault.New(fault.Aborted, "record.generation_behind",
			"generation %d stands at revision %d of log %q, the live one at %d of %q",
			number, to.Revision, to.LogID, from.Revision, from.LogID)
	}
	orgs, err := g.store.organizationsAfter(ctx, from.Revision)
	if err != nil {
		return err
	}
	if err := g.store.finish(ctx, g.path); err != nil {
		return err
	}
	c.Live = number
	if err := d.list(c, g); err != nil {
		return err
	}
	if old != nil {
		old.superseded = true
	}
	d.watchers.moved(to, orgs)
	return nil
}

// Drop implements record.Database. The generation is off the list at once;
// Drop returns when its readers have gone, or when ctx ends and they have not.
func (d *Database) Drop(ctx context.Context, number int) error {
	gone, err := d.strike(number)
	if err != nil {
		return err
	}
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// strike takes a generation off the list; the channel is closed when its file
// has gone.
func (d *Database) strike(number int) (<-chan struct{}, error) {
	d.changing.Lock()
	defer d.changing.Unlock()
	d.mu.Lock()
	c, live, g := d.catalog, d.live, d.open[number]
	d.mu.Unlock()
	switch {
	case g == nil:
		return nil, fault.New(fault.NotFound, "record.no_generation", "the record has no generation %d", number)
	case g == live:
		return nil, fault.New(fault.Rule, "record.generation_live", "generation %d of the record is live", number)
	}
	if err := d.list(c.without(number), live); err != nil {
		return nil, err
	}
	d.mu.Lock()
	gone := make(chan struct{})
	g.dropped = gone
	delete(d.open, number)
	last := g.users == 0
	d.mu.Unlock()
	if last {
		g.remove()
	}
	return gone, nil
}

// Watch implements record.Database.
func (d *Database) Watch(ctx context.Context, f func(at record.Checkpoint, orgs map[string]uint64)) error {
	return d.watchers.watch(ctx, f)
}

// Close implements record.Database. Nobody may read or write any more.
func (d *Database) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	var err error
	for _, g := range d.open {
		err = errors.Join(err, g.store.Close())
	}
	return err
}
