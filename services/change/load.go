package change

import (
	"cmp"
	"maps"
	"slices"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
	"setpoint.dev/services/internal/calendar"
)

// What an audience is asked for, against what it can give.
const (
	WarnAbove     = 0.8
	OverloadAbove = 1.0

	contractedHours = 160.0
	capacityShare   = 0.1
)

// Capacity is how many hours a person of an audience has for changes in a
// month: by default a tenth of 160 contracted hours.
func Capacity(a *changev1.AudienceSpec) float64 {
	hours, share := contractedHours, capacityShare
	if a.ContractedHours != nil {
		hours = a.GetContractedHours()
	}
	if a.CapacityShare != nil {
		share = a.GetCapacityShare()
	}
	return hours * share
}

// Demand is what one program asks of one audience.
type Demand struct {
	Program    string
	Start, End calendar.Date
	Hours      float64 // per person, over the whole program
	// Ended is the day from which it asks for nothing any more: what it serves was
	// given up. Unset while it goes on.
	Ended calendar.Date
}

// Demands lists what programs ask, by audience; programs are by name, and ended
// has those that ask for nothing from a day on.
func Demands(programs map[string]*changev1.ChangeProgramSpec, ended map[string]calendar.Date) map[string][]Demand {
	out := map[string][]Demand{}
	for _, name := range slices.Sorted(maps.Keys(programs)) {
		spec := programs[name]
		start, _ := calendar.ParseDate(spec.GetStart()) // checked when it was declared
		end, _ := calendar.ParseDate(spec.GetEnd())
		for _, a := range spec.GetAudiences() {
			out[a.GetAudience()] = append(out[a.GetAudience()], Demand{Program: name, Start: start, End: end, Hours: a.GetHoursPerPerson(), Ended: ended[name]})
		}
	}
	return out
}

// Asked lists what is asked of the people of an audience: of itself and, because
// what is asked of the whole is asked of its parts, of those above it. What a
// program asks of the part counts instead of what it asks of the whole.
func Asked(audience string, parent func(string) string, demands map[string][]Demand) []Demand {
	var out []Demand
	visited, seen := map[string]bool{}, map[string]bool{}
	for at := audience; at != "" && !visited[at]; at = parent(at) {
		visited[at] = true
		for _, d := range demands[at] {
			if !seen[d.Program] {
				seen[d.Program] = true
				out = append(out, d)
			}
		}
	}
	return out
}

// Load is what demands ask of each person of an audience in each month from
// one to another: hours × overlapping days ÷ days of the program, summed, against
// the capacity of a month.
func Load(capacity float64, demands []Demand, from, to calendar.Date) []*changev1.MonthLoad {
	var out []*changev1.MonthLoad
	months := calendar.Months(1)
	for p := months.PeriodOf(from, calendar.Monthly); !p.Start.After(to); p = months.Next(p) {
		m := &changev1.MonthLoad{Month: p.Name, Capacity: capacity}
		for _, d := range demands {
			start, end := calendar.Later(d.Start, p.Start), calendar.Earlier(d.End, p.End)
			if !d.Ended.IsZero() {
				end = calendar.Earlier(end, d.Ended.AddDays(-1))
			}
			if d.Hours == 0 || end.Before(start) {
				continue
			}
			hours := d.Hours * float64(end.Sub(start)+1) / float64(d.End.Sub(d.Start)+1)
			m.Hours += hours
			m.Programs = append(m.Programs, &changev1.ProgramHours{Program: d.Program, Hours: hours})
		}
		slices.SortFunc(m.Programs, func(a, b *changev1.ProgramHours) int {
			return cmp.Or(cmp.Compare(b.GetHours(), a.GetHours()), cmp.Compare(a.GetProgram(), b.GetProgram()))
		})
		m.Load, m.Level = m.GetHours()/capacity, "fine"
		switch {
		case m.GetLoad() > OverloadAbove:
			m.Level = "overload"
		case m.GetLoad() > WarnAbove:
			m.Level = "warning"
		}
		out = append(out, m)
	}
	return out
}
