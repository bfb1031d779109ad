package strategy

import (
	"fmt"
	"strings"
	"unicode"

	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
)

// CheckIn is the wish to say something about a target. Dates are as given;
// At may be empty for Today, the command's day.
type CheckIn struct {
	At         string
	Today      calendar.Date
	Confidence *int32 // 0 to 10
	Note       string
	Override   *strategyv1.OverrideRequest
	Clear      bool
	Principal  string // opaque id of who says it
}

// Said is what a check-in is decided on.
type Said struct {
	// Latest is what was recorded last about the same day, nil if nothing was.
	Latest    *strategyv1.CheckedIn
	Principal string // who said that
	// Overridden tells that an override is in force on that day.
	Overridden bool
	// Valued tells that a value comes along that was not on record: then it is not
	// the same that is said again.
	Valued bool
	// Status is the computed one at the end of that day; empty where it does not
	// matter, because the check-in has words.
	Status string
}

// red are the statuses that must not be left without a word.
var red = map[string]string{"off_track": "off track", "missed": "missed"}

// Wordless tells that a check-in explains nothing: it has no note, and no
// override, whose reason is an explanation.
func (c CheckIn) Wordless() bool {
	return strings.TrimSpace(c.Note) == "" && c.Override == nil
}

// Day is the date that the check-in speaks about, or an Invalid fault: a check-in
// tells how things are, so that it cannot be about a day to come.
func (c CheckIn) Day() (calendar.Date, error) {
	if c.At == "" {
		return c.Today, nil
	}
	d, err := calendar.ParseDate(c.At)
	if err != nil {
		return d, fault.Wrap(err, fault.Invalid, "strategy.checkin_at", "at: not a date").WithHint("YYYY-MM-DD")
	}
	if d.After(c.Today) {
		return d, fault.New(fault.Invalid, "strategy.checkin_at", "at: %s is still to come, today is %s", d, c.Today).
			WithHint("a check-in is about today or an earlier day")
	}
	return d, nil
}

// DecideCheckIn returns what is recorded, nil if the same principal has just
// said the same, or an Invalid fault. It is pure.
func DecideCheckIn(s Said, c CheckIn) (*strategyv1.CheckedIn, error) {
	day, err := c.Day()
	if err != nil {
		return nil, err
	}
	note := strings.TrimSpace(c.Note)
	if c.Confidence == nil && note == "" && c.Override == nil && !c.Clear {
		return nil, fault.New(fault.Invalid, "strategy.checkin_empty", "the check-in says nothing").
			WithHint("give a confidence from 0 to 10, a note, or a status that overrides the computed one")
	}
	if n := c.Confidence; n != nil && (*n < 0 || *n > 10) {
		return nil, fault.New(fault.Invalid, "strategy.checkin_confidence", "confidence: %d is not from 0 to 10", *n)
	}
	if c.Override != nil && c.Clear {
		return nil, fault.New(fault.Invalid, "strategy.checkin_override_and_clear",
			"override: a status is set and withdrawn at once").WithHint("a new override replaces the one in force by itself")
	}
	out := &strategyv1.CheckedIn{At: day.String(), Confidence: c.Confidence, Note: note}
	if c.Override != nil {
		if out.Override, err = override(c.Override, day, c.Today); err != nil {
			return nil, err
		}
	}
	// Withdrawing what is not there says nothing.
	out.ClearOverride = c.Clear && s.Overridden
	if out.Confidence == nil && out.GetNote() == "" && out.GetOverride() == nil && !out.GetClearOverride() {
		return nil, nil
	}
	again := s.Principal == c.Principal && proto.Equal(s.Latest, out)
	if again && !s.Valued {
		return nil, nil
	}
	if words, ok := red[s.Status]; ok && c.Wordless() {
		wrong := fault.New(fault.Rule, "strategy.checkin_note", "the target is %s on %s, and a check-in on a red status needs a note", words, day).
			WithHint("say what explains it and what is being done about it; if the computed status misleads, override it with a reason")
		return nil, wrong.At("note", "is missing")
	}
	if again {
		return nil, nil
	}
	return out, nil
}

// override checks what is asked for beside the computed status: with a reason,
// and for a year at most, so that nobody's word outlives its occasion.
func override(o *strategyv1.OverrideRequest, day, today calendar.Date) (*strategyv1.StatusOverride, error) {
	reason := strings.TrimSpace(o.GetReason())
	if !strings.ContainsFunc(reason, unicode.IsPrint) {
		return nil, fault.New(fault.Invalid, "strategy.override_reason", "override.reason: a status needs a reason").
			WithHint("say why the computed status misleads")
	}
	expires, err := calendar.ParseDate(o.GetExpires())
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "strategy.override_expires", "override.expires: not a date").
			WithHint("YYYY-MM-DD, the last day on which the status counts")
	}
	if expires.Before(day) {
		return nil, fault.New(fault.Invalid, "strategy.override_expires", "override.expires: %s is before %s, the day it is about", expires, day).
			WithHint("the last day on which the status counts")
	}
	if latest := aYearAfter(today); expires.After(latest) {
		return nil, fault.New(fault.Invalid, "strategy.override_expires", "override.expires: %s is more than a year ahead", expires).
			WithHint("%s", fmt.Sprintf("at most %s; say it again when it expires", latest))
	}
	return &strategyv1.StatusOverride{Status: o.GetStatus(), Reason: reason, Expires: expires.String()}, nil
}

// aYearAfter is the same day of the next year; the 28th after a 29 February.
func aYearAfter(d calendar.Date) calendar.Date {
	day := d.Day()
	if d.Month() == 2 {
		day = min(day, 28)
	}
	return calendar.Of(d.Year()+1, d.Month(), day)
}
