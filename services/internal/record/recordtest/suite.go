// Package recordtest is the conformance suite of record.Store: every database
// passes all of it.
package recordtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
)

// Open opens the store under test. Calling it twice with one key opens the
// same database again.
type Open func(t testing.TB, key string) record.Store

// Run runs the suite.
func Run(t *testing.T, open Open) {
	t.Run("an empty store", func(t *testing.T) { empty(t, open) })
	t.Run("versions as of a revision", func(t *testing.T) { versions(t, open) })
	t.Run("a rename keeps the history", func(t *testing.T) { rename(t, open) })
	t.Run("two swap their names", func(t *testing.T) { exchange(t, open) })
	t.Run("two names in one commit", func(t *testing.T) { twoNames(t, open) })
	t.Run("corrections", func(t *testing.T) { corrections(t, open) })
	t.Run("check-ins", func(t *testing.T) { checkIns(t, open) })
	t.Run("states", func(t *testing.T) { states(t, open) })
	t.Run("organizations of a kind", func(t *testing.T) { organizations(t, open) })
	t.Run("erasures", func(t *testing.T) { erasures(t, open) })
	t.Run("pages", func(t *testing.T) { pages(t, open) })
	t.Run("requests add up", func(t *testing.T) { requests(t, open) })
	t.Run("known at", func(t *testing.T) { knownAt(t, open) })
	t.Run("known at, with clocks that differ", func(t *testing.T) { knownAtWithClocksThatDiffer(t, open) })
	t.Run("a moved checkpoint is refused", func(t *testing.T) { fenced(t, open) })
	t.Run("a failing write leaves nothing", func(t *testing.T) { atomic(t, open) })
	t.Run("resume after reopening", func(t *testing.T) { resume(t, open) })
	t.Run("a view does not move", func(t *testing.T) { stable(t, open) })
	t.Run("organizations do not see each other", func(t *testing.T) { tenants(t, open) })
	t.Run("writes of any size come to the same", func(t *testing.T) { batches(t, open) })
	t.Run("rows", func(t *testing.T) { rows(t, open) })
	t.Run("as-of reads agree with a model", func(t *testing.T) { model(t, open) })
}

var start = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)

// book writes commits one after the other.
type book struct {
	t     testing.TB
	store record.Store
	at    record.Checkpoint
}

func newBook(t testing.TB, open Open) *book {
	s := open(t, t.Name())
	t.Cleanup(func() { _ = s.Close() })
	return &book{t: t, store: s}
}

// commit writes the changes as the next revision and returns it.
func (b *book) commit(changes ...func(rev uint64) record.Change) uint64 {
	b.t.Helper()
	rev := b.at.Revision + 1
	var out []record.Change
	for _, c := range changes {
		out = append(out, c(rev))
	}
	out = append(out, record.PutCommit{Org: "acme", Revision: rev, Recorded: start.Add(time.Duration(rev) * time.Second)})
	to := record.Checkpoint{LogID: "log", Revision: rev, Hash: []byte{byte(rev)}}
	if err := b.store.Write(context.Background(), b.at, to, out); err != nil {
		b.t.Fatalf("write revision %d: %v", rev, err)
	}
	b.at = to
	return rev
}

func (b *book) view(f func(record.View)) {
	b.t.Helper()
	if err := b.store.View(context.Background(), func(v record.View) error { f(v); return nil }); err != nil {
		b.t.Fatal(err)
	}
}

func unit(org, id, name, title string) func(uint64) record.Change {
	return func(rev uint64) record.Change {
		return record.PutResource{Resource: record.Resource{
			Org: org, Kind: "Unit", Name: name, ID: id, From: rev,
			Metadata: &commonv1.Metadata{Name: name}, Spec: &strategyv1.UnitSpec{Title: title},
			Effective: "2026-01-02", Recorded: start, Principal: "p", Manager: "cli",
		}}
	}
}

