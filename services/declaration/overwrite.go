package declaration

import (
	"time"

	"setpoint.dev/services/internal/resource"
)

// Author says who made a resource as it is.
type Author struct {
	Revision           uint64
	Recorded           time.Time
	Principal, Manager string
}

// Version is a resource as it stood for a while, and who made it so.
type Version struct {
	resource.State
	Author
}

// Overwritten tells of the fields of a change, by path, who set the values that
// it replaces, where that was another manager than the one that writes, after
// that one last wrote the resource: then everything was as it had declared. The
// versions are the newest first, each beside the one before it, down to the last
// of that manager or else to the first of all. It is pure.
//
// A manager is what somebody writes with (the command line, a repository, the
// console), as in Kubernetes' server-side apply, whose conflicts are the model.
func Overwritten(k resource.Kind, manager string, fields []FieldChange, versions []Version) map[string]Author {
	left := make(map[string]bool, len(fields))
	for _, f := range fields {
		left[f.Path] = true
	}
	out := map[string]Author{}
	for i, v := range versions {
		if v.Manager == manager {
			break
		}
		var before resource.State
		if i+1 < len(versions) {
			before = versions[i+1].State
		}
		for _, f := range Diff(k, before, v.State) {
			if left[f.Path] {
				delete(left, f.Path)
				out[f.Path] = v.Author
			}
		}
	}
	return out
}
