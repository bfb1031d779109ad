package event

import (
	"slices"
	"strings"
)

// Entry is the decision on one internal event type.
type Entry struct {
	// Internal is the wire name in the log: gap.gap_opened.v1.
	Internal string
	// Kept says why it is not public; "" if it is.
	Kept string
	// Says is what a public one tells, in a line.
	Says string
}

// Public tells whether the event is told outside.
func (e Entry) Public() bool { return e.Kept == "" }

// Service is the one that it belongs to: gap.
func (e Entry) Service() string {
	service, _, _ := strings.Cut(e.Internal, ".")
	return service
}

// Event is its last token in subjects: gap-opened.
func (e Entry) Event() string {
	parts := strings.Split(e.Internal, ".")
	return strings.ReplaceAll(parts[1], "_", "-")
}

// Type is the CloudEvents type: dev.setpoint.gap.opened.v1.
func (e Entry) Type() string {
	service, version := e.Service(), e.Internal[strings.LastIndexByte(e.Internal, '.')+1:]
	return TypePrefix + service + "." + strings.TrimPrefix(e.Event(), service+"-") + "." + version
}

// Subject is where it is published of an organization: setpoint.acme.gap.gap-opened.
func (e Entry) Subject(org string) string {
	return SubjectPrefix + org + "." + e.Service() + "." + e.Event()
}

const (
	// TypePrefix begins every public type.
	TypePrefix = "dev.setpoint."
	// SubjectPrefix begins every subject of public events.
	SubjectPrefix = "setpoint."
)

const people = "it is about a person"