func ended(org, id string) func(uint64) record.Change {
	return func(rev uint64) record.Change {
		return record.EndResource{Org: org, Kind: "Unit", ID: id, Revision: rev}
	}
}

func observed(org, metric, at, source string, value float64) func(uint64) record.Change {
	return func(rev uint64) record.Change {
		return record.PutObservation{Observation: record.Observation{
			Org: org, MetricID: metric, ObservationKey: record.ObservationKey{At: at, Source: source},
			Value: value, Note: "n", From: rev, Recorded: start,
		}}
	}
}

func title(r *record.Resource) string {
	if r == nil {
		return ""
	}
	return r.Spec.(*strategyv1.UnitSpec).GetTitle()
}

func resourceAt(t testing.TB, v record.View, org, name string, at uint64) string {
	t.Helper()
	r, err := v.Resource(org, "Unit", name, at)
	if err != nil {
		t.Fatal(err)
	}
	return title(r)
}

func names(t testing.TB, v record.View, org string, at uint64) []string {
	t.Helper()
	list, err := v.Resources(org, "Unit", at, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range list {
		out = append(out, r.Name)
	}
	return out
}

func equal[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s: got %s, want %s", what, g, w)
	}
}

func empty(t *testing.T, open Open) {
	b := newBook(t, open)
	at, err := b.store.Checkpoint(context.Background())
	if err != nil || at.Revision != 0 || at.LogID != "" {
		t.Errorf("checkpoint of an empty store: %+v, %v", at, err)
	}
	b.view(func(v record.View) {
		equal(t, "revision", v.Revision(), 0)
		equal(t, "names", len(names(t, v, "acme", 0)), 0)
		if a, err := v.Aggregate("acme", "s", "k", "i"); a != nil || err != nil {
			t.Errorf("aggregate: %v, %v", a, err)
		}
		if r, err := v.Request("acme", "r"); r != nil || err != nil {
			t.Errorf("request: %v, %v", r, err)
		}
	})
}

func versions(t *testing.T, open Open) {
	b := newBook(t, open)
	r1 := b.commit(unit("acme", "a", "a", "first"))
	r2 := b.commit(unit("acme", "b", "b", "other"))
	r3 := b.commit(unit("acme", "a", "a", "second"))
	r4 := b.commit(ended("acme", "a"))
	r5 := b.commit(unit("acme", "a", "a", "again"))
	b.view(func(v record.View) {
		for at, want := range map[uint64]string{0: "", r1: "first", r2: "first", r3: "second", r4: "", r5: "again"} {
			equal(t, fmt.Sprintf("a at %d", at), resourceAt(t, v, "acme", "a", at), want)
		}
		equal(t, "names at r3", names(t, v, "acme", r3), []string{"a", "b"})
		equal(t, "names at r4", names(t, v, "acme", r4), []string{"b"})
		r, _ := v.Resource("acme", "Unit", "a", r3)
		equal(t, "created", r.Created, r1)
		equal(t, "to", r.To, r4)
		again, _ := v.Resource("acme", "Unit", "a", r5)
		equal(t, "created after deletion", again.Created, r5)
		for at, want := range map[uint64]string{0: "", r1: "first", r3: "second", r4: "second", r5: "again"} {
			last, err := v.LastNamed("acme", "Unit", "a", at)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, fmt.Sprintf("last named a at %d", at), title(last), want)
		}
		list, err := v.Versions("acme", "Unit", r3)
		if err != nil {
			t.Fatal(err)
		}
		var titles []string
		for _, r := range list {
			titles = append(titles, title(r))
		}
		equal(t, "versions at r3", titles, []string{"first", "second", "other"})
		list, _ = v.Versions("acme", "Unit", r5)
		titles = nil
		for _, r := range list {
			titles = append(titles, title(r))
		}
		equal(t, "versions of a re-created one", titles, []string{"again", "other"})
	})
}

