package doctor

import "setpoint.dev/services/internal/eventlog"

// Severity says how bad a finding is.
type Severity int

const (
	OK      Severity = iota // looked at, and well
	Note                    // worth knowing, nothing to do
	Warning                 // works, and may not for long
	Error                   // something is lost, or will be
)

var severityNames = [...]string{"ok", "note", "warning", "error"}

func (s Severity) String() string { return severityNames[s] }

// Finding is one thing that was looked at.
type Finding struct {
	Severity Severity
	// Check is the area: log, record, keys, settings, disk, clock, server, database.
	Check string
	// Reason is a stable slug, such as log.hole.
	Reason string
	// Where it was found: a stream with sequences, a file, a setting.
	Where   string
	Message string
	// Advice is what to do, empty if nothing.
	Advice string
	// First and Last are the sequences concerned, 0 if none.
	First, Last uint64
}

// mostAlike is how many findings of one reason are told; of the rest only
// their number is.
const mostAlike = 50

// report counts the findings and hands them on.
type report struct {
	found  func(Finding)
	counts [4]int
	alike  map[string]int
	last   map[string]Finding
}

func newReport(found func(Finding)) *report {
	return &report{found: found, alike: map[string]int{}, last: map[string]Finding{}}
}

// endsInHole tells whether a revision is in the last hole that was found.
func (r *report) endsInHole(revision uint64) bool {
	hole, found := r.last[eventlog.DamageHole]
	return found && hole.First <= revision && revision <= hole.Last
}

func (r *report) add(f Finding) {
	r.counts[f.Severity]++
	if f.Severity != OK {
		r.alike[f.Reason]++
		r.last[f.Reason] = f
		if r.alike[f.Reason] > mostAlike {
			return
		}
	}
	r.found(f)
}

// rest tells of each reason how many more there were.
func (r *report) rest() {
	for reason, n := range r.alike {
		if n > mostAlike {
			f := r.last[reason]
			f.Message = plural(n-mostAlike, "more finding", "more findings") + " of this kind; the last: " + f.Message
			r.found(f)
		}
	}
}
