package strategy

import (
	"fmt"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
)

func date(s string) calendar.Date {
	if s == "" {
		return calendar.Date{}
	}
	return calendar.MustParse(s)
}

// fiscalYear is a set with an organization whose years begin in a month.
type fiscalYear int32

func (f fiscalYear) Spec(kind, _ string) (proto.Message, bool) {
	return &strategyv1.OrganizationSpec{FiscalYearStart: int32(f)}, kind == "Organization"
}

func (fiscalYear) Names(kind string) []string {
	return map[string][]string{"Organization": {"o"}}[kind]
}

func rhythm(s *ReviewSpec, fiscal int32) Rhythm {
	return RhythmOf(s, date("2025-12-10"), fiscalYear(fiscal))
}

func TestWhenReviewsAreHeld(t *testing.T) {
	for _, c := range []struct {
		name                      string
		spec                      *ReviewSpec
		fiscal                    int32
		asOf                      string
		latest, coming, latestDue string
	}{
		{"daily", &ReviewSpec{Cadence: "daily"}, 1, "2026-01-05", "2026-01-05", "2026-01-05", "2026-01-05"},
		{"weekly", &ReviewSpec{Cadence: "weekly"}, 1, "2026-01-07", "2026-W01", "2026-W02", "2026-01-06"},
		{"weekly, on its last day", &ReviewSpec{Cadence: "weekly"}, 1, "2026-01-11", "2026-W02", "2026-W02", "2026-01-13"},
		{"monthly", &ReviewSpec{Cadence: "monthly"}, 1, "2026-02-28", "2026-02", "2026-02", "2026-03-07"},
		{"quarterly", &ReviewSpec{Cadence: "quarterly"}, 1, "2026-03-30", "2025-Q4", "2026-Q1", "2026-01-14"},
		{"fiscal quarters", &ReviewSpec{Cadence: "quarterly"}, 10, "2026-03-30", "FY2026-Q1", "FY2026-Q2", "2026-01-14"},
		{"a review's own fiscal year", &ReviewSpec{Cadence: "quarterly", FiscalYearStart: 2}, 10, "2026-02-01", "FY2026-Q4", "FY2027-Q1", "2026-02-14"},
		{"annual", &ReviewSpec{Cadence: "annual"}, 1, "2026-01-01", "2025", "2026", "2026-01-30"},
		{"yearly is annual", &ReviewSpec{Cadence: "yearly", Within: "5d"}, 10, "2026-10-01", "FY2026", "FY2027", "2026-10-05"},
		{"weeks of 4-4-5", &ReviewSpec{Cadence: "quarterly", Calendar: "4-4-5"}, 10, "2026-01-15", "FY2026-Q1", "FY2026-Q2", "2026-01-10"},
		{"nothing has ended yet", &ReviewSpec{Cadence: "monthly"}, 1, "2025-12-20", "", "2025-12", ""},
		{"it starts later", &ReviewSpec{Cadence: "monthly", Start: "2026-05-15"}, 1, "2026-02-01", "", "2026-05", ""},
		{"it has ended", &ReviewSpec{Cadence: "monthly", End: "2026-02-10"}, 1, "2026-06-30", "2026-02", "", "2026-03-07"},
		{"it ends within the period", &ReviewSpec{Cadence: "monthly", End: "2026-02-10"}, 1, "2026-02-20", "2026-01", "2026-02", "2026-02-07"},
	} {
		r := rhythm(c.spec, c.fiscal)
		latest, due := r.Latest(date(c.asOf)), ""
		if !latest.IsZero() {
			due = r.DueOf(latest).String()
		}
		if coming := r.Coming(date(c.asOf)); latest.Name != c.latest || coming.Name != c.coming || due != c.latestDue {
			t.Errorf("%s: latest %q due %s, coming %q; want %q due %s, %q", c.name, latest.Name, due, coming.Name, c.latest, c.latestDue, c.coming)
		}
	}
}

func TestAPeriodIsFoundByItsName(t *testing.T) {
	r := rhythm(&ReviewSpec{Cadence: "quarterly", End: "2027-12-31"}, 10)
	for name, want := range map[string]string{"FY2026-Q2": "FY2026-Q2", "fy2026-q2": "FY2026-Q2", "2026-Q1": "FY2026-Q2"} {
		if p, err := r.Find(name); err != nil || p.Name != want {
			t.Errorf("%s is %s, %v; want %s", name, p.Name, err, want)
		}
	}
	for _, name := range []string{"", "soon", "2026-01", "FY2026", "FY2025-Q4", "FY2029-Q1", "2026-Q1-Q2"} {
		if p, err := r.Find(name); fault.ReasonOf(err) != "strategy.review_period" {
			t.Errorf("%q is %s, %v", name, p.Name, err)
		}
	}
	if p, err := rhythm(&ReviewSpec{Cadence: "quarterly", FiscalYearStart: 2}, 1).Find("2026-Q1"); err == nil {
		t.Errorf("a quarter that is none of the calendar is %s", p.Name)
	}
}

