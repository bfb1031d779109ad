package condition

import (
	"fmt"
	"math"
	"slices"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/services/gap"
	"setpoint.dev/services/gap/policy"
	"setpoint.dev/services/internal/calendar"
)

// Evaluator is the version of what turns observations into conditions; it goes
// into every event, and changes when the same input gives another result.
const Evaluator = "3"

// The types of conditions, in the order in which they are shown.
const (
	OnTrack         = "OnTrack"
	DataFresh       = "DataFresh"
	FinalPending    = "FinalPending"
	Covered         = "Covered"
	ForecastAttains = "ForecastAttains"
	ChangeReady     = "ChangeReady"
)

// Types are all of them, the one of reviews last.
func Types() []string {
	return []string{OnTrack, DataFresh, FinalPending, Covered, ForecastAttains, ChangeReady, ReviewOverdue}
}

// Aggregates are the tokens, in subjects, of all that has conditions.
func Aggregates() []string {
	return []string{Aggregate, ObjectiveAggregate, StrategyAggregate, UnitAggregate, ReviewAggregate}
}

// The statuses of a condition.
const (
	True    = "True"
	False   = "False"
	Unknown = "Unknown"
)

// Set is what is on record; nil if nothing is.
type Set = gapv1.ConditionSet

// Observed is a target at the end of a day, as an evaluation found it.
type Observed struct {
	Result   gap.TargetResult
	Coverage *gap.Coverage // nil: not computed
	// Readiness of the people whom the initiatives that work on the target ask
	// something of, the least; nil if unknown. Asked is false if there is nobody.
	Readiness *float64
	Asked     bool
	// Attainment is the probability that the target is reached by its end as the
	// values so far go on; nil if it is not known, and Unforecast then says why.
	Attainment *float64
	Unforecast string

	Rules    policy.Rules
	Day      calendar.Date
	Instant  string // RFC 3339, when it was looked at
	Revision uint64 // up to which was read
}

