package strategy

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
)

// mostDecisions bounds how many decisions one occurrence holds, so that its state
// stays small.
const mostDecisions = 30

// aheadOfReview is how far ahead an occurrence can be skipped, in days.
const aheadOfReview = 366

// Held is the occurrence that an act is about. Today is the command's day in the
// organization's time zone.
type Held struct {
	Review string // the identity of the review
	Period calendar.Period
	Today  calendar.Date
	// NeedsPack says that it is closed only with a pack.
	NeedsPack bool
}

// ReviewCommand is one act on an occurrence of a review.
type ReviewCommand interface {
	decideReview(h Held, s *OccurrenceState) (proto.Message, error)
}

// DecideReview returns the event that a command leads to, nil if it is already so,
// or an Invalid or Rule fault. s is nil while nothing was done.
func DecideReview(h Held, s *OccurrenceState, c ReviewCommand) (proto.Message, error) {
	return c.decideReview(h, s)
}

// OpenReview begins an occurrence: once its period has begun, also one that was
// skipped.
type OpenReview struct {
	At   string // the day on which it is held; empty: today
	Note string
}

// LockReview fixes what it looks at.
type LockReview struct{ Pack *strategyv1.ReviewPack }

// RecordDecision says what was decided. That targets and initiatives exist is the
// caller's to check.
type RecordDecision struct {
	Title, Owner, Due    string
	Targets, Initiatives []string
	Note                 string
}

// SettleDecision says what became of a decision.
type SettleDecision struct{ ID, Outcome, At, Evidence string }

// CloseReview ends an occurrence.
type CloseReview struct {
	At   string // empty: today
	Note string
}

// SkipReview says that an occurrence is not held.
type SkipReview struct{ Reason string }

func (c OpenReview) decideReview(h Held, s *OccurrenceState) (proto.Message, error) {
	switch s.GetStage() {
	case Opened, Locked:
		return nil, nil
	case Closed:
		return nil, fault.New(fault.Rule, "strategy.review_closed", "the review of %s was closed on %s", h.Period.Name, s.GetEnded()).
			WithHint("what it decided can still be settled; what is new belongs to the next one")
	}
	at, err := h.day(c.At)
	if err != nil {
		return nil, err
	}
	if h.Period.Start.After(at) {
		return nil, fault.New(fault.Rule, "strategy.review_ahead", "period: %s begins on %s, after %s", h.Period.Name, h.Period.Start, at).
			WithHint("a review is held in its period or later")
	}
	return &strategyv1.ReviewOpened{Period: h.Period.Name, At: at.String(), Note: strings.TrimSpace(c.Note)}, nil
}

func (c LockReview) decideReview(h Held, s *OccurrenceState) (proto.Message, error) {
	if have := s.GetPack(); have != nil {
		if have.GetAsOf() == c.Pack.GetAsOf() {
			return nil, nil
		}
		return nil, fault.New(fault.Rule, "strategy.review_locked", "the review of %s is locked as of %s, at revision %d", h.Period.Name, have.GetAsOf(), have.GetRevision()).
			WithHint("a pack never changes; what was learnt later shows beside it: setpoint gaps --as-of %s", have.GetAsOf())
	}
	if s.GetStage() != Opened {
		return nil, notOpen(h, s)
	}
	return &strategyv1.ReviewLocked{Period: h.Period.Name, Pack: c.Pack}, nil
}

func (c RecordDecision) decideReview(h Held, s *OccurrenceState) (proto.Message, error) {
	if s.GetStage() != Opened && s.GetStage() != Locked {
		return nil, notOpen(h, s)
	}
	title := strings.TrimSpace(c.Title)
	if title == "" {
		return nil, fault.New(fault.Invalid, "strategy.decision_title", "title: a decision needs one").
			WithHint("say what is to be done; it is shown in lists, so name no person")
	}
	if kind, id, ok := strings.Cut(c.Owner, "/"); !ok || id == "" || kind != "unit" && kind != "person" {
		return nil, fault.New(fault.Invalid, "strategy.decision_owner", "owner: %q names no owner", c.Owner).WithHint("write unit/NAME or person/ID")
	}
	due, err := calendar.ParseDate(c.Due)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "strategy.decision_due", "due: not a date").WithHint("YYYY-MM-DD, the day by which it is done")
	}
	d := &strategyv1.ReviewDecision{
		Title: title, Owner: c.Owner, Due: due.String(), Status: "open", Decided: h.Today.String(),
		Targets: slices.Sorted(slices.Values(c.Targets)), Initiatives: slices.Sorted(slices.Values(c.Initiatives)),
	}
	for _, have := range s.GetDecisions() {
		d.Id = have.GetId()
		if have.GetTitle() == d.Title && have.GetOwner() == d.Owner && have.GetDue() == d.Due &&
			slices.Equal(have.GetTargets(), d.Targets) && slices.Equal(have.GetInitiatives(), d.Initiatives) {
			return nil, nil
		}
	}
	if due.Before(h.Today) {
		return nil, fault.New(fault.Invalid, "strategy.decision_due", "due: %s is past, today is %s", due, h.Today).
			WithHint("give whoever owns it a day to come, or today")
	}
	if n := len(s.GetDecisions()); n >= mostDecisions {
		return nil, fault.New(fault.Exhausted, "strategy.decisions", "the review of %s has %d decisions", h.Period.Name, n).
			WithHint("an initiative holds what is more than a few decisions")
	}
	d.Id = fmt.Sprintf("d%d", len(s.GetDecisions())+1)
	return &strategyv1.DecisionRecorded{Period: h.Period.Name, Decision: d, Note: strings.TrimSpace(c.Note)}, nil
}

