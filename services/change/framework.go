package change

import (
	"fmt"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
	"setpoint.dev/services/internal/resource"
)

// The built-in frameworks.
const (
	Kotter = "kotter"
	ADKAR  = "adkar"
	Lewin  = "lewin"
)

// DefaultBarrier is the score at which, or below, an element is a barrier
// (Hiatt, ADKAR: A Model for Change in Business, Government and our Community,
// 2006).
const DefaultBarrier = 3

// Framework is what a program follows.
type Framework = changev1.ChangeFrameworkSpec

// builtIn are the frameworks that need no declaration. Kotter's steps have the
// names of Accelerate (2014); Lewin's phases are of Frontiers in Group Dynamics
// (1947).
var builtIn = map[string]*Framework{
	Kotter: {
		Title: "Kotter's eight accelerators", Source: "J. P. Kotter, Accelerate (2014)",
		Stages: []*changev1.Stage{
			{Name: "urgency", Title: "Create a Sense of Urgency"},
			{Name: "coalition", Title: "Build a Guiding Coalition"},
			{Name: "vision", Title: "Form a Strategic Vision and Initiatives"},
			{Name: "volunteers", Title: "Enlist a Volunteer Army"},
			{Name: "barriers", Title: "Enable Action by Removing Barriers"},
			{Name: "wins", Title: "Generate Short-Term Wins"},
			{Name: "acceleration", Title: "Sustain Acceleration", Sustainment: true},
			{Name: "institute", Title: "Institute Change", Sustainment: true},
		},
	},
	ADKAR: {
		Title: "ADKAR", Source: "J. M. Hiatt, ADKAR (2006)",
		Elements: []*changev1.Element{
			{Name: "awareness", Title: "Awareness"},
			{Name: "desire", Title: "Desire"},
			{Name: "knowledge", Title: "Knowledge"},
			{Name: "ability", Title: "Ability"},
			{Name: "reinforcement", Title: "Reinforcement", AfterGoLive: true},
		},
	},
	Lewin: {
		Title: "Lewin's three phases", Source: "K. Lewin, Frontiers in Group Dynamics (1947)",
		Stages: []*changev1.Stage{
			{Name: "unfreeze", Title: "Unfreeze"},
			{Name: "change", Title: "Change"},
			{Name: "refreeze", Title: "Refreeze"},
		},
	},
}

// BuiltIn returns a built-in framework, nil if the name is another's.
func BuiltIn(name string) *Framework { return builtIn[name] }

// Barrier is the framework's barrier score.
func Barrier(f *Framework) float64 {
	if f.BarrierAt == nil {
		return DefaultBarrier
	}
	return f.GetBarrierAt()
}

func checkFramework(s *changev1.ChangeFrameworkSpec, _ resource.Set, f *resource.Findings) {
	if len(s.GetStages()) == 0 && len(s.GetElements()) == 0 {
		f.Add("spec", "framework_empty", "the framework has neither stages nor elements", "declare ordered stages, assessed elements, or both")
	}
	seen := map[string]string{}
	unique := func(field, name string) {
		if other, again := seen[name]; again {
			f.Add(field, "framework_name_twice", fmt.Sprintf("%q is %s too", name, other), "a name stands for one stage or element")
		}
		seen[name] = field
	}
	for i, x := range s.GetStages() {
		unique(fmt.Sprintf("spec.stages[%d].name", i), x.GetName())
	}
	for i, x := range s.GetElements() {
		unique(fmt.Sprintf("spec.elements[%d].name", i), x.GetName())
	}
}
