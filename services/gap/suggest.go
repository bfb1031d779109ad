package gap

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// Limits are what a suggestion must keep to; nil: no limit.
type Limits struct {
	Budget   *decimal.Decimal
	Currency string // of the budget; "": that of the proposed initiatives
	Capacity *float64
}

// Suggestion is the set of proposed initiatives that closes the most of the gaps
// that nothing in progress closes. What a set closes is the sum over targets of
// the share of the gap that it closes; closing more than what is left earns
// nothing. Shares, so that targets of different units can be added up; each
// target counts the same, because weights compare only within an objective.
type Suggestion struct {
	Currency string
	Chosen   []Suggested // each with what it adds to those before it
	LeftOut  []LeftOut
	Closed   float64
	// UpperBound is what no set can exceed, and Optimal tells that no set is
	// better than the one chosen.
	UpperBound float64
	Optimal    bool
	Residual   float64 // the sum of the shares that nothing in progress closes
	Cost       decimal.Decimal
	Capacity   float64
	Unknown    []string // targets that proposed initiatives serve and whose gap is not known
}

// Suggested is one initiative of the set.
type Suggested struct {
	Initiative, Title string
	Cost              *decimal.Decimal
	Capacity          *float64
	Closed            float64
	Targets           []ClosedGap
	Unmeasured        bool // people depend on it whose readiness is unknown, so that adoption is not counted
}

// ClosedGap is what is closed of one gap: in the unit of the metric, and as a
// share of the gap.
type ClosedGap struct {
	Target        string
	Amount, Share float64
}

// LeftOut is a proposed initiative that is not in the set.
type LeftOut struct {
	Initiative, Title string
	Cost              *decimal.Decimal
	Capacity          *float64
	Closed            float64 // what it would add to the set, with what it starts after
	Reason, Message   string
}

// CurrencyError says that proposed initiatives have budgets in several
// currencies, so that it is not clear which one a budget is in.
type CurrencyError struct{ Currencies []string }

func (e CurrencyError) Error() string {
	return "proposed initiatives have budgets in " + strings.Join(e.Currencies, ", ")
}

// searched bounds the branches that are looked at; beyond it the best set found
// so far is given, with the bound that was proven.
const searched = 40_000

// Suggest chooses from the proposed initiatives of a portfolio for a result of
// its evaluation. The order in which initiatives are listed makes no difference.
// It is exact for small portfolios: branch and bound over sets closed under
// dependencies. The bounds are a Lagrangian relaxation of the caps of targets and
// of the limits (Fisher, The Lagrangian relaxation method, Management Science
// 27(1), 1981) and the fractional knapsack of what each adds by itself, which is
// an upper bound because what a set closes is submodular (Nemhauser, Wolsey and
// Fisher, Mathematical Programming 14, 1978).
// What these leave open, tighten and divide close for the most part.
func Suggest(r Result, initiatives []Initiative, limits Limits) (Suggestion, error) {
	out := Suggestion{Currency: limits.Currency}
	initiatives = slices.Clone(initiatives)
	slices.SortFunc(initiatives, func(a, b Initiative) int { return strings.Compare(a.Name, b.Name) })
	if err := out.settleCurrency(initiatives, limits); err != nil {
		return out, err
	}
	c := newChoice(r, initiatives, limits, &out)
	c.search()
	c.report(&out)
	return out, nil
}

