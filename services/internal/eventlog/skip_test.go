package eventlog

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"setpoint.dev/services/internal/fault"
)

// left reads what an assembler makes of messages, with some left out; s marks
// those, and | is where commits end.
func left(t testing.TB, except map[uint64]bool, records ...*Record) (string, error) {
	t.Helper()
	a := &assembler{next: 1, except: except}
	var out string
	show := func() {
		for _, r := range a.take() {
			out += fmt.Sprint(r.Sequence)
			if r.Skipped {
				out += "s"
			}
			if r.CommitEnd() {
				out += "|"
			}
		}
	}
	for _, r := range records {
		r.Skipped = except[r.Sequence]
		if err := a.add(r); err != nil {
			show()
			return out, err
		}
		show()
	}
	return out, nil
}

func TestMessagesAreLeftOut(t *testing.T) {
	for name, c := range map[string]struct {
		records []*Record
		except  []uint64
		want    string
		damaged uint64 // where it ends; 0: nowhere
	}{
		"one that is there":           {commits(1, 1, 1), []uint64{2}, "1|2s|3|", 0},
		"one that is missing":         {without(commits(1, 1, 1), 2), []uint64{2}, "1|2s|3|", 0},
		"the first":                   {without(commits(1, 1), 1), []uint64{1}, "1s|2|", 0},
		"another than the missing":    {without(commits(1, 1, 1), 2), []uint64{3}, "1|", 2},
		"several":                     {without(commits(1, 1, 1, 1), 2, 3), []uint64{2, 3}, "1|2s|3s|4|", 0},
		"one of several":              {without(commits(1, 1, 1, 1), 2, 3), []uint64{2}, "1|", 3},
		"first of a commit":           {without(commits(1, 3, 1), 2), []uint64{2}, "1|2s34|5|", 0},
		"amid a commit":               {without(commits(1, 3, 1), 3), []uint64{3}, "1|23s4|5|", 0},
		"last of a commit":            {without(commits(1, 3, 1), 4), []uint64{4}, "1|234s|5|", 0},
		"all of a commit":             {without(commits(1, 3, 1), 2, 3, 4), []uint64{2, 3, 4}, "1|2s|3s|4s|5|", 0},
		"before and in a commit":      {without(commits(1, 2, 1), 1, 2), []uint64{1, 2}, "1s|2s3|4|", 0},
		"a torn one, nothing":         {[]*Record{message(1, "a", 0, 3), message(2, "a", 1, 3), message(3, "b", 0, 1)}, nil, "", 1},
		"a torn one, its first":       {[]*Record{message(1, "a", 0, 3), message(2, "a", 1, 3), message(3, "b", 0, 1)}, []uint64{1}, "", 2},
		"a torn one, all":             {[]*Record{message(1, "a", 0, 3), message(2, "a", 1, 3), message(3, "b", 0, 1)}, []uint64{1, 2}, "1s|2s|3|", 0},
		"a torn one's end":            {[]*Record{message(1, "z", 0, 1), message(2, "a", 1, 3), message(3, "a", 2, 3), message(4, "b", 0, 1)}, nil, "1|", 2},
		"a torn one's end, its first": {[]*Record{message(1, "z", 0, 1), message(2, "a", 1, 3), message(3, "a", 2, 3), message(4, "b", 0, 1)}, []uint64{2}, "1|", 3},
		"a torn one's end, all":       {[]*Record{message(1, "z", 0, 1), message(2, "a", 1, 3), message(3, "a", 2, 3), message(4, "b", 0, 1)}, []uint64{2, 3}, "1|2s|3s|4|", 0},
	} {
		t.Run(name, func(t *testing.T) {
			except := map[uint64]bool{}
			for _, s := range c.except {
				except[s] = true
			}
			for _, r := range c.records {
				if except[r.Sequence] {
					r.Revision = r.Sequence
				}
			}
			got, err := left(t, except, c.records...)
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if at, _ := Damaged(err); at != c.damaged {
				t.Errorf("ended at %d with %v, want %d", at, err, c.damaged)
			}
		})
	}
}

