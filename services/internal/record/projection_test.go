package record_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/sqlite"
)

func TestRebuildBesideTheLiveOne(t *testing.T) {
	b := newBench(t)
	b.fill(200)
	b.run()
	b.reach(b.fill(100))
	before := b.rows()
	var stages []string
	b.check(b.projection.Rebuild(t.Context(), func(p record.Progress) {
		if len(stages) == 0 || stages[len(stages)-1] != p.Stage {
			stages = append(stages, p.Stage)
		}
	}))
	if len(stages) == 0 || stages[len(stages)-1] != record.Done {
		t.Errorf("it told of %v", stages)
	}
	if got := b.generations(); got != "2*" {
		t.Errorf("generations %s", got)
	}
	same(t, "rebuilt", b.rows(), before)
	// The one who writes goes on with the new one.
	b.reach(b.fill(20))
	if v := b.verify(); v.Differing != 0 || v.Rows == 0 || v.Revision == 0 {
		t.Errorf("verified: %+v", v)
	}
	if entries, _ := filepath.Glob(filepath.Join(b.dir, "record-scratch*")); len(entries) > 0 {
		t.Errorf("left are %v", entries)
	}
}

// While generations are built and swapped, commands are carried out, and every
// picture is whole, not older than one before it, and has what was waited for.
func TestReadersAndWritersDuringRebuilds(t *testing.T) {
	b := newBench(t)
	b.commit(b.unit("acme", "left", "0"), b.unit("acme", "right", "0"))
	last := b.fill(200)
	b.run()
	b.reach(last)
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	failed := make(chan error, 8)
	for range 3 {
		readers.Go(func() {
			var last uint64
			for ctx.Err() == nil {
				err := b.record.View(context.Background(), func(v record.View) error {
					if v.Revision() < last {
						return fmt.Errorf("revision %d after %d", v.Revision(), last)
					}
					last = v.Revision()
					x, err := v.Resource("acme", "Unit", "left", last)
					if err != nil {
						return err
					}
					y, err := v.Resource("acme", "Unit", "right", last)
					if err != nil {
						return err
					}
					if x == nil || y == nil || !proto.Equal(x.Spec, y.Spec) {
						return fmt.Errorf("half a picture at %d: %v and %v", last, x, y)
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
	var written uint64
	readers.Go(func() {
		for n := 1; ctx.Err() == nil; n++ {
			written = b.commit(b.unit("acme", "left", fmt.Sprint(n)), b.unit("acme", "right", fmt.Sprint(n)))
			if err := b.record.Wait(context.Background(), written); err != nil {
				failed <- err
				return
			}
			if err := b.record.View(context.Background(), func(v record.View) error {
				r, err := v.Resource("acme", "Unit", "left", v.Revision())
				if err == nil && r.From != written {
					err = fmt.Errorf("after waiting for %d a picture has %d", written, r.From)
				}
				return err
			}); err != nil {
				failed <- err
				return
			}
		}
	})
	for range 5 {
		b.check(b.projection.Rebuild(t.Context(), nil))
	}
	cancel()
	readers.Wait()
	close(failed)
	for err := range failed {
		t.Error(err)
	}
	b.reach(written)
	if v := b.verify(); v.Differing != 0 {
		t.Errorf("verified: %+v", v)
	}
	if got := b.generations(); got != "6*" {
		t.Errorf("generations %s", got)
	}
}

// setVersion makes the live generation look like one of another binary's.
func setVersion(t testing.TB, dir string, version int) {
	t.Helper()
	path := filepath.Join(dir, "record.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	now := strings.Replace(string(text), fmt.Sprintf(`"version": %d`, record.FoldVersion), fmt.Sprintf(`"version": %d`, version), 1)
	if now == string(text) {
		t.Fatalf("no version in %s", text)
	}
	if err := os.WriteFile(path, []byte(now), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAnOlderFoldIsReplacedByItself(t *testing.T) {
	b := newBench(t)
	last := b.fill(300)
	b.run()
	b.reach(last)
	want := b.rows()
	b.halt()
	setVersion(t, b.dir, record.FoldVersion-1)
	b.run()
	// The old one serves at once.
	b.reach(last)
	b.check(b.projection.Rebuild(t.Context(), nil)) // joins the one that began by itself, or repeats it
	if got := b.generations(); !strings.HasSuffix(got, "*") || strings.Contains(got, " ") || got == "1*" {
		t.Errorf("generations %s", got)
	}
	all, err := b.data.Generations(t.Context())
	if err != nil || all[0].Version != record.FoldVersion {
		t.Errorf("generations %+v, %v", all, err)
	}
	same(t, "built by the present fold", b.rows(), want)
}

func TestANewerFoldHalts(t *testing.T) {
	b := newBench(t)
	last := b.fill(10)
	b.run()
	b.reach(last)
	b.halt()
	setVersion(t, b.dir, record.FoldVersion+1)
	b.run()
	if err := b.halted(); fault.ReasonOf(err) != "record.newer_fold" || !record.Newer(err) {
		t.Errorf("halted with %v", err)
	}
}

func TestAnInterruptedRebuildIsFinished(t *testing.T) {
	b := newBench(t)
	last := b.fill(100)
	b.run()
	b.reach(last)
	want := b.rows()
	s, g, err := b.data.Begin(t.Context())
	b.check(err)
	half := record.Checkpoint{LogID: b.log.ID(), Revision: 1}
	b.check(s.Write(t.Context(), g.At, half, nil)) // a sign that it was not begun anew
	b.halt()
	b.run()
	b.check(b.projection.Rebuild(t.Context(), nil))
	if got := b.generations(); got != "2*" && got != "3*" {
		t.Errorf("generations %s", got)
	}
	b.reach(last)
	if got := b.generations(); got == "2*" && len(b.rows()) >= len(want) {
		t.Error("the unfinished generation was not gone on with")
	}
}

// Where another process projects, what it wrote is heard of before that its
// halt is over. Who was told that it goes on asks how it stands.
func TestRetryingElsewhereIsAnsweredWhenTheHaltIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := record.New(nil, record.Checkpoint{Revision: 1}, time.Minute, nil)
		p := record.NewProjection(nil, nil, nil, rec, nil, slog.New(slog.DiscardHandler))
		rec.Halt(errors.New("message 2 is missing"))
		answered := make(chan struct{})
		go func() { p.Retry(t.Context()); close(answered) }()
		for _, step := range []struct {
			heard func()
			over  bool
		}{
			{func() { rec.Advance(3) }, false},
			{func() { rec.Halt(nil) }, true},
		} {
			synctest.Wait()
			step.heard()
			synctest.Wait()
			select {
			case <-answered:
				if !step.over {
					t.Fatal("answered while the record still says that it halted")
				}
			default:
				if step.over {
					t.Fatal("not answered")
				}
			}
		}
	})
}

func TestAHoleHaltsAndIsSkipped(t *testing.T) {
	b := newBench(t)
	good := b.commit(b.unit("acme", "a", "one"))
	b.commit(b.unit("acme", "lost", "one"))
	b.commit(b.unit("acme", "a", "two"), b.unit("acme", "b", "two"))
	last := b.fill(20)
	b.damage(2)
	b.run()
	err := b.halted()
	if at, _ := record.HaltedAt(err); fault.ReasonOf(err) != "log.hole" || at != 2 {
		t.Fatalf("halted with %v", err)
	}
	if at, _ := b.record.Status(); at != good {
		t.Errorf("it stands at %d, what precedes the hole ends at %d", at, good)
	}
	st, err := b.projection.Status(t.Context())
	if err != nil || st.Halted == nil || st.Revision != good || st.Last != last {
		t.Errorf("status %+v, %v", st, err)
	}
	// Trying again changes nothing.
	b.projection.Retry(t.Context())
	_ = b.halted()

	skip := func(sequence uint64, id string) error {
		_, err := b.projection.Skip(t.Context(), record.SkipCommand{Sequence: sequence, RequestID: id, Principal: "op", Reason: "disk"})
		return err
	}
	for sequence, reason := range map[uint64]string{
		1: "record.skip_folds", 3: "record.skip_elsewhere", last: "record.skip_elsewhere", last + 1: "record.skip_beyond_end",
	} {
		if err := skip(sequence, "no"); fault.ReasonOf(err) != reason {
			t.Errorf("skipping %d: %v, want %s", sequence, err, reason)
		}
	}
	b.check(skip(2, "s"))
	b.reach(last)
	if err := skip(2, "again"); err != nil {
		t.Errorf("skipping it again: %v", err)
	}
	if err := skip(3, "s"); fault.ReasonOf(err) != "request.id_reused" {
		t.Errorf("the same request for another message: %v", err)
	}
	if err := skip(3, "t"); fault.ReasonOf(err) != "record.skip_folds" {
		t.Errorf("skipping one that is folded: %v", err)
	}
	skips, err := record.Skips(t.Context(), b.log)
	if err != nil || len(skips) != 1 || skips[0].Principal != "op" || skips[0].Reason != "disk" || skips[0].Sequence != 2 ||
		!strings.Contains(skips[0].Problem, "sequence 2 is missing") {
		t.Errorf("skips %+v, %v", skips, err)
	}
	b.reach(skips[0].Revision)
	// Every later fold knows it: incremental, from nothing, and of another process.
	want := b.rows()
	if v := b.verify(); v.Differing != 0 {
		t.Errorf("verified: %+v", v)
	}
	b.check(b.projection.Rebuild(t.Context(), nil))
	same(t, "rebuilt", b.rows(), want)
	b.halt()
	for _, f := range must(filepath.Glob(filepath.Join(b.dir, "record*"))) {
		b.check(os.Remove(f))
	}
	b.run()
	b.reach(skips[0].Revision)
	same(t, "from nothing", b.rows(), want)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Of a message whose effects are left out the place is kept: the next command
// on the aggregate is guarded by it.
func TestAnEventThatDoesNotDecode(t *testing.T) {
	b := newBench(t)
	b.run()
	b.reach(b.commit(b.unit("acme", "a", "one")))
	bad := b.draft("acme", "strategy", "unit", "a", "strategy.unit_declared.v1", []byte{0xff})
	at := b.commit(b.unit("acme", "before", "two"), bad, b.unit("acme", "after", "two"))
	err := b.halted()
	sequence, _ := record.HaltedAt(err)
	if sequence != at-1 || !strings.Contains(err.Error(), "strategy.unit_declared.v1") || record.Newer(err) {
		t.Fatalf("halted with %v", err)
	}
	_, err = b.projection.Skip(t.Context(), record.SkipCommand{Sequence: sequence, RequestID: "s", Principal: "op", Reason: "junk"})
	b.check(err)
	last := b.commit(b.unit("acme", "a", "three"))
	b.reach(last)
	b.check(b.record.View(t.Context(), func(v record.View) error {
		for name, want := range map[string]uint64{"before": at, "after": at, "a": last} {
			r, err := v.Resource("acme", "Unit", name, v.Revision())
			if err != nil || r == nil || r.From != want {
				t.Errorf("%s: %+v, %v", name, r, err)
			}
		}
		if r, err := v.Resource("acme", "Unit", "a", at); err != nil || r == nil || r.From != 1 {
			t.Errorf("a before: %+v, %v", r, err)
		}
		if legal, err := v.Commit(at); err != nil || legal != at {
			t.Errorf("the commit ends at %d, %v", legal, err)
		}
		if q, err := v.Request("acme", "r2"); err != nil || q == nil || q.Revision != at {
			t.Errorf("its request: %+v, %v", q, err)
		}
		return nil
	}))
	if v := b.verify(); v.Differing != 0 {
		t.Errorf("verified: %+v", v)
	}
}

func TestAnUnknownEventIsNoReasonToSkip(t *testing.T) {
	b := newBench(t)
	b.run()
	at := b.commit(b.draft("acme", "strategy", "wish", "w", "strategy.wish_declared.v9", nil))
	if err := b.halted(); !record.Newer(err) {
		t.Fatalf("halted with %v", err)
	}
	c := record.SkipCommand{Sequence: at, RequestID: "s", Principal: "op", Reason: "gone"}
	if _, err := b.projection.Skip(t.Context(), c); fault.ReasonOf(err) != "record.skip_unknown" {
		t.Errorf("skipped: %v", err)
	}
	c.Unknown = true
	if _, err := b.projection.Skip(t.Context(), c); err != nil {
		t.Error(err)
	}
	b.reach(b.commit(b.unit("acme", "a", "one")))
}

// A message that is no envelope, published past us.
func TestAForeignMessage(t *testing.T) {
	b := newBench(t)
	b.run()
	b.reach(b.commit(b.unit("acme", "a", "one")))
	if _, err := b.nc.Request("sp.0.acme.strategy.unit.a", []byte("not an envelope"), bound); err != nil {
		t.Fatal(err)
	}
	err := b.halted()
	if at, _ := record.HaltedAt(err); at != 2 || fault.ReasonOf(err) != "log.envelope_corrupt" {
		t.Fatalf("halted with %v", err)
	}
	// Also at the very end of the log everything starts.
	b.halt()
	b.log.Close()
	b.openLog()
	b.run()
	_ = b.halted()
	_, err = b.projection.Skip(t.Context(), record.SkipCommand{Sequence: 2, RequestID: "s", Principal: "op", Reason: "junk"})
	b.check(err)
	b.reach(3)
	b.check(b.record.View(t.Context(), func(v record.View) error {
		a, err := v.Aggregate("acme", "strategy", "unit", "a")
		if err != nil || a == nil || a.Sequence != 2 {
			t.Errorf("the aggregate stands at %+v, %v", a, err)
		}
		return nil
	}))
	if v := b.verify(); v.Differing != 0 {
		t.Errorf("verified: %+v", v)
	}
}

// A decision made elsewhere lets a halted projection go on.
func TestASkipOfAnotherProcess(t *testing.T) {
	b := newBench(t)
	b.run()
	bad := b.commit(b.draft("acme", "strategy", "unit", "a", "strategy.unit_declared.v1", []byte{0xff}))
	_ = b.halted()
	other, err := sqlite.OpenDatabase(t.Context(), t.TempDir(), b.registry)
	b.check(err)
	defer func() { _ = other.Close() }()
	elsewhere := record.NewProjection(b.log, b.registry, other, record.New(other, record.Checkpoint{}, bound, b.log.LastRevision),
		nil, slog.New(slog.DiscardHandler))
	skipped, err := elsewhere.Skip(t.Context(), record.SkipCommand{Sequence: bad, RequestID: "s", Principal: "op", Reason: "junk"})
	b.check(err)
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	b.check(b.record.Reached(ctx, skipped.Revision))
}

// A message that was lost after it had been folded halts nothing. It can be left
// out all the same: the record holds it until it is rebuilt, which halts there
// before.
func TestAMessageLostBehindTheRecordIsSkipped(t *testing.T) {
	b := newBench(t)
	b.commit(b.unit("acme", "a", "one"))
	b.commit(b.unit("acme", "lost", "one"))
	last := b.fill(20)
	b.run()
	b.reach(last)
	b.damage(2)
	b.run()
	b.reach(last)
	if _, halted := b.record.Status(); halted != nil {
		t.Errorf("halted: %v", halted)
	}
	if at, damaged := record.HaltedAt(record.Whole(t.Context(), b.log)); !damaged || at != 2 {
		t.Errorf("the log is called whole: %d", at)
	}
	if at, _ := record.HaltedAt(b.projection.Rebuild(t.Context(), nil)); at != 2 {
		t.Errorf("a rebuild halts at %d", at)
	}
	skip := func(sequence uint64) (record.Skipped, error) {
		return b.projection.Skip(t.Context(), record.SkipCommand{Sequence: sequence, RequestID: fmt.Sprint(sequence), Principal: "op", Reason: "disk"})
	}
	for sequence, reason := range map[uint64]string{1: "record.skip_folds", 3: "record.skip_elsewhere"} {
		if _, err := skip(sequence); fault.ReasonOf(err) != reason {
			t.Errorf("skipping %d: %v, want %s", sequence, err, reason)
		}
	}
	done, err := skip(2)
	if err != nil || !done.OnRecord || done.Revision <= last {
		t.Fatalf("skipped %+v, %v", done, err)
	}
	b.check(record.Whole(t.Context(), b.log))
	b.reach(done.Revision)
	if v := b.verify(); v.Differing == 0 {
		t.Error("the record does not hold what the message said")
	}
	b.check(b.projection.Rebuild(t.Context(), nil))
	if v := b.verify(); v.Differing != 0 {
		t.Errorf("rebuilt: %+v", v)
	}
}

func TestVerifyFindsWhatDiffers(t *testing.T) {
	b := newBench(t)
	last := b.fill(100)
	b.run()
	b.reach(last)
	b.halt()
	s, err := sqlite.Open(t.Context(), filepath.Join(b.dir, "record.db"), b.registry)
	b.check(err)
	at, err := s.Checkpoint(t.Context())
	b.check(err)
	// One row more, and one that says something else.
	planted := record.PutResource{Resource: record.Resource{Org: "acme", Kind: "Unit", Name: "planted", ID: "planted", From: 3,
		Metadata: &commonv1.Metadata{}, Spec: &strategyv1.UnitSpec{}}}
	moved := record.PutAggregate{Org: "acme", Service: "strategy", Kind: "unit", ID: "u0", Aggregate: record.Aggregate{Sequence: 99999}}
	b.check(s.Write(t.Context(), at, at, []record.Change{planted, moved}))
	b.check(s.Close())
	b.run()
	b.reach(last)
	v := b.verify()
	var got []string
	for _, d := range v.Differences {
		side := "both"
		if d.Live == nil {
			side = "log"
		} else if d.Log == nil {
			side = "live"
		}
		got = append(got, d.Table+" "+side)
	}
	want := []string{"aggregate both", "resource live", "resource_name live"}
	if v.Differing != 3 || strings.Join(got, ",") != strings.Join(want, ",") || v.Revision != last {
		t.Errorf("found %+v (%v)", v, got)
	}
	b.check(b.projection.Rebuild(t.Context(), nil))
	if v := b.verify(); v.Differing != 0 {
		t.Errorf("after a rebuild: %+v", v)
	}
}
