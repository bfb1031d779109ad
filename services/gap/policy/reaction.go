package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
)

// Ready is a declared policy whose reactions can be asked.
type Ready struct {
	Name      string
	Revision  uint64
	Reactions []Reaction
	// Strategies that it looks at; none: all.
	Strategies []string
}

// Reaction is one of them.
type Reaction struct {
	Name, When string
	For        int // days
	Do         []*gapv1.Action

	// About is the kind whose resources it is asked of: Target, Review, Objective,
	// Strategy or Unit.
	About string

	expression *Expression
	uses       []Variable // that the expression mentions
}

// Prepare compiles the reactions of a policy.
func Prepare(name string, revision uint64, s *Spec) (Ready, error) {
	r := Ready{Name: name, Revision: revision, Strategies: s.GetStrategies()}
	for i, x := range s.GetReactions() {
		e, err := compile(x.GetWhen())
		if err != nil {
			return r, fmt.Errorf("spec.reactions[%d].when: %w", i, err)
		}
		r.Reactions = append(r.Reactions, Reaction{
			Name: x.GetName(), When: x.GetWhen(), For: Days(x.GetFor(), 0), Do: x.GetDo(),
			About: kindOf(x.GetWhen()), expression: e, uses: used(x.GetWhen()),
		})
	}
	return r, nil
}

// Looks tells whether the policy's reactions are about a strategy.
func (r Ready) Looks(strategy string) bool {
	return len(r.Strategies) == 0 || slices.Contains(r.Strategies, strategy)
}

// Asks tells whether one of the reactions is about a kind.
func (r Ready) Asks(kind string) bool {
	return slices.ContainsFunc(r.Reactions, func(x Reaction) bool { return x.About == kind })
}

// Ask asks a reaction, and says what it was given, as it is kept.
func (r Reaction) Ask(values map[string]any) (holds bool, inputs map[string]string) {
	inputs = map[string]string{}
	for _, x := range r.uses {
		if v, known := values[x.Name]; known {
			inputs[x.Name] = fmt.Sprint(v)
		} else {
			inputs[x.Name] = "not known"
		}
	}
	return r.expression.Holds(values), inputs
}

// Days reads a number of days such as 14d.
func Days(s string, without int) int {
	n, err := strconv.Atoi(strings.TrimSuffix(s, "d"))
	if err != nil {
		return without
	}
	return n
}
