package postgres

import (
	"errors"

	"setpoint.dev/services/internal/record"
)

// prepared is a batch in the place of the changes that it was made of.
type prepared struct {
	record.Change
	batch *batch // nil: it was written
}

type preparation struct{ batch *batch }

var _ record.Preparer = (*generation)(nil)

// Prepare implements record.Preparer. What nearly every message has is given
// room at once: growing would copy it several times.
func (g *generation) Prepare() record.Preparation {
	b := emptyBatch(g.texts)
	b.observed = make([]*record.Observation, 0, bulkMessages)
	b.requests = make([]*record.Request, 0, bulkMessages)
	b.commits = make([]commitTime, 0, bulkMessages)
	return preparation{b}
}

// bulkMessages is for BulkMessages.
const bulkMessages = 20_000

// BulkMessages implements record.Preparer. Of many values of one metric only
// its last place is written, so that more messages are fewer rows.
func (g *generation) BulkMessages() int { return bulkMessages }

// Add implements record.Preparation.
func (p preparation) Add(changes []record.Change) error { return p.batch.add(changes) }

// Changes implements record.Preparation.
func (p preparation) Changes() []record.Change {
	p.batch.join()
	return []record.Change{&prepared{batch: p.batch}}
}

var errWritten = errors.New("the changes were written already")

// batchOf is what the changes come to, prepared or not.
func (g *generation) batchOf(changes []record.Change) (*batch, error) {
	if len(changes) == 1 {
		if p, ok := changes[0].(*prepared); ok {
			b := p.batch
			if b == nil {
				return nil, errWritten
			}
			p.batch = nil
			return b, nil
		}
	}
	return newBatch(g.texts, changes)
}
