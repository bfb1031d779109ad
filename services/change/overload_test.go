package change

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
	"setpoint.dev/services/internal/resource"
)

// declared is a set of resources by kind and name.
type declared map[string]map[string]proto.Message

func (d declared) Spec(kind, name string) (proto.Message, bool) {
	s, ok := d[kind][name]
	return s, ok
}

func (d declared) Names(kind string) []string {
	var out []string
	for name := range d[kind] {
		out = append(out, name)
	}
	return out
}

func TestAPlanThatOverloadsAnAudienceSaysSo(t *testing.T) {
	program := func(audience string, hours float64) *changev1.ChangeProgramSpec {
		return &changev1.ChangeProgramSpec{
			Framework: ADKAR, Start: "2026-03-01", End: "2026-03-31",
			Audiences: []*changev1.ProgramAudience{{Audience: audience, HoursPerPerson: &hours}},
		}
	}
	audiences := map[string]proto.Message{
		"company": &changev1.AudienceSpec{Size: 100}, "support": &changev1.AudienceSpec{Size: 20, Parent: "company"},
		"others": &changev1.AudienceSpec{Size: 20},
	}
	for name, c := range map[string]struct {
		programs map[string]proto.Message
		judged   string
		want     string // "" for none
	}{
		"fits":                         {map[string]proto.Message{"a": program("support", 15)}, "a", ""},
		"just full":                    {map[string]proto.Message{"a": program("support", 16)}, "a", ""},
		"too much":                     {map[string]proto.Message{"a": program("support", 17)}, "a", "support is asked for 17.0 hours per person in 2026-03 and has 16.0 for changes, a load of 1.06: a 17.0"},
		"together":                     {map[string]proto.Message{"a": program("support", 10), "b": program("support", 9)}, "a", "a load of 1.19: a 10.0, b 9.0"},
		"what is asked of the whole":   {map[string]proto.Message{"a": program("support", 10), "b": program("company", 9)}, "a", "a load of 1.19: a 10.0, b 9.0"},
		"by the whole, of the part":    {map[string]proto.Message{"a": program("support", 10), "b": program("company", 9)}, "b", "support is asked for 19.0"},
		"somebody else's load":         {map[string]proto.Message{"a": program("support", 10), "b": program("others", 30)}, "a", ""},
		"asks nothing, others do much": {map[string]proto.Message{"a": program("support", 0), "b": program("support", 30)}, "a", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := resource.Findings{Service: Service}
			checkLoad(c.programs[c.judged].(*changev1.ChangeProgramSpec), declared{"Audience": audiences, "ChangeProgram": c.programs}, &f)
			var said []string
			for _, x := range f.List {
				if !x.Warning || x.Reason != "change.overload" {
					t.Errorf("%+v is not the advice expected", x)
				}
				said = append(said, x.Message)
			}
			if got := strings.Join(said, "; "); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
				t.Errorf("said %q, want %q", got, c.want)
			}
		})
	}
}
