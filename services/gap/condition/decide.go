package condition

import (
	"google.golang.org/protobuf/proto"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
)

// Decide returns what is to be told of a target: nothing if all is told already.
func Decide(s *Set, o Observed) []proto.Message {
	r := &o.Result
	wasOpen := s.GetGapOpen()
	open := o.open(s)
	now := o.conditions(s, open)
	changed := carry(s, now, o.Revision, o.Day, o.Instant)
	f := o.finding(s, now)

	var out []proto.Message
	if s == nil {
		out = append(out, &gapv1.TargetAssessed{Finding: f})
	}
	told := s == nil
	switch {
	case open && !wasOpen:
		out, told = append(out, &gapv1.GapOpened{Finding: f}), true
	case !open && wasOpen:
		out, told = append(out, &gapv1.GapClosed{Finding: f}), true
	case open && red(r.Status):
		if e := o.moved(s, f); e != nil {
			out, told = append(out, e), true
		}
	}
	for _, c := range now {
		was := Of(s, c.GetType())
		if was.GetStatus() == c.GetStatus() {
			continue
		}
		switch {
		case c.GetType() == DataFresh && c.GetStatus() == False:
			out, told = append(out, &gapv1.DataWentStale{Finding: f}), true
		case c.GetType() == DataFresh && was.GetStatus() == False && c.GetStatus() == True:
			out, told = append(out, &gapv1.DataBecameFresh{Finding: f}), true
		case s == nil:
			// Said by the first word.
		case c.GetType() == OnTrack && told && open != wasOpen:
			// Said by the gap.
		case changed[c.GetType()]:
			out = append(out, &gapv1.ConditionChanged{
				Finding: f, Type: c.GetType(), From: was.GetStatus(), To: c.GetStatus(), Reason: c.GetReason(), Message: c.GetMessage(),
			})
		}
	}
	return out
}

// open tells whether there is a gap to tell, or one that has been told and does
// not close yet.
func (o *Observed) open(s *Set) bool {
	r := &o.Result
	switch {
	case red(r.Status):
		return true
	case !s.GetGapOpen():
		return false
	case !r.Status.Green():
		return true // what is not known closes nothing
	case r.Status == gap.Achieved || r.Share == nil || s.Share == nil:
		return false
	}
	return *r.Share > max(s.GetShare()-o.Rules.Margin, 0)
}

// moved tells that an open gap is another than was told.
func (o *Observed) moved(s *Set, f *gapv1.Finding) proto.Message {
	was, is := worse(gap.Status(s.GetStatus())), worse(o.Result.Status)
	share := o.Result.Share
	switch {
	case share != nil && s.Share != nil && *share >= s.GetShare()+o.Rules.Step:
		return &gapv1.GapWidened{Finding: f}
	case share != nil && s.Share != nil && *share <= s.GetShare()-o.Rules.Step:
		return &gapv1.GapNarrowed{Finding: f}
	case was == 0 || was == is:
		return nil
	case is == worse(gap.Missed), was == worse(gap.Missed), beyond(s, share, o.Rules.Margin):
		// A swing about the line between two statuses by less than the margin is
		// no change; a verdict is.
		if is > was {
			return &gapv1.GapWidened{Finding: f}
		}
		return &gapv1.GapNarrowed{Finding: f}
	}
	return nil
}

// beyond tells whether a share is further than the margin from the one told.
func beyond(s *Set, share *float64, margin float64) bool {
	if share == nil || s.Share == nil {
		return true
	}
	d := *share - s.GetShare()
	return d >= margin || -d >= margin
}

// carry dates the conditions that now hold: those whose status is the same keep
// the day of their last transition. It returns the types that changed.
func carry(s *Set, now []*gapv1.Condition, revision uint64, day calendar.Date, instant string) map[string]bool {
	changed := map[string]bool{}
	for _, c := range now {
		c.ObservedRevision = int64(revision)
		was := Of(s, c.GetType())
		if was.GetStatus() == c.GetStatus() {
			c.LastTransitionDay, c.LastTransitionAt = was.GetLastTransitionDay(), was.GetLastTransitionAt()
			continue
		}
		changed[c.GetType()] = true
		c.LastTransitionDay, c.LastTransitionAt = day.String(), instant
	}
	return changed
}

func (o *Observed) finding(s *Set, now []*gapv1.Condition) *gapv1.Finding {
	r := &o.Result
	f := &gapv1.Finding{
		Target: r.Name, Title: r.Title, Metric: r.Metric, Objective: r.Objective, Strategy: r.Strategy, Owner: r.Owner,
		FromStatus: s.GetStatus(), ToStatus: string(r.Status),
		Gap: r.Gap, Drift: r.Drift, Share: r.Share, Actual: r.Actual, Expected: r.Expected, TargetValue: r.Target,
		Period: r.Period, AsOf: o.Day.String(), Revision: int64(o.Revision),
		Policy: o.Rules.Name, PolicyRevision: int64(o.Rules.Revision), Evaluator: Evaluator,
		Rule: r.Explanation.Rule, Conditions: now,
	}
	if s != nil {
		f.FromShare = s.Share
	}
	if !r.ActualAt.IsZero() {
		f.ActualAt = r.ActualAt.String()
	}
	if !r.Due.IsZero() {
		f.Due = r.Due.String()
	}
	return f
}
