package condition

import (
	"google.golang.org/protobuf/proto"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/services/internal/resource"
)

// Aggregate is the token in subjects of the conditions of a target; its id is
// the target's.
const Aggregate = "condition"

// Acts are the events of this package, by wire name.
func Acts() resource.Acts {
	return resource.Acts{
		{Type: "gap.target_assessed.v1", New: func() proto.Message { return &gapv1.TargetAssessed{} }},
		{Type: "gap.gap_opened.v1", New: func() proto.Message { return &gapv1.GapOpened{} }},
		{Type: "gap.gap_widened.v1", New: func() proto.Message { return &gapv1.GapWidened{} }},
		{Type: "gap.gap_narrowed.v1", New: func() proto.Message { return &gapv1.GapNarrowed{} }},
		{Type: "gap.gap_closed.v1", New: func() proto.Message { return &gapv1.GapClosed{} }},
		{Type: "gap.data_went_stale.v1", New: func() proto.Message { return &gapv1.DataWentStale{} }},
		{Type: "gap.data_became_fresh.v1", New: func() proto.Message { return &gapv1.DataBecameFresh{} }},
		{Type: "gap.condition_changed.v1", New: func() proto.Message { return &gapv1.ConditionChanged{} }},
		{Type: "gap.roll_up_changed.v1", New: func() proto.Message { return &gapv1.RollUpChanged{} }},
		{Type: "gap.reaction_held.v1", New: func() proto.Message { return &gapv1.ReactionHeld{} }},
		{Type: "gap.reaction_fired.v1", New: func() proto.Message { return &gapv1.ReactionFired{} }},
		{Type: "gap.reaction_ended.v1", New: func() proto.Message { return &gapv1.ReactionEnded{} }},
		{Type: "gap.escalated.v1", New: func() proto.Message { return &gapv1.Escalated{} }},
		{Type: "gap.notification_requested.v1", New: func() proto.Message { return &gapv1.NotificationRequested{} }},
	}
}
