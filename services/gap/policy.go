package gap

// Policy is which rule turns numbers into statuses and roll-ups. It is data:
// a preset is a value, and changing a number of it makes another policy.
type Policy struct {
	Name  string
	Basis Basis
	Score Scoring

	// A share (drift / R) up to OnTrack is on track, up to AtRisk at risk,
	// beyond it off track; both inclusive. A tolerance τ widens them: to τ/R
	// and to AtRiskTolerances × τ/R.
	OnTrack, AtRisk  float64
	AtRiskTolerances float64

	Levels LevelRule
	RollUp RollUpRule
}

// Basis is what a path is judged by.
type Basis string

const (
	OnTrajectory Basis = "trajectory" // the distance from the path now
	OnFinal      Basis = "final"      // the distance from the final value
)

// Scoring is what a target passes up to its objective.
type Scoring string

const (
	// Health is 1 for achieved and on track, ½ for at risk, 0 for off track
	// and missed.
	Health Scoring = "health"
	// LevelScore is the score on the levels; it also decides the status.
	LevelScore Scoring = "levels"
)

// LevelRule says what OKR levels are worth and what is expected of a key
// result at its end: Committed of a committed one, Aspirational of any other.
type LevelRule struct {
	Commit, Target, Stretch float64
	OnTrack, AtRisk         float64 // lower bounds of the bands, inclusive
	Committed, Aspirational float64
}

// RollUpRule says how the parts of an objective, strategy or unit become one.
type RollUpRule struct {
	Method          RollUpMethod
	OnTrack, AtRisk float64 // lower bounds of the score, inclusive
	MinKnown        float64 // below this known share the roll-up is no_data
	Missing         Missing
}

// RollUpMethod is how scores are combined.
type RollUpMethod string

const (
	Weighted  RollUpMethod = "mean"      // weighted mean of the scores
	Worst     RollUpMethod = "worst"     // the lowest score
	Threshold RollUpMethod = "threshold" // share of the weight that is green
)

// Missing is how a part without data counts.
type Missing string

const (
	MissingUnknown  Missing = "unknown"  // lowers the known share
	MissingExcluded Missing = "excluded" // as if it were not there
	MissingFailed   Missing = "failed"   // as off track
)

// Default is the policy where none is named.
func Default() Policy {
	return Policy{
		Name: "default", Basis: OnTrajectory, Score: Health,
		OnTrack: 0.05, AtRisk: 0.15, AtRiskTolerances: 3,
		Levels: okrLevels,
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
	p.RollUp.OnTrack, p.RollUp.AtRisk = okrLevels.OnTrack, okrLevels.AtRisk
	return p
}

var okrLevels = LevelRule{
	Commit: 0.3, Target: 0.7, Stretch: 1,
	OnTrack: 0.7, AtRisk: 0.4,
	Committed: 1, Aspirational: 0.7,
}

// PolicyNames lists the presets.
func PolicyNames() []string { return []string{"default", "okr"} }

// PolicyNamed is the preset of that name; "" names the default.
func PolicyNamed(name string) (Policy, bool) {
	switch name {
	case "", "default":
		return Default(), true
	case "okr":
		return OKR(), true
	}
	return Policy{}, false
}

// Options choose what an evaluation gives beside the numbers.
type Options struct {
	// OriginalTargets judges against the targets as first declared.
	OriginalTargets bool
	// Explain fills Explanation, Periods and the counts of Quality. Without it
	// an evaluation is several times faster; statuses and numbers are the same.
	Explain bool
	// Strategy limits the result to one strategy; "" means all.
	Strategy string
}
