package eventlog

// assembler turns messages in stream order into whole commits, and refuses
// what is not dense.
//
// A message that is left out takes whatever place is open: it says nothing
// about the commit it is in. Those before the first that does are held back
// until that one tells whether they are of its commit.
type assembler struct {
	next    uint64          // the sequence that must come
	except  map[uint64]bool // sequences left out
	begun   bool            // a message has been taken
	partial []*Record       // of the commit under way
	whole   []*Record       // of whole commits, not yet taken
	size    int             // bytes in whole
}

func (a *assembler) add(r *Record) error {
	for a.next < r.Sequence && a.except[a.next] {
		a.place(&Record{Sequence: a.next, Revision: a.next, Skipped: true})
	}
	if r.Sequence != a.next {
		return hole(a.next, r.Sequence)
	}
	if r.Skipped {
		a.place(r)
		return nil
	}
	c := r.Envelope.Commit
	first := a.first()
	if first == nil && int(c.Index) < len(a.partial) {
		a.flush(int(c.Index))
	}
	if int(c.Index) != len(a.partial) {
		switch {
		case !a.begun:
			return notRevision(a.next - 1)
		case first != nil && c.Index == 0:
			return torn(r, first.Sequence)
		}
		return torn(r, r.Sequence)
	}
	if first != nil && (first.Envelope.Commit.Count != c.Count || first.Envelope.RequestId != r.Envelope.RequestId) {
		return torn(r, r.Sequence)
	}
	a.place(r)
	return nil
}

// first is the first message of the commit under way that is not left out.
func (a *assembler) first() *Record {
	for _, r := range a.partial {
		if !r.Skipped {
			return r
		}
	}
	return nil
}

// place gives the message the open place, and closes a commit that is full.
func (a *assembler) place(r *Record) {
	a.next++
	a.begun = true
	a.partial = append(a.partial, r)
	first := r
	if r.Skipped {
		if first = a.first(); first == nil {
			return
		}
	}
	if len(a.partial) < int(first.Envelope.Commit.Count) {
		return
	}
	for _, p := range a.partial {
		p.Revision = first.Revision
		if p.Envelope == nil {
			p.Beside = first
		}
	}
	a.close(len(a.partial))
}

// flush takes all but the last n messages of the commit under way as commits
// of their own, if all of them are left out.
func (a *assembler) flush(n int) {
	if a.first() != nil || n >= len(a.partial) {
		return
	}
	alone := len(a.partial) - n
	for _, p := range a.partial[:alone] {
		p.Revision = p.Sequence
	}
	a.close(alone)
}

// close makes the first n messages of the commit under way whole.
func (a *assembler) close(n int) {
	for _, p := range a.partial[:n] {
		a.size += p.Size
	}
	a.whole = append(a.whole, a.partial[:n]...)
	a.partial = append(a.partial[:0], a.partial[n:]...)
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
