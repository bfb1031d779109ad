package postgres

import (
	"sync"

	"setpoint.dev/services/internal/record"
)

type metric struct{ org, id string }

// newest keeps, from one Write of a generation to the next, the newest date
// that each metric has a value of; "" if it has none. It holds while the
// checkpoint is where the Write left it: nobody else wrote.
type newest struct {
	mu    sync.Mutex
	at    record.Checkpoint
	dates map[metric]string
}

// mostKnown bounds how many metrics are known, at some 150 bytes each; with
// more, each Write asks again.
const mostKnown = 100_000

// take gives what is known at a checkpoint, which the caller holds, away.
func (n *newest) take(at record.Checkpoint) map[metric]string {
	n.mu.Lock()
	defer n.mu.Unlock()
	dates := n.dates
	n.dates = nil
	if n.at.Revision != at.Revision || n.at.LogID != at.LogID {
		return nil
	}
	return dates
}

// keep takes back what was known before a batch that moved the checkpoint, and
// adds the batch's values.
func (n *newest) keep(at record.Checkpoint, b *batch) {
	for _, g := range b.groups {
		m := metric{g.org, g.metric}
		if date, ok := b.newest[m]; ok && date < g.at {
			b.newest[m] = g.at
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.at, n.dates = at, nil
	if len(b.newest) <= mostKnown {
		n.dates = b.newest
	}
}
