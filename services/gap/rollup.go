package gap

import (
	"fmt"
	"slices"
	"strings"
)

// tally is a weighted summary being added up.
type tally struct {
	total, known    float64 // weights; known is weight × known share
	judged          float64 // weight of the parts with a status
	sum, green      float64
	worst           float64
	progress        float64
	noProgress      bool
	parts, starting int
	status          Status
	score           *float64
	prog            *float64
	knownShare      float64
	knownScore      float64 // of the known part, where that is too little for a score
	tooLittle       bool
}

// part is one target or roll-up within a larger one.
type part struct {
	status      Status
	objective   int // of a target: its index in the portfolio, or -1
	weight      float64
	known       float64 // share of it that is known, 0 to 1
	score       float64
	progress    float64 // clamped
	hasScore    bool
	hasProgress bool
}

func (t *tally) add(p *part, rule *RollUpRule) {
	t.parts++
	if p.status == NotStarted {
		// Nothing is expected of it yet, so it is neither known nor unknown.
		t.starting++
		return
	}
	t.total += p.weight
	if p.status == NoData || !p.hasScore {
		if rule.Missing == MissingFailed {
			t.judged += p.weight
			t.worst = 0
		}
		return
	}
	if t.judged == 0 {
		t.worst = p.score
	}
	t.worst = min(t.worst, p.score)
	t.known += p.weight * p.known
	t.judged += p.weight
	t.sum += p.weight * p.score
	if p.status.Green() {
		t.green += p.weight
	}
	if p.hasProgress {
		t.progress += p.weight * p.progress
	} else {
		t.noProgress = true
	}
}

// close computes score, status and known share.
func (t *tally) close(e *evaluator) {
	rule := &e.policy.RollUp
	t.status = NoData
	if t.total > 0 {
		t.knownShare = min(1, t.known/t.total)
	}
	if t.parts > 0 && t.parts == t.starting {
		t.status = NotStarted
		return
	}
	if t.judged == 0 {
		return
	}
	score := t.sum / t.judged
	switch rule.Method {
	case Worst:
		score = t.worst
	case Threshold:
		score = t.green / t.judged
	}
	if rule.Missing != MissingFailed && rule.Missing != MissingExcluded && t.knownShare < rule.MinKnown-epsilon {
		// A score beside "no data" would be read as one of the whole.
		t.knownScore, t.tooLittle = score, true
		return
	}
	t.score = e.num(score)
	if !t.noProgress && t.known > 0 {
		t.prog = e.num(t.progress / t.judged)
	}
	switch {
	case score >= rule.OnTrack-epsilon:
		t.status = OnTrack
	case score >= rule.AtRisk-epsilon:
		t.status = AtRisk
	default:
		t.status = OffTrack
	}
}

// partOf is what a target passes up.
func (e *evaluator) partOf(r *TargetResult, p *part) {
	p.status, p.weight = r.Status, r.Weight
	if !r.Known() {
		return
	}
	p.known, p.hasScore = 1, true
	k := e.policy.Gauge
	switch {
	case e.policy.Score == GaugeScore && r.Form == MilestoneForm && r.Status != Achieved:
		// It is not done by degrees: what it promises is worth as much as a value
		// in the middle of its band.
		switch r.Status {
		case OnTrack:
			p.score = k.Goal / k.Best
		case AtRisk:
			p.score = (k.RedFlag + k.Goal) / 2 / k.Best
		}
	case e.policy.Score != Health:
		if r.Score != nil {
			p.score = *r.Score
		}
	case r.Status == AtRisk:
		p.score = 0.5
	case r.Status.Green():
		p.score = 1
	}
	if r.Progress != nil {
		p.progress, p.hasProgress = clamp(*r.Progress), true
	}
}

// tallied counts statuses, each target once.
type tallied [7]int

var statuses = [...]Status{NotStarted, NoData, OnTrack, AtRisk, OffTrack, Achieved, Missed}

func (n *tallied) add(s Status) {
	for i := range statuses {
		if statuses[i] == s {
			n[i]++
			return
		}
	}
}

// put writes the counts down; a status that no target has is left out.
func (n *tallied) put(out *RollUp) {
	out.Counts = make(map[Status]int, 2)
	for i, k := range n {
		if k > 0 {
			out.Counts[statuses[i]] = k
			out.Targets += k
		}
	}
}

// node is an objective in the graph of contributions.
type node struct {
	o        *Objective
	targets  []int // of Result.Targets
	children []child
	tally    tally
	state    int // 0 new, 1 being visited, 2 done
	mark     int // the last walk that came by
}

type child struct {
	node   int
	weight float64
}

// graph rolls the objectives up, children first.
type graph struct {
	*evaluator
	r      *Result
	nodes  []node // by name
	seen   []int  // by target: the last walk that counted it
	walk   int
	cycles []string
}

