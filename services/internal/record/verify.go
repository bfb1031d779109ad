package record

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"setpoint.dev/services/internal/fault"
)

// Difference is a row of the live generation that is not what the log makes of
// it: it has another value, is missing there (Live nil), or should not be there
// (Log nil).
type Difference struct {
	Table, Key string
	Live, Log  *string
}

// Verification is what Verify found.
type Verification struct {
	Revision    uint64 // where the live generation stood
	Rows        uint64 // that were compared
	Differing   uint64
	Differences []Difference // the first of them
}

// tellEvery is the least time between two words about how far it is.
const tellEvery = 100 * time.Millisecond

// Verify folds the log anew into a scratch store, as far as the live
// generation stands, and compares every row of the two. At most limit
// differences are described. The live generation goes on meanwhile.
func (p *Projection) Verify(ctx context.Context, limit int, tell func(Progress)) (v Verification, err error) {
	_, live, err := p.data.Live(ctx)
	if err != nil {
		return v, err
	}
	if live.Version != FoldVersion {
		return v, fault.New(fault.Rule, "record.verify_other_version",
			"the live generation is of version %d, this binary makes version %d: they differ on purpose", live.Version, FoldVersion).
			WithHint("wait for the rebuild that is under way: setpoint projections list")
	}
	scratch, err := p.scratch(ctx)
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, scratch.Close()) }()

	fold := folding{p: p, store: scratch, tell: tell, began: time.Now()}
	if err := fold.to(ctx, live.At.Revision); err != nil {
		return v, err
	}
	for range pinAttempts {
		picture, err := p.pin(ctx)
		if err != nil {
			return v, err
		}
		if picture == nil {
			continue
		}
		defer picture.stop()
		if err := fold.to(ctx, picture.at.Revision); err != nil {
			return v, err
		}
		c := comparison{limit: limit, tell: tell, began: time.Now()}
		if err := c.run(ctx, picture.rows, scratch); err != nil {
			return v, err
		}
		if <-picture.done; picture.err != nil {
			return v, picture.err
		}
		c.found.Revision = picture.at.Revision
		return c.found, nil
	}
	return v, fault.New(fault.Unavailable, "record.verify_moving", "the record moves too fast for a picture of it to be compared").
		WithHint("ask the process that projects, or try again when less is written")
}

// pinAttempts bounds how often a picture is taken of a generation that another
// process writes, until nothing is written in the moment of taking it.
const pinAttempts = 1000

// folding folds into a scratch store in steps.
type folding struct {
	p     *Projection
	store Store
	tell  func(Progress)
	began time.Time
	at    Checkpoint
}

func (f *folding) to(ctx context.Context, revision uint64) error {
	if revision <= f.at.Revision {
		return nil
	}
	except, err := exceptions(ctx, f.p.log)
	if err != nil {
		return err
	}
	b := bulk{log: f.p.log, kinds: f.p.kinds, store: f.store, except: except, moved: func(to Checkpoint, _ int, _ map[string]uint64) {
		f.tell(Progress{Stage: Folding, Done: to.Revision, Total: revision,
			Rate: float64(to.Revision) / max(time.Since(f.began).Seconds(), 1e-3)})
	}}
	f.at, err = b.run(ctx, f.at, revision)
	return err
}

// picture is one of the live generation, whose rows wait to be read.
type picture struct {
	at   Checkpoint
	rows <-chan []Row
	stop context.CancelFunc
	err  error
	done chan struct{}
}

func (p *picture) close() error {
	p.stop()
	<-p.done
	if errors.Is(p.err, context.Canceled) {
		return nil
	}
	return p.err
}

// pin takes a picture of the live generation at a checkpoint that is known; nil
// if something was written meanwhile.
func (p *Projection) pin(ctx context.Context) (*picture, error) {
	p.writing.Lock()
	defer p.writing.Unlock()
	at, err := p.data.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	store, _, err := p.data.Live(ctx)
	if err != nil {
		return nil, err
	}
	reading, stop := context.WithCancel(ctx)
	taken := make(chan struct{})
	pic := &picture{at: at, stop: stop, done: make(chan struct{})}
	pic.rows = stream(reading, store, taken, func(err error) { pic.err = err; close(pic.done) })
	select {
	case <-taken:
	case <-pic.done:
		if pic.err != nil {
			return nil, pic.close()
		}
	}
	now, err := p.data.Checkpoint(ctx)
	if err == nil && now.Revision == at.Revision {
		return pic, nil
	}
	return nil, errors.Join(err, pic.close())
}

