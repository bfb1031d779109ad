package rpc_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

// The day of the world is 2026-11-22.
const reviews = `
apiVersion: setpoint.dev/v1
kind: Unit
metadata: {name: top}
spec: {title: Top}
---
apiVersion: setpoint.dev/v1
kind: Unit
metadata: {name: estate}
spec: {title: Real estate, parent: top}
---
apiVersion: setpoint.dev/v1
kind: Review
metadata: {name: monthly, effective: 2026-08-20}
spec: {title: Monthly look, cadence: monthly, owner: unit/estate, participants: [unit/top]}
---
apiVersion: setpoint.dev/v1
kind: Review
metadata: {name: evening}
spec: {cadence: daily, owner: person/ada, withoutPack: true, scope: {unit: estate}}
`

func (w *world) reviews(req *strategyv1.ListReviewsRequest) []string {
	w.Helper()
	res, err := w.strategy.ListReviews(w.ctx, req)
	if err != nil {
		w.Fatal(err)
	}
	var out []string
	for _, r := range res.GetReviews() {
		s := fmt.Sprintf("%s %s %s", r.GetName(), r.GetNext().GetPeriod(), r.GetNext().GetStatus())
		if r.GetMissed() > 0 {
			s += fmt.Sprintf(", %d missed since %s", r.GetMissed(), r.GetMissedSince())
		}
		if r.GetEscalatedTo() != "" {
			s += ", now " + r.GetEscalatedTo()
		}
		if r.GetOpenDecisions() > 0 {
			s += fmt.Sprintf(", %d of %d decisions late", r.GetOverdueDecisions(), r.GetOpenDecisions())
		}
		out = append(out, s)
	}
	return out
}

func refused(t *testing.T, err error, want string) {
	t.Helper()
	if got := reason(err); got != want {
		t.Errorf("refused for %q (%v), want %q", got, err, want)
	}
}

