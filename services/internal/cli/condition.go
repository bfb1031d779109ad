package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"connectrpc.com/connect"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
)

// conditionsOf recognises `get conditions [TARGET | KIND/NAME]`; of says whose they
// are, which is a target where no kind is given.
func conditionsOf(args []string) (of *gapv1.ListConditionsRequest, ok bool, err error) {
	first, name, _ := strings.Cut(args[0], "/")
	switch strings.ToLower(first) {
	case "condition", "conditions":
	default:
		return nil, false, nil
	}
	if len(args) > 1 {
		name = args[1]
	}
	kind, rest, found := strings.Cut(name, "/")
	if !found {
		return &gapv1.ListConditionsRequest{Target: name}, true, nil
	}
	k, err := kindNamed(kind)
	if err != nil {
		return nil, true, err
	}
	if !slices.Contains(conditioned, k.Name) {
		return nil, true, usagef("%s has no conditions; legal are %s", k.Name, strings.Join(conditioned, ", "))
	}
	return &gapv1.ListConditionsRequest{Kind: k.Name, Name: rest}, true, nil
}

// conditioned are the kinds that have conditions.
var conditioned = []string{"Target", "Objective", "Strategy", "Unit", "Review"}

func (a *app) getConditions(ctx context.Context, of *gapv1.ListConditionsRequest, s *moment, f format) (reading, error) {
	if f == asCSV {
		return reading{}, usagef("conditions have no CSV form; legal are table, json and yaml")
	}
	of.Revision, of.KnownAt, of.MinRevision = s.GetRevision(), s.GetKnownAt(), s.GetMinRevision()
	res, err := a.client().gap.ListConditions(ctx, of)
	if err != nil {
		return reading{}, err
	}
	return reading{contentOf(withConditions(res)), func() error { return a.writeConditions(res, f) }}, nil
}

// withConditions are all of a response: targets, what rolls them up, and reviews.
func withConditions(res *gapv1.ListConditionsResponse) []*gapv1.TargetConditions {
	return slices.Concat(res.GetTargets(), res.GetRollUps(), res.GetReviews())
}

// whose says whose a set of conditions is: a target by its name alone.
func whose(s *gapv1.ConditionSet) string {
	switch {
	case s.GetReview() != "":
		return "review/" + printable(s.GetReview())
	case s.GetKind() != "":
		return strings.ToLower(printable(s.GetKind())) + "/" + printable(s.GetName())
	}
	return printable(s.GetTarget())
}

func (a *app) writeConditions(res *gapv1.ListConditionsResponse, f format) error {
	all := withConditions(res)
	if f != asTable {
		l := list{Items: []json.RawMessage{}, Revision: itoa(res.GetRevision())}
		for _, t := range all {
			raw, err := encode(t, true)
			if err != nil {
				return err
			}
			l.Items = append(l.Items, raw)
		}
		return a.writeStructured(f, l)
	}
	if len(all) == 0 {
		a.warnf("no conditions are on record yet\n")
		return nil
	}
	var rows [][]string
	for _, t := range all {
		for _, c := range t.GetSet().GetConditions() {
			rows = append(rows, append([]string{whose(t.GetSet())}, conditionCells(c)...))
		}
	}
	columns := append([]column{{Title: "OF", Shrink: 16, Name: true}}, conditionColumns...)
	a.printf("%s", renderTable(columns, rows, a.width(), a.colors(a.opts.Stdout)))
	return nil
}

var conditionColumns = []column{
	{Title: "CONDITION"}, {Title: "STATUS"}, {Title: "SINCE"}, {Title: "REASON", Drop: 2}, {Title: "MESSAGE", Shrink: 20}, {Title: "REVISION", Right: true, Drop: 1},
}

func conditionCells(c *gapv1.Condition) []string {
	return []string{c.GetType(), c.GetStatus(), c.GetLastTransitionDay(), c.GetReason(), printable(c.GetMessage()), itoa(c.GetObservedRevision())}
}

// conditionsOn asks for what is on record of a resource; nil if nothing is.
func (a *app) conditionsOn(ctx context.Context, kind, name string, revision int64) (*gapv1.ConditionSet, error) {
	res, err := a.client().gap.ListConditions(ctx, &gapv1.ListConditionsRequest{Kind: kind, Name: name, Revision: revision})
	if connect.CodeOf(err) == connect.CodeUnimplemented {
		return nil, nil
	}
	if all := withConditions(res); err == nil && len(all) > 0 {
		return all[0].GetSet(), nil
	}
	return nil, err
}

