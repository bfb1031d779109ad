package linearizable

import (
	"sort"
	"time"

	"github.com/anishathalye/porcupine"
)

// state of a register: the zero value before the first write.
type state struct {
	revision uint64
	value    string
}

// register is the sequential specification that every history is held against.
var register = porcupine.Model{
	Partition: partition,
	Init:      func() any { return state{} },
	Step: func(s, input, _ any) (bool, any) {
		is, o := s.(state), input.(Operation)
		if o.Read() {
			return is == state{o.Revision, o.Value}, is
		}
		switch o.Outcome {
		case Same:
			return is.value == o.Value, is
		case Refused:
			return true, is
		}
		if o.Guarded && is.revision != o.Expected || o.Revision <= is.revision {
			return false, is
		}
		return true, state{o.Revision, o.Value}
	},
	DescribeOperation: func(input, _ any) string { return input.(Operation).String() },
}

func partition(history []porcupine.Operation) [][]porcupine.Operation {
	of := map[string][]porcupine.Operation{}
	for _, o := range history {
		name := o.Input.(Operation).Register
		of[name] = append(of[name], o)
	}
	parts := make([][]porcupine.Operation, 0, len(of))
	for _, part := range of {
		parts = append(parts, part)
	}
	return parts
}

// illegal names the registers whose history no order explains.
func illegal(history []porcupine.Operation) []string {
	var names []string
	for _, part := range partition(history) {
		if porcupine.CheckOperationsTimeout(register, part, time.Minute) == porcupine.Illegal {
			names = append(names, part[0].Input.(Operation).Register)
		}
	}
	sort.Strings(names)
	return names
}
