package change

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"setpoint.dev/services/internal/schedule"
)

// However a program went, on an earlier day it stood where it stood then: the
// stages, the force field and the readiness that ProgramOn tells from the newest
// state are those that the acts of that day had left.
func TestAProgramStoodWhereItStood(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := program(Lewin)
		today := day0.AddDays(-100)
		first := today
		then := []*State{}
		for range rapid.IntRange(1, 12).Draw(t, "days") {
			for range rapid.IntRange(0, 3).Draw(t, "acts") {
				var c Command
				switch rapid.IntRange(0, 3).Draw(t, "act") {
				case 0:
					c = RemoveForce{fmt.Sprint("f", rapid.IntRange(0, 3).Draw(t, "removed")), "", today}
				case 1, 2:
					kind := rapid.SampledFrom([]string{Driving, Restraining}).Draw(t, "kind")
					c = DeclareForce{fmt.Sprint("f", rapid.IntRange(0, 3).Draw(t, "force")), "", kind, rapid.Int32Range(1, 5).Draw(t, "strength"), 1, today}
				case 3:
					to := rapid.SampledFrom([]string{NotStarted, InProgress, InPlace, Regressed}).Draw(t, "to")
					c = MoveStage{Stage: rapid.SampledFrom([]string{"unfreeze", "change"}).Draw(t, "stage"), To: to, Evidence: "x", Reason: "x", Today: today}
				}
				if e, _, err := Decide(p, c); err == nil && e != nil {
					p.State = Evolve(p, e)
				}
			}
			then = append(then, p.State)
			today = today.AddDays(1)
		}
		for i, want := range then {
			got := schedule.ProgramOn(p.State, first.AddDays(i))
			if len(got.GetForces()) != len(want.GetForces()) || len(got.GetStages()) != len(want.GetStages()) {
				t.Fatalf("day %d: %v, not %v", i, got, want)
			}
			for j, f := range want.GetForces() {
				if !proto.Equal(f, got.GetForces()[j]) {
					t.Fatalf("day %d: %v, not %v", i, got.GetForces()[j], f)
				}
			}
			for j, s := range want.GetStages() {
				if g := got.GetStages()[j]; g.GetStatus() != s.GetStatus() || g.GetSince() != s.GetSince() || g.GetRegressions() != s.GetRegressions() {
					t.Fatalf("day %d: %v, not %v", i, g, s)
				}
			}
			if (got.Readiness == nil) != (want.Readiness == nil) || got.GetReadiness() != want.GetReadiness() {
				t.Fatalf("day %d: readiness %v, not %v", i, got.Readiness, want.Readiness)
			}
		}
	})
}
