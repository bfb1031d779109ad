package gap

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// member is a candidate within a target, with what it closes of it by itself.
type member struct {
	item int
	part float64
}

// members lists the candidates that can be chosen, by target; what makes a gap
// wider is left out, which can only raise a bound.
func (c *choice) members() [][]member {
	out := make([][]member, len(c.targets))
	for k := range c.items {
		if c.items[k].reason != "" {
			continue
		}
		for _, a := range c.items[k].adds {
			if a.part > 0 && c.open[a.target] > 0 {
				out[a.target] = append(out[a.target], member{k, a.part})
			}
		}
	}
	return out
}

// mostVisited bounds the sets that are looked at within one target; beyond it the
// bound of the fractions stands in.
const mostVisited = 4_000

// mostWork bounds what a relaxation takes, in sets looked at: about a second.
const mostWork = 15_000_000

// inner is what a target is worth at most, when each of its candidates costs a
// price: the largest min(open, Σ part) - Σ price over sets of them, exactly where
// few are worth a look. What is settled is in it, or not, whatever its price. in
// tells which are in that set.
func inner(open float64, list []member, price []float64, settled []verdict, in []bool) (most float64, work int) {
	type one struct {
		at          int
		part, price float64
	}
	var free []one
	room := open
	for i, m := range list {
		is := undecided
		if settled != nil {
			is = settled[m.item]
		}
		switch in[i] = false; {
		case is == outside:
		case is == inside || price[i] <= 0:
			in[i] = true // pays for being there
			most -= price[i]
			room -= m.part
		case price[i] < m.part: // else it closes less than its price, whatever else is there
			free = append(free, one{i, m.part, price[i]})
		}
	}
	if room <= 0 {
		return most + open, len(list)
	}
	most += open - room
	slices.SortFunc(free, func(a, b one) int { return cmp.Compare(a.price*b.part, b.price*a.part) })
	best, visits := 0.0, 0
	chosen, now := make([]bool, len(free)), make([]bool, len(free))
	// fraction is what the rest adds at most: the cheapest first, the last in part.
	fraction := func(at int, room float64) (v float64) {
		for _, x := range free[at:] {
			if x.part >= room {
				return v + room*(1-x.price/x.part)
			}
			v, room = v+x.part-x.price, room-x.part
		}
		return v
	}
	relaxed := fraction(0, room)
	var walk func(at int, room, value float64)
	walk = func(at int, room, value float64) {
		if visits++; visits > mostVisited {
			return
		}
		if value > best+tiny {
			best = value
			copy(chosen, now)
		}
		if at == len(free) || room <= 0 || value+fraction(at, room) <= best+tiny {
			return
		}
		x := free[at]
		now[at] = true
		walk(at+1, room-x.part, value+min(room, x.part)-x.price)
		now[at] = false
		walk(at+1, room, value)
	}
	walk(0, room, 0)
	for i, x := range free {
		in[x.at] = chosen[i]
	}
	if visits > mostVisited {
		best = relaxed
	}
	return most + best, len(list) + 2*visits
}

// multipliers are those of a relaxation.
type multipliers struct {
	cap         []float64 // of targets, 0 to 1
	money, load float64
	needs       [][2]int // the first is not without the second
	price       []float64
}

// prices are multipliers of a decomposition: of the limits, of each need, and of
// each candidate in each target.
type prices struct {
	money, load float64
	needs       []float64
	of          [][]float64
}

func (p prices) clone() prices {
	p.needs = slices.Clone(p.needs)
	of := make([][]float64, len(p.of))
	for t := range of {
		of[t] = slices.Clone(p.of[t])
	}
	p.of = of
	return p
}

// layers is what a decomposition is made of.
type layers struct {
	list  [][]member
	needs [][2]int
	work  int // sets looked at so far
}

