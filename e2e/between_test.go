package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

// Whoever expects a revision and is too late learns of both revisions, and who
// wrote what in between: for every write that takes one.
func TestAConflictTellsWhatCameBetween(t *testing.T) {
	c := connectTo(t, service(t), "default")
	ctx := context.Background()
	c.apply(small)
	c.apply(revenue(100, ""))
	seen, err := c.record(value("revenue", "2026-12-31", 7))
	if err != nil {
		t.Fatal(err)
	}
	// Meanwhile somebody else corrects, checks in and declares.
	if _, err := c.observe.CorrectObservation(ctx, &strategyv1.CorrectObservationRequest{
		Observation: value("revenue", "2026-12-31", 8), Manager: "git",
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.observe.CheckIn(ctx, &strategyv1.CheckInRequest{Target: "t", Note: "secret words"}); err != nil {
		t.Fatal(err)
	}
	c.apply(revenue(200, ""))
	late := seen.GetRevision()
	for what, try := range map[string]struct {
		reason, change string
		do             func() error
	}{
		"record": {"strategy.observations_changed", "correct 2026-12-31: 8", func() error {
			_, err := c.observe.RecordObservations(ctx, &strategyv1.RecordObservationsRequest{
				Observations: []*strategyv1.Observation{value("revenue", "2026-12-31", 9)}, Correct: true, ExpectedRevision: late})
			return err
		}},
		"correct": {"strategy.observations_changed", "correct 2026-12-31: 8", func() error {
			_, err := c.observe.CorrectObservation(ctx, &strategyv1.CorrectObservationRequest{
				Observation: value("revenue", "2026-12-31", 9), ExpectedRevision: late})
			return err
		}},
		"check in": {"strategy.checkins_changed", "check in 20", func() error {
			_, err := c.observe.CheckIn(ctx, &strategyv1.CheckInRequest{Target: "t", Note: "mine", ExpectedRevision: late})
			return err
		}},
		"apply": {"declaration.plan_stale", "update Target/t", func() error {
			_, err := c.declare.Apply(ctx, &declarationv1.ApplyRequest{Manifests: manifests(revenue(300, "")), ExpectedRevision: late})
			return err
		}},
		"delete": {"declaration.plan_stale", "update Target/t", func() error {
			_, err := c.declare.Delete(ctx, &declarationv1.DeleteRequest{Kind: "target", Name: "t", ExpectedRevision: late})
			return err
		}},
	} {
		err := try.do()
		d := detail(err)
		if connect.CodeOf(err) != connect.CodeAborted || d.GetReason() != try.reason || d.GetRevision() <= late {
			t.Errorf("%s: %v, %v", what, err, d)
			continue
		}
		for _, revision := range []int64{late, d.GetRevision()} {
			contains(t, what, err.Error(), fmt.Sprint(revision))
		}
		if len(d.GetIntervening()) != 1 {
			t.Errorf("%s: in between came %v", what, d.GetIntervening())
			continue
		}
		i := d.GetIntervening()[0]
		if i.GetRevision() != d.GetRevision() || i.GetPrincipal() == "" || i.GetManager() == "" || i.GetRecorded() == "" ||
			i.GetCount() != 1 || !strings.HasPrefix(i.GetChanges()[0], try.change) {
			t.Errorf("%s: in between came %v", what, i)
		}
	}
}

// A request that is given again, by way of another replica if there is one, is
// carried out once and answered the same, whatever it is.
func TestARequestGivenAgainIsAnsweredTheSame(t *testing.T) {
	c := connectTo(t, service(t), "default")
	ctx := context.Background()
	c.apply(small)
	c.apply(revenue(100, ""))
	for n := range 20 {
		observation := &strategyv1.RecordObservationsRequest{
			RequestId: fmt.Sprint("o", n), Observations: []*strategyv1.Observation{value("revenue", fmt.Sprintf("2026-01-%02d", n+1), 1)},
		}
		application := &declarationv1.ApplyRequest{RequestId: fmt.Sprint("a", n), Manifests: manifests(revenue(1000+n, ""))}
		checkIn := &strategyv1.CheckInRequest{RequestId: fmt.Sprint("c", n), Target: "t", Note: fmt.Sprint(n)}
		same(t, observation.GetRequestId(), func() (proto.Message, error) { return c.observe.RecordObservations(ctx, observation) })
		same(t, application.GetRequestId(), func() (proto.Message, error) { return c.declare.Apply(ctx, application) })
		same(t, checkIn.GetRequestId(), func() (proto.Message, error) { return c.observe.CheckIn(ctx, checkIn) })
	}
	list, err := c.observe.ListObservations(ctx, &strategyv1.ListObservationsRequest{Metric: "revenue"})
	if err != nil || len(list.GetObservations()) != 20 {
		t.Errorf("%d values, %v", len(list.GetObservations()), err)
	}
	said, err := c.observe.ListCheckIns(ctx, &strategyv1.ListCheckInsRequest{Target: "t"})
	if err != nil || len(said.GetCheckIns()) != 20 {
		t.Errorf("%d check-ins, %v", len(said.GetCheckIns()), err)
	}
}

func same(t *testing.T, id string, do func() (proto.Message, error)) {
	t.Helper()
	first, err := do()
	if err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	for range 2 {
		again, err := do()
		if err != nil {
			t.Fatalf("%s again: %v", id, err)
		}
		a, b := first.ProtoReflect(), again.ProtoReflect()
		if f := field(a, "revision"); !a.Get(f).Equal(b.Get(f)) {
			t.Errorf("%s: first %v, again %v", id, first, again)
		}
	}
}
