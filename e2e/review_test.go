package e2e_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

// reviewPlan has a target that is far behind, and a review that is held on the day
// after each month: it has been declared so long ago that several were missed.
func reviewPlan(now time.Time) string {
	return strings.NewReplacer("SINCE", now.AddDate(0, -5, 0).Format("2006-01-02"), "BEGIN", now.AddDate(-1, 0, 0).Format("2006-01-02"),
		"DUE", now.AddDate(1, 0, 0).Format("2006-01-02")).Replace(`
{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: top}, spec: {title: Top}}
---
{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: estate}, spec: {title: Real estate, parent: top}}
---
{apiVersion: setpoint.dev/v1, kind: Strategy, metadata: {name: plan}, spec: {title: Plan, horizon: {start: BEGIN, end: DUE}, owner: unit/top}}
---
{apiVersion: setpoint.dev/v1, kind: Objective, metadata: {name: cheaper}, spec: {title: Cheaper, strategy: plan}}
---
{apiVersion: setpoint.dev/v1, kind: Objective, metadata: {name: leases}, spec: {title: Fewer leases, strategy: plan, contributesTo: [{objective: cheaper}]}}
---
{apiVersion: setpoint.dev/v1, kind: Metric, metadata: {name: ended}, spec: {title: Leases ended, unit: count, cadence: daily, reportingLag: 5d}}
---
{apiVersion: setpoint.dev/v1, kind: Target, metadata: {name: ended}, spec: {objective: leases, metric: ended, owner: unit/estate, baseline: {value: 0, date: BEGIN}, value: 100, due: DUE}}
---
{apiVersion: setpoint.dev/v1, kind: Review, metadata: {name: monthly, effective: SINCE}, spec: {title: Monthly look, cadence: monthly, within: 0d, owner: unit/estate, scope: {strategy: plan}}}
`)
}

