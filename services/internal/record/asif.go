package record

import (
	"cmp"
	"slices"
	"strings"
)

// AsIf is a picture as it would be if resources were declared, or ended, after
// its revision: what a plan would make of it. What was observed and done stays as
// it is. changes are PutResource and EndResource of one organization; their
// revisions do not matter. Whoever reads the past of it, which LastNamed and lower
// revisions are, reads what is.
func AsIf(v View, changes []Change) View {
	out := &asIf{View: v, versions: map[string]map[string]*Resource{}}
	for _, c := range changes {
		switch c := c.(type) {
		case PutResource:
			r := c.Resource
			r.From, r.To = v.Revision()+1, Never
			out.set(r.Org, r.Kind, r.ID, &r)
		case EndResource:
			out.set(c.Org, c.Kind, c.ID, nil)
		}
	}
	return out
}

// asIf lays versions over a picture, by organization and kind and then by id; nil
// is one that has ended.
type asIf struct {
	View
	versions map[string]map[string]*Resource
}

func (a *asIf) set(org, kind, id string, r *Resource) {
	key := org + "/" + kind
	if a.versions[key] == nil {
		a.versions[key] = map[string]*Resource{}
	}
	a.versions[key][id] = r
}

// over are the versions that count at a revision.
func (a *asIf) over(org, kind string, at uint64) map[string]*Resource {
	if at < a.Revision() {
		return nil
	}
	return a.versions[org+"/"+kind]
}

func (a *asIf) Resource(org, kind, name string, at uint64) (*Resource, error) {
	over := a.over(org, kind, at)
	for _, r := range over {
		if r != nil && r.Name == name {
			return r, nil
		}
	}
	r, err := a.View.Resource(org, kind, name, at)
	if err != nil || r == nil {
		return nil, err
	}
	if _, changed := over[r.ID]; changed {
		return nil, nil // ended, or has another name
	}
	return r, nil
}

func (a *asIf) Resources(org, kind string, at uint64, after string, limit int) ([]*Resource, error) {
	over := a.over(org, kind, at)
	if len(over) == 0 {
		return a.View.Resources(org, kind, at, after, limit)
	}
	list, err := a.View.Resources(org, kind, at, "", 0)
	if err != nil {
		return nil, err
	}
	var out []*Resource
	for _, r := range list {
		if _, changed := over[r.ID]; !changed && r.Name > after {
			out = append(out, r)
		}
	}
	for _, r := range over {
		if r != nil && r.Name > after {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(x, y *Resource) int { return strings.Compare(x.Name, y.Name) })
	if limit > 0 && len(out) > limit {
		out = out[:limit]
	}
	return out, nil
}

func (a *asIf) Versions(org, kind string, at uint64) ([]*Resource, error) {
	list, err := a.View.Versions(org, kind, at)
	over := a.over(org, kind, at)
	if err != nil || len(over) == 0 {
		return list, err
	}
	var out []*Resource
	for _, r := range list {
		if next, changed := over[r.ID]; !changed || next != nil {
			out = append(out, r)
		}
	}
	for _, r := range over {
		if r != nil {
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(x, y *Resource) int {
		return cmp.Or(strings.Compare(x.ID, y.ID), cmp.Compare(x.From, y.From))
	})
	return out, nil
}
