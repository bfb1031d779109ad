package change

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// How many people must stand behind whatever is published.
const (
	// LeastRespondents is for counts, means, changes and readiness.
	LeastRespondents = 5
	// LeastDistribution is for distributions and barrier counts.
	LeastDistribution = 10
)

// sum is something that may be published of one wave: a sum over the values of
// some people. A mean or a bar of a distribution is one, once its number of
// people is known.
type sum struct {
	audience string
	people   map[string]bool // respondents
}

// publish says which of the sums of one variable may be published together, so
// that no linear combination of them is about more than none and fewer than
// least people.
//
// People fall into classes: those whom the same published sums count. In any
// combination all people of a class have the same factor. So, if every class is
// empty or has at least that many people, every combination is about none or at
// least that many. Sums are taken out until that holds: of those that alone part
// a small class from another one, the smallest. On a tree of audiences this is
// complementary suppression (Willenborg and de Waal, Elements of Statistical
// Disclosure Control, 2001, chapter 5).
func publish(least int, sums []sum) []bool {
	keep := make([]bool, len(sums))
	for i, s := range sums {
		keep[i] = len(s.people) >= least
	}
	for {
		small, beside := smallest(least, sums, keep)
		if small == nil {
			return keep
		}
		keep[toRemove(sums, small, beside)] = false
	}
}

// class is the people whom the same sums count.
type class struct {
	sums []int // sorted, at least one
	n    int
}

// smallest is the smallest class below least and all others; nil if there is
// none.
func smallest(least int, sums []sum, keep []bool) (small *class, beside []*class) {
	counted := map[string][]int{}
	for i, s := range sums {
		if keep[i] {
			for p := range s.people {
				counted[p] = append(counted[p], i)
			}
		}
	}
	all := map[string]*class{}
	for _, list := range counted {
		var key strings.Builder
		for _, i := range list {
			key.WriteString(strconv.Itoa(i))
			key.WriteByte(' ')
		}
		k := key.String()
		if all[k] == nil {
			all[k] = &class{sums: list}
		}
		all[k].n++
	}
	for _, c := range all {
		beside = append(beside, c)
	}
	slices.SortFunc(beside, func(a, b *class) int { return cmp.Or(cmp.Compare(a.n, b.n), slices.Compare(a.sums, b.sums)) })
	if len(beside) == 0 || beside[0].n >= least {
		return nil, nil
	}
	return beside[0], beside[1:]
}

// toRemove picks the sum to take out: one that alone parts the small class from
// another, or from what is not published at all; else one that counts it.
func toRemove(sums []sum, small *class, beside []*class) int {
	var parts []int
	if len(small.sums) == 1 {
		parts = append(parts, small.sums[0])
	}
	for _, c := range beside {
		if d := difference(small.sums, c.sums); len(d) == 1 {
			parts = append(parts, d[0])
		}
	}
	if len(parts) == 0 {
		parts = small.sums
	}
	return slices.MinFunc(parts, func(i, j int) int {
		a, b := sums[i], sums[j]
		return cmp.Or(cmp.Compare(len(a.people), len(b.people)), cmp.Compare(b.audience, a.audience))
	})
}

// difference lists what is in just one of two sorted lists.
func difference(a, b []int) []int {
	var out []int
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0] < b[0]:
			out, a = append(out, a[0]), a[1:]
		case len(a) == 0 || b[0] < a[0]:
			out, b = append(out, b[0]), b[1:]
		default:
			a, b = a[1:], b[1:]
		}
	}
	return out
}