func rename(t *testing.T, open Open) {
	b := newBook(t, open)
	r1 := b.commit(unit("acme", "a", "a", "one"))
	r2 := b.commit(unit("acme", "a", "z", "two"), unit("acme", "a~2", "a", "newcomer"))
	b.view(func(v record.View) {
		equal(t, "old name before", resourceAt(t, v, "acme", "a", r1), "one")
		equal(t, "old name after", resourceAt(t, v, "acme", "a", r2), "newcomer")
		equal(t, "new name before", resourceAt(t, v, "acme", "z", r1), "")
		equal(t, "new name after", resourceAt(t, v, "acme", "z", r2), "two")
		z, _ := v.Resource("acme", "Unit", "z", r2)
		equal(t, "created", z.Created, r1)
		before, _ := v.LastNamed("acme", "Unit", "a", r1)
		after, _ := v.LastNamed("acme", "Unit", "a", r2)
		equal(t, "who had the old name", before.ID+" "+after.ID, "a a~2")
		list, _ := v.Versions("acme", "Unit", r2)
		var got []string
		for _, r := range list {
			got = append(got, r.ID+"="+title(r))
		}
		equal(t, "versions", got, []string{"a=one", "a=two", "a~2=newcomer"})
	})
}

// exchange is one commit in which each name goes to the other, and back.
func exchange(t *testing.T, open Open) {
	b := newBook(t, open)
	r1 := b.commit(unit("acme", "a", "a", "one"), unit("acme", "b", "b", "two"))
	r2 := b.commit(unit("acme", "a", "b", "one"), unit("acme", "b", "a", "two"))
	r3 := b.commit(unit("acme", "b", "b", "two"), unit("acme", "a", "a", "one, again"))
	b.view(func(v record.View) {
		for at, want := range map[uint64][]string{r1: {"one", "two"}, r2: {"two", "one"}, r3: {"one, again", "two"}} {
			equal(t, fmt.Sprintf("titles of a and b at %d", at), []string{resourceAt(t, v, "acme", "a", at), resourceAt(t, v, "acme", "b", at)}, want)
			equal(t, fmt.Sprintf("names at %d", at), names(t, v, "acme", at), []string{"a", "b"})
		}
		last, err := v.Resource("acme", "Unit", "a", r2)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "who has the name a", last.ID, "b")
	})
}

// twoNames are given to one resource by one commit: the later one goes on, in
// whichever order the names are sorted.
func twoNames(t *testing.T, open Open) {
	b := newBook(t, open)
	r1 := b.commit(unit("acme", "a", "y", "1"), unit("acme", "a", "x", "1"), unit("acme", "b", "v", "1"), unit("acme", "b", "w", "1"))
	r2 := b.commit(unit("acme", "a", "y", "2"), unit("acme", "b", "v", "2"))
	r3 := b.commit(unit("acme", "a", "y", "3"), ended("acme", "a"), unit("acme", "a", "x", "3"), ended("acme", "b"))
	r4 := b.commit(unit("acme", "a", "y", "4"))
	b.view(func(v record.View) {
		for at, want := range map[uint64][]string{r1: {"w", "x"}, r2: {"v", "y"}, r3: {"x"}, r4: {"y"}} {
			equal(t, fmt.Sprintf("names at %d", at), names(t, v, "acme", at), want)
		}
		last, err := v.Resource("acme", "Unit", "y", r4)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "created", last.Created, r1)
	})
}

