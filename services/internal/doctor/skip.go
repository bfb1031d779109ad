package doctor

import (
	"fmt"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/record"
)

// leftOut is what was decided about damage of the log: the messages that every
// fold leaves out.
type leftOut map[uint64]record.Skip

func (l leftOut) add(skips []record.Skip) {
	for _, s := range skips {
		l[s.Sequence] = s
	}
}

// all are the decisions about a damage, if every message of it is left out.
func (l leftOut) all(d eventlog.Damage) (one record.Skip, ok bool) {
	if d.First == 0 || d.Last-d.First >= uint64(len(l)) {
		return one, false
	}
	for sequence := d.First; sequence <= d.Last; sequence++ {
		if one, ok = l[sequence]; !ok {
			return one, false
		}
	}
	return one, true
}

// between is a message that is left out and may be the one that an aggregate's
// chain of hashes lacks.
func (l leftOut) between(d eventlog.Damage) (one record.Skip, ok bool) {
	for sequence, s := range l {
		after := d.First < sequence || d.First == d.Last // of the latter nothing before it is known
		if after && sequence < d.Last && (!ok || sequence > one.Sequence) {
			one, ok = s, true
		}
	}
	return one, ok
}

// excuse makes a note of a damage that somebody has decided to live with.
func (l leftOut) excuse(d eventlog.Damage, f Finding) Finding {
	s, ok := l.all(d)
	why := "it is left out of the read models"
	if !ok && d.Reason == eventlog.DamageChain {
		s, ok = l.between(d)
		why = fmt.Sprintf("it follows from message %d, if that was of this aggregate, which is left out of the read models", s.Sequence)
	}
	if !ok {
		return f
	}
	f.Severity = Note
	f.Message += fmt.Sprintf("; %s by %s since revision %d: %s", why, s.Principal, s.Revision, s.Reason)
	f.Advice = ""
	return f
}
