package change

import (
	"math"
	"slices"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
)

// Round is a wave with its answers, and the round before it where there was one:
// whom the earlier ones counted says what differences would tell.
type Round struct {
	Wave    *WaveState
	Answers []Answer
	// Earlier is the round before, nil for the first.
	Earlier *Round
}

// Results computes what may be shown of a wave, for ever. Cells are the whole,
// then each audience with everybody in the audiences below it.
//
//   - Mean: of the answers to an element.
//   - Distribution: answers rounded half up to 1 … 5.
//   - Barrier point: the first element, in order, at the barrier score or lower;
//     unknown if an answer before it is missing; none if all are answered above.
//   - Readiness: mean over complete answers of min (score − 1)/4 (heuristic).
//   - Change: mean of the differences of those who answered the element in both
//     waves, in the same audience.
//
// A change is not given if any answer of an earlier wave cannot be read any more:
// what it leaves out could be told from what was published then.
func Results(now Round) *changev1.WaveResults {
	w := now.Wave
	out := &changev1.WaveResults{Least: LeastRespondents, LeastDistribution: LeastDistribution}
	if now.Earlier != nil {
		out.Previous = now.Earlier.Wave.GetWave()
	}
	tree := newTree(w)
	cells := map[string]*changev1.Cell{}
	for _, name := range tree.names {
		cells[name] = &changev1.Cell{Audience: name, Invited: tree.invited[name]}
		out.Cells = append(out.Cells, cells[name])
	}
	answers := readable(now.Answers)
	all := func(*Answer) bool { return true }
	counted := tree.publish(LeastRespondents, answers, all, tree.names)
	for name, people := range counted {
		cells[name].Respondents = number(len(people))
	}
	first := keys(counted, tree)
	for i, element := range w.GetElements() {
		has := func(a *Answer) bool { _, ok := a.Scores[element]; return ok }
		means := tree.publishElement(element, now, keys(counted, tree))
		distributions := tree.publish(LeastDistribution, answers, has, shownMeans(means, tree))
		for _, name := range tree.names {
			m := means[name]
			if m == nil {
				continue
			}
			if people, ok := distributions[name]; ok {
				m.Distribution = distribution(element, people)
			}
			cells[name].Elements = append(cells[name].Elements, m)
		}
		if i == 0 {
			first = keys(distributions, tree)
		}
	}
	// How many have their barrier at the first element can be told from its
	// distribution, too: where that may not be, these may not.
	for name, people := range tree.publish(LeastDistribution, answers, all, first) {
		cells[name].Barriers = barriers(w, people)
	}
	complete := func(a *Answer) bool { return len(a.Scores) == len(w.GetElements()) }
	for name, people := range tree.publish(LeastRespondents, answers, complete, keys(counted, tree)) {
		total := 0.0
		for _, a := range people {
			least := math.Inf(1)
			for _, v := range a.Scores {
				least = min(least, v)
			}
			total += (least - 1) / 4
		}
		r := total / float64(len(people))
		cells[name].Readiness, cells[name].Complete = &r, number(len(people))
	}
	return out
}

// BarrierPoint is the first element at the barrier score or lower; none if there
// is none, unknown if an answer before it is missing.
func BarrierPoint(elements []string, scores map[string]float64, barrierAt float64) (element string, known bool) {
	for _, e := range elements {
		v, answered := scores[e]
		switch {
		case !answered:
			return "", false
		case v <= barrierAt:
			return e, true
		}
	}
	return "", true
}

func barriers(w *WaveState, people []*Answer) *changev1.Barriers {
	out := &changev1.Barriers{}
	for _, e := range w.GetElements() {
		out.Elements = append(out.Elements, &changev1.ElementCount{Element: e})
	}
	for _, a := range people {
		e, known := BarrierPoint(w.GetElements(), a.Scores, w.GetBarrierAt())
		switch {
		case !known:
			out.Unknown++
		case e == "":
			out.None++
		default:
			out.Elements[slices.Index(w.GetElements(), e)].Count++
		}
	}
	return out
}

func distribution(element string, people []*Answer) []int32 {
	out := make([]int32, 5)
	for _, a := range people {
		out[int(math.Floor(a.Scores[element]+0.5))-1]++
	}
	return out
}

