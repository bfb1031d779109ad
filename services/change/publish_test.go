package change

import (
	"fmt"
	"math/rand/v2"
	"testing"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
)

// functional is a published number as its factors on single answers.
type functional map[string]int // "wave respondent" → factor

// functionals lists what the results of some waves tell of an element, from the
// answers themselves: means and counts as sums over people, changes as sums of
// differences.
func functionals(rounds []Round, name string) []functional {
	within := func(r Round, a Answer, audience string) bool {
		for at, n := a.Audience, 0; n < 10; n++ {
			if at == audience {
				return true
			}
			if at == "" {
				return false
			}
			up := ""
			for _, x := range r.Wave.GetAudiences() {
				if x.GetAudience() == at {
					up = x.GetParent()
				}
			}
			at = up
		}
		return false
	}
	var out []functional
	for t, r := range rounds {
		for _, c := range r.Wave.GetResults().GetCells() {
			for _, e := range c.GetElements() {
				if e.GetElement() != name {
					continue
				}
				mean, change := functional{}, functional{}
				for _, a := range r.Answers {
					if _, answered := a.Scores[name]; !answered || !within(r, a, c.GetAudience()) {
						continue
					}
					if e.Mean != nil {
						mean[fmt.Sprintf("%d %s", t, a.Respondent)] = 1
					}
					if e.Change == nil {
						continue
					}
					for _, b := range rounds[t-1].Answers {
						if _, answered := b.Scores[name]; answered && b.Respondent == a.Respondent && b.Audience == a.Audience && within(rounds[t-1], b, c.GetAudience()) {
							change[fmt.Sprintf("%d %s", t, a.Respondent)] = 1
							change[fmt.Sprintf("%d %s", t-1, a.Respondent)] = -1
						}
					}
				}
				for _, f := range []functional{mean, change} {
					if len(f) > 0 {
						out = append(out, f)
					}
				}
			}
		}
	}
	return out
}

// attack combines published numbers at random with small factors and looks for a
// combination that is about fewer people than may be.
func attack(rng *rand.Rand, published []functional, tries int) (worst int) {
	worst = 1 << 30
	for range tries {
		sum := functional{}
		for range 1 + rng.IntN(6) {
			factor := []int{-1, 1, -1, 1, 2, -2}[rng.IntN(6)]
			for who, v := range published[rng.IntN(len(published))] {
				if sum[who] += factor * v; sum[who] == 0 {
					delete(sum, who)
				}
			}
		}
		people := map[string]bool{}
		for who := range sum {
			_, p, _ := cut(who)
			people[p] = true
		}
		if n := len(people); n > 0 && n < worst {
			worst = n
		}
	}
	return worst
}

func cut(who string) (wave, person string, ok bool) {
	for i := range who {
		if who[i] == ' ' {
			return who[:i], who[i+1:], true
		}
	}
	return who, "", false
}

// Random organizations, three waves with people who come, go, move and leave
// questions out: no combination of what is published is about fewer than five.
func TestNoCombinationTellsOfAFew(t *testing.T) {
	shown := 0
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 7))
		var audiences []*changev1.WaveAudience
		var leaves []string
		for u := range 1 + rng.IntN(4) {
			unit := fmt.Sprintf("u%d", u)
			audiences = append(audiences, &changev1.WaveAudience{Audience: unit})
			if rng.IntN(3) == 0 {
				leaves = append(leaves, unit)
			}
			for l := range rng.IntN(4) {
				leaf := fmt.Sprintf("u%d-%d", u, l)
				audiences = append(audiences, &changev1.WaveAudience{Audience: leaf, Parent: unit})
				leaves = append(leaves, leaf)
			}
		}
		if leaves == nil {
			leaves = []string{"u0"}
		}
		home := map[string]string{}
		rounds := make([]Round, 3)
		for w := range rounds {
			rounds[w].Wave = &WaveState{Wave: fmt.Sprint(w), Elements: []string{"a"}, Audiences: audiences, BarrierAt: 3}
			for p := range 10 + rng.IntN(50) {
				who := fmt.Sprintf("p%d", p)
				if home[who] == "" || rng.IntN(20) == 0 {
					home[who] = leaves[rng.IntN(len(leaves))]
				}
				if rng.IntN(8) == 0 {
					continue // does not take part
				}
				a := Answer{Respondent: who, Audience: home[who], Scores: map[string]float64{}}
				if rng.IntN(12) != 0 {
					a.Scores["a"] = float64(1 + rng.IntN(5))
				}
				rounds[w].Answers = append(rounds[w].Answers, a)
			}
			if w > 0 {
				rounds[w].Earlier = &rounds[w-1]
			}
			rounds[w].Wave.Results = Results(rounds[w])
		}
		published := functionals(rounds, "a")
		shown += len(published)
		if len(published) == 0 {
			continue
		}
		if worst := attack(rng, published, 1500); worst < LeastRespondents {
			t.Fatalf("seed %d: a combination is about %d people", seed, worst)
		}
	}
	if shown < 250 {
		t.Fatalf("only %d numbers are published in all: the test attacks nothing", shown)
	}
}

