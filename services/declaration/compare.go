package declaration

import (
	"setpoint.dev/services/internal/resource"
)

// Compare tells what leads from one declared state to another, in the terms of
// a plan. A resource is the same if its aggregate is, whatever its name; one
// that was deleted and declared anew in between is the same if its name is.
// It is pure.
func Compare(kinds *resource.Registry, before, after Current) Plan {
	var p Plan
	for _, k := range kinds.Kinds() {
		was := predecessors(before[k.Name], after[k.Name])
		goOn := map[string]bool{} // names before that have a successor
		for _, name := range after.names(k.Name) {
			now := after[k.Name][name]
			old, existed := was[name]
			goOn[old] = true
			c := Change{Ref: Ref{k.Name, name}, ID: now.ID, Effective: now.Effective, Action: Create}
			c.Fields = Diff(k, before[k.Name][old].State, now.State)
			switch {
			case existed && old != name:
				c.Action, c.RenamedFrom = Rename, old
			case existed && len(c.Fields) == 0:
				p.Unchanged++
				continue
			case existed:
				c.Action = Update
			}
			p.Changes = append(p.Changes, c)
		}
		for _, name := range before.names(k.Name) {
			if !goOn[name] {
				p.Changes = append(p.Changes, Change{Ref: Ref{k.Name, name}, ID: before[k.Name][name].ID, Action: Delete})
			}
		}
	}
	p.sort(kinds)
	return p
}

// predecessors gives the name before of each name after that had one.
func predecessors(before, after map[string]Held) map[string]string {
	byID := make(map[string]string, len(before))
	for name, h := range before {
		byID[h.ID] = name
	}
	out, taken := make(map[string]string, len(after)), map[string]bool{}
	for name, h := range after {
		if old, ok := byID[h.ID]; ok {
			out[name], taken[old] = old, true
		}
	}
	for name := range after {
		if _, found := out[name]; found || taken[name] {
			continue
		}
		if _, ok := before[name]; ok {
			out[name] = name
		}
	}
	return out
}
