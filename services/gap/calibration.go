package gap

import (
	"cmp"
	"slices"

	"setpoint.dev/services/internal/calendar"
)

// Leads are at how much of a target's horizon left, in percent, what was expected
// of it is scored, once each: often enough to learn from, and seldom enough that a
// long target does not drown the others.
var Leads = []int{75, 50, 25}

// FewestScored is how many scores a group needs to be shown: below that they say
// more about chance than about who forecast.
const FewestScored = 20

// Trial is a target whose end is known, and a day on which it was still open. Each
// period of a target that is declared by periods is an end of its own.
type Trial struct {
	Target, Metric string
	Period         string        // "": the target as a whole
	End            calendar.Date // of that period, or of the target
	SaidFrom       calendar.Date // what was said before is about an earlier period; zero: all is about this end
	Unit           string
	Lead           int // percent of the horizon that was left
	Day            calendar.Date
	Reached        bool
	Actual         *float64 // the value it ended with
}

// Trials lists the ends that an evaluation knows, at each lead, the latest first:
// those of targets that have a final verdict, and of the periods of targets that
// are declared by periods, each with the horizon from where the first of them
// begins.
func Trials(p Portfolio, r Result) []Trial {
	var out []Trial
	targets := map[string]*Target{}
	for i := range p.Targets {
		targets[p.Targets[i].Name] = &p.Targets[i]
	}
	add := func(t *TargetResult, begin calendar.Date, of Trial) {
		if begin.IsZero() || !begin.Before(of.End) || r.AsOf.Before(of.End) {
			return
		}
		of.Target, of.Metric, of.Unit = t.Name, t.Metric, t.Unit
		for _, lead := range Leads {
			of.Lead, of.Day = lead, of.End.AddDays(-(of.End.Sub(begin)*lead+50)/100)
			out = append(out, of)
		}
	}
	for i := range r.Targets {
		t := &r.Targets[i]
		if t.Form == PeriodsForm && len(t.Periods) > 0 {
			begin, last := periodsOf(t.Periods)
			for _, x := range t.Periods {
				if x.State != PeriodMet && x.State != PeriodNear && x.State != PeriodNotMet {
					continue // the truth has not arrived
				}
				of := Trial{Period: x.Period, End: x.End, Reached: x.State == PeriodMet, Actual: x.Actual}
				if x.End.Before(last) {
					of.SaidFrom = x.Start
				}
				add(t, begin, of)
			}
			continue
		}
		if t.Status != Achieved && t.Status != Missed || t.Form == MilestoneForm || slices.Contains(t.Conditions, "FinalPending") {
			continue
		}
		begin, end := horizonOf(targets[t.Name], r.AsOf)
		add(t, begin, Trial{End: end, Reached: t.Status == Achieved, Actual: t.Actual})
	}
	slices.SortStableFunc(out, func(a, b Trial) int {
		return cmp.Or(b.End.Compare(a.End), cmp.Compare(a.Target, b.Target))
	})
	return out
}

// horizonOf is the horizon of a target: from where its path or its first period begins
// to its end; zero dates where it has none.
func horizonOf(t *Target, asOf calendar.Date) (begin, end calendar.Date) {
	if t == nil {
		return begin, end
	}
	sp := t.InForce(asOf)
	if sp == nil {
		return begin, end
	}
	switch sp.form() {
	case PathForm:
		if end = sp.Due; sp.Baseline != nil {
			begin = sp.Baseline.Date
		}
		if s := sp.Trajectory.Start; s != nil {
			begin = s.Date
		}
	case MaintainForm:
		begin, end = sp.Maintain.From, sp.Maintain.To
	}
	if begin.IsZero() {
		if first := t.FirstDeclared(); first != nil {
			begin = first.Effective
		}
	}
	return begin, end
}

// periodsOf is from the beginning of the first period that has a target to the end
// of the last.
func periodsOf(list []PeriodResult) (begin, end calendar.Date) {
	for _, x := range list {
		if x.Target == nil && x.Lower == nil && x.Upper == nil {
			continue
		}
		if begin.IsZero() || x.Start.Before(begin) {
			begin = x.Start
		}
		if x.End.After(end) {
			end = x.End
		}
	}
	return begin, end
}

// Scored is what was expected of a target at a lead, beside what became of it.
type Scored struct {
	Trial
	Method      string
	Probability *float64 // forecast; nil where there was none
	Within80    *bool    // the value it ended with lies in the interval
	Within95    *bool
	Confidence  *float64 // said by its owner, 0 to 1; nil where nobody said
	// SaidLater tells that it was recorded after the day it is about, for want of
	// anything that was on record by then.
	SaidLater bool
	// Hindsight tells that nothing was on record then, and that the forecast was
	// made of the values of that time as they are known now.
	Hindsight bool
}

// forecastBy is the last day that is forecast; zero: that of the target.
func (t Trial) forecastBy() calendar.Date {
	if t.Period == "" {
		return calendar.Date{}
	}
	return t.End
}