// catalogue holds every decision. Entries are never removed and never become
// kept: others rely on them.
var catalogue = []Entry{
	{Internal: "declaration.changed.v1", Says: "A declarative write was committed: what it changed follows as events of the resources."},

	{Internal: "strategy.organization_declared.v1", Says: "The organization was declared or changed."},
	{Internal: "strategy.organization_retired.v1", Says: "The organization's declaration was deleted."},
	{Internal: "strategy.unit_declared.v1", Says: "A unit was declared or changed."},
	{Internal: "strategy.unit_retired.v1", Says: "A unit was deleted."},
	{Internal: "strategy.person_declared.v1", Kept: people},
	{Internal: "strategy.person_retired.v1", Kept: people},
	{Internal: "strategy.person_erased.v1", Kept: people},
	{Internal: "strategy.strategy_declared.v1", Says: "A strategy was declared or changed."},
	{Internal: "strategy.strategy_retired.v1", Says: "A strategy was deleted."},
	{Internal: "strategy.objective_declared.v1", Says: "An objective was declared or changed."},
	{Internal: "strategy.objective_retired.v1", Says: "An objective was deleted."},
	{Internal: "strategy.metric_declared.v1", Says: "A metric was declared or changed."},
	{Internal: "strategy.metric_retired.v1", Says: "A metric was deleted."},
	{Internal: "strategy.target_declared.v1", Says: "A target was declared or changed."},
	{Internal: "strategy.target_retired.v1", Says: "A target was deleted."},
	{Internal: "strategy.observations_recorded.v1", Says: "Values of a metric were recorded."},
	{Internal: "strategy.observations_corrected.v1", Says: "Values of a metric were corrected."},
	{Internal: "strategy.checked_in.v1", Says: "An owner checked in on a target."},
	{Internal: "strategy.check_in_requested.v1", Says: "Somebody was asked to check in on a target."},
	{Internal: "strategy.check_in_acknowledged.v1", Says: "A reviewer has read a check-in."},
	{Internal: "strategy.review_declared.v1", Says: "A review was declared or changed."},
	{Internal: "strategy.review_retired.v1", Says: "A review was deleted."},
	{Internal: "strategy.review_opened.v1", Says: "An occurrence of a review began."},
	{Internal: "strategy.review_locked.v1", Says: "What a review looks at was fixed: its revision, day and hash."},
	{Internal: "strategy.decision_recorded.v1", Says: "A review decided something."},
	{Internal: "strategy.decision_settled.v1", Says: "A decision was done or dropped."},
	{Internal: "strategy.review_closed.v1", Says: "An occurrence of a review is over."},
	{Internal: "strategy.review_skipped.v1", Says: "An occurrence of a review is not held."},

	{Internal: "initiative.initiative_declared.v1", Says: "An initiative was declared or changed."},
	{Internal: "initiative.initiative_retired.v1", Says: "An initiative was deleted."},
	{Internal: "initiative.stage_changed.v1", Says: "An initiative moved to another stage."},
	{Internal: "initiative.milestone_forecast.v1", Says: "A milestone is expected on another day."},
	{Internal: "initiative.milestone_reached.v1", Says: "A milestone was reached."},
	{Internal: "initiative.milestone_reopened.v1", Says: "A milestone is not reached after all."},
	{Internal: "initiative.spend_recorded.v1", Says: "Spend of a period was recorded."},
	{Internal: "initiative.completion_forecast.v1", Says: "What an initiative will have cost was forecast."},
	{Internal: "initiative.benefit_realized.v1", Says: "A contribution to a target was realized."},
	{Internal: "initiative.action_opened.v1", Says: "A corrective action was opened, by a person or a policy."},
	{Internal: "initiative.action_moved.v1", Says: "A corrective action has another owner or due day."},
	{Internal: "initiative.action_closed.v1", Says: "A corrective action was done or dropped."},
	{Internal: "initiative.action_reopened.v1", Says: "A corrective action was opened again."},

	{Internal: "change.audience_declared.v1", Says: "An audience was declared or changed."},
	{Internal: "change.audience_retired.v1", Says: "An audience was deleted."},
	{Internal: "change.program_declared.v1", Says: "A change program was declared or changed."},
	{Internal: "change.program_retired.v1", Says: "A change program was deleted."},
	{Internal: "change.framework_declared.v1", Says: "A change framework was declared or changed."},
	{Internal: "change.framework_retired.v1", Says: "A change framework was deleted."},
	{Internal: "change.stage_moved.v1", Says: "A program stands elsewhere with a stage."},
	{Internal: "change.force_declared.v1", Says: "A force was added or assessed anew."},
	{Internal: "change.force_removed.v1", Says: "A force was taken out of the field."},
	{Internal: "change.resistance_raised.v1", Says: "Resistance was noted."},
	{Internal: "change.resistance_answered.v1", Says: "Resistance was answered."},
	{Internal: "change.wave_opened.v1", Says: "A round of a survey began."},
	{Internal: "change.answers_recorded.v1", Kept: "it holds what people answered"},
	{Internal: "change.wave_closed.v1", Says: "A round of a survey ended, with the results that may be shown."},
	{Internal: "change.readiness_measured.v1", Says: "A closed round measured readiness."},

	{Internal: "gap.policy_declared.v1", Says: "A policy was declared or changed."},
	{Internal: "gap.policy_retired.v1", Says: "A policy was deleted."},
	{Internal: "gap.target_assessed.v1", Says: "The first word on a target: its status and its conditions."},
	{Internal: "gap.gap_opened.v1", Says: "A target fell behind."},
	{Internal: "gap.gap_widened.v1", Says: "An open gap became worse."},
	{Internal: "gap.gap_narrowed.v1", Says: "An open gap became smaller."},
	{Internal: "gap.gap_closed.v1", Says: "A target caught up."},
	{Internal: "gap.data_went_stale.v1", Says: "The values of a target's metric are older than they should be."},
	{Internal: "gap.data_became_fresh.v1", Says: "They are not any more."},
	{Internal: "gap.condition_changed.v1", Says: "Another condition of a target, or one of a roll-up or a review, changed."},
	{Internal: "gap.roll_up_changed.v1", Says: "An objective, a strategy or a unit has another status, or was looked at for the first time."},
	{Internal: "gap.reaction_held.v1", Kept: "it is the bookkeeping of a policy's waiting time"},
	{Internal: "gap.reaction_fired.v1", Says: "A policy reacted to a target, a roll-up or a review."},
	{Internal: "gap.reaction_ended.v1", Kept: "it is the bookkeeping of a policy's waiting time"},
	{Internal: "gap.escalated.v1", Says: "A policy told a higher unit of what stays as it is."},
	{Internal: "gap.notification_requested.v1", Says: "A policy wants somebody told; whoever has the channel does it."},

	{Internal: "event.webhook_declared.v1", Kept: "its address may hold a secret"},
	{Internal: "event.webhook_retired.v1", Kept: "its declaration is not public either"},
	{Internal: "event.webhook_disabled.v1", Says: "A webhook is not delivered to any more, because it failed for days or is gone."},
	{Internal: "event.webhook_enabled.v1", Says: "A webhook is delivered to again."},
	{Internal: "event.webhook_secret_rotated.v1", Kept: "it is the operator's business"},
	{Internal: "record.event_skipped.v1", Kept: "it is the operator's business"},
}

// Catalogue returns every decision, in the order of the documentation.
func Catalogue() []Entry { return slices.Clone(catalogue) }

var byInternal = func() map[string]Entry {
	m := map[string]Entry{}
	for _, e := range catalogue {
		m[e.Internal] = e
	}
	return m
}()

// Decision returns the decision on an internal event type.
func Decision(internal string) (Entry, bool) {
	e, ok := byInternal[internal]
	return e, ok
}
