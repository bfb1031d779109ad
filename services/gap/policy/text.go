package policy

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	celtypes "cel.dev/cel-go/common/types"

	"setpoint.dev/services/internal/resource"
)

var (
	ternary    = []string{"True", "False", "Unknown"}
	rolledUp   = []string{"not_started", "no_data", "on_track", "at_risk", "off_track"}
	judgements = append(slices.Clone(rolledUp), "achieved", "missed")
)

// texts are all that a variable can be, where that is a few words.
var texts = map[string][]string{
	"target.form": {"path", "periods", "maintain", "milestone"}, "target.status": judgements,
	"objective.status": rolledUp, "strategy.status": rolledUp, "unit.status": rolledUp,
	"review.cadence":    {"daily", "weekly", "monthly", "quarterly", "annual", "yearly"},
	"condition.OnTrack": ternary, "condition.DataFresh": ternary, "condition.FinalPending": ternary, "condition.Covered": ternary,
	"condition.ForecastAttains": ternary, "condition.ChangeReady": ternary, "condition.ReviewOverdue": ternary,
}

// aText tells whether a word is one of them, that stands without its quotes.
func aText(word string) bool {
	for _, list := range texts {
		if slices.Contains(list, word) {
			return true
		}
	}
	return false
}

// neverSo lists what an expression compares with a text that it never is, by what
// was probably meant: it is legal, and never holds, or always.
func neverSo(when string) (out []string) {
	env, err := environment()
	if err != nil {
		return nil
	}
	compiled, issues := env.Compile(when)
	if issues.Err() != nil {
		return nil
	}
	tree := compiled.NativeRep()
	names := tree.ReferenceMap()
	compare := func(variable, text ast.Expr) {
		of := names[variable.ID()]
		if of == nil || text.Kind() != ast.LiteralKind {
			return
		}
		word, ok := text.AsLiteral().(celtypes.String)
		legal := texts[of.Name]
		if ok && legal != nil && !slices.Contains(legal, string(word)) {
			out = append(out, fmt.Sprintf("%s is never '%.40s'; %s", of.Name, string(word), resource.Suggest(string(word), legal)))
		}
	}
	ast.PreOrderVisit(tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind || len(e.AsCall().Args()) != 2 {
			return
		}
		a, b := e.AsCall().Args()[0], e.AsCall().Args()[1]
		switch e.AsCall().FunctionName() {
		case operators.Equals, operators.NotEquals:
			compare(a, b)
			compare(b, a)
		case operators.In:
			if b.Kind() == ast.ListKind {
				for _, x := range b.AsList().Elements() {
					compare(a, x)
				}
			}
		}
	}))
	slices.SortFunc(out, strings.Compare)
	return slices.Compact(out)
}
