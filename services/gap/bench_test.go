//go:build unix

package gap

import (
	"fmt"
	"math"
	"slices"
	"syscall"
	"testing"
	"time"

	"setpoint.dev/services/internal/calendar"
)

// large is a portfolio of n targets, each with a metric of 60 months.
func large(n int) Portfolio {
	p := Portfolio{Strategies: []Strategy{{Name: "s"}}}
	for i := range max(1, n/20) {
		p.Objectives = append(p.Objectives, Objective{Name: fmt.Sprintf("o%05d", i), Strategy: "s"})
	}
	b, g := 100.0, 200.0
	var ends [60]calendar.Date
	for k := range ends {
		ends[k] = calendar.Of(2017, time.Month(11+k), 0)
	}
	for i := range n {
		name := fmt.Sprintf("t%06d", i)
		m := Metric{Name: name, Cadence: calendar.Monthly, Calendar: calendar.Months(10), ReportingLagDays: -1, Aggregation: Last, Revision: 3}
		m.Observations = make([]Observation, 60)
		for k := range m.Observations {
			m.Observations[k] = Observation{At: ends[k], Value: b + float64(k) + 10*math.Sin(float64(i+k)), Revision: uint64(100 + k)}
		}
		p.Metrics = append(p.Metrics, m)
		p.Targets = append(p.Targets, Target{Name: name, Metric: name, Objective: p.Objectives[i%len(p.Objectives)].Name, Versions: []Setpoint{{
			Revision: 4, Baseline: &Baseline{Date: day("2017-09-30"), Value: &b}, Value: &g, Due: day("2024-09-30"),
		}}})
	}
	return p
}

var benchAsOf = day("2022-10-15")

// BenchmarkEvaluate measures an evaluation without explanation beside a loop
// written for nothing but this portfolio, which does the same arithmetic; the
// ratio is the median of rounds in which both take turns.
func BenchmarkEvaluate(b *testing.B) {
	sizes := []int{1_000, 10_000, 100_000}
	each := func(name string, n int, run func(*Portfolio) int) {
		b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
			p := large(n)
			b.ReportAllocs()
			for b.Loop() {
				if run(&p) != n {
					b.Fatal("a target is missing")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/target")
		})
	}
	for _, n := range sizes {
		each("setpoint", n, bySetpoint)
	}
	for _, n := range sizes {
		each("loop", n, func(p *Portfolio) int { return len(byHand(p, benchAsOf).targets) })
	}
	each("explained", 1_000, func(p *Portfolio) int {
		return len(Evaluate(*p, benchAsOf, Default(), Options{Explain: true}).Targets)
	})
	for _, n := range sizes {
		b.Run(fmt.Sprintf("ratio/%d", n), func(b *testing.B) {
			p := large(n)
			runs := max(1, 20_000/n) // a round is long enough to be timed
			var ratios []float64
			for b.Loop() {
				begin := processorTime(b)
				for range runs {
					bySetpoint(&p)
				}
				middle := processorTime(b)
				for range runs {
					byHand(&p, benchAsOf)
				}
				ratios = append(ratios, float64(middle-begin)/float64(processorTime(b)-middle))
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], "ratio")
		})
	}
}

// processorTime is what the process has used so far, its garbage collection
// included; other processes on the machine do not count.
func processorTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func bySetpoint(p *Portfolio) int {
	return len(Evaluate(*p, benchAsOf, Default(), Options{}).Targets)
}

// handMade is what the loop computes of a target.
type handMade struct {
	name, objective, period      string
	status                       Status
	stale                        bool
	actual, baseline, target     float64
	expected, expectedNow        float64
	gap, drift, share            float64
	progress, score              float64
	actualAt, due, lastAt, until calendar.Date
}

type handSum struct {
	name          string
	weight, score float64
	progress      float64
	targets       int
	status        Status
}

type handResult struct {
	targets    []handMade
	objectives []handSum
	strategy   handSum
}

