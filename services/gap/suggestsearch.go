package gap

import (
	"cmp"
	"math"
	"slices"
)

// search finds the best set: a greedy one, bettered by taking single candidates
// out and filling up again, and then every branch that may hold a better one.
func (c *choice) search() {
	c.begin()
	for range 3 {
		better := false
		for k, yes := range slices.Clone(c.best) {
			if !yes {
				continue
			}
			in := slices.Clone(c.best)
			c.drop(in, k)
			s := c.of(in)
			c.fill(s, k)
			better = c.keep(s) || better
		}
		if !better {
			break
		}
	}
	b, m := c.relax()
	var (
		p prices
		l *layers
	)
	// Greedy once more, now that it is known which of the limits is the scarce one.
	if sum := m.money + m.load; sum > 0 {
		c.scarce = [2]float64{2 * m.money / sum, 2 * m.load / sum}
		s := c.empty()
		c.fill(s, -1)
		c.keep(s)
	}
	if b.total > c.value*(1+enough) {
		c.wander(c.rounds(5), 0)
		b, p, l = c.tighten(b, m)
		c.peg(b)
	}
	if b.total > c.value*(1+enough) {
		live := c.live
		c.live = c.near(b)
		c.wander(c.rounds(150), 0)
		// Of many, more often, by other draws, as long as much is left.
		for turn := uint64(1); turn < 4 && len(c.live) < len(live) && b.total > c.value*(1+far); turn++ {
			c.wander(c.rounds(150), turn)
		}
		c.live = live
	}
	c.branch(b)
	if l != nil && c.upper > c.value*(1+enough) {
		c.divide(l, p)
	}
	c.prune()
}

// begin finds which candidates there are to choose from, and the greedy set of them.
func (c *choice) begin() {
	for k := range c.items {
		if c.items[k].reason == "" {
			c.live = append(c.live, k)
		}
	}
	c.keep(c.empty())
	s := c.empty()
	c.fill(s, -1)
	c.keep(s)
}

// peg leaves out of what is looked at what a bound shows no better set to have
// (Balas and Zemel, An algorithm for large zero-one knapsack problems, Operations
// Research 28(5), 1980): of many candidates few are left.
func (c *choice) peg(b bound) {
	c.live = slices.DeleteFunc(c.live, func(k int) bool { return !c.best[k] && b.total+b.worth[k] < c.value })
}

// fewestNear is how many candidates are near, or more where many are chosen.
const fewestNear = 200

// near are the chosen and the candidates of the highest worth at the prices of a bound:
// of many candidates few fit, and these are the ones that may.
func (c *choice) near(b bound) []int {
	near := slices.Clone(c.live)
	slices.SortStableFunc(near, func(i, j int) int {
		return cmp.Or(cmp.Compare(one(c.best[j]), one(c.best[i])), cmp.Compare(b.worth[j], b.worth[i]))
	})
	chosen := 0
	for _, yes := range c.best {
		if yes {
			chosen++
		}
	}
	near = near[:min(len(near), max(fewestNear, 2*chosen+100))]
	slices.Sort(near)
	return near
}

// drop takes a candidate out of a set, and all that need it.
func (c *choice) drop(in []bool, k int) {
	if !in[k] {
		return
	}
	in[k] = false
	for _, i := range c.items[k].before {
		c.drop(in, i)
	}
}

// prune takes out what adds nothing, so that nothing is paid for in vain.
func (c *choice) prune() {
	for k := range c.items {
		if !c.best[k] {
			continue
		}
		in := slices.Clone(c.best)
		c.drop(in, k)
		if s := c.of(in); s.value >= c.value-tiny {
			c.best, c.value = in, s.value
		}
	}
}

// bound is a relaxation: whatever the multipliers are, no set is worth more than
// base plus the worths above 0.
type bound struct {
	base  float64
	worth []float64
	total float64
}

