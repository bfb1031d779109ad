package recordtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
)

// OpenDatabase opens the database under test. Calling it again with one key,
// after the first was closed, opens the same database again.
type OpenDatabase func(t testing.TB, key string) record.Database

// RunDatabase runs the part of the suite that is about generations.
func RunDatabase(t *testing.T, open OpenDatabase) {
	t.Run("no generation", func(t *testing.T) { noGeneration(t, open) })
	t.Run("the first generation", func(t *testing.T) { firstGeneration(t, open) })
	t.Run("a generation beside the live one", func(t *testing.T) { beside(t, open) })
	t.Run("an unfinished build goes on", func(t *testing.T) { unfinished(t, open) })
	t.Run("what is behind is not made live", func(t *testing.T) { behind(t, open) })
	t.Run("a superseded writer is refused", func(t *testing.T) { superseded(t, open) })
	t.Run("readers finish on what they began", func(t *testing.T) { finish(t, open) })
	t.Run("what is live is not dropped", func(t *testing.T) { dropLive(t, open) })
	t.Run("one of two writers", func(t *testing.T) { twoWriters(t, open) })
	t.Run("readers during swaps", func(t *testing.T) { swaps(t, open) })
	t.Run("watching", func(t *testing.T) { watching(t, open) })
}

// bounded is a context that ends when a test should have long since.
func bounded(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func newDatabase(t testing.TB, open OpenDatabase) record.Database {
	d := open(t, t.Name())
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func live(t testing.TB, d record.Database) (*book, record.Generation) {
	t.Helper()
	s, g, err := d.Live(bounded(t))
	if err != nil {
		t.Fatal(err)
	}
	return &book{t: t, store: s, at: g.At}, g
}

func begun(t testing.TB, d record.Database) (*book, record.Generation) {
	t.Helper()
	s, g, err := d.Begin(bounded(t))
	if err != nil {
		t.Fatal(err)
	}
	return &book{t: t, store: s, at: g.At}, g
}

func generations(t testing.TB, d record.Database) string {
	t.Helper()
	all, err := d.Generations(bounded(t))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, g := range all {
		s := fmt.Sprintf("%d@%d", g.Number, g.At.Revision)
		if g.Live {
			s += " live"
		}
		if g.Version != record.FoldVersion {
			s += fmt.Sprintf(" version %d", g.Version)
		}
		out = append(out, s)
	}
	return fmt.Sprint(out)
}

// titled is the title of the unit a in the live generation.
func titled(t testing.TB, d record.Database) (found string) {
	t.Helper()
	if err := d.View(bounded(t), func(v record.View) error {
		found = resourceAt(t, v, "acme", "a", v.Revision())
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return found
}

func noGeneration(t *testing.T, open OpenDatabase) {
	d := newDatabase(t, open)
	err := d.View(bounded(t), func(record.View) error { return errors.New("there is something to see") })
	equal(t, "reason", fault.ReasonOf(err), "record.no_generation")
	equal(t, "kind", fault.KindOf(err), fault.Unavailable)
	at, err := d.Checkpoint(bounded(t))
	if err != nil || at.Revision != 0 || at.LogID != "" {
		t.Errorf("checkpoint: %+v, %v", at, err)
	}
	equal(t, "generations", generations(t, d), "[]")
	for what, err := range map[string]error{"promote": d.Promote(bounded(t), 7), "drop": d.Drop(bounded(t), 7)} {
		equal(t, what, fault.ReasonOf(err), "record.no_generation")
		equal(t, what, fault.KindOf(err), fault.NotFound)
	}
}

func firstGeneration(t *testing.T, open OpenDatabase) {
	d := open(t, t.Name())
	b, g := live(t, d)
	equal(t, "generation", g, record.Generation{Number: g.Number, Version: record.FoldVersion, Live: true})
	b.commit(unit("acme", "a", "a", "first"))
	equal(t, "title", titled(t, d), "first")
	at, err := d.Checkpoint(bounded(t))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "checkpoint", at, b.at)
	before := generations(t, d)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = newDatabase(t, open)
	equal(t, "generations after reopening", generations(t, d), before)
	again, _ := live(t, d)
	equal(t, "checkpoint after reopening", again.at, b.at)
	again.commit(unit("acme", "a", "a", "second"))
	equal(t, "title", titled(t, d), "second")
}

func beside(t *testing.T, open OpenDatabase) {
	d := newDatabase(t, open)
	b, old := live(t, d)
	b.commit(unit("acme", "a", "a", "old"))
	n, next := begun(t, d)
	if next.Number <= old.Number || next.Live || next.At.Revision != 0 {
		t.Errorf("begun: %+v after %+v", next, old)
	}
	n.commit(unit("acme", "a", "a", "new"))
	equal(t, "title before", titled(t, d), "old")
	equal(t, "generations", generations(t, d), fmt.Sprintf("[%d@1 live %d@1]", old.Number, next.Number))
	if err := d.Promote(bounded(t), next.Number); err != nil {
		t.Fatal(err)
	}
	equal(t, "title after", titled(t, d), "new")
	equal(t, "generations", generations(t, d), fmt.Sprintf("[%d@1 %d@1 live]", old.Number, next.Number))
	n.commit(unit("acme", "a", "a", "newer"))
	equal(t, "its writer goes on", titled(t, d), "newer")
	if err := d.Drop(bounded(t), old.Number); err != nil {
		t.Fatal(err)
	}
	equal(t, "generations", generations(t, d), fmt.Sprintf("[%d@2 live]", next.Number))
	_, third := begun(t, d)
	if third.Number <= next.Number {
		t.Errorf("generation %d after %d", third.Number, next.Number)
	}
	err := b.store.Write(bounded(t), b.at, record.Checkpoint{LogID: "log", Revision: 2}, nil)
	equal(t, "writing to what was dropped", fault.KindOf(err), fault.Aborted)
}

func unfinished(t *testing.T, open OpenDatabase) {
	d := open(t, t.Name())
	live(t, d)
	n, g := begun(t, d)
	n.commit(unit("acme", "a", "a", "kept"))
	_, again := begun(t, d)
	equal(t, "begun again", again, record.Generation{Number: g.Number, Version: g.Version, At: n.at})
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = newDatabase(t, open)
	n, again = begun(t, d)
	equal(t, "begun after reopening", again.Number, g.Number)
	equal(t, "where it stands", n.at.Revision, 1)
	n.commit(unit("acme", "b", "b", "new"))
	if err := d.Promote(bounded(t), g.Number); err != nil {
		t.Fatal(err)
	}
	equal(t, "title", titled(t, d), "kept")
}

func behind(t *testing.T, open OpenDatabase) {
	d := newDatabase(t, open)
	b, old := live(t, d)
	b.commit(unit("acme", "a", "a", "1"))
	b.commit(unit("acme", "a", "a", "2"))
	n, next := begun(t, d)
	n.commit(unit("acme", "a", "a", "new"))
	err := d.Promote(bounded(t), next.Number)
	equal(t, "reason", fault.ReasonOf(err), "record.generation_behind")
	equal(t, "kind", fault.KindOf(err), fault.Aborted)
	equal(t, "title", titled(t, d), "2")
	equal(t, "generations", generations(t, d), fmt.Sprintf("[%d@2 live %d@1]", old.Number, next.Number))
	if err := n.store.Write(bounded(t), n.at, record.Checkpoint{LogID: "another log", Revision: 9}, nil); err != nil {
		t.Fatal(err)
	}
	equal(t, "another log", fault.ReasonOf(d.Promote(bounded(t), next.Number)), "record.generation_behind")
	b.commit(unit("acme", "a", "a", "3"))
	equal(t, "title", titled(t, d), "3")
}

func superseded(t *testing.T, open OpenDatabase) {
	d := newDatabase(t, open)
	b, _ := live(t, d)
	b.commit(unit("acme", "a", "a", "old"))
	n, next := begun(t, d)
	n.commit(unit("acme", "a", "a", "new"))
	if err := d.Promote(bounded(t), next.Number); err != nil {
		t.Fatal(err)
	}
	if err := d.Promote(bounded(t), next.Number); err != nil {
		t.Errorf("making live what is live: %v", err)
	}
	err := b.store.Write(bounded(t), b.at, record.Checkpoint{LogID: "log", Revision: 2}, []record.Change{unit("acme", "a", "a", "late")(2)})
	equal(t, "reason", fault.ReasonOf(err), "record.generation_superseded")
	equal(t, "kind", fault.KindOf(err), fault.Aborted)
	equal(t, "title", titled(t, d), "new")
}

func finish(t *testing.T, open OpenDatabase) {
	d := newDatabase(t, open)
	b, old := live(t, d)
	b.commit(unit("acme", "a", "a", "old"))
	n, next := begun(t, d)
	n.commit(unit("acme", "a", "a", "new"))
	n.commit(unit("acme", "b", "b", "new"))
	dropped := make(chan error, 1)
	if err := d.View(bounded(t), func(v record.View) error {
		if err := d.Promote(bounded(t), next.Number); err != nil {
			return err
		}
		go func() { dropped <- d.Drop(bounded(t), old.Number) }()
		equal(t, "title of others", titled(t, d), "new")
		for range 20 {
			equal(t, "revision", v.Revision(), 1)
			equal(t, "title", resourceAt(t, v, "acme", "a", v.Revision()), "old")
			equal(t, "names", names(t, v, "acme", v.Revision()), []string{"a"})
		}
		select {
		case err := <-dropped:
			t.Errorf("dropped under a reader: %v", err)
		default:
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := <-dropped; err != nil {
		t.Fatal(err)
	}
	equal(t, "generations", generations(t, d), fmt.Sprintf("[%d@2 live]", next.Number))
}

func dropLive(t *testing.T, open OpenDatabase) {
	d := newDatabase(t, open)
	b, g := live(t, d)
	err := d.Drop(bounded(t), g.Number)
	equal(t, "reason", fault.ReasonOf(err), "record.generation_live")
	equal(t, "kind", fault.KindOf(err), fault.Rule)
	b.commit(unit("acme", "a", "a", "kept"))
	equal(t, "title", titled(t, d), "kept")
}

func twoWriters(t *testing.T, open OpenDatabase) {
	d := newDatabase(t, open)
	one, _ := live(t, d)
	other, _ := live(t, d)
	for round := range 20 {
		from := one.at
		to := record.Checkpoint{LogID: "log", Revision: from.Revision + 1, Hash: []byte{1}}
		errs := make(chan error, 2)
		gate := make(chan struct{})
		for i, b := range []*book{one, other} {
			go func() {
				<-gate
				errs <- b.store.Write(bounded(t), from, to, []record.Change{unit("acme", "a", "a", fmt.Sprint(round, i))(to.Revision)})
			}()
		}
		close(gate)
		var refused []string
		for range 2 {
			if err := <-errs; err != nil {
				refused = append(refused, fault.ReasonOf(err))
			}
		}
		equal(t, "refused", refused, []string{"record.checkpoint_moved"})
		one.at, other.at = to, to
	}
}

// swaps has readers read while generations are begun, filled, made live and
// dropped: none ever sees a half of one, or fails.
func swaps(t *testing.T, open OpenDatabase) {
	d := newDatabase(t, open)
	b, old := live(t, d)
	b.commit(unit("acme", "x", "x", "0"), unit("acme", "y", "y", "0"), unit("acme", "a", "a", "0"))
	done := make(chan struct{})
	failed := make(chan error, 4)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			var last uint64
			for {
				select {
				case <-done:
					return
				default:
				}
				err := d.View(bounded(t), func(v record.View) error {
					x, err1 := v.Resource("acme", "Unit", "x", v.Revision())
					y, err2 := v.Resource("acme", "Unit", "y", v.Revision())
					list, err3 := v.Resources("acme", "Unit", v.Revision(), "", 0)
					if err := errors.Join(err1, err2, err3); err != nil {
						return err
					}
					if title(x) == "" || title(x) != title(y) || len(list) != 3 {
						return fmt.Errorf("half a picture at %d: %q, %q, %d units", v.Revision(), title(x), title(y), len(list))
					}
					if v.Revision() < last {
						return fmt.Errorf("revision %d after %d", v.Revision(), last)
					}
					last = v.Revision()
					return nil
				})
				if err != nil {
					failed <- err
					return
				}
			}
		})
	}
	for round := range 8 {
		n, next := begun(t, d)
		for n.at.Revision < b.at.Revision+1 {
			name := fmt.Sprint(round, n.at.Revision)
			n.commit(unit("acme", "x", "x", name), unit("acme", "y", "y", name), unit("acme", "a", "a", name))
		}
		if err := d.Promote(bounded(t), next.Number); err != nil {
			t.Fatal(err)
		}
		if err := d.Drop(bounded(t), old.Number); err != nil {
			t.Fatal(err)
		}
		b, old = n, next
	}
	close(done)
	readers.Wait()
	close(failed)
	for err := range failed {
		t.Error(err)
	}
}

func watching(t *testing.T, open OpenDatabase) {
	d := newDatabase(t, open)
	b, _ := live(t, d)
	ctx, cancel := context.WithCancel(bounded(t))
	type move struct {
		at   uint64
		orgs map[string]uint64
	}
	moves := make(chan move, 1000)
	ended := make(chan error, 1)
	go func() {
		ended <- d.Watch(ctx, func(at record.Checkpoint, orgs map[string]uint64) {
			moves <- move{at.Revision, orgs}
		})
	}()
	seen := map[string]uint64{}
	var order []uint64
	// A watcher that has only just begun may miss what came before it: write
	// until it tells.
	until := func(revision uint64, more func()) {
		t.Helper()
		for {
			select {
			case m := <-moves:
				order = append(order, m.at)
				for org, rev := range m.orgs {
					seen[org] = max(seen[org], rev)
				}
				if m.at >= revision {
					return
				}
			case <-time.After(20 * time.Millisecond):
				if more != nil {
					more()
				}
			case <-ctx.Done():
				t.Fatalf("not told of revision %d; told %v", revision, order)
			}
		}
	}
	until(1, func() { b.commit(unit("acme", "a", "a", "warm")) })
	rev := b.commit(unit("acme", "a", "a", "1"))
	for range 30 {
		rev = b.commit(unit("acme", "a", "a", "more"))
	}
	until(rev, nil)
	equal(t, "newest of acme", seen["acme"], rev)

	n, next := begun(t, d)
	for n.at.Revision < b.at.Revision {
		n.commit(unit("acme", "a", "a", "new"))
	}
	last := record.Checkpoint{LogID: "log", Revision: n.at.Revision + 1, Hash: []byte{9}}
	if err := n.store.Write(ctx, n.at, last, []record.Change{record.PutCommit{Org: "umbrella", Revision: last.Revision, Recorded: start}}); err != nil {
		t.Fatal(err)
	}
	if err := d.Promote(ctx, next.Number); err != nil {
		t.Fatal(err)
	}
	until(last.Revision, nil)
	equal(t, "newest of umbrella", seen["umbrella"], last.Revision)
	if !slices.IsSorted(order) {
		t.Errorf("told of %v", order)
	}
	cancel()
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
