package eventlog

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	"setpoint.dev/services/internal/fault"
)

func message(sequence uint64, request string, index, count int) *Record {
	return &Record{
		Sequence: sequence, Revision: sequence + uint64(count-index-1), Size: 10,
		Envelope: &eventv1.Envelope{RequestId: request, Commit: &eventv1.Commit{Index: uint32(index), Count: uint32(count)}},
	}
}

// commits lays commits of the given sizes one after another.
func commits(sizes ...int) []*Record {
	var records []*Record
	for i, n := range sizes {
		for index := range n {
			records = append(records, message(uint64(len(records)+1), fmt.Sprintf("c%d", i), index, n))
		}
	}
	return records
}

func TestAssemblerGivesWholeCommits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := commits(rapid.SliceOfN(rapid.IntRange(1, 5), 1, 20).Draw(t, "sizes")...)
		restarts := rapid.SliceOf(rapid.IntRange(0, len(records)-1)).Draw(t, "restarts")
		a := &assembler{next: 1}
		var got []*Record
		for i := 0; i < len(records); i++ {
			if err := a.add(records[i]); err != nil {
				t.Fatal(err)
			}
			if rapid.Bool().Draw(t, "take") {
				batch := a.take()
				if n := len(batch); n > 0 && (!batch[n-1].CommitEnd() || batch[0].Envelope.Commit.Index != 0) {
					t.Fatalf("half a commit: %v", batch)
				}
				got = append(got, batch...)
			}
			if len(restarts) > 0 && restarts[0] == i {
				restarts = restarts[1:]
				a.restart()
				i = int(a.next) - 2
			}
		}
		got = append(got, a.take()...)
		for i, r := range got {
			if r.Sequence != uint64(i+1) {
				t.Fatalf("record %d has sequence %d", i, r.Sequence)
			}
		}
		if len(got) != len(records) {
			t.Fatalf("%d of %d records", len(got), len(records))
		}
	})
}

func TestAssemblerRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		records []*Record
		reason  string
		hole    HoleError
	}{
		"a hole between commits":      {[]*Record{message(1, "a", 0, 1), message(3, "c", 0, 1)}, "log.hole", HoleError{2, 3}},
		"a hole at the beginning":     {[]*Record{message(2, "b", 0, 1)}, "log.hole", HoleError{1, 2}},
		"a hole inside a commit":      {[]*Record{message(1, "a", 0, 3), message(3, "a", 2, 3)}, "log.hole", HoleError{2, 3}},
		"a repeated message":          {[]*Record{message(1, "a", 0, 1), message(1, "a", 0, 1)}, "log.hole", HoleError{2, 1}},
		"a commit that ends early":    {[]*Record{message(1, "a", 0, 2), message(2, "b", 0, 1)}, "log.commit_torn", HoleError{}},
		"a commit that begins late":   {[]*Record{message(1, "a", 0, 1), message(2, "b", 1, 2)}, "log.commit_torn", HoleError{}},
		"another size within":         {[]*Record{message(1, "a", 0, 3), message(2, "a", 1, 4)}, "log.commit_torn", HoleError{}},
		"another request within":      {[]*Record{message(1, "a", 0, 2), message(2, "b", 1, 2)}, "log.commit_torn", HoleError{}},
		"a start inside of a commit":  {[]*Record{message(1, "a", 1, 2)}, "log.not_a_revision", HoleError{}},
		"a start at a commit's end":   {[]*Record{message(1, "a", 4, 5)}, "log.not_a_revision", HoleError{}},
		"a torn commit after a whole": {append(commits(2), message(3, "x", 0, 2), message(4, "y", 1, 2)), "log.commit_torn", HoleError{}},
	} {
		t.Run(name, func(t *testing.T) {
			a := &assembler{next: 1}
			var err error
			for _, r := range c.records {
				if err = a.add(r); err != nil {
					break
				}
			}
			if fault.ReasonOf(err) != c.reason {
				t.Fatalf("got %v, want %s", err, c.reason)
			}
			var h *HoleError
			if errors.As(err, &h) != (c.reason == "log.hole") || h != nil && *h != c.hole {
				t.Fatalf("got %+v, want %+v", h, c.hole)
			}
		})
	}
}

func TestClockStandsStillDuringABatch(t *testing.T) {
	var c clock
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	stamp := func(s int64) int64 {
		var got time.Time
		_ = c.stamp(at(s), func(t time.Time) error { got = t; return nil })
		return got.Unix()
	}
	if got := stamp(10); got != 10 {
		t.Errorf("first: %d", got)
	}
	if got := stamp(5); got != 10 {
		t.Errorf("an earlier time: %d, want 10", got)
	}
	begun, thaw := c.freeze(at(12))
	if got := stamp(20); begun.Unix() != 12 || got != 12 {
		t.Errorf("during a batch of %d: %d, want 12", begun.Unix(), got)
	}
	thaw()
	if got := stamp(20); got != 20 {
		t.Errorf("after the batch: %d, want 20", got)
	}
	c.seen(at(30))
	if got := stamp(21); got != 30 {
		t.Errorf("after one of 30 was seen: %d", got)
	}
}