func states(of ...*OccurrenceState) map[string]*OccurrenceState {
	out := map[string]*OccurrenceState{}
	for _, s := range of {
		out[s.GetPeriod()] = s
	}
	return out
}

func stood(period, stage string) *OccurrenceState {
	s := &OccurrenceState{Period: period, Stage: stage, Opened: "2026-01-05"}
	if stage == Closed || stage == Skipped {
		s.Ended = "2026-01-05"
	}
	return s
}

func TestWhatIsNextAndWhatIsOwed(t *testing.T) {
	monthly := rhythm(&ReviewSpec{Cadence: "monthly"}, 1)
	for _, c := range []struct {
		name, asOf   string
		states       map[string]*OccurrenceState
		next, status string
		overdue      int
		owed, late   int
		since        string
		all          string
	}{
		{"before the first has ended", "2025-12-20", nil, "2025-12", Upcoming, 0, 0, 0, "", "[2025-12 upcoming]"},
		{"on its last day", "2025-12-31", nil, "2025-12", DueNow, 0, 1, 0, "2026-01-07", "[2025-12 due]"},
		{"on the last day in time", "2026-01-07", nil, "2025-12", DueNow, 0, 1, 0, "2026-01-07", "[2026-01 upcoming 2025-12 due]"},
		{"a day late", "2026-01-08", nil, "2025-12", Overdue, 1, 1, 1, "2026-01-07", "[2026-01 upcoming 2025-12 overdue]"},
		{"another has come due", "2026-02-03", nil, "2026-01", DueNow, 0, 2, 1, "2026-01-07", "[2026-02 upcoming 2026-01 due 2025-12 missed]"},
		{"open", "2026-01-08", states(stood("2025-12", Opened)), "2025-12", Opened, 1, 1, 1, "2026-01-07", "[2026-01 upcoming 2025-12 open]"},
		{"the one that is open comes first", "2026-02-03", states(stood("2025-12", Locked)), "2025-12", Locked, 27, 2, 1, "2026-01-07", "[2026-02 upcoming 2026-01 due 2025-12 locked]"},
		{"closed", "2026-01-08", states(stood("2025-12", Closed)), "2026-01", Upcoming, 0, 0, 0, "", "[2026-01 upcoming 2025-12 closed]"},
		{"holding the latest ends the row", "2026-02-20", states(stood("2026-01", Closed)), "2026-02", Upcoming, 0, 0, 0, "", "[2026-02 upcoming 2026-01 closed 2025-12 missed]"},
		{"a skipped one ends the row", "2026-02-20", states(stood("2025-12", Skipped)), "2026-01", Overdue, 13, 1, 1, "2026-02-07", "[2026-02 upcoming 2026-01 overdue 2025-12 skipped]"},
		{"skipped in advance", "2026-01-08", states(stood("2025-12", Closed), stood("2026-01", Skipped), stood("2026-02", Skipped)), "2026-03", Upcoming, 0, 0, 0, "",
			"[2026-02 skipped 2026-01 skipped 2025-12 closed]"},
	} {
		asOf := date(c.asOf)
		o := monthly.Next(c.states, asOf)
		if o.Name != c.next || o.Status != c.status || o.Overdue != c.overdue {
			t.Errorf("%s: next is %s, %s, %d days overdue", c.name, o.Name, o.Status, o.Overdue)
		}
		d := monthly.DebtOn(func(p string) bool { return Over(c.states[p]) }, asOf)
		if d.Owed != c.owed || d.Late != c.late || d.Since != date(c.since) {
			t.Errorf("%s: the debt is %+v", c.name, d)
		}
		var all []string
		for _, o := range monthly.All(c.states, asOf, 10) {
			all = append(all, o.Name+" "+o.Status)
		}
		if got := fmt.Sprint(all); got != c.all {
			t.Errorf("%s: all are %s, want %s", c.name, got, c.all)
		}
	}
	ended := rhythm(&ReviewSpec{Cadence: "monthly", End: "2025-12-31"}, 1)
	if o := ended.Next(states(stood("2025-12", Closed)), date("2026-03-01")); !o.IsZero() {
		t.Errorf("after its end %s is next", o.Name)
	}
}

