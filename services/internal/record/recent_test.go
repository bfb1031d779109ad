package record_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/sqlite"
	"setpoint.dev/services/kinds"
)

// questions are what commands ask, of a few things that may be there.
func questions(r *rand.Rand) func(record.View) (answers []any, err error) {
	metric, at, source := fmt.Sprint("m", r.IntN(40)), fmt.Sprintf("2026-%02d-01", 1+r.IntN(12)), fmt.Sprint("s", r.IntN(2))
	request, name := fmt.Sprint("r", r.IntN(3000)), fmt.Sprint("n", r.IntN(6))
	which := r.IntN(5)
	return func(v record.View) (answers []any, err error) {
		keep := func(a any, e error) {
			if err == nil {
				err = e
			}
			answers = append(answers, a)
		}
		switch which {
		case 0:
			keep(v.Request("acme", request))
		case 1:
			o, others, e := v.Observation("acme", metric, record.ObservationKey{At: at, Source: source})
			keep(o, e)
			keep(len(others), nil)
		case 2:
			keep(v.Aggregate("acme", "strategy", "observation", metric))
		case 3:
			res, e := v.Resource("acme", "Unit", name, v.Revision())
			if e != nil || res == nil {
				keep("", e)
				break
			}
			keep(fmt.Sprint(res.ID, res.From, res.Created, res.Spec), nil)
		case 4:
			list, e := v.Resources("acme", "Unit", v.Revision(), "", len(request)%2)
			keep(len(list), e)
			for _, r := range list {
				keep(r.Name+" "+r.ID, nil)
			}
		}
		return answers, err
	}
}

// randomChanges are of one commit.
func randomChanges(r *rand.Rand, rev uint64) []record.Change {
	now := time.Unix(0, int64(rev)).UTC()
	out := []record.Change{record.PutCommit{Org: "acme", Revision: rev, Recorded: now},
		record.PutRequest{Request: record.Request{Org: "acme", ID: fmt.Sprint("r", r.IntN(3000)), Revision: rev, Digest: []byte{1}, Detail: []byte{}}}}
	switch n := r.IntN(10); {
	case n < 7:
		m := fmt.Sprint("m", r.IntN(40))
		out = append(out,
			record.PutObservation{Observation: record.Observation{Org: "acme", MetricID: m, From: rev, Value: float64(rev), Recorded: now,
				ObservationKey: record.ObservationKey{At: fmt.Sprintf("2026-%02d-01", 1+r.IntN(12)), Source: fmt.Sprint("s", r.IntN(2))}}},
			record.PutAggregate{Org: "acme", Service: "strategy", Kind: "observation", ID: m,
				Aggregate: record.Aggregate{Sequence: rev, Hash: []byte{byte(rev)}, Revision: rev}})
	case n < 9:
		id := r.IntN(6) // of the same name, or renamed to one that is free
		out = append(out, record.PutResource{Resource: record.Resource{Org: "acme", Kind: "Unit", Name: fmt.Sprint("n", (id+int(rev)%2*6)%12), ID: fmt.Sprint("id", id),
			From: rev, Metadata: &commonv1.Metadata{}, Spec: &strategyv1.UnitSpec{Title: fmt.Sprint(rev)}, Recorded: now}})
	default:
		out = append(out, record.EndResource{Org: "acme", Kind: "Unit", ID: fmt.Sprint("id", r.IntN(6)), Revision: rev})
	}
	return out
}

