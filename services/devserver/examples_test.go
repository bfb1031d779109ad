package devserver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
	"setpoint.dev/proto/gen/setpoint/change/v1/changev1connect"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/proto/gen/setpoint/declaration/v1/declarationv1connect"
	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	"setpoint.dev/proto/gen/setpoint/event/v1/eventv1connect"
	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/proto/gen/setpoint/initiative/v1/initiativev1connect"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/proto/gen/setpoint/strategy/v1/strategyv1connect"
	"setpoint.dev/services/devserver"
	"setpoint.dev/services/event"
)

var update = flag.Bool("update", false, "write the examples of public events")

const examplePlan = `
apiVersion: setpoint.dev/v1
kind: Organization
metadata: {name: acme}
spec: {title: Acme Bakeries, currency: EUR}
---
apiVersion: setpoint.dev/v1
kind: Unit
metadata: {name: board}
spec: {title: Board}
---
apiVersion: setpoint.dev/v1
kind: Unit
metadata: {name: bakery}
spec: {title: Bakery, parent: board}
---
apiVersion: setpoint.dev/v1
kind: Strategy
metadata: {name: fresh-2030}
spec: {title: Fresh 2030, horizon: {start: 2024-01-01, end: 2030-12-31}}
---
apiVersion: setpoint.dev/v1
kind: Objective
metadata: {name: less-waste}
spec: {title: Waste less bread, strategy: fresh-2030, owner: unit/bakery}
---
apiVersion: setpoint.dev/v1
kind: Metric
metadata: {name: sold-bread}
spec: {title: Bread that is sold, unit: fraction, format: percent, cadence: daily}
---
apiVersion: setpoint.dev/v1
kind: Target
metadata: {name: sold-bread}
spec: {objective: less-waste, metric: sold-bread, direction: increase, baseline: {date: 2024-12-31, value: 0.8}, value: 1, due: 2026-12-31, owner: unit/bakery}
---
apiVersion: setpoint.dev/v1
kind: Initiative
metadata: {name: smaller-batches}
spec:
  title: Smaller batches
  start: 2025-01-01
  end: 2026-06-30
  budget: [{period: "2025", amount: "1000.00"}]
  milestones: [{name: pilot, planned: 2025-06-30}]
  contributions: [{target: sold-bread, low: 0.01, likely: 0.02, high: 0.03, rampStart: 2026-01-01, rampEnd: 2026-12-31, basis: a trial in one shop}]
---
apiVersion: setpoint.dev/v1
kind: Audience
metadata: {name: bakers}
spec: {title: Bakers, size: 20}
---
apiVersion: setpoint.dev/v1
kind: ChangeFramework
metadata: {name: own}
spec: {title: Our own way, stages: [{name: prepare}, {name: settle}], elements: [{name: knows}, {name: wants}]}
---
apiVersion: setpoint.dev/v1
kind: ChangeProgram
metadata: {name: new-habits}
spec: {title: New habits, initiative: smaller-batches, framework: own, start: 2025-01-01, end: 2026-06-30, audiences: [{audience: bakers, hoursPerPerson: 100}]}
---
apiVersion: setpoint.dev/v1
kind: Review
metadata: {name: monthly}
spec: {title: Monthly review, cadence: monthly, owner: unit/board, scope: {strategy: fresh-2030}}
---
apiVersion: setpoint.dev/v1
kind: Policy
metadata: {name: act-on-red}
spec:
  title: Somebody answers every gap
  reactions:
    - name: open-action
      when: condition.OnTrack == 'False'
      do: [{openCorrectiveAction: {dueInDays: 30}}, {escalate: {after: 1d}}, {notify: {channel: waste}}]
`

// clock is moved by the test.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *clock) to(day string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, _ = time.Parse(time.RFC3339, day+"T09:00:00Z")
}

// journey makes every public event happen, through the doors.
type journey struct {
	t          *testing.T
	ctx        context.Context
	clock      *clock
	declare    declarationv1connect.DeclarationServiceClient
	strategy   strategyv1connect.StrategyServiceClient
	reviewer   strategyv1connect.StrategyServiceClient // the same, for somebody else
	initiative initiativev1connect.InitiativeServiceClient
	change     changev1connect.ChangeServiceClient
	event      eventv1connect.EventServiceClient

	cursor string
	seen   map[string][]event.CloudEvent
	took   map[string]int // how many of a type were waited for
}

func (j *journey) ok(_ any, err error) {
	j.t.Helper()
	if err != nil {
		j.t.Fatal(err)
	}
}

func (j *journey) apply(manifests string) {
	j.t.Helper()
	j.ok(j.declare.Apply(j.ctx, &declarationv1.ApplyRequest{Manifests: &declarationv1.Manifests{Files: []*declarationv1.ManifestFile{{Path: "plan.yaml", Content: []byte(manifests)}}}}))
}

