package gap

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func preset(t testing.TB, name string) Policy {
	t.Helper()
	p, ok := PolicyNamed(name)
	if !ok {
		t.Fatalf("there is no policy %q", name)
	}
	return p
}

// Each preset's thresholds, worked by hand: a period's target of 100 to rise
// to, and to fall to; and half way along paths from 100 to 200 and from 200 to
// 100, where 150 is expected.
func TestPresets(t *testing.T) {
	up, down := eachYear(Increase, 100, "FY2018", "FY2019"), eachYear(Decrease, 100, "FY2018", "FY2019")
	below, toZero := eachYear(Increase, -100, "FY2018", "FY2019"), eachYear(Decrease, 0, "FY2018", "FY2019")
	tolerant := up
	tolerant.Tolerance = 5
	tolerantDown := down
	tolerantDown.Tolerance = 5
	// From 2016-09-30 to 2020-09-30 are 1461 days, to 2018-09-30 730 of them.
	rise, fall := line("2016-09-30", 100, "2020-09-29", 200), line("2016-09-30", 200, "2020-09-29", 100)
	committed := rise
	committed.Levels = &Levels{Commit: num(180), Target: num(200)}
	committedFall := fall
	committedFall.Levels = &Levels{Commit: num(120), Target: num(100)}
	noBase := Setpoint{Direction: Increase, Value: num(200), Due: day("2020-09-30")}
	band := Setpoint{Maintain: &Maintain{Lower: num(40), Upper: num(60)}}
	for _, tc := range []struct {
		name string
		sp   Setpoint
		// The last value that is on track, and the last that is at risk; by far
		// is what lies a little beyond.
		onTrack, atRisk map[string]float64
		by              float64
	}{
		{"a period's target to rise to", up,
			map[string]float64{"default": 100, "clearpoint": 100, "spider": 100, "servicenow": 90, "cascade": 95},
			map[string]float64{"default": 85, "clearpoint": 90, "spider": 85, "servicenow": 75, "cascade": 85}, -.01},
		{"a period's target to fall to", down,
			map[string]float64{"default": 100, "clearpoint": 100, "spider": 100, "servicenow": 110, "cascade": 105},
			map[string]float64{"default": 115, "clearpoint": 110, "spider": 115, "servicenow": 125, "cascade": 115}, .01},
		{"a negative target to rise to", below,
			map[string]float64{"default": -100, "clearpoint": -100, "spider": -100, "servicenow": -110, "cascade": -105},
			map[string]float64{"default": -115, "clearpoint": -110, "spider": -115, "servicenow": -125, "cascade": -115}, -.01},
		{"with a tolerance of 5", tolerant,
			map[string]float64{"default": 95, "clearpoint": 95, "spider": 95, "servicenow": 90, "cascade": 95},
			map[string]float64{"default": 85, "clearpoint": 85, "spider": 85, "servicenow": 75, "cascade": 85}, -.01},
		{"to fall, with a tolerance of 5", tolerantDown,
			map[string]float64{"default": 105, "clearpoint": 105, "spider": 105, "servicenow": 110, "cascade": 105},
			map[string]float64{"default": 115, "clearpoint": 115, "spider": 115, "servicenow": 125, "cascade": 115}, .01},
		{"half way up", rise,
			map[string]float64{"default": 145, "clearpoint": 150, "servicenow": 135, "cascade": 142.5},
			map[string]float64{"default": 135, "clearpoint": 135, "servicenow": 112.5, "cascade": 127.5, "spider": 100}, -.01},
		{"half way down", fall,
			map[string]float64{"default": 155, "clearpoint": 150, "servicenow": 165, "cascade": 157.5},
			map[string]float64{"default": 165, "clearpoint": 165, "servicenow": 187.5, "cascade": 172.5, "spider": 200}, .01},
		{"a red flag at the commit level", committed, nil, map[string]float64{"spider": 180}, -.01},
		{"a red flag at the commit level, falling", committedFall, nil, map[string]float64{"spider": 120}, .01},
		{"no baseline, so by the final value", noBase,
			map[string]float64{"default": 190, "servicenow": 180, "cascade": 190},
			map[string]float64{"default": 170, "clearpoint": 180, "servicenow": 150, "cascade": 170, "spider": 170}, -.01},
		{"above a range", band,
			map[string]float64{"default": 60, "clearpoint": 60, "spider": 60, "servicenow": 60, "cascade": 60},
			map[string]float64{"default": 62, "clearpoint": 62, "spider": 62, "servicenow": 62, "cascade": 62}, .01},
		{"below a range", band,
			map[string]float64{"default": 40, "clearpoint": 40, "spider": 40, "servicenow": 40, "cascade": 40},
			map[string]float64{"default": 38, "clearpoint": 38, "spider": 38, "servicenow": 38, "cascade": 38}, -.01},
		{"to fall to zero, which gives nothing to take a share of", toZero,
			map[string]float64{"default": 0, "clearpoint": 0, "spider": 0, "servicenow": 0, "cascade": 0}, nil, 1e-6},
	} {
		check := func(policy string, v float64, want Status) {
			t.Helper()
			r := Evaluate(one2one(yearly(2018, v), tc.sp), day("2018-12-31"), preset(t, policy), Options{Explain: true}).Targets[0]
			if got := r.Status; got != want && (want != OnTrack || got != Achieved) {
				t.Errorf("%s, %s: %v is %s, want %s: %s", policy, tc.name, v, got, want, r.Explanation.Rule)
			}
			if i := slices.IndexFunc(r.Periods, func(p PeriodResult) bool { return p.Period == "FY2018" }); tc.sp.form() != PathForm {
				if want := state(r.Status); policy != "okr" && r.Periods[i].State != want {
					t.Errorf("%s, %s: the grid says %s, want %s", policy, tc.name, r.Periods[i].State, want)
				}
			}
		}
		for policy, v := range tc.onTrack {
			check(policy, v, OnTrack)
			if _, risky := tc.atRisk[policy]; risky {
				check(policy, v+tc.by, AtRisk)
			} else {
				check(policy, v+tc.by, OffTrack)
			}
		}
		for policy, v := range tc.atRisk {
			check(policy, v, AtRisk)
			check(policy, v+tc.by, OffTrack)
		}
	}
}