func (e *evaluator) rollUp(r *Result) {
	g := &graph{evaluator: e, r: r, nodes: make([]node, 0, len(e.p.Objectives)), seen: make([]int, len(r.Targets))}
	for i := range e.p.Objectives {
		if o := &e.p.Objectives[i]; e.objectives[o.Name] == i {
			g.nodes = append(g.nodes, node{o: o})
		}
	}
	slices.SortFunc(g.nodes, func(a, b node) int { return strings.Compare(a.o.Name, b.o.Name) })
	index := make(map[string]int, len(g.nodes))
	place := make([]int, len(e.p.Objectives)) // of each objective among the nodes
	for i := range g.nodes {
		index[g.nodes[i].o.Name] = i
		place[e.objectives[g.nodes[i].o.Name]] = i
	}
	for i := range e.parts {
		if o := e.parts[i].objective; o >= 0 {
			n := &g.nodes[place[o]]
			n.targets = append(n.targets, i)
		}
	}
	for i := range g.nodes {
		for _, edge := range g.nodes[i].o.ContributesTo {
			if parent, ok := index[edge.Objective]; ok && parent != i {
				g.nodes[parent].children = append(g.nodes[parent].children, child{i, weight(edge.Weight)})
			}
		}
	}
	r.Objectives = make([]RollUp, len(g.nodes))
	for i := range g.nodes {
		g.visit(i)
	}
	for i := range g.nodes {
		r.Objectives[i] = g.objective(i)
	}
	g.strategies(index)
	g.units()
	slices.Sort(g.cycles)
	for _, name := range slices.Compact(g.cycles) {
		r.Hints = append(r.Hints, fmt.Sprintf("The objective %s contributes to itself through others; that contribution is left out.", name))
	}
}

// visit closes the tally of an objective after those of its children. An edge
// that would close a cycle is left out; walking by name makes it always the
// same one.
func (g *graph) visit(i int) {
	n := &g.nodes[i]
	if n.state != 0 {
		return
	}
	n.state = 1
	rule := &g.policy.RollUp
	for _, t := range n.targets {
		n.tally.add(&g.parts[t], rule)
	}
	for k, c := range n.children {
		if g.nodes[c.node].state == 1 {
			g.cycles = append(g.cycles, g.nodes[c.node].o.Name)
			n.children[k].weight = 0
			continue
		}
		g.visit(c.node)
		up := g.nodes[c.node].tally.part(c.weight)
		n.tally.add(&up, rule)
	}
	n.tally.close(g.evaluator)
	n.state = 2
}

// part is what a roll-up passes up: its score counts in full if it is known
// well enough to have a status, and its known share says how well.
func (t *tally) part(weight float64) part {
	p := part{status: t.status, weight: weight, known: t.knownShare}
	if t.score != nil {
		p.score, p.hasScore = *t.score, true
	}
	if t.prog != nil {
		p.progress, p.hasProgress = *t.prog, true
	}
	return p
}

func (g *graph) objective(i int) RollUp {
	n := &g.nodes[i]
	out := g.close(&n.tally, "objective")
	out.Name, out.Title, out.Strategy = n.o.Name, n.o.Title, n.o.Strategy
	g.walk++
	var counts tallied
	g.count(i, &counts)
	counts.put(&out)
	g.joint(&out, i)
	g.revisions(&out, n.o.Revision)
	return out
}

// count adds the targets below an objective, each once however many ways lead
// to it.
func (g *graph) count(i int, counts *tallied) {
	n := &g.nodes[i]
	if n.mark == g.walk {
		return
	}
	n.mark = g.walk
	for _, t := range n.targets {
		if g.seen[t] != g.walk {
			g.seen[t] = g.walk
			counts.add(g.parts[t].status)
		}
	}
	for _, c := range n.children {
		if c.weight > 0 {
			g.count(c.node, counts)
		}
	}
}

// joint is the probability that all targets below some objectives are reached.
func (g *graph) joint(out *RollUp, objectives ...int) {
	if !g.opts.Forecast || g.opts.Chances || g.opts.Apart || g.opts.ForecastOf != nil || g.opts.Strategy != "" && g.opts.Strategy != out.Strategy {
		return
	}
	g.walk++
	var list []*TargetResult
	var collect func(i int)
	collect = func(i int) {
		n := &g.nodes[i]
		if n.mark == g.walk {
			return
		}
		n.mark = g.walk
		for _, t := range n.targets {
			if g.seen[t] != g.walk {
				g.seen[t] = g.walk
				list = append(list, &g.r.Targets[t])
			}
		}
		for _, c := range n.children {
			if c.weight > 0 {
				collect(c.node)
			}
		}
	}
	for _, i := range objectives {
		collect(i)
	}
	out.Joint = joint(list)
}

