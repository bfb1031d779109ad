package strategy

import (
	"fmt"
	"strconv"
	"strings"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/resource"
)

// ReviewSpec is what is declared of a review.
type ReviewSpec = strategyv1.ReviewSpec

func reviewReferences(s *ReviewSpec) []resource.Reference {
	var out []resource.Reference
	scope := s.GetScope()
	for _, x := range []struct{ field, kind, name string }{
		{"strategy", "Strategy", scope.GetStrategy()}, {"objective", "Objective", scope.GetObjective()}, {"unit", "Unit", scope.GetUnit()},
	} {
		if x.name != "" {
			out = append(out, resource.Reference{Field: "spec.scope." + x.field, Kind: x.kind, Name: x.name})
		}
	}
	for i, p := range s.GetParticipants() {
		out = append(out, resource.OwnerReference(fmt.Sprintf("spec.participants[%d]", i), p)...)
	}
	return append(out, resource.OwnerReference("spec.owner", s.GetOwner())...)
}

func checkReview(s *ReviewSpec, set resource.Set, f *resource.Findings) {
	f.Owner("spec.owner", s.GetOwner())
	adviseOwner(s.GetOwner(), set, f)
	for i, p := range s.GetParticipants() {
		f.Owner(fmt.Sprintf("spec.participants[%d]", i), p)
	}
	if s.GetOwner() == "" {
		f.Warn("spec.owner", "review_without_owner", "nobody answers for the review being held", "owner: unit/NAME or person/ID")
	}
	scope, given := s.GetScope(), 0
	for _, name := range []string{scope.GetStrategy(), scope.GetObjective(), scope.GetUnit()} {
		if name != "" {
			given++
		}
	}
	if given > 1 {
		f.Add("spec.scope", "review_scope", fmt.Sprintf("%d scopes are given", given), "give one of strategy, objective and unit, or none for all of the organization")
	}
	var start, end calendar.Date
	okStart, okEnd := false, false
	if s.GetStart() != "" {
		start, okStart = f.Date("spec.start", s.GetStart())
	}
	if s.GetEnd() != "" {
		end, okEnd = f.Date("spec.end", s.GetEnd())
	}
	if okStart && okEnd && end.Before(start) {
		f.Add("spec.end", "review_dates", fmt.Sprintf("%s is before the start %s", end, start), "a review ends on the day it starts or later")
	}
	if s.GetWeekEnds() != "" && s.GetCalendar() != "4-4-5" {
		f.Add("spec.weekEnds", "week_ends", "only years of whole weeks end on a weekday", "calendar: 4-4-5")
	}
	if p := s.GetPolicy(); p != "" && !labelled(p) {
		f.Add("spec.policy", "review_policy", fmt.Sprintf("%q is not the name of a policy", p), "lower-case letters, digits and - inside")
	}
}

func labelled(s string) bool {
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" && strings.Trim(s, "-") == s
}

// withinDays is how long after its period a review is in time, where nothing is
// declared: a house rule.
var withinDays = map[calendar.Cadence]int{
	calendar.Daily: 0, calendar.Weekly: 2, calendar.Monthly: 7, calendar.Quarterly: 14, calendar.Yearly: 30,
}

// CadenceOf is how often a review is held.
func CadenceOf(s *ReviewSpec) calendar.Cadence {
	if s.GetCadence() == "annual" {
		return calendar.Yearly
	}
	return calendar.Cadence(s.GetCadence())
}

// RhythmOf derives when a review is held from its declaration; declared is the
// day from which its first declaration counts.
func RhythmOf(s *ReviewSpec, declared calendar.Date, set resource.Set) Rhythm {
	fiscal := int(s.GetFiscalYearStart())
	if fiscal == 0 {
		fiscal = max(1, int(Organization(set).GetFiscalYearStart()))
	}
	k, _ := calendar.New(s.GetCalendar(), fiscal, s.GetWeekEnds())
	r := Rhythm{Calendar: k, Every: CadenceOf(s), First: declared}
	r.Within = withinDays[r.Every]
	if n, err := strconv.Atoi(strings.TrimSuffix(s.GetWithin(), "d")); err == nil {
		r.Within = n
	}
	if d, err := calendar.ParseDate(s.GetStart()); err == nil {
		r.First = calendar.Later(r.First, d)
	}
	r.Last, _ = calendar.ParseDate(s.GetEnd())
	return r
}