func TestSpiderScores(t *testing.T) {
	rise, fall := line("2016-09-30", 100, "2020-09-30", 200), line("2016-09-30", 200, "2020-09-30", 100)
	period := eachYear(Decrease, 100, "FY2018", "FY2019")
	band := Setpoint{Maintain: &Maintain{Lower: num(40), Upper: num(60)}}
	oneSided := Setpoint{Maintain: &Maintain{Upper: num(60)}}
	for _, tc := range []struct {
		name   string
		sp     Setpoint
		v      float64
		score  float64
		status Status
	}{
		{"at the baseline", rise, 100, .33, AtRisk},
		{"half way", rise, 150, .495, AtRisk},
		{"at the goal", rise, 200, .66, Achieved},
		{"as far beyond", rise, 300, .99, Achieved},
		{"no more than ten", rise, 1000, 1, Achieved},
		{"as far behind", rise, 0, 0, OffTrack},
		{"falling, at the baseline", fall, 200, .33, AtRisk},
		{"falling, half way", fall, 150, .495, AtRisk},
		{"falling, at the goal", fall, 100, .66, Achieved},
		{"falling, behind", fall, 250, .165, OffTrack},
		{"a period's goal", period, 100, .66, OnTrack},
		{"a third of the way to the red flag", period, 105, .55, AtRisk},
		{"a better value", period, 85, .99, OnTrack},
		{"on the bound of a range", band, 60, .66, OnTrack},
		{"in the middle of it", band, 50, 1, OnTrack},
		{"half its tolerance outside", band, 39, .495, AtRisk},
		{"one-sided, a tolerance within", oneSided, 57, .99, OnTrack},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := Evaluate(one2one(yearly(2018, tc.v), tc.sp), day("2018-12-31"), Spider(), Options{Explain: true}).Targets[0]
			near(t, "score", r.Score, num(tc.score))
			if r.Status != tc.status {
				t.Errorf("%s, want %s: %s", r.Status, tc.status, r.Explanation.Rule)
			}
		})
	}
	milestone := func(forecast string) Portfolio {
		p := one2one(monthly(Last), Setpoint{Due: day("2020-12-31"), Baseline: &Baseline{Date: day("2020-01-01")}, Milestone: &Milestone{Forecast: day(forecast)}})
		p.Objectives = []Objective{{Name: "o"}}
		p.Targets[0].Objective = "o"
		return p
	}
	for forecast, want := range map[string]float64{"2020-12-31": .66, "2021-02-23": .495, "2021-12-31": 0} {
		r := Evaluate(milestone(forecast), day("2020-06-15"), Spider(), Options{Explain: true})
		near(t, "a milestone forecast for "+forecast, r.Objectives[0].Score, &want)
		if r.Objectives[0].Status != r.Targets[0].Status {
			t.Errorf("%s of a milestone that is %s", r.Objectives[0].Status, r.Targets[0].Status)
		}
	}
}

