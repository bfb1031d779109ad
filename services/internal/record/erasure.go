package record

import "time"

// Erasure says that what is personal of a resource, and of whoever else it
// names, is unreadable for ever. There is one at most of each resource.
//
// Erasures are not bitemporal: whoever reads the past today finds that what is
// erased is gone from it, too.
type Erasure struct {
	Org, Kind, ID string
	Name          string   // that the resource had
	Holders       []string // whose keys are destroyed
	Reason        string   // in the clear
	Revision      uint64
	Recorded      time.Time
	Principal     string // who erased
}

// PutErasure remembers the first erasure of a resource.
type PutErasure struct{ Erasure }

func (PutErasure) change() {}