// strategies averages the root objectives: those that contribute to no other
// objective of their strategy.
func (g *graph) strategies(index map[string]int) {
	all := make([]*Strategy, 0, len(g.p.Strategies))
	for i := range g.p.Strategies {
		if s := &g.p.Strategies[i]; g.evaluator.strategies[s.Name] == s {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b *Strategy) int { return strings.Compare(a.Name, b.Name) })
	roots := make(map[string][]int, len(all))
	for i := range g.nodes {
		o := g.nodes[i].o
		inner := slices.ContainsFunc(o.ContributesTo, func(e Edge) bool {
			parent, ok := index[e.Objective]
			return ok && parent != i && g.nodes[parent].o.Strategy == o.Strategy
		})
		if !inner {
			roots[o.Strategy] = append(roots[o.Strategy], i)
		}
	}
	for _, s := range all {
		var t tally
		for _, i := range roots[s.Name] {
			up := g.nodes[i].tally.part(weight(g.nodes[i].o.Weight))
			t.add(&up, &g.policy.RollUp)
		}
		t.close(g.evaluator)
		out := g.close(&t, "strategy")
		out.Name, out.Title, out.Strategy = s.Name, s.Title, s.Name
		g.walk++
		var counts tallied
		for _, i := range roots[s.Name] {
			g.count(i, &counts)
		}
		counts.put(&out)
		g.joint(&out, roots[s.Name]...)
		g.revisions(&out, s.Revision)
		g.r.Strategies = append(g.r.Strategies, out)
	}
}

// units averages the targets that a unit or one below it owns, each by its
// own weight.
func (g *graph) units() {
	all := make([]*Unit, 0, len(g.p.Units))
	for i := range g.p.Units {
		if u := &g.p.Units[i]; g.evaluator.units[u.Name] == u {
			all = append(all, u)
		}
	}
	if len(all) == 0 {
		return
	}
	slices.SortFunc(all, func(a, b *Unit) int { return strings.Compare(a.Name, b.Name) })
	type sum struct {
		tally
		counts tallied
	}
	sums := make(map[string]*sum, len(all))
	for _, u := range all {
		sums[u.Name] = &sum{}
	}
	var above []string
	for i := range g.r.Targets {
		above = above[:0]
		for name := g.r.Targets[i].Unit; name != "" && !slices.Contains(above, name); {
			u := g.evaluator.units[name]
			if u == nil {
				break
			}
			above = append(above, name)
			sums[name].add(&g.parts[i], &g.policy.RollUp)
			sums[name].counts.add(g.parts[i].status)
			name = u.Parent
		}
	}
	for _, u := range all {
		t := sums[u.Name]
		t.close(g.evaluator)
		out := g.close(&t.tally, "unit")
		out.Name, out.Title = u.Name, u.Title
		t.counts.put(&out)
		g.revisions(&out, u.Revision)
		g.r.Units = append(g.r.Units, out)
	}
}

// close turns a closed tally into a roll-up, with its explanation.
func (g *graph) close(t *tally, what string) RollUp {
	out := RollUp{Status: t.status, Score: t.score, Progress: t.prog, Known: t.knownShare}
	if !g.opts.Explain {
		return out
	}
	rule := &g.policy.RollUp
	var b strings.Builder
	switch {
	case t.parts == 0:
		fmt.Fprintf(&b, "No data: nothing is below this %s.", what)
	case t.status == NotStarted:
		b.WriteString("Not started: nothing below it has begun.")
	case t.status == NoData:
		fmt.Fprintf(&b, "No data: %s of the weight is known, at least %s is needed.", percent(t.knownShare), percent(rule.MinKnown))
	default:
		fmt.Fprintf(&b, "%s: the %s of its parts is %.4g; from %g on track, from %g at risk, else off track. %s of the weight is known.",
			title(t.status), methodWords(rule.Method, g.policy.Score), *t.score, rule.OnTrack, rule.AtRisk, percent(t.knownShare))
	}
	switch rule.Missing {
	case MissingExcluded:
		b.WriteString(" Parts without data are left out.")
	case MissingFailed:
		b.WriteString(" Parts without data count as failed.")
	}
	out.Explanation.Rule = b.String()
	out.Explanation.Inputs = []Input{{"weight", t.total}, {"known weight", t.known}, {"parts", t.parts}}
	switch {
	case t.score != nil:
		out.Explanation.Inputs = append(out.Explanation.Inputs, Input{"score", *t.score})
	case t.tooLittle:
		out.Explanation.Inputs = append(out.Explanation.Inputs, Input{"score of the known part", t.knownScore})
	}
	return out
}

func methodWords(m RollUpMethod, s Scoring) string {
	of := "health (achieved and on track 1, at risk ½, off track and missed 0)"
	if s != Health {
		of = "score (0 to 1)"
	}
	switch m {
	case Worst:
		return "lowest " + of
	case Threshold:
		return "share of the weight that is on track or achieved"
	}
	return "weighted mean " + of
}

func (g *graph) revisions(out *RollUp, revision uint64) {
	if g.opts.Explain && revision != 0 {
		out.Explanation.Revisions = []uint64{revision}
	}
}
