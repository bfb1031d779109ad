package gap

import (
	"encoding/json"
	"math"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"setpoint.dev/services/internal/calendar"
)

// drawPortfolio makes a small portfolio of every form, with gaps, duplicates
// and dangling references. Values are small multiples of ¼, so that mirroring
// and scaling by powers of two are exact.
func drawPortfolio(t *rapid.T) Portfolio {
	value := func(label string) float64 { return float64(rapid.IntRange(-400, 400).Draw(t, label)) / 4 }
	some := func(label string) *float64 {
		if rapid.Bool().Draw(t, label+"?") {
			return nil
		}
		v := value(label)
		return &v
	}
	date := func(label string, days int) calendar.Date {
		return day("2015-01-01").AddDays(rapid.IntRange(0, days).Draw(t, label))
	}
	p := Portfolio{Strategies: []Strategy{{Name: "s"}}, Units: []Unit{{Name: "u"}, {Name: "v", Parent: "u"}}}
	objectives := []string{"a", "b", "c", "missing"}
	for _, name := range objectives[:3] {
		o := Objective{Name: name, Strategy: "s", Owner: "unit/v", Weight: float64(rapid.IntRange(0, 3).Draw(t, "weight"))}
		for range rapid.IntRange(0, 2).Draw(t, "edges") {
			o.ContributesTo = append(o.ContributesTo, Edge{rapid.SampledFrom(objectives).Draw(t, "parent"), float64(rapid.IntRange(0, 2).Draw(t, "edge weight"))})
		}
		p.Objectives = append(p.Objectives, o)
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "metrics") {
		m := Metric{
			Name: string(rune('m' + i)), ReportingLagDays: rapid.SampledFrom([]int{-1, 0, 30}).Draw(t, "lag"), Calendar: calendar.Months(rapid.IntRange(1, 12).Draw(t, "fiscal year")),
			Cadence:       rapid.SampledFrom([]calendar.Cadence{calendar.Daily, calendar.Weekly, calendar.Monthly, calendar.Quarterly, calendar.Yearly}).Draw(t, "cadence"),
			ReportedEvery: rapid.SampledFrom([]calendar.Cadence{"", calendar.Monthly}).Draw(t, "every"),
			Aggregation:   rapid.SampledFrom([]Aggregation{Last, Sum, Mean}).Draw(t, "aggregation"),
			Accumulate:    rapid.IntRange(0, 3).Draw(t, "accumulate?") == 0,
		}
		if rapid.IntRange(0, 3).Draw(t, "4-4-5?") == 0 {
			m.Calendar = calendar.FourFourFive(m.Calendar.FiscalYearStart(), time.Saturday)
		}
		if rapid.IntRange(0, 3).Draw(t, "break?") == 0 {
			m.Breaks = []Break{{date("break", 1500), "changed"}}
		}
		for k := range rapid.IntRange(0, 20).Draw(t, "observations") {
			at := date("at", 1800)
			if rapid.Bool().Draw(t, "at the end") {
				at = m.Calendar.Span(at, m.Cadence).End
			}
			m.Observations = append(m.Observations, Observation{At: at, Value: value("v"), Revision: uint64(100 + k)})
		}
		p.Metrics = append(p.Metrics, m)
	}
	if n := len(p.Metrics); n > 1 && rapid.IntRange(0, 2).Draw(t, "ratio?") == 0 {
		// The second metric divides the first by one that no target is on.
		per := Metric{Name: divisor, Cadence: p.Metrics[0].Cadence, Calendar: p.Metrics[0].Calendar, Aggregation: Sum}
		for _, o := range p.Metrics[0].Observations {
			per.Observations = append(per.Observations, Observation{At: o.At, Value: float64(rapid.SampledFrom([]int{0, 1, 2, 4}).Draw(t, "divisor")), Revision: o.Revision})
		}
		ratio := &p.Metrics[1]
		ratio.Aggregation, ratio.Ratio, ratio.Accumulate = RatioOf, &Ratio{"m", divisor}, false
		p.Metrics = append(p.Metrics, per)
	}
	for i := range rapid.IntRange(1, 5).Draw(t, "targets") {
		target := Target{Name: string(rune('t' + i)), Metric: rapid.SampledFrom([]string{"m", "n", "missing"}).Draw(t, "metric"),
			Objective: rapid.SampledFrom(objectives).Draw(t, "objective"), Weight: float64(rapid.IntRange(0, 3).Draw(t, "weight"))}
		for k := range rapid.IntRange(1, 2).Draw(t, "versions") {
			sp := Setpoint{Revision: uint64(10 + k), Effective: date("effective", 1000), Due: date("due", 2500),
				Direction: Direction(rapid.IntRange(-1, 1).Draw(t, "direction")), Tolerance: float64(rapid.IntRange(0, 3).Draw(t, "tolerance")), Scale: float64(rapid.IntRange(0, 1).Draw(t, "scale"))}
			switch rapid.IntRange(0, 2).Draw(t, "form") {
			case 0:
				sp.Value = num(value("g"))
				if rapid.Bool().Draw(t, "percentage") {
					sp.Value, sp.ChangeFromBaseline = nil, num(rapid.SampledFrom([]float64{-1, -.5, 0, .5}).Draw(t, "change"))
				}
				if rapid.IntRange(0, 3).Draw(t, "baseline?") > 0 {
					sp.Baseline = &Baseline{Date: date("baseline date", 700), Value: some("baseline")}
				}
				sp.Trajectory.Shape = rapid.SampledFrom([]Shape{"", Linear, Exponential, SCurve, Step, Points}).Draw(t, "shape")
				for range rapid.IntRange(0, 3).Draw(t, "points") {
					sp.Trajectory.Points = append(sp.Trajectory.Points, Point{date("point", 2500), value("point value")})
				}
				sp.Trajectory.Steps = rapid.Bool().Draw(t, "steps")
				if rapid.Bool().Draw(t, "start") {
					sp.Trajectory.Start = &Point{date("start date", 700), value("start")}
				}
			case 1:
				for _, y := range []string{"2015", "2016", "2017-Q1", "FY2017-P11", "2018-06", "2019"} {
					if rapid.Bool().Draw(t, y) {
						sp.Periods = append(sp.Periods, PeriodTarget{Period: y, Value: some("period value"), Excluded: rapid.SampledFrom([]string{"", "", "", "why"}).Draw(t, "excluded")})
					}
				}
			case 2:
				lower := value("lower")
				upper := lower + float64(rapid.IntRange(0, 100).Draw(t, "width"))
				sp.Maintain = &Maintain{Lower: &lower, Upper: &upper, From: date("from", 700)}
				if rapid.Bool().Draw(t, "one-sided") {
					sp.Maintain.Upper = nil
				}
			}
			target.Versions = append(target.Versions, sp)
		}
		p.Targets = append(p.Targets, target)
	}
	return p
}

