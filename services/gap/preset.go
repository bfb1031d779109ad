package gap

// Default is the policy where none is named.
func Default() Policy {
	return Policy{
		Name:  "default",
		Words: "On track up to 5 % of the way behind the path, at risk up to 15 %; a period's target is met, missed by up to 15 % or missed; weighted mean of the parts.",
		Basis: OnTrajectory, Share: OfWay, Score: Health,
		OnTrack: 0.05, AtRisk: 0.15, AtRiskTolerances: 3,
		Levels: okrLevels, Gauge: gauge,
		RollUp: RollUpRule{Method: Weighted, OnTrack: 0.75, AtRisk: 0.4, MinKnown: 0.5, Missing: MissingUnknown},
	}
}

// OKR judges by the score on the levels: baseline 0, commit 0.3, target 0.7,
// stretch 1.0, or linear from baseline to target where no levels are declared.
// An objective's score is the weighted mean. Bands and expectations are those
// of Google's OKR playbook (Doerr, Measure What Matters, 2018).
func OKR() Policy {
	p := Default()
	p.Name, p.Basis, p.Score = "okr", OnFinal, LevelScore
	p.Words = "Scored from 0 at the baseline over 0.3 at commit and 0.7 at target to 1.0 at stretch; from 0.7 on track, from 0.4 at risk; at the end 1.0 is expected of a committed key result, 0.7 of an aspirational one."
	p.RollUp.OnTrack, p.RollUp.AtRisk = okrLevels.OnTrack, okrLevels.AtRisk
	return p
}

var okrLevels = LevelRule{
	Commit: 0.3, Target: 0.7, Stretch: 1,
	OnTrack: 0.7, AtRisk: 0.4,
	Committed: 1, Aspirational: 0.7,
}

// ClearPoint judges as ClearPoint Strategy's usual status criteria do: ordered
// rules, of which the first that matches counts: at the date's target or
// better green, at 0.9 of it or better amber, else red; for what is to fall at
// or below the target, and at or below 1.1 of it.
func ClearPoint() Policy {
	p := Default()
	p.Name, p.Share = "clearpoint", OfTarget
	p.Words = "The first that matches: at least the target of the date is on track, at least 0.9 of it at risk, else off track; for what is to fall, at most the target, at most 1.1 of it."
	p.OnTrack, p.AtRisk = 0, 0.1
	return p
}

// Spider judges as Spider Impact's goal and red-flag scoring does: a scale of 0
// to 10, 3.3 at the red flag, 6.6 at the goal. The goal is the final value or
// the period's; the red flag is the commit level, else the baseline, else as
// far short of the goal as is at risk by default.
func Spider() Policy {
	p := Default()
	p.Name, p.Basis, p.Score = "spider", OnFinal, GaugeScore
	p.Words = "Scored from 0 to 10: 3.3 at the red flag (the commit level, else the baseline, else 15 % short of the goal), 6.6 at the goal; from 6.6 on track, from 3.3 at risk; weighted mean of the scores."
	p.RollUp.OnTrack, p.RollUp.AtRisk = gauge.Goal/gauge.Best, gauge.RedFlag/gauge.Best
	return p
}

var gauge = GaugeRule{RedFlag: 3.3, Goal: 6.6, Best: 10}

// ServiceNow judges by how much of the date's target has been reached, 90 % on
// track and 75 % at risk (for what is to fall, at most 110 % and 125 % of it);
// the worst part decides above.
func ServiceNow() Policy {
	p := Default()
	p.Name, p.Share = "servicenow", OfTarget
	p.Words = "At least 90 % of the target of the date is on track, at least 75 % at risk, else off track; for what is to fall, at most 110 % and 125 % of it; the worst part decides."
	p.OnTrack, p.AtRisk = 0.1, 0.25
	p.RollUp.Method = Worst
	return p
}

// Cascade judges the actual against what was expected at its date: 95 % of it
// on track, 85 % at risk (for what is to fall, at most 105 % and 115 %).
func Cascade() Policy {
	p := Default()
	p.Name, p.Share = "cascade", OfTarget
	p.Words = "At least 95 % of what was expected at the date is on track, at least 85 % at risk, else off track; for what is to fall, at most 105 % and 115 % of it."
	p.OnTrack, p.AtRisk = 0.05, 0.15
	return p
}

// presets are the policies that have a name, in the order they are shown in.
var presets = []func() Policy{
	Default, OKR, ClearPoint, Spider, ServiceNow, Cascade,
	variant("worst", "As default, but the worst part decides.", func(r *RollUpRule) { r.Method = Worst }),
	variant("threshold", "As default, but the share of the weight that is on track or achieved decides: from 75 % on track, from 40 % at risk.", func(r *RollUpRule) { r.Method = Threshold }),
	variant("missing-excluded", "As default, but parts without data are left out, however many.", func(r *RollUpRule) { r.Missing = MissingExcluded }),
	variant("missing-failed", "As default, but parts without data count as off track.", func(r *RollUpRule) { r.Missing = MissingFailed }),
}

// variant is the default with another roll-up.
func variant(name, words string, change func(*RollUpRule)) func() Policy {
	return func() Policy {
		p := Default()
		p.Name, p.Words = name, words
		change(&p.RollUp)
		return p
	}
}

// PolicyNames lists the presets.
func PolicyNames() []string {
	names := make([]string, 0, len(presets))
	for _, preset := range presets {
		names = append(names, preset().Name)
	}
	return names
}

// PolicyNamed is the preset of that name; "" names the default.
func PolicyNamed(name string) (Policy, bool) {
	if name == "" {
		return Default(), true
	}
	for _, preset := range presets {
		if p := preset(); p.Name == name {
			return p, true
		}
	}
	return Policy{}, false
}
