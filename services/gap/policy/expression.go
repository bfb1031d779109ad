package policy

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/checker"

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
			where := ""
			if e.Location.Line() > 0 {
				where = fmt.Sprintf("line %d, column %d: ", e.Location.Line(), e.Location.Column()+1)
			}
			all = append(all, where+strings.TrimSpace(e.Message))
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

// tooCostly says that an expression may be given up before it is answered: it would
// then never hold, and nobody would know why.
func tooCostly(text string) error {
	env, err := environment()
	if err != nil {
		return err
	}
	ast, issues := env.Compile(text)
	if issues.Err() != nil {
		return issues.Err()
	}
	if cost, err := env.EstimateCost(ast, sizes{}); err != nil || cost.Max > mostCost {
		return fmt.Errorf("answering it may take more than %d steps, after which it is given up", mostCost)
	}
	return nil
}

// sizes are how long what an expression is given can be: names and words are labels,
// and a unit is hardly ever this deep below the top.
type sizes struct{}

func (sizes) EstimateSize(x checker.AstNode) *checker.SizeEstimate {
	switch x.Type().Kind() {
	case cel.StringKind:
		return &checker.SizeEstimate{Max: 100}
	case cel.ListKind:
		return &checker.SizeEstimate{Max: 32}
	}
	return nil
}

func (sizes) EstimateCallCost(string, string, *checker.AstNode, []checker.AstNode) *checker.CallEstimate {
	return nil
}

var (
	// literal is what is quoted, and what is said beside the expression.
	literal = regexp.MustCompile(`(\b[bBrR]{1,2})?("(\\.|[^"\\])*"|'(\\.|[^'\\])*')|//[^\n]*`)
	word    = regexp.MustCompile(`[A-Za-z_]\w*(\.[A-Za-z_]\w*)?`)
	// assigned and percent are what people write of other languages.
	assigned = regexp.MustCompile(`[^=!<>](=)[^=]`)
	percent  = regexp.MustCompile(`[0-9]\s*(%)\s*($|[&|)?:])`)
	macro    = regexp.MustCompile(`\.(all|exists|exists_one|filter|map)\s*\(|\bhas\s*\(`)
	// words of the language that name no variable.
	words = []string{"true", "false", "null", "in", "bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"}
)

// inOtherWords is what is said here of operators that are words elsewhere.
var inOtherWords = map[string]string{"and": "both is asked with &&", "or": "either is asked with ||", "not": "the opposite is asked with !"}

// misspelt names the first thing in an expression that there is not, with what was
// probably meant: the language itself knows only the part before the dot.
func misspelt(text string) error {
	// Blanks in place of what is quoted keep the columns.
	text = literal.ReplaceAllStringFunc(text, func(s string) string { return strings.Repeat(" ", utf8.RuneCountInString(s)) })
	fault := func(at int, format string, args ...any) error {
		before := text[:at]
		line := strings.Count(before, "\n") + 1
		column := utf8.RuneCountInString(before[strings.LastIndex(before, "\n")+1:]) + 1
		return fmt.Errorf("line %d, column %d: %s", line, column, fmt.Sprintf(format, args...))
	}
	if at := macro.FindStringIndex(text); at != nil {
		name := strings.Trim(text[at[0]:at[1]], ".( \t\r\n")
		return fault(at[0]+strings.Index(text[at[0]:at[1]], name), "there is no %s, nor another macro; whether a unit is among units asks 'NAME' in units", name)
	}
	if at := assigned.FindStringSubmatchIndex(text); at != nil {
		return fault(at[2], "there is no =; what is the same is asked with ==")
	}
	if at := percent.FindStringSubmatchIndex(text); at != nil {
		return fault(at[2], "there is no %%; a share is a fraction, such as 0.15")
	}
	legal := VariableNames()
	for _, at := range word.FindAllStringIndex(text, -1) {
		name := text[at[0]:at[1]]
		group, rest, member := strings.Cut(name, ".")
		switch {
		case slices.Contains(legal, name), slices.Contains(words, name), member && slices.Contains(legal, group):
			continue
		case at[0] > 0 && partOfWord(text[at[0]-1]): // of a number, or of what is before a dot
			continue
		case strings.HasPrefix(strings.TrimLeft(text[at[1]:], " \t\r\n"), "("): // a function
			if !member || !slices.ContainsFunc(legal, func(l string) bool { return strings.HasPrefix(l, group+".") }) {
				continue
			}
		}
		if says := inOtherWords[strings.ToLower(name)]; says != "" {
			return fault(at[0], "there is no %s; %s", name, says)
		}
		if !member && aText(name) {
			return fault(at[0], "there is no %s; a text is quoted: '%s'", name, name)
		}
		return fault(at[0], "there is no %s; %s", name, meant(group, rest, legal))
	}
	return nil
}

func partOfWord(c byte) bool {
	return c == '.' || c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// meant says which variable was probably meant by group.rest, or by group alone:
// one of the group if there is such a group, else one that ends the same.
func meant(group, rest string, legal []string) string {
	var inside, alike []string
	for _, l := range legal {
		_, end, _ := strings.Cut(l, ".")
		if strings.HasPrefix(l, group+".") {
			inside = append(inside, l)
		}
		if strings.EqualFold(end, cmp.Or(rest, group)) {
			alike = append(alike, l)
		}
	}
	switch {
	case len(inside) > 0 && rest == "":
		return "legal are " + strings.Join(inside, ", ")
	case len(inside) > 0:
		return resource.Suggest(group+"."+rest, inside)
	case len(alike) > 0:
		return "did you mean " + strings.Join(alike[:min(3, len(alike))], " or ") + "?"
	case rest == "":
		return resource.Suggest(group, legal)
	}
	return resource.Suggest(group+"."+rest, legal)
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
