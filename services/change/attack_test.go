package change

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
)

// The attack here is exact. Published numbers are rows over unknowns: answers. A
// combination that is about some people only exists if the rows, without the
// columns of these people, have a lower rank. People whose columns are the same
// in all rows cannot be told apart by any combination, so that it is enough to
// try unions of such groups.

// prime is what ranks are computed modulo: the rows hold 0, 1 and −1, so that no
// minor of a few dozen rows is likely to be a multiple of it. If one were, the
// attack would raise a false alarm, and miss nothing.
const prime = 1_000_000_007

// mostTries bounds what is tried of one campaign, smallest groups first.
const mostTries = 400

func rank(rows [][]int64) int {
	r := 0
	if len(rows) == 0 {
		return 0
	}
	m := make([][]int64, len(rows))
	for i := range rows {
		m[i] = slices.Clone(rows[i])
	}
	for c := 0; c < len(m[0]) && r < len(m); c++ {
		at := slices.IndexFunc(m[r:], func(row []int64) bool { return row[c]%prime != 0 })
		if at < 0 {
			continue
		}
		m[r], m[r+at] = m[r+at], m[r]
		inverse := power(m[r][c], prime-2)
		for i := r + 1; i < len(m); i++ {
			if f := m[i][c] * inverse % prime; f != 0 {
				for k := c; k < len(m[i]); k++ {
					m[i][k] = (m[i][k] - f*m[r][k]) % prime
				}
			}
		}
		r++
	}
	return r
}

func power(b int64, e int) int64 {
	out := int64(1)
	for b = (b%prime + prime) % prime; e > 0; e >>= 1 {
		if e&1 == 1 {
			out = out * b % prime
		}
		b = b * b % prime
	}
	return out
}

// fewest is the smallest number of people, below least, that a combination of the
// published numbers is about, and who they are; least if there is none.
func fewest(published []functional, least int) (int, []string) {
	columns := map[string]map[string]bool{} // of each person
	for _, f := range published {
		for who := range f {
			_, p, _ := cut(who)
			if columns[p] == nil {
				columns[p] = map[string]bool{}
			}
			columns[p][who] = true
		}
	}
	signature := map[string][]string{} // what the rows say of a person → the people
	for p, cols := range columns {
		var parts []string
		for who := range cols {
			wave, _, _ := cut(who)
			var s strings.Builder
			fmt.Fprint(&s, wave, ":")
			for i, f := range published {
				if f[who] != 0 {
					fmt.Fprint(&s, i, "=", f[who], ",")
				}
			}
			parts = append(parts, s.String())
		}
		slices.Sort(parts)
		key := strings.Join(parts, ";")
		signature[key] = append(signature[key], p)
	}
	// One person stands for a group; its size is what counts.
	var groups [][]string
	for _, key := range slices.Sorted(maps.Keys(signature)) {
		slices.Sort(signature[key])
		groups = append(groups, signature[key])
	}
	slices.SortStableFunc(groups, func(a, b []string) int { return len(a) - len(b) })
	index := map[string]int{}
	for _, g := range groups {
		for who := range columns[g[0]] {
			index[who] = len(index)
		}
	}
	rows := make([][]int64, len(published))
	for i, f := range published {
		rows[i] = make([]int64, len(index))
		for who, v := range f {
			if c, ok := index[who]; ok {
				rows[i][c] = int64(v)
			}
		}
	}
	full := rank(rows)
	best, who := least, []string(nil)
	tries := 0
	var try func(from, size int, chosen []int)
	try = func(from, size int, chosen []int) {
		if tries++; tries > mostTries {
			return
		}
		if size > 0 {
			out := map[int]bool{}
			for _, g := range chosen {
				for w := range columns[groups[g][0]] {
					out[index[w]] = true
				}
			}
			without := make([][]int64, len(rows))
			for i, row := range rows {
				for c, v := range row {
					if !out[c] {
						without[i] = append(without[i], v)
					}
				}
			}
			if len(without[0]) == 0 || rank(without) < full {
				best, who = size, nil
				for _, g := range chosen {
					who = append(who, groups[g]...)
				}
				return
			}
		}
		for g := from; g < len(groups); g++ {
			if size+len(groups[g]) < best {
				try(g+1, size+len(groups[g]), append(slices.Clone(chosen), g))
			}
		}
	}
	try(0, 0, nil)
	return best, who
}

