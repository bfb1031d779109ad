package recordtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"setpoint.dev/services/internal/record"
)

func became(org, service, kind, id, payload string) func(uint64) record.Change {
	return func(rev uint64) record.Change {
		return record.PutState{State: record.State{
			Org: org, Service: service, Kind: kind, ID: id, From: rev, Payload: []byte(payload), Recorded: start,
		}}
	}
}

// placed puts an aggregate in the log, as every commit on it does.
func placed(org, service, kind, id string) func(uint64) record.Change {
	return func(rev uint64) record.Change {
		return record.PutAggregate{Org: org, Service: service, Kind: kind, ID: id, Aggregate: record.Aggregate{Sequence: rev, Hash: []byte{1}, Revision: rev}}
	}
}

// states holds what aggregates are as of revisions.
func states(t *testing.T, open Open) {
	b := newBook(t, open)
	commit := func(changes ...func(uint64) record.Change) uint64 {
		all := slices.Clone(changes)
		seen := map[[4]string]bool{}
		for _, c := range changes {
			s := c(0).(record.PutState)
			if k := [4]string{s.Org, s.Service, s.Kind, s.ID}; !seen[k] {
				seen[k] = true
				all = append(all, placed(s.Org, s.Service, s.Kind, s.ID))
			}
		}
		return b.commit(all...)
	}
	r1 := commit(became("acme", "initiative", "life", "x", "one"), became("acme", "initiative", "life", "B", "b"))
	// The same aggregate twice in a commit: the later one stands.
	r2 := commit(became("acme", "initiative", "life", "x", "two"), became("acme", "initiative", "life", "x", "two again"))
	r3 := commit(became("umbrella", "initiative", "life", "x", "theirs"), became("acme", "initiative", "action", "x", "other kind"),
		became("acme", "change", "life", "x", "other service"), became("acme", "initiative", "life", "é", "\x00\xff"),
		became("acme", "initiative", "life", "b", ""))
	b.view(func(v record.View) {
		read := func(org, service, kind, id string, at uint64) string {
			s, err := v.State(org, service, kind, id, at)
			if err != nil {
				t.Fatal(err)
			}
			if s == nil {
				return "none"
			}
			equal(t, "identity", []any{s.Org, s.Service, s.Kind, s.ID, s.Recorded}, []any{org, service, kind, id, start})
			return fmt.Sprintf("%s from %d", s.Payload, s.From)
		}
		for at, want := range map[uint64]string{
			0: "none", r1: "one from 1", r2: "two again from 2", r3: "two again from 2", r3 + 10: "two again from 2",
		} {
			equal(t, fmt.Sprintf("x at %d", at), read("acme", "initiative", "life", "x", at), want)
		}
		equal(t, "of another organization", read("umbrella", "initiative", "life", "x", r3), "theirs from 3")
		equal(t, "of another organization, before", read("umbrella", "initiative", "life", "x", r2), "none")
		equal(t, "of another kind", read("acme", "initiative", "action", "x", r3), "other kind from 3")
		equal(t, "of another service", read("acme", "change", "life", "x", r3), "other service from 3")
		equal(t, "bytes", read("acme", "initiative", "life", "é", r3), "\x00\xff from 3")
		equal(t, "an empty one", read("acme", "initiative", "life", "b", r3), " from 3")
		equal(t, "of nobody", read("acme", "initiative", "life", "y", r3), "none")
		list := func(org string, at uint64) string {
			var out []string
			if err := v.States(org, "initiative", "life", at, func(s record.State) error {
				equal(t, "identity", []any{s.Org, s.Service, s.Kind}, []any{org, "initiative", "life"})
				out = append(out, fmt.Sprintf("%s=%q@%d", s.ID, s.Payload, s.From))
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			return strings.Join(out, " ")
		}
		equal(t, "at 0", list("acme", 0), "")
		equal(t, "at r1", list("acme", r1), `B="b"@1 x="one"@1`)
		equal(t, "at r2", list("acme", r2), `B="b"@1 x="two again"@2`)
		equal(t, "at r3, by byte", list("acme", r3), `B="b"@1 b=""@3 x="two again"@2 é="\x00\xff"@3`)
		equal(t, "another organization", list("umbrella", r3), `x="theirs"@3`)
		stop := fmt.Errorf("enough")
		if err := v.States("acme", "initiative", "life", r3, func(record.State) error { return stop }); err == nil {
			t.Error("an error of the reader is lost")
		}
	})
	_, lines := everyRow(t, b.store)
	var rows []string
	for _, l := range lines {
		if strings.HasPrefix(l, "state ") && strings.Contains(l, "id=x") && strings.Contains(l, "kind=life") && strings.Contains(l, "service=initiative") && strings.Contains(l, "org=acme") {
			rows = append(rows, l)
		}
	}
	if len(rows) != 2 || !slices.ContainsFunc(rows, func(l string) bool { return strings.Contains(l, fmt.Sprintf("payload=%x", "two again")) }) {
		t.Errorf("rows of x: %q", rows)
	}
}
