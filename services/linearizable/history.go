// Package linearizable records what clients asked of registers and what they
// were told, and checks that there is an order in which all of it is true:
// each command took effect once, at one moment between its call and its
// answer.
//
// A register is an aggregate; its state is the revision of its last change
// and the value then written. A refusal changes nothing. A command whose
// outcome is unknown is resolved from the final log: what is there happened at
// some time after its call, what is not there never did.
//
// Start with History.Do and History.Check.
package linearizable

import (
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// Outcome is what a client was told.
type Outcome int

const (
	// Done: the command changed the register, or the read has an answer.
	Done Outcome = iota
	// Same: the register already held the value.
	Same
	// Refused: nothing was changed, for instance because of a conflict.
	Refused
	// Unknown: nobody said.
	Unknown
)

// Operation is one thing a client asked of one register. A command on several
// is one operation for each, with one ID.
type Operation struct {
	Client   int
	Register string
	// ID is the command's request id; empty for a read.
	ID string
	// Value is what is written, or was read.
	Value string
	// Guarded commands may only follow the revision Expected; 0 means that
	// nothing may have been written yet.
	Guarded  bool
	Expected uint64

	Outcome Outcome
	// Revision is of the commit, or of the last change of the register as read.
	Revision uint64

	Call, Return time.Duration // since the history began
}

// Read says whether the operation changes nothing by intention.
func (o Operation) Read() bool { return o.ID == "" }

func (o Operation) String() string {
	outcome := [...]string{"done", "already so", "refused", "unknown"}[o.Outcome]
	if o.Read() {
		return fmt.Sprintf("read %s: %q of %d (%s)", o.Register, o.Value, o.Revision, outcome)
	}
	guard := ""
	if o.Guarded {
		guard = fmt.Sprintf(" after %d", o.Expected)
	}
	return fmt.Sprintf("write %s = %q%s: %s at %d (%s)", o.Register, o.Value, guard, outcome, o.Revision, o.ID)
}

// History is what was asked and answered. It may be written concurrently.
type History struct {
	begun time.Time

	mu  sync.Mutex
	ops []Operation
}

// New begins a history.
func New() *History { return &History{begun: time.Now()} }

// Do calls f, which asks for something and completes the operations with what
// it was told, and adds them.
func (h *History) Do(f func() []Operation) {
	call := time.Since(h.begun)
	ops := f()
	end := time.Since(h.begun)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, o := range ops {
		o.Call, o.Return = call, end
		h.ops = append(h.ops, o)
	}
}

// Operations returns everything recorded so far.
func (h *History) Operations() []Operation {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]Operation(nil), h.ops...)
}

// Entry is a message of the final log: a command's effect on a register.
type Entry struct {
	ID       string
	Register string
	Revision uint64 // end of the commit
}

// Verdict counts what was found out, and says what is wrong.
type Verdict struct {
	Commands     int // commands given, each once however often it was tried
	Acknowledged int
	Refused      int
	Unknown      int
	Found        int // unknown outcomes that are in the log
	Lost         int // acknowledged and not in the log as told
	Partial      int // commands that are there on some of their registers only
	Stale        int // reads that were older than an answer before them
	Reads        int
	// Outdated counts answers "already so" about a state that had passed before
	// the command was given: each is wrong.
	Outdated int
	// Wrong lists what must not be; empty if all is well.
	Wrong []string
}

func (v *Verdict) wrong(format string, args ...any) {
	if len(v.Wrong) < 20 {
		v.Wrong = append(v.Wrong, fmt.Sprintf(format, args...))
	}
}