// organization is random audiences, at most three deep, and those that people
// say they belong to.
func organization(rng *rand.Rand) (audiences []*changev1.WaveAudience, homes []string) {
	var grow func(parent string, depth int)
	grow = func(parent string, depth int) {
		for i := range 1 + rng.IntN(3) {
			name := fmt.Sprintf("%s%c", parent, 'a'+i)
			audiences = append(audiences, &changev1.WaveAudience{Audience: name, Parent: parent})
			if depth == 2 || rng.IntN(2) == 0 {
				homes = append(homes, name)
			} else {
				grow(name, depth+1)
				if rng.IntN(3) == 0 {
					homes = append(homes, name) // some know only the larger one
				}
			}
		}
	}
	grow("", 0)
	return audiences, homes
}

// campaign is waves of a survey in which groups come, go and move at once, as
// reorganizations do, and single people besides.
func campaign(rng *rand.Rand, waves int, elements ...string) []Round {
	audiences, homes := organization(rng)
	type employee struct {
		name, home string
		here       bool
	}
	var people []*employee
	hire := func(home string, n int) {
		for range n {
			people = append(people, &employee{fmt.Sprintf("p%d", len(people)), home, true})
		}
	}
	for _, h := range homes {
		hire(h, 2+rng.IntN(11))
	}
	skips := rng.IntN(2) == 0
	rounds := make([]Round, waves)
	for w := range rounds {
		if w > 0 {
			for _, h := range homes {
				turn := rng.IntN(7)
				for _, p := range people {
					if p.home != h {
						continue
					}
					switch turn {
					case 0: // all go
						p.here = false
					case 1: // all move
						p.home = homes[0]
					case 2: // one in five is not here
						p.here = rng.IntN(5) != 0
					case 3: // those who were gone come back
						p.here = true
					}
				}
				if rng.IntN(3) == 0 {
					hire(h, 1+rng.IntN(7))
				}
			}
		}
		rounds[w].Wave = &WaveState{Wave: fmt.Sprint(w), Elements: elements, Audiences: audiences, BarrierAt: 3}
		for _, p := range people {
			if !p.here {
				continue
			}
			a := Answer{Respondent: p.name, Audience: p.home, Scores: map[string]float64{}}
			for _, e := range elements {
				if !skips || rng.IntN(9) != 0 {
					a.Scores[e] = float64(1 + rng.IntN(5))
				}
			}
			rounds[w].Answers = append(rounds[w].Answers, a)
		}
		if w > 0 {
			rounds[w].Earlier = &rounds[w-1]
		}
		rounds[w].Wave.Results = Results(rounds[w])
	}
	return rounds
}

// Means and changes of up to four waves, all combinations of them.
func TestNoCombinationOfMeansAndChanges(t *testing.T) {
	changes := 0
	for seed := range uint64(160) {
		rng := rand.New(rand.NewPCG(seed, 11))
		rounds := campaign(rng, 2+int(seed%3), "a")
		for _, r := range rounds {
			for _, c := range r.Wave.GetResults().GetCells() {
				if e := element(c, "a"); e != nil && e.Change != nil {
					changes++
				}
			}
		}
		published := functionals(rounds, "a")
		if len(published) == 0 {
			continue
		}
		if n, who := fewest(published, LeastRespondents); n < LeastRespondents {
			t.Errorf("seed %d: a combination is about %d people: %v", seed, n, who)
		}
	}
	if changes < 40 {
		t.Errorf("only %d changes are published in all: the test attacks little", changes)
	}
}