// divisor is the metric whose values have no unit of their own.
const divisor = "per"

func drawAsOf(t *rapid.T) calendar.Date {
	return day("2015-01-01").AddDays(rapid.IntRange(-10, 3000).Draw(t, "as of"))
}

func drawPolicy(t *rapid.T) Policy {
	p, _ := PolicyNamed(rapid.SampledFrom(PolicyNames()).Draw(t, "policy"))
	p.RollUp.Missing = rapid.SampledFrom([]Missing{MissingUnknown, MissingExcluded, MissingFailed}).Draw(t, "missing")
	p.RollUp.Method = rapid.SampledFrom([]RollUpMethod{Weighted, Worst, Threshold}).Draw(t, "method")
	return p
}

// convert multiplies every value of a portfolio by k; a negative k turns the
// directions and the bounds round.
func convert(p Portfolio, k float64) Portfolio {
	mul := func(v *float64) *float64 {
		if v == nil {
			return nil
		}
		return num(*v * k)
	}
	p.Metrics, p.Targets = slices.Clone(p.Metrics), slices.Clone(p.Targets)
	for i := range p.Metrics {
		m := &p.Metrics[i]
		m.Observations = slices.Clone(m.Observations)
		for j := range m.Observations {
			if m.Name != divisor {
				m.Observations[j].Value *= k
			}
		}
	}
	for i := range p.Targets {
		versions := slices.Clone(p.Targets[i].Versions)
		for j := range versions {
			sp := &versions[j]
			if k < 0 {
				sp.Direction = -sp.Direction
			}
			sp.Tolerance *= math.Abs(k)
			sp.Scale *= math.Abs(k)
			sp.Value = mul(sp.Value)
			if sp.Baseline != nil {
				sp.Baseline = &Baseline{sp.Baseline.Date, mul(sp.Baseline.Value)}
			}
			sp.Trajectory.Points = slices.Clone(sp.Trajectory.Points)
			for l := range sp.Trajectory.Points {
				sp.Trajectory.Points[l].Value *= k
			}
			if s := sp.Trajectory.Start; s != nil {
				sp.Trajectory.Start = &Point{s.Date, s.Value * k}
			}
			sp.Periods = slices.Clone(sp.Periods)
			for l := range sp.Periods {
				sp.Periods[l].Value = mul(sp.Periods[l].Value)
			}
			if m := sp.Maintain; m != nil {
				sp.Maintain = &Maintain{mul(m.Lower), mul(m.Upper), m.From, m.To}
				if k < 0 {
					sp.Maintain.Lower, sp.Maintain.Upper = sp.Maintain.Upper, sp.Maintain.Lower
				}
			}
		}
		p.Targets[i].Versions = versions
	}
	return p
}