// One objective with parts of 100 (weight 2) and 90 (weight 1) against 100,
// and one without data (weight 1), and another that is mostly without.
func TestRollUpsOfPresets(t *testing.T) {
	p := tree([]Objective{{Name: "o", Strategy: "s"}, {Name: "blind", Strategy: "s"}},
		leaf{"o", 2, OnTrack}, leaf{"o", 1, AtRisk}, leaf{"o", 1, NoData}, leaf{"blind", 1, OnTrack}, leaf{"blind", 3, NoData})
	for name, want := range map[string]struct {
		score    float64
		status   Status
		blind    float64 // of a status that is not no data
		blindest Status
	}{
		"default":          {2.5 / 3, OnTrack, 0, NoData},
		"okr":              {2.9 / 3, OnTrack, 0, NoData},
		"clearpoint":       {2.5 / 3, OnTrack, 0, NoData},
		"spider":           {(2*.66 + .44) / 3, AtRisk, 0, NoData},
		"servicenow":       {1, OnTrack, 0, NoData}, // 90 is on track
		"cascade":          {2.5 / 3, OnTrack, 0, NoData},
		"worst":            {.5, AtRisk, 0, NoData},
		"threshold":        {2 / 3.0, AtRisk, 0, NoData},
		"missing-excluded": {2.5 / 3, OnTrack, 1, OnTrack},
		"missing-failed":   {.625, AtRisk, .25, OffTrack},
	} {
		got := roll(p, preset(t, name))
		check(t, got["o"], want.status, &want.score, .75, 3)
		blind := &want.blind
		if want.blindest == NoData {
			blind = nil // too little is known for a score
		}
		check(t, got["blind"], want.blindest, blind, .25, 2)
		if !strings.Contains(name, "missing") {
			continue
		}
		if rule := got["o"].Explanation.Rule; !strings.Contains(rule, "without data") {
			t.Errorf("%s is explained by %q", name, rule)
		}
	}
	// The worst wins where there is one, and what is missing fails as the worst.
	p = tree([]Objective{{Name: "o", Strategy: "s"}}, leaf{"o", 9, OnTrack}, leaf{"o", 1, OffTrack}, leaf{"o", 1, NoData})
	for _, name := range []string{"worst", "servicenow"} {
		check(t, roll(p, preset(t, name))["o"], OffTrack, num(0), 10/11.0, 3)
	}
	p = tree([]Objective{{Name: "o", Strategy: "s"}}, leaf{"o", 9, OnTrack}, leaf{"o", 1, NoData})
	worstFailed := preset(t, "worst")
	check(t, roll(p, worstFailed)["o"], OnTrack, num(1), .9, 2)
	worstFailed.RollUp.Missing = MissingFailed
	check(t, roll(p, worstFailed)["o"], OffTrack, num(0), .9, 2)
	byShare := preset(t, "threshold")
	byShare.RollUp.Missing = MissingFailed
	check(t, roll(p, byShare)["o"], OnTrack, num(.9), .9, 2)
}

