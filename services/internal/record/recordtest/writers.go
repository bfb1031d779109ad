package recordtest

import (
	"errors"
	"fmt"
	"testing"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
)

func noGeneration(t *testing.T, open OpenDatabase) {
	d := database(t, open)
	err := d.View(t.Context(), func(record.View) error { return errors.New("there is something to see") })
	equal(t, "reason", fault.ReasonOf(err), "record.no_generation")
	equal(t, "kind", fault.KindOf(err), fault.Unavailable)
	equal(t, "generations", list(t, d), "")
	for what, err := range map[string]error{"promote": d.Promote(t.Context(), 7), "drop": d.Drop(t.Context(), 7)} {
		equal(t, what, fault.ReasonOf(err), "record.no_generation")
		equal(t, what, fault.KindOf(err), fault.NotFound)
	}
}

// twoWriters write the same revision at once: one of them does.
func twoWriters(t *testing.T, open OpenDatabase) {
	d := database(t, open)
	one, other := live(t, d), live(t, d)
	for round := range 20 {
		from := one.at
		to := record.Checkpoint{LogID: "log", Revision: from.Revision + 1, Hash: []byte{1}}
		errs := make(chan error, 2)
		gate := make(chan struct{})
		for i, b := range []*book{one, other} {
			go func() {
				<-gate
				errs <- b.store.Write(t.Context(), from, to, []record.Change{unit("acme", "a", "a", fmt.Sprint(round, i))(to.Revision)})
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

// droppedWriter goes on writing to a generation that somebody has dropped.
func droppedWriter(t *testing.T, open OpenDatabase) {
	d := database(t, open)
	live(t, d).commit(unit("acme", "a", "a", "live"))
	next, number := begin(t, d)
	next.commit(unit("acme", "a", "a", "begun"))
	if err := d.Drop(t.Context(), number); err != nil {
		t.Fatal(err)
	}
	err := next.store.Write(t.Context(), next.at, record.Checkpoint{LogID: "log", Revision: 2}, []record.Change{unit("acme", "a", "a", "late")(2)})
	equal(t, "reason", fault.ReasonOf(err), "record.generation_dropped")
	equal(t, "kind", fault.KindOf(err), fault.Aborted)
	err = next.store.View(t.Context(), func(record.View) error { return errors.New("there is something to see") })
	equal(t, "its reader", fault.ReasonOf(err), "record.generation_dropped")
	equal(t, "a", shows(t, d), "live")
}
