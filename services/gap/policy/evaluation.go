package policy

import (
	"fmt"
	"strings"

	"setpoint.dev/services/gap"
)

// Rules are what a policy says about numbers: those of the comparison, and
// those of conditions.
type Rules struct {
	gap.Policy
	Revision uint64 // of the declaration; 0: a preset

	// A gap closes below the share told last by Margin, and has widened or
	// narrowed at a distance of Step from it.
	Margin, Step float64
	// Covered is the coverage from which a gap is covered, Ready the readiness
	// (heuristic) from which people are ready, Attains the probability from which
	// a forecast attains.
	Covered, Ready, Attains float64
}

// Preset are the rules of a preset; false if there is none of that name.
func Preset(name string) (Rules, bool) {
	p, ok := gap.PolicyNamed(name)
	return Rules{Policy: p, Margin: 0.01, Step: 0.05, Covered: 1, Ready: 0.5, Attains: 0.5}, ok
}

// Of are the rules of a declared policy.
func Of(name string, revision uint64, s *Spec) Rules {
	e := s.GetEvaluation()
	r, ok := Preset(e.GetPreset())
	if !ok { // refused when it was declared; a preset is never taken back
		r, _ = Preset("")
	}
	begin := r.Policy
	r.Revision = revision
	r.Name = name
	c := changes{}
	if e.GetBasis() != "" {
		c.word("basis", (*string)(&r.Basis), e.GetBasis())
	}
	if e.GetShare() != "" {
		c.word("share of", (*string)(&r.Share), e.GetShare())
	}
	if e.GetScore() != "" {
		c.word("score", (*string)(&r.Score), e.GetScore())
	}
	c.number("on track up to", &r.OnTrack, e.GetOnTrack(), e != nil && e.OnTrack != nil)
	c.number("at risk up to", &r.AtRisk, e.GetAtRisk(), e != nil && e.AtRisk != nil)
	c.number("at risk up to tolerances", &r.AtRiskTolerances, e.GetAtRiskTolerances(), e != nil && e.AtRiskTolerances != nil)
	if l := e.GetLevels(); l != nil {
		c.number("commit is worth", &r.Levels.Commit, l.GetCommit(), l.Commit != nil)
		c.number("target is worth", &r.Levels.Target, l.GetTarget(), l.Target != nil)
		c.number("stretch is worth", &r.Levels.Stretch, l.GetStretch(), l.Stretch != nil)
		c.number("levels on track from", &r.Levels.OnTrack, l.GetOnTrack(), l.OnTrack != nil)
		c.number("levels at risk from", &r.Levels.AtRisk, l.GetAtRisk(), l.AtRisk != nil)
		c.number("expected of committed", &r.Levels.Committed, l.GetCommitted(), l.Committed != nil)
		c.number("expected of aspirational", &r.Levels.Aspirational, l.GetAspirational(), l.Aspirational != nil)
	}
	if g := e.GetGauge(); g != nil {
		c.number("red flag at", &r.Gauge.RedFlag, g.GetRedFlag(), g.RedFlag != nil)
		c.number("goal at", &r.Gauge.Goal, g.GetGoal(), g.Goal != nil)
		c.number("best is", &r.Gauge.Best, g.GetBest(), g.Best != nil)
	}
	if u := e.GetRollUp(); u != nil {
		if u.GetMethod() != "" {
			c.word("roll-up", (*string)(&r.RollUp.Method), u.GetMethod())
		}
		c.number("roll-up on track from", &r.RollUp.OnTrack, u.GetOnTrack(), u.OnTrack != nil)
		c.number("roll-up at risk from", &r.RollUp.AtRisk, u.GetAtRisk(), u.AtRisk != nil)
		c.number("known at least", &r.RollUp.MinKnown, u.GetMinKnown(), u.MinKnown != nil)
		if u.GetMissing() != "" {
			c.word("missing parts count as", (*string)(&r.RollUp.Missing), u.GetMissing())
		}
	}
	if len(c) > 0 {
		r.Words = fmt.Sprintf("As %s, but %s.", begin.Name, strings.Join(c, ", "))
	}
	// What the loop alone looks at is not in the words of a comparison.
	var ofLoop changes
	if h := e.GetHysteresis(); h != nil {
		ofLoop.number("", &r.Margin, h.GetMargin(), h.Margin != nil)
		ofLoop.number("", &r.Step, h.GetStep(), h.Step != nil)
	}
	ofLoop.number("", &r.Covered, e.GetCovered(), e != nil && e.Covered != nil)
	ofLoop.number("", &r.Ready, e.GetReady(), e != nil && e.Ready != nil)
	ofLoop.number("", &r.Attains, e.GetAttains(), e != nil && e.Attains != nil)
	return r
}

// changes tells in words what differs from the preset.
type changes []string

func (c *changes) word(what string, v *string, to string) {
	if *v != to {
		*v = to
		*c = append(*c, what+" "+to)
	}
}

func (c *changes) number(what string, v *float64, to float64, given bool) {
	if given && *v != to {
		*v = to
		*c = append(*c, fmt.Sprintf("%s %v", what, to))
	}
}