// Every preset says in words what it does, and every status which rule it
// followed, with its thresholds.
func TestPresetsAreExplained(t *testing.T) {
	down := eachYear(Decrease, 100, "FY2018", "FY2019")
	fall := line("2016-09-30", 200, "2020-09-29", 100)
	for name, want := range map[string][2]string{
		"default":    {"up to 15.0 % of the target", "on track up to 5.0 %, at risk up to 15.0 %"},
		"okr":        {"from 0.7 on track", "from 0.7 on track"},
		"clearpoint": {"up to 0.0 % of it is on track, by up to 10.0 % at risk", "on track up to 0.0 %, at risk up to 10.0 %"},
		"spider":     {"3.3 at the red flag, which is 15 short", "3.3 at the red flag, which is 100 short"},
		"servicenow": {"up to 10.0 % of it is on track, by up to 25.0 % at risk", "on track up to 10.0 %, at risk up to 25.0 %"},
		"cascade":    {"up to 5.0 % of it is on track, by up to 15.0 % at risk", "size of the value compared with, 150"},
	} {
		for i, sp := range []Setpoint{down, fall} {
			r := Evaluate(one2one(yearly(2018, 170), sp), day("2018-12-31"), preset(t, name), Options{Explain: true}).Targets[0]
			if !strings.Contains(r.Explanation.Rule, want[i]) {
				t.Errorf("%s: %q does not say %q", name, r.Explanation.Rule, want[i])
			}
		}
	}
	seen := map[string]bool{}
	for _, name := range PolicyNames() {
		p := preset(t, name)
		if len(p.Words) < 20 || !strings.HasSuffix(p.Words, ".") || seen[p.Words] {
			t.Errorf("%s is told as %q", name, p.Words)
		}
		seen[p.Words] = true
	}
	if len(seen) != 10 {
		t.Errorf("%d presets", len(seen))
	}
}

// Under every preset, a worse value never has a better status, whichever the
// direction; and without data nothing is green.
func TestWorseIsNeverBetter(t *testing.T) {
	rank := map[Status]int{Achieved: 0, OnTrack: 0, AtRisk: 1, OffTrack: 2, Missed: 2}
	rapid.Check(t, func(t *rapid.T) {
		policy, _ := PolicyNamed(rapid.SampledFrom(PolicyNames()).Draw(t, "policy"))
		draw := func(label string) float64 { return float64(rapid.IntRange(-200, 200).Draw(t, label)) }
		s := Direction(rapid.SampledFrom([]int{-1, 1}).Draw(t, "direction"))
		g := draw("g")
		sp := eachYear(s, g, "FY2018", "FY2019")
		if rapid.Bool().Draw(t, "path") {
			sp = line("2016-09-30", g-float64(s)*float64(rapid.IntRange(1, 200).Draw(t, "way")), "2020-09-30", g)
		}
		sp.Tolerance = float64(rapid.IntRange(0, 9).Draw(t, "tolerance"))
		better, worse := draw("a"), draw("b")
		if float64(s)*(better-worse) < 0 {
			better, worse = worse, better
		}
		at := func(values ...float64) TargetResult {
			return Evaluate(one2one(yearly(2018, values...), sp), day("2018-12-31"), policy, Options{}).Targets[0]
		}
		a, b := at(better), at(worse)
		if rank[a.Status] > rank[b.Status] {
			t.Fatalf("%s: %v is %s, the worse %v is %s", policy.Name, better, a.Status, worse, b.Status)
		}
		if policy.Score != Health && a.Score != nil && b.Score != nil && *a.Score < *b.Score-1e-12 {
			t.Fatalf("%s: %v scores %v, the worse %v %v", policy.Name, better, *a.Score, worse, *b.Score)
		}
		if none := at(); none.Status != NoData {
			t.Fatalf("%s: nothing is %s", policy.Name, none.Status)
		}
	})
}
