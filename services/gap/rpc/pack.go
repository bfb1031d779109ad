package rpc

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"google.golang.org/protobuf/encoding/protojson"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/gap/condition"
	"setpoint.dev/services/gap/portfolio"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
)

// Scope is what a pack is about; at most one field is given, none means all of the
// organization.
type Scope struct {
	Strategy  string
	Objective string // with the objectives that contribute to it
	Unit      string // with the units below it
}

// Pack is an evaluation that can be made again from the log, byte by byte.
type Pack struct {
	Policy         string
	PolicyRevision uint64
	Evaluator      string
	// Content is the evaluation, in the JSON form of EvaluateResponse without white
	// space and without forecasts; SHA256 is its digest in hexadecimal. What people
	// said is not in it: somebody who is erased must not change it.
	Content  []byte
	SHA256   string
	Targets  int
	Statuses map[gap.Status]int
	// Status, Score and Known are the roll-up of what the scope names; none for an
	// organization.
	Status gap.Status
	Score  *float64
	Known  float64
}

// PackAt evaluates what a scope names at the end of a day, with what was known at a
// revision. A name that stands for nothing is a NotFound fault.
func PackAt(v record.View, org string, at uint64, day calendar.Date, scope Scope, policyName string) (Pack, error) {
	for _, x := range []struct{ kind, name string }{{"Strategy", scope.Strategy}, {"Objective", scope.Objective}, {"Unit", scope.Unit}} {
		if x.name == "" {
			continue
		}
		r, err := v.Resource(org, x.kind, x.name, at)
		if err != nil {
			return Pack{}, err
		}
		if r == nil {
			return Pack{}, fault.New(fault.NotFound, "gap.scope_unknown", "scope: there is no %s %q", x.kind, x.name).
				WithHint("%s", resource.Suggest(x.name, record.NewSet(v, org, at).Names(x.kind)))
		}
	}
	rules, err := portfolio.Rules(v, org, policyName, at, day)
	if err != nil {
		return Pack{}, err
	}
	p, err := portfolio.Load(v, org, at, day)
	if err != nil {
		return Pack{}, err
	}
	r := gap.Evaluate(p, day, rules.Policy, gap.Options{Explain: true, Strategy: scope.Strategy})
	out := Pack{Policy: r.Policy, PolicyRevision: rules.Revision, Evaluator: condition.Evaluator, Statuses: map[gap.Status]int{}}
	head := scope.limit(p, &r)
	if head != nil {
		out.Status, out.Score, out.Known = head.Status, head.Score, head.Known
	}
	r.Hints = nil // how to ask better is no part of the answer
	for _, t := range r.Targets {
		out.Targets++
		out.Statuses[t.Status]++
	}
	raw, err := protojson.Marshal(response(p, r))
	if err != nil {
		return out, err
	}
	var content bytes.Buffer // the library's white space differs between builds
	if err := json.Compact(&content, raw); err != nil {
		return out, err
	}
	sum := sha256.Sum256(content.Bytes())
	out.Content, out.SHA256 = content.Bytes(), hex.EncodeToString(sum[:])
	return out, nil
}

// limit leaves in a result what belongs to the scope, and returns the roll-up of
// what it names.
func (s Scope) limit(p gap.Portfolio, r *gap.Result) *gap.RollUp {
	named := func(list []gap.RollUp, name string) *gap.RollUp {
		i := slices.IndexFunc(list, func(x gap.RollUp) bool { return x.Name == name })
		if i < 0 {
			return nil
		}
		return &list[i]
	}
	switch {
	case s.Strategy != "":
		r.Targets = slices.DeleteFunc(r.Targets, func(t gap.TargetResult) bool { return t.Strategy != s.Strategy })
		r.Objectives = slices.DeleteFunc(r.Objectives, func(o gap.RollUp) bool { return o.Strategy != s.Strategy })
		r.Strategies = slices.DeleteFunc(r.Strategies, func(o gap.RollUp) bool { return o.Name != s.Strategy })
		return named(r.Strategies, s.Strategy)
	case s.Objective != "":
		within := s.serving(p)
		r.Targets = slices.DeleteFunc(r.Targets, func(t gap.TargetResult) bool { return !within[t.Objective] })
		r.Objectives = slices.DeleteFunc(r.Objectives, func(o gap.RollUp) bool { return !within[o.Name] })
		r.Strategies = nil
		return named(r.Objectives, s.Objective)
	case s.Unit != "":
		unit := named(r.Units, s.Unit)
		below := s.below(p)
		r.Targets = slices.DeleteFunc(r.Targets, func(t gap.TargetResult) bool { return !below[t.Unit] })
		has := map[string]bool{}
		for _, t := range r.Targets {
			has[t.Objective] = true
		}
		r.Objectives = slices.DeleteFunc(r.Objectives, func(o gap.RollUp) bool { return !has[o.Name] })
		r.Strategies = nil
		return unit
	}
	return nil
}

// serving are the objective and those that contribute to it, at any distance.
func (s Scope) serving(p gap.Portfolio) map[string]bool {
	out := map[string]bool{s.Objective: true}
	for grown := true; grown; {
		grown = false
		for _, o := range p.Objectives {
			if !out[o.Name] && slices.ContainsFunc(o.ContributesTo, func(e gap.Edge) bool { return out[e.Objective] }) {
				out[o.Name], grown = true, true
			}
		}
	}
	return out
}

// below are the unit and those below it.
func (s Scope) below(p gap.Portfolio) map[string]bool {
	out := map[string]bool{s.Unit: true}
	for grown := true; grown; {
		grown = false
		for _, u := range p.Units {
			if !out[u.Name] && out[u.Parent] {
				out[u.Name], grown = true, true
			}
		}
	}
	return out
}
