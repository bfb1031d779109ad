package recordtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
)

// OpenDatabase opens the database under test. Calling it twice with one key
// opens the same database again, after the first one was closed.
type OpenDatabase func(t testing.TB, key string) record.Database

// RunDatabase runs the suite of record.Database.
func RunDatabase(t *testing.T, open OpenDatabase) {
	t.Run("an empty database", func(t *testing.T) { emptyDatabase(t, open) })
	t.Run("a swap", func(t *testing.T) { swap(t, open) })
	t.Run("one that is behind is not promoted", func(t *testing.T) { behind(t, open) })
	t.Run("an unfinished generation is gone on with", func(t *testing.T) { unfinished(t, open) })
	t.Run("readers finish where they began", func(t *testing.T) { readersFinish(t, open) })
	t.Run("readers see one generation or the other", func(t *testing.T) { readersDuringSwaps(t, open) })
	t.Run("watching", func(t *testing.T) { watching(t, open) })
	t.Run("no generation", func(t *testing.T) { noGeneration(t, open) })
	t.Run("one of two writers", func(t *testing.T) { twoWriters(t, open) })
	t.Run("the writer of what was dropped", func(t *testing.T) { droppedWriter(t, open) })
	t.Run("reopening", func(t *testing.T) { reopened(t, open) })
}

// on is a book in a generation.
func on(t testing.TB, s record.Store, g record.Generation) *book {
	return &book{t: t, store: s, at: g.At}
}

