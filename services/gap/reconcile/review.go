package reconcile

import (
	"time"

	"google.golang.org/protobuf/proto"

	"setpoint.dev/services/gap/condition"
	"setpoint.dev/services/gap/policy"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/record"
)

// ReviewsFunc reads how every review of an organization stands at the end of a day,
// as was known at a revision. Reviews are another slice's: whoever puts the process
// together has the function.
type ReviewsFunc func(v record.View, org string, at uint64, day calendar.Date) ([]condition.Review, error)

// Reviews has reviews looked at as well; it is for before Run.
func (r *Reconciler) Reviews(f ReviewsFunc) { r.reviews = f }

func reviewSubject(org, id string) eventlog.Subject {
	return eventlog.Subject{Org: org, Service: policy.Service, Kind: condition.ReviewAggregate, ID: id}
}

// nextOfReview is what is to be told of a review, and the set after it.
func (p *picture) nextOfReview(set *condition.Set, o condition.Review) ([]proto.Message, *condition.Set) {
	events := condition.DecideReview(set, o)
	for _, e := range events {
		set = condition.Evolve(set, e)
	}
	reactions := condition.ReactToReview(set, o, condition.Surroundings{
		Units: condition.Chain(o.Unit, p.parents), Identity: p.org + "/" + o.ID,
	}, p.policies)
	for _, e := range reactions {
		set = condition.Evolve(set, e)
	}
	return append(events, reactions...), set
}

// reviewed are all reviews as they stand.
func (p *picture) reviewed(now time.Time) (out []told) {
	for _, o := range p.reviews {
		o.Day, o.Instant, o.Revision = p.day, now.UTC().Format(time.RFC3339), p.at
		out = append(out, told{of: reviewSubject(p.org, o.ID), next: func(s *condition.Set) ([]proto.Message, *condition.Set) {
			return p.nextOfReview(s, o)
		}})
	}
	return out
}
