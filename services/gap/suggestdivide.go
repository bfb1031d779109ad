package gap

import (
	"cmp"
	"math"
	"slices"
)

// verdict is what a part of the sets has in common about a candidate.
type verdict int8

const (
	undecided verdict = iota
	inside
	outside
)

// division is a part of the sets: those that agree with what is settled. No set of it
// is worth more than upper.
type division struct {
	settled []verdict
	prices  prices
	often   []float64
	upper   float64
	number  int // in the order of making, which decides between equals
}

const (
	// mostParts and mostDivided bound how many parts are looked at, and what that
	// takes, in sets of targets: counts, so that the answer is the same on any
	// machine.
	mostParts   = 4_000
	mostDivided = 100_000_000
)

// divide betters set and bound where neither the search nor the bound of the whole
// closed the gap between them: it divides the sets into those with and those
// without a candidate that the prices are in two minds about, and looks for prices
// of each by itself, beginning at those of both together. The part with the highest
// bound is divided next: that bound is the one of all. The limits make this worth
// while: where few candidates fit, what is left of a limit is what the whole bound
// fills with a fraction of one, and the parts cannot.
func (c *choice) divide(l *layers, p prices) {
	limit := l.work + mostDivided
	first := division{settled: make([]verdict, len(c.items)), prices: p, upper: c.upper}
	open := []division{}
	look := func(of division, rounds int) {
		c.parts++
		of.number = c.parts
		if !c.settle(of.settled) {
			return // no set is like that
		}
		b, at, often := c.descend(l, of.prices, of.settled, descent{rounds: rounds, length: 0.5, patience: 6, work: mostDivided})
		of.upper, of.prices, of.often = min(of.upper, b.total), at, often
		if of.upper <= c.value*(1+enough) {
			return
		}
		// What no better set of this part can be without, or have.
		for k, w := range b.worth {
			if of.settled[k] != undecided || c.items[k].reason != "" || b.total-math.Abs(w) > c.value*(1+enough) {
				continue
			}
			if of.settled[k] = outside; w > 0 {
				of.settled[k] = inside
			}
		}
		if !c.settle(of.settled) {
			return
		}
		if c.doubtful(of) >= 0 {
			open = append(open, of)
			return
		}
		in := make([]bool, len(c.items))
		for k, is := range of.settled {
			in[k] = is == inside
		}
		c.keep(c.of(in))
	}
	look(first, 500)
	for len(open) > 0 {
		worst := 0
		for i := range open {
			if cmp.Or(cmp.Compare(open[i].upper, open[worst].upper), cmp.Compare(open[worst].number, open[i].number)) > 0 {
				worst = i
			}
		}
		of := open[worst]
		if of.upper <= c.value*(1+enough) {
			open = nil
			break
		}
		k := c.doubtful(of)
		if c.parts >= mostParts || l.work > limit {
			break
		}
		open = slices.Delete(open, worst, worst+1)
		for _, is := range []verdict{inside, outside} {
			half := division{settled: slices.Clone(of.settled), prices: of.prices, upper: of.upper}
			half.settled[k] = is
			look(half, 40)
		}
	}
	most := c.value
	for _, of := range open {
		most = max(most, of.upper)
	}
	c.upper = min(c.upper, most)
}

// doubtful is the candidate that the prices of a part are most in two minds about;
// -1 where all are settled.
func (c *choice) doubtful(of division) int {
	best, least := -1, math.Inf(1)
	for k := range c.items {
		if c.items[k].reason != "" || of.settled[k] != undecided {
			continue
		}
		if doubt := math.Abs(of.often[k] - 0.5); doubt < least-tiny {
			best, least = k, doubt
		}
	}
	return best
}

// settle draws what follows from what is settled: whoever is needed is in, whoever
// needs what is out is out, and so is what the limits have no room left for. It is
// false where that contradicts itself.
func (c *choice) settle(settled []verdict) bool {
	for again := true; again; {
		again = false
		cost, load := 0.0, 0.0
		for k, is := range settled {
			if is != inside {
				continue
			}
			cost, load = cost+c.items[k].cost, load+c.items[k].load
			for _, j := range c.items[k].after {
				switch {
				case settled[j] == outside || c.items[j].reason != "":
					return false
				case settled[j] == undecided:
					settled[j], again = inside, true
				}
			}
		}
		if cost > c.budget || load > c.load {
			return false
		}
		for k, is := range settled {
			x := &c.items[k]
			if is != undecided || x.reason != "" {
				continue
			}
			barred := cost+x.cost > c.budget || load+x.load > c.load
			for _, j := range x.after {
				barred = barred || settled[j] == outside
			}
			if barred {
				settled[k], again = outside, true
			}
		}
	}
	return true
}
