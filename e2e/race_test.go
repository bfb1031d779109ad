package e2e_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"connectrpc.com/connect"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

// together runs n functions from one start gate and returns their errors.
func together(n int, f func(i int) error) []error {
	errs := make([]error, n)
	gate := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-gate
			errs[i] = f(i)
		})
	}
	close(gate)
	all.Wait()
	return errs
}

func TestTwoWritersOnOneTarget(t *testing.T) {
	c := connectTo(t, service(t), "default")
	c.apply(small)
	write := func(value int) string {
		return fmt.Sprintf("{apiVersion: setpoint.dev/v1, kind: Target, metadata: {name: t}, spec: {metric: revenue, objective: grow, direction: increase, value: %d, due: 2030-12-31}}", value)
	}
	for round := range 10 {
		base := c.apply(write(1000 * (round + 1))).GetRevision()
		errs := together(8, func(i int) error {
			_, err := c.declare.Apply(context.Background(), &declarationv1.ApplyRequest{
				ExpectedRevision: base, Manifests: manifests(write(1000*(round+1) + i + 1)),
			})
			return err
		})
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case connect.CodeOf(err) != connect.CodeAborted || detail(err).GetRevision() <= base:
				t.Errorf("a loser got %v, %v", err, detail(err))
			}
		}
		if won != 1 {
			t.Fatalf("round %d: %d writers won", round, won)
		}
	}
	// Without an expected revision each writes in its turn, none is lost.
	before := len(c.history("target", "t"))
	for i, err := range together(8, func(i int) error {
		_, err := c.declare.Apply(context.Background(), &declarationv1.ApplyRequest{Manifests: manifests(write(i + 1))})
		return err
	}) {
		if err != nil {
			t.Errorf("writer %d: %v", i, err)
		}
	}
	if after := len(c.history("target", "t")); after != before+8 {
		t.Errorf("8 applies took the history from %d entries to %d", before, after)
	}
}

func TestTwoAppliesThatTogetherWouldCloseACycle(t *testing.T) {
	c := connectTo(t, service(t), "default")
	c.apply(small)
	for round := range 20 {
		a, b := fmt.Sprintf("a%d", round), fmt.Sprintf("b%d", round)
		plain := "{apiVersion: setpoint.dev/v1, kind: Objective, metadata: {name: %s}, spec: {strategy: plan}}\n---\n"
		edge := "{apiVersion: setpoint.dev/v1, kind: Objective, metadata: {name: %s}, spec: {strategy: plan, contributesTo: [{objective: %s}]}}"
		c.apply(fmt.Sprintf(plain+plain, a, b))
		errs := together(2, func(i int) error {
			from, to := a, b
			if i == 1 {
				from, to = b, a
			}
			_, err := c.declare.Apply(context.Background(), &declarationv1.ApplyRequest{Manifests: manifests(fmt.Sprintf(edge, from, to))})
			return err
		})
		refused := 0
		for _, err := range errs {
			if err != nil {
				refused++
				if fs := faults(err); len(fs) != 1 || fs[0].GetReason() != "declaration.cycle" {
					t.Errorf("refused with %v %v", err, fs)
				}
			}
		}
		if refused != 1 {
			t.Fatalf("round %d: %d of the two were refused", round, refused)
		}
	}
}

func TestADeletionAgainstADeclarationThatNeedsIt(t *testing.T) {
	c := connectTo(t, service(t), "default")
	c.apply(small)
	for round := range 10 {
		m := fmt.Sprintf("m%d", round)
		c.apply(fmt.Sprintf("{apiVersion: setpoint.dev/v1, kind: Metric, metadata: {name: %s}, spec: {cadence: yearly}}", m))
		errs := together(2, func(i int) error {
			if i == 0 {
				_, err := c.declare.Delete(context.Background(), &declarationv1.DeleteRequest{Kind: "Metric", Name: m})
				return err
			}
			_, err := c.declare.Apply(context.Background(), &declarationv1.ApplyRequest{Manifests: manifests(fmt.Sprintf(
				"{apiVersion: setpoint.dev/v1, kind: Target, metadata: {name: t%d}, spec: {metric: %s, direction: increase, value: 1, due: 2030-12-31}}", round, m))})
			return err
		})
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("round %d: deletion %v, declaration %v", round, errs[0], errs[1])
		}
	}
}

func TestTwentyWritersOnOneMetricLoseNothing(t *testing.T) {
	c := connectTo(t, service(t), "default")
	c.apply(small)
	for i, err := range together(20, func(i int) error {
		for n := range 10 {
			if _, err := c.record(value("revenue", fmt.Sprintf("%d-01-%02d", 2000+i, n+1), float64(i))); err != nil {
				return err
			}
		}
		return nil
	}) {
		if err != nil {
			t.Errorf("writer %d: %v", i, err)
		}
	}
	res, err := c.observe.ListObservations(context.Background(), &strategyv1.ListObservationsRequest{Metric: "revenue"})
	if err != nil || len(res.GetObservations()) != 200 {
		t.Errorf("%d values, %v", len(res.GetObservations()), err)
	}
}