// until follows until an event of a type has come that was not waited for before.
func (j *journey) until(typ string) event.CloudEvent {
	j.t.Helper()
	typ = event.TypePrefix + typ + ".v1"
	had := j.took[typ]
	j.took[typ]++
	if len(j.seen[typ]) > had {
		return j.seen[typ][had]
	}
	ctx, cancel := context.WithTimeout(j.ctx, time.Minute)
	defer cancel()
	s, err := j.event.Subscribe(ctx, &eventv1.SubscribeRequest{Cursor: j.cursor, Follow: true})
	if err != nil {
		j.t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for s.Receive() {
		j.cursor = s.Msg().GetCursor()
		if j.cursor == "0" {
			j.cursor = ""
		}
		if s.Msg().GetEvent() == "" {
			continue
		}
		var e event.CloudEvent
		if err := json.Unmarshal([]byte(s.Msg().GetEvent()), &e); err != nil {
			j.t.Fatal(err)
		}
		j.seen[e.Type] = append(j.seen[e.Type], e)
		if len(j.seen[typ]) > had {
			return e
		}
	}
	j.t.Fatalf("%s does not come: %v; there were %v", typ, s.Err(), slices.Sorted(maps.Keys(j.seen)))
	panic("unreachable")
}

func (j *journey) observe(at string, v float64) {
	j.t.Helper()
	j.ok(j.strategy.RecordObservations(j.ctx, &strategyv1.RecordObservationsRequest{Observations: []*strategyv1.Observation{{Metric: "sold-bread", ObservedAt: at, Value: &v}}}))
}

// reviewing asks as somebody else.
type reviewing struct{ http.RoundTripper }

func (r reviewing) RoundTrip(q *http.Request) (*http.Response, error) {
	q = q.Clone(q.Context())
	q.Header.Set("Setpoint-Actor", "u-2")
	return r.RoundTripper.RoundTrip(q)
}

func startJourney(t *testing.T) *journey {
	j := &journey{t: t, ctx: t.Context(), clock: &clock{}, seen: map[string][]event.CloudEvent{}, took: map[string]int{}}
	j.clock.to("2025-06-10")
	s, err := devserver.Start(j.ctx, devserver.Options{Data: t.TempDir(), Listen: "127.0.0.1:0", ReadWait: time.Minute, Now: j.clock.now, WebhookAllowPrivate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	h := &http.Client{Transport: inOrg("acme")}
	j.declare = declarationv1connect.NewDeclarationServiceClient(h, s.URL())
	j.strategy = strategyv1connect.NewStrategyServiceClient(h, s.URL())
	j.reviewer = strategyv1connect.NewStrategyServiceClient(&http.Client{Transport: reviewing{inOrg("acme")}}, s.URL())
	j.initiative = initiativev1connect.NewInitiativeServiceClient(h, s.URL())
	j.change = changev1connect.NewChangeServiceClient(h, s.URL())
	j.event = eventv1connect.NewEventServiceClient(h, s.URL())
	return j
}

// compare goes through a gap: opened, widened, narrowed, escalated, closed, and
// data that goes stale.
func (j *journey) compare() {
	j.apply(examplePlan)
	j.until("gap.target-assessed")
	j.observe("2025-05-31", 0.84)
	j.until("gap.condition-changed")
	j.observe("2025-06-05", 0.79)
	j.until("gap.opened")
	j.until("gap.notification-requested")
	j.until("initiative.action-opened")
	j.observe("2025-06-06", 0.77)
	j.until("gap.widened")
	j.clock.to("2025-06-12")
	j.observe("2025-06-07", 0.8)
	j.until("gap.narrowed")
	j.until("gap.escalated")
	j.observe("2025-06-12", 0.95)
	j.until("gap.closed")
	j.clock.to("2025-12-01")
	j.apply("{apiVersion: setpoint.dev/v1, kind: Unit, metadata: {name: bakery}, spec: {title: The bakery, parent: board}}")
	j.until("gap.data-went-stale")
	j.observe("2025-11-30", 0.96)
	j.until("gap.data-became-fresh")
	v := 0.97
	j.ok(j.strategy.CorrectObservation(j.ctx, &strategyv1.CorrectObservationRequest{Observation: &strategyv1.Observation{Metric: "sold-bread", ObservedAt: "2025-11-30", Value: &v}, Reason: "counted twice"}))
	in, err := j.strategy.CheckIn(j.ctx, &strategyv1.CheckInRequest{Target: "sold-bread", Confidence: proto.Int32(8), Note: "it holds"})
	j.ok(in, err)
	j.ok(j.reviewer.AcknowledgeCheckIn(j.ctx, &strategyv1.AcknowledgeCheckInRequest{Target: "sold-bread", CheckIn: in.GetRevision()}))
	j.ok(j.strategy.RequestCheckIn(j.ctx, &strategyv1.RequestCheckInRequest{Target: "sold-bread", Due: "2025-12-15", Reason: "the year ends"}))
}

// act moves an initiative and an action.
func (j *journey) act() {
	const i = "smaller-batches"
	j.ok(j.initiative.ChangeStage(j.ctx, &initiativev1.ChangeStageRequest{Initiative: i, To: "approved"}))
	j.ok(j.initiative.ChangeStage(j.ctx, &initiativev1.ChangeStageRequest{Initiative: i, To: "active"}))
	j.ok(j.initiative.ForecastMilestone(j.ctx, &initiativev1.ForecastMilestoneRequest{Initiative: i, Milestone: "pilot", Date: "2026-01-31", Reason: "the oven is late"}))
	j.ok(j.initiative.ReachMilestone(j.ctx, &initiativev1.ReachMilestoneRequest{Initiative: i, Milestone: "pilot", Evidence: "three shops"}))
	j.ok(j.initiative.ReopenMilestone(j.ctx, &initiativev1.ReopenMilestoneRequest{Initiative: i, Milestone: "pilot", Reason: "one went back"}))
	j.ok(j.initiative.RecordSpend(j.ctx, &initiativev1.RecordSpendRequest{Initiative: i, Period: "2025", Amount: "300.00"}))
	j.ok(j.initiative.ForecastCompletion(j.ctx, &initiativev1.ForecastCompletionRequest{Initiative: i, Amount: "1100.00", Reason: "flour"}))
	j.ok(j.initiative.RecordBenefit(j.ctx, &initiativev1.RecordBenefitRequest{Initiative: i, Target: "sold-bread", Amount: proto.Float64(0.01), Basis: "two shops"}))
	a, err := j.initiative.OpenAction(j.ctx, &initiativev1.OpenActionRequest{Title: "Ask the shops", Target: "sold-bread", Owner: "unit/bakery", Due: "2025-12-20"})
	j.ok(a, err)
	j.ok(j.initiative.MoveAction(j.ctx, &initiativev1.MoveActionRequest{Action: a.GetAction(), Due: "2025-12-24", Reason: "they are busy"}))
	j.ok(j.initiative.CloseAction(j.ctx, &initiativev1.CloseActionRequest{Action: a.GetAction(), Outcome: "done", Evidence: "asked"}))
	j.ok(j.initiative.ReopenAction(j.ctx, &initiativev1.ReopenActionRequest{Action: a.GetAction(), Reason: "one was forgotten"}))
}

// review holds one occurrence of a review, and skips another.
func (j *journey) review() {
	const r = "monthly"
	j.ok(j.strategy.SkipReview(j.ctx, &strategyv1.SkipReviewRequest{Review: r, Period: "2025-10", Reason: "everybody was ill"}))
	j.ok(j.strategy.OpenReview(j.ctx, &strategyv1.OpenReviewRequest{Review: r, Period: "2025-11"}))
	j.ok(j.strategy.LockReview(j.ctx, &strategyv1.LockReviewRequest{Review: r, Period: "2025-11"}))
	d, err := j.strategy.RecordDecision(j.ctx, &strategyv1.RecordDecisionRequest{
		Review: r, Period: "2025-11", Title: "Bake twice a day", Owner: "unit/bakery", Due: "2026-01-31", Targets: []string{"sold-bread"}})
	j.ok(d, err)
	j.ok(j.strategy.SettleDecision(j.ctx, &strategyv1.SettleDecisionRequest{Review: r, Period: "2025-11", Decision: d.GetDecision(), Outcome: "done", Evidence: "since today"}))
	j.ok(j.strategy.CloseReview(j.ctx, &strategyv1.CloseReviewRequest{Review: r, Period: "2025-11"}))
}

// habits moves a change program and surveys its audience.
func (j *journey) habits() {
	const p = "new-habits"
	j.ok(j.change.MoveStage(j.ctx, &changev1.MoveStageRequest{Program: p, Stage: "prepare", To: "in_progress"}))
	j.ok(j.change.DeclareForce(j.ctx, &changev1.DeclareForceRequest{Program: p, Name: "pride", Title: "Pride in full shelves", Kind: "restraining", Strength: 4, Influenceability: 3}))
	j.ok(j.change.RemoveForce(j.ctx, &changev1.RemoveForceRequest{Program: p, Name: "pride", Reason: "it is gone"}))
	j.ok(j.change.RaiseResistance(j.ctx, &changev1.RaiseResistanceRequest{Program: p, Title: "Early shifts", Audience: "bakers", Severity: "high"}))
	raised := j.until("change.resistance-raised")
	var data struct{ Resistance string }
	_ = json.Unmarshal(raised.Data, &data)
	j.ok(j.change.AnswerResistance(j.ctx, &changev1.AnswerResistanceRequest{Program: p, Resistance: data.Resistance, Response: "shorter ones", Close: true}))
	j.ok(j.change.OpenWave(j.ctx, &changev1.OpenWaveRequest{Program: p, Wave: "w1"}))
	var answers []*changev1.RespondentAnswer
	for i := range 20 {
		answers = append(answers, &changev1.RespondentAnswer{Respondent: fmt.Sprintf("r-%02d", i), Audience: "bakers",
			Scores: map[string]float64{"knows": 5, "wants": 3}})
	}
	j.ok(j.change.RecordAnswers(j.ctx, &changev1.RecordAnswersRequest{Program: p, Wave: "w1", Answers: answers}))
	j.ok(j.change.CloseWave(j.ctx, &changev1.CloseWaveRequest{Program: p, Wave: "w1"}))
}

// hooks has a webhook disabled and enabled.
func (j *journey) hooks() {
	gone := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }))
	defer gone.Close()
	j.apply("{apiVersion: setpoint.dev/v1, kind: Webhook, metadata: {name: tickets}, spec: {url: '" + gone.URL + "'}}")
	j.ok(j.event.RotateWebhookSecret(j.ctx, &eventv1.RotateWebhookSecretRequest{Webhook: "tickets"}))
	j.until("event.webhook-disabled")
	j.ok(j.event.EnableWebhook(j.ctx, &eventv1.EnableWebhookRequest{Webhook: "tickets"}))
}