// tighten betters a bound. Each target decides by itself which candidates it would
// have, at prices that bring these decisions together: Lagrangian decomposition
// (Guignard and Kim, Mathematical Programming 39, 1987). That is as tight as the
// convex hull of what each target can come to, where the plain relaxation lets
// fractions of candidates fill a gap exactly. It begins at the prices which give
// the plain one, and tries a set by the worth of candidates now and then.
func (c *choice) tighten(best bound, m multipliers) (bound, prices, *layers) {
	l := &layers{list: c.members(), needs: m.needs}
	p := prices{money: m.money, load: m.load, needs: m.price, of: make([][]float64, len(l.list))}
	for t := range l.list {
		p.of[t] = make([]float64, len(l.list[t]))
		for i, x := range l.list[t] {
			p.of[t][i] = (1 - m.cap[t]) * x.part
		}
	}
	d := descent{rounds: 4000, length: 1, patience: 30, work: mostWork}
	tight, p, _ := c.descend(l, p, nil, d)
	if best.total <= tight.total {
		// What the plain one tells of candidates is what its own prices tell.
		tight = best
	}
	return tight, p, l
}

// descent is how long prices are looked for: at most so many rounds and so much
// work, by steps that are halved whenever so many rounds brought nothing.
type descent struct {
	rounds, patience, work int
	length                 float64
}

// descend looks for prices with a low bound, from some on. What is settled stays
// as it is. often tells how often each candidate was wanted, the latest rounds the
// most: what an optimum would have of it, about.
func (c *choice) descend(l *layers, p prices, settled []verdict, d descent) (best bound, at prices, often []float64) {
	in := make([][]bool, len(l.list))
	for t := range l.list {
		in[t] = make([]bool, len(l.list[t]))
	}
	best.total = math.Inf(1)
	p = p.clone()
	used, often := make([]bool, len(c.items)), make([]float64, len(c.items))
	length, since, began := d.length, 0, l.work
	for round := range d.rounds {
		b := bound{worth: make([]float64, len(c.items))}
		if finite(c.budget) {
			b.base += p.money
		}
		if finite(c.load) {
			b.base += p.load
		}
		for t := range l.list {
			most, took := inner(max(0, c.open[t]), l.list[t], p.of[t], settled, in[t])
			b.base, l.work = b.base+most, l.work+took
			for i, x := range l.list[t] {
				b.worth[x.item] += p.of[t][i]
			}
		}
		for n, pair := range l.needs {
			b.worth[pair[0]] -= p.needs[n]
			b.worth[pair[1]] += p.needs[n]
		}
		b.total = b.base
		var cost, takes float64
		for k := range c.items {
			x := &c.items[k]
			if x.reason != "" {
				continue
			}
			b.worth[k] -= p.money*ofLimit(x.cost, c.budget) + p.load*ofLimit(x.load, c.load)
			used[k] = b.worth[k] > 0
			if settled != nil && settled[k] != undecided {
				used[k] = settled[k] == inside
			}
			if used[k] {
				b.total += b.worth[k]
				cost, takes = cost+ofLimit(x.cost, c.budget), takes+ofLimit(x.load, c.load)
			}
			often[k] = 0.9*often[k] + 0.1*one(used[k])
		}
		if since++; b.total < best.total-tiny {
			best, at, since = b, p.clone(), 0
		} else if since > d.patience {
			length, since = length/2, 0
		}
		if l.work += len(c.items); round%50 == 0 {
			l.work += c.byWorth(b.worth, settled)
		}
		if best.total <= c.value+tiny || length < 1e-5 || l.work-began > d.work {
			break
		}
		norm := 0.0
		if finite(c.budget) {
			norm += (cost - 1) * (cost - 1)
		}
		if finite(c.load) {
			norm += (takes - 1) * (takes - 1)
		}
		for _, pair := range l.needs {
			norm += math.Abs(one(used[pair[0]]) - one(used[pair[1]]))
		}
		for t := range l.list {
			for i, x := range l.list[t] {
				norm += math.Abs(one(in[t][i]) - one(used[x.item]))
			}
		}
		if norm < tiny {
			break
		}
		step := length * (b.total - c.value) / norm
		for n, pair := range l.needs {
			p.needs[n] = max(0, p.needs[n]+step*(one(used[pair[0]])-one(used[pair[1]])))
		}
		for t := range l.list {
			for i, x := range l.list[t] {
				p.of[t][i] += step * (one(in[t][i]) - one(used[x.item]))
			}
		}
		if finite(c.budget) {
			p.money = max(0, p.money-step*(1-cost))
		}
		if finite(c.load) {
			p.load = max(0, p.load-step*(1-takes))
		}
	}
	return best, at, often
}