// tree is the audiences of a wave; "" is the whole, the parent of all.
type tree struct {
	names   []string // the whole first, then as the wave has them
	parent  map[string]string
	invited map[string]int32
}

func newTree(w *WaveState) *tree {
	t := &tree{names: []string{""}, parent: map[string]string{}, invited: map[string]int32{}}
	for _, a := range w.GetAudiences() {
		t.names = append(t.names, a.GetAudience())
		t.parent[a.GetAudience()] = a.GetParent()
		t.invited[a.GetAudience()] = a.GetInvited()
		if a.GetParent() == "" {
			t.invited[""] += a.GetInvited()
		}
	}
	return t
}

// above lists an audience and what it is part of, up to the whole.
func (t *tree) above(audience string) []string {
	var out []string
	for range len(t.names) + 1 { // a cycle, which declaring refuses, ends here
		out = append(out, audience)
		if audience == "" {
			break
		}
		audience = t.parent[audience]
	}
	return out
}

// in gives each audience its people, those in the audiences below included.
func (t *tree) in(answers []*Answer, counts func(*Answer) bool) map[string][]*Answer {
	out := map[string][]*Answer{}
	for _, a := range answers {
		if !counts(a) {
			continue
		}
		for _, name := range t.above(a.Audience) {
			out[name] = append(out[name], a)
		}
	}
	return out
}

// publish gives the people of those audiences of which a number about this
// variable may be published.
func (t *tree) publish(least int, answers []*Answer, counts func(*Answer) bool, names []string) map[string][]*Answer {
	people := t.in(answers, counts)
	var sums []sum
	for _, name := range names {
		sums = append(sums, sum{audience: name, people: ids(people[name])})
	}
	out := map[string][]*Answer{}
	for i, kept := range publish(least, sums) {
		if kept {
			out[names[i]] = people[names[i]]
		}
	}
	return out
}

// publishElement gives, by audience, the mean of an element, and its change from
// the wave before, where they may be published.
func (t *tree) publishElement(element string, now Round, names []string) map[string]*changev1.ElementResult {
	has := func(a *Answer) bool { _, ok := a.Scores[element]; return ok }
	out := map[string]*changev1.ElementResult{}
	means := t.publish(LeastRespondents, readable(now.Answers), has, names)
	for name, people := range means {
		total := 0.0
		for _, a := range people {
			total += a.Scores[element]
		}
		mean := total / float64(len(people))
		out[name] = &changev1.ElementResult{Element: element, Mean: &mean, Respondents: number(len(people))}
	}
	h := newHistory(element, now, means)
	if h == nil {
		return out
	}
	for _, name := range h.publishable() {
		total, n := 0.0, 0
		for _, p := range h.last().answers {
			if p.before != nil && slices.Contains(t.above(p.Audience), name) {
				total += p.Scores[element] - p.before.Scores[element]
				n++
			}
		}
		change := total / float64(n)
		out[name].Change, out[name].Pairs = &change, number(n)
	}
	return out
}

func readable(answers []Answer) []*Answer {
	var out []*Answer
	for i := range answers {
		if !answers[i].Sealed {
			out = append(out, &answers[i])
		}
	}
	return out
}

func sealed(answers []Answer) bool {
	return slices.ContainsFunc(answers, func(a Answer) bool { return a.Sealed })
}

func ids(people []*Answer) map[string]bool {
	out := make(map[string]bool, len(people))
	for _, a := range people {
		out[a.Respondent] = true
	}
	return out
}

// keys lists the audiences of a result in the order of the tree.
func keys(shown map[string][]*Answer, t *tree) []string {
	var out []string
	for _, name := range t.names {
		if _, ok := shown[name]; ok {
			out = append(out, name)
		}
	}
	return out
}

func shownMeans(means map[string]*changev1.ElementResult, t *tree) []string {
	var out []string
	for _, name := range t.names {
		if m := means[name]; m != nil && m.Mean != nil {
			out = append(out, name)
		}
	}
	return out
}

func number(n int) *int32 { v := int32(n); return &v }
