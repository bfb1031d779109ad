package gap

import (
	"fmt"
	"math"
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

func BenchmarkEvaluate(b *testing.B) {
	const targets = 10_000
	p := large(targets)
	for _, explain := range []bool{false, true} {
		b.Run(fmt.Sprintf("explain=%v", explain), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if r := Evaluate(p, day("2022-10-15"), Default(), Options{Explain: explain}); len(r.Targets) != targets {
					b.Fatal(len(r.Targets))
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/targets, "ns/target")
		})
	}
	b.Run("loop", func(b *testing.B) {
		for b.Loop() {
			if n := byHand(p, day("2022-10-15")); n == 0 {
				b.Fatal(n)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/targets, "ns/target")
	})
}

// byHand is the least that a loop for this one portfolio must do: find the
// value of the last closed month, take a point of the line, compare.
func byHand(p Portfolio, asOf calendar.Date) (green int) {
	metrics := make(map[string]*Metric, len(p.Metrics))
	for i := range p.Metrics {
		metrics[p.Metrics[i].Name] = &p.Metrics[i]
	}
	for i := range p.Targets {
		sp := &p.Targets[i].Versions[0]
		m := metrics[p.Targets[i].Metric]
		var last *Observation
		for k := range m.Observations {
			if o := &m.Observations[k]; !o.At.After(asOf) && (last == nil || o.At.After(last.At)) {
				last = o
			}
		}
		b, g := *sp.Baseline.Value, *sp.Value
		u := float64(last.At.Sub(sp.Baseline.Date)) / float64(sp.Due.Sub(sp.Baseline.Date))
		if drift := b + (g-b)*u - last.Value; drift/(g-b) <= 0.05 {
			green++
		}
	}
	return green
}