func corrections(t *testing.T, open Open) {
	b := newBook(t, open)
	r1 := b.commit(observed("acme", "m", "2018-09-30", "", 1), observed("acme", "m", "2019-09-30", "", 2))
	r2 := b.commit(observed("acme", "m", "2018-09-30", "audit", 9))
	r3 := b.commit(observed("acme", "m", "2018-09-30", "", 1.5))
	b.view(func(v record.View) {
		read := func(at uint64) []float64 {
			var out []float64
			list, err := v.Observations("acme", "m", at, record.ObservationKey{}, 0)
			if err != nil {
				t.Fatal(err)
			}
			var all []float64
			if err := v.AllObservations("acme", at, func(o record.Observation) error {
				all = append(all, o.Value)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			for _, o := range list {
				out = append(out, o.Value)
			}
			equal(t, "all observations", all, out)
			return out
		}
		equal(t, "at r1", read(r1), []float64{1, 2})
		equal(t, "at r2", read(r2), []float64{1, 9, 2})
		equal(t, "at r3", read(r3), []float64{1.5, 9, 2})
		o, beside, err := v.Observation("acme", "m", record.ObservationKey{At: "2018-09-30"})
		if err != nil || o == nil {
			t.Fatalf("observation: %v, %v", o, err)
		}
		equal(t, "beside", beside, []string{"audit"})
		for key, want := range map[record.ObservationKey]string{
			{At: "2018-09-30", Source: "audit"}: `9 [""]`,
			{At: "2018-09-30", Source: "b"}:     `none ["audit"]`,
			{At: "2018-09-30", Source: "a"}:     `none ["" "audit"]`,
			{At: "2019-09-30"}:                  `2 []`,
			{At: "2020-09-30"}:                  `none []`,
		} {
			have, beside, err := v.Observation("acme", "m", key)
			if err != nil {
				t.Fatal(err)
			}
			got := "none"
			if have != nil {
				got = fmt.Sprint(have.Value)
			}
			equal(t, fmt.Sprintf("at %s from %q", key.At, key.Source), got+fmt.Sprintf(" %q", beside), want)
		}
		equal(t, "value", o.Value, 1.5)
		equal(t, "corrections", o.Corrections, 1)
		equal(t, "from", o.From, r3)
	})
}

func pages(t *testing.T, open Open) {
	b := newBook(t, open)
	var all []func(uint64) record.Change
	for i := range 25 {
		all = append(all, unit("acme", fmt.Sprintf("u%02d", i), fmt.Sprintf("u%02d", i), "t"),
			observed("acme", "m", fmt.Sprintf("2018-01-%02d", i+1), "", float64(i)))
	}
	rev := b.commit(all...)
	b.view(func(v record.View) {
		var got []string
		after := ""
		for {
			list, err := v.Resources("acme", "Unit", rev, after, 10)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range list {
				got = append(got, r.Name)
				after = r.Name
			}
			if len(list) < 10 {
				break
			}
		}
		equal(t, "names", got, names(t, v, "acme", rev))
		equal(t, "count", len(got), 25)
		first, _ := v.Observations("acme", "m", rev, record.ObservationKey{}, 20)
		rest, _ := v.Observations("acme", "m", rev, first[19].ObservationKey, 20)
		equal(t, "observations on the second page", len(rest), 5)
		equal(t, "first of the second page", rest[0].At, "2018-01-21")
	})
}

func requests(t *testing.T, open Open) {
	b := newBook(t, open)
	put := func(recorded, corrected int, detail string) func(uint64) record.Change {
		return func(rev uint64) record.Change {
			return record.PutRequest{Request: record.Request{Org: "acme", ID: "r", Digest: []byte("d"), Revision: rev,
				Recorded: recorded, Corrected: corrected, Detail: []byte(detail)}}
		}
	}
	rev := b.commit(put(2, 0, "guard"), put(3, 1, ""))
	b.view(func(v record.View) {
		r, err := v.Request("acme", "r")
		if err != nil || r == nil {
			t.Fatalf("request: %v, %v", r, err)
		}
		equal(t, "request", []any{r.Revision, r.Recorded, r.Corrected, string(r.Detail), string(r.Digest)},
			[]any{rev, 5, 1, "guard", "d"})
		if r, _ := v.Request("other", "r"); r != nil {
			t.Error("another organization sees the request")
		}
	})
}

func knownAt(t *testing.T, open Open) {
	b := newBook(t, open)
	r1 := b.commit(unit("acme", "a", "a", "1"))
	r2 := b.commit(unit("acme", "a", "a", "2"))
	b.view(func(v record.View) {
		for _, c := range []struct {
			at   time.Time
			want uint64
		}{
			{start, 0},
			{start.Add(time.Second), r1},
			{start.Add(2*time.Second - 1), r1},
			{start.Add(2 * time.Second), r2},
			{start.Add(time.Hour), r2},
		} {
			got, err := v.RevisionAt(c.at)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "known at "+c.at.String(), got, c.want)
		}
		for seq, want := range map[uint64]uint64{1: r1, 2: r2, 9: r2} {
			got, err := v.Commit(seq)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, fmt.Sprintf("commit of %d", seq), got, want)
		}
	})
}