func without(records []*Record, gone ...uint64) []*Record {
	return slices.DeleteFunc(records, func(r *Record) bool { return slices.Contains(gone, r.Sequence) })
}

// Whatever is missing, leaving out what a reader ends at, one after the other,
// leads to the end; every message that is there and not left out is seen, and
// no more is left out than was missing.
func TestLeavingOutLeadsToTheEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := append(rapid.SliceOfN(rapid.IntRange(1, 4), 1, 8).Draw(t, "sizes"), 1)
		total := len(commits(sizes...))
		gone := map[uint64]bool{}
		for _, s := range rapid.SliceOf(rapid.IntRange(1, total-1)).Draw(t, "gone") {
			gone[uint64(s)] = true
		}
		except := map[uint64]bool{}
		for range total + 1 {
			a := &assembler{next: 1, except: except}
			var seen []*Record
			var err error
			for _, r := range commits(sizes...) {
				if gone[r.Sequence] {
					continue
				}
				if err = a.add(r); err != nil {
					break
				}
				seen = append(seen, a.take()...)
			}
			if err == nil {
				for i, r := range seen {
					if r.Sequence != uint64(i+1) || r.Skipped != gone[r.Sequence] {
						t.Fatalf("at %d: %+v", i+1, r)
					}
				}
				if len(seen) != total || len(except) != len(gone) {
					t.Fatalf("%d of %d messages, %d left out, %d missing", len(seen), total, len(except), len(gone))
				}
				return
			}
			at, ok := Damaged(err)
			if !ok || except[at] {
				t.Fatalf("ended with %v", err)
			}
			except[at] = true
		}
		t.Fatal("it did not come to the end")
	})
}

func TestReadersLeaveOut(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	l := damaged(t, ctx, 4, 7)
	if _, err := l.js.Publish(ctx, "sp.0.acme.strategy.metric.forged", []byte("not an envelope")); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(ctx, Command{RequestID: "last", Recorded: time.Now()}, Draft{
		Subject: Subject{Org: "acme", Service: "strategy", Kind: "metric", ID: "last"},
		Events:  []Event{{Type: "strategy.metric_declared.v1"}},
	}); err != nil {
		t.Fatal(err)
	}
	except := map[uint64]bool{}
	for _, want := range []uint64{4, 7, 11} {
		err := l.ReadExcept(ctx, 0, 12, except, func([]*Record) error { return nil })
		if at, _ := Damaged(err); at != want {
			t.Fatalf("ended with %v, want %d", err, want)
		}
		except[want] = true
	}
	err := l.ReadExcept(ctx, 0, 12, nil, func([]*Record) error { return nil })
	if fault.ReasonOf(err) != "log.hole" {
		t.Errorf("without leaving out: %v", err)
	}
	var got []*Record
	if err := l.ReadExcept(ctx, 0, 12, except, func(batch []*Record) error { got = append(got, batch...); return nil }); err != nil {
		t.Fatal(err)
	}
	for i, r := range got {
		if r.Sequence != uint64(i+1) || r.Skipped != except[r.Sequence] {
			t.Errorf("at %d: %+v", i+1, r)
		}
	}
	if len(got) != 12 {
		t.Fatalf("%d messages", len(got))
	}
	forged := got[10]
	if forged.Envelope != nil || forged.Subject.ID != "forged" || len(forged.Hash) == 0 {
		t.Errorf("of the one that does not decode there is %+v", forged)
	}
	// Up to one that is left out, and on from there.
	for _, to := range []uint64{4, 7, 11} {
		last := uint64(0)
		if err := l.ReadExcept(ctx, to-1, to, except, func(batch []*Record) error {
			last = batch[len(batch)-1].Revision
			return nil
		}); err != nil || last != to {
			t.Errorf("read up to %d: %d, %v", to, last, err)
		}
	}
}