// Whatever is written, and however the memory begins, it says what the
// database says, or nothing.
func TestMemoryAgreesWithTheDatabase(t *testing.T) {
	ctx := t.Context()
	store, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "record.db"), kinds.Registry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	plain, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "plain.db"), kinds.Registry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plain.Close() })
	rec := record.New(store, record.Checkpoint{}, time.Second, func(context.Context) (uint64, error) { return 0, nil })
	rec.StartMemory(ctx, 0)
	r := rand.New(rand.NewPCG(1, 2))
	var at record.Checkpoint
	answered, stale, fresh := 0, 0, 0
	for range 600 {
		rev := at.Revision + 1
		changes := randomChanges(r, rev)
		to := record.Checkpoint{LogID: "log", Revision: rev, Hash: []byte{1}}
		marked, n := rec.MarkNew(at.Revision, changes)
		if err := store.Write(ctx, at, to, marked); err != nil {
			t.Fatal(err)
		}
		if err := plain.Write(ctx, at, to, changes); err != nil {
			t.Fatal(err)
		}
		fresh += n
		switch n := r.IntN(60); n {
		case 0: // this process projects anew
			rec.StartMemory(ctx, rev)
		case 1: // another process wrote it
			rec.Advance(rev)
			if ok, _ := rec.FromMemory(func(record.View) error { return nil }); ok {
				t.Fatal("a memory that is behind answers")
			}
			stale++
		default:
			rec.WroteMemory(at.Revision, rev, changes)
		}
		if r.IntN(10) == 0 { // it need not be, but should answer now and then
			for !rec.Complete() {
				runtime.Gosched()
			}
		}
		rec.Advance(rev)
		at = to
		for range 4 {
			ask := questions(r)
			var got, want []any
			ok, err := rec.FromMemory(func(v record.View) (err error) { got, err = ask(v); return err })
			if ok && err != nil {
				t.Fatal(err)
			}
			if err := rec.Decide(ctx, func(v record.View) (err error) { want, err = ask(v); return err }); err != nil {
				t.Fatal(err)
			}
			var stored []any
			if err := rec.View(ctx, func(v record.View) (err error) { stored, err = ask(v); return err }); err != nil {
				t.Fatal(err)
			}
			if ok {
				answered++
			}
			if ok && !reflect.DeepEqual(got, stored) || !reflect.DeepEqual(want, stored) {
				t.Fatalf("revision %d: memory %v, decided on %v, the database has %v", rev, got, want, stored)
			}
		}
	}
	if answered < 100 || stale == 0 || fresh < 20 {
		t.Errorf("the memory answered %d times, was behind %d times, and knew of %d values that they are new", answered, stale, fresh)
	}
	same(t, "with what is known to be new", rowsOf(t, store), rowsOf(t, plain))
}

// listing is a store whose first reader is held up.
type listing struct {
	readers atomic.Int64
	goOn    chan struct{}
}

func (l *listing) View(_ context.Context, f func(record.View) error) error {
	if l.readers.Add(1) == 1 {
		<-l.goOn
	}
	return f(listed{})
}

type listed struct{ record.View }

func (listed) Identities(f func(record.Identity)) error {
	f(record.RequestIdentity("acme", "r"))
	return nil
}

// A memory that begins anew while it is still being read what was there before
// is complete when the second reading ends, also if the first ends later.
func TestAMemoryThatBeginsTwiceIsComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &listing{goOn: make(chan struct{})}
		rec := record.New(store, record.Checkpoint{Revision: 1}, time.Second, func(context.Context) (uint64, error) { return 1, nil })
		rec.StartMemory(t.Context(), 1)
		synctest.Wait()
		rec.StartMemory(t.Context(), 1)
		synctest.Wait()
		if !rec.Complete() {
			t.Fatal("the second reading has ended, and it is not complete")
		}
		close(store.goOn)
		synctest.Wait()
		if !rec.Complete() {
			t.Error("it is not complete any more when the first reading ends")
		}
	})
}

func TestTheFilterErrsOnTheSafeSide(t *testing.T) {
	f := record.NewFilter()
	const n = 100_000
	for i := range n {
		f.Add(record.RequestIdentity("acme", fmt.Sprint(i)))
	}
	wrong := 0
	for i := range n {
		if !f.Has(record.RequestIdentity("acme", fmt.Sprint(i))) {
			t.Fatalf("%d is not there", i)
		}
		if f.Has(record.RequestIdentity("acme", fmt.Sprint("x", i))) {
			wrong++
		}
	}
	if wrong > n/500 {
		t.Errorf("%d of %d that are not there", wrong, n)
	}
}
