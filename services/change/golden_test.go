package change

import (
	"testing"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
	"setpoint.dev/services/internal/calendar"
)

func TestKotterReadiness(t *testing.T) {
	s := &State{}
	for i, to := range []string{InPlace, InPlace, InProgress, InProgress, Regressed} {
		s.Stages = append(s.Stages, &changev1.StageState{Stage: builtIn[Kotter].GetStages()[i].GetName(), Status: to})
	}
	r := ReadinessOf(Program{Name: Kotter, Framework: builtIn[Kotter], State: s}, nil, nil)
	near(t, "readiness", r.GetValue(), .5417, .00005)
	near(t, "adoption", r.GetAdoption(), .5725, .00005)
}

func TestLewinReadiness(t *testing.T) {
	s := &State{Forces: []*changev1.Force{
		{Name: "a", Kind: Driving, Strength: 5}, {Name: "b", Kind: Driving, Strength: 4}, {Name: "c", Kind: Driving, Strength: 3},
		{Name: "d", Kind: Restraining, Strength: 5}, {Name: "e", Kind: Restraining, Strength: 4},
	}}
	p := Program{Name: Lewin, Framework: builtIn[Lewin], State: s}
	near(t, "readiness", ReadinessOf(p, nil, nil).GetValue(), .5714, .00005)
	p.State = &State{}
	if r := ReadinessOf(p, nil, nil); r.Value != nil || r.Adoption != nil {
		t.Errorf("without forces: %v", r)
	}
}

func TestLoadOfFebruary(t *testing.T) {
	d := calendar.MustParse
	months := Load(Capacity(&changev1.AudienceSpec{}), []Demand{
		{Program: "a", Start: d("2025-01-01"), End: d("2025-03-31"), Hours: 30}, {Program: "b", Start: d("2025-02-01"), End: d("2025-02-28"), Hours: 4},
	}, d("2025-01-15"), d("2025-04-01"))
	if len(months) != 4 {
		t.Fatalf("%d months", len(months))
	}
	feb := months[1]
	near(t, "hours", feb.GetHours(), 13.333, .0005)
	near(t, "load", feb.GetLoad(), .8333, .00005)
	if feb.GetLevel() != "warning" || months[3].GetLevel() != "fine" || months[3].GetHours() != 0 {
		t.Errorf("%v", months)
	}
}

// The first element at three or lower, not the lowest.
func TestBarrierPoint(t *testing.T) {
	order := []string{"awareness", "desire", "knowledge", "ability"}
	for _, c := range []struct {
		name    string
		scores  map[string]float64
		barrier string
		known   bool
	}{
		{"the first, not the lowest", map[string]float64{"awareness": 3, "desire": 1, "knowledge": 5, "ability": 5}, "awareness", true},
		{"none", map[string]float64{"awareness": 4, "desire": 4, "knowledge": 3.01, "ability": 5}, "", true},
		{"missing before any", map[string]float64{"desire": 1, "knowledge": 5, "ability": 5}, "", false},
		{"missing behind it", map[string]float64{"awareness": 2}, "awareness", true},
		{"nothing", nil, "", false},
	} {
		if e, known := BarrierPoint(order, c.scores, 3); e != c.barrier || known != c.known {
			t.Errorf("%s: %q %v", c.name, e, known)
		}
	}
}
