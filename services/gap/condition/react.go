package condition

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/services/gap/policy"
	"setpoint.dev/services/internal/calendar"
)

// Surroundings are what expressions can look at beside the target itself.
type Surroundings struct {
	Units []string // the owning unit and those above it, nearest first
	// OpenActions counts the open corrective actions that people opened: what
	// policies open is invisible, so that they cannot set each other off.
	OpenActions int
	// Promised tells whether a corrective action that a policy opened on the target is
	// still open, by title and owner; nil: none is. No expression sees it.
	Promised func(policy, title, owner string) bool
	// Identity tells the target from every other one for ever.
	Identity string
}

// Values are what an expression is given: only what is known.
func Values(s *Set, o Observed, around Surroundings) map[string]any {
	r := &o.Result
	v := map[string]any{
		"target.name": r.Name, "target.metric": r.Metric, "target.objective": r.Objective, "target.strategy": r.Strategy,
		"target.owner": r.Owner, "target.form": string(r.Form), "target.status": string(r.Status),
		"gap.open": s.GetGapOpen(), "gap.known": r.Gap != nil,
		"transition.last": s.GetLast(), "units": around.Units, "actions.open": around.OpenActions,
	}
	for name, n := range map[string]*float64{
		"gap.value": r.Gap, "gap.share": r.Share, "gap.drift": r.Drift, "gap.actual": r.Actual, "gap.expected": r.Expected,
	} {
		if n != nil {
			v[name] = *n
		}
	}
	if c := o.Coverage; c != nil && c.Share != nil {
		v["gap.coverage"] = *c.Share
	}
	if !r.Due.IsZero() {
		v["target.daysToDue"] = r.Due.Sub(o.Day)
	}
	if !r.ActualAt.IsZero() {
		v["days.data"] = o.Day.Sub(r.ActualAt)
	}
	ofConditions(v, s, o.Day)
	return v
}

// ofConditions adds how the conditions on record stand, and since when.
func ofConditions(v map[string]any, s *Set, day calendar.Date) {
	for _, c := range s.GetConditions() {
		v["condition."+c.GetType()] = c.GetStatus()
		since, err := calendar.ParseDate(c.GetLastTransitionDay())
		if err != nil {
			continue
		}
		switch c.GetType() {
		case OnTrack:
			v["days.onTrack"] = max(0, day.Sub(since))
		case DataFresh:
			v["days.dataFresh"] = max(0, day.Sub(since))
		}
	}
}

// subject is what a policy reacts to: a target, a review, or what rolls targets up.
type subject struct {
	kind, name             string
	title, owner, strategy string
	day                    calendar.Date
	revision               uint64
	standing               string // how it stands, in words
	finding                func() *gapv1.Finding
}

func (o *Observed) subject(s *Set) subject {
	r := &o.Result
	return subject{
		kind: policy.Target, name: r.Name, title: cmp.Or(r.Title, r.Name), owner: r.Owner, strategy: r.Strategy, day: o.Day, revision: o.Revision,
		standing: strings.ReplaceAll(string(r.Status), "_", " ") + behind(r),
		finding:  func() *gapv1.Finding { return o.finding(s, s.GetConditions()) },
	}
}

// React returns what policies do about a target whose conditions are on record
// as s, which is after what Decide told.
func React(s *Set, o Observed, around Surroundings, policies []policy.Ready) []proto.Message {
	if len(policies) == 0 && len(s.GetReactions()) == 0 {
		return nil
	}
	return o.subject(s).reactions(s, Values(s, o, around), around, policies)
}

// reactions are what policies do about a subject.
func (o subject) reactions(s *Set, values map[string]any, around Surroundings, policies []policy.Ready) []proto.Message {
	var out []proto.Message
	held := map[string]bool{}
	for _, p := range policies {
		if !p.Looks(o.strategy) {
			continue
		}
		for _, x := range p.Reactions {
			if x.About != o.kind {
				continue
			}
			holds, inputs := x.Ask(values)
			if !holds {
				continue
			}
			held[p.Name+" "+x.Name] = true
			out = append(out, o.react(s, around, p, x, inputs)...)
		}
	}
	for _, r := range s.GetReactions() {
		if !held[r.GetPolicy()+" "+r.GetReaction()] {
			out = append(out, &gapv1.ReactionEnded{Cause: o.cause(&gapv1.Cause{Policy: r.GetPolicy(), Reaction: r.GetReaction(), Since: r.GetSince()})})
		}
	}
	return out
}

// cause says of a cause whose it is, and as of when.
func (o subject) cause(c *gapv1.Cause) *gapv1.Cause {
	c.AsOf, c.Revision = o.day.String(), int64(o.revision)
	switch o.kind {
	case policy.Target:
		c.Target = o.name
	case policy.Review:
		c.Review = o.name
	default:
		c.Kind, c.Name = o.kind, o.name
	}
	return c
}

