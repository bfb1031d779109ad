package change

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
)

var day0 = calendar.MustParse("2026-06-15")

func program(framework string, more ...Command) Program {
	p := Program{
		Name: framework, Framework: builtIn[framework], State: &State{},
		Spec: &changev1.ChangeProgramSpec{Framework: framework, Audiences: []*changev1.ProgramAudience{{Audience: "x"}, {Audience: "y"}}},
	}
	for _, c := range more {
		e, _, err := Decide(p, c)
		if err != nil {
			panic(err)
		}
		if e != nil {
			p.State = Evolve(p, e)
		}
	}
	return p
}

func move(stage, to, words string) MoveStage {
	return MoveStage{Stage: stage, To: to, Evidence: words, Reason: words, Today: day0}
}

func TestActs(t *testing.T) {
	driven := []Command{DeclareForce{"a", "", Driving, 4, 1, day0}, DeclareForce{"b", "", Restraining, 3, 1, day0}}
	held := []Command{DeclareForce{"a", "", Driving, 3, 1, day0}, DeclareForce{"b", "", Restraining, 3, 1, day0}}
	raise := RaiseResistance{ID: "r", Title: "no", Audience: "x", Severity: "high", At: "2026-06-01", Today: day0}
	for _, c := range []struct {
		name     string
		program  Program
		do       Command
		want     string // reason, "" for an event, "nothing"
		warnings int
	}{
		{"an unknown stage", program(Kotter), move("vison", InProgress, ""), "change.stage_unknown", 0},
		{"a stage of a framework without", program(ADKAR), move("awareness", InProgress, ""), "change.stage_unknown", 0},
		{"the first", program(Kotter), move("urgency", InProgress, ""), "", 0},
		{"the third past two gaps", program(Kotter), move("vision", InProgress, ""), "", 2},
		{"the second, the first in place", program(Kotter, move("urgency", InPlace, "x")), move("coalition", InProgress, ""), "", 0},
		{"in place past a gap that went back", program(Kotter, move("urgency", InPlace, "x"), move("urgency", Regressed, "x")), move("coalition", InPlace, "x"), "", 1},
		{"in place without evidence", program(Kotter), move("urgency", InPlace, " "), "change.evidence", 0},
		{"back without a reason", program(Kotter, move("urgency", InPlace, "x")), move("urgency", Regressed, ""), "change.reason", 0},
		{"back", program(Kotter, move("urgency", InPlace, "x")), move("urgency", Regressed, "x"), "", 0},
		{"back from nothing", program(Kotter), move("urgency", Regressed, "x"), "change.regress_nothing", 0},
		{"not started after all", program(Kotter, move("urgency", InProgress, "")), move("urgency", NotStarted, ""), "change.reason", 0},
		{"by its number", program(Kotter, move("urgency", InProgress, "")), move("1", InProgress, ""), "nothing", 0},
		{"by a number that none has", program(Kotter), move("9", InProgress, ""), "change.stage_unknown", 0},
		{"already so", program(Kotter, move("urgency", InProgress, "")), move("urgency", InProgress, ""), "nothing", 0},
		{"to come", program(Kotter), MoveStage{Stage: "urgency", To: InProgress, At: "2026-06-16", Today: day0}, "change.date_ahead", 0},
		{"before it was so", program(Kotter, move("urgency", InProgress, "")), MoveStage{Stage: "urgency", To: InPlace, At: "2026-06-14", Evidence: "x", Today: day0}, "change.stage_before", 0},

		{"unfreeze without forces", program(Lewin), move("unfreeze", InProgress, ""), "", 0},
		{"change without forces", program(Lewin), move("change", InProgress, ""), "change.no_force_field", 0},
		{"change with the field", program(Lewin, driven...), move("change", InProgress, ""), "", 1},
		{"change against it", program(Lewin, held...), move("change", InProgress, " "), "change.against_the_field", 0},
		{"change against it, for a reason", program(Lewin, held...), move("change", InProgress, "x"), "", 1},
		{"going back against it", program(Lewin, append(held, move("change", InPlace, "x"))...), move("change", Regressed, "x"), "", 0},
		{"Kotter has no field", program(Kotter, held...), move("coalition", InPlace, "x"), "", 1},

		{"a force of six", program(Lewin), DeclareForce{"a", "", Driving, 6, 1, day0}, "change.force_scale", 0},
		{"a force of no influence", program(Lewin), DeclareForce{"a", "", Driving, 5, 0, day0}, "change.force_scale", 0},
		{"a force that stands", program(Lewin), DeclareForce{"a", "", "static", 5, 1, day0}, "change.force_kind", 0},
		{"the same force", program(Lewin, driven...), DeclareForce{"a", "", Driving, 4, 1, day0}, "nothing", 0},
		{"assessed anew", program(Lewin, driven...), DeclareForce{"a", "", Restraining, 4, 1, day0}, "", 0},
		{"forces of a survey's framework", program(ADKAR), DeclareForce{"a", "", Driving, 4, 1, day0}, "", 1},
		{"an unknown force", program(Lewin, driven...), RemoveForce{"c", "", day0}, "change.force_unknown", 0},
		{"a force removed", program(Lewin, driven...), RemoveForce{"a", "", day0}, "", 0},

		{"resistance of no audience", program(Kotter), RaiseResistance{ID: "r", Title: "no", Audience: "z", Today: day0}, "change.audience_elsewhere", 0},
		{"resistance without words", program(Kotter), RaiseResistance{ID: "r", Title: " ", Audience: "x", Today: day0}, "change.title", 0},
		{"answered without words", program(Kotter, raise), AnswerResistance{ID: "r", Today: day0}, "change.response", 0},
		{"answered before it was raised", program(Kotter, raise), AnswerResistance{ID: "r", Response: "x", At: "2026-05-31", Today: day0}, "change.answered_before_raised", 0},
		{"answered", program(Kotter, raise), AnswerResistance{ID: "r", Response: "x", Today: day0}, "", 0},
		{"no such resistance", program(Kotter, raise), AnswerResistance{ID: "q", Response: "x", Today: day0}, "change.resistance_unknown", 0},
		{"closed twice", program(Kotter, raise, AnswerResistance{ID: "r", Response: "x", Close: true, Today: day0}), AnswerResistance{ID: "r", Close: true, Today: day0}, "nothing", 0},
		{"answered after it was closed", program(Kotter, raise, AnswerResistance{ID: "r", Response: "x", Close: true, Today: day0}), AnswerResistance{ID: "r", Response: "y", Today: day0}, "change.resistance_closed", 0},
	} {
		before := proto.Clone(c.program.State)
		e, warnings, err := Decide(c.program, c.do)
		got := fault.ReasonOf(err)
		if err == nil && e == nil {
			got = "nothing"
		}
		if got != c.want || len(warnings) != c.warnings {
			t.Errorf("%s: %v, %v, %q; want %q and %d warnings", c.name, e, err, warnings, c.want, c.warnings)
		}
		if e != nil {
			Evolve(c.program, e)
			if _, _, err := Acts().Encode(e); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		if !proto.Equal(before, c.program.State) {
			t.Errorf("%s: the state was changed", c.name)
		}
	}
	p := program(Kotter, move("urgency", InPlace, "x"), move("urgency", Regressed, "x"), move("urgency", InPlace, "x"), move("urgency", Regressed, "x"))
	if st := StageOf(p.State, "urgency"); st.GetRegressions() != 2 || st.GetStatus() != Regressed || p.State.GetReadiness() != .25/6 {
		t.Errorf("%v", p.State)
	}
}

func TestOpeningAWave(t *testing.T) {
	p := program(ADKAR)
	audiences := []*changev1.WaveAudience{{Audience: "x", Invited: 9}, {Audience: "y", Parent: "x", Invited: 3}}
	c := OpenWave{Wave: "w", Today: day0, Audiences: audiences}
	with := func(f func(*OpenWave)) OpenWave { d := c; f(&d); return d }
	for _, x := range []struct {
		name string
		p    Program
		have *WaveState
		c    OpenWave
		want string
	}{
		{"opened", p, nil, c, ""},
		{"open already", p, &WaveState{Wave: "w"}, c, "nothing"},
		{"closed", p, &WaveState{Wave: "w", Closed: "2026-01-01"}, c, "change.wave_closed"},
		{"beside another", p, nil, with(func(c *OpenWave) { c.Open = "v" }), "change.wave_open"},
		{"nothing to ask", program(Kotter), nil, c, "change.nothing_to_ask"},
		{"to come", p, nil, with(func(c *OpenWave) { c.At = "2026-06-16" }), "change.date_ahead"},
		{"before the last one closed", p, nil, with(func(c *OpenWave) { c.At, c.Closed = "2026-05-01", "2026-05-02" }), "change.wave_before"},
		{"minus three invited", p, nil, with(func(c *OpenWave) { c.Invited = map[string]int32{"x": -3} }), "change.invited"},
		{"strangers invited", p, nil, with(func(c *OpenWave) { c.Invited = map[string]int32{"z": 3} }), "change.audience_elsewhere"},
	} {
		e, err := DecideOpen(x.p, x.have, x.c)
		got := fault.ReasonOf(err)
		if err == nil && e == nil {
			got = "nothing"
		}
		if got != x.want {
			t.Errorf("%s: %v, %v; want %q", x.name, e, err, x.want)
		}
	}
	// What is asked only after go-live.
	for goLive, want := range map[string]int{"": 4, "2026-06-16": 4, "2026-06-15": 5, "2026-01-01": 5} {
		p.Spec.GoLive = goLive
		if e, err := DecideOpen(p, nil, c); err != nil || len(e.GetElements()) != want {
			t.Errorf("go-live %q: %v, %v", goLive, e, err)
		}
	}
}

func TestAnswersThatAreRefused(t *testing.T) {
	w := &WaveState{Wave: "w", Opened: "2026-06-01", Elements: []string{"a", "b"}, Audiences: []*changev1.WaveAudience{{Audience: "x"}}}
	good := func() []Answer {
		return []Answer{{Respondent: "1", Audience: "x", Scores: map[string]float64{"a": 1, "b": 5}}, {Respondent: "2", Audience: "x"}}
	}
	if err := CheckAnswers(w, map[string]bool{"3": true}, good()); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func([]Answer){
		"answers[0].scores[a]":  func(a []Answer) { a[0].Scores["a"] = 0.99 },
		"answers[0].scores[b]":  func(a []Answer) { a[0].Scores["b"] = 6 },
		"answers[0].scores[c]":  func(a []Answer) { a[0].Scores["c"] = 3 },
		"answers[1].respondent": func(a []Answer) { a[1].Respondent = "1" },
		"answers[0].respondent": func(a []Answer) { a[0].Respondent = "3" },
		"answers[1].audience":   func(a []Answer) { a[1].Audience = "" },
	} {
		a := good()
		spoil(a)
		if err := CheckAnswers(w, map[string]bool{"3": true}, a); err == nil || !strings.Contains(fmt.Sprintf("%+v", err.(*fault.Error).Places), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	w.Closed = "2026-06-10"
	if got := Overfull(&WaveState{Wave: "w", Audiences: []*changev1.WaveAudience{
		{Audience: "all", Invited: 3}, {Audience: "part", Parent: "all", Invited: 2}, {Audience: "none", Parent: "all"},
	}}, []Answer{{Audience: "part"}, {Sealed: true}}, []Answer{{Audience: "part"}, {Audience: "all"}, {Audience: "all"}}); len(got) != 1 || !strings.Contains(got[0], "people of all") {
		t.Errorf("%q", got)
	}
	if err := CheckAnswers(w, nil, good()); fault.ReasonOf(err) != "change.wave_closed" {
		t.Errorf("late: %v", err)
	}
	if closed, measured, err := DecideClose(w, "", day0, Round{Wave: w}); closed != nil || measured != nil || err != nil {
		t.Errorf("closed twice: %v, %v, %v", closed, measured, err)
	}
	w.Closed = ""
	for at, want := range map[string]string{"2026-05-31": "change.closed_before_opened", "2026-06-16": "change.date_ahead", "": ""} {
		if _, _, err := DecideClose(w, at, day0, Round{Wave: w, Answers: good()}); fault.ReasonOf(err) != want {
			t.Errorf("closed on %q: %v", at, err)
		}
	}
}

// An audience that nobody measured is unknown, and so is the whole; one within
// another counts within it.
func TestUnmeasuredIsUnknown(t *testing.T) {
	p := program(ADKAR)
	weights := map[string]float64{"x": 30, "y": 10}
	value := func(audiences map[string]*float64, parents map[string]string) *float64 {
		p.State = &State{Wave: "w"}
		for _, name := range []string{"x", "y"} {
			p.State.Audiences = append(p.State.Audiences, &changev1.AudienceReadiness{Audience: name, Readiness: audiences[name]})
		}
		return ReadinessOf(p, weights, parents).Value
	}
	half, full := .5, 1.0
	if r := ReadinessOf(p, weights, nil); r.Value != nil || r.Adoption != nil || r.GetFormula() == "" {
		t.Errorf("before any survey: %v", r)
	}
	if v := value(map[string]*float64{"x": &half}, nil); v != nil {
		t.Errorf("half measured: %v", *v)
	}
	if v := value(map[string]*float64{"x": &half}, map[string]string{"y": "x"}); v == nil || *v != .5 {
		t.Errorf("the whole is measured: %v", v)
	}
	if v := value(map[string]*float64{"x": &half, "y": &full}, nil); v == nil || *v != .625 {
		t.Errorf("weighted: %v", v)
	}
	if r := ReadinessOf(program(Kotter), nil, nil); r.Value != nil {
		t.Errorf("of stages nobody spoke of: %v", r)
	}
}

func TestLoadLevels(t *testing.T) {
	d := calendar.MustParse
	level := func(hours float64) string {
		return Load(10, []Demand{{Program: "a", Start: d("2026-02-01"), End: d("2026-02-28"), Hours: hours}}, d("2026-02-10"), d("2026-02-11"))[0].GetLevel()
	}
	for hours, want := range map[float64]string{0: "fine", 8: "fine", 8.1: "warning", 10: "warning", 10.1: "overload"} {
		if got := level(hours); got != want {
			t.Errorf("%v of 10 hours: %s, want %s", hours, got, want)
		}
	}
	if got := Load(10, []Demand{{Program: "a", Start: d("2026-02-28"), End: d("2026-03-01"), Hours: 4}}, d("2026-02-01"), d("2026-03-31")); got[0].GetHours() != 2 || got[1].GetHours() != 2 {
		t.Errorf("a day in each month: %v", got)
	}
	// Given up on 1 March: of two days one is left.
	if got := Load(10, []Demand{{Program: "a", Start: d("2026-02-28"), End: d("2026-03-01"), Hours: 4, Ended: d("2026-03-01")}}, d("2026-02-01"), d("2026-03-31")); got[0].GetHours() != 2 || got[1].GetHours() != 0 || len(got[1].GetPrograms()) != 0 {
		t.Errorf("given up: %v", got)
	}
}

// What a closed wave takes is known when it is opened, whatever is answered.
func TestTheLargestResults(t *testing.T) {
	opened := &changev1.WaveOpened{Wave: "w", At: "2026-06-01", BarrierAt: 3}
	for i := range 20 {
		opened.Elements = append(opened.Elements, fmt.Sprintf("element-%02d", i))
	}
	for i := range 60 {
		opened.Audiences = append(opened.Audiences, &changev1.WaveAudience{Audience: fmt.Sprintf("audience-%03d", i), Invited: 20})
	}
	w := EvolveWave(nil, opened, nil)
	round := func(earlier *Round) *Round {
		r := &Round{Wave: proto.Clone(w).(*WaveState), Earlier: earlier}
		for i := range 60 * 20 {
			a := Answer{Respondent: fmt.Sprint(i), Audience: fmt.Sprintf("audience-%03d", i%60), Scores: map[string]float64{}}
			for _, e := range opened.Elements {
				a.Scores[e] = float64(1 + i%5)
			}
			r.Answers = append(r.Answers, a)
		}
		closed, _, err := DecideClose(r.Wave, "", day0, *r)
		if err != nil {
			t.Fatal(err)
		}
		r.Wave = EvolveWave(r.Wave, nil, closed)
		return r
	}
	second := round(round(nil))
	cells := second.Wave.GetResults().GetCells()
	if !slices.ContainsFunc(cells, func(c *changev1.Cell) bool {
		return len(c.GetElements()) == 20 && c.GetElements()[19].Change != nil && c.Barriers != nil
	}) {
		t.Fatal("the results are not complete")
	}
	size, largest := proto.Size(second.Wave), Largest(opened)
	if size > largest || largest > 2*size || largest > eventlog.MaxState {
		t.Errorf("%d bytes, at most %d", size, largest)
	}
	for i := 60; i < 500; i++ {
		opened.Audiences = append(opened.Audiences, &changev1.WaveAudience{Audience: fmt.Sprintf("audience-%03d", i)})
	}
	if n := Largest(opened); n <= eventlog.MaxState {
		t.Errorf("500 audiences and 20 elements take %d", n)
	}
}
