package linearizable

import (
	"fmt"
	"sort"
	"strings"
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

// illegal tells of each register whose history no order explains which answer
// is the first that does not fit, and what was answered just before it.
func illegal(history []porcupine.Operation) []string {
	var out []string
	for _, part := range partition(history) {
		if porcupine.CheckOperationsTimeout(register, part, time.Minute) != porcupine.Illegal {
			continue
		}
		sort.Slice(part, func(i, j int) bool { return part[i].Return < part[j].Return })
		// Until an answer is there, the command may happen at any time.
		first := sort.Search(len(part), func(n int) bool {
			var until []porcupine.Operation
			for _, o := range part {
				if o.Call > part[n].Return {
					continue
				}
				if o.Return > part[n].Return {
					if o.Input.(Operation).Read() || o.Input.(Operation).Outcome != Done {
						continue
					}
					o.Return = part[len(part)-1].Return
				}
				until = append(until, o)
			}
			return porcupine.CheckOperationsTimeout(register, until, time.Minute) == porcupine.Illegal
		})
		var b strings.Builder
		fmt.Fprintf(&b, "%s:", part[0].Input.(Operation).Register)
		for _, o := range part[max(0, first-12):min(first+1, len(part))] {
			in := o.Input.(Operation)
			fmt.Fprintf(&b, "\n  %v to %v, client %d: %s", in.Call, in.Return, in.Client, in)
		}
		out = append(out, b.String())
	}
	sort.Strings(out)
	return out
}