// react is what one reaction that holds leads to.
func (o subject) react(s *Set, around Surroundings, p policy.Ready, x policy.Reaction, inputs map[string]string) []proto.Message {
	var was *gapv1.ReactionState
	for _, r := range s.GetReactions() {
		if r.GetPolicy() == p.Name && r.GetReaction() == x.Name {
			was = r
		}
	}
	since := o.day
	if was != nil {
		if d, err := calendar.ParseDate(was.GetSince()); err == nil && d.Before(since) {
			since = d
		}
	}
	cause := o.cause(&gapv1.Cause{
		Policy: p.Name, PolicyRevision: int64(p.Revision), Reaction: x.Name, When: x.When, Inputs: inputs, Since: since.String(),
	})
	held := o.day.Sub(since)
	if held < x.For {
		if was == nil {
			return []proto.Message{&gapv1.ReactionHeld{Cause: cause}}
		}
		return nil
	}
	var out []proto.Message
	if !was.GetFired() {
		cause.Finding = o.finding()
		fired := &gapv1.ReactionFired{Cause: cause}
		var notes []proto.Message
		for i, a := range x.Do {
			e := o.effect(a, around, cause, i)
			fired.Effects = append(fired.Effects, e)
			if e.GetKind() == "notify" {
				notes = append(notes, &gapv1.NotificationRequested{Cause: cause, Channel: e.GetChannel(), Message: e.GetMessage()})
			}
		}
		out = append(append(out, fired), notes...)
	}
	return append(out, o.escalate(was, around, x, cause, held-x.For)...)
}

// escalate goes as far up as the periods since the firing allow.
func (o subject) escalate(was *gapv1.ReactionState, around Surroundings, x policy.Reaction, cause *gapv1.Cause, days int) []proto.Message {
	var out []proto.Message
	for _, a := range x.Do {
		if a.GetEscalate() == nil {
			continue
		}
		after := max(1, policy.Days(a.GetEscalate().GetAfter(), 14))
		reached := min(days/after, len(around.Units)-1)
		for level := int(was.GetLevel()) + 1; level <= reached; level++ {
			out = append(out, &gapv1.Escalated{Cause: cause, Level: int32(level), To: "unit/" + around.Units[level]})
		}
		break
	}
	return out
}

func (o subject) effect(a *gapv1.Action, around Surroundings, cause *gapv1.Cause, i int) *gapv1.Effect {
	e := &gapv1.Effect{}
	switch {
	case a.GetOpenCorrectiveAction() != nil:
		x := a.GetOpenCorrectiveAction()
		due := 30
		if x.DueInDays != nil {
			due = int(x.GetDueInDays())
		}
		e.Kind = "openCorrectiveAction"
		e.Owner, e.Due = cmp.Or(x.GetOwner(), o.owner), o.day.AddDays(due).String()
		e.Title = cmp.Or(x.GetTitle(), "Close the gap of "+o.title)
		if e.GetOwner() == "" {
			// An action that nobody has promised is none.
			e.Message = "not opened: nobody owns the target, and the policy names no owner"
			break
		}
		if around.Promised != nil && around.Promised(cause.GetPolicy(), e.GetTitle(), e.GetOwner()) {
			// Nobody is helped by the same promise twice.
			e.Message = "not opened: the one that the policy opened before is still open"
			break
		}
		e.RequestId = requestID(around.Identity, cause, i)
	case a.GetRequireCheckIn() != nil:
		due := 7
		if x := a.GetRequireCheckIn(); x.DueInDays != nil {
			due = int(x.GetDueInDays())
		}
		e.Kind, e.Owner, e.Due = "requireCheckIn", o.owner, o.day.AddDays(due).String()
		e.Title = fmt.Sprintf("policy %s, reaction %s: how does it stand?", cause.GetPolicy(), cause.GetReaction())
		e.RequestId = requestID(around.Identity, cause, i)
	case a.GetEscalate() != nil:
		e.Kind = "escalate"
	case a.GetNotify() != nil:
		e.Kind, e.Channel = "notify", cmp.Or(a.GetNotify().GetChannel(), "default")
		e.Message = cmp.Or(a.GetNotify().GetMessage(), fmt.Sprintf("%s: %s (policy %s, reaction %s)", o.title, o.standing, cause.GetPolicy(), cause.GetReaction()))
	}
	return e
}

// requestID is the same for the same firing, whoever carries it out.
func requestID(identity string, c *gapv1.Cause, i int) string {
	// With the revision: it may end and fire again on the same day.
	sum := sha256.Sum256([]byte(strings.Join([]string{
		identity, c.GetPolicy(), c.GetReaction(), c.GetSince(), c.GetAsOf(), fmt.Sprint(c.GetRevision()), fmt.Sprint(i),
	}, "\x00")))
	return "policy-" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:15]))
}

// Chain is a unit and those above it, nearest first.
func Chain(unit string, parents map[string]string) []string {
	var out []string
	for unit != "" && !slices.Contains(out, unit) {
		out = append(out, unit)
		unit = parents[unit]
	}
	return out
}
