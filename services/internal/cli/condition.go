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

// conditionsOf recognises `get conditions [TARGET]`.
func conditionsOf(args []string) (target string, ok bool) {
	first, name, _ := strings.Cut(args[0], "/")
	switch strings.ToLower(first) {
	case "condition", "conditions":
	default:
		return "", false
	}
	if len(args) > 1 {
		name = args[1]
	}
	return name, true
}

func (a *app) getConditions(ctx context.Context, target string, s *moment, f format) (reading, error) {
	if f == asCSV {
		return reading{}, usagef("conditions have no CSV form; legal are table, json and yaml")
	}
	res, err := a.client().gap.ListConditions(ctx, &gapv1.ListConditionsRequest{
		Target: target, Revision: s.GetRevision(), KnownAt: s.GetKnownAt(), MinRevision: s.GetMinRevision(),
	})
	if err != nil {
		return reading{}, err
	}
	return reading{contentOf(append(slices.Clone(res.GetTargets()), res.GetReviews()...)), func() error { return a.writeConditions(res, f) }}, nil
}

func (a *app) writeConditions(res *gapv1.ListConditionsResponse, f format) error {
	if f != asTable {
		l := list{Items: []json.RawMessage{}, Revision: itoa(res.GetRevision())}
		for _, t := range append(slices.Clone(res.GetTargets()), res.GetReviews()...) {
			raw, err := encode(t, true)
			if err != nil {
				return err
			}
			l.Items = append(l.Items, raw)
		}
		return a.writeStructured(f, l)
	}
	if len(res.GetTargets())+len(res.GetReviews()) == 0 {
		a.warnf("no conditions are on record yet\n")
		return nil
	}
	var rows [][]string
	for _, t := range res.GetTargets() {
		for _, c := range t.GetSet().GetConditions() {
			rows = append(rows, append([]string{printable(t.GetSet().GetTarget())}, conditionCells(c)...))
		}
	}
	for _, t := range res.GetReviews() {
		for _, c := range t.GetSet().GetConditions() {
			rows = append(rows, append([]string{"review/" + printable(t.GetSet().GetReview())}, conditionCells(c)...))
		}
	}
	columns := append([]column{{Title: "TARGET", Shrink: 16, Name: true}}, conditionColumns...)
	a.printf("%s", renderTable(columns, rows, a.width(), a.colors(a.opts.Stdout)))
	return nil
}

var conditionColumns = []column{
	{Title: "CONDITION"}, {Title: "STATUS"}, {Title: "SINCE"}, {Title: "REASON", Drop: 2}, {Title: "MESSAGE", Shrink: 20}, {Title: "REVISION", Right: true, Drop: 1},
}

func conditionCells(c *gapv1.Condition) []string {
	return []string{c.GetType(), c.GetStatus(), c.GetLastTransitionDay(), c.GetReason(), printable(c.GetMessage()), itoa(c.GetObservedRevision())}
}

// conditionsOn asks for what is on record of a target; nil if nothing is.
func (a *app) conditionsOn(ctx context.Context, t *gapv1.TargetGap, query *gapv1.EvaluateRequest) (*gapv1.ConditionSet, error) {
	res, err := a.client().gap.ListConditions(ctx, &gapv1.ListConditionsRequest{Target: t.GetName(), Revision: query.GetRevision()})
	if connect.CodeOf(err) == connect.CodeUnimplemented {
		return nil, nil
	}
	if err != nil || len(res.GetTargets()) == 0 {
		return nil, err
	}
	return res.GetTargets()[0].GetSet(), nil
}

// renderConditions shows the conditions, with what policies made of them.
func (d *description) renderConditions(b *block, width int) {
	s := d.conditions
	if s == nil {
		return
	}
	b.heading("Conditions as of " + s.GetAsOf() + ", policy " + printable(s.GetPolicy()))
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
			if e.GetOwner() == "" {
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

// reactedOf asks for what is on record of every target: what policies did is kept
// there.
func (a *app) reactedOf(ctx context.Context, query *gapv1.EvaluateRequest) ([]*gapv1.TargetConditions, error) {
	res, err := a.client().gap.ListConditions(ctx, &gapv1.ListConditionsRequest{Revision: query.GetRevision()})
	if connect.CodeOf(err) == connect.CodeUnimplemented {
		return nil, nil
	}
	return append(slices.Clone(res.GetTargets()), res.GetReviews()...), err
}

// renderReacted shows where a policy holds, and what it did and why, by target.
func (d *description) renderReacted(b *block, width int) {
	name := d.resource.GetMetadata().GetName()
	var holds, did [][]string
	for _, t := range d.reacted {
		target := printable(t.GetSet().GetTarget())
		if review := t.GetSet().GetReview(); review != "" {
			target = "review/" + printable(review)
		}
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
		b.indented(renderTable([]column{{Title: "TARGET", Shrink: 16, Name: true}, {Title: "REACTION", Name: true}, {Title: "SINCE"}, {Title: "STATE"}}, holds, inside(width), b.color))
	}
	if len(did) > 0 {
		slices.SortStableFunc(did, func(x, y []string) int { return strings.Compare(y[0], x[0]) })
		b.heading("What it did, newest first")
		if width > 0 {
			width = inside(width)
		}
		b.indented(renderTable([]column{
			{Title: "DAY"}, {Title: "TARGET", Shrink: 16, Name: true}, {Title: "REACTION", Shrink: 10, Name: true}, {Title: "DID", Shrink: 20},
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