// A review that nobody held is overdue, and the loop says so; it is held, locked and
// closed, and what it decided is owed until it is settled. All of it can be read
// again: as it was known, and as history.
func TestAReviewIsOverdueAndHeld(t *testing.T) {
	c := connectTo(t, service(t), "default")
	ctx := context.Background()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%v %v", err, faults(err))
		}
	}
	now := time.Now().UTC()
	last, status := now.AddDate(0, 0, -now.Day()).Format("2006-01"), "overdue"
	if tomorrow := now.AddDate(0, 0, 1); tomorrow.Day() == 1 { // today is the day of this month's
		last, status = now.Format("2006-01"), "due"
	}
	c.apply(reviewPlan(now))
	_, err := c.record(value("ended", now.AddDate(0, 0, -1).Format("2006-01-02"), 1))
	ok(err)

	list, err := c.observe.ListReviews(ctx, &strategyv1.ListReviewsRequest{})
	ok(err)
	if r := list.GetReviews()[0]; r.GetNext().GetPeriod() != last || r.GetNext().GetStatus() != status || r.GetMissed() < 3 || r.GetEscalatedTo() != "unit/top" {
		t.Fatalf("the review %v", r)
	}
	// Whom it has come up to finds it among what is owed.
	duties, err := c.observe.ListDuties(ctx, &strategyv1.ListDutiesRequest{Owner: "unit/top", Kind: "review", Overdue: true})
	ok(err)
	if len(duties.GetDuties()) != 1 || duties.GetDuties()[0].GetOwner() != "unit/estate" {
		t.Errorf("owed: %v", duties)
	}
	overdue := func(status string) {
		t.Helper()
		eventually(t, "ReviewOverdue is "+status, time.Minute, func() error {
			res, err := c.gap.ListConditions(ctx, &gapv1.ListConditionsRequest{Kind: "Review", Name: "monthly"})
			if err != nil {
				return err
			}
			if all := res.GetReviews(); len(all) != 1 || all[0].GetSet().GetConditions()[0].GetStatus() != status {
				return fmt.Errorf("%v", all)
			}
			return nil
		})
	}
	overdue("True")

	_, err = c.observe.CloseReview(ctx, &strategyv1.CloseReviewRequest{Review: "monthly"})
	if detail(err).GetReason() != "strategy.review_not_open" {
		t.Errorf("closed before it was opened: %v", err)
	}
	open := &strategyv1.OpenReviewRequest{RequestId: "open", Review: "monthly", Note: "with the regions"}
	opened, err := c.observe.OpenReview(ctx, open)
	ok(err)
	for range 3 { // by whichever replica
		again, err := c.observe.OpenReview(ctx, open)
		ok(err)
		if again.GetRevision() != opened.GetRevision() || again.GetPeriod() != last {
			t.Errorf("given again: %v, first %v", again, opened)
		}
	}
	locked, err := c.observe.LockReview(ctx, &strategyv1.LockReviewRequest{Review: "monthly"})
	ok(err)
	// Everybody makes the same of it again, also when more has become known.
	_, err = c.record(value("ended", now.AddDate(0, -2, 0).Format("2006-01-02"), 90))
	ok(err)
	for range 3 {
		pack, err := c.observe.GetPack(ctx, &strategyv1.GetPackRequest{Review: "monthly"})
		ok(err)
		sum := sha256.Sum256(pack.GetContent())
		if !pack.GetSame() || hex.EncodeToString(sum[:]) != locked.GetPack().GetSha256() {
			t.Errorf("the pack is another: %v", pack.GetSha256())
		}
	}
	decided, err := c.observe.RecordDecision(ctx, &strategyv1.RecordDecisionRequest{
		Review: "monthly", Title: "end two leases", Owner: "unit/estate", Due: now.AddDate(0, 0, 1).Format("2006-01-02"), Targets: []string{"ended"}, Note: "both are empty"})
	ok(err)
	_, err = c.observe.CloseReview(ctx, &strategyv1.CloseReviewRequest{Review: "monthly"})
	ok(err)
	overdue("False")

	owed := func() int {
		t.Helper()
		res, err := c.observe.ListDuties(ctx, &strategyv1.ListDutiesRequest{Kind: "decision", AsOf: now.AddDate(0, 0, 3).Format("2006-01-02")})
		ok(err)
		return len(res.GetDuties())
	}
	if n := owed(); n != 1 {
		t.Errorf("%d decisions are owed", n)
	}
	_, err = c.observe.SettleDecision(ctx, &strategyv1.SettleDecisionRequest{Review: "monthly", Decision: decided.GetDecision(), Outcome: "done", Evidence: "both are signed"})
	ok(err)
	if n := owed(); n != 0 {
		t.Errorf("%d decisions are owed once it is settled", n)
	}
	then, err := c.observe.GetReview(ctx, &strategyv1.GetReviewRequest{Review: "monthly", Period: last, Revision: opened.GetRevision()})
	ok(err)
	if i := slices.IndexFunc(then.GetOccurrences(), func(o *strategyv1.Occurrence) bool { return o.GetPeriod() == last }); i < 0 || then.GetOccurrences()[i].GetStatus() != "open" {
		t.Errorf("as it was known: %v", then.GetOccurrences())
	}
	history, err := c.declare.History(ctx, &declarationv1.HistoryRequest{Kind: "Review", Name: "monthly"})
	ok(err)
	var acts []string
	for _, e := range history.GetEntries() {
		said, _, _ := strings.Cut(e.GetSummary(), " on ")
		said, _, _ = strings.Cut(said, ":")
		acts = append(acts, strings.TrimSpace(said+" "+e.GetReason()))
	}
	want := []string{"d1 of " + last + " done both are signed", last + " closed", last + " decided d1 both are empty", last + " locked", last + " opened with the regions", ""}
	if !slices.Equal(acts, want) {
		t.Errorf("history\n%s\nwant\n%s", strings.Join(acts, "\n"), strings.Join(want, "\n"))
	}
}