func (c SettleDecision) decideReview(h Held, s *OccurrenceState) (proto.Message, error) {
	d := decisionOf(s, c.ID)
	if d == nil {
		var legal []string
		for _, x := range s.GetDecisions() {
			legal = append(legal, x.GetId())
		}
		f := fault.New(fault.NotFound, "strategy.decision_unknown", "decision: the review of %s has no decision %q", h.Period.Name, c.ID)
		if len(legal) == 0 {
			return nil, f.WithHint("it decided nothing")
		}
		return nil, f.WithHint("legal are %s", strings.Join(legal, ", "))
	}
	if c.Outcome != "done" && c.Outcome != "dropped" {
		return nil, fault.New(fault.Invalid, "strategy.decision_outcome", "outcome: %q is none", c.Outcome).WithHint("done or dropped")
	}
	if d.GetStatus() == c.Outcome {
		return nil, nil
	}
	if d.GetStatus() != "open" {
		return nil, fault.New(fault.Rule, "strategy.decision_settled", "decision: %s is %s since %s", c.ID, d.GetStatus(), d.GetSettled()).
			WithHint("decide anew in the next review")
	}
	at, err := h.day(c.At)
	if err != nil {
		return nil, err
	}
	if at.String() < d.GetDecided() {
		return nil, fault.New(fault.Invalid, "strategy.review_date", "at: %s is before %s, when it was decided", at, d.GetDecided())
	}
	if strings.TrimSpace(c.Evidence) == "" {
		why := "say what shows that it is done"
		if c.Outcome == "dropped" {
			why = "say why it is dropped"
		}
		return nil, fault.New(fault.Invalid, "strategy.decision_evidence", "evidence: %s", why)
	}
	return &strategyv1.DecisionSettled{
		Period: h.Period.Name, Decision: c.ID, Outcome: c.Outcome, At: at.String(), Evidence: strings.TrimSpace(c.Evidence),
	}, nil
}

func (c CloseReview) decideReview(h Held, s *OccurrenceState) (proto.Message, error) {
	at, err := h.day(c.At)
	if err != nil {
		return nil, err
	}
	switch stage := s.GetStage(); {
	case stage == Closed:
		return nil, nil
	case stage != Locked && h.NeedsPack:
		if stage != Opened {
			return nil, notOpen(h, s)
		}
		return nil, fault.New(fault.Rule, "strategy.review_without_pack", "the review of %s has no pack: nobody could tell later what it looked at", h.Period.Name).
			WithHint("lock it first; or declare withoutPack: true for a review that needs none")
	case stage == "" && h.Period.Start.After(at):
		return nil, fault.New(fault.Rule, "strategy.review_ahead", "period: %s begins on %s, after %s", h.Period.Name, h.Period.Start, at)
	case at.String() < s.GetOpened():
		return nil, fault.New(fault.Invalid, "strategy.review_date", "at: %s is before %s, when it was opened", at, s.GetOpened())
	}
	return &strategyv1.ReviewClosed{Period: h.Period.Name, At: at.String(), Note: strings.TrimSpace(c.Note)}, nil
}

func (c SkipReview) decideReview(h Held, s *OccurrenceState) (proto.Message, error) {
	switch s.GetStage() {
	case Skipped:
		return nil, nil
	case Locked, Closed:
		return nil, fault.New(fault.Rule, "strategy.review_held", "the review of %s is %s: it was held", h.Period.Name, s.GetStage())
	}
	if len(s.GetDecisions()) > 0 {
		return nil, fault.New(fault.Rule, "strategy.review_held", "the review of %s has decided something: it was held", h.Period.Name).WithHint("lock and close it")
	}
	if strings.TrimSpace(c.Reason) == "" {
		return nil, fault.New(fault.Invalid, "strategy.review_reason", "reason: skipping a review needs one")
	}
	if h.Period.Start.Sub(h.Today) > aheadOfReview {
		return nil, fault.New(fault.Invalid, "strategy.review_ahead", "period: %s begins on %s, more than a year ahead", h.Period.Name, h.Period.Start).
			WithHint("to end a review, declare its end")
	}
	return &strategyv1.ReviewSkipped{Period: h.Period.Name, At: h.Today.String(), Reason: strings.TrimSpace(c.Reason)}, nil
}

