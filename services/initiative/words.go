package initiative

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	initiativev1 "setpoint.dev/proto/gen/setpoint/initiative/v1"
)

func inWords(event proto.Message) (summary, note string, links []string) {
	summary, note = InWords(event)
	return summary, note, nil
}

// InWords tells an event in a line that holds nothing personal, and what who did
// it said.
func InWords(event proto.Message) (summary, note string) {
	switch e := event.(type) {
	case *initiativev1.StageChanged:
		return fmt.Sprintf("%s → %s on %s", e.GetFrom(), e.GetTo(), e.GetAt()), e.GetReason()
	case *initiativev1.MilestoneForecast:
		if e.GetTo() == "" {
			return fmt.Sprintf("forecast of milestone %s withdrawn, was %s", e.GetMilestone(), e.GetFrom()), e.GetReason()
		}
		return fmt.Sprintf("milestone %s expected %s → %s", e.GetMilestone(), e.GetFrom(), e.GetTo()), e.GetReason()
	case *initiativev1.MilestoneReached:
		return fmt.Sprintf("milestone %s reached on %s", e.GetMilestone(), e.GetAt()), e.GetEvidence()
	case *initiativev1.MilestoneReopened:
		return fmt.Sprintf("milestone %s open again", e.GetMilestone()), e.GetReason()
	case *initiativev1.SpendRecorded:
		return fmt.Sprintf("spent %s %s in %s", e.GetAmount(), e.GetCurrency(), e.GetPeriod()), e.GetNote()
	case *initiativev1.CompletionForecast:
		return fmt.Sprintf("expected to cost %s %s", e.GetAmount(), e.GetCurrency()), e.GetReason()
	case *initiativev1.BenefitRealized:
		return fmt.Sprintf("has added %v to %s by %s", e.GetAmount(), e.GetTarget(), e.GetAt()), e.GetBasis()
	case *initiativev1.ActionOpened:
		return fmt.Sprintf("opened, %s until %s", e.GetOwner(), e.GetDue()), e.GetNote()
	case *initiativev1.ActionMoved:
		return fmt.Sprintf("moved to %s until %s", e.GetOwner(), e.GetDue()), e.GetReason()
	case *initiativev1.ActionClosed:
		return fmt.Sprintf("%s on %s", e.GetOutcome(), e.GetAt()), e.GetEvidence()
	case *initiativev1.ActionReopened:
		return "open again", e.GetReason()
	}
	return "", ""
}