// A value reaches the conditions of the objectives, the strategy and the units above
// its target, and they can be asked for by kind and name.
func TestConditionsOfWhatIsAboveATarget(t *testing.T) {
	c := connectTo(t, service(t), "default")
	ctx := context.Background()
	now := time.Now().UTC()
	c.apply(reviewPlan(now))
	above := []string{"Objective/cheaper", "Objective/leases", "Strategy/plan", "Unit/estate", "Unit/top"}
	all := func(status string) {
		t.Helper()
		eventually(t, "OnTrack is "+status, time.Minute, func() error {
			res, err := c.gap.ListConditions(ctx, &gapv1.ListConditionsRequest{Type: "OnTrack", Status: status})
			if err != nil {
				return err
			}
			var got []string
			for _, x := range res.GetRollUps() {
				got = append(got, x.GetSet().GetKind()+"/"+x.GetSet().GetName())
			}
			if !slices.Equal(got, above) {
				return fmt.Errorf("of %v", got)
			}
			return nil
		})
	}
	all("Unknown")
	for _, x := range []struct {
		day    int
		value  float64
		status string
	}{{-2, 70, "True"}, {-1, 1, "False"}} {
		if _, err := c.record(value("ended", now.AddDate(0, 0, x.day).Format("2006-01-02"), x.value)); err != nil {
			t.Fatal(err)
		}
		all(x.status)
	}
	one, err := c.gap.ListConditions(ctx, &gapv1.ListConditionsRequest{Kind: "Strategy", Name: "plan"})
	if err != nil || len(one.GetRollUps()) != 1 || len(one.GetTargets())+len(one.GetReviews()) != 0 || len(one.GetRollUps()[0].GetSet().GetConditions()) != 6 {
		t.Errorf("%v, %v", one, err)
	}
	for name, x := range map[string]struct {
		req    *gapv1.ListConditionsRequest
		reason string
	}{
		"a name of no kind":   {&gapv1.ListConditionsRequest{Name: "plan"}, "gap.condition_kind"},
		"target and kind":     {&gapv1.ListConditionsRequest{Target: "ended", Kind: "Unit"}, "gap.condition_of_two"},
		"one that is none":    {&gapv1.ListConditionsRequest{Kind: "Objective", Name: "cheeper"}, "record.unknown_resource"},
		"a type that is none": {&gapv1.ListConditionsRequest{Type: "OnTrak"}, "gap.condition_unknown"},
	} {
		if _, err := c.gap.ListConditions(ctx, x.req); detail(err).GetReason() != x.reason {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Policies react to what is above a target, each reaction to one kind and once,
// whatever comes after, and a test of the policy says the same.
func TestPoliciesReactAboveATarget(t *testing.T) {
	c := connectTo(t, service(t), "default")
	ctx := context.Background()
	now := time.Now().UTC()
	const alarms = `
---
apiVersion: setpoint.dev/v1
kind: Policy
metadata: {name: alarms}
spec:
  reactions:
    - {name: objectives, when: "objective.score < 0.5 && condition.OnTrack == 'False'", do: [{escalate: {after: 14d}}]}
    - {name: strategies, when: "strategy.offTrack > 0", do: [{notify: {channel: board}}]}
    - {name: units, when: "unit.name == 'top' && unit.status == 'off_track'", do: [{notify: {channel: board}}]}
`
	res, err := c.declare.Apply(ctx, &declarationv1.ApplyRequest{Manifests: manifests(reviewPlan(now) + strings.ReplaceAll(alarms, "notify: {channel: board}", "requireCheckIn: {}"))})
	if said := faults(err); err == nil || !strings.Contains(fmt.Sprint(said), "the reaction is about strategies") {
		t.Errorf("a check-in of a strategy: %v %v", res, said)
	}
	c.apply(reviewPlan(now) + alarms)
	want := []string{"Objective/cheaper objectives", "Objective/leases objectives", "Strategy/plan strategies", "Unit/top units"}
	fired := func() error {
		res, err := c.gap.ListConditions(ctx, &gapv1.ListConditionsRequest{})
		if err != nil {
			return err
		}
		var got []string
		for _, x := range res.GetRollUps() {
			for _, f := range x.GetSet().GetFirings() {
				got = append(got, x.GetSet().GetKind()+"/"+x.GetSet().GetName()+" "+f.GetReaction())
			}
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("fired %q, want %q", got, want)
		}
		return nil
	}
	for i, v := range []float64{1, 2, 3} { // still off track after each
		if _, err := c.record(value("ended", now.AddDate(0, 0, i-3).Format("2006-01-02"), v)); err != nil {
			t.Fatal(err)
		}
		eventually(t, "policies react to what is above", time.Minute, fired)
	}
	today := now.Format("2006-01-02")
	tested, err := c.gap.TestPolicy(ctx, &gapv1.TestPolicyRequest{Policy: "alarms", Since: today, Until: today, Hindsight: true})
	if err != nil {
		t.Fatal(err)
	}
	var would []string
	for _, f := range tested.GetFirings() {
		would = append(would, f.GetKind()+"/"+f.GetName()+" "+f.GetCause().GetReaction())
	}
	slices.Sort(would)
	if !slices.Equal(would, want) {
		t.Errorf("a test would have done %q, want %q", would, want)
	}
}
