// Package policy is the kind Policy: which rule turns numbers into statuses and
// roll-ups, and what is done when something holds.
//
// # Invariants
//
//   - What a policy does not say is as in the preset that it begins with, so that
//     an empty one is the default.
//   - An expression is compiled when it is declared: one that is wrong is refused
//     with its field and position. It sees only what Variables lists, costs at
//     most mostCost, and cannot loop.
//   - What is not known has no value: an expression that needs it does not hold.
//   - What policies have done is invisible to expressions.
//
// # Reading order
//
// kind.go (the registry entry and its rules), evaluation.go (from a spec to the
// numbers of gap.Policy), variable.go (what reactions can look at, and of which
// kind), expression.go (how they ask), reaction.go (reactions made ready to be
// asked).
package policy