// relax looks for multipliers by the subgradient method. For λ in [0, 1] a
// target's min(open, sum) is at most λ·open + (1-λ)·sum; the limits
// and the dependencies are priced by multipliers of 0 or more.
func (c *choice) relax() (bound, multipliers) {
	lambda := make([]float64, len(c.targets))
	money, load := 0.0, 0.0
	var needs [][2]int // the first is not without the second
	for k := range c.items {
		for _, j := range c.items[k].after {
			if c.items[k].reason == "" {
				needs = append(needs, [2]int{k, j})
			}
		}
	}
	price := make([]float64, len(needs))
	best, at := bound{total: math.Inf(1)}, multipliers{cap: slices.Clone(lambda), needs: needs, price: slices.Clone(price)}
	used := make([]bool, len(c.items))
	length, since := 1.0, 0
	for range 3000 {
		b := bound{worth: make([]float64, len(c.items))}
		for t := range lambda {
			b.base += lambda[t] * max(0, c.open[t])
		}
		if finite(c.budget) {
			b.base += money * 1
		}
		if finite(c.load) {
			b.base += load * 1
		}
		for n, pair := range needs {
			b.worth[pair[0]] -= price[n]
			b.worth[pair[1]] += price[n]
		}
		b.total = b.base
		var cost, takes float64
		sums := make([]float64, len(c.targets))
		for k := range c.items {
			x := &c.items[k]
			if x.reason != "" {
				continue
			}
			w := b.worth[k] - money*ofLimit(x.cost, c.budget) - load*ofLimit(x.load, c.load)
			for _, a := range x.adds {
				w += (1 - lambda[a.target]) * max(0, a.part)
			}
			b.worth[k] = w
			if used[k] = w > 0; used[k] {
				b.total += w
				cost, takes = cost+ofLimit(x.cost, c.budget), takes+ofLimit(x.load, c.load)
				for _, a := range x.adds {
					sums[a.target] += max(0, a.part)
				}
			}
		}
		if since++; b.total < best.total-tiny {
			best, since = b, 0
			at = multipliers{slices.Clone(lambda), money, load, needs, slices.Clone(price)}
		} else if since > 30 {
			length, since = length/2, 0
		}
		// Downhill, by a step in proportion to the distance from the best set
		// (Polyak), half as long whenever it does not help.
		norm := 0.0
		if finite(c.budget) {
			norm += (cost - 1) * (cost - 1)
		}
		if finite(c.load) {
			norm += (takes - 1) * (takes - 1)
		}
		for _, pair := range needs {
			norm += math.Abs(one(used[pair[0]]) - one(used[pair[1]]))
		}
		for t := range lambda {
			g := max(0, c.open[t]) - sums[t]
			norm += g * g
		}
		if norm < tiny || b.total <= c.value {
			break
		}
		step := length * (b.total - c.value) / norm
		for n, pair := range needs {
			price[n] = max(0, price[n]+step*(one(used[pair[0]])-one(used[pair[1]])))
		}
		for t := range lambda {
			lambda[t] = clamp(lambda[t] - step*(max(0, c.open[t])-sums[t]))
		}
		if finite(c.budget) {
			money = max(0, money-step*(1-cost))
		}
		if finite(c.load) {
			load = max(0, load-step*(1-takes))
		}
	}
	return best, at
}

// far is how far from its bound a set of many is looked for further by chance: what
// is left below it is divided.
const far = 0.005

// enough is how near to its bound a set need not be bettered at any price.
const enough = 1e-6

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// ofLimit is the share of a limit that is taken; a limit of nothing is taken up only by what takes nothing.
func ofLimit(v, limit float64) float64 {
	if !finite(limit) || limit <= 0 {
		return 0
	}
	return v / limit
}

// branch goes through the sets, those of the highest worth first, and leaves out
// every branch whose bound is not above the best.
func (c *choice) branch(b bound) {
	for k := range c.items {
		if c.items[k].reason == "" {
			c.order = append(c.order, k)
		}
	}
	slices.SortStableFunc(c.order, func(i, j int) int { return cmp.Compare(math.Abs(b.worth[j]), math.Abs(b.worth[i])) })
	rest := make([]float64, len(c.order)+1) // the worths above 0 from here on
	for i := len(c.order) - 1; i >= 0; i-- {
		rest[i] = rest[i+1] + max(0, b.worth[c.order[i]])
	}
	out := make([]bool, len(c.items))
	left := c.branches
	var walk func(at int, s *set, worth float64)
	walk = func(at int, s *set, worth float64) {
		if left--; left < 0 {
			return
		}
		if at == len(c.order) {
			c.keep(s)
			return
		}
		if b.base+worth+rest[at] <= c.value+tiny || c.atMost(s, c.order[at:]) <= c.value+tiny {
			return
		}
		k := c.order[at]
		x := &c.items[k]
		fits := s.cost+x.cost <= c.budget && s.load+x.load <= c.load
		for _, i := range x.after {
			fits = fits && !out[i]
		}
		if fits {
			more := &set{in: slices.Clone(s.in), sums: slices.Clone(s.sums), cost: s.cost, load: s.load, value: s.value}
			c.add(more, k)
			walk(at+1, more, worth+b.worth[k])
		}
		for _, i := range x.before {
			if s.in[i] {
				return
			}
		}
		out[k] = true
		walk(at+1, s, worth)
		out[k] = false
	}
	walk(0, c.empty(), 0)
	if c.exact = left >= 0; c.exact {
		c.upper = c.value
		return
	}
	c.upper = max(c.value, min(b.total, c.atMost(c.empty(), c.order)))
}