// rowsAtOnce is how many rows are handed over together.
const rowsAtOnce = 1000

// stream reads the rows of a store until ctx ends; taken, if there is one, is
// closed at the first row, when the picture is taken.
func stream(ctx context.Context, store Store, taken chan<- struct{}, ended func(error)) <-chan []Row {
	out := make(chan []Row, 4)
	go func() {
		var rows []Row
		hand := func() error {
			select {
			case out <- rows:
				rows = nil
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		_, err := store.Rows(ctx, func(r Row) error {
			if taken != nil {
				close(taken)
				taken = nil
			}
			if rows = append(rows, r); len(rows) == rowsAtOnce {
				return hand()
			}
			return nil
		})
		if err == nil && len(rows) > 0 {
			err = hand()
		}
		ended(err)
		close(out)
	}()
	return out
}

// cursor reads one row after the other.
type cursor struct {
	in   <-chan []Row
	rows []Row
}

func (c *cursor) peek() (Row, bool) {
	for len(c.rows) == 0 {
		rows, more := <-c.in
		if !more {
			return Row{}, false
		}
		c.rows = rows
	}
	return c.rows[0], true
}

func (c *cursor) skip() { c.rows = c.rows[1:] }

// comparison goes through two stores in the order of their rows.
type comparison struct {
	limit int
	tell  func(Progress)
	began time.Time
	told  time.Time
	found Verification
}

func (c *comparison) run(ctx context.Context, live <-chan []Row, log Store) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	a, b := cursor{in: live}, cursor{in: stream(ctx, log, nil, func(err error) { ended <- err })}
	for {
		x, anyX := a.peek()
		y, anyY := b.peek()
		if !anyX && !anyY {
			break
		}
		order := -1
		switch {
		case anyX && anyY:
			order = compareRows(x, y)
		case anyY:
			order = 1
		}
		switch {
		case order < 0:
			c.differ(Difference{Table: x.Table, Key: x.Key, Live: &x.Value})
			a.skip()
		case order > 0:
			c.differ(Difference{Table: y.Table, Key: y.Key, Log: &y.Value})
			b.skip()
		default:
			if x.Value != y.Value {
				c.differ(Difference{Table: x.Table, Key: x.Key, Live: &x.Value, Log: &y.Value})
			}
			a.skip()
			b.skip()
		}
		c.found.Rows++
		if c.found.Rows%rowsAtOnce == 0 && time.Since(c.told) > tellEvery {
			c.told = time.Now()
			c.tell(Progress{Stage: Comparing, Done: c.found.Rows,
				Rate: float64(c.found.Rows) / max(time.Since(c.began).Seconds(), 1e-3)})
		}
	}
	if err := <-ended; err != nil {
		return fmt.Errorf("read what was folded: %w", err)
	}
	return nil
}

func (c *comparison) differ(d Difference) {
	c.found.Differing++
	if len(c.found.Differences) < c.limit {
		c.found.Differences = append(c.found.Differences, d)
	}
}

// numbered are the columns of primary keys that are integers; Rows orders them
// as such.
var numbered = map[string]bool{"rev_from": true, "rev": true, "revision": true}

// compareRows is the order in which Rows gives them.
func compareRows(a, b Row) int {
	if c := cmp.Compare(a.Table, b.Table); c != 0 {
		return c
	}
	x, y := a.Key, b.Key
	for x != "" && y != "" {
		var cx, cy string
		cx, x, _ = strings.Cut(x, string(rune(ColumnSeparator)))
		cy, y, _ = strings.Cut(y, string(rune(ColumnSeparator)))
		if cx == cy {
			continue
		}
		name, vx, _ := strings.Cut(cx, "=")
		_, vy, _ := strings.Cut(cy, "=")
		if numbered[name] {
			nx, _ := strconv.ParseUint(vx, 10, 64)
			ny, _ := strconv.ParseUint(vy, 10, 64)
			return cmp.Compare(nx, ny)
		}
		return cmp.Compare(vx, vy)
	}
	return cmp.Compare(len(x), len(y))
}
