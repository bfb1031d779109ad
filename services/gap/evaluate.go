package gap

import (
	"cmp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

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
	e.compareAll(order, results)
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
	objectives map[string]int
	owners     []string // of each objective's targets, where they name none
	strategies map[string]*Strategy
	units      map[string]*Unit
	metrics    map[string]int
	series     series             // of the metric whose targets are being compared
	divided    map[string]*series // of metrics that ratios need
	numbers    []float64          // room for the numbers that results point to
	rows       []row              // scratch of the periods form
	parts      []part             // what each target passes up, by result
	recent     recent
	// What forecasts need: what works on a target, how late each initiative is, and
	// where walks of the metric at hand stand after so many steps.
	works map[string][]working
	slips map[string]int
	walks map[int][]float64
}

func newEvaluator(p *Portfolio, asOf calendar.Date, policy *Policy, opts Options) *evaluator {
	e := &evaluator{
		p: p, asOf: asOf, policy: policy, opts: opts,
		objectives: make(map[string]int, len(p.Objectives)),
		strategies: make(map[string]*Strategy, len(p.Strategies)),
		units:      make(map[string]*Unit, len(p.Units)),
		metrics:    make(map[string]int, len(p.Metrics)),
		divided:    map[string]*series{},
		owners:     make([]string, len(p.Objectives)),
		parts:      make([]part, len(p.Targets)),
	}
	e.series.recent = &e.recent
	for i := range p.Strategies {
		e.strategies[p.Strategies[i].Name] = &p.Strategies[i]
	}
	for i := range p.Objectives {
		o := &p.Objectives[i]
		e.objectives[o.Name] = i
		if e.owners[i] = o.Owner; o.Owner == "" {
			if s := e.strategies[o.Strategy]; s != nil {
				e.owners[i] = s.Owner
			}
		}
	}
	for i := range p.Units {
		e.units[p.Units[i].Name] = &p.Units[i]
	}
	for i := range p.Metrics {
		e.metrics[p.Metrics[i].Name] = i
	}
	return e
}

// compareAll compares the targets, those of one metric after another, so that
// each metric's series is prepared once and thrown away. order gives the
// target of each result.
func (e *evaluator) compareAll(order []int, results []TargetResult) {
	none := len(e.p.Metrics)
	// A list of results for each metric, and one for those without.
	first := make([]int32, none+1)
	next := make([]int32, len(order))
	for i := range first {
		first[i] = -1
	}
	for i := len(order) - 1; i >= 0; i-- {
		m, ok := e.metrics[e.p.Targets[order[i]].Metric]
		if !ok {
			m = none
		}
		next[i], first[m] = first[m], int32(i)
	}
	one := func(e *evaluator, m int) {
		i := first[m]
		if i < 0 {
			return
		}
		var s *series
		if m < none {
			s = e.prepare(&e.p.Metrics[m])
		}
		for ; i >= 0; i = next[i] {
			e.compare(&e.p.Targets[order[i]], s, &results[i], &e.parts[i])
		}
	}
	workers := min(runtime.GOMAXPROCS(0), len(first)/aFew)
	if !e.opts.Forecast || e.opts.ForecastOf != nil || workers < 2 {
		for m := range first {
			one(e, m)
		}
		return
	}
	// Forecasts take a thousand times as long as a comparison, and what comes of
	// a metric depends on no other: several are made at a time.
	e.workingOn("")
	var taken atomic.Int64
	var done sync.WaitGroup
	for range workers {
		w := newEvaluator(e.p, e.asOf, e.policy, e.opts)
		w.parts, w.works, w.slips = e.parts, e.works, e.slips
		done.Go(func() {
			for {
				m := int(taken.Add(1)) - 1
				if m >= len(first) {
					return
				}
				one(w, m)
			}
		})
	}
	done.Wait()
}

// aFew metrics are not worth a worker.
const aFew = 16

// prepare loads the series of a metric; the next call overwrites it.
func (e *evaluator) prepare(m *Metric) *series {
	e.walks = nil
	if m.Aggregation == RatioOf {
		e.series.loadRatio(m, e.asOf, e.seriesOf)
	} else {
		e.series.load(m, e.asOf)
	}
	return &e.series
}

// seriesOf is the series of an observed metric, for a ratio; nil if there is
// no such metric.
func (e *evaluator) seriesOf(metric string) *series {
	i, ok := e.metrics[metric]
	if !ok {
		return nil
	}
	s := e.divided[metric]
	if s == nil {
		s = new(series)
		s.load(&e.p.Metrics[i], e.asOf)
		e.divided[metric] = s
	}
	return s
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
		e.numbers = make([]float64, 0, 2048)
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

// compare fills r, which must be zero, and what the target passes up.
func (e *evaluator) compare(t *Target, s *series, r *TargetResult, up *part) {
	r.Name, r.Title, r.Metric, r.Objective, r.Owner = t.Name, t.Title, t.Metric, t.Objective, t.Owner
	r.Weight, r.Status = weight(t.Weight), NoData
	up.objective = -1
	if i, ok := e.objectives[t.Objective]; ok {
		o := &e.p.Objectives[i]
		up.objective = i
		r.Strategy = o.Strategy
		if r.Owner == "" {
			r.Owner = e.owners[i]
		}
	}
	r.Unit = UnitOf(r.Owner)
	c := comparison{evaluator: e, t: t, r: r, explain: e.opts.Explain, s: s}
	c.judge()
	c.finish()
	e.partOf(r, up)
}

// UnitOf is the unit that an owner is, "" if it is none.
func UnitOf(owner string) string {
	if unit, ok := strings.CutPrefix(owner, "unit/"); ok {
		return unit
	}
	return ""
}

func (c *comparison) judge() {
	r := c.r
	if c.sp = c.versionAt(c.asOf); c.sp == nil {
		c.say("No data: the target has no declared version.")
		return
	}
	if d := c.sp.Due; !d.IsZero() && c.asOf.After(d) {
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
		c.say("No data: the metric %q is not declared.", c.t.Metric)
		return
	case c.s.problem != "":
		c.rest(c.s.m.Revision)
		c.say("No data: %s.", c.s.problem)
		return
	case !c.s.cadence.Valid() && r.Form != MilestoneForm:
		c.say("No data: the metric %q has no cadence, so its periods are not known.", c.t.Metric)
		return
	}
	c.restOnMetric()
	if c.s.m.Accumulate && r.Form != MilestoneForm {
		c.s = c.s.since(c.start())
		c.input("total since", c.s.total.begin.String())
	}
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
	if c.opts.Forecast && (c.opts.Strategy == "" || c.opts.Strategy == r.Strategy) && (c.opts.ForecastOf == nil || c.opts.ForecastOf[c.t.Name]) {
		c.outlook()
	}
	c.quality()
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
	if i, ok := c.objectives[c.t.Objective]; ok {
		return c.p.Objectives[i].OKRType
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

func clamp(v float64) float64 { return min(1, max(0, v)) }

func sign(v float64) Direction { return Direction(cmp.Compare(v, 0)) }
