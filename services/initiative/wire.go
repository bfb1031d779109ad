package initiative

import (
	"google.golang.org/protobuf/proto"

	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
	"setpoint.dev/services/internal/resource"
)

// Acts are the events of this slice that declare nothing, by wire name.
func Acts() resource.Acts {
	return resource.Acts{
		{Type: "initiative.stage_changed.v1", New: func() proto.Message { return &initiativev1.StageChanged{} }},
		{Type: "initiative.milestone_forecast.v1", New: func() proto.Message { return &initiativev1.MilestoneForecast{} }},
		{Type: "initiative.milestone_reached.v1", New: func() proto.Message { return &initiativev1.MilestoneReached{} }},
		{Type: "initiative.milestone_reopened.v1", New: func() proto.Message { return &initiativev1.MilestoneReopened{} }},
		{Type: "initiative.spend_recorded.v1", New: func() proto.Message { return &initiativev1.SpendRecorded{} }},
		{Type: "initiative.completion_forecast.v1", New: func() proto.Message { return &initiativev1.CompletionForecast{} }},
		{Type: "initiative.benefit_realized.v1", New: func() proto.Message { return &initiativev1.BenefitRealized{} }},
		{Type: "initiative.action_opened.v1", New: func() proto.Message { return &initiativev1.ActionOpened{} }},
		{Type: "initiative.action_moved.v1", New: func() proto.Message { return &initiativev1.ActionMoved{} }},
		{Type: "initiative.action_closed.v1", New: func() proto.Message { return &initiativev1.ActionClosed{} }},
		{Type: "initiative.action_reopened.v1", New: func() proto.Message { return &initiativev1.ActionReopened{} }},
	}
}
