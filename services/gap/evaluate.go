package gap

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"setpoint.dev/services/internal/calendar"
)

// Evaluate compares every target of the portfolio with what was observed, at
// the end of the day asOf, and rolls the statuses up. It is pure: the same
// arguments give the same result, in whatever order the portfolio lists its
// parts, and nothing of the portfolio is written to.
func Evaluate(p Portfolio, asOf calendar.Date, policy Policy, opts Options) Result {
	e := newEvaluator(&p, asOf, &policy, opts)
	order := make([]int, len(p.Targets))
	for i := range order {
		order[i] = i
	}
	byName := func(a, b int) int { return strings.Compare(p.Targets[a].Name, p.Targets[b].Name) }
	if !slices.IsSortedFunc(order, byName) {
		slices.SortFunc(order, byName)
	}
	results := make([]TargetResult, len(order))
	for i, t := range order {
		e.compare(&p.Targets[t], &results[i])
	}
	r := Result{AsOf: asOf, Revision: p.Revision, Policy: policy.Name, Targets: results}
	e.rollUp(&r)
	e.hint(&r)
	if opts.Strategy != "" {
		r.only(opts.Strategy)
	}
	return r
}

// only keeps one strategy.
func (r *Result) only(strategy string) {
	r.Targets = slices.DeleteFunc(r.Targets, func(t TargetResult) bool { return t.Strategy != strategy })
	r.Objectives = slices.DeleteFunc(r.Objectives, func(o RollUp) bool { return o.Strategy != strategy })
	r.Strategies = slices.DeleteFunc(r.Strategies, func(s RollUp) bool { return s.Name != strategy })
}

// evaluator holds what one evaluation looks up again and again.
type evaluator struct {
	p          *Portfolio
	asOf       calendar.Date
	policy     *Policy
	opts       Options
	objectives map[string]*Objective
	strategies map[string]*Strategy
	units      map[string]*Unit
	metrics    map[string]int
	series     []series // by metric, loaded when first needed
	loaded     []bool
	numbers    []float64 // room for the numbers that results point to
	rows       []row     // scratch of the periods form
}

func newEvaluator(p *Portfolio, asOf calendar.Date, policy *Policy, opts Options) *evaluator {
	e := &evaluator{
		p: p, asOf: asOf, policy: policy, opts: opts,
		objectives: make(map[string]*Objective, len(p.Objectives)),
		strategies: make(map[string]*Strategy, len(p.Strategies)),
		units:      make(map[string]*Unit, len(p.Units)),
		metrics:    make(map[string]int, len(p.Metrics)),
		series:     make([]series, len(p.Metrics)),
		loaded:     make([]bool, len(p.Metrics)),
	}
	for i := range p.Objectives {
		e.objectives[p.Objectives[i].Name] = &p.Objectives[i]
	}
	for i := range p.Strategies {
		e.strategies[p.Strategies[i].Name] = &p.Strategies[i]
	}
	for i := range p.Units {
		e.units[p.Units[i].Name] = &p.Units[i]
	}
	for i := range p.Metrics {
		e.metrics[p.Metrics[i].Name] = i
	}
	return e
}

func (e *evaluator) seriesOf(metric string) *series {
	i, ok := e.metrics[metric]
	if !ok {
		return nil
	}
	if !e.loaded[i] {
		e.series[i].load(&e.p.Metrics[i], e.asOf)
		e.loaded[i] = true
	}
	return &e.series[i]
}

// num makes room for a number; what is not finite is not known.
func (e *evaluator) num(v float64) *float64 {
	if !finite(v) {
		return nil
	}
	if v == 0 {
		v = 0 // no negative zero
	}
	if len(e.numbers) == cap(e.numbers) {
		e.numbers = make([]float64, 0, 1024)
	}
	e.numbers = append(e.numbers, v)
	return &e.numbers[len(e.numbers)-1]
}

// comparison is one target on its way to a result.
type comparison struct {
	*evaluator
	t  *Target
	sp *Setpoint // the version it is judged by
	s  *series
	r  *TargetResult

	explain bool
	clauses []string // of the rule, in order
	inputs  []Input
	rests   []uint64 // revisions
}

func (e *evaluator) compare(t *Target, r *TargetResult) {
	*r = TargetResult{
		Name: t.Name, Title: t.Title, Metric: t.Metric, Objective: t.Objective, Owner: t.Owner,
		Weight: weight(t.Weight), Status: NoData,
	}
	if o := e.objectives[t.Objective]; o != nil {
		r.Strategy = o.Strategy
		if r.Owner == "" {
			r.Owner = o.Owner
		}
		if s := e.strategies[o.Strategy]; s != nil && r.Owner == "" {
			r.Owner = s.Owner
		}
	}
	if unit, ok := strings.CutPrefix(r.Owner, "unit/"); ok {
		r.Unit = unit
	}
	c := comparison{evaluator: e, t: t, r: r, explain: e.opts.Explain, s: e.seriesOf(t.Metric)}
	c.sp = c.versionAt(e.asOf)
	if c.sp == nil {
		c.say("No data: the target has no declared version.")
		c.finish()
		return
	}
	if d := c.sp.Due; !d.IsZero() && e.asOf.After(d) {
		// History is scored against the target then in force: what was declared
		// after the end does not change the verdict.
		if then := c.versionThen(d); then.Due == d && then.form() == c.sp.form() {
			c.sp = then
		}
	}
	r.Form, r.Direction = c.sp.form(), c.sp.Direction
	r.Due = c.sp.Due
	c.rest(c.sp.Revision)
	switch {
	case c.s == nil:
		c.say("No data: the metric %q is not declared.", t.Metric)
	case !c.s.cadence.Valid() && r.Form != MilestoneForm:
		c.say("No data: the metric %q has no cadence, so its periods are not known.", t.Metric)
	default:
		c.rest(c.s.m.Revision)
		switch r.Form {
		case PathForm:
			c.path()
		case PeriodsForm:
			c.periods()
		case MaintainForm:
			c.maintain()
		case MilestoneForm:
			c.milestone()
		default:
			c.say("No data: the target declares no value to reach.")
		}
		c.quality()
	}
	c.finish()
}

func (c *comparison) versionAt(d calendar.Date) *Setpoint {
	if c.opts.OriginalTargets {
		return c.t.FirstDeclared()
	}
	return c.t.InForce(d)
}

// versionThen is the version that was in force on a day of the past. Where
// none was, what is declared now is all there is to score history against.
func (c *comparison) versionThen(d calendar.Date) *Setpoint {
	if then := c.versionAt(d); c.opts.OriginalTargets || !then.Effective.After(d) {
		return then
	}
	return c.sp
}

// actual records the value that is judged.
func (c *comparison) actual(p *span) {
	p.Period = c.s.named(p.Period)
	c.r.Actual, c.r.ActualAt, c.r.Period = c.num(p.value), p.End, p.Name
	c.restOn(p)
}

// okrType of the target's objective.
func (c *comparison) okrType() string {
	if o := c.objectives[c.t.Objective]; o != nil {
		return o.OKRType
	}
	return ""
}

// Known reports whether higher levels count this target as known.
func (r *TargetResult) Known() bool { return r.Status != NoData && r.Status != NotStarted }

func weight(w float64) float64 {
	if w <= 0 || !finite(w) {
		return 1
	}
	return w
}

func clamp(v float64) float64 { return math.Min(1, math.Max(0, v)) }

func sign(v float64) Direction { return Direction(cmp.Compare(v, 0)) }
