package rpc

import (
	"fmt"
	"strings"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/services/declaration"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
	"setpoint.dev/services/internal/rpc"
)

const (
	overwrites = "declaration.overwrites"
	// mostVersions bounds how far back it is looked who set a value. What is
	// older counts as set by the last that was looked at.
	mostVersions = 1_000
)

// How the two that tell of overwriting say so.
const (
	wouldOverwrite = "and would be overwritten"
	doesOverwrite  = "and is overwritten"
)

// overwrites finds what a plan would overwrite of what other managers than the
// one that applies have set since that one last wrote it, notes it in the changes
// and warns of it. Nothing is asked of the view for resources that this manager
// was the last to write, which are usually all. What is deleted by name is meant
// to go; what is pruned may have been edited by somebody who meant it to stay.
func (s *Service) overwrites(v record.View, org string, wish declaration.Wish, now declaration.Current, plan *declaration.Plan, how string) error {
	if wish.Manager == "" {
		return nil
	}
	items := map[declaration.Ref]declaration.Item{}
	for _, it := range wish.Items {
		items[declaration.Ref{Kind: it.Kind, Name: it.Metadata.GetName()}] = it
	}
	named := map[declaration.Ref]bool{}
	for _, ref := range wish.Delete {
		named[ref] = true
	}
	for i := range plan.Changes {
		c := &plan.Changes[i]
		name := c.Name
		if c.RenamedFrom != "" {
			name = c.RenamedFrom
		}
		held, exists := now[c.Kind][name]
		if !exists || c.Action == declaration.Create || held.By.Manager == wish.Manager || named[c.Ref] {
			continue
		}
		if c.Action == declaration.Delete {
			c.Overwrites = map[string]declaration.Author{"": held.By}
			plan.Warnings = append(plan.Warnings, fault.Place{
				Resource: c.Ref.String(), Reason: overwrites,
				Message: fmt.Sprintf("was changed by %s, %s: pruning takes it away", said(v, org, held.By), how),
				Hint:    "to keep it, take it into the manifests (setpoint export), or another set",
			})
			continue
		}
		k, _ := s.kinds.Kind(c.Kind)
		versions, err := versionsUntil(v, org, c.Kind, name, held.ID, wish.Manager)
		if err != nil {
			return err
		}
		c.Overwrites = declaration.Overwritten(k, wish.Manager, c.Fields, versions)
		for _, f := range c.Fields {
			author, ok := c.Overwrites[f.Path]
			if !ok {
				continue
			}
			it := items[c.Ref]
			p := it.Place(declaration.Indexed(f.Path, it.Spec), overwrites,
				fmt.Sprintf("was changed by %s, %s", said(v, org, author), how),
				"to keep what is there, take it into the manifest: setpoint history shows it")
			p.Field = f.Path
			plan.Warnings = append(plan.Warnings, p)
		}
	}
	declaration.SortPlaces(plan.Warnings)
	return nil
}

// versionsUntil are the versions of a resource, the newest first, down to the
// last that a manager wrote, or to where its name or its existence begins.
func versionsUntil(v record.View, org, kind, name, id, manager string) ([]declaration.Version, error) {
	var out []declaration.Version
	for at := v.Revision(); at > 0 && len(out) < mostVersions; {
		r, err := v.Resource(org, kind, name, at)
		if err != nil {
			return nil, err
		}
		if r == nil || r.ID != id {
			break
		}
		out = append(out, declaration.Version{State: stateOf(r), Author: author(r)})
		if r.Manager == manager {
			break
		}
		at = r.From - 1
	}
	return out, nil
}

func stateOf(r *record.Resource) resource.State {
	return resource.State{Exists: true, Metadata: r.Metadata, Spec: r.Spec, Set: r.Set, Effective: r.Effective}
}

func author(r *record.Resource) declaration.Author {
	return declaration.Author{Revision: r.From, Recorded: r.Recorded, Principal: r.Principal, Manager: r.Manager}
}

// said is "ada (console) on 2026-05-03, revision 12", the day that of the
// organization.
func said(v record.View, org string, a declaration.Author) string {
	return fmt.Sprintf("%s on %s, revision %d", strings.TrimSpace(a.Principal+" ("+a.Manager+")"),
		record.Today(v, org, v.Revision(), a.Recorded), a.Revision)
}

// refuseOverwrites is the error of a plan that overwrites, nil if it does not.
func refuseOverwrites(plan declaration.Plan) error {
	var places []fault.Place
	for _, w := range plan.Warnings {
		if w.Reason == overwrites {
			places = append(places, w)
		}
	}
	if len(places) == 0 {
		return nil
	}
	f := fault.New(fault.Rule, overwrites, "nothing was changed: it would overwrite what others have set").
		WithHint("take what they set into the manifests (setpoint export, setpoint history), or apply without refusing overwrites")
	f.Places = places
	return f
}

// overwritten is who set what a change replaces at a path, nil if nobody is to be
// told of.
func overwritten(c declaration.Change, path string) *declarationv1.Author {
	a, ok := c.Overwrites[path]
	if !ok {
		return nil
	}
	return &declarationv1.Author{Revision: int64(a.Revision), Recorded: rpc.Instant(a.Recorded), Principal: a.Principal, Manager: a.Manager}
}
