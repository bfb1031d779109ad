package strategy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/strategy"
)

func TestDecideRequest(t *testing.T) {
	ask := func(policy, due string) strategy.RequestCheckIn {
		return strategy.RequestCheckIn{Reason: " why? ", Due: due, Policy: policy, Principal: "p", Today: calendar.Of(2026, 11, 26), After: 40}
	}
	had := func(policy, due string) *strategyv1.CheckInRequests {
		return &strategyv1.CheckInRequests{Requests: []*strategyv1.CheckInRequested{{Reason: "r", Policy: policy, Due: due, At: "2026-11-20", After: 30}}}
	}
	for _, c := range []struct {
		name   string
		state  *strategyv1.CheckInRequests
		told   []strategy.Told
		do     strategy.RequestCheckIn
		wrote  bool
		reason string
	}{
		{"first", nil, nil, ask("", "2026-12-01"), true, ""},
		{"for today", nil, nil, ask("", "2026-11-26"), true, ""},
		{"for yesterday", nil, nil, ask("", "2026-11-25"), false, "strategy.request_due"},
		{"no date", nil, nil, ask("", "soon"), false, "strategy.request_due"},
		{"no reason", nil, nil, strategy.RequestCheckIn{Due: "2026-12-01", Reason: " \t"}, false, "strategy.request_reason"},
		{"the same day again", had("", "2026-12-01"), nil, ask("", "2026-12-01"), false, ""},
		{"another day", had("", "2026-12-01"), nil, ask("", "2026-12-02"), true, ""},
		{"a policy is still waiting", had("red", "2026-11-30"), nil, ask("red", "2026-12-03"), false, ""},
		{"another policy", had("red", "2026-11-30"), nil, ask("stale", "2026-11-30"), true, ""},
		{"a person beside a policy", had("red", "2026-12-01"), nil, ask("", "2026-12-01"), true, ""},
		{"answered", had("red", "2026-11-30"), []strategy.Told{{At: "2026-11-20", Revision: 31}}, ask("red", "2026-12-03"), true, ""},
		{"told before it was asked", had("red", "2026-11-30"), []strategy.Told{{At: "2026-11-21", Revision: 30}}, ask("red", "2026-12-03"), false, ""},
		{"told about an earlier day", had("red", "2026-11-30"), []strategy.Told{{At: "2026-11-19", Revision: 50}}, ask("red", "2026-12-03"), false, ""},
	} {
		got, err := strategy.DecideRequest(c.state, c.told, c.do)
		if (got != nil) != c.wrote || fault.ReasonOf(err) != c.reason {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
		if got != nil && (got.GetReason() != "why?" || got.GetAt() != "2026-11-26" || got.GetAfter() != 40 || got.GetPrincipal() != "p") {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	var s *strategyv1.CheckInRequests
	for i := range 60 {
		s = strategy.EvolveRequests(s, &strategyv1.CheckInRequested{After: int64(i)})
	}
	if n := len(s.GetRequests()); n != 50 || s.GetRequests()[49].GetAfter() != 59 {
		t.Errorf("%d requests are kept, the last %v", n, s.GetRequests()[n-1])
	}
}

func tell(list []strategy.Duty) []string {
	var out []string
	for _, d := range list {
		s := fmt.Sprintf("%s %s %q due %s", d.Kind, d.Name, d.What, d.Due)
		if d.Overdue > 0 {
			s += fmt.Sprintf(" %dd late", d.Overdue)
		}
		if d.Owner != "" {
			s += " by " + d.Owner
		}
		if d.EscalatedTo != "" {
			s += " now " + d.EscalatedTo
		}
		out = append(out, s)
	}
	return out
}

func TestOwed(t *testing.T) {
	date := calendar.MustParse
	above := map[string]string{"person/ann": "unit/leases", "unit/leases": "unit/estate", "unit/estate": "unit/top"}
	monthly := strategy.LedgerMetric{Name: "m", Owner: "unit/leases", Every: calendar.Monthly, LagDays: 10, Since: date("2026-01-15"), Waiting: []int{0}}
	open := strategy.LedgerTarget{Name: "t", Owner: "person/ann"}
	with := func(m strategy.LedgerMetric, f func(*strategy.LedgerMetric)) strategy.LedgerMetric { f(&m); return m }
	target := func(f func(*strategy.LedgerTarget)) strategy.LedgerTarget { x := open; f(&x); return x }
	metric := func(m strategy.LedgerMetric, t strategy.LedgerTarget) strategy.Ledger {
		return strategy.Ledger{Metrics: []strategy.LedgerMetric{m}, Targets: []strategy.LedgerTarget{t}, Above: above}
	}
	alone := func(t strategy.LedgerTarget) strategy.Ledger {
		return strategy.Ledger{Targets: []strategy.LedgerTarget{t}, Above: above}
	}
	valued := func(at string) strategy.LedgerMetric {
		return with(monthly, func(m *strategy.LedgerMetric) { m.LastAt = date(at) })
	}
	weekly := target(func(t *strategy.LedgerTarget) { t.Every, t.Since = calendar.Weekly, date("2026-01-01") })
	for _, c := range []struct {
		name string
		l    strategy.Ledger
		asOf string
		want []string
	}{
		{"the month runs", metric(valued("2026-09-30"), open), "2026-10-30", nil},
		{"the month is over", metric(valued("2026-09-30"), open), "2026-10-31", []string{`value m "the value of 2026-10" due 2026-11-10 by unit/leases`}},
		{"the last day of the lag", metric(valued("2026-09-30"), open), "2026-11-10", []string{`value m "the value of 2026-10" due 2026-11-10 by unit/leases`}},
		{"a day late", metric(valued("2026-09-30"), open), "2026-11-11", []string{`value m "the value of 2026-10" due 2026-11-10 1d late by unit/leases`}},
		{"a week late, and two months", metric(valued("2026-09-30"), open), "2026-11-30",
			[]string{`value m "the value of 2026-10 and of 1 more" due 2026-11-10 20d late by unit/leases now unit/top`}},
		{"the default lag is half of what follows", metric(with(valued("2026-09-30"), func(m *strategy.LedgerMetric) { m.LagDays = -1 }), open), "2026-11-01",
			[]string{`value m "the value of 2026-10" due 2026-11-15 by unit/leases`}},
		{"never a value", metric(monthly, open), "2026-02-01", []string{`value m "the value of 2026-01" due 2026-02-10 by unit/leases`}},
		{"the owner of the target", metric(with(valued("2026-09-30"), func(m *strategy.LedgerMetric) { m.Owner = "" }), open), "2026-10-31",
			[]string{`value m "the value of 2026-10" due 2026-11-10 by person/ann`}},
		{"nobody waits any more", metric(valued("2026-09-30"), target(func(t *strategy.LedgerTarget) { t.End = date("2026-09-30") })), "2026-12-31", nil},
		{"for the last month", metric(valued("2026-09-30"), target(func(t *strategy.LedgerTarget) { t.End = date("2026-10-31") })), "2026-12-31",
			[]string{`value m "the value of 2026-10" due 2026-11-10 51d late by unit/leases now unit/top`}},
		{"a milestone that is reached", metric(valued("2026-09-30"), target(func(t *strategy.LedgerTarget) { t.Done = true })), "2026-12-31", nil},

		{"weekly, on Wednesday", alone(weekly), "2026-11-25", []string{
			`check-in t "the check-in of 2026-W47" due 2026-11-22 3d late by person/ann`, `check-in t "the check-in of 2026-W48" due 2026-11-29 by person/ann`}},
		{"weekly, told on Monday", alone(target(func(t *strategy.LedgerTarget) {
			*t = weekly
			t.Told = []strategy.Told{{At: "2026-11-22"}, {At: "2026-11-23"}}
		})), "2026-11-25", nil},
		{"weekly, just declared", alone(target(func(t *strategy.LedgerTarget) { t.Every, t.Since = calendar.Weekly, date("2026-11-20") })), "2026-11-25",
			[]string{`check-in t "the check-in of 2026-W48" due 2026-11-29 by person/ann`}},
		{"weekly, at its end", alone(target(func(t *strategy.LedgerTarget) { *t = weekly; t.End = date("2026-11-10") })), "2026-11-25", nil},
		{"of fiscal quarters", alone(target(func(t *strategy.LedgerTarget) {
			t.Every, t.Since, t.Calendar = calendar.Quarterly, date("2026-01-01"), calendar.Months(10)
			t.Told = []strategy.Told{{At: "2026-09-30"}}
		})), "2026-11-25", []string{`check-in t "the check-in of FY2027-Q1" due 2026-12-31 by person/ann`}},

		{"asked for", alone(target(func(t *strategy.LedgerTarget) {
			t.Requests = []*strategyv1.CheckInRequested{{Reason: "why?", At: "2026-11-20", Due: "2026-11-22", After: 5}, {Reason: "later", At: "2026-11-26", Due: "2026-11-30"}}
			t.Told = []strategy.Told{{At: "2026-11-21", Revision: 5}}
		})), "2026-11-25", []string{`requested t "why?" due 2026-11-22 3d late by person/ann`}},

		{"the overdue first", strategy.Ledger{Above: above, Actions: []strategy.LedgerAction{
			{ID: "b", Title: "B", Due: date("2026-11-26"), Owner: "unit/top"}, {ID: "a", Title: "A", Due: date("2026-11-11"), Owner: "person/ann"},
		}}, "2026-11-25", []string{`action a "A" due 2026-11-11 14d late by person/ann now unit/estate`, `action b "B" due 2026-11-26 by unit/top`}},
	} {
		if got := tell(strategy.Owed(c.l, date(c.asOf))); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %s\nwant %s", c.name, strings.Join(got, "\n     "), strings.Join(c.want, "\n     "))
		}
	}
}

// Whatever the cadence and calendar, a check-in on any day of the period takes
// that period's duty away and no other's, and never more than two are owed.
func TestCheckInsOwedAreThoseOfTheirPeriods(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := calendar.Months(rapid.IntRange(1, 12).Draw(t, "first month"))
		if rapid.Bool().Draw(t, "4-4-5") {
			k = calendar.FourFourFive(rapid.IntRange(1, 12).Draw(t, "first month"), 6)
		}
		every := rapid.SampledFrom([]calendar.Cadence{calendar.Daily, calendar.Weekly, calendar.Monthly, calendar.Quarterly, calendar.Yearly}).Draw(t, "every")
		asOf := calendar.Of(2020, 1, 1).AddDays(rapid.IntRange(0, 4000).Draw(t, "day"))
		target := strategy.LedgerTarget{Name: "t", Calendar: k, Every: every, Since: calendar.Of(2000, 1, 1)}
		all := strategy.Owed(strategy.Ledger{Targets: []strategy.LedgerTarget{target}}, asOf)
		if len(all) != 2 || all[0].Overdue == 0 || all[1].Overdue != 0 {
			t.Fatalf("without a check-in: %v", tell(all))
		}
		which := rapid.IntRange(0, 1).Draw(t, "which")
		p, err := k.Parse(all[which].Period)
		if err != nil {
			t.Fatal(err)
		}
		day := p.Start.AddDays(rapid.IntRange(0, p.Days()-1).Draw(t, "offset"))
		target.Told = []strategy.Told{{At: day.String()}}
		left := strategy.Owed(strategy.Ledger{Targets: []strategy.LedgerTarget{target}}, asOf)
		if len(left) != 1 || left[0].Period != all[1-which].Period {
			t.Fatalf("a check-in on %s leaves %v of %v", day, tell(left), tell(all))
		}
	})
}
