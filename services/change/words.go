package change

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
)

// InWords tells an event in a line that holds nothing personal, what who did it
// said, and the links that it gave.
func InWords(event proto.Message) (summary, note string, links []string) {
	switch e := event.(type) {
	case *changev1.StageMoved:
		note = e.GetEvidence()
		if e.GetReason() != "" {
			if note != "" {
				note += "; "
			}
			note += e.GetReason()
		}
		return fmt.Sprintf("%s: %s → %s on %s", e.GetStage(), words(e.GetFrom()), words(e.GetTo()), e.GetAt()), note, e.GetLinks()
	case *changev1.ForceDeclared:
		f := e.GetForce()
		return fmt.Sprintf("%s force %s: strength %d, influenceability %d", f.GetKind(), f.GetName(), f.GetStrength(), f.GetInfluenceability()), "", nil
	case *changev1.ForceRemoved:
		return "force " + e.GetForce() + " removed", e.GetReason(), nil
	case *changev1.ResistanceRaised:
		return fmt.Sprintf("resistance %s, %s, with %s: %s", e.GetResistance(), e.GetSeverity(), e.GetAudience(), e.GetTitle()), e.GetNote(), nil
	case *changev1.ResistanceAnswered:
		if e.GetClosed() {
			return "resistance " + e.GetResistance() + " closed", e.GetResponse(), nil
		}
		return "resistance " + e.GetResistance() + " answered", e.GetResponse(), nil
	case *changev1.ReadinessMeasured:
		return fmt.Sprintf("wave %s closed on %s", e.GetWave(), e.GetAt()), "", nil
	}
	return "", "", nil
}
