package record

import "time"

// CheckIn is an owner's word on a target. Check-ins are never changed: what
// somebody said stays said, and a later one may say otherwise.
type CheckIn struct {
	Org, TargetID string
	CheckInKey
	Confidence *int // 0 to 10
	Note       string
	Override   *Override
	// Clear withdraws the override in force.
	Clear     bool
	Recorded  time.Time
	Principal string
}

// CheckInKey places a check-in among those of its target: they are in order
// of the date they speak about, then of the log.
type CheckInKey struct {
	At       string // YYYY-MM-DD
	Revision uint64
}

// Override is a status that a person set beside the computed one.
type Override struct {
	Status, Reason string
	Expires        string // the last day on which it counts, YYYY-MM-DD
}

// Word is what people say about a target on a day.
type Word struct {
	Confidence *int     // of the latest check-in that gives one
	Override   *CheckIn // that sets the override in force
	Noted      *CheckIn // the latest that has a note
}

// Hear adds a check-in to what was said before it.
func (w Word) Hear(c CheckIn) Word {
	if c.Confidence != nil {
		w.Confidence = c.Confidence
	}
	if c.Note != "" {
		w.Noted = &c
	}
	switch {
	case c.Override != nil:
		w.Override = &c
	case c.Clear:
		w.Override = nil
	}
	return w
}

// On is what counts on a day, YYYY-MM-DD: an override counts up to the day it
// expires. A newer override stands for the one before it, also when it
// expires first.
func (w Word) On(day string) Word {
	if w.Override != nil && w.Override.Override.Expires < day {
		w.Override = nil
	}
	return w
}