// Another unit, or the mirror image, changes no verdict, share or progress;
// gaps scale with |k| and keep their sign.
func TestUnitsAndMirrorsChangeNoVerdict(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, asOf, policy := drawPortfolio(t), drawAsOf(t), drawPolicy(t)
		k := rapid.SampledFrom([]float64{-1, 2, .25, -1024}).Draw(t, "k")
		was, is := Evaluate(p, asOf, policy, Options{}), Evaluate(convert(p, k), asOf, policy, Options{})
		same := func(what string, a, b *float64, k float64) {
			if (a == nil) != (b == nil) || (a != nil && math.Abs(*a*k-*b) > 1e-9*math.Max(1, math.Abs(*b))) {
				t.Fatalf("%s: %v and %v times %v", what, show(a), show(b), k)
			}
		}
		for i, a := range was.Targets {
			b := is.Targets[i]
			if a.Status != b.Status || a.Stale != b.Stale || a.LastKnownStatus != b.LastKnownStatus || a.Period != b.Period {
				t.Fatalf("%s is %s, converted %s", a.Name, a.Status, b.Status)
			}
			if (k < 0 && a.Direction != -b.Direction) || (k > 0 && a.Direction != b.Direction) {
				if a.Form != MilestoneForm {
					t.Fatalf("%s: directions %v and %v", a.Name, a.Direction, b.Direction)
				}
			}
			same("share", a.Share, b.Share, 1)
			same("progress", a.Progress, b.Progress, 1)
			same("score", a.Score, b.Score, 1)
			same("gap", a.Gap, b.Gap, math.Abs(k))
			same("drift", a.Drift, b.Drift, math.Abs(k))
			same("target drift", a.TargetDrift, b.TargetDrift, math.Abs(k))
			same("actual", a.Actual, b.Actual, k)
			same("expected", a.Expected, b.Expected, k)
		}
		for i, a := range was.Strategies {
			if a.Status != is.Strategies[i].Status {
				t.Fatalf("strategy is %s, converted %s", a.Status, is.Strategies[i].Status)
			}
			same("strategy score", a.Score, is.Strategies[i].Score, 1)
		}
	})
}

func show(v *float64) any {
	if v == nil {
		return nil
	}
	return *v
}

// The order in which a portfolio lists its parts changes nothing, explaining
// changes no number, evaluating twice gives the same, and nothing of the
// portfolio is written to.
func TestOrderAndRepetitionChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, asOf, policy := drawPortfolio(t), drawAsOf(t), drawPolicy(t)
		before := encode(t, p)
		want := Evaluate(p, asOf, policy, Options{Explain: true})
		if diff := cmp.Diff(want, Evaluate(p, asOf, policy, Options{Explain: true})); diff != "" {
			t.Fatalf("the second time: %s", diff)
		}
		if after := encode(t, p); after != before {
			t.Fatalf("the portfolio was changed:\n%s\n%s", before, after)
		}
		r := rand.New(rand.NewSource(rapid.Int64().Draw(t, "seed")))
		q := convert(p, 1)
		shuffle(r, q.Strategies)
		shuffle(r, q.Units)
		q.Objectives = slices.Clone(q.Objectives)
		shuffle(r, q.Objectives)
		shuffle(r, q.Metrics)
		shuffle(r, q.Targets)
		for i := range q.Metrics {
			shuffle(r, q.Metrics[i].Observations)
		}
		for i := range q.Targets {
			shuffle(r, q.Targets[i].Versions)
		}
		for i := range q.Objectives {
			q.Objectives[i].ContributesTo = slices.Clone(q.Objectives[i].ContributesTo)
		}
		approx := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) <= 1e-12*math.Max(1, math.Abs(a)) })
		if diff := cmp.Diff(want, Evaluate(q, asOf, policy, Options{Explain: true}), approx); diff != "" {
			t.Fatalf("in another order: %s", diff)
		}
		bare := Evaluate(p, asOf, policy, Options{})
		for i, a := range want.Targets {
			b := bare.Targets[i]
			a.Explanation, a.Periods, a.Quality, b.Quality = Explanation{}, nil, Quality{}, Quality{}
			if diff := cmp.Diff(a, b); diff != "" {
				t.Fatalf("without explanation: %s", diff)
			}
		}
	})
}

