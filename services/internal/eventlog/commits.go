package eventlog

import "setpoint.dev/services/internal/fault"

// assembler turns messages in stream order into whole commits, and refuses
// what is not dense.
type assembler struct {
	next    uint64    // the sequence that must come
	begun   bool      // a message has been taken
	partial []*Record // of the commit under way
	whole   []*Record // of whole commits, not yet taken
	size    int       // bytes in whole
}

func (a *assembler) add(r *Record) error {
	if r.Sequence != a.next {
		return hole(a.next, r.Sequence)
	}
	c := r.Envelope.Commit
	if int(c.Index) != len(a.partial) {
		if !a.begun {
			return notRevision(a.next - 1)
		}
		return torn(r)
	}
	if len(a.partial) > 0 {
		first := a.partial[0].Envelope
		if first.Commit.Count != c.Count || first.RequestId != r.Envelope.RequestId {
			return torn(r)
		}
	}
	a.next++
	a.begun = true
	a.partial = append(a.partial, r)
	if r.CommitEnd() {
		for _, p := range a.partial {
			a.size += p.Size
		}
		a.whole = append(a.whole, a.partial...)
		a.partial = a.partial[:0]
	}
	return nil
}

// take empties the whole commits.
func (a *assembler) take() []*Record {
	batch := a.whole
	a.whole, a.size = nil, 0
	return batch
}

// restart forgets the commit under way, which will be read again.
func (a *assembler) restart() {
	a.next -= uint64(len(a.partial))
	a.partial = nil
}

func torn(r *Record) error {
	c := r.Envelope.Commit
	return fault.New(fault.Internal, "log.commit_torn",
		"the event log is damaged: message %d claims place %d of %d in a commit that is not whole", r.Sequence, c.Index+1, c.Count).
		WithHint("restore the log from a backup; setpoint doctor checks all of it")
}