// Score forecasts what a trial asks, from a portfolio as it was known then; of it
// only the target and its metrics are looked at.
func (t Trial) Score(then Portfolio, policy Policy) Scored {
	out := Scored{Trial: t}
	r := Evaluate(then, t.Day, policy, Options{Forecast: true, Chances: true, ForecastOf: map[string]bool{t.Target: true}, ForecastBy: t.forecastBy()})
	for _, x := range r.Targets {
		o := x.Outlook
		if x.Name != t.Target || o == nil {
			continue
		}
		out.Method, out.Probability = o.Method, o.Attainment
		within := func(low, high *float64) *bool {
			if low == nil || high == nil || t.Actual == nil {
				return nil
			}
			in := *low <= *t.Actual && *t.Actual <= *high
			return &in
		}
		out.Within80, out.Within95 = within(o.Lower80, o.Upper80), within(o.Lower95, o.Upper95)
	}
	return out
}

// Calibration is how well what was expected agreed with what came.
type Calibration struct {
	Forecasts  Calibrated   // of all
	Units      []Calibrated // by owner unit
	Methods    []Calibrated
	Leads      []Calibrated
	Confidence Calibrated // said by people
	Said       []Calibrated
	// LeftOut are ends that came earlier, and were too many to forecast anew.
	LeftOut int
}

// Calibrated is one group. Numbers are nil below FewestScored scores.
type Calibrated struct {
	Name      string
	N         int // scores: probabilities whose outcome is known
	Hindsight int // of them, made or said with hindsight
	// Brier is the mean squared distance of the probability from the outcome, 0 or
	// 1 (Brier, Monthly Weather Review 78, 1950); BaseRate the share that was
	// reached, and BaseBrier what always saying so would have scored.
	Brier, BaseRate, BaseBrier *float64
	// Said is the mean of the probabilities, to be held against BaseRate.
	Said                *float64
	Within80, Within95  *float64 // shares of the intervals that held
	Intervals           int
	brier, sum, reached float64
	within80, within95  float64
}

func (c *Calibrated) add(p float64, s Scored, intervals bool) {
	c.N++
	outcome := 0.0
	if s.Reached {
		outcome = 1
	}
	c.sum, c.reached, c.brier = c.sum+p, c.reached+outcome, c.brier+(p-outcome)*(p-outcome)
	if intervals && s.Hindsight || !intervals && s.SaidLater {
		c.Hindsight++
	}
	if !intervals {
		return
	}
	if s.Within80 != nil && s.Within95 != nil {
		c.Intervals++
		if *s.Within80 {
			c.within80++
		}
		if *s.Within95 {
			c.within95++
		}
	}
}

func (c *Calibrated) close() Calibrated {
	share := func(v float64, n int) *float64 {
		if n < FewestScored {
			return nil
		}
		x := v / float64(n)
		return &x
	}
	c.Brier, c.BaseRate, c.Said = share(c.brier, c.N), share(c.reached, c.N), share(c.sum, c.N)
	if c.BaseRate != nil {
		b := *c.BaseRate * (1 - *c.BaseRate)
		c.BaseBrier = &b
	}
	c.Within80, c.Within95 = share(c.within80, c.Intervals), share(c.within95, c.Intervals)
	return *c
}

// Calibrate adds scores up. Their order does not matter.
func Calibrate(list []Scored) Calibration {
	var all, said Calibrated
	groups := map[string]map[string]*Calibrated{"unit": {}, "method": {}, "lead": {}, "said": {}}
	in := func(kind, name string) *Calibrated {
		if groups[kind][name] == nil {
			groups[kind][name] = &Calibrated{Name: name}
		}
		return groups[kind][name]
	}
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Scored) int {
		return cmp.Or(cmp.Compare(a.Target, b.Target), a.End.Compare(b.End), cmp.Compare(b.Lead, a.Lead))
	})
	leads := map[int]string{75: "75 % left", 50: "50 % left", 25: "25 % left"}
	for _, s := range list {
		if s.Probability != nil {
			p := *s.Probability
			all.add(p, s, true)
			in("unit", s.Unit).add(p, s, true)
			in("method", s.Method).add(p, s, true)
			in("lead", leads[s.Lead]).add(p, s, true)
		}
		if s.Confidence != nil {
			said.add(*s.Confidence, s, false)
			in("said", s.Unit).add(*s.Confidence, s, false)
		}
	}
	out := Calibration{Forecasts: all.close(), Confidence: said.close()}
	for kind, to := range map[string]*[]Calibrated{"unit": &out.Units, "method": &out.Methods, "lead": &out.Leads, "said": &out.Said} {
		for _, c := range groups[kind] {
			*to = append(*to, c.close())
		}
		slices.SortFunc(*to, func(a, b Calibrated) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Name, b.Name)) })
	}
	slices.SortFunc(out.Leads, func(a, b Calibrated) int { return cmp.Compare(b.Name, a.Name) })
	return out
}
