package condition

import (
	"google.golang.org/protobuf/proto"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
)

// mostFirings is how many firings a set remembers; all are in the log.
const mostFirings = 10

// Evolve returns the set after an event; it does not change s.
func Evolve(s *Set, event proto.Message) *Set {
	out := &Set{}
	if s != nil {
		out = proto.Clone(s).(*Set)
	}
	switch e := event.(type) {
	case *gapv1.TargetAssessed:
		tell(out, e.GetFinding(), "TargetAssessed", true)
	case *gapv1.GapOpened:
		out.GapOpen = true
		tell(out, e.GetFinding(), "GapOpened", true)
	case *gapv1.GapWidened:
		tell(out, e.GetFinding(), "GapWidened", true)
	case *gapv1.GapNarrowed:
		tell(out, e.GetFinding(), "GapNarrowed", true)
	case *gapv1.GapClosed:
		out.GapOpen = false
		tell(out, e.GetFinding(), "GapClosed", true)
	case *gapv1.DataWentStale:
		tell(out, e.GetFinding(), "DataWentStale", false)
	case *gapv1.DataBecameFresh:
		tell(out, e.GetFinding(), "DataBecameFresh", false)
	case *gapv1.ConditionChanged:
		tell(out, e.GetFinding(), e.GetType()+" "+e.GetTo(), false)
	case *gapv1.RollUpChanged:
		f := e.GetFinding()
		out.Score = copied(f.Score)
		// What is not known closes nothing.
		if status := conditionOf(f.GetConditions(), OnTrack).GetStatus(); status != Unknown {
			out.GapOpen = status == False
		}
		tell(out, f, "RollUpChanged "+f.GetToStatus(), true)
	case *gapv1.ReactionHeld:
		r := reaction(out, e.GetCause())
		r.Since, r.Fired, r.Level = e.GetCause().GetSince(), false, 0
	case *gapv1.ReactionFired:
		c := e.GetCause()
		r := reaction(out, c)
		r.Since, r.Fired, r.Level = c.GetSince(), true, 0
		out.Firings = append(out.Firings, &gapv1.Firing{
			Policy: c.GetPolicy(), PolicyRevision: c.GetPolicyRevision(), Reaction: c.GetReaction(), When: c.GetWhen(),
			Inputs: c.GetInputs(), AsOf: c.GetAsOf(), Effects: e.GetEffects(),
		})
		if n := len(out.Firings); n > mostFirings {
			out.Firings = out.Firings[n-mostFirings:]
		}
	case *gapv1.Escalated:
		reaction(out, e.GetCause()).Level = e.GetLevel()
	case *gapv1.ReactionEnded:
		c := e.GetCause()
		for i, r := range out.GetReactions() {
			if r.GetPolicy() == c.GetPolicy() && r.GetReaction() == c.GetReaction() {
				out.Reactions = append(out.Reactions[:i:i], out.Reactions[i+1:]...)
				break
			}
		}
	}
	return out
}

// tell takes over what was found. The share, and the status, that a gap is
// compared with are those of what was told of the gap itself: other words must
// not move them, or a gap could widen unnoticed.
func tell(s *Set, f *gapv1.Finding, what string, ofGap bool) {
	s.Target, s.Review, s.Kind, s.Name, s.Last = f.GetTarget(), f.GetReview(), f.GetKind(), f.GetName(), what
	s.Conditions = f.GetConditions()
	s.AsOf, s.ObservedRevision, s.Evaluator = f.GetAsOf(), f.GetRevision(), f.GetEvaluator()
	s.Policy, s.PolicyRevision = f.GetPolicy(), f.GetPolicyRevision()
	if ofGap || !s.GetGapOpen() {
		s.Status, s.Share = f.GetToStatus(), copied(f.Share)
	}
}

// copied is a number of its own: one of an evaluation keeps the room of thousands.
func copied(n *float64) *float64 {
	if n == nil {
		return nil
	}
	return proto.Float64(*n)
}

// reaction is the state of a reaction, made if there is none.
func reaction(s *Set, c *gapv1.Cause) *gapv1.ReactionState {
	for _, r := range s.GetReactions() {
		if r.GetPolicy() == c.GetPolicy() && r.GetReaction() == c.GetReaction() {
			return r
		}
	}
	r := &gapv1.ReactionState{Policy: c.GetPolicy(), Reaction: c.GetReaction()}
	s.Reactions = append(s.Reactions, r)
	return r
}