// Two surveys of the same people, one of whom has left: what is left out of the
// change could be told from the two means.
func TestWhoLeftIsNotTold(t *testing.T) {
	w := func(name string) *WaveState {
		return &WaveState{Wave: name, Elements: []string{"a"}, BarrierAt: 3, Audiences: []*changev1.WaveAudience{{Audience: "x"}}}
	}
	answers := func(n int, v float64) (out []Answer) {
		for i := range n {
			out = append(out, Answer{Respondent: fmt.Sprint(i), Audience: "x", Scores: map[string]float64{"a": v}})
		}
		return out
	}
	first := Round{Wave: w("1"), Answers: answers(10, 2)}
	first.Wave.Results = Results(first)
	for _, c := range []struct {
		n     int
		shown bool
	}{{10, true}, {9, false}, {6, false}, {5, true}} {
		second := Round{Wave: w("2"), Answers: answers(c.n, 3), Earlier: &first}
		e := element(cell(Results(second), ""), "a")
		if e == nil || e.Mean == nil {
			t.Fatalf("%d people: no mean", c.n)
		}
		if (e.Change != nil) != c.shown {
			t.Errorf("%d of 10 people again: change shown %v, want %v", c.n, e.Change != nil, c.shown)
		}
	}
}

// Five people answer only in the middle one of three waves, one leaves before it
// and one after it. Each change alone is about enough; both together would tell of
// the two who left.
func TestChangesThatTellTogether(t *testing.T) {
	wave := func(name string) *WaveState {
		return &WaveState{Wave: name, Elements: []string{"a"}, BarrierAt: 3, Audiences: []*changev1.WaveAudience{{Audience: "x"}}}
	}
	people := func(from, to int) (out []Answer) {
		for i := from; i < to; i++ {
			out = append(out, Answer{Respondent: fmt.Sprint(i), Audience: "x", Scores: map[string]float64{"a": 3}})
		}
		return out
	}
	first := Round{Wave: wave("1"), Answers: people(0, 10)}
	first.Wave.Results = Results(first)
	second := Round{Wave: wave("2"), Answers: append(people(0, 9), people(20, 25)...), Earlier: &first}
	second.Wave.Results = Results(second)
	third := Round{Wave: wave("3"), Answers: people(0, 8), Earlier: &second}
	third.Wave.Results = Results(third)
	if e := element(cell(second.Wave.Results, ""), "a"); e.Change == nil {
		t.Fatal("the first change is about five people who come, and is not shown")
	}
	if e := element(cell(third.Wave.Results, ""), "a"); e.Change != nil || e.Mean == nil {
		t.Errorf("%v", e)
	}
}

// After somebody's answers were erased no change is given from that wave.
func TestAnErasureSuppresses(t *testing.T) {
	wave := func() *WaveState {
		return &WaveState{Elements: []string{"a"}, BarrierAt: 3, Audiences: []*changev1.WaveAudience{{Audience: "x"}}}
	}
	var answers []Answer
	for i := range 20 {
		answers = append(answers, Answer{Respondent: fmt.Sprint(i), Audience: "x", Scores: map[string]float64{"a": 4}})
	}
	first := Round{Wave: wave(), Answers: answers}
	first.Wave.Results = Results(first)
	first.Answers = append([]Answer(nil), answers...)
	first.Answers[3] = Answer{Respondent: "3", Sealed: true}
	second := Round{Wave: wave(), Answers: answers, Earlier: &first}
	if e := element(cell(Results(second), ""), "a"); e.Change != nil || e.Mean == nil {
		t.Errorf("%v", e)
	}
}
