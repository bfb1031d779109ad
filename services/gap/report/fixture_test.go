package report

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
)

func num(v float64) *float64 { return &v }

func date(s string) calendar.Date { return calendar.MustParse(s) }

// fiscal is FY2018 and its days, for a year that ends on 30 September.
func fiscal(year int) (name string, start, end calendar.Date) {
	return fmt.Sprintf("FY%d", year), calendar.Of(year-1, 10, 1), calendar.Of(year, 9, 30)
}

// yearly makes a grid from FY first on: target, actual, state.
func yearly(s float64, first int, cells ...cell) []gap.PeriodResult {
	var out []gap.PeriodResult
	for i, c := range cells {
		p := gap.PeriodResult{Target: c.target, Actual: c.actual, State: c.state, Note: c.note}
		p.Period, p.Start, p.End = fiscal(first + i)
		if c.target != nil && c.actual != nil {
			if c.state != gap.PeriodNoTarget {
				p.Variance = num(s * (*c.target - *c.actual))
			}
		}
		out = append(out, p)
	}
	return out
}

type cell struct {
	target, actual *float64
	state          gap.PeriodState
	note           string
}

func one(v int) *int { return &v }

// fixture is a small plan in which every form and every status occurs. The
// numbers are those of a published plan where it has one.
func fixture() (gap.Portfolio, gap.Result) {
	asOf := date("2018-12-31")
	percent := gap.Format{Style: "percent", Decimals: one(1)}
	p := gap.Portfolio{
		Revision: 4711,
		Units: []gap.Unit{
			{Name: "real-estate", Title: "Real Estate"},
			{Name: "technology", Title: "Technology"},
		},
		Strategies: []gap.Strategy{{
			Name: "plan", Title: "Strategic plan 2018–2022", Vision: "Effective and efficient government for the American people.",
			Start: date("2017-10-01"), End: date("2022-09-30"), Pillars: []string{"Technology", "Real Estate"}, Owner: "unit/technology",
		}},
		Objectives: []gap.Objective{
			{Name: "inventory", Title: "Reduce the cost of the inventory", Strategy: "plan", Pillar: "Real Estate", Owner: "unit/real-estate",
				ContributesTo: []gap.Edge{{Objective: "savings"}}},
			{Name: "modern", Title: "Lead technology modernization", Strategy: "plan", Pillar: "Technology", OKRType: "committed"},
			{Name: "savings", Title: "Save taxpayer money", Strategy: "plan"},
		},
		Metrics: []gap.Metric{
			{Name: "vacant", Title: "Vacant space", Unit: "fraction", Format: percent, Cadence: calendar.Yearly, Calendar: calendar.Months(10),
				Description: "Unoccupied space as a percentage of all workspace.", Source: "REXUS",
				Observations: []gap.Observation{{At: date("2018-09-30"), Value: .033, Note: "Excludes space under major renovation.", Revision: 31}}},
			{Name: "revenue", Title: "Leased revenue left", Format: percent, Cadence: calendar.Yearly},
			{Name: "fedramp", Title: "FedRAMP systems", Unit: "systems", Format: gap.Format{Style: "integer"}, Cadence: calendar.Yearly},
			{Name: "supplier", Title: "Supplier satisfaction", Unit: "points of 5", Format: gap.Format{Style: "number", Decimals: one(2)}, Cadence: calendar.Yearly,
				Breaks: []gap.Break{{Date: date("2015-10-01"), Reason: "Methodology revised"}}},
			{Name: "savings", Title: "Acquisition savings", Format: gap.Format{Style: "currency", Currency: "USD", Magnitude: "billions", Decimals: one(2)}, Cadence: calendar.Yearly},
			{Name: "move", Title: "Move to the new centre", Format: gap.Format{Style: "boolean"}},
			{Name: "leases", Title: "Leases at market rates", Format: percent, Cadence: calendar.Yearly},
			{Name: "latency", Title: "Response time", Unit: "ms", Format: gap.Format{Style: "integer"}, Cadence: calendar.Monthly},
		},
	}
	met, near, not, none, future := gap.PeriodMet, gap.PeriodNear, gap.PeriodNotMet, gap.PeriodNoTarget, gap.PeriodFuture
	targets := []gap.TargetResult{
		{Name: "vacant", Metric: "vacant", Objective: "inventory", Form: gap.PeriodsForm, Direction: gap.Decrease, Status: gap.AtRisk,
			Actual: num(.033), Period: "FY2018", Target: num(.03), Gap: num(.003), Share: num(.1), Score: num(.5), Owner: "unit/real-estate", Weight: 1,
			Periods: yearly(-1, 2015, cell{num(.032), num(.034), near, ""}, cell{num(.032), num(.03), met, ""}, cell{num(.032), num(.029), met, ""},
				cell{num(.03), num(.033), near, ""}, cell{num(.03), nil, future, ""}),
			Quality: gap.Quality{Observations: 8, Corrected: 1},
			Explanation: gap.Explanation{Rule: "at risk: the shortfall is at most 15 % of the target", Revisions: []uint64{31, 12, 32, 33},
				Inputs: []gap.Input{{Name: "actual", Value: .033}, {Name: "target", Value: .03}, {Name: "period", Value: "FY2018"}, {Name: "inclusive", Value: true}, {Name: "n", Value: 8}}}},
		{Name: "revenue", Metric: "revenue", Objective: "inventory", Form: gap.MaintainForm, Status: gap.OffTrack, Actual: num(-.004), Period: "FY2018",
			Lower: num(0), Upper: num(.02), Gap: num(.004), Score: num(.3333), Owner: "person/lee", Weight: 1,
			Periods: yearly(1, 2016, cell{nil, num(-.0116), not, ""}, cell{nil, num(.001), met, ""}, cell{nil, num(-.004), not, ""})},
		{Name: "fedramp", Metric: "fedramp", Objective: "modern", Form: gap.PathForm, Direction: gap.Increase, Status: gap.OnTrack,
			Actual: num(121), Period: "FY2018", Baseline: num(88), Target: num(165), Due: date("2020-09-30"), Expected: num(110), ExpectedNow: num(118.82),
			Gap: num(44), Drift: num(-11), Share: num(-.142857), Progress: num(.428571), Score: num(.4286), TargetDrift: num(5), Weight: 2, Owner: "unit/technology",
			Periods: yearly(1, 2015, cell{nil, num(39), none, ""}, cell{nil, num(72), none, ""}, cell{nil, num(88), none, ""}, cell{num(110), num(121), met, ""},
				cell{num(145), nil, future, ""}, cell{num(165), nil, future, ""})},
		{Name: "supplier", Metric: "supplier", Objective: "savings", Form: gap.PeriodsForm, Direction: gap.Increase, Status: gap.NoData, Period: "FY2018",
			Target: num(3.8), Weight: 1, Quality: gap.Quality{Observations: 4, Excluded: 1},
			Periods: yearly(1, 2015, cell{nil, num(3.59), none, ""}, cell{nil, num(3.7), none, ""}, cell{nil, nil, gap.PeriodNoData, ""},
				cell{num(3.8), num(3.69), gap.PeriodExcluded, "set under the old method"}, cell{num(3.73), nil, future, ""}),
			Explanation: gap.Explanation{Rule: "no data: the judged period is excluded"}},
		{Name: "savings", Metric: "savings", Objective: "savings", Form: gap.PeriodsForm, Direction: gap.Increase, Status: gap.Achieved, Period: "FY2018",
			Actual: num(5.86), Target: num(5.22), Gap: num(-.64), Share: num(-.1226), Score: num(1), Weight: 1,
			Periods: yearly(1, 2016, cell{num(5.19), num(6.02), met, ""}, cell{num(5.24), num(5.17), near, ""}, cell{num(5.22), num(5.86), met, ""})},
		{Name: "cost", Title: "Operating cost", Metric: "leases", Objective: "savings", Form: gap.PathForm, Direction: gap.Decrease, Status: gap.Missed,
			Actual: num(.097), Period: "FY2018", Baseline: num(.096), Target: num(.092), Due: date("2018-09-30"), Expected: num(.092), Gap: num(.005), Drift: num(.005),
			Share: num(1.25), Progress: num(-.25), Score: num(0), Weight: 1,
			Periods: yearly(-1, 2016, cell{nil, num(.096), none, ""}, cell{num(.094), num(.099), not, ""}, cell{num(.092), num(.097), not, ""})},
		{Name: "leases", Metric: "leases", Objective: "inventory", Form: gap.PeriodsForm, Status: gap.NoData, Actual: num(.44), Period: "FY2018", Target: num(.55), Weight: 1,
			Quality: gap.Quality{Observations: 6},
			Periods: yearly(1, 2016, cell{num(.55), num(.49), none, ""}, cell{num(.55), num(.48), none, ""}, cell{num(.55), num(.44), none, ""})},
		{Name: "move", Metric: "move", Objective: "modern", Form: gap.MilestoneForm, Status: gap.NotStarted, Due: date("2021-06-30"), Weight: 1},
		{Name: "latency", Metric: "latency", Objective: "modern", Form: gap.PathForm, Direction: gap.Decrease, Status: gap.NoData, Stale: true, LastKnownStatus: gap.OnTrack,
			Actual: num(180), ActualAt: date("2018-07-31"), Period: "2018-07", Baseline: num(400), Target: num(100), Due: date("2019-06-30"), Expected: num(250), Gap: num(80), Drift: num(-70),
			Conditions: []string{"FinalPending"}, Weight: 1, Quality: gap.Quality{Observations: 3, Missing: 1, LastValueAt: date("2018-07-31"), NextDue: date("2018-09-15")},
			Periods: []gap.PeriodResult{
				{Period: "2018-05", Start: date("2018-05-01"), End: date("2018-05-31"), Actual: num(300), Target: num(310), Variance: num(-10), State: met},
				{Period: "2018-06", Start: date("2018-06-01"), End: date("2018-06-30"), State: gap.PeriodNoData},
				{Period: "2018-07", Start: date("2018-07-01"), End: date("2018-07-31"), Actual: num(180), Target: num(250), Variance: num(-70), State: met},
				{Period: "2018-08", Start: date("2018-08-01"), End: date("2018-08-31"), Actual: num(150), State: gap.PeriodPartial, Note: "2 of 4 weeks reported"},
			}},
	}
	r := gap.Result{AsOf: asOf, Revision: 4711, Policy: "default", Hints: []string{"latency is 5 months old; as of 2018-07-31 it can be judged"}}
	for _, t := range targets {
		t.Strategy = "plan"
		m := p.Metrics[slices.IndexFunc(p.Metrics, func(m gap.Metric) bool { return m.Name == t.Metric })]
		if t.ActualAt.IsZero() && t.Actual != nil {
			t.ActualAt = date("2018-09-30")
		}
		if t.Title == "" {
			t.Title = m.Title
		}
		r.Targets = append(r.Targets, t)
		v := gap.Setpoint{Revision: 5, Direction: t.Direction, Due: t.Due, Value: t.Target}
		switch t.Form {
		case gap.PathForm:
			v.Baseline = &gap.Baseline{Date: date("2016-09-30"), Value: t.Baseline}
		case gap.MilestoneForm:
			v.Milestone = &gap.Milestone{Forecast: date("2021-05-31")}
		case gap.MaintainForm:
			v.Maintain = &gap.Maintain{Lower: t.Lower, Upper: t.Upper, From: date("2015-10-01")}
		}
		if t.Name == "fedramp" {
			v.Baseline.Date, v.Tolerance = date("2017-09-30"), 5
			v.Trajectory = gap.Trajectory{Shape: gap.Points, Points: []gap.Point{{Date: date("2018-09-30"), Value: 110}, {Date: date("2019-09-30"), Value: 145}, {Date: date("2020-09-30"), Value: 165}}}
		}
		p.Targets = append(p.Targets, gap.Target{Name: t.Name, Title: t.Title, Objective: t.Objective, Metric: t.Metric, Owner: t.Owner, Versions: []gap.Setpoint{v}})
	}
	rule := gap.Explanation{Rule: "weighted mean of the known parts; on track from 0.75, at risk from 0.4; under half known: no data",
		Inputs: []gap.Input{{Name: "weight", Value: 3.0}}, Revisions: []uint64{4, 5, 6}}
	r.Objectives = []gap.RollUp{
		{Name: "inventory", Title: "Reduce the cost of the inventory", Strategy: "plan", Status: gap.OffTrack, Score: num(.25), Known: 2.0 / 3, Targets: 3,
			Counts: map[gap.Status]int{gap.AtRisk: 1, gap.OffTrack: 1, gap.NoData: 1}, Explanation: rule},
		{Name: "modern", Title: "Lead technology modernization", Strategy: "plan", Status: gap.OnTrack, Score: num(1), Progress: num(.43), Known: .5, Targets: 3,
			Counts: map[gap.Status]int{gap.OnTrack: 1, gap.NotStarted: 1, gap.NoData: 1}, Explanation: rule},
		{Name: "savings", Title: "Save taxpayer money", Strategy: "plan", Status: gap.NoData, Known: .4, Targets: 6,
			Counts: map[gap.Status]int{gap.Achieved: 1, gap.Missed: 1, gap.NoData: 2, gap.AtRisk: 1, gap.OffTrack: 1}, Explanation: rule},
	}
	r.Strategies = []gap.RollUp{{Name: "plan", Title: "Strategic plan 2018–2022", Strategy: "plan", Status: gap.AtRisk, Score: num(.5), Known: .625, Targets: 9, Explanation: rule}}
	r.Units = []gap.RollUp{{Name: "technology", Title: "Technology", Status: gap.OnTrack, Score: num(1), Known: .5, Targets: 3}}
	return p, r
}

// shuffled is the same portfolio and result in another order.
func shuffled(p gap.Portfolio, r gap.Result, seed uint64) (gap.Portfolio, gap.Result) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	mix(rnd, &p.Units)
	mix(rnd, &p.Strategies)
	mix(rnd, &p.Objectives)
	mix(rnd, &p.Metrics)
	mix(rnd, &p.Targets)
	mix(rnd, &r.Targets)
	mix(rnd, &r.Objectives)
	mix(rnd, &r.Strategies)
	mix(rnd, &r.Units)
	for i := range r.Targets {
		mix(rnd, &r.Targets[i].Periods)
		mix(rnd, &r.Targets[i].Explanation.Revisions)
	}
	for i := range p.Metrics {
		mix(rnd, &p.Metrics[i].Observations)
		mix(rnd, &p.Metrics[i].Breaks)
	}
	return p, r
}

func mix[T any](rnd *rand.Rand, list *[]T) {
	*list = slices.Clone(*list)
	rnd.Shuffle(len(*list), func(i, j int) { (*list)[i], (*list)[j] = (*list)[j], (*list)[i] })
}
