package recordtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"setpoint.dev/services/internal/record"
)

// everyRow gives every row of a store as a line.
func everyRow(t testing.TB, s record.Store) (record.Checkpoint, []string) {
	t.Helper()
	var lines []string
	at, err := s.Rows(context.Background(), func(r record.Row) error {
		lines = append(lines, r.Table+" "+r.Key+" | "+r.Value)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return at, lines
}

func rows(t *testing.T, open Open) {
	b := newBook(t, open)
	b.commit(unit("acme", "a", "a", "first"), observed("acme", "m", "2018-09-30", "x", 1.5),
		said("acme", "t", "2026-01-10", 7, ""),
		func(rev uint64) record.Change {
			return record.PutCheckIn{CheckIn: record.CheckIn{Org: "acme", TargetID: "u", Clear: true,
				CheckInKey: record.CheckInKey{At: "2026-01-10", Revision: rev}, Recorded: start, Principal: "p", Note: "é"}}
		})
	b.commit(unit("acme", "a", "a", "second"), observed("acme", "m", "2018-09-30", "x", -1e300))
	at, lines := everyRow(t, b.store)
	equal(t, "checkpoint", at, b.at)
	recorded := fmt.Sprint(start.UnixNano())
	row := func(table string, key, value []string) string {
		return table + " " + strings.Join(key, "\x1f") + " | " + strings.Join(value, "\x1f")
	}
	for _, want := range []string{
		row("check_in", []string{"org=acme", "target_id=t", "at=2026-01-10", "rev=1"},
			[]string{"confidence=7", "note=n", "status=", "reason=", "expires=", "clear=0", "recorded=" + recorded, "principal=p"}),
		row("check_in", []string{"org=acme", "target_id=u", "at=2026-01-10", "rev=1"},
			[]string{"confidence=null", "note=é", "status=", "reason=", "expires=", "clear=1", "recorded=" + recorded, "principal=p"}),
		row("observation", []string{"org=acme", "metric_id=m", "observed_at=2018-09-30", "source=x", "rev_from=1"},
			[]string{"rev_to=2", "value=1.5", "note=n", "recorded=" + recorded, "corrections=0"}),
		row("observation", []string{"org=acme", "metric_id=m", "observed_at=2018-09-30", "source=x", "rev_from=2"},
			[]string{"rev_to=9223372036854775807", "value=-1e+300", "note=n", "recorded=" + recorded, "corrections=1"}),
		row("resource_name", []string{"org=acme", "kind=Unit", "name=a"}, nil),
		row("resource", []string{"org=acme", "kind=Unit", "name=a", "rev_from=1"},
			[]string{"rev_to=2", "id=a", "created=1", "metadata=0a0161", "spec=0a056669727374", "set_name=", "effective=2026-01-02",
				"recorded=" + recorded, "principal=p", "manager=cli"}),
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("there is no row %q in\n%q", want, lines)
		}
	}
	equal(t, "rows", len(lines), 2+2+1+2+2)
	var tables []string
	for _, l := range lines {
		table, _, _ := strings.Cut(l, " ")
		if len(tables) == 0 || tables[len(tables)-1] != table {
			tables = append(tables, table)
		}
	}
	equal(t, "tables", tables, []string{"check_in", "commit_time", "observation", "resource", "resource_name"})
}

// Same writes random histories to two stores and compares what each has: all
// rows, and what they read at every revision.
func Same(t *testing.T, one, other Open) {
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		a, b := one(t, fmt.Sprintf("%s-%d", t.Name(), n)), other(t, fmt.Sprintf("%s-%d", t.Name(), n))
		defer func() { _, _ = a.Close(), b.Close() }()
		var at record.Checkpoint
		for _, w := range history(rt) {
			for _, s := range []record.Store{a, b} {
				if err := s.Write(context.Background(), at, w.to, w.changes); err != nil {
					rt.Fatalf("write to %d: %v", w.to.Revision, err)
				}
			}
			at = w.to
		}
		_, rowsA := everyRow(t, a)
		_, rowsB := everyRow(t, b)
		if len(rowsA) == 0 {
			rt.Fatal("there are no rows")
		}
		for i := range max(len(rowsA), len(rowsB)) {
			if i >= len(rowsA) || i >= len(rowsB) || rowsA[i] != rowsB[i] {
				rt.Fatalf("row %d differs:\n%q\n%q", i, rowsA[i:min(i+1, len(rowsA))], rowsB[i:min(i+1, len(rowsB))])
			}
		}
		for _, rev := range []uint64{0, rapid.Uint64Range(0, at.Revision).Draw(rt, "at"), at.Revision} {
			if x, y := picture(t, a, rev), picture(t, b, rev); x != y {
				rt.Fatalf("at revision %d:\n%s\n%s", rev, x, y)
			}
		}
	})
}

// picture is what a store shows at a revision.
func picture(t testing.TB, s record.Store, at uint64) string {
	var out strings.Builder
	if err := s.View(context.Background(), func(v record.View) error {
		for _, org := range []string{"acme", "umbrella"} {
			for _, kind := range []string{"Unit", "Metric"} {
				list, err := v.Resources(org, kind, at, "", 0)
				if err != nil {
					return err
				}
				for _, r := range list {
					fmt.Fprintln(&out, r.Org, r.Kind, r.Name, r.ID, r.From, r.To, r.Created, r.Metadata.GetLabels(), r.Set, r.Recorded)
				}
				versions, err := v.Versions(org, kind, at)
				if err != nil {
					return err
				}
				for _, r := range versions {
					fmt.Fprintln(&out, "version", r.Name, r.ID, r.From, r.To)
				}
				for _, name := range []string{"a", "b", "c", "d"} {
					last, err := v.LastNamed(org, kind, name, at)
					if err != nil {
						return err
					}
					if last != nil {
						fmt.Fprintln(&out, "last", last.Name, last.ID, last.From)
					}
				}
			}
			if err := v.AllObservations(org, at, func(o record.Observation) error {
				fmt.Fprintf(&out, "%+v\n", o)
				return nil
			}); err != nil {
				return err
			}
			for _, metric := range []string{"m", "n"} {
				list, err := v.Observations(org, metric, at, record.ObservationKey{At: "2018-02-01", Source: "a"}, 3)
				if err != nil {
					return err
				}
				fmt.Fprintf(&out, "%+v\n", list)
			}
			for _, source := range words {
				have, beside, err := v.Observation(org, "m", record.ObservationKey{At: "2018-02-01", Source: source})
				if err != nil {
					return err
				}
				fmt.Fprintf(&out, "%+v %q\n", have, beside)
			}
			for _, service := range []string{"initiative", "change"} {
				if err := v.States(org, service, "life", at, func(s record.State) error {
					fmt.Fprintf(&out, "%+v\n", s)
					return nil
				}); err != nil {
					return err
				}
				for _, id := range words {
					s, err := v.State(org, service, "life", id, at)
					if err != nil {
						return err
					}
					fmt.Fprintf(&out, "%+v\n", s)
				}
			}
			if err := v.AllCheckIns(org, at, func(c record.CheckIn) error {
				fmt.Fprintln(&out, tell(c))
				return nil
			}); err != nil {
				return err
			}
		}
		commit, err := v.Commit(at)
		fmt.Fprintln(&out, commit)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