// Processes with clocks that differ record times that decrease: at no instant
// less was known than at one before it, and nothing that was recorded later.
func knownAtWithClocksThatDiffer(t *testing.T, open Open) {
	b := newBook(t, open)
	second := func(n int) time.Time { return start.Add(time.Duration(n) * time.Second) }
	// In one write and over several, as while catching up and live.
	for _, write := range [][]int{{10, 12, 11}, {11}, {9, 14}, {13}} {
		from, to := b.at, b.at
		var changes []record.Change
		for _, n := range write {
			to.Revision++
			changes = append(changes, record.PutCommit{Org: "acme", Revision: to.Revision, Recorded: second(n)})
		}
		to.LogID = "log"
		if err := b.store.Write(context.Background(), from, to, changes); err != nil {
			t.Fatal(err)
		}
		b.at = to
	}
	b.view(func(v record.View) {
		for n, want := range map[int]int{9: 0, 10: 1, 11: 1, 12: 5, 13: 5, 14: 7, 15: 7} {
			got, err := v.RevisionAt(second(n))
			if err != nil {
				t.Fatal(err)
			}
			equal(t, fmt.Sprintf("known at second %d", n), got, uint64(want))
		}
	})
}

func fenced(t *testing.T, open Open) {
	b := newBook(t, open)
	before := b.at
	b.commit(unit("acme", "a", "a", "mine"))
	err := b.store.Write(context.Background(), before, record.Checkpoint{LogID: "log", Revision: 1},
		[]record.Change{unit("acme", "a", "a", "theirs")(1)})
	equal(t, "reason", fault.ReasonOf(err), "record.checkpoint_moved")
	b.view(func(v record.View) { equal(t, "a", resourceAt(t, v, "acme", "a", 1), "mine") })
}

func atomic(t *testing.T, open Open) {
	b := newBook(t, open)
	b.commit(unit("acme", "a", "a", "before"))
	// The same version twice breaks the key: the whole batch must go.
	twice := func() record.Change {
		return record.PutCommit{Org: "acme", Revision: 1, Recorded: start}
	}
	err := b.store.Write(context.Background(), b.at, record.Checkpoint{LogID: "log", Revision: 2},
		[]record.Change{unit("acme", "a", "a", "after")(2), twice()})
	if err == nil {
		t.Fatal("a commit was recorded twice")
	}
	at, _ := b.store.Checkpoint(context.Background())
	equal(t, "checkpoint", at.Revision, 1)
	b.view(func(v record.View) { equal(t, "a", resourceAt(t, v, "acme", "a", 2), "before") })
}