// EvolveReview returns the state of an occurrence after an event; it does not
// change s.
func EvolveReview(review string, s *OccurrenceState, event proto.Message) *OccurrenceState {
	out := &OccurrenceState{Review: review}
	if s != nil {
		out = proto.Clone(s).(*OccurrenceState)
	}
	switch e := event.(type) {
	case *strategyv1.ReviewOpened:
		out.Period, out.Stage, out.Opened, out.Ended = e.GetPeriod(), Opened, e.GetAt(), ""
	case *strategyv1.ReviewLocked:
		out.Stage, out.Pack = Locked, e.GetPack()
	case *strategyv1.DecisionRecorded:
		out.Decisions = append(out.Decisions, e.GetDecision())
	case *strategyv1.DecisionSettled:
		if d := decisionOf(out, e.GetDecision()); d != nil {
			d.Status, d.Settled = e.GetOutcome(), e.GetAt()
		}
	case *strategyv1.ReviewClosed:
		out.Period, out.Stage, out.Ended = e.GetPeriod(), Closed, e.GetAt()
		if out.Opened == "" {
			out.Opened = e.GetAt()
		}
	case *strategyv1.ReviewSkipped:
		out.Period, out.Stage, out.Opened, out.Ended = e.GetPeriod(), Skipped, "", e.GetAt()
	}
	return out
}

func decisionOf(s *OccurrenceState, id string) *strategyv1.ReviewDecision {
	for _, d := range s.GetDecisions() {
		if d.GetId() == id {
			return d
		}
	}
	return nil
}

// day reads a date that tells of something that has happened: not to come.
func (h Held) day(at string) (calendar.Date, error) {
	if at == "" {
		return h.Today, nil
	}
	d, err := calendar.ParseDate(at)
	if err != nil {
		return d, fault.Wrap(err, fault.Invalid, "strategy.review_date", "at: not a date").WithHint("YYYY-MM-DD")
	}
	if d.After(h.Today) {
		return d, fault.New(fault.Invalid, "strategy.review_date", "at: %s is still to come, today is %s", d, h.Today).
			WithHint("what has happened has a date that is past")
	}
	return d, nil
}

func notOpen(h Held, s *OccurrenceState) error {
	switch s.GetStage() {
	case Closed, Skipped:
		return fault.New(fault.Rule, "strategy.review_"+s.GetStage(), "the review of %s was %s on %s", h.Period.Name, s.GetStage(), s.GetEnded()).
			WithHint("what is new belongs to the next one")
	}
	return fault.New(fault.Rule, "strategy.review_not_open", "the review of %s is not open", h.Period.Name).WithHint("open it first: setpoint review open REVIEW")
}

func reviewInWords(event proto.Message) (summary, note string, links []string) {
	summary, note = ReviewInWords(event)
	return summary, note, nil
}

// ReviewInWords tells an event in a line that holds nothing personal, and what who
// did it said.
func ReviewInWords(event proto.Message) (summary, note string) {
	switch e := event.(type) {
	case *strategyv1.ReviewOpened:
		return fmt.Sprintf("%s opened on %s", e.GetPeriod(), e.GetAt()), e.GetNote()
	case *strategyv1.ReviewLocked:
		p := e.GetPack()
		return fmt.Sprintf("%s locked: as of %s, revision %d, sha256 %.12s", e.GetPeriod(), p.GetAsOf(), p.GetRevision(), p.GetSha256()), ""
	case *strategyv1.DecisionRecorded:
		d := e.GetDecision()
		return fmt.Sprintf("%s decided %s: %s, %s until %s", e.GetPeriod(), d.GetId(), d.GetTitle(), d.GetOwner(), d.GetDue()), e.GetNote()
	case *strategyv1.DecisionSettled:
		return fmt.Sprintf("%s of %s %s on %s", e.GetDecision(), e.GetPeriod(), e.GetOutcome(), e.GetAt()), e.GetEvidence()
	case *strategyv1.ReviewClosed:
		return fmt.Sprintf("%s closed on %s", e.GetPeriod(), e.GetAt()), e.GetNote()
	case *strategyv1.ReviewSkipped:
		return fmt.Sprintf("%s skipped on %s", e.GetPeriod(), e.GetAt()), e.GetReason()
	}
	return "", ""
}