// byHand compares the targets of this one shape of portfolio: monthly values
// in order, of which the last counts, a line from a declared baseline to a
// value to rise to. It checks that the values are in order and finite, takes
// the last closed month, and gives the same numbers, status, freshness and
// roll-ups as Evaluate.
func byHand(p *Portfolio, asOf calendar.Date) handResult {
	metrics := make(map[string]*Metric, len(p.Metrics))
	for i := range p.Metrics {
		metrics[p.Metrics[i].Name] = &p.Metrics[i]
	}
	index := make(map[string]int, len(p.Objectives))
	out := handResult{targets: make([]handMade, len(p.Targets)), objectives: make([]handSum, len(p.Objectives))}
	for i := range p.Objectives {
		index[p.Objectives[i].Name] = i
		out.objectives[i].name = p.Objectives[i].Name
	}
	var month calendar.Period
	closed := calendar.Span(asOf.AddDays(1), calendar.Monthly, 10).Start.AddDays(-1) // the last day of a month that is over
	for i := range p.Targets {
		t, r := &p.Targets[i], &out.targets[i]
		sp, m := &t.Versions[0], metrics[t.Metric]
		r.name, r.objective, r.status = t.Name, t.Objective, NoData
		var last *Observation
		var before calendar.Date
		for k := range m.Observations {
			o := &m.Observations[k]
			if !before.Before(o.At) || o.Value-o.Value != 0 {
				panic("the values are not in order")
			}
			before = o.At
			if o.At.After(asOf) {
				break
			}
			if !o.At.After(closed) {
				last = o
			}
		}
		if last == nil {
			continue
		}
		if !month.Contains(last.At) {
			month = calendar.PeriodOf(last.At, calendar.Monthly, 10)
		}
		next := calendar.Span(month.End.AddDays(1), calendar.Monthly, 10)
		after := calendar.Span(next.End.AddDays(1), calendar.Monthly, 10)
		r.until = next.End.AddDays((after.Days() + 1) / 2)
		b, g := *sp.Baseline.Value, *sp.Value
		line := func(d calendar.Date) float64 {
			return b + (g-b)*float64(d.Sub(sp.Baseline.Date))/float64(sp.Due.Sub(sp.Baseline.Date))
		}
		v := last.Value
		r.actual, r.actualAt, r.period, r.lastAt = v, month.End, month.Name, month.End
		r.baseline, r.target, r.due = b, g, sp.Due
		r.expected, r.expectedNow = line(month.End), line(asOf)
		r.gap, r.drift = g-v, r.expected-v
		r.share = r.drift / (g - b)
		r.progress = (v - b) / (g - b)
		r.score = math.Min(1, math.Max(0, r.progress))
		health := 0.0
		switch {
		case r.gap <= 0:
			r.status, health = Achieved, 1
		case r.share <= 0.05+1e-9:
			r.status, health = OnTrack, 1
		case r.share <= 0.15+1e-9:
			r.status, health = AtRisk, 0.5
		default:
			r.status = OffTrack
		}
		if asOf.After(r.until) && r.status.Green() {
			r.status, r.stale = NoData, true
			continue
		}
		o := &out.objectives[index[t.Objective]]
		o.weight++
		o.score += health
		o.progress += r.score
		o.targets++
	}
	for i := range out.objectives {
		o := &out.objectives[i]
		o.close()
		out.strategy.weight++
		out.strategy.score += o.score
		out.strategy.progress += o.progress
		out.strategy.targets += o.targets
	}
	out.strategy.close()
	return out
}

func (s *handSum) close() {
	if s.weight == 0 {
		s.status = NoData
		return
	}
	s.score /= s.weight
	s.progress /= s.weight
	switch {
	case s.score >= 0.75:
		s.status = OnTrack
	case s.score >= 0.4:
		s.status = AtRisk
	default:
		s.status = OffTrack
	}
}

// The loop is a fair one: it computes what Evaluate does.
func TestLoopComputesTheSame(t *testing.T) {
	p := large(500)
	got, want := Evaluate(p, benchAsOf, Default(), Options{}), byHand(&p, benchAsOf)
	for i := range want.targets {
		r, w := &got.Targets[i], &want.targets[i]
		if r.Name != w.name || r.Status != w.status || r.Stale != w.stale || r.Period != w.period || r.ActualAt != w.actualAt || r.Quality.NextDue != w.until {
			t.Fatalf("%+v\n%+v", r, w)
		}
		near(t, "actual", r.Actual, &w.actual)
		near(t, "expected", r.Expected, &w.expected)
		near(t, "expected now", r.ExpectedNow, &w.expectedNow)
		near(t, "gap", r.Gap, &w.gap)
		near(t, "drift", r.Drift, &w.drift)
		near(t, "share", r.Share, &w.share)
		near(t, "progress", r.Progress, &w.progress)
		near(t, "score", r.Score, &w.score)
	}
	for i, w := range append(want.objectives, want.strategy) {
		r := append(got.Objectives, got.Strategies...)[i]
		if r.Status != w.status || r.Targets != w.targets {
			t.Fatalf("%+v\n%+v", r, w)
		}
		near(t, "roll-up", r.Score, &w.score)
		near(t, "progress of a roll-up", r.Progress, &w.progress)
	}
}

// BenchmarkForecast measures what a probability, and a whole outlook, add to an
// evaluation, for each target of 60 months with two years to go.
func BenchmarkForecast(b *testing.B) {
	p := large(1_000)
	policy, _ := PolicyNamed("default")
	for _, c := range []struct {
		name string
		opts Options
	}{{"chances", Options{Forecast: true, Chances: true}}, {"outlooks", Options{Forecast: true}}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				Evaluate(p, benchAsOf, policy, c.opts)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000/1000, "µs/target")
		})
	}
}

// BenchmarkRollUps measures what an observation costs beyond its own targets: what
// is above all 10,000 is rolled up from kept results.
func BenchmarkRollUps(b *testing.B) {
	p := large(10_000)
	policy, _ := PolicyNamed("")
	kept := Evaluate(p, benchAsOf, policy, Options{}).Targets
	b.ReportAllocs()
	began := processorTime(b)
	for b.Loop() {
		if r := RollUps(p, kept, policy); len(r.Objectives) != 500 {
			b.Fatal("an objective is missing")
		}
	}
	b.ReportMetric(float64((processorTime(b)-began).Nanoseconds())/float64(b.N), "cpu-ns/op")
}
