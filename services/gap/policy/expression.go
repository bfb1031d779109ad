package policy

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"cel.dev/cel-go/cel"

	"setpoint.dev/services/internal/resource"
)

const (
	// mostCost bounds what one asking of an expression may cost, in the units of
	// CEL: about one for each step.
	mostCost = 10_000
	// longestExpression bounds its size in code points.
	longestExpression = 4000
)

// Variable is something that an expression can look at.
type Variable struct {
	Name, Type, About string
	typ               *cel.Type
}

// Variables are all that there is, in the order of their documentation. Those
// whose value is not known make an expression that needs them not hold.
func Variables() []Variable { return slices.Clone(variables) }

// VariableNames are their names.
func VariableNames() []string {
	var out []string
	for _, v := range variables {
		out = append(out, v.Name)
	}
	return out
}

var variables = []Variable{
	{"target.name", "string", "name of the target", cel.StringType},
	{"target.metric", "string", "name of its metric", cel.StringType},
	{"target.objective", "string", "name of its objective", cel.StringType},
	{"target.strategy", "string", "name of its strategy", cel.StringType},
	{"target.owner", "string", "unit/NAME or person/ID, empty if nobody", cel.StringType},
	{"target.form", "string", "path, periods, maintain, milestone", cel.StringType},
	{"target.status", "string", "not_started, no_data, on_track, at_risk, off_track, achieved, missed", cel.StringType},
	{"target.daysToDue", "int", "days until it is due, negative after; not known without a due date", cel.IntType},
	{"gap.open", "bool", "a gap was told and has not closed", cel.BoolType},
	{"gap.known", "bool", "there is a gap to speak of: the actual is known", cel.BoolType},
	{"gap.value", "double", "to the final state, in the metric's unit; positive is behind", cel.DoubleType},
	{"gap.share", "double", "drift as a share of the way", cel.DoubleType},
	{"gap.drift", "double", "off the path, in the metric's unit", cel.DoubleType},
	{"gap.actual", "double", "the value judged", cel.DoubleType},
	{"gap.expected", "double", "what was expected of it", cel.DoubleType},
	{"gap.coverage", "double", "share of the gap that initiatives in progress are expected to close", cel.DoubleType},
	{"condition.OnTrack", "string", "True, False, Unknown", cel.StringType},
	{"condition.DataFresh", "string", "True, False, Unknown", cel.StringType},
	{"condition.FinalPending", "string", "True, False, Unknown", cel.StringType},
	{"condition.Covered", "string", "True, False, Unknown", cel.StringType},
	{"condition.ForecastAttains", "string", "True, False, Unknown", cel.StringType},
	{"condition.ChangeReady", "string", "True, False, Unknown", cel.StringType},
	{"transition.last", "string", "what was told last: GapOpened, GapWidened, DataWentStale …", cel.StringType},
	{"days.onTrack", "int", "days since OnTrack last changed", cel.IntType},
	{"days.dataFresh", "int", "days since DataFresh last changed", cel.IntType},
	{"days.data", "int", "days since the last day that the actual covers", cel.IntType},
	{"units", "list(string)", "the owning unit and those above it, nearest first", cel.ListType(cel.StringType)},
	{"actions.open", "int", "open corrective actions on the target that people opened", cel.IntType},
	{"review.name", "string", "name of a review", cel.StringType},
	{"review.owner", "string", "unit/NAME or person/ID, empty if nobody", cel.StringType},
	{"review.cadence", "string", "daily, weekly, monthly, quarterly, annual", cel.StringType},
	{"review.strategy", "string", "the strategy it looks at; not known if it looks at something else", cel.StringType},
	{"review.period", "string", "the latest period that it is owed for; not known if none is", cel.StringType},
	{"review.daysOverdue", "int", "days since the first one in a row that is not held was due, 0 if none is late", cel.IntType},
	{"review.missed", "int", "how many in a row are late", cel.IntType},
	{"condition.ReviewOverdue", "string", "True, False", cel.StringType},
}

var environment = sync.OnceValues(func() (*cel.Env, error) {
	opts := []cel.EnvOption{
		cel.CrossTypeNumericComparisons(true), cel.ParserExpressionSizeLimit(longestExpression), cel.ParserRecursionLimit(50),
		// Without macros nothing is repeated but the search in a list.
		cel.ClearMacros(),
	}
	for _, v := range variables {
		opts = append(opts, cel.Variable(v.Name, v.typ))
	}
	return cel.NewEnv(opts...)
})

// Expression is one that was compiled.
type Expression struct{ program cel.Program }

// compile refuses an expression that is wrong, with line and column.
func compile(text string) (*Expression, error) {
	env, err := environment()
	if err != nil {
		return nil, err
	}
	ast, issues := env.Compile(text)
	if issues.Err() != nil {
		if err := misspelt(text); err != nil {
			return nil, err
		}
		var all []string
		for _, e := range issues.Errors() {
			all = append(all, fmt.Sprintf("line %d, column %d: %s", e.Location.Line(), e.Location.Column()+1, strings.TrimSpace(e.Message)))
			if len(all) == 3 {
				break
			}
		}
		return nil, errors.New(strings.Join(all, "; "))
	}
	if ast.OutputType() != cel.BoolType {
		return nil, fmt.Errorf("line 1, column 1: it gives %s, not true or false", ast.OutputType())
	}
	p, err := env.Program(ast, cel.CostLimit(mostCost), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, err
	}
	return &Expression{p}, nil
}

var (
	literal = regexp.MustCompile(`"(\\.|[^"\\])*"|'(\\.|[^'\\])*'`)
	dotted  = regexp.MustCompile(`[A-Za-z_]\w*\.[A-Za-z_]\w*`)
)

// misspelt names the first variable that there is not, with the one that was
// probably meant: the language itself knows only the part before the dot.
func misspelt(text string) error {
	// Blanks in place of what is quoted keep the columns.
	text = literal.ReplaceAllStringFunc(text, func(s string) string { return strings.Repeat(" ", len(s)) })
	legal := VariableNames()
	for _, at := range dotted.FindAllStringIndex(text, -1) {
		name := text[at[0]:at[1]]
		group, _, _ := strings.Cut(name, ".")
		if slices.Contains(legal, name) || !slices.ContainsFunc(legal, func(l string) bool { return strings.HasPrefix(l, group+".") }) {
			continue
		}
		before := text[:at[0]]
		line := strings.Count(before, "\n") + 1
		column := utf8.RuneCountInString(before[strings.LastIndex(before, "\n")+1:]) + 1
		return fmt.Errorf("line %d, column %d: there is no %s; %s", line, column, name, resource.Suggest(name, legal))
	}
	return nil
}

// Holds asks an expression. What needs something that is not among the values
// does not hold.
func (e *Expression) Holds(values map[string]any) bool {
	out, _, err := e.program.Eval(values)
	if err != nil {
		return false
	}
	holds, ok := out.Value().(bool)
	return ok && holds
}