func shuffle[T any](r *rand.Rand, list []T) {
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

func encode(t *rapid.T, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A green status has a value, a gap or a band behind it, and fresh data;
// numbers are finite, scores within 0 to 1, every status is explained.
func TestUnknownIsNeverGreen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, asOf, policy := drawPortfolio(t), drawAsOf(t), drawPolicy(t)
		result := Evaluate(p, asOf, policy, Options{Explain: true})
		if _, err := json.Marshal(result); err != nil {
			t.Fatalf("not a number: %v", err)
		}
		for _, r := range result.Targets {
			if r.Status.Green() && (r.Actual == nil || r.Gap == nil || r.Stale || r.ActualAt.After(asOf)) {
				t.Fatalf("green: %+v", r)
			}
			if r.Stale && (r.LastKnownStatus == "" || r.LastKnownStatus == NoData) {
				t.Fatalf("stale, last known %q", r.LastKnownStatus)
			}
			if r.Score != nil && (*r.Score < 0 || *r.Score > 1) {
				t.Fatalf("score %v", *r.Score)
			}
			if r.Explanation.Rule == "" || !strings.HasSuffix(strings.TrimSpace(r.Explanation.Rule), ".") && !strings.Contains(r.Explanation.Rule, "excluded") {
				t.Fatalf("%s is explained by %q", r.Status, r.Explanation.Rule)
			}
		}
		for _, u := range slices.Concat(result.Objectives, result.Strategies, result.Units) {
			if u.Known < 0 || u.Known > 1 || (u.Score != nil && (*u.Score < 0 || *u.Score > 1)) {
				t.Fatalf("%+v", u)
			}
			if u.Status.Green() && u.Known == 0 {
				t.Fatalf("green and unknown: %+v", u)
			}
		}
		// Without observations nothing is green; long after them only what was
		// decided for good.
		for i := range p.Metrics {
			p.Metrics[i].Observations = nil
		}
		for _, r := range Evaluate(p, asOf, policy, Options{}).Targets {
			if r.Status != NoData && r.Status != NotStarted {
				t.Fatalf("%s of nothing", r.Status)
			}
		}
	})
}

// Data does not get fresher by waiting: where it is stale it stays stale.
func TestStaleStaysStale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, asOf := drawPortfolio(t), day("2019-12-31").AddDays(rapid.IntRange(400, 3000).Draw(t, "as of"))
		for i := range p.Targets {
			p.Targets[i].Versions = p.Targets[i].Versions[:1]
			p.Targets[i].Versions[0].Due = day("2050-12-31")
		}
		a := Evaluate(p, asOf, Default(), Options{})
		b := Evaluate(p, asOf.AddDays(rapid.IntRange(1, 900).Draw(t, "days")), Default(), Options{})
		for i := range a.Targets {
			if a.Targets[i].Stale && !b.Targets[i].Stale {
				t.Fatalf("%+v\n%+v", a.Targets[i], b.Targets[i])
			}
		}
	})
}

// What cannot be a value is as if it were not there.
func TestImpossibleNumbers(t *testing.T) {
	m := yearly(2017, math.NaN(), math.Inf(1))
	for name, p := range map[string]Portfolio{
		"not a number": one2one(m, line("2016-09-30", 0, "2020-09-30", 10)),
		"too large":    one2one(yearly(2017, -math.MaxFloat64), line("2016-09-30", 0, "2020-09-30", math.MaxFloat64)),
		"sum too large": func() Portfolio {
			m := yearly(2017, math.MaxFloat64)
			m.Aggregation = Sum
			m.Observations = append(m.Observations, observe("2017-09-29", math.MaxFloat64))
			return one2one(m, line("2016-09-30", 0, "2020-09-30", 10))
		}(),
	} {
		r := Evaluate(p, day("2017-12-31"), Default(), Options{Explain: true})
		if _, err := json.Marshal(r); err != nil || r.Targets[0].Status != NoData {
			t.Errorf("%s: %s, %v", name, r.Targets[0].Status, err)
		}
	}
}
