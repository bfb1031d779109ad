package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/gap"
	"setpoint.dev/services/gap/portfolio"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/record/postgres"
	"setpoint.dev/services/internal/record/sqlite"
	"setpoint.dev/services/internal/rpc"
	"setpoint.dev/services/kinds"
)

const (
	firstYear = 2016
	years     = 10
	// perObjective is how many targets an objective has.
	perObjective = 50
	// got is how many targets are read by name in one measurement.
	got = 1_000
)

// asOfTargets compares what is read of a plan of many targets as of a year of
// its history with the same reads of today, on SQLite.
func (b bench) asOfTargets(ctx context.Context) error {
	dir, remove, err := b.folder()
	if err != nil {
		return err
	}
	defer remove()
	store, err := sqlite.Open(ctx, filepath.Join(dir, "record.db"), kinds.Registry())
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	return b.decade(ctx, store)
}

// asOfTargetsPostgres does the same on PostgreSQL.
func (b bench) asOfTargetsPostgres(ctx context.Context) (err error) {
	s, err := privateServer(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	data, err := postgres.Open(ctx, postgres.Options{URL: s.URL("postgres"), Kinds: kinds.Registry()})
	if err != nil {
		return err
	}
	defer func() { _ = data.Close() }()
	store, _, err := data.Live(ctx)
	if err != nil {
		return err
	}
	return b.decade(ctx, store)
}

// year writes what one year brings, the first also what is declared once.
func (b bench) year(y int) []record.Change {
	to := uint64(y + 1)
	recorded := time.Date(firstYear+y, 12, 31, 12, 0, 0, 0, time.UTC)
	var changes []record.Change
	put := func(kind, name string, spec proto.Message) {
		changes = append(changes, record.PutResource{Resource: record.Resource{
			Org: rpc.DefaultOrg, Kind: kind, Name: name, ID: name, From: to, Recorded: recorded,
			Effective: recorded.Format(time.DateOnly), Metadata: &commonv1.Metadata{Name: name}, Spec: spec,
		}})
	}
	if y == 0 {
		put("Strategy", "plan", &strategyv1.StrategySpec{Title: "Plan",
			Horizon: &strategyv1.Horizon{Start: fmt.Sprint(firstYear, "-01-01"), End: fmt.Sprint(firstYear+years+5, "-12-31")}})
		for n := 0; n < b.resources; n += perObjective {
			put("Objective", objective(n), &strategyv1.ObjectiveSpec{Strategy: "plan", Title: "Objective"})
		}
	}
	for n := range b.resources {
		name := metric(n)
		if y == 0 {
			put("Metric", name, &strategyv1.MetricSpec{Title: "Metric", Unit: "number", Cadence: "yearly"})
		}
		put("Target", name, &strategyv1.TargetSpec{
			Objective: objective(n), Metric: name, Title: fmt.Sprint("Target of ", firstYear+y),
			Baseline: &strategyv1.Baseline{Date: fmt.Sprint(firstYear-1, "-12-31"), Value: proto.Float64(0)},
			Value:    proto.Float64(float64(100 + y)), Due: fmt.Sprint(firstYear+years+5, "-12-31"),
		})
		changes = append(changes, record.PutObservation{Observation: record.Observation{
			Org: rpc.DefaultOrg, MetricID: name, ObservationKey: record.ObservationKey{At: fmt.Sprint(firstYear+y, "-12-31"), Source: "erp"},
			Value: float64(6*y + n%7), From: to, Recorded: recorded,
		}})
	}
	return append(changes, record.PutCommit{Org: rpc.DefaultOrg, Revision: to, Recorded: recorded})
}

func objective(target int) string { return fmt.Sprint("objective-", target/perObjective) }

// decade writes ten years, each of which sets all targets anew and observes all
// their metrics, and compares reads of the second, the sixth and the ninth year
// with those of the last.
func (b bench) decade(ctx context.Context, store record.Store) error {
	at := record.Checkpoint{}
	begin := time.Now()
	for y := range years {
		to := record.Checkpoint{LogID: "bench", Revision: uint64(y + 1)}
		if err := store.Write(ctx, at, to, b.year(y)); err != nil {
			return err
		}
		at = to
	}
	fmt.Printf("%d targets, set anew and observed in each of %d years, written in %.0f s\n", b.resources, years, time.Since(begin).Seconds())
	type reading struct {
		name string
		read func(v record.View, at uint64) error
	}
	names := make([]string, got)
	for i := range names {
		names[i] = metric(rand.IntN(b.resources))
	}
	for _, r := range []reading{
		{"get", func(v record.View, at uint64) error {
			for _, name := range names {
				if r, err := v.Resource(rpc.DefaultOrg, "Target", name, at); err != nil || r == nil || r.From != at {
					return fmt.Errorf("target %s at %d: %v, %w", name, at, r, err)
				}
			}
			return nil
		}},
		{"list", func(v record.View, at uint64) error {
			list, err := v.Resources(rpc.DefaultOrg, "Target", at, "", 0)
			if err == nil && len(list) != b.resources {
				err = fmt.Errorf("%d targets", len(list))
			}
			return err
		}},
		{"gaps", func(v record.View, at uint64) error {
			asOf, err := calendar.ParseDate(fmt.Sprint(firstYear+at-1, "-12-31"))
			if err != nil {
				return err
			}
			rules, err := portfolio.Rules(v, rpc.DefaultOrg, "", at, asOf)
			if err != nil {
				return err
			}
			p, err := portfolio.Load(v, rpc.DefaultOrg, at, asOf)
			if err != nil {
				return err
			}
			result := gap.Evaluate(p, asOf, rules.Policy, gap.Options{})
			if known := slices.IndexFunc(result.Targets, func(t gap.TargetResult) bool { return t.Actual == nil }); len(result.Targets) != b.resources || known >= 0 {
				return fmt.Errorf("%d targets, the first unknown at %d", len(result.Targets), known)
			}
			return nil
		}},
	} {
		measure := func(revision uint64) (time.Duration, error) {
			begin := time.Now()
			err := store.View(ctx, func(v record.View) error { return r.read(v, revision) })
			return time.Since(begin), err
		}
		if _, err := measure(years); err != nil { // what is read first is read from the disk
			return fmt.Errorf("%s: %w", r.name, err)
		}
		for _, past := range []uint64{2, 6, 9} {
			var ratios []float64
			var nows []time.Duration
			for range b.rounds {
				now, err := measure(years)
				if err != nil {
					return fmt.Errorf("%s: %w", r.name, err)
				}
				then, err := measure(past)
				if err != nil {
					return fmt.Errorf("%s: %w", r.name, err)
				}
				ratios, nows = append(ratios, float64(then)/float64(now)), append(nows, now)
			}
			line(fmt.Sprintf("%s as of year %d / current", r.name, past), fmt.Sprintf("%.2f", median(ratios)), "at most 1.70")
			if past == 9 {
				line(fmt.Sprintf("%s, current, p50", r.name), quantile(nows, .5).Round(10*time.Microsecond).String(), "")
			}
		}
	}
	return nil
}