func TestAReviewThatIsNotHeldEscalates(t *testing.T) {
	daily := LedgerReview{Name: "evening", Owner: "person/ada", Rhythm: rhythm(&ReviewSpec{Cadence: "daily", Start: "2026-01-01"}, 1), States: states(
		&OccurrenceState{Period: "2026-01-01", Stage: Closed, Ended: "2026-01-01", Decisions: []*strategyv1.ReviewDecision{
			{Id: "d1", Title: "sleep", Owner: "unit/home", Due: "2026-01-03", Status: "open", Targets: []string{"t"}},
			{Id: "d2", Title: "eat", Owner: "unit/home", Due: "2026-01-03", Status: "done"},
		}})}
	l := Ledger{Reviews: []LedgerReview{daily}, Above: map[string]string{"person/ada": "unit/home", "unit/home": "unit/street"}}
	var got []string
	for _, d := range Owed(l, date("2026-01-10")) {
		got = append(got, fmt.Sprintf("%s %s, %s: %s since %s, %d days, %d missing, now %s", d.Kind, d.Name, d.Owner, d.What, d.Due, d.Overdue, d.Missing, d.EscalatedTo))
	}
	want := []string{
		"review evening, person/ada: hold the review of 2026-01-10; 8 before it in a row not held since 2026-01-02, 8 days, 8 missing, now unit/home",
		"decision evening/2026-01-01/d1, unit/home: sleep since 2026-01-03, 7 days, 0 missing, now unit/street",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

// Whatever is held, skipped or missed: each day has at most one occurrence that is
// next, the row that is owed is made of periods that are not over, right up to one
// that is or to the first, and no occurrence is both over and overdue.
func TestRhythmHoldsTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rhythm(&ReviewSpec{
			Cadence:  rapid.SampledFrom([]string{"daily", "weekly", "monthly", "quarterly", "annual"}).Draw(t, "cadence"),
			Within:   rapid.SampledFrom([]string{"", "0d", "3d", "40d"}).Draw(t, "within"),
			End:      rapid.SampledFrom([]string{"", "2022-06-30"}).Draw(t, "end"),
			Calendar: rapid.SampledFrom([]string{"", "4-4-5"}).Draw(t, "calendar"),
		}, int32(rapid.IntRange(1, 12).Draw(t, "fiscal")))
		r.First = date("2020-02-10")
		asOf := date("2020-02-10").AddDays(rapid.IntRange(0, 1200).Draw(t, "day"))
		s := map[string]*OccurrenceState{}
		for range rapid.IntRange(0, 5).Draw(t, "held") {
			p := r.Calendar.PeriodOf(date("2020-02-10").AddDays(rapid.IntRange(0, 1200).Draw(t, "at")), r.Every)
			if r.Has(p) {
				s[p.Name] = stood(p.Name, rapid.SampledFrom([]string{Opened, Locked, Closed, Skipped}).Draw(t, "stage"))
			}
		}
		if o := r.Next(s, asOf); !o.IsZero() && (!r.Has(o.Period) || Over(s[o.Name])) {
			t.Fatalf("next is %s, %s", o.Name, o.Status)
		}
		d := r.DebtOn(func(p string) bool { return Over(s[p]) }, asOf)
		p := d.Latest
		for range d.Owed {
			if !r.Has(p) || Over(s[p.Name]) || p.End.After(asOf) {
				t.Fatalf("%s is in the row of %+v", p.Name, d)
			}
			if found, err := r.Find(p.Name); err != nil || found != p {
				t.Fatalf("%s is found as %+v, %v", p.Name, found, err)
			}
			p = r.Calendar.Prev(p)
		}
		if r.Has(p) && !Over(s[p.Name]) && !d.Latest.IsZero() {
			t.Fatalf("%s is not in the row of %+v", p.Name, d)
		}
		if d.Late > d.Owed || d.Late > 0 != (d.Owed > 0 && d.Since.Before(asOf)) {
			t.Fatalf("%+v", d)
		}
		before := calendar.Period{}
		for _, o := range r.All(s, asOf, 50) {
			if !before.IsZero() && r.Calendar.Next(o.Period) != before {
				t.Fatalf("%s is listed next to %s", o.Name, before.Name)
			}
			if Over(s[o.Name]) && o.Overdue > 0 {
				t.Fatalf("%s is %s and overdue", o.Name, o.Status)
			}
			before = o.Period
		}
	})
}
