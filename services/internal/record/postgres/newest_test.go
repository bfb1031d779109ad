package postgres

import (
	"testing"

	"setpoint.dev/services/internal/record"
)

// What is known of metrics counts only where the Write that learned it left the
// checkpoint, and for one Write.
func TestNewestHoldsAtItsCheckpoint(t *testing.T) {
	at := func(revision uint64) record.Checkpoint { return record.Checkpoint{LogID: "log", Revision: revision} }
	asked, other := metric{"acme", "asked"}, metric{"acme", "other"}
	b := &batch{newest: map[metric]string{asked: "2020-01-01"}, groups: []group{
		{valueID: valueID{"acme", "asked", "2019-01-01", ""}},
		{valueID: valueID{"acme", "asked", "2021-01-01", ""}},
		{valueID: valueID{"acme", "other", "2021-01-01", ""}}, // a later one may be in the table
	}}
	for name, c := range map[string]struct {
		from  record.Checkpoint
		known bool
	}{
		"where it was left":   {at(7), true},
		"somebody else wrote": {at(8), false},
		"begun anew":          {record.Checkpoint{}, false},
		"another log":         {record.Checkpoint{LogID: "restored", Revision: 7}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var n newest
			n.keep(at(7), b)
			known := n.take(c.from)
			if got := known[asked]; (got == "2021-01-01") != c.known {
				t.Errorf("the newest date is %q", got)
			}
			if _, ok := known[other]; ok {
				t.Error("a metric that was never asked for is known")
			}
			if n.take(at(7)) != nil {
				t.Error("it is given away twice")
			}
		})
	}
}
