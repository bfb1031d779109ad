package recordtest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/record"
)

// batches holds that it makes no difference how changes are divided into
// writes: one at a time, or one or many commits at once, prepared or not.
func batches(t *testing.T, open Open) {
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		commits := meeting(rt)
		dump := func(name string, division func(s record.Store)) string {
			s := open(t, fmt.Sprintf("%s-%d-%s", t.Name(), n, name))
			defer func() { _ = s.Close() }()
			division(s)
			at, lines := everyRow(t, s)
			return fmt.Sprintf("%s\nat %+v", strings.Join(lines, "\n"), at)
		}
		at := func(revision int) record.Checkpoint {
			if revision == 0 {
				return record.Checkpoint{}
			}
			return record.Checkpoint{LogID: "log", Revision: uint64(revision), Hash: []byte{byte(revision)}}
		}
		write := func(s record.Store, from, to int, changes []record.Change) {
			if err := s.Write(context.Background(), at(from), at(to), changes); err != nil {
				rt.Fatalf("write %d to %d: %v\n%v", from, to, err, changes)
			}
		}
		single := dump("single", func(s record.Store) {
			for i, changes := range commits {
				for j, c := range changes {
					from := i
					if j > 0 {
						from = i + 1
					}
					write(s, from, i+1, []record.Change{c})
				}
			}
		})
		sizes := rapid.SliceOfN(rapid.IntRange(1, len(commits)), len(commits), len(commits)).Draw(rt, "sizes")
		some := dump("some", func(s record.Store) {
			for i, k := 0, 0; i < len(commits); k++ {
				to := min(i+sizes[k], len(commits))
				var all []record.Change
				for _, changes := range commits[i:to] {
					all = append(all, changes...)
				}
				write(s, i, to, all)
				i = to
			}
		})
		if single != some {
			rt.Fatalf("one by one:\n%s\nin batches:\n%s", single, some)
		}
		prepared := dump("prepared", func(s record.Store) {
			p, ok := s.(record.Preparer)
			if !ok {
				p = unprepared{}
			}
			next := p.Prepare()
			for i, k := 0, 0; i < len(commits); k++ {
				to := min(i+sizes[k], len(commits))
				for _, changes := range commits[i:to] {
					if err := next.Add(changes); err != nil {
						rt.Fatal(err)
					}
				}
				write(s, i, to, next.Changes())
				// Those that can be used again are.
				if again, ok := next.(interface{ Reset() }); ok {
					again.Reset()
				} else {
					next = p.Prepare()
				}
				i = to
			}
		})
		if single != prepared {
			rt.Fatalf("one by one:\n%s\nprepared:\n%s", single, prepared)
		}
	})
}

// unprepared takes changes as they are, for stores that prepare nothing.
type unprepared struct{}

func (unprepared) Prepare() record.Preparation { return new(asTheyAre) }

func (unprepared) BulkMessages() int { return 1 }

type asTheyAre []record.Change

func (a *asTheyAre) Add(changes []record.Change) error {
	*a = append(*a, changes...)
	return nil
}

func (a *asTheyAre) Changes() []record.Change { return *a }

// meeting draws commits whose changes meet each other: names that move between
// ids, versions that end and begin again, values corrected within a commit and
// after it, requests of several parts.
func meeting(rt *rapid.T) [][]record.Change {
	var commits [][]record.Change
	for rev := uint64(1); rev <= rapid.Uint64Range(1, 10).Draw(rt, "commits"); rev++ {
		var changes []record.Change
		taken, observed, ended := map[string]bool{}, map[string]bool{}, map[string]bool{}
		for range rapid.IntRange(1, 6).Draw(rt, "changes") {
			id := rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "id")
			switch rapid.IntRange(0, 8).Draw(rt, "what") {
			case 0, 1:
				name := rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "name")
				if taken[name] {
					continue // a name has one version a revision
				}
				taken[name] = true
				changes = append(changes, record.PutResource{Resource: record.Resource{
					Org: "acme", Kind: "Unit", Name: name, ID: id, From: rev, Recorded: start,
					Metadata: &commonv1.Metadata{Name: name}, Spec: &strategyv1.UnitSpec{Title: fmt.Sprint(rev)},
				}})
			case 2:
				if ended[id] {
					continue
				}
				ended[id] = true
				changes = append(changes, record.EndResource{Org: "acme", Kind: "Unit", ID: id, Revision: rev})
			case 3, 4:
				at := rapid.SampledFrom([]string{"2018-01-01", "2019-01-01"}).Draw(rt, "at")
				if observed[id+at] {
					continue
				}
				observed[id+at] = true
				changes = append(changes, record.PutObservation{Observation: record.Observation{
					Org: "acme", MetricID: id, ObservationKey: record.ObservationKey{At: at, Source: "s"},
					Value: float64(rev) / 3, From: rev, Recorded: start,
				}})
			case 5:
				changes = append(changes, record.PutRequest{Request: record.Request{
					Org: "acme", ID: rapid.SampledFrom([]string{"q", "r"}).Draw(rt, "request"), Digest: []byte("d"), Revision: rev,
					Recorded: rapid.IntRange(0, 3).Draw(rt, "recorded"), Corrected: rapid.IntRange(0, 1).Draw(rt, "corrected"),
					Detail: []byte(rapid.SampledFrom([]string{"", "m", "n"}).Draw(rt, "detail")),
				}})
			case 6:
				confidence := int(rev)
				changes = append(changes, record.PutCheckIn{CheckIn: record.CheckIn{
					Org: "acme", TargetID: fmt.Sprintf("%s%d", id, len(changes)), CheckInKey: record.CheckInKey{At: "2020-01-01", Revision: rev},
					Confidence: &confidence, Recorded: start, Override: &record.Override{Status: "missed"},
				}})
			case 8:
				changes = append(changes, record.PutState{State: record.State{
					Org: "acme", Service: "s", Kind: "k", ID: id, From: rev, Payload: []byte(rapid.SampledFrom([]string{"", "p", "q\x00"}).Draw(rt, "state")), Recorded: start,
				}})
			case 7:
				changes = append(changes, record.PutAggregate{Org: "acme", Service: "s", Kind: "k", ID: id,
					Aggregate: record.Aggregate{Sequence: rev, Hash: []byte{byte(rev)}, Revision: rev}})
			}
		}
		changes = append(changes, record.PutCommit{Org: "acme", Revision: rev, Recorded: start.Add(time.Duration(rev) * time.Second)})
		commits = append(commits, changes)
	}
	return commits
}