// retire deletes everything, what refers to others first.
func (j *journey) retire() {
	for _, r := range []string{
		"Policy/act-on-red", "Review/monthly", "Webhook/tickets", "ChangeProgram/new-habits", "ChangeFramework/own", "Audience/bakers", "Initiative/smaller-batches",
		"Target/sold-bread", "Metric/sold-bread", "Objective/less-waste", "Strategy/fresh-2030", "Unit/bakery", "Unit/board", "Organization/acme",
	} {
		kind, name, _ := strings.Cut(r, "/")
		j.ok(j.declare.Delete(j.ctx, &declarationv1.DeleteRequest{Kind: kind, Name: name}))
	}
	j.until("strategy.organization-retired")
}

// Every example is what the service really publishes: this makes each event
// happen, and compares. Numbers of places in the log, and ids, differ from run to
// run; what fields there are, and of what type, does not. Run with -update.
func TestExamplesAreWhatIsPublished(t *testing.T) {
	j := startJourney(t)
	j.compare()
	j.act()
	j.review()
	j.habits()
	j.hooks()
	j.retire()
	for _, e := range event.Catalogue() {
		if !e.Public() {
			continue
		}
		typ := e.Type()
		published := j.seen[typ]
		if len(published) == 0 {
			t.Errorf("%s never happened: let the journey make it", typ)
			continue
		}
		if *update {
			// The one that says most: it shows what there may be.
			writeExample(t, typ, slices.MaxFunc(published, func(a, b event.CloudEvent) int { return len(a.Data) - len(b.Data) }))
			continue
		}
		var want any
		if err := json.Unmarshal(event.Example(typ), &want); err != nil {
			t.Errorf("%s: the example: %v", typ, err)
			continue
		}
		var got []string
		if !slices.ContainsFunc(published, func(p event.CloudEvent) bool {
			b, _ := json.Marshal(p)
			var is any
			_ = json.Unmarshal(b, &is)
			got = slices.Sorted(maps.Keys(shape("", is, map[string]bool{})))
			return slices.Equal(got, slices.Sorted(maps.Keys(shape("", want, map[string]bool{}))))
		}) {
			t.Errorf("%s: what is published has\n%s\nand the example\n%s\nrun with -update and read the difference", typ,
				strings.Join(got, "\n"), strings.Join(slices.Sorted(maps.Keys(shape("", want, map[string]bool{}))), "\n"))
		}
	}
}

// shape is which fields there are, with their types; what is in several elements
// of a list counts once.
func shape(path string, v any, into map[string]bool) map[string]bool {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			shape(path+"."+k, x, into)
		}
	case []any:
		for _, x := range v {
			shape(path+"[]", x, into)
		}
	default:
		into[fmt.Sprintf("%s %T", path, v)] = true
	}
	return into
}

var logID = regexp.MustCompile(`/setpoint/[0-9a-f]+/`)

func writeExample(t *testing.T, typ string, e event.CloudEvent) {
	t.Helper()
	e.Source = logID.ReplaceAllString(e.Source, "/setpoint/2f0c1b7e6d5a493882716f5e4d3c2b1a/")
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	b.WriteByte('\n')
	if err := os.WriteFile("../event/examples/"+typ+".json", b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