// byWorth tries the set of those of the highest worth that fit, with what is
// settled, and tells what that took.
func (c *choice) byWorth(worth []float64, settled []verdict) (work int) {
	order := make([]int, 0, len(c.items))
	s := c.empty()
	for k := range c.items {
		switch {
		case c.items[k].reason != "":
		case settled != nil && settled[k] == inside:
			c.add(s, k)
		case worth[k] > 0 && (settled == nil || settled[k] != outside):
			order = append(order, k)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(worth[j], worth[i]) })
	for _, k := range order {
		if s.in[k] {
			continue
		}
		all := c.with(s.in, k)
		value, cost, load := c.gain(s, all)
		if value <= tiny || s.cost+cost > c.budget || s.load+load > c.load {
			continue
		}
		for _, i := range all {
			c.add(s, i)
		}
	}
	before := len(order)
	work = c.fill(s, -1)
	c.keep(s)
	return before + work
}

// rounds are so many for each candidate, fewer where there are many: each takes
// longer, too.
func (c *choice) rounds(each int) int {
	n := max(1, len(c.live))
	return min(each*n, 8_000_000/n)
}

const (
	// wanderSlack is how much worse, as a share, a set may be at first that is gone on
	// from.
	wanderSlack = 0.001
	// wanderWhim is how much a candidate weighs more by chance, at most, as a share.
	wanderWhim = 0.3
)

// wander betters the best set by taking a few of it out, and filling up with others
// first: a neighborhood that single exchanges do not reach. What each candidate takes
// weighs a little more or less each time, so that filling up does not end at the same
// set again. Its draws are always the same in the same turn.
func (c *choice) wander(rounds int, turn uint64) {
	rng := rand.New(rand.NewPCG(1, 2+turn))
	var free []int
	for _, k := range c.live {
		if len(c.items[k].adds) > 0 {
			free = append(free, k)
		}
	}
	if len(free) < 2 {
		return
	}
	var chosen []int
	c.whim = make([]float64, len(c.items))
	defer func() { c.whim = nil }()
	from, at := slices.Clone(c.best), c.value
	for round := range rounds {
		for _, k := range c.live {
			c.whim[k] = 1 + wanderWhim*rng.Float64()
		}
		in := slices.Clone(from)
		chosen = chosen[:0]
		for k, yes := range in {
			if yes {
				chosen = append(chosen, k)
			}
		}
		for range min(len(chosen), 1+rng.IntN(4)) {
			// Out, and what needs it; by chance one that is not there comes in.
			c.drop(in, chosen[rng.IntN(len(chosen))])
		}
		s := c.of(in)
		k := free[rng.IntN(len(free))]
		if !s.in[k] {
			all := c.with(s.in, k)
			if value, cost, load := c.gain(s, all); value > tiny && s.cost+cost <= c.budget && s.load+load <= c.load {
				for _, i := range all {
					c.add(s, i)
				}
			}
		}
		c.fill(s, free[rng.IntN(len(free))])
		c.keep(s)
		// At first a little worse is as good to go on from.
		if slack := wanderSlack * c.value * (1 - float64(round)/float64(rounds)); s.value >= at-slack {
			from, at = s.in, s.value
		}
	}
}
