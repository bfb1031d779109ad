package strategy

import "fmt"

// Beside is a new value at a date where other sources have values already.
type Beside struct {
	Identity
	Others []string // their names, some of them
}

// Surprise says in words that new values of a metric stand beside others, ""
// if none do. Sources are told apart on purpose; but who forgets to name the
// source of the value to correct gets a second value, and should know.
func Surprise(metric string, beside []Beside, correct bool) string {
	if len(beside) == 0 {
		return ""
	}
	b := beside[0]
	other := source(b.Others[0])
	s := fmt.Sprintf("metric %q already has a value at %s %s; the one %s now stands beside it, and the one recorded last counts",
		metric, b.At, other, source(b.Source))
	if n := len(beside) - 1; n == 1 {
		s += "; so it is at 1 more date"
	} else if n > 1 {
		s += fmt.Sprintf("; so it is at %d more dates", n)
	}
	if !correct {
		return s
	}
	if b.Others[0] == "" {
		return s + "; to correct that value, leave the source out"
	}
	return s + fmt.Sprintf("; to correct that value, name its source %q", b.Others[0])
}

func source(name string) string {
	if name == "" {
		return "without a source"
	}
	return fmt.Sprintf("from %q", name)
}
