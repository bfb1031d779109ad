package eventlog

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"setpoint.dev/services/internal/fault"
)

// Damage is one thing that is wrong with a log.
type Damage struct {
	// Reason is stable: one of the Damage constants, or the reason of the fault
	// that decoding gave.
	Reason string
	// First and Last are the sequences concerned; equal for one message.
	First, Last uint64
	// Subject is the aggregate, as far as it is known.
	Subject string
	Message string
}

// Reasons of damage that an audit itself finds.
const (
	DamageHole    = "log.hole"
	DamageTorn    = "log.commit_torn"
	DamageUnended = "log.commit_unended"
	DamageChain   = "log.chain_broken"
	DamageOrder   = "log.order"
	DamageTime    = "log.time_backwards"
	DamageCorrupt = "log.envelope_corrupt"
	DamageNewer   = "log.format_newer"
	DamageEvent   = "log.event_unreadable"
)

// Error is a damage as an error.
func (d Damage) Error() string {
	if d.First == d.Last {
		return fmt.Sprintf("sequence %d: %s", d.First, d.Message)
	}
	return fmt.Sprintf("sequences %d to %d: %s", d.First, d.Last, d.Message)
}

// Audit says what an audit has seen.
type Audit struct {
	Messages, Commits, Aggregates uint64
	// Revision is the end of the last whole commit.
	Revision uint64
	// Hash is of the envelope at Revision.
	Hash []byte
	// Recorded is the latest recorded time.
	Recorded time.Time
	// Largest is the size of the largest message in bytes.
	Largest int
	// Backwards counts the messages recorded earlier than one before them, and
	// Furthest is the largest step back.
	Backwards uint64
	Furthest  time.Duration
}

// Auditor checks stored messages in the order of the log, one after the other,
// and goes on after damage. It keeps one hash for each aggregate, about 100
// bytes, and nothing else that grows.
type Auditor struct {
	// Found is told of each damage.
	Found func(Damage)
	// Decode, if set, judges a record's events.
	Decode func(*Record) error

	shard int
	chain bool
	heads map[[16]byte]head
	next  uint64
	audit Audit
	first *Record // of the commit under way
	taken uint32  // of its messages
	lost  bool    // the commit under way is known to be damaged
}

// head is the last message of an aggregate.
type head struct {
	hash     [sha256.Size]byte
	sequence uint64
}

// NewAuditor makes an auditor of a shard's log from its first message on.
// Without chain, the hashes of the aggregates are neither kept nor compared.
func NewAuditor(shard int, chain bool, found func(Damage)) *Auditor {
	return &Auditor{shard: shard, chain: chain, Found: found, heads: map[[16]byte]head{}, next: 1}
}

// Next is the sequence that must come.
func (a *Auditor) Next() uint64 { return a.next }

// Check takes the next message.
func (a *Auditor) Check(s *Stored) {
	switch {
	case s.Sequence > a.next:
		a.Missing(s.Sequence-1, "missing from the stream")
	case s.Sequence < a.next:
		a.report(DamageOrder, s.Sequence, s.Sequence, s.Subject, "the message comes a second time, or out of order")
		return
	}
	a.next = s.Sequence + 1
	a.audit.Messages++
	a.audit.Largest = max(a.audit.Largest, s.Size())
	hash := sha256.Sum256(s.Body)
	r, err := s.Record(a.shard)
	if err != nil {
		a.undecodable(s, err)
		a.link(s, nil, hash)
		return
	}
	a.place(r)
	a.link(s, r, hash)
	a.time(r)
	if a.Decode != nil {
		if err := a.Decode(r); err != nil {
			reason := DamageEvent
			if f := fault.ReasonOf(err); f != "" {
				reason = f
			}
			a.report(reason, r.Sequence, r.Sequence, s.Subject, err.Error())
		}
	}
}

// Missing says that everything from Next up to a sequence is lost, and why.
func (a *Auditor) Missing(last uint64, why string) {
	if last < a.next {
		return
	}
	n := last - a.next + 1
	what := "1 message is " + why
	if n > 1 {
		what = fmt.Sprintf("%d messages are %s", n, why)
	}
	if a.first != nil {
		what += fmt.Sprintf("; the commit of %d messages that begins at %d is not whole", a.first.Envelope.Commit.Count, a.first.Sequence)
	}
	a.report(DamageHole, a.next, last, "", what)
	a.next = last + 1
	a.first, a.taken, a.lost = nil, 0, true
}

