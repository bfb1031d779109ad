package reconcile

import (
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/gap/condition"
	"setpoint.dev/services/gap/policy"
	"setpoint.dev/services/gap/portfolio"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/record"
)

// rollUps are the kinds that roll targets up, and where their conditions are.
var rollUps = []struct{ kind, aggregate string }{
	{"Objective", condition.ObjectiveAggregate}, {"Strategy", condition.StrategyAggregate}, {"Unit", condition.UnitAggregate},
}

// upper is something that rolls targets up.
type upper struct{ kind, name string }

// above says what is above each target, and which targets are below what.
type above struct {
	of    [][]upper // by place in the portfolio
	below map[upper][]int
	ids   map[upper]string
	owner map[upper]string
}

// index reads which targets are below what.
func (a *above) index(v record.View, p *picture) error {
	a.ids, a.owner, a.below = map[upper]string{}, map[upper]string{}, map[upper][]int{}
	for _, x := range rollUps {
		ids, _, err := portfolio.IDs(v, p.org, x.kind, p.at)
		if err != nil {
			return err
		}
		for name, id := range ids {
			a.ids[upper{x.kind, name}] = id
		}
	}
	strategies := map[string]string{} // owners
	for _, s := range p.portfolio.Strategies {
		strategies[s.Name], a.owner[upper{"Strategy", s.Name}] = s.Owner, s.Owner
	}
	objectives := map[string]*gap.Objective{}
	for i := range p.portfolio.Objectives {
		o := &p.portfolio.Objectives[i]
		objectives[o.Name] = o
		if a.owner[upper{"Objective", o.Name}] = o.Owner; o.Owner == "" {
			a.owner[upper{"Objective", o.Name}] = strategies[o.Strategy]
		}
	}
	known := map[string]map[upper]bool{} // above an objective, itself included
	var over func(name string, seen map[upper]bool)
	over = func(name string, seen map[upper]bool) {
		o := objectives[name]
		if o == nil || seen[upper{"Objective", name}] {
			return
		}
		seen[upper{"Objective", name}] = true
		if _, ok := strategies[o.Strategy]; ok {
			seen[upper{"Strategy", o.Strategy}] = true
		}
		for _, e := range o.ContributesTo {
			over(e.Objective, seen)
		}
	}
	a.of = make([][]upper, len(p.portfolio.Targets))
	for i, t := range p.portfolio.Targets {
		seen := known[t.Objective]
		if seen == nil {
			seen = map[upper]bool{}
			over(t.Objective, seen)
			known[t.Objective] = seen
		}
		a.of[i] = slices.Collect(maps.Keys(seen))
		for _, unit := range condition.Chain(p.unitOf(t, objectives, strategies), p.parents) {
			a.of[i] = append(a.of[i], upper{"Unit", unit})
		}
		for _, u := range a.of[i] {
			a.below[u] = append(a.below[u], i)
		}
	}
	return nil
}

// unitOf is the unit that owns a target: its own, else that of its objective, else
// that of the strategy, as an evaluation finds it.
func (p *picture) unitOf(t gap.Target, objectives map[string]*gap.Objective, strategies map[string]string) string {
	owner := t.Owner
	if o := objectives[t.Objective]; owner == "" && o != nil {
		if owner = o.Owner; owner == "" {
			owner = strategies[o.Strategy]
		}
	}
	return gap.UnitOf(owner)
}

// keep remembers results of targets for rolling them up; whole says that they are
// all of them.
func (p *picture) keep(results []gap.TargetResult, whole bool) {
	p.moved = whole
	if whole {
		p.results, p.result = make([]gap.TargetResult, len(results)), make(map[string]int, len(results))
	}
	for i, r := range results {
		at := i
		if !whole {
			at = p.result[r.Name]
		}
		kept := gap.TargetResult{Name: r.Name, Objective: r.Objective, Unit: r.Unit, Form: r.Form, Status: r.Status, Weight: r.Weight}
		if r.Score != nil { // of its own: the result's keeps the room of thousands
			kept.Score = proto.Float64(*r.Score)
		}
		was := &p.results[at]
		p.moved = p.moved || was.Status != kept.Status || (was.Score == nil) != (kept.Score == nil) || kept.Score != nil && *was.Score != *kept.Score
		p.results[at], p.result[r.Name] = kept, at
	}
}

// rolledUp are the objectives, strategies and units above some targets; nil targets
// are all of them.
func (p *picture) rolledUp(targets []int, now time.Time) []told {
	touched := map[upper]bool{}
	for _, t := range targets {
		for _, u := range p.above.of[t] {
			touched[u] = true
		}
	}
	if targets != nil && len(touched) == 0 {
		return nil
	}
	result := gap.RollUps(p.portfolio, p.results, p.rules.Policy)
	var out []told
	for i, list := range [][]gap.RollUp{result.Objectives, result.Strategies, result.Units} {
		for _, r := range list {
			u := upper{rollUps[i].kind, r.Name}
			id := p.above.ids[u]
			if id == "" || targets != nil && !touched[u] {
				continue
			}
			o := condition.RolledUp{
				Kind: u.kind, RollUp: r, Owner: p.above.owner[u], Rules: p.rules, Day: p.day, Instant: now.UTC().Format(time.RFC3339), Revision: p.at,
			}
			for _, t := range p.above.below[u] {
				name := p.portfolio.Targets[t].Name
				o.Below.Add(name, p.sets[key{condition.Aggregate, p.ids[name]}].set)
			}
			out = append(out, told{
				of:   eventlog.Subject{Org: p.org, Service: policy.Service, Kind: rollUps[i].aggregate, ID: id},
				next: func(s *condition.Set) ([]proto.Message, *condition.Set) { return p.nextOfRollUp(s, o, id) },
			})
		}
	}
	return out
}

// nextOfRollUp is what is to be told of a roll-up, and the set after it.
func (p *picture) nextOfRollUp(set *condition.Set, o condition.RolledUp, id string) ([]proto.Message, *condition.Set) {
	events := condition.DecideRollUp(set, o)
	for _, e := range events {
		set = condition.Evolve(set, e)
	}
	unit := gap.UnitOf(o.Owner)
	if o.Kind == policy.Unit {
		unit = o.RollUp.Name
	}
	reactions := condition.ReactToRollUp(set, o, condition.Surroundings{Units: condition.Chain(unit, p.parents), Identity: p.org + "/" + id}, p.policies)
	for _, e := range reactions {
		set = condition.Evolve(set, e)
	}
	return append(events, reactions...), set
}
