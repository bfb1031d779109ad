package report

import (
	"strconv"

	"setpoint.dev/services/gap"
)

// word is how a status or a period's state is shown: always as a word, with a
// symbol that stays apart in black and white.
type word struct{ Symbol, Text string }

// statuses lists every status, worst first. Final and current verdicts of the
// same gravity stand together; unknown stands before all that is well.
var statuses = []gap.Status{gap.OffTrack, gap.Missed, gap.AtRisk, gap.NoData, gap.NotStarted, gap.OnTrack, gap.Achieved}

// The symbols have no emoji form, so that they look alike everywhere.
var statusWords = map[gap.Status]word{
	gap.NotStarted: {"○", "Not started"},
	gap.NoData:     {"?", "No data"},
	gap.OnTrack:    {"●", "On track"},
	gap.AtRisk:     {"▲", "At risk"},
	gap.OffTrack:   {"▼", "Off track"},
	gap.Achieved:   {"✓", "Achieved"},
	gap.Missed:     {"✗", "Missed"},
}

// statusWord is the word of s; an unknown status reads as it is written.
func statusWord(s gap.Status) word {
	if w, ok := statusWords[s]; ok {
		return w
	}
	if s == "" {
		return statusWords[gap.NoData]
	}
	return word{"?", string(s)}
}

// erasureNote says what the erasure epoch means to who compares two reports.
func erasureNote(epoch int) string {
	people := "people are"
	if epoch == 1 {
		people = "person is"
	}
	return "Erasure epoch " + strconv.Itoa(epoch) + ": the personal data of " + strconv.Itoa(epoch) + " " + people +
		" erased, and what they wrote reads [erased]. The numbers do not change. The same day, revision, policy and erasure epoch give the same bytes."
}

var stateWords = map[gap.PeriodState]word{
	gap.PeriodMet:      {"✓", "met"},
	gap.PeriodNear:     {"▲", "near"},
	gap.PeriodNotMet:   {"✗", "not met"},
	gap.PeriodNoData:   {"?", "no data"},
	gap.PeriodNoTarget: {"·", "no target"},
	gap.PeriodExcluded: {"⊘", "excluded"},
	gap.PeriodPartial:  {"◐", "partial"},
	gap.PeriodRunning:  {"…", "running"},
	gap.PeriodFuture:   {"", "future"},
}

// states is the order of the legend.
var states = []gap.PeriodState{gap.PeriodMet, gap.PeriodNear, gap.PeriodNotMet, gap.PeriodNoData, gap.PeriodNoTarget,
	gap.PeriodExcluded, gap.PeriodPartial, gap.PeriodRunning, gap.PeriodFuture}

func stateWord(s gap.PeriodState) word {
	if w, ok := stateWords[s]; ok {
		return w
	}
	return word{"?", string(s)}
}

// gravity ranks statuses for worst-first order: off track and missed are
// equally bad, so that the size of the shortfall decides between them.
func gravity(s gap.Status) int {
	switch s {
	case gap.OffTrack, gap.Missed:
		return 0
	case gap.AtRisk:
		return 1
	case gap.NotStarted:
		return 3
	case gap.OnTrack:
		return 4
	case gap.Achieved:
		return 5
	}
	return 2
}

// The kinds of data issues, in the order they are listed.
const (
	issueUnjudgeable = "unjudgeable"
	issueNoValues    = "no values"
	issueStale       = "stale"
	issueMissing     = "missing"
	issueExcluded    = "excluded"
	issuePartial     = "partial"
	issueBreak       = "method changed"
	issueCorrected   = "corrected"
)

var issueKinds = []struct{ Kind, Heading, Meaning string }{
	{issueUnjudgeable, "Cannot be judged", "Data is there, but what was declared does not say when it would be good or bad."},
	{issueNoValues, "No values", "No value that counts has been observed yet."},
	{issueStale, "Stale", "The next value is overdue; the last verdict, if it was good, no longer counts."},
	{issueMissing, "Missing periods", "Closed periods after the first value for which nothing was reported."},
	{issueExcluded, "Excluded periods", "Periods that were declared not comparable and are not judged."},
	{issuePartial, "Partial periods", "Closed periods of which only a part was reported; shown, not judged."},
	{issueBreak, "Method changed", "Values before and after the date are not comparable."},
	{issueCorrected, "Corrected values", "Values that replaced an earlier one; both remain on record."},
}

// definitions explains the terms of the report, the statuses last.
var definitions = []Definition{
	{"Target", "The declared setpoint: a final value on a date, a value for each period, a band to stay in, or a milestone."},
	{"Actual", "The latest value of a closed, complete period."},
	{"Expected", "Where the declared path has the value on the day the actual is true for; not on the report's date, so that the path never runs ahead of the data."},
	{"Gap", "The distance from the actual to the target. Positive is behind."},
	{"Drift", "The distance from the actual to what was expected by then. Positive is behind."},
	{"Share", "Drift (or the gap of a period) as a part of the way the target has to go: from the baseline to the target, or the target's own size. 15 % behind says how much, whatever the unit."},
	{"Variance", "The gap of one period. Positive is behind, also where lower is better."},
	{"Target drift", "How far the target was moved since it was first declared. Positive was loosened."},
	{"Progress", "The part of the way from baseline to target that is done; may be negative or above 100 %."},
	{"Score", "The verdict as a number from 0 to 1. Of a roll-up: the weighted mean of its known parts."},
	{"Known share", "The part of a roll-up's weight that could be judged. Under half, the roll-up has no verdict."},
	{"Percentage points", "Differences between percentages are given in percentage points (pp)."},
	{"Off track ▼", "Behind by more than the tolerated share (off_track)."},
	{"Missed ✗", "The due period is over and the target was not reached; final (missed)."},
	{"At risk ▲", "Behind, but within reach of the tolerated share (at_risk)."},
	{"No data ?", "Cannot be judged: nothing observed, too old, excluded, or no direction declared. Never counted as good (no_data)."},
	{"Not started ○", "Nothing is expected yet (not_started)."},
	{"On track ●", "At or ahead of what is expected, within tolerance (on_track)."},
	{"Achieved ✓", "At or past the target; final once the due period is reported (achieved)."},
}

func uint64String(n uint64) string { return strconv.FormatUint(n, 10) }