func resume(t *testing.T, open Open) {
	key := t.Name()
	s := open(t, key)
	b := &book{t: t, store: s}
	b.commit(unit("acme", "a", "a", "kept"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, key)
	defer func() { _ = again.Close() }()
	at, err := again.Checkpoint(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "checkpoint", at, b.at)
	b.store = again
	b.commit(unit("acme", "a", "a", "newer"))
	b.view(func(v record.View) { equal(t, "a", resourceAt(t, v, "acme", "a", 2), "newer") })
}

func stable(t *testing.T, open Open) {
	b := newBook(t, open)
	b.commit(unit("acme", "a", "a", "before"))
	b.view(func(v record.View) {
		b.commit(unit("acme", "a", "a", "after"), unit("acme", "b", "b", "new"))
		equal(t, "revision", v.Revision(), 1)
		equal(t, "a", resourceAt(t, v, "acme", "a", v.Revision()), "before")
	})
	// Readers in parallel with a writer see whole commits only.
	var readers sync.WaitGroup
	done := make(chan struct{})
	failed := make(chan error, 4)
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				err := b.store.View(context.Background(), func(v record.View) error {
					x, err1 := v.Resource("acme", "Unit", "x", v.Revision())
					y, err2 := v.Resource("acme", "Unit", "y", v.Revision())
					if err := errors.Join(err1, err2); err != nil {
						return err
					}
					if title(x) != title(y) {
						return fmt.Errorf("half a commit at %d: %q and %q", v.Revision(), title(x), title(y))
					}
					return nil
				})
				if err != nil {
					failed <- err
					return
				}
			}
		})
	}
	for i := range 200 {
		b.commit(unit("acme", "x", "x", fmt.Sprint(i)), unit("acme", "y", "y", fmt.Sprint(i)))
	}
	close(done)
	readers.Wait()
	close(failed)
	for err := range failed {
		t.Error(err)
	}
}

func tenants(t *testing.T, open Open) {
	b := newBook(t, open)
	rev := b.commit(unit("acme", "a", "a", "acme's"), unit("umbrella", "a", "a", "umbrella's"),
		observed("acme", "m", "2018-01-01", "", 1), observed("umbrella", "m", "2018-01-01", "", 2))
	b.view(func(v record.View) {
		equal(t, "acme", resourceAt(t, v, "acme", "a", rev), "acme's")
		equal(t, "umbrella", resourceAt(t, v, "umbrella", "a", rev), "umbrella's")
		for org, want := range map[string]float64{"acme": 1, "umbrella": 2} {
			if err := v.AllObservations(org, rev, func(o record.Observation) error {
				equal(t, org, o.Value, want)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		equal(t, "nobody", len(names(t, v, "nobody", rev)), 0)
	})
}

// model compares random histories with the plainest possible model: a map for
// each revision.
func model(t *testing.T, open Open) {
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		s := open(t, fmt.Sprintf("%s-%d", t.Name(), n))
		defer func() { _ = s.Close() }()
		b := &book{t: t, store: s}
		states := []map[string]string{{}}
		for range rapid.IntRange(1, 12).Draw(rt, "commits") {
			state := map[string]string{}
			for k, v := range states[len(states)-1] {
				state[k] = v
			}
			var changes []func(uint64) record.Change
			for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 3, rapid.ID).Draw(rt, "names") {
				if _, exists := state[name]; exists && rapid.Bool().Draw(rt, "end") {
					delete(state, name)
					changes = append(changes, ended("acme", name))
					continue
				}
				state[name] = rapid.StringMatching(`[a-z]{1,4}`).Draw(rt, "title")
				changes = append(changes, unit("acme", name, name, state[name]))
			}
			b.commit(changes...)
			states = append(states, state)
		}
		b.view(func(v record.View) {
			for at, state := range states {
				var want []string
				for name, title := range state {
					want = append(want, name+"="+title)
				}
				slices.Sort(want)
				list, err := v.Resources("acme", "Unit", uint64(at), "", 0)
				if err != nil {
					rt.Fatal(err)
				}
				var got []string
				for _, r := range list {
					got = append(got, r.Name+"="+title(r))
					if !proto.Equal(r.Metadata, &commonv1.Metadata{Name: r.Name}) {
						rt.Fatalf("metadata of %s: %v", r.Name, r.Metadata)
					}
				}
				if fmt.Sprint(got) != fmt.Sprint(want) {
					rt.Fatalf("at revision %d: got %v, want %v", at, got, want)
				}
			}
		})
	})
}
