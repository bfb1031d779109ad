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

	expression *Expression
	uses       []string // the variables that the expression mentions
}

// Prepare compiles the reactions of a policy.
func Prepare(name string, revision uint64, s *Spec) (Ready, error) {
	r := Ready{Name: name, Revision: revision, Strategies: s.GetStrategies()}
	for i, x := range s.GetReactions() {
		e, err := compile(x.GetWhen())
		if err != nil {
			return r, fmt.Errorf("spec.reactions[%d].when: %w", i, err)
		}
		one := Reaction{Name: x.GetName(), When: x.GetWhen(), For: Days(x.GetFor(), 0), Do: x.GetDo(), expression: e}
		for _, v := range variables {
			if strings.Contains(x.GetWhen(), v.Name) {
				one.uses = append(one.uses, v.Name)
			}
		}
		r.Reactions = append(r.Reactions, one)
	}
	return r, nil
}

// Looks tells whether the policy's reactions are about a strategy.
func (r Ready) Looks(strategy string) bool {
	return len(r.Strategies) == 0 || slices.Contains(r.Strategies, strategy)
}

// Ask asks a reaction, and says what it was given, as it is kept.
func (r Reaction) Ask(values map[string]any) (holds bool, inputs map[string]string) {
	inputs = map[string]string{}
	for _, name := range r.uses {
		if v, known := values[name]; known {
			inputs[name] = fmt.Sprint(v)
		} else {
			inputs[name] = "not known"
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
