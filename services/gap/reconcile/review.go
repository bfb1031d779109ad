package reconcile

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"setpoint.dev/services/gap/condition"
	"setpoint.dev/services/gap/policy"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/runner"
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

// tellOfReviews appends what is to be told of reviews. What policies do about them
// is in the events themselves.
func (r *Reconciler) tellOfReviews(ctx context.Context, p *picture, now time.Time) (int, error) {
	var pending []condition.Review
	for _, o := range p.reviews {
		o.Day, o.Instant, o.Revision = p.day, now.UTC().Format(time.RFC3339), p.at
		var set *condition.Set
		if k := p.sets[o.ID]; k != nil {
			set = k.set
		}
		if events, _ := p.nextOfReview(set, o); len(events) > 0 {
			pending = append(pending, o)
		}
	}
	for chunk := range slices.Chunk(pending, min(mostAtOnce, r.runner.MaxCommit())) {
		if err := r.commitReviews(ctx, p, chunk); err != nil {
			return 0, err
		}
	}
	return len(pending), nil
}

// commitReviews tells of some reviews, decided on what their guards say.
func (r *Reconciler) commitReviews(ctx context.Context, p *picture, list []condition.Review) error {
	var guards []eventlog.Subject
	h := sha256.New()
	fmt.Fprintf(h, "reviews %s %s %d", p.org, p.day, p.at)
	for _, o := range list {
		guards = append(guards, reviewSubject(p.org, o.ID))
		from := uint64(0)
		if k := p.sets[o.ID]; k != nil {
			from = k.from
		}
		fmt.Fprintf(h, "\n%s %d", o.ID, from)
	}
	after := map[string]*condition.Set{}
	out, err := r.runner.Run(ctx, runner.Command{
		Org: p.org, RequestID: "gap-" + strings.ToLower(base32.StdEncoding.EncodeToString(h.Sum(nil)[:15])), Principal: Principal, Manager: Manager, Guards: guards,
	}, func(v record.View) ([]runner.Write, error) {
		clear(after)
		var writes []runner.Write
		for _, o := range list {
			set, err := setOf(v, reviewSubject(p.org, o.ID))
			if err != nil {
				return nil, err
			}
			if set.GetObservedRevision() > int64(o.Revision) {
				continue // another one has told what is newer
			}
			events, next := p.nextOfReview(set, o)
			if len(events) == 0 {
				continue
			}
			w, err := write(reviewSubject(p.org, o.ID), p.day, events, next)
			if err != nil {
				return nil, err
			}
			writes = append(writes, w)
			after[o.ID] = next
		}
		return writes, nil
	})
	if err != nil {
		return err
	}
	if out.Replayed != nil || len(after) < len(list) {
		return errElsewhere // somebody else told: read again
	}
	for id, set := range after {
		p.sets[id] = &known{set, out.Revision}
	}
	return nil
}