// Check compares the history with the final log and looks for an order. If
// strict, reads take part in it; otherwise one that is older than what was
// acknowledged before it began is only counted.
func (h *History) Check(log []Entry, strict bool) Verdict {
	ops := h.Operations()
	var v Verdict
	type key struct{ id, register string }
	stored := make(map[key]uint64, len(log))
	for _, e := range log {
		k := key{e.ID, e.Register}
		if at, again := stored[k]; again && at != e.Revision {
			v.wrong("request %s was carried out twice on %s: at %d and at %d", e.ID, e.Register, at, e.Revision)
		}
		stored[k] = e.Revision
	}
	commands := map[string]Outcome{}
	found := map[string]bool{}
	parts := map[string]map[bool]bool{} // of a command: is a part there, is one not
	past := outdated(ops, func(o Operation) (uint64, bool) {
		at, there := stored[key{o.ID, o.Register}]
		return at, there
	})
	v.Outdated = len(past)
	var order []porcupine.Operation
	last := maxReturn(ops) + 1
	for i, o := range ops {
		if past[i] {
			v.wrong("about a state that had passed, between %v and %v: %s", o.Call, o.Return, o)
			commands[o.ID] = o.Outcome
			continue
		}
		if o.Read() {
			v.Reads++
			if o.Outcome == Done && strict {
				order = append(order, operation(o, o.Return))
			}
			continue
		}
		at, there := stored[key{o.ID, o.Register}]
		commands[o.ID] = o.Outcome
		if parts[o.ID] == nil {
			parts[o.ID] = map[bool]bool{}
		}
		parts[o.ID][there] = true
		switch {
		case o.Outcome == Done && (!there || at != o.Revision):
			v.Lost++
			v.wrong("acknowledged and not in the log: %s (there: %t, at %d)", o, there, at)
		case o.Outcome == Refused && there, o.Outcome == Same && there:
			v.wrong("%s, and yet in the log at %d", o, at)
		case o.Outcome == Unknown && there:
			found[o.ID] = true
			o.Outcome, o.Revision = Done, at
			order = append(order, operation(o, last))
			continue
		case o.Outcome == Unknown:
			continue
		}
		order = append(order, operation(o, o.Return))
	}
	v.Commands, v.Found = len(commands), len(found)
	for _, outcome := range commands {
		switch outcome {
		case Done, Same:
			v.Acknowledged++
		case Refused:
			v.Refused++
		case Unknown:
			v.Unknown++
		}
	}
	for id, p := range parts {
		if p[true] && p[false] {
			v.Partial++
			v.wrong("command %s is there by half", id)
		}
	}
	v.Stale = stale(ops)
	switch porcupine.CheckOperationsTimeout(register, order, time.Minute) {
	case porcupine.Illegal:
		v.wrong("no order of the commands explains what was answered, last, on %s", strings.Join(illegal(order), "\n"))
	case porcupine.Unknown:
		v.wrong("the search for an order did not end within a minute")
	}
	return v
}

func maxReturn(ops []Operation) time.Duration {
	var last time.Duration
	for _, o := range ops {
		last = max(last, o.Return)
	}
	return last
}

func operation(o Operation, end time.Duration) porcupine.Operation {
	return porcupine.Operation{ClientId: o.Client, Input: o, Call: int64(o.Call), Return: int64(end)}
}

// outdated finds the answers "already so" with a value that the register held
// at no moment between call and answer. at tells where a command is in the log.
func outdated(ops []Operation, at func(Operation) (uint64, bool)) map[int]bool {
	type version struct {
		revision   uint64
		value      string
		from, gone time.Duration // the earliest it can have begun, the latest it can have ended
	}
	const forever = time.Duration(1<<63 - 1)
	of := map[string][]version{}
	for _, o := range ops {
		if o.Read() || o.Outcome == Same {
			continue
		}
		if revision, there := at(o); there {
			end := o.Return
			if o.Outcome == Unknown {
				end = forever
			}
			// gone is when the command itself was surely done, until the next
			// loop makes it the end of the version before.
			of[o.Register] = append(of[o.Register], version{revision, o.Value, o.Call, end})
		}
	}
	for _, versions := range of {
		sort.Slice(versions, func(i, j int) bool { return versions[i].revision < versions[j].revision })
		for i := range versions {
			if i+1 < len(versions) {
				versions[i].gone = versions[i+1].gone
			} else {
				versions[i].gone = forever
			}
		}
	}
	past := map[int]bool{}
	for i, o := range ops {
		if o.Read() || o.Outcome != Same {
			continue
		}
		held := false
		for _, v := range of[o.Register] {
			held = held || v.value == o.Value && v.from <= o.Return && v.gone >= o.Call
		}
		if !held {
			past[i] = true
		}
	}
	return past
}

// stale counts the reads that are older than what somebody had been told
// before they began.
func stale(ops []Operation) int {
	byReturn := append([]Operation(nil), ops...)
	sort.Slice(byReturn, func(i, j int) bool { return byReturn[i].Return < byReturn[j].Return })
	byCall := append([]Operation(nil), ops...)
	sort.Slice(byCall, func(i, j int) bool { return byCall[i].Call < byCall[j].Call })
	told := map[string]uint64{}
	n, next := 0, 0
	for _, o := range byCall {
		for ; next < len(byReturn) && byReturn[next].Return < o.Call; next++ {
			if r := byReturn[next]; r.Outcome == Done {
				told[r.Register] = max(told[r.Register], r.Revision)
			}
		}
		if o.Read() && o.Outcome == Done && o.Revision < told[o.Register] {
			n++
		}
	}
	return n
}

// String is a line for a person.
func (v Verdict) String() string {
	return fmt.Sprintf("%d commands: %d acknowledged, %d refused, %d unknown of which %d are in the log; lost %d, partial %d; %d reads, %d of them stale; %d outdated",
		v.Commands, v.Acknowledged, v.Refused, v.Unknown, v.Found, v.Lost, v.Partial, v.Reads, v.Stale, v.Outdated)
}
