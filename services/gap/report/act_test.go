package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/schedule"
)

func money(s string) *decimal.Decimal { d := decimal.RequireFromString(s); return &d }

// acting is the fixture with people who do something about the gaps: measured
// ones, unmeasured ones, and an initiative that serves nothing.
func acting() (gap.Portfolio, gap.Result) {
	p, r := fixture()
	readiness := .4
	p.Programs = []gap.Program{
		{
			Name: "tenants", Title: "Tenants share desks", Framework: "ADKAR", Initiative: "desks", Basis: gap.BySurvey, Start: date("2018-03-01"), End: date("2019-06-30"),
			Audiences: []gap.ProgramAudience{
				{Name: "agencies", Title: "Agency staff", Size: 300, Weight: 900, Readiness: num(.35), Respondents: one(140)},
				{Name: "managers", Title: "Building managers", Size: 40, Weight: 40, Readiness: num(.6), Respondents: one(31)},
			},
			Wave: &gap.Wave{
				Name: "autumn", Closed: date("2018-11-30"), Invited: one(340), Respondents: one(171), NoBarrier: 22, Unknown: 4,
				Barriers: []gap.Barrier{{Element: "awareness", Title: "Awareness", People: 12}, {Element: "desire", Title: "Desire", People: 88},
					{Element: "knowledge", Title: "Knowledge", People: 30}, {Element: "ability", Title: "Ability", People: 15}, {Element: "reinforcement", Title: "Reinforcement", People: 0}},
			},
		},
		{
			Name: "reviewers", Title: "Reviewers trust the shared review", Framework: "ADKAR", Initiative: "reviews", Basis: gap.BySurvey, Start: date("2018-03-01"), End: date("2019-06-30"),
			Audiences: []gap.ProgramAudience{{Name: "reviewers", Title: "Security reviewers", Size: 60, Weight: 60}},
		},
		{
			Name: "culture", Title: "One way of working", Framework: "Kotter", Basis: gap.ByStages, Readiness: &readiness, Start: date("2018-01-01"), End: date("2020-06-30"),
			Stages: []gap.ProgramStage{{Name: "urgency", Title: "Create a Sense of Urgency", Status: "in_place"}, {Name: "vision", Title: "Vision", Status: "regressed"}},
		},
		{Name: "field", Title: "Leave the old system", Framework: "Lewin", Basis: gap.ByForces, Readiness: num(.5714), Driving: 8, Restraining: 6, Start: date("2018-01-01"), End: date("2020-06-30")},
	}
	of := func(name string) []gap.Program {
		return slices.DeleteFunc(slices.Clone(p.Programs), func(g gap.Program) bool { return g.Initiative != name })
	}
	p.Initiatives = []gap.Initiative{
		{
			Name: "desks", Title: "Share desks, give floors back", Owner: "unit/real-estate", Stage: "active", Start: date("2018-01-01"), End: date("2019-09-30"), Started: date("2018-01-15"), Since: date("2018-01-15"),
			Milestones: []gap.InitiativeMilestone{
				{Name: "pilot", Title: "Pilot on two floors", Planned: date("2018-06-30"), Reached: date("2018-06-20")},
				{Name: "half", Title: "Half of the buildings", Planned: date("2018-12-15")},
				{Name: "all", Title: "All buildings", Planned: date("2019-09-30"), Forecast: date("2019-12-31"), Pushed: 1},
			},
			Contributions: []gap.Contribution{
				{Target: "vacant", Low: num(.001), Likely: .002, High: num(.004), RampStart: date("2018-10-01"), RampEnd: date("2019-09-30"), PeopleDependent: 1, Basis: "pilot on two floors"},
				{Target: "revenue", Likely: .012, RampStart: date("2018-10-01"), RampEnd: date("2019-06-30")},
			},
			Money: gap.Money{Currency: "USD", Budget: money("1250000.00"), Spent: money("400000.50"), Completion: money("1310000")}, Programs: of("desks"),
		},
		{
			Name: "reviews", Title: "One security review for all", Stage: "approved", Start: date("2019-01-01"), End: date("2020-06-30"),
			After:         []schedule.After{{Name: "desks", LagDays: -200}},
			Contributions: []gap.Contribution{{Target: "fedramp", Low: num(10), Likely: 25, High: num(40), RampStart: date("2019-01-01"), RampEnd: date("2020-06-30"), PeopleDependent: .6}},
			Money:         gap.Money{Currency: "USD", Budget: money("90000")}, Programs: of("reviews"),
		},
		{Name: "portal", Title: "A portal", Stage: "proposed", Start: date("2019-01-01"), End: date("2019-12-31")},
		{Name: "paper", Title: "Paperless leases", Stage: "cancelled", Since: date("2018-05-01"), Start: date("2018-01-01"), End: date("2018-12-31"),
			Contributions: []gap.Contribution{{Target: "leases", Likely: .05, RampEnd: date("2018-12-31")}}},
	}
	return p, r
}