// Finish says that the log ends, and must hold everything up to last.
func (a *Auditor) Finish(last uint64) Audit {
	a.Missing(last, "missing at the end of the stream")
	if a.first != nil {
		c := a.first.Envelope.Commit
		a.report(DamageUnended, a.first.Sequence, a.next-1, a.first.Subject.String(a.shard),
			fmt.Sprintf("the log ends inside a commit: it has %d of %d messages", a.taken, c.Count))
	}
	return a.audit
}

func (a *Auditor) report(reason string, first, last uint64, subject, message string) {
	a.Found(Damage{Reason: reason, First: first, Last: last, Subject: subject, Message: message})
}

func (a *Auditor) undecodable(s *Stored, err error) {
	reason, message := DamageCorrupt, err.Error()
	var f *fault.Error
	if errors.As(err, &f) {
		reason = f.Reason
	}
	a.report(reason, s.Sequence, s.Sequence, s.Subject, message)
	// Its place in a commit is not known: go on with the next beginning.
	a.first, a.taken, a.lost = nil, 0, true
}

// place checks that commits are whole and their messages consecutive.
func (a *Auditor) place(r *Record) {
	c := r.Envelope.Commit
	if a.lost && c.Index > 0 {
		// The rest of a commit whose damage has been told.
		if r.CommitEnd() {
			a.lost = false
		}
		return
	}
	a.lost = false
	if c.Index != a.taken || a.first != nil && (a.first.Envelope.Commit.Count != c.Count || a.first.Envelope.RequestId != r.Envelope.RequestId) {
		if a.first != nil {
			a.report(DamageTorn, a.first.Sequence, r.Sequence-1, a.first.Subject.String(a.shard),
				fmt.Sprintf("the commit has %d of its %d messages", a.taken, a.first.Envelope.Commit.Count))
		}
		a.first, a.taken = nil, 0
		if c.Index != 0 {
			a.report(DamageTorn, r.Sequence, r.Sequence, r.Subject.String(a.shard),
				fmt.Sprintf("the message claims place %d of %d in a commit that does not begin before it", c.Index+1, c.Count))
			a.lost = !r.CommitEnd()
			return
		}
	}
	if a.first == nil {
		a.first = r
	}
	a.taken++
	if r.CommitEnd() {
		a.first, a.taken = nil, 0
		a.audit.Commits++
		a.audit.Revision, a.audit.Hash = r.Sequence, r.Hash
	}
}

// link checks that the envelope holds the hash of the one before it.
func (a *Auditor) link(s *Stored, r *Record, hash [sha256.Size]byte) {
	if !a.chain {
		return
	}
	// Half of a SHA-256 tells the aggregates apart.
	sum := sha256.Sum256([]byte(s.Subject))
	key := [16]byte(sum[:16])
	before, known := a.heads[key]
	a.heads[key] = head{hash, s.Sequence}
	a.audit.Aggregates = uint64(len(a.heads))
	if r == nil {
		return
	}
	previous := r.Envelope.PreviousHash
	switch {
	case !known && len(previous) > 0:
		a.report(DamageChain, s.Sequence, s.Sequence, s.Subject,
			"the message names one before it of the same aggregate, and there is none")
	case known && len(previous) == 0:
		a.report(DamageChain, s.Sequence, s.Sequence, s.Subject,
			fmt.Sprintf("the message begins an aggregate that is there since before, last at %d", before.sequence))
	case known && string(previous) != string(before.hash[:]):
		a.report(DamageChain, before.sequence, s.Sequence, s.Subject,
			fmt.Sprintf("message %d does not follow message %d of the aggregate: that one was altered, or one between them is lost", s.Sequence, before.sequence))
	}
}

func (a *Auditor) time(r *Record) {
	at := r.Recorded()
	if back := a.audit.Recorded.Sub(at); back > 0 {
		if a.audit.Backwards++; back > a.audit.Furthest {
			a.audit.Furthest = back
		}
		if a.audit.Backwards == 1 {
			a.report(DamageTime, r.Sequence, r.Sequence, r.Subject.String(a.shard), "it was recorded earlier than a message before it")
		}
		return
	}
	a.audit.Recorded = at
}