// A distribution of the first element and the barrier counts tell the same of a
// person: whether the first score is a barrier. No combination of both is about
// fewer than ten.
func TestNoCombinationOfDistributionsAndBarriers(t *testing.T) {
	shown := 0
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 13))
		rounds := campaign(rng, 1, "a", "b")
		r := rounds[0]
		up := newTree(r.Wave)
		var published []functional
		add := func(audience string) {
			f := functional{}
			for _, a := range r.Answers {
				if _, answered := a.Scores["a"]; answered && slices.Contains(up.above(a.Audience), audience) {
					f["0 "+a.Respondent] = 1
				}
			}
			published = append(published, f)
			shown++
		}
		for _, c := range r.Wave.GetResults().GetCells() {
			if c.Barriers != nil {
				add(c.GetAudience())
			}
			if e := element(c, "a"); e != nil && len(e.GetDistribution()) > 0 {
				add(c.GetAudience())
			}
		}
		if len(published) == 0 {
			continue
		}
		if n, who := fewest(published, LeastDistribution); n < LeastDistribution {
			t.Errorf("seed %d: a combination is about %d people: %v", seed, n, who)
		}
	}
	if shown < 300 {
		t.Errorf("only %d tables are published: the test attacks little", shown)
	}
}

// The attack finds what there is to find.
func TestTheAttackFinds(t *testing.T) {
	people := func(from, to int) functional {
		f := functional{}
		for i := from; i < to; i++ {
			f[fmt.Sprintf("0 p%d", i)] = 1
		}
		return f
	}
	if n, _ := fewest([]functional{people(0, 20), people(0, 8), people(8, 17)}, 5); n != 3 {
		t.Errorf("20 - 8 - 9: %d", n)
	}
	if n, _ := fewest([]functional{people(0, 20), people(0, 8)}, 5); n != 5 {
		t.Errorf("20 and 8: %d", n)
	}
	// The change of 10 and the means of both waves, of 10 and 12 people.
	change := functional{}
	first, second := functional{}, functional{}
	for i := range 12 {
		second[fmt.Sprintf("1 p%d", i)] = 1
		if i < 10 {
			first[fmt.Sprintf("0 p%d", i)] = 1
			change[fmt.Sprintf("1 p%d", i)], change[fmt.Sprintf("0 p%d", i)] = 1, -1
		}
	}
	if n, who := fewest([]functional{first, second, change}, 5); n != 2 {
		t.Errorf("two who came: %d %v", n, who)
	}
}

// Everybody of a small audience is replaced between the second and the third
// wave, and few of the new ones answer: the change of the larger one would tell
// of them, since all others were in both waves.
func TestWhoReplacedAnAudienceIsNotTold(t *testing.T) {
	audiences := []*changev1.WaveAudience{{Audience: "p"}, {Audience: "l", Parent: "p"}}
	answers := func(audience string, from, to int) (out []Answer) {
		for i := from; i < to; i++ {
			out = append(out, Answer{Respondent: fmt.Sprint(audience, i), Audience: audience, Scores: map[string]float64{"a": 2}})
		}
		return out
	}
	rounds := make([]Round, 3)
	for w, given := range [][]Answer{
		append(answers("p", 0, 7), answers("l", 0, 6)...),
		append(answers("p", 0, 7), answers("l", 0, 6)...),
		append(answers("p", 0, 7), answers("l", 50, 53)...),
	} {
		rounds[w] = Round{Wave: &WaveState{Wave: fmt.Sprint(w), Elements: []string{"a"}, BarrierAt: 3, Audiences: audiences}, Answers: given}
		if w > 0 {
			rounds[w].Earlier = &rounds[w-1]
		}
		rounds[w].Wave.Results = Results(rounds[w])
	}
	if e := element(cell(rounds[1].Wave.Results, "l"), "a"); e.Change == nil {
		t.Fatal("the audience's own change is not published: nothing is tried")
	}
	if n, who := fewest(functionals(rounds, "a"), LeastRespondents); n < LeastRespondents {
		t.Errorf("a combination is about %d people: %v", n, who)
	}
}