func TestAReviewFromOpeningToItsDecisions(t *testing.T) {
	w := start(t)
	w.apply(reviews)
	same := func(what string, got, want []string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	same("at first", w.reviews(&strategyv1.ListReviewsRequest{}), []string{
		"monthly 2026-10 overdue, 3 missed since 2026-09-07, now unit/top",
		"evening 2026-11-22 due",
	})
	same("on a later day", w.reviews(&strategyv1.ListReviewsRequest{AsOf: "2026-12-03", Owner: "person/ada"}), []string{
		"evening 2026-12-03 due, 11 missed since 2026-11-22",
	})
	opened, err := w.strategy.OpenReview(w.ctx, &strategyv1.OpenReviewRequest{RequestId: "open", Review: "monthly", Note: "with the regions"})
	if err != nil || !opened.GetChanged() || opened.GetPeriod() != "2026-10" {
		t.Fatalf("%v, %v", opened, err)
	}
	again, err := w.strategy.OpenReview(w.ctx, &strategyv1.OpenReviewRequest{RequestId: "open", Review: "monthly", Note: "with the regions"})
	if err != nil || again.GetRevision() != opened.GetRevision() {
		t.Errorf("given again: %v, %v", again, err)
	}
	_, err = w.strategy.CloseReview(w.ctx, &strategyv1.CloseReviewRequest{Review: "monthly"})
	refused(t, err, "strategy.review_without_pack")
	locked, err := w.strategy.LockReview(w.ctx, &strategyv1.LockReviewRequest{Review: "monthly"})
	if err != nil {
		t.Fatal(err)
	}
	p := locked.GetPack()
	if p.GetAsOf() != "2026-10-31" || p.GetRevision() < opened.GetRevision() || p.GetTargets() != 1 || p.GetPolicy() != "default" || len(p.GetSha256()) != 64 {
		t.Errorf("the pack %v", p)
	}
	// What is learnt later does not change it.
	fifty := 50.0
	if _, err := w.strategy.RecordObservations(w.ctx, &strategyv1.RecordObservationsRequest{Correct: true, Observations: []*strategyv1.Observation{
		{Metric: "m", ObservedAt: "2026-10-01", Value: &fifty}}}); err != nil {
		t.Fatal(err)
	}
	once, err := w.strategy.LockReview(w.ctx, &strategyv1.LockReviewRequest{Review: "monthly"})
	if err != nil || once.GetChanged() || once.GetPack().GetSha256() != p.GetSha256() {
		t.Errorf("locked again: %v, %v", once, err)
	}
	_, err = w.strategy.LockReview(w.ctx, &strategyv1.LockReviewRequest{Review: "monthly", AsOf: "2026-11-05"})
	refused(t, err, "strategy.review_locked")
	made, err := w.strategy.GetPack(w.ctx, &strategyv1.GetPackRequest{Review: "monthly"})
	if err != nil || !made.GetSame() || made.GetSha256() != p.GetSha256() {
		t.Fatalf("made again: %v, %v", made, err)
	}
	if sum := sha256.Sum256(made.GetContent()); hex.EncodeToString(sum[:]) != p.GetSha256() || !json.Valid(made.GetContent()) {
		t.Errorf("the content %s", made.GetContent())
	}

	_, err = w.strategy.RecordDecision(w.ctx, &strategyv1.RecordDecisionRequest{Review: "monthly", Title: "x", Owner: "unit/estate", Due: "2026-12-01", Targets: []string{"none"}})
	refused(t, err, "record.unknown_resource")
	_, err = w.strategy.RecordDecision(w.ctx, &strategyv1.RecordDecisionRequest{Review: "monthly", Title: "x", Owner: "unit/none", Due: "2026-12-01"})
	refused(t, err, "record.unknown_resource")
	decided, err := w.strategy.RecordDecision(w.ctx, &strategyv1.RecordDecisionRequest{
		Review: "monthly", Title: "move", Owner: "unit/estate", Due: "2026-12-01", Targets: []string{"t"}, Note: "why"})
	if err != nil || decided.GetDecision() != "d1" {
		t.Fatalf("%v, %v", decided, err)
	}
	closed, err := w.strategy.CloseReview(w.ctx, &strategyv1.CloseReviewRequest{Review: "monthly"})
	if err != nil || closed.GetPeriod() != "2026-10" {
		t.Fatalf("%v, %v", closed, err)
	}
	if again, err := w.strategy.CloseReview(w.ctx, &strategyv1.CloseReviewRequest{Review: "monthly"}); err != nil || again.GetChanged() {
		t.Errorf("closed again: %v, %v", again, err)
	}
	evening, err := w.strategy.CloseReview(w.ctx, &strategyv1.CloseReviewRequest{Review: "evening"})
	if err != nil || evening.GetPeriod() != "2026-11-22" {
		t.Errorf("%v, %v", evening, err)
	}
	skipped, err := w.strategy.SkipReview(w.ctx, &strategyv1.SkipReviewRequest{Review: "evening", Reason: "away"})
	if err != nil || skipped.GetPeriod() != "2026-11-23" {
		t.Errorf("skipped %v, %v", skipped, err)
	}
	same("in the end", w.reviews(&strategyv1.ListReviewsRequest{AsOf: "2026-12-05"}), []string{
		"evening 2026-12-05 due, 11 missed since 2026-11-24",
		"monthly 2026-11 due, 1 of 1 decisions late",
	})
	same("what is owed", w.duties(&strategyv1.ListDutiesRequest{AsOf: "2026-12-05", Kind: "decision"}), []string{"decision monthly/2026-10/d1 2026-12-01 4d"})
	settled, err := w.strategy.SettleDecision(w.ctx, &strategyv1.SettleDecisionRequest{Review: "monthly", Decision: "d1", Outcome: "done", Evidence: "seen"})
	if err != nil || settled.GetPeriod() != "2026-10" {
		t.Fatalf("%v, %v", settled, err)
	}
	decisions := func(req *strategyv1.ListDecisionsRequest) (out []string) {
		t.Helper()
		res, err := w.strategy.ListDecisions(w.ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range res.GetDecisions() {
			out = append(out, d.GetReview()+"/"+d.GetPeriod()+"/"+d.GetDecision().GetId()+" "+d.GetDecision().GetStatus())
		}
		return out
	}
	same("settled", decisions(&strategyv1.ListDecisionsRequest{}), []string{"monthly/2026-10/d1 done"})
	same("as it was known", decisions(&strategyv1.ListDecisionsRequest{Revision: settled.GetRevision() - 1}), []string{"monthly/2026-10/d1 open"})
	same("the day before", decisions(&strategyv1.ListDecisionsRequest{AsOf: "2026-11-21"}), nil)
	same("that are open", decisions(&strategyv1.ListDecisionsRequest{Open: true}), nil)

	res, err := w.strategy.GetReview(w.ctx, &strategyv1.GetReviewRequest{Review: "monthly", Period: "2026-10"})
	if err != nil {
		t.Fatal(err)
	}
	var acts []string
	for _, a := range res.GetActs() {
		acts = append(acts, strings.TrimPrefix(a.GetType(), "strategy.")+" "+a.GetNote())
	}
	same("what happened", acts, []string{
		"review_opened.v1 with the regions", "review_locked.v1 ", "decision_recorded.v1 why", "review_closed.v1 ", "decision_settled.v1 seen",
	})
	before, err := w.strategy.GetReview(w.ctx, &strategyv1.GetReviewRequest{Review: "monthly", Revision: opened.GetRevision()})
	if err != nil || before.GetOccurrences()[1].GetStatus() != "open" || len(before.GetOccurrences()) != 4 {
		t.Errorf("as it was known: %v, %v", before.GetOccurrences(), err)
	}
	exported, err := w.declare.Export(w.ctx, &declarationv1.ExportRequest{})
	if err != nil || !strings.Contains(string(exported.GetContent()), "kind: Review") {
		t.Errorf("export: %v", err)
	}
	_, err = w.strategy.GetPack(w.ctx, &strategyv1.GetPackRequest{Review: "evening"})
	refused(t, err, "strategy.review_none")
	_, err = w.strategy.GetReview(w.ctx, &strategyv1.GetReviewRequest{Review: "montly"})
	refused(t, err, "record.unknown_resource")
	_, err = w.strategy.OpenReview(w.ctx, &strategyv1.OpenReviewRequest{Review: "monthly", Period: "2026-11", ExpectedRevision: 1})
	if err != nil {
		t.Errorf("nothing was done about November: %v", err)
	}
	_, err = w.strategy.LockReview(w.ctx, &strategyv1.LockReviewRequest{Review: "monthly", Period: "2026-11", ExpectedRevision: 1})
	refused(t, err, "command.changed")
}

func TestAReviewerReadsCheckIns(t *testing.T) {
	w := start(t)
	first := w.checkIn(&strategyv1.CheckInRequest{At: "2026-11-10", Confidence: confidence(4), Note: "n"})
	second := w.checkIn(&strategyv1.CheckInRequest{At: "2026-11-20", Note: "talks go on"})
	unread := func() []string {
		t.Helper()
		res, err := w.strategy.ListCheckIns(w.ctx, &strategyv1.ListCheckInsRequest{Unacknowledged: true})
		if err != nil {
			t.Fatal(err)
		}
		return told(res.GetCheckIns())
	}
	if got := unread(); len(got) != 2 || !strings.HasPrefix(got[0], "t 2026-11-20") {
		t.Errorf("unread %q", got)
	}
	_, err := w.strategy.AcknowledgeCheckIn(w.ctx, &strategyv1.AcknowledgeCheckInRequest{Target: "t"})
	refused(t, err, "strategy.acknowledge_own")
	ada, header := connect.NewClientContext(w.ctx)
	header.RequestHeader().Set("Setpoint-Actor", "ada")
	res, err := w.strategy.AcknowledgeCheckIn(ada, &strategyv1.AcknowledgeCheckInRequest{Target: "t", Note: "good"})
	if err != nil || res.GetCheckIn() != second || !res.GetChanged() {
		t.Fatalf("%v, %v", res, err)
	}
	if again, err := w.strategy.AcknowledgeCheckIn(ada, &strategyv1.AcknowledgeCheckInRequest{Target: "t"}); err != nil || again.GetChanged() {
		t.Errorf("again: %v, %v", again, err)
	}
	_, err = w.strategy.AcknowledgeCheckIn(ada, &strategyv1.AcknowledgeCheckInRequest{Target: "t", CheckIn: 3})
	refused(t, err, "strategy.checkin_unknown")
	if got := unread(); len(got) != 1 || !strings.HasPrefix(got[0], "t 2026-11-10") {
		t.Errorf("unread %q", got)
	}
	list, err := w.strategy.ListCheckIns(w.ctx, &strategyv1.ListCheckInsRequest{Target: "t", Since: "2026-11-11"})
	if err != nil || len(list.GetCheckIns()) != 1 || list.GetCheckIns()[0].GetAcknowledgements()[0].GetPrincipal() != "ada" {
		t.Errorf("%v, %v", list, err)
	}
	page, err := w.strategy.ListCheckIns(w.ctx, &strategyv1.ListCheckInsRequest{PageSize: 1})
	if err != nil || len(page.GetCheckIns()) != 1 || page.GetNextPageToken() == "" {
		t.Fatalf("%v, %v", page, err)
	}
	page, err = w.strategy.ListCheckIns(w.ctx, &strategyv1.ListCheckInsRequest{PageSize: 1, PageToken: page.GetNextPageToken()})
	if err != nil || len(page.GetCheckIns()) != 1 || page.GetCheckIns()[0].GetRevision() != first || page.GetNextPageToken() != "" {
		t.Errorf("%v, %v", page, err)
	}
}

// A value that comes with a check-in is recorded with it or not at all, and counts
// for the status that asks for words.
func TestACheckInBringsItsValue(t *testing.T) {
	w := start(t)
	values := func() int {
		t.Helper()
		res, err := w.strategy.ListObservations(w.ctx, &strategyv1.ListObservationsRequest{Metric: "m"})
		if err != nil {
			t.Fatal(err)
		}
		return len(res.GetObservations())
	}
	before := values()
	little, much := 13.0, 109.0
	_, err := w.strategy.CheckIn(w.ctx, &strategyv1.CheckInRequest{Target: "t", Confidence: confidence(7), Value: &little, ObservedAt: "2026-10", Source: "own"})
	refused(t, err, "strategy.checkin_note")
	if n := values(); n != before {
		t.Errorf("a check-in that was refused left %d values", n-before)
	}
	_, err = w.strategy.CheckIn(w.ctx, &strategyv1.CheckInRequest{Target: "t", Confidence: confidence(7), Value: &much, ObservedAt: "soon"})
	if err == nil {
		t.Error("a value of no day was taken")
	}
	_, err = w.strategy.CheckIn(w.ctx, &strategyv1.CheckInRequest{Target: "t", Confidence: confidence(7), Note: "n", ObservedAt: "2026-10"})
	refused(t, err, "strategy.checkin_value")
	res, err := w.strategy.CheckIn(w.ctx, &strategyv1.CheckInRequest{Target: "t", Confidence: confidence(7), Value: &much, ObservedAt: "2026-10", Source: "own"})
	if err != nil || !res.GetRecorded() {
		t.Fatalf("a value that makes it green: %v, %v", res, err)
	}
	list, err := w.strategy.ListObservations(w.ctx, &strategyv1.ListObservationsRequest{Metric: "m"})
	if err != nil || len(list.GetObservations()) != before+1 {
		t.Fatalf("%v, %v", list, err)
	}
	if newest := list.GetObservations()[before]; newest.GetRevision() != res.GetRevision() || newest.GetValue() != much {
		t.Errorf("recorded %v, want it at revision %d", newest, res.GetRevision())
	}
	again, err := w.strategy.CheckIn(w.ctx, &strategyv1.CheckInRequest{Target: "t", Confidence: confidence(7), Value: &much, ObservedAt: "2026-10", Source: "own"})
	if err != nil || again.GetRecorded() {
		t.Errorf("the same again: %v, %v", again, err)
	}
}

// The history of a review tells its declarations and every act on every occurrence,
// newest first, in sentences; pages join to the same.
func TestTheHistoryOfAReview(t *testing.T) {
	w := start(t)
	w.apply(reviews)
	ok := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ok(w.strategy.OpenReview(w.ctx, &strategyv1.OpenReviewRequest{Review: "monthly", Period: "2026-09", Note: "late"}))
	ok(w.strategy.OpenReview(w.ctx, &strategyv1.OpenReviewRequest{Review: "monthly", Period: "2026-10"}))
	ok(w.strategy.LockReview(w.ctx, &strategyv1.LockReviewRequest{Review: "monthly", Period: "2026-09"}))
	ok(w.strategy.RecordDecision(w.ctx, &strategyv1.RecordDecisionRequest{Review: "monthly", Period: "2026-10", Title: "move", Owner: "unit/estate", Due: "2026-12-01"}))
	ok(w.strategy.SettleDecision(w.ctx, &strategyv1.SettleDecisionRequest{Review: "monthly", Period: "2026-10", Decision: "d1", Outcome: "dropped", Evidence: "too dear"}))
	ok(w.strategy.CloseReview(w.ctx, &strategyv1.CloseReviewRequest{Review: "monthly", Period: "2026-09"}))
	ok(w.strategy.SkipReview(w.ctx, &strategyv1.SkipReviewRequest{Review: "monthly", Period: "2026-11", Reason: "a holiday"}))
	want := []string{
		"2026-11 skipped on 2026-11-22 (a holiday)", "2026-09 closed on 2026-11-22 ()", "d1 of 2026-10 dropped on 2026-11-22 (too dear)",
		"2026-10 decided d1: move, unit/estate until 2026-12-01 ()", "2026-09 locked: as of 2026-09-30", "2026-10 opened on 2026-11-22 ()", "2026-09 opened on 2026-11-22 (late)", "create",
	}
	for size := range int32(4) {
		var got []string
		req := &declarationv1.HistoryRequest{Kind: "Review", Name: "monthly", PageSize: 2 * size} // 0: all on one
		for {
			res, err := w.declare.History(w.ctx, req)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range res.GetEntries() {
				if e.GetAction() != "act" {
					got = append(got, e.GetAction())
					continue
				}
				said := fmt.Sprintf("%s (%s)", e.GetSummary(), e.GetReason())
				if lock, _, ok := strings.Cut(said, ", revision"); ok {
					said = lock
				}
				got = append(got, said)
			}
			if req.PageToken = res.GetNextPageToken(); req.PageToken == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("in pages of %d:\n%s\nwant\n%s", 2*size, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// A review that gets the name of one that was renamed is another one: what is done
// with the one is not done with the other.
func TestAReviewWithTheNameOfOneThatWasRenamed(t *testing.T) {
	w := start(t)
	w.apply(reviews)
	w.apply(`
{apiVersion: setpoint.dev/v1, kind: Review, metadata: {name: former, renamedFrom: monthly}, spec: {title: Monthly look, cadence: monthly, owner: unit/estate}}
---
{apiVersion: setpoint.dev/v1, kind: Review, metadata: {name: monthly, effective: 2026-08-20}, spec: {title: Another, cadence: monthly, owner: unit/top, withoutPack: true}}
`)
	if _, err := w.strategy.CloseReview(w.ctx, &strategyv1.CloseReviewRequest{Review: "monthly"}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"monthly": "closed", "former": "overdue"} {
		res, err := w.strategy.GetReview(w.ctx, &strategyv1.GetReviewRequest{Review: name, Period: "2026-10"})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range res.GetOccurrences() {
			if o.GetPeriod() == "2026-10" && o.GetStatus() != want {
				t.Errorf("2026-10 of %s is %s, want %s", name, o.GetStatus(), want)
			}
		}
		history, err := w.declare.History(w.ctx, &declarationv1.HistoryRequest{Kind: "Review", Name: name})
		if err != nil {
			t.Fatal(err)
		}
		if acted := history.GetEntries()[0].GetAction() == "act"; acted != (want == "closed") {
			t.Errorf("the history of %s: %v", name, history.GetEntries())
		}
	}
}