func TestActGolden(t *testing.T) {
	p, r := acting()
	d := Build(p, r, Options{Organization: "General Services"})
	golden(t, "act.golden.md", Markdown(d))
	golden(t, "act.golden.html", HTML(d))
	golden(t, "act.golden.csv", CSV(d))
	var indented bytes.Buffer
	if err := json.Indent(&indented, canonical(struct {
		Initiatives []Initiative
		Coverage    *Coverage
		Readiness   []Program
	}{d.Initiatives, d.Coverage, d.Readiness}), "", "  "); err != nil {
		t.Fatal(err)
	}
	golden(t, "act.golden.json", indented.Bytes())
}

func TestActDoesNotDependOnTheOrderOfInputs(t *testing.T) {
	p, r := acting()
	first := Build(p, r, Options{})
	for seed := range uint64(20) {
		p2, r2 := shuffled(p, r, seed)
		slices.Reverse(p2.Initiatives)
		slices.Reverse(p2.Programs)
		for _, f := range renderers {
			if !bytes.Equal(f.render(first), f.render(Build(p2, r2, Options{}))) {
				t.Fatalf("%s differs after shuffle %d", f.name, seed)
			}
		}
	}
}

// Who was not measured is seen, and never counted as ready.
func TestUnmeasuredPeopleAreNeverReady(t *testing.T) {
	p, r := acting()
	d := Build(p, r, Options{})
	c := byName(d.Coverage.Targets, func(c CoveredTarget) string { return c.Target })["fedramp"]
	ready, lost, unmeasured, _ := c.segments()
	if c.Ready != nil || len(c.Unmeasured) != 1 || ready != 0 || lost != 0 || unmeasured <= 0 {
		t.Fatalf("%+v: ready %v, lost %v, unmeasured %v", c, ready, lost, unmeasured)
	}
	for name, text := range map[string]string{"md": string(Markdown(d)), "html": string(HTML(d))} {
		for _, want := range []string{"unknown: people not measured", "at least ", "no wave of its survey is closed"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q", name, want)
			}
		}
	}
	_, steps, _ := strings.Cut(c.fall(d.targetsByName()["fedramp"].Metric).text(), "\n")
	if strings.Contains(steps, "█") || !strings.Contains(steps, "?") {
		t.Errorf("the steps are %s", steps)
	}
}

func TestCoverageNamesWhatNothingServes(t *testing.T) {
	p, r := acting()
	c := Build(p, r, Options{}).Coverage
	if want := []string{"portal"}; !slices.Equal(c.ServingNothing, want) {
		t.Errorf("serving nothing: %v, want %v", c.ServingNothing, want)
	}
	for _, name := range []string{"cost", "leases"} { // a cancelled initiative serves nobody
		if !slices.Contains(c.Unserved, name) {
			t.Errorf("%s is not among the unserved %v", name, c.Unserved)
		}
	}
	for _, name := range []string{"vacant", "savings"} { // served; without a gap
		if slices.Contains(c.Unserved, name) {
			t.Errorf("%s is among the unserved", name)
		}
	}
}

// A part of what is seen of a wave is what its results may show; what is
// suppressed has no picture.
func TestSuppressedResultsHaveNoPicture(t *testing.T) {
	p, r := acting()
	p.Programs = slices.Clone(p.Programs)
	wave := *p.Programs[0].Wave
	wave.Respondents, wave.Barriers = nil, nil
	p.Programs[0].Wave = &wave
	for i := range p.Programs[0].Audiences {
		p.Programs[0].Audiences[i].Readiness = nil
	}
	d := Build(p, r, Options{})
	text := string(Markdown(d))
	if !strings.Contains(text, "too few people answered to show anything") || strings.Contains(text, "No barrier") {
		t.Error(text)
	}
	for i := range d.Readiness {
		if barrierSVG(&d.Readiness[i], "x") != "" {
			t.Error("a picture of what may not be shown")
		}
	}
}

func TestHostileTextOfActsIsInert(t *testing.T) {
	p, r := acting()
	const evil = "<script>alert(1)</script>\"'&`*|\u202e"
	for i := range p.Initiatives {
		p.Initiatives[i].Title = evil
		for k := range p.Initiatives[i].Milestones {
			p.Initiatives[i].Milestones[k].Title = evil
		}
		for k := range p.Initiatives[i].Contributions {
			p.Initiatives[i].Contributions[k].Basis = evil
		}
	}
	for i := range p.Programs {
		p.Programs[i].Title, p.Programs[i].Framework = evil, evil
		if w := p.Programs[i].Wave; w != nil {
			w.Barriers[0].Title = evil
		}
	}
	for i := range r.Targets {
		r.Targets[i].Title = evil
	}
	d := Build(p, r, Options{})
	page := HTML(d)
	parseHTML(t, page, func(e xml.StartElement) {
		if e.Name.Local == "script" {
			t.Error("a script came through")
		}
	})
	// Fenced text is shown as it is; outside of it nothing may be markup.
	for i, part := range strings.Split(string(Markdown(d)), "```") {
		if i%2 == 0 && strings.Contains(strings.ReplaceAll(part, `\<script`, ""), "<script") {
			t.Error("foreign markup in Markdown")
		}
	}
}
