package gap

import "setpoint.dev/services/internal/calendar"

// Policy is which rule turns numbers into statuses and roll-ups. It is data:
// a preset is a value, and changing a number of it makes another policy.
type Policy struct {
	Name  string
	Words string // the rule in a sentence, for people who choose
	Basis Basis
	Share Share
	Score Scoring

	// A share up to OnTrack is on track, up to AtRisk at risk, beyond it off
	// track; both inclusive. A tolerance τ widens them: to τ and to
	// AtRiskTolerances × τ.
	OnTrack, AtRisk  float64
	AtRiskTolerances float64

	Levels LevelRule
	Gauge  GaugeRule
	RollUp RollUpRule
}

// Basis is what a path is judged by.
type Basis string

const (
	OnTrajectory Basis = "trajectory" // the distance from the path now
	OnFinal      Basis = "final"      // the distance from the final value
)

// Share is what a shortfall is a share of.
type Share string

const (
	// OfWay: of the scale R, which on a path is the whole way from baseline to
	// final value.
	OfWay Share = "way"
	// OfTarget: of the size of the value that is compared with, which on a path
	// is the value expected at the date. A shortfall of a tenth is a value of
	// 0.9 times a target to rise to, and of 1.1 times one to fall to; where the
	// target is negative it is the other way round, so that the mirror image
	// has the same status.
	OfTarget Share = "target"
)

// Scoring is what a target passes up to its objective.
type Scoring string

const (
	// Health is 1 for achieved and on track, ½ for at risk, 0 for off track
	// and missed.
	Health Scoring = "health"
	// LevelScore is the score on the levels; it also decides the status.
	LevelScore Scoring = "levels"
	// GaugeScore is the score on the gauge; it also decides the status.
	GaugeScore Scoring = "gauge"
)

// LevelRule says what OKR levels are worth and what is expected of a key
// result at its end: Committed of a committed one, Aspirational of any other.
type LevelRule struct {
	Commit, Target, Stretch float64
	OnTrack, AtRisk         float64 // lower bounds of the bands, inclusive
	Committed, Aspirational float64
}

// GaugeRule is a scale from 0 to Best, on which the value that is a red flag
// scores RedFlag and the goal Goal; it is linear through both, and beyond.
type GaugeRule struct{ RedFlag, Goal, Best float64 }

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

// Options choose what an evaluation gives beside the numbers.
type Options struct {
	// OriginalTargets judges against the targets as first declared.
	OriginalTargets bool
	// Explain fills Explanation, Periods and the counts of Quality. Without it
	// an evaluation is many times faster; statuses and numbers are the same.
	Explain bool
	// Forecast fills Outlook: what to expect by the end of each target.
	Forecast bool
	// ForecastOf limits that to the targets of these names; nil means all.
	ForecastOf map[string]bool
	// ForecastBy makes the last declared period that ends by then what is forecast of
	// a target that is declared by periods; zero means the last.
	ForecastBy calendar.Date
	// Chances limits an Outlook to the status quo at the end: what takes courses to
	// be drawn, such as when the target is reached and what initiatives add, is left
	// out, and it is some ten times faster.
	Chances bool
	// Apart leaves out of forecasts what several targets have together: roll-ups have
	// no Joint. Remembering in which courses each target is reached takes as long as
	// all else that a forecast does.
	Apart bool
	// Strategy limits the result to one strategy; "" means all.
	Strategy string
}