// atMost is what a set can come to at most with some of the others: what each
// adds to it by itself, the best for its cost first, the last one in part.
func (c *choice) atMost(s *set, others []int) float64 {
	type piece struct{ value, cost, load float64 }
	pieces := make([]piece, 0, len(others))
	free := s.value
	for _, k := range others {
		x := &c.items[k]
		p := piece{cost: x.cost, load: x.load}
		for _, a := range x.adds {
			if a.part > 0 {
				p.value += c.closed(a.target, s.sums[a.target]+a.part) - c.closed(a.target, s.sums[a.target])
			}
		}
		if p.value > 0 {
			pieces = append(pieces, p)
		}
	}
	knapsack := func(takes func(piece) float64, room float64) float64 {
		slices.SortFunc(pieces, func(p, q piece) int { return cmp.Compare(q.value*takes(p), p.value*takes(q)) })
		value := free
		for _, p := range pieces {
			t := takes(p)
			if t <= room {
				value, room = value+p.value, room-t
				continue
			}
			return value + p.value*room/t
		}
		return value
	}
	most := math.Inf(1)
	if finite(c.budget) {
		most = knapsack(func(p piece) float64 { return p.cost }, max(0, c.budget-s.cost))
	}
	if finite(c.load) {
		most = min(most, knapsack(func(p piece) float64 { return p.load }, max(0, c.load-s.load)))
	}
	if !finite(most) {
		most = free
		for _, p := range pieces {
			most += p.value
		}
	}
	// Nor can more be closed of a target than is open.
	open := 0.0
	for _, o := range c.open {
		open += max(0, o)
	}
	return min(most, open)
}

// report says what was chosen, what each adds, and why others were not.
func (c *choice) report(out *Suggestion) {
	out.UpperBound, out.Optimal = c.upper, c.exact || c.upper <= c.value+1e-9
	s := c.empty()
	for {
		// The one that adds the most, of those whose needs are there; a circle of
		// needs is told in the order of names.
		next, most := -1, math.Inf(-1)
		for k, yes := range c.best {
			if !yes || s.in[k] {
				continue
			}
			value, _, _ := c.gain(s, []int{k})
			if slices.ContainsFunc(c.items[k].after, func(i int) bool { return !s.in[i] }) {
				value -= 1e9
			}
			if value > most {
				next, most = k, value
			}
		}
		if next < 0 {
			break
		}
		x := &c.items[next]
		one := Suggested{Initiative: x.of.Name, Title: x.of.Title, Cost: x.of.Money.Budget, Capacity: x.of.Capacity, Unmeasured: x.unmeasured}
		for _, a := range x.adds {
			closed := c.closed(a.target, s.sums[a.target]+a.part) - c.closed(a.target, s.sums[a.target])
			if closed != 0 {
				one.Targets = append(one.Targets, ClosedGap{c.targets[a.target], closed * c.size[a.target], closed})
				one.Closed += closed
			}
		}
		c.add(s, next)
		if one.Cost != nil && (x.of.Money.Currency == out.Currency) {
			out.Cost = out.Cost.Add(*one.Cost)
		}
		if one.Capacity != nil {
			out.Capacity += *one.Capacity
		}
		out.Chosen = append(out.Chosen, one)
		out.Closed += one.Closed
	}
	out.UpperBound = max(out.UpperBound, out.Closed)
	for k := range c.items {
		if c.best[k] {
			continue
		}
		x := &c.items[k]
		l := LeftOut{Initiative: x.of.Name, Title: x.of.Title, Cost: x.of.Money.Budget, Capacity: x.of.Capacity, Reason: x.reason, Message: x.message}
		all := c.with(s.in, k)
		l.Closed, _, _ = c.gain(s, all)
		if l.Reason == "" {
			switch {
			case l.Closed <= tiny:
				l.Reason, l.Message = "adds_nothing", x.nothing(l.Closed)
			default:
				l.Reason, l.Message = "no_room", "does not fit beside the chosen, which close more for what they take"
			}
		}
		out.LeftOut = append(out.LeftOut, l)
	}
	slices.SortStableFunc(out.LeftOut, func(a, b LeftOut) int { return cmp.Compare(b.Closed, a.Closed) })
}

// nothing says why a candidate would add nothing, or less, to the set.
func (x *candidate) nothing(closed float64) string {
	switch {
	case closed < -tiny:
		return "opens more of the gaps than it closes"
	case len(x.adds) == 0 && x.late:
		return "adds nothing by the day its targets end"
	case len(x.adds) == 0:
		return "works on no target with a gap that is known"
	}
	return "closes nothing that the chosen leave open"
}
