package manifest

import (
	"cmp"
	"fmt"
	"slices"

	"setpoint.dev/services/internal/fault"
)

// faults collects what is wrong, up to a number that a person can use.
type faults struct {
	input   int // index of the file or resource that is being read
	most    int
	omitted int // found, and not in the list
	list    []located
}

type located struct {
	input int
	fault.Place
}

func (f *faults) add(p fault.Place) {
	if len(f.list) >= f.most {
		f.omitted++
		return
	}
	f.list = append(f.list, located{f.input, p})
}

func (f *faults) count() int { return len(f.list) + f.omitted }

// full reports whether nobody would see another fault, so that looking for
// more is a waste.
func (f *faults) full() bool { return f.omitted > 0 }

// sorted is the list in order of input, line and column.
func (f *faults) sorted() []fault.Place {
	slices.SortStableFunc(f.list, func(a, b located) int {
		return cmp.Or(cmp.Compare(a.input, b.input), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	var places []fault.Place
	for _, l := range f.list {
		places = append(places, l.Place)
	}
	if f.full() {
		places = append(places, fault.Place{
			Reason:  "manifest.too_many_faults",
			Message: fmt.Sprintf("there are more than %d faults; the rest is not listed", f.most),
			Hint:    "correct these first",
		})
	}
	return places
}
