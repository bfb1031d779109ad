// Package fault is the one error type of setpoint: a kind that decides how the
// error travels, a stable reason for programs, a message and a hint for people,
// and the list of places in the input that are wrong.
//
// Return or log, never both. Whatever is not a *fault.Error becomes Internal
// at the door.
package fault

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind says what sort of failure an error is. There are few on purpose.
type Kind int

const (
	Internal        Kind = iota // a defect of ours, or of the machine
	Invalid                     // the input is wrong by itself
	NotFound                    // what was named does not exist
	Exists                      // what should be new is there already
	Stale                       // what was read is too old to act on
	Aborted                     // somebody else changed it first
	Rule                        // the input is well-formed but the state forbids it
	Unauthenticated             // no principal
	Denied                      // the principal may not
	Exhausted                   // a limit was reached
	Unavailable                 // try again
)

var kindNames = [...]string{
	"internal", "invalid", "not_found", "exists", "stale", "aborted", "rule",
	"unauthenticated", "denied", "exhausted", "unavailable",
}

func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return "internal"
	}
	return kindNames[k]
}

// Place is one thing wrong with the input, and where: Field is a path such as
// spec.baseline.date; File, Line and Column (1-based) are set for manifests
// and tables. Hint says what is legal.
type Place struct {
	File     string
	Line     int
	Column   int
	Field    string
	Resource string // Kind/name
	Reason   string
	Message  string
	Hint     string
}

// Intervening is a commit that came between what somebody read and
// what they want to write.
type Intervening struct {
	Revision           uint64
	Recorded           time.Time
	Principal, Manager string
	Changes            []string // "update Target/vacant-space", the first few
	Count              int      // of all changes
}

// Error is what functions of setpoint return when they fail.
type Error struct {
	Kind     Kind
	Reason   string // stable slug, service.what_is_wrong
	Message  string
	Hint     string
	Places   []Place
	Revision uint64 // the revision found, where a precondition failed
	// Intervening is what was written in between, where a precondition failed;
	// oldest first.
	Intervening []Intervening
	Cause       error
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Message)
	for i, p := range e.Places {
		if i == 3 && len(e.Places) > 4 {
			fmt.Fprintf(&b, "; and %d more", len(e.Places)-i)
			break
		}
		b.WriteString("; ")
		if p.Resource != "" {
			b.WriteString(p.Resource + " ")
		}
		if p.Field != "" {
			b.WriteString(p.Field + ": ")
		}
		b.WriteString(p.Message)
	}
	if e.Cause != nil {
		b.WriteString(": " + e.Cause.Error())
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Cause }

// New makes an error; the message is formatted with args.
func New(k Kind, reason, format string, args ...any) *Error {
	return &Error{Kind: k, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// Wrap makes an error with a cause.
func Wrap(cause error, k Kind, reason, format string, args ...any) *Error {
	e := New(k, reason, format, args...)
	e.Cause = cause
	return e
}

// WithHint adds what the user can do.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// At adds a place with a field and a message.
func (e *Error) At(field, format string, args ...any) *Error {
	e.Places = append(e.Places, Place{Field: field, Reason: e.Reason, Message: fmt.Sprintf(format, args...)})
	return e
}

// KindOf is the kind of the first *Error in err's chain, Internal if none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// ReasonOf is the reason of the first *Error in err's chain, "" if none.
func ReasonOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}
