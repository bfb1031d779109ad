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
		one.uses = mentioned(x.GetWhen())
		r.Reactions = append(r.Reactions, one)
	}
	return r, nil
}

// mentioned are the variables that an expression mentions, outside of what is quoted.
func mentioned(when string) (out []string) {
	when = literal.ReplaceAllString(when, "")
	for _, v := range variables {
		if strings.Contains(when, v.Name) {
			out = append(out, v.Name)
		}
	}
	return out
}

// Looks tells whether the policy's reactions are about a strategy.
func (r Ready) Looks(strategy string) bool {
	return len(r.Strategies) == 0 || slices.Contains(r.Strategies, strategy)
}

// aboutReviews are the variables that only reviews have.
func aboutReviews(variable string) bool {
	return strings.HasPrefix(variable, "review.") || variable == "condition.ReviewOverdue"
}

// ofBoth are the variables that targets and reviews have.
func ofBoth(variable string) bool { return variable == "units" || variable == "transition.last" }

// AboutReviews tells whether the reaction is asked of reviews; else it is of targets.
func (r Reaction) AboutReviews() bool { return slices.ContainsFunc(r.uses, aboutReviews) }

// mixed tells whether an expression needs a target and a review at once, which
// never holds.
func (r Reaction) mixed() bool {
	return r.AboutReviews() && slices.ContainsFunc(r.uses, func(v string) bool { return !aboutReviews(v) && !ofBoth(v) })
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