func (s *Suggestion) settleCurrency(initiatives []Initiative, limits Limits) error {
	if s.Currency != "" {
		return nil
	}
	var all []string
	for _, i := range initiatives {
		if i.proposed() && i.Money.Budget != nil {
			all = append(all, i.Money.Currency)
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if len(all) == 1 {
		s.Currency = all[0]
	} else if len(all) > 1 && limits.Budget != nil {
		return CurrencyError{all}
	}
	return nil
}

func (i Initiative) proposed() bool { return i.Stage == "proposed" || i.Stage == "" }

// candidate is a proposed initiative.
type candidate struct {
	of         *Initiative
	adds       []share // by target
	cost, load float64
	after      []int  // candidates that must be chosen, too
	before     []int  // candidates that need this one
	alone      [1]int // itself
	unmeasured bool
	late       bool   // it works on an open gap, and adds nothing to it by its end
	reason     string // why it cannot be chosen at all
	message    string
}

type share struct {
	target int
	part   float64 // of the gap
}

// choice is one search.
type choice struct {
	items   []candidate
	targets []string
	size    []float64 // the gap of each target
	open    []float64 // the share of it that nothing in progress closes; below 0 where more is closed
	budget  float64   // +Inf: none
	load    float64
	limits  Limits

	// scarce is how much a share of the budget, and of the capacity, weighs where
	// candidates are compared by what they take, and whim what each weighs by chance;
	// nil: each the same.
	scarce   [2]float64
	whim     []float64
	seen     []int // by item: the last look at what candidates need that came by
	look     int
	live     []int // of the items, what a better set may have
	branches int   // that are looked at, at most
	parts    int   // that were looked at
	order    []int // of the items, as they are decided
	best     []bool
	value    float64
	upper    float64
	exact    bool
}

func newChoice(r Result, initiatives []Initiative, limits Limits, out *Suggestion) *choice {
	c := &choice{budget: math.Inf(1), load: math.Inf(1), limits: limits, branches: searched, scarce: [2]float64{1, 1}}
	if limits.Budget != nil {
		// A sum of amounts must not miss its limit by a rounding.
		c.budget = limits.Budget.InexactFloat64() * (1 + 1e-12)
	}
	if limits.Capacity != nil {
		c.load = *limits.Capacity * (1 + 1e-12)
	}
	result := map[string]*TargetResult{}
	for i := range r.Targets {
		result[r.Targets[i].Name] = &r.Targets[i]
	}
	index := map[string]int{}
	for _, x := range Cover(r, initiatives) {
		if x.Gap == nil || *x.Gap <= 0 {
			continue
		}
		closed := x.Expected
		if x.Ready != nil {
			closed = *x.Ready
		}
		index[x.Target] = len(c.targets)
		c.targets = append(c.targets, x.Target)
		c.size = append(c.size, *x.Gap)
		c.open = append(c.open, (*x.Gap-closed) / *x.Gap)
		out.Residual += max(0, (*x.Gap-closed) / *x.Gap)
	}
	stage, place := map[string]string{}, map[string]int{}
	for i := range initiatives {
		stage[initiatives[i].Name] = cmp.Or(initiatives[i].Stage, "proposed")
		if initiatives[i].proposed() {
			place[initiatives[i].Name] = len(c.items)
			c.items = append(c.items, candidate{of: &initiatives[i], alone: [1]int{len(c.items)}})
		}
	}
	for k := range c.items {
		x := &c.items[k]
		parts := map[int]float64{}
		for _, from := range x.of.Contributions {
			t := result[from.Target]
			if t == nil {
				continue
			}
			if t.Gap == nil {
				out.Unknown = append(out.Unknown, t.Name)
				continue
			}
			target, ok := index[from.Target]
			if !ok {
				continue
			}
			origin := t.ActualAt
			if origin.IsZero() {
				origin = r.AsOf
			}
			one := covered(*x.of, from, origin, t.Due, r.AsOf)
			adds := one.Expected
			if one.Ready != nil {
				adds = *one.Ready
			} else {
				x.unmeasured = true
			}
			parts[target] += adds / *t.Gap
			x.late = x.late || one.Ramp == 0
		}
		for target, part := range parts {
			if part != 0 && finite(part) {
				x.adds = append(x.adds, share{target, part})
			}
		}
		slices.SortFunc(x.adds, func(a, b share) int { return cmp.Compare(a.target, b.target) })
		c.limit(x, out.Currency)
		for _, a := range x.of.After {
			other, proposed := place[a.Name]
			switch {
			case proposed && other != k:
				x.after = append(x.after, other)
			case proposed:
			case stage[a.Name] == "cancelled":
				x.refuse("depends", fmt.Sprintf("starts after %s, which is cancelled", a.Name))
			}
		}
	}
	slices.Sort(out.Unknown)
	out.Unknown = slices.Compact(out.Unknown)
	c.spread()
	return c
}

// limit is what of the limits a candidate takes.
func (c *choice) limit(x *candidate, currency string) {
	switch m := x.of.Money; {
	case c.limits.Budget == nil:
	case m.Budget == nil:
		x.refuse("no_budget", "declares no budget, so that what it costs is not known")
	case m.Currency != currency:
		x.refuse("other_currency", fmt.Sprintf("has its budget in %s, not in %s", m.Currency, currency))
	default:
		x.cost = max(0, m.Budget.InexactFloat64())
	}
	if c.limits.Capacity == nil {
		return
	}
	if x.of.Capacity == nil {
		x.refuse("no_capacity", "does not declare what capacity it takes")
		return
	}
	x.load = max(0, *x.of.Capacity)
}

func (x *candidate) refuse(reason, message string) {
	if x.reason == "" {
		x.reason, x.message = reason, message
	}
}

// spread takes out what depends on something that cannot be chosen or does not
// fit, and notes who depends on whom.
func (c *choice) spread() {
	for again := true; again; {
		again = false
		for k := range c.items {
			x := &c.items[k]
			if x.reason != "" {
				continue
			}
			cost, load, all := 0.0, 0.0, c.with(nil, k)
			for _, i := range all {
				cost, load = cost+c.items[i].cost, load+c.items[i].load
			}
			also := ""
			if len(all) > 1 {
				also = " with what it starts after"
			}
			for _, i := range x.after {
				if c.items[i].reason != "" {
					x.refuse("depends", fmt.Sprintf("starts after %s, which cannot be chosen", c.items[i].of.Name))
				}
			}
			if cost > c.budget {
				x.refuse("too_expensive", "costs more than the budget"+also)
			}
			if load > c.load {
				x.refuse("too_large", "takes more than the capacity"+also)
			}
			again = again || x.reason != ""
		}
	}
	for k := range c.items {
		for _, i := range c.items[k].after {
			c.items[i].before = append(c.items[i].before, k)
		}
	}
}

// with lists a candidate and all that it needs and is not in the set, ascending.
func (c *choice) with(in []bool, k int) []int {
	if len(c.items[k].after) == 0 {
		if in != nil && in[k] {
			return nil
		}
		return c.items[k].alone[:]
	}
	if c.seen == nil {
		c.seen = make([]int, len(c.items))
	}
	c.look++
	var all []int
	var visit func(int)
	visit = func(i int) {
		if c.seen[i] == c.look || in != nil && in[i] {
			return
		}
		c.seen[i] = c.look
		all = append(all, i)
		for _, j := range c.items[i].after {
			visit(j)
		}
	}
	visit(k)
	slices.Sort(all)
	return all
}

// closed is what of a target's open share is closed by a sum of parts.
func (c *choice) closed(target int, sum float64) float64 {
	return max(0, c.open[target]) - max(0, c.open[target]-sum)
}

// set is a set of candidates with its sums.
type set struct {
	in         []bool
	sums       []float64
	cost, load float64
	value      float64
}

func (c *choice) empty() *set {
	return &set{in: make([]bool, len(c.items)), sums: make([]float64, len(c.targets))}
}

func (c *choice) of(in []bool) *set {
	s := c.empty()
	for i, yes := range in {
		if yes {
			c.add(s, i)
		}
	}
	return s
}

func (c *choice) add(s *set, i int) {
	x := &c.items[i]
	s.in[i] = true
	s.cost, s.load = s.cost+x.cost, s.load+x.load
	for _, a := range x.adds {
		s.value += c.closed(a.target, s.sums[a.target]+a.part) - c.closed(a.target, s.sums[a.target])
		s.sums[a.target] += a.part
	}
}

// gain is what candidates would add to a set, in this order or any other.
func (c *choice) gain(s *set, all []int) (value, cost, load float64) {
	if len(all) == 1 {
		x := &c.items[all[0]]
		for _, a := range x.adds {
			value += c.closed(a.target, s.sums[a.target]+a.part) - c.closed(a.target, s.sums[a.target])
		}
		return value, x.cost, x.load
	}
	sums := map[int]float64{}
	for _, i := range all {
		x := &c.items[i]
		cost, load = cost+x.cost, load+x.load
		for _, a := range x.adds {
			before := s.sums[a.target] + sums[a.target]
			value += c.closed(a.target, before+a.part) - c.closed(a.target, before)
			sums[a.target] += a.part
		}
	}
	return value, cost, load
}

const tiny = 1e-12

// fill adds what closes the most for what it takes, until nothing fits, and tells
// how many candidates it looked at.
func (c *choice) fill(s *set, barred int) (looked int) {
	for {
		looked += len(c.live)
		var best []int
		most := 0.0
		for _, k := range c.live {
			if s.in[k] || k == barred {
				continue
			}
			all := c.with(s.in, k)
			if slices.Contains(all, barred) {
				continue
			}
			value, cost, load := c.gain(s, all)
			if value <= tiny || s.cost+cost > c.budget || s.load+load > c.load {
				continue
			}
			takes := 1e-9
			if c.budget > 0 {
				takes += c.scarce[0] * cost / c.budget
			}
			if c.load > 0 {
				takes += c.scarce[1] * load / c.load
			}
			if c.whim != nil {
				takes *= c.whim[k]
			}
			if value/takes > most {
				best, most = all, value/takes
			}
		}
		if best == nil {
			return looked
		}
		for _, i := range best {
			c.add(s, i)
		}
	}
}

// keep remembers a set if it is the best so far.
func (c *choice) keep(s *set) bool {
	if c.best != nil && s.value <= c.value+tiny {
		return false
	}
	c.best, c.value = slices.Clone(s.in), s.value
	return true
}