// renderConditions shows the conditions, with what policies made of them.
func (d *description) renderConditions(b *block, width int) {
	s := d.conditions
	if s == nil {
		return
	}
	heading := fmt.Sprintf("Conditions as last told, on %s at revision %d", s.GetAsOf(), s.GetObservedRevision())
	if s.GetPolicy() != "" { // none judges a review
		heading += ", policy " + printable(s.GetPolicy())
	}
	b.heading(heading)
	inner := &block{color: b.color, width: len("ForecastAttains: ")}
	for _, c := range s.GetConditions() {
		text := fmt.Sprintf("%s since %s: %s", c.GetStatus(), c.GetLastTransitionDay(), printable(c.GetMessage()))
		lines := wrapped(text, inside(width)-inner.width)
		inner.line(c.GetType(), strings.Join(lines, "\n"+strings.Repeat(" ", inner.width)))
	}
	b.indented(inner.b.String())
	var rows [][]string
	if len(s.GetReactions()) > 0 {
		b.heading("Policies that hold")
		for _, r := range s.GetReactions() {
			rows = append(rows, []string{printable(r.GetPolicy()), printable(r.GetReaction()), r.GetSince(), reactionState(r)})
		}
		b.indented(renderTable([]column{{Title: "POLICY", Name: true}, {Title: "REACTION", Name: true}, {Title: "SINCE"}, {Title: "STATE"}}, rows, inside(width), b.color))
	}
	if len(s.GetFirings()) == 0 {
		return
	}
	b.heading("What policies did, newest first")
	for _, f := range slices.Backward(s.GetFirings()) {
		for i, text := range []string{
			fmt.Sprintf("policy %s at revision %d, reaction %s: %s", printable(f.GetPolicy()), f.GetPolicyRevision(), printable(f.GetReaction()), effectsText(f.GetEffects())),
			"because " + printable(f.GetWhen()),
			"with " + inputsText(f.GetInputs()),
		} {
			day := ""
			if i == 0 {
				day = f.GetAsOf()
			}
			for j, l := range wrapped(text, inside(width)-12) {
				if j > 0 {
					day = ""
				}
				b.indented(fmt.Sprintf("%-12s%s", day, l))
			}
		}
	}
}

func inputsText(in map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(in)) {
		parts = append(parts, name+" = "+printable(in[name]))
	}
	return strings.Join(parts, ", ")
}

func effectsText(list []*gapv1.Effect) string {
	var parts []string
	for _, e := range list {
		switch e.GetKind() {
		case "openCorrectiveAction":
			if e.GetMessage() != "" {
				parts = append(parts, "a corrective action "+printable(e.GetMessage()))
				continue
			}
			parts = append(parts, fmt.Sprintf("open a corrective action for %s until %s", printable(e.GetOwner()), e.GetDue()))
		case "requireCheckIn":
			parts = append(parts, "ask for a check-in until "+e.GetDue())
		case "notify":
			parts = append(parts, "notify "+printable(e.GetChannel()))
		case "escalate":
			if e.GetOwner() != "" {
				parts = append(parts, "escalate to "+printable(e.GetOwner()))
			} else {
				parts = append(parts, "begin to escalate")
			}
		default:
			parts = append(parts, e.GetKind())
		}
	}
	return strings.Join(parts, "; ")
}

// reactedOf asks for what is on record of all that has conditions: what policies did
// is kept there.
func (a *app) reactedOf(ctx context.Context, query *gapv1.EvaluateRequest) ([]*gapv1.TargetConditions, error) {
	res, err := a.client().gap.ListConditions(ctx, &gapv1.ListConditionsRequest{Revision: query.GetRevision()})
	if connect.CodeOf(err) == connect.CodeUnimplemented {
		return nil, nil
	}
	return withConditions(res), err
}

// renderReacted shows where a policy holds, and what it did and why, by what it is about.
func (d *description) renderReacted(b *block, width int) {
	name := d.resource.GetMetadata().GetName()
	var holds, did [][]string
	for _, t := range d.reacted {
		target := whose(t.GetSet())
		for _, r := range t.GetSet().GetReactions() {
			if r.GetPolicy() == name {
				holds = append(holds, []string{target, printable(r.GetReaction()), r.GetSince(), reactionState(r)})
			}
		}
		for _, f := range t.GetSet().GetFirings() {
			if f.GetPolicy() == name {
				did = append(did, []string{f.GetAsOf(), target, printable(f.GetReaction()), effectsText(f.GetEffects()), inputsText(f.GetInputs()), itoa(f.GetPolicyRevision())})
			}
		}
	}
	if len(holds) > 0 {
		b.heading("Holds for")
		b.indented(renderTable([]column{{Title: "OF", Shrink: 16, Name: true}, {Title: "REACTION", Name: true}, {Title: "SINCE"}, {Title: "STATE"}}, holds, inside(width), b.color))
	}
	if len(did) > 0 {
		slices.SortStableFunc(did, func(x, y []string) int { return strings.Compare(y[0], x[0]) })
		b.heading("What it did, newest first")
		if width > 0 {
			width = inside(width)
		}
		b.indented(renderTable([]column{
			{Title: "DAY"}, {Title: "OF", Shrink: 16, Name: true}, {Title: "REACTION", Shrink: 10, Name: true}, {Title: "DID", Shrink: 20},
			{Title: "BECAUSE", Shrink: 20}, {Title: "POLICY REVISION", Right: true, Drop: 1},
		}, did, width, b.color))
	}
}

// reactionState says where a reaction stands.
func reactionState(r *gapv1.ReactionState) string {
	state := "waiting"
	if r.GetFired() {
		state = "fired"
	}
	if r.GetLevel() > 0 {
		state += fmt.Sprintf(", escalated %d up", r.GetLevel())
	}
	return state
}
