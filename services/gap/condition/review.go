package condition

import (
	"cmp"

	"google.golang.org/protobuf/proto"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/services/gap/policy"
	"setpoint.dev/services/internal/calendar"
)

// ReviewOverdue is the condition of a review: one that has come due was not held in
// time.
const ReviewOverdue = "ReviewOverdue"

// ReviewAggregate is the token in subjects of the conditions of a review; its id is
// the review's.
const ReviewAggregate = "review-condition"

// Review is a review at the end of a day, as the slice that has reviews finds it.
type Review struct {
	ID, Name, Title, Owner, Cadence, Strategy string
	Unit                                      string        // the owning one
	Period                                    string        // the latest that it is owed for; empty: none is
	Missed                                    int           // how many in a row are late
	Since                                     calendar.Date // when the first of them was due

	Day      calendar.Date
	Instant  string // RFC 3339, when it was looked at
	Revision uint64 // up to which was read
}

func (r *Review) overdue() int {
	if r.Missed == 0 {
		return 0
	}
	return r.Day.Sub(r.Since)
}

func (r *Review) condition() *gapv1.Condition {
	switch {
	case r.Missed > 1:
		return verdict(ReviewOverdue, True, "Missed", "%d in a row were not held, the first was due on %s", r.Missed, r.Since)
	case r.Missed == 1:
		return verdict(ReviewOverdue, True, "Overdue", "the review of %s was due on %s", r.Period, r.Since)
	case r.Period != "":
		return verdict(ReviewOverdue, False, "Due", "the review of %s is due", r.Period)
	}
	return verdict(ReviewOverdue, False, "NothingOwed", "no review is owed")
}

// DecideReview returns what is to be told of a review: nothing if all is told
// already.
func DecideReview(s *Set, r Review) []proto.Message {
	c := r.condition()
	c.ObservedRevision, c.LastTransitionDay, c.LastTransitionAt = int64(r.Revision), r.Day.String(), r.Instant
	was := Of(s, ReviewOverdue)
	if was.GetStatus() == c.GetStatus() {
		return nil
	}
	return []proto.Message{&gapv1.ConditionChanged{
		Finding: r.finding(s, []*gapv1.Condition{c}), Type: c.GetType(), From: was.GetStatus(), To: c.GetStatus(), Reason: c.GetReason(), Message: c.GetMessage(),
	}}
}

func (r *Review) finding(s *Set, now []*gapv1.Condition) *gapv1.Finding {
	f := &gapv1.Finding{
		Review: r.Name, Title: r.Title, Strategy: r.Strategy, Owner: r.Owner, Period: r.Period, AsOf: r.Day.String(), Revision: int64(r.Revision),
		Evaluator: Evaluator, Rule: "a review is overdue when it was not held within its days after the end of its period", Conditions: now, Missed: int32(r.Missed),
	}
	if r.Missed > 0 {
		f.MissedSince = r.Since.String()
	}
	return f
}

// ReactToReview returns what policies do about a review whose conditions are on
// record as s, which is after what DecideReview told.
func ReactToReview(s *Set, r Review, around Surroundings, policies []policy.Ready) []proto.Message {
	if len(policies) == 0 && len(s.GetReactions()) == 0 {
		return nil
	}
	values := map[string]any{
		"review.name": r.Name, "review.owner": r.Owner, "review.cadence": r.Cadence, "review.daysOverdue": r.overdue(), "review.missed": r.Missed,
		"condition." + ReviewOverdue: Of(s, ReviewOverdue).GetStatus(), "transition.last": s.GetLast(), "units": around.Units,
	}
	for name, known := range map[string]string{"review.strategy": r.Strategy, "review.period": r.Period} {
		if known != "" {
			values[name] = known
		}
	}
	c := r.condition()
	return subject{
		kind: policy.Review, name: r.Name, title: cmp.Or(r.Title, r.Name), owner: r.Owner, strategy: r.Strategy, day: r.Day, revision: r.Revision,
		standing: c.GetMessage(), finding: func() *gapv1.Finding { return r.finding(s, s.GetConditions()) },
	}.reactions(s, values, around, policies)
}