func verdict(typ, status, reason, format string, args ...any) *gapv1.Condition {
	return &gapv1.Condition{Type: typ, Status: status, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// conditions are those that hold; open tells whether the gap is one that was told, or
// is told now, and s what is on record.
func (o *Observed) conditions(s *Set, open bool) []*gapv1.Condition {
	return []*gapv1.Condition{
		o.onTrack(open), o.dataFresh(), o.finalPending(), o.covered(s), o.forecastAttains(s), o.changeReady(s),
	}
}

// reaches tells whether a number that should be at least a threshold counts as that:
// below it never, and where it was told to be below only from the margin above it,
// or from most, the highest that there is.
func (o *Observed) reaches(s *Set, typ string, n, threshold, most float64) bool {
	if Of(s, typ).GetStatus() == False {
		threshold = max(threshold, min(threshold+o.Rules.Margin, most))
	}
	return n >= threshold
}

func (o *Observed) onTrack(open bool) *gapv1.Condition {
	r := &o.Result
	switch {
	case r.Status == gap.NotStarted:
		return verdict(OnTrack, Unknown, "NotStarted", "the target has not begun")
	case r.Status == gap.NoData:
		return verdict(OnTrack, Unknown, "NoData", "there is no data to judge")
	case red(r.Status):
		return verdict(OnTrack, False, reasonOf(r.Status), "the target is %s%s", words(r.Status), behind(r))
	case open:
		return verdict(OnTrack, False, "WithinHysteresis", "the target is %s%s, by less than the margin of %v", words(r.Status), behind(r), o.Rules.Margin)
	}
	return verdict(OnTrack, True, reasonOf(r.Status), "the target is %s", words(r.Status))
}

func (o *Observed) dataFresh() *gapv1.Condition {
	r := &o.Result
	switch {
	case r.Stale:
		return verdict(DataFresh, False, "Stale", "the newest value covers the time until %s; a later one should be there", r.ActualAt)
	case r.Actual == nil:
		return verdict(DataFresh, Unknown, "NoData", "there is no value of a closed period")
	}
	return verdict(DataFresh, True, "Fresh", "the newest value covers the time until %s", r.ActualAt)
}

func (o *Observed) finalPending() *gapv1.Condition {
	if slices.Contains(o.Result.Conditions, FinalPending) {
		return verdict(FinalPending, True, "Due", "the target was due on %s and its last value is not there yet", o.Result.Due)
	}
	return verdict(FinalPending, False, "NotPending", "no last value is waited for")
}

func (o *Observed) covered(s *Set) *gapv1.Condition {
	c := o.Coverage
	switch {
	case c == nil || c.Gap == nil:
		return verdict(Covered, Unknown, "NoGapKnown", "the gap is not known")
	case *c.Gap <= 0:
		return verdict(Covered, True, "NoGap", "there is no gap to cover")
	case c.Share == nil:
		return verdict(Covered, Unknown, "NoShare", "the coverage is not known")
	case o.reaches(s, Covered, *c.Share, o.Rules.Covered, math.Inf(1)):
		return verdict(Covered, True, "Covered", "initiatives in progress cover %.0f %% of the gap", 100**c.Share)
	}
	if *c.Share >= o.Rules.Covered {
		return verdict(Covered, False, "WithinHysteresis", "initiatives in progress cover %.0f %% of the gap, by less than the margin of %v", 100**c.Share, o.Rules.Margin)
	}
	return verdict(Covered, False, "Uncovered", "initiatives in progress cover %.0f %% of the gap", 100**c.Share)
}

func (o *Observed) forecastAttains(s *Set) *gapv1.Condition {
	switch p := o.Attainment; {
	case p == nil:
		if o.Unforecast != "" {
			return verdict(ForecastAttains, Unknown, "NoForecast", "there is no forecast: %s", o.Unforecast)
		}
		return verdict(ForecastAttains, Unknown, "NoForecast", "there is no forecast")
	case o.reaches(s, ForecastAttains, *p, o.Rules.Attains, 1):
		return verdict(ForecastAttains, True, "Attains", "the forecast attains with a probability of %.0f %%", 100**p)
	case *p >= o.Rules.Attains:
		return verdict(ForecastAttains, False, "WithinHysteresis", "the forecast attains with a probability of %.0f %%, by less than the margin of %v", 100**p, o.Rules.Margin)
	default:
		return verdict(ForecastAttains, False, "FallsShort", "the forecast attains with a probability of %.0f %%", 100**p)
	}
}

func (o *Observed) changeReady(s *Set) *gapv1.Condition {
	switch {
	case !o.Asked:
		return verdict(ChangeReady, Unknown, "NoProgram", "no change program belongs to an initiative that works on the target")
	case o.Readiness == nil:
		return verdict(ChangeReady, Unknown, "Unmeasured", "an audience has not been measured")
	case o.reaches(s, ChangeReady, *o.Readiness, o.Rules.Ready, 1):
		return verdict(ChangeReady, True, "Ready", "readiness is %.2f (heuristic)", *o.Readiness)
	}
	if *o.Readiness >= o.Rules.Ready {
		return verdict(ChangeReady, False, "WithinHysteresis", "readiness is %.2f (heuristic), by less than the margin of %v", *o.Readiness, o.Rules.Margin)
	}
	return verdict(ChangeReady, False, "NotReady", "readiness is %.2f (heuristic), below %v", *o.Readiness, o.Rules.Ready)
}

func red(s gap.Status) bool { return s == gap.AtRisk || s == gap.OffTrack || s == gap.Missed }

// worse ranks the red statuses.
func worse(s gap.Status) int {
	switch s {
	case gap.AtRisk:
		return 1
	case gap.OffTrack:
		return 2
	case gap.Missed:
		return 3
	}
	return 0
}

func reasonOf(s gap.Status) string {
	switch s {
	case gap.OnTrack:
		return "OnTrack"
	case gap.AtRisk:
		return "AtRisk"
	case gap.OffTrack:
		return "OffTrack"
	case gap.Achieved:
		return "Achieved"
	case gap.Missed:
		return "Missed"
	}
	return "NoData"
}

func words(s gap.Status) string {
	switch s {
	case gap.OnTrack:
		return "on track"
	case gap.AtRisk:
		return "at risk"
	case gap.OffTrack:
		return "off track"
	}
	return string(s)
}

func behind(r *gap.TargetResult) string {
	if r.Share == nil || *r.Share <= 0 {
		return ""
	}
	return fmt.Sprintf(", behind by %.1f %% of the way", 100**r.Share)
}

// Of is a condition of a set; a zero one if there is none.
func Of(s *Set, typ string) *gapv1.Condition { return conditionOf(s.GetConditions(), typ) }

func conditionOf(list []*gapv1.Condition, typ string) *gapv1.Condition {
	for _, c := range list {
		if c.GetType() == typ {
			return c
		}
	}
	return &gapv1.Condition{Type: typ}
}