func database(t testing.TB, open OpenDatabase) record.Database {
	t.Helper()
	d := open(t, t.Name())
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func live(t testing.TB, d record.Database) *book {
	t.Helper()
	s, g, err := d.Live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !g.Live {
		t.Fatalf("the live generation says %+v", g)
	}
	return on(t, s, g)
}

func begin(t testing.TB, d record.Database) (*book, int) {
	t.Helper()
	s, g, err := d.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if g.Live || g.Version != record.FoldVersion {
		t.Fatalf("a begun generation says %+v", g)
	}
	return on(t, s, g), g.Number
}

// shows is the title of the unit a in the live generation.
func shows(t testing.TB, d record.Database) string {
	t.Helper()
	var got string
	if err := d.View(t.Context(), func(v record.View) error {
		got = resourceAt(t, v, "acme", "a", v.Revision())
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return got
}

// list is how the generations stand: number, revision, and * for the live one.
func list(t testing.TB, d record.Database) string {
	t.Helper()
	all, err := d.Generations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, g := range all {
		s := fmt.Sprintf("%d@%d", g.Number, g.At.Revision)
		if g.Live {
			s += "*"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func emptyDatabase(t *testing.T, open OpenDatabase) {
	d := database(t, open)
	at, err := d.Checkpoint(t.Context())
	if err != nil || at.Revision != 0 || at.LogID != "" {
		t.Errorf("checkpoint: %+v, %v", at, err)
	}
	b := live(t, d)
	equal(t, "revision", b.at.Revision, 0)
	b.commit(unit("acme", "a", "a", "one"))
	again := live(t, d)
	equal(t, "the same generation, further on", again.at.Revision, 1)
	equal(t, "a", shows(t, d), "one")
	all, err := d.Generations(t.Context())
	if err != nil || len(all) != 1 || !all[0].Live || all[0].Version != record.FoldVersion {
		t.Errorf("generations: %+v, %v", all, err)
	}
	equal(t, "dropping the live one", fault.ReasonOf(d.Drop(t.Context(), all[0].Number)), "record.generation_live")
	equal(t, "dropping one that is not", fault.ReasonOf(d.Drop(t.Context(), 1000)), "record.no_generation")
	equal(t, "promoting one that is not", fault.ReasonOf(d.Promote(t.Context(), 1000)), "record.no_generation")
}

func swap(t *testing.T, open OpenDatabase) {
	d := database(t, open)
	old := live(t, d)
	old.commit(unit("acme", "a", "a", "old"))
	next, number := begin(t, d)
	equal(t, "beside the live one", shows(t, d), "old")
	next.commit(unit("acme", "a", "a", "new"))
	if at, err := d.Checkpoint(t.Context()); err != nil || at.Revision != 1 {
		t.Errorf("checkpoint %+v, %v", at, err)
	}
	equal(t, "while it is built", shows(t, d), "old")
	old.commit(unit("acme", "b", "b", "old"))
	next.commit(unit("acme", "b", "b", "new"))
	next.commit(unit("acme", "c", "c", "new"))
	if err := d.Promote(t.Context(), number); err != nil {
		t.Fatal(err)
	}
	equal(t, "after the swap", shows(t, d), "new")
	if at, err := d.Checkpoint(t.Context()); err != nil || at.Revision != 3 {
		t.Errorf("checkpoint %+v, %v", at, err)
	}
	err := old.store.Write(t.Context(), old.at, record.Checkpoint{LogID: "log", Revision: 3}, nil)
	equal(t, "the old writer", fault.ReasonOf(err), "record.generation_superseded")
	next.commit(unit("acme", "a", "a", "newer"))
	equal(t, "its writer goes on", shows(t, d), "newer")
	all, err := d.Generations(t.Context())
	if err != nil || len(all) != 2 || all[0].Live || !all[1].Live {
		t.Fatalf("generations: %+v, %v", all, err)
	}
	if err := d.Drop(t.Context(), all[0].Number); err != nil {
		t.Fatal(err)
	}
	if all, err = d.Generations(t.Context()); err != nil || len(all) != 1 || all[0].Number != number {
		t.Errorf("generations: %+v, %v", all, err)
	}
	equal(t, "after the drop", shows(t, d), "newer")
}

func behind(t *testing.T, open OpenDatabase) {
	d := database(t, open)
	old := live(t, d)
	old.commit(unit("acme", "a", "a", "old"))
	old.commit(unit("acme", "a", "a", "old"))
	next, number := begin(t, d)
	next.commit(unit("acme", "a", "a", "new"))
	err := d.Promote(t.Context(), number)
	equal(t, "behind", fault.ReasonOf(err), "record.generation_behind")
	equal(t, "kind", fault.KindOf(err), fault.Aborted)
	old.commit(unit("acme", "a", "a", "goes on"))
	equal(t, "the live one", shows(t, d), "goes on")
	for next.at.Revision < old.at.Revision {
		next.commit(unit("acme", "a", "a", "caught up"))
	}
	if err := d.Promote(t.Context(), number); err != nil {
		t.Fatal(err)
	}
	if err := d.Promote(t.Context(), number); err != nil {
		t.Errorf("promoting the live one again: %v", err)
	}
	equal(t, "caught up", shows(t, d), "caught up")

	other, number := begin(t, d)
	to := record.Checkpoint{LogID: "another log", Revision: 1000}
	if err := other.store.Write(t.Context(), other.at, to, nil); err != nil {
		t.Fatal(err)
	}
	equal(t, "of another log", fault.ReasonOf(d.Promote(t.Context(), number)), "record.generation_behind")
}

func unfinished(t *testing.T, open OpenDatabase) {
	d := database(t, open)
	live(t, d).commit(unit("acme", "a", "a", "old"))
	first, number := begin(t, d)
	first.commit(unit("acme", "a", "a", "begun"))
	again, same := begin(t, d)
	equal(t, "number", same, number)
	equal(t, "stands", again.at, first.at)
	if err := d.Drop(t.Context(), number); err != nil {
		t.Fatal(err)
	}
	fresh, other := begin(t, d)
	if other == number || fresh.at.Revision != 0 {
		t.Errorf("after the drop %d begins as %d at %d", number, other, fresh.at.Revision)
	}
}

func readersFinish(t *testing.T, open OpenDatabase) {
	d := database(t, open)
	live(t, d).commit(unit("acme", "a", "a", "old"))
	next, number := begin(t, d)
	next.commit(unit("acme", "a", "a", "new"))
	all, err := d.Generations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dropped := make(chan error, 1)
	if err := d.View(t.Context(), func(v record.View) error {
		if err := d.Promote(t.Context(), number); err != nil {
			return err
		}
		go func() { dropped <- d.Drop(context.WithoutCancel(t.Context()), all[0].Number) }()
		for range 50 {
			equal(t, "within the view", resourceAt(t, v, "acme", "a", v.Revision()), "old")
			equal(t, "beside it", shows(t, d), "new")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-dropped:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("it was not dropped when its reader had gone")
	}
}

// Generation n has its number in two rows, which every picture must agree on.
func readersDuringSwaps(t *testing.T, open OpenDatabase) {
	d := database(t, open)
	live(t, d).commit(unit("acme", "x", "x", "0"), unit("acme", "y", "y", "0"))
	done := make(chan struct{})
	failed := make(chan error, 4)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			newest := -1
			for {
				select {
				case <-done:
					return
				default:
				}
				err := d.View(context.Background(), func(v record.View) error {
					x, err1 := v.Resource("acme", "Unit", "x", v.Revision())
					y, err2 := v.Resource("acme", "Unit", "y", v.Revision())
					if err := errors.Join(err1, err2); err != nil {
						return err
					}
					var n int
					if _, err := fmt.Sscan(title(x), &n); err != nil || title(x) != title(y) {
						return fmt.Errorf("a picture of %q and %q at %d", title(x), title(y), v.Revision())
					}
					if n < newest {
						return fmt.Errorf("generation %d after %d", n, newest)
					}
					newest = n
					return nil
				})
				if err != nil {
					failed <- err
					return
				}
			}
		})
	}
	for n := 1; n <= 10; n++ {
		all, err := d.Generations(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		old := all[slices.IndexFunc(all, func(g record.Generation) bool { return g.Live })].Number
		next, number := begin(t, d)
		next.commit(unit("acme", "x", "x", fmt.Sprint(n)))
		next.commit(unit("acme", "y", "y", fmt.Sprint(n)))
		if err := d.Promote(t.Context(), number); err != nil {
			t.Fatal(err)
		}
		if err := d.Drop(t.Context(), old); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	readers.Wait()
	close(failed)
	for err := range failed {
		t.Error(err)
	}
}

func watching(t *testing.T, open OpenDatabase) {
	d := database(t, open)
	b := live(t, d)
	ctx, stop := context.WithCancel(t.Context())
	type seen struct {
		at   uint64
		orgs map[string]uint64
	}
	var mu sync.Mutex
	last := seen{orgs: map[string]uint64{}}
	moved := make(chan struct{}, 1000)
	ended := make(chan error, 1)
	go func() {
		ended <- d.Watch(ctx, func(at record.Checkpoint, orgs map[string]uint64) {
			mu.Lock()
			defer mu.Unlock()
			last.at = at.Revision
			for org, r := range orgs {
				last.orgs[org] = r
			}
			moved <- struct{}{}
		})
	}()
	until := func(what string, ok func() bool) {
		t.Helper()
		bound := time.After(time.Minute)
		for {
			mu.Lock()
			is := ok()
			mu.Unlock()
			if is {
				return
			}
			select {
			case <-moved:
			case <-bound:
				t.Fatalf("%s: the watcher saw %+v", what, last)
			}
		}
	}
	// The watcher may not be there for the first one.
	for n := 0; ; n++ {
		b.commit(unit("acme", "a", "a", fmt.Sprint(n)))
		mu.Lock()
		some := last.at > 0
		mu.Unlock()
		if some {
			break
		}
	}
	until("a commit", func() bool { return last.at == b.at.Revision && last.orgs["acme"] == b.at.Revision })
	next, number := begin(t, d)
	for next.at.Revision < b.at.Revision {
		next.commit(unit("acme", "a", "a", "new"))
	}
	before := b.at.Revision
	next.commit(unit("acme", "a", "a", "newer"))
	mu.Lock()
	equal(t, "what is built is not told", last.at, before)
	mu.Unlock()
	if err := d.Promote(t.Context(), number); err != nil {
		t.Fatal(err)
	}
	until("a swap", func() bool { return last.at == before+1 && last.orgs["acme"] == before+1 })
	next.commit(unit("acme", "a", "a", "newest"))
	until("a commit after it", func() bool { return last.at == before+2 && last.orgs["acme"] == before+2 })
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("watching ended with %v", err)
	}
}

func reopened(t *testing.T, open OpenDatabase) {
	d := open(t, t.Name())
	live(t, d).commit(unit("acme", "a", "a", "old"))
	next, number := begin(t, d)
	next.commit(unit("acme", "a", "a", "begun"))
	before := list(t, d)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = open(t, t.Name())
	equal(t, "generations", list(t, d), before)
	equal(t, "a", shows(t, d), "old")
	again, same := begin(t, d)
	equal(t, "the unfinished one", []uint64{uint64(same), again.at.Revision}, []uint64{uint64(number), 1})
	again.commit(unit("acme", "a", "a", "done"))
	if err := d.Promote(t.Context(), number); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = open(t, t.Name())
	defer func() { _ = d.Close() }()
	equal(t, "a after the swap", shows(t, d), "done")
	live(t, d).commit(unit("acme", "a", "a", "goes on"))
	equal(t, "the live one goes on", shows(t, d), "goes on")
}
