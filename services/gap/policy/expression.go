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
	word    = regexp.MustCompile(`[A-Za-z_]\w*(\.[A-Za-z_]\w*)?`)
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
