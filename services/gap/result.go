package gap

import "setpoint.dev/services/internal/calendar"

// Status is the verdict on a target or a roll-up.
type Status string

const (
	NotStarted Status = "not_started"
	NoData     Status = "no_data"
	OnTrack    Status = "on_track"
	AtRisk     Status = "at_risk"
	OffTrack   Status = "off_track"
	Achieved   Status = "achieved"
	Missed     Status = "missed"
)

// Green reports whether the status says that all is well.
func (s Status) Green() bool { return s == OnTrack || s == Achieved }

// Form is which of the four forms a target has.
type Form string

const (
	PathForm      Form = "path"
	PeriodsForm   Form = "periods"
	MaintainForm  Form = "maintain"
	MilestoneForm Form = "milestone"
)

// Result is the comparison of a whole portfolio at the end of the day AsOf.
// Targets, Objectives and Strategies are sorted by name.
type Result struct {
	AsOf       calendar.Date
	Revision   uint64
	Policy     string
	Targets    []TargetResult
	Objectives []RollUp
	Strategies []RollUp
	Units      []RollUp
	// Hints for the reader, for example a better AsOf when all is stale.
	Hints []string
	// SuggestedAsOf is that better AsOf; unset if there is none.
	SuggestedAsOf calendar.Date
}

// TargetResult compares one target. A nil number is not known. Positive Gap,
// Drift, Share and TargetDrift always mean behind (or loosened).
type TargetResult struct {
	Name, Title, Metric, Objective, Strategy, Owner, Unit string

	Form            Form
	Direction       Direction
	Status          Status
	Stale           bool
	LastKnownStatus Status   // "" unless stale data hid or kept one
	Conditions      []string // FinalPending …

	Actual   *float64
	ActualAt calendar.Date // last day of the period that Actual covers
	Period   string        // the period judged
	Baseline *float64
	Target   *float64 // g; nil for a band
	Lower    *float64
	Upper    *float64
	Due      calendar.Date

	Expected    *float64 // at ActualAt
	ExpectedNow *float64 // at as_of
	Gap         *float64
	Drift       *float64
	Share       *float64
	TargetDrift *float64
	Progress    *float64 // unclamped
	Score       *float64 // clamped to [0,1]

	// Outlook is what to expect by the end; nil unless asked for, or where there is
	// nothing to forecast.
	Outlook *Outlook

	// What people say, beside what was computed: neither changes it, nor a roll-up.
	Override   *Override
	Confidence *int // 0 to 10, of the latest check-in that gives one

	Weight  float64
	Periods []PeriodResult // every declared or observed period, by date
	Quality Quality

	Explanation Explanation
}

// Override is a status that a person set, in force at the end of the day AsOf.
type Override struct {
	Status    Status
	Reason    string
	Expires   calendar.Date // the last day on which it counts
	Principal string        // opaque id of who said it
	Revision  uint64
}

// PeriodResult is one period of a target's grid.
type PeriodResult struct {
	Period       string
	Start, End   calendar.Date
	Target       *float64
	Lower, Upper *float64
	Actual       *float64
	Variance     *float64 // positive is behind
	State        PeriodState
	Expected     *float64 // of a running period: target × share of sub-periods reported
	Note         string   // why it is not judged, or how much of it has been reported
}

// PeriodState says how a period stands.
type PeriodState string

const (
	PeriodMet      PeriodState = "met"
	PeriodNear     PeriodState = "near"    // at risk
	PeriodNotMet   PeriodState = "not_met" // off track
	PeriodNoData   PeriodState = "no_data"
	PeriodNoTarget PeriodState = "no_target"
	PeriodExcluded PeriodState = "excluded"
	PeriodPartial  PeriodState = "partial"
	PeriodRunning  PeriodState = "running"
	PeriodFuture   PeriodState = "future"
)

// Quality is what a reader must know about the data behind a result.
type Quality struct {
	Observations int
	Missing      int // closed periods since the first with no value
	Excluded     int
	Corrected    int // observations corrected at least once
	LastValueAt  calendar.Date
	NextDue      calendar.Date // when the next value should be there
}

// Explanation is how a status came about: the rule in words with its
// thresholds, its inputs, and the log positions it rests on, ascending.
type Explanation struct {
	Rule      string
	Inputs    []Input
	Revisions []uint64
}

// Input is one named number, date or word of an explanation.
type Input struct {
	Name  string
	Value any // float64, string, int or bool
}

// RollUp is the weighted summary of an objective, strategy or unit.
type RollUp struct {
	Name, Title, Strategy string
	Status                Status
	Score                 *float64 // weighted mean of the known parts: health, or the OKR score
	Progress              *float64 // weighted mean of clamped progress; nil where a basis is missing
	Known                 float64  // known weight / total weight
	Targets               int      // targets below it, each counted once
	Counts                map[Status]int
	Joint                 *JointForecast // that all of them are reached; nil without forecasts
	Explanation           Explanation
}
