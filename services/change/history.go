package change

import (
	"slices"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
)

// history is what all waves up to one tell of an element: whom each mean counts,
// and whom each change.
//
// A published change is a sum of differences. Together with the means of both
// waves it tells of those who answered in only one of them, and over several
// waves of those who came and went. Take any combination of published numbers,
// with a factor for each change and each mean. Among the people of one finest
// region (whom the same changes of all waves may count) and one mean's class, the
// factor of an answer depends only on whether its person is also in the wave
// before and in the wave after: with factors δ of the changes from the wave
// before and to the one after it is μ + δ[in before] − δ'[in after], and at best
// μ makes it vanish for the largest of the groups that have the same value. What
// is left over, in the wave where most are left, is how many people the
// combination is about at least. A change may be published if, in every region
// that it counts, that is none or at least LeastRespondents whatever the factors:
// a path through the waves, with −2 … 2 standing for all factors, since only
// which of them are equal, opposite or 0 matters.
type history struct {
	element string
	waves   []*heard // oldest first
	names   []string // the audiences that a change of the last wave may be given for
}

// heard is one wave of a history.
type heard struct {
	tree    *tree
	answers []*person
	means   map[string]bool // audiences whose mean is published
	changes map[string]bool // audiences whose change from the wave before is
}

type person struct {
	*Answer
	before *Answer // of the same person in the same audience, in the wave before
	after  bool    // there is one in the wave after
}

// newHistory returns nil if no change can be given: there is no earlier wave that
// asked for the element, an answer cannot be read any more, or the audiences have
// been put together in another way since.
func newHistory(element string, now Round, means map[string][]*Answer) *history {
	h := &history{element: element}
	shown := map[string]bool{}
	for name := range means {
		shown[name] = true
	}
	for r, last := &now, true; r != nil; r, last = r.Earlier, false {
		if sealed(r.Answers) {
			return nil
		}
		if !last && (!slices.Contains(r.Wave.GetElements(), element) || !sameTree(r.Wave, now.Wave)) {
			break
		}
		w := &heard{tree: newTree(r.Wave), means: shown, changes: map[string]bool{}}
		if !last {
			w.means = map[string]bool{}
			for _, c := range r.Wave.GetResults().GetCells() {
				for _, e := range c.GetElements() {
					if e.GetElement() == element {
						w.means[c.GetAudience()] = e.Mean != nil
						w.changes[c.GetAudience()] = e.Change != nil
					}
				}
			}
		}
		for _, a := range readable(r.Answers) {
			if _, ok := a.Scores[element]; ok {
				w.answers = append(w.answers, &person{Answer: a})
			}
		}
		h.waves = append(h.waves, w)
	}
	slices.Reverse(h.waves)
	if len(h.waves) < 2 {
		return nil
	}
	for i := 1; i < len(h.waves); i++ {
		old := map[string]*person{}
		for _, p := range h.waves[i-1].answers {
			old[p.Respondent] = p
		}
		for _, p := range h.waves[i].answers {
			if b := old[p.Respondent]; b != nil && b.Audience == p.Audience {
				p.before, b.after = b.Answer, true
			}
		}
	}
	before := h.waves[len(h.waves)-2]
	for _, name := range h.last().tree.names {
		if shown[name] && before.means[name] && h.pairs(name) >= LeastRespondents {
			h.names = append(h.names, name)
		}
	}
	return h
}

func (h *history) last() *heard { return h.waves[len(h.waves)-1] }

func (h *history) pairs(name string) int {
	n := 0
	for _, p := range h.last().answers {
		if p.before != nil && slices.Contains(h.last().tree.above(p.Audience), name) {
			n++
		}
	}
	return n
}

// sameTree tells whether what both waves asked is put together in the same way.
func sameTree(a, b *WaveState) bool {
	parents := map[string]string{}
	for _, x := range a.GetAudiences() {
		parents[x.GetAudience()] = x.GetParent()
	}
	return len(a.GetAudiences()) == len(b.GetAudiences()) && !slices.ContainsFunc(b.GetAudiences(), func(x *changev1.WaveAudience) bool {
		parent, known := parents[x.GetAudience()]
		return !known || parent != x.GetParent()
	})
}

// publishable lists the audiences whose change of the last wave may be published
// with all that is already. The change of the lowest audience that counts a
// region with too few left over is taken out, until there is none.
func (h *history) publishable() []string {
	w := h.last()
	for _, name := range h.names {
		w.changes[name] = true
	}
	for {
		out := ""
		found := false
		for region, waves := range h.regions() {
			top := w.lowest(region, w.changes)
			if top == nil || !tells(waves) {
				continue
			}
			if !found || slices.Index(w.tree.names, *top) > slices.Index(w.tree.names, out) {
				out, found = *top, true
			}
		}
		if !found {
			break
		}
		delete(w.changes, out)
	}
	return slices.DeleteFunc(h.names, func(name string) bool { return !w.changes[name] })
}

// lowest is the lowest of some audiences that an audience lies in, nil if none.
func (w *heard) lowest(audience string, of map[string]bool) *string {
	for _, name := range w.tree.above(audience) {
		if of[name] {
			return &name
		}
	}
	return nil
}

// pieces of one region in one wave: for each class of a mean, how many are in
// neither neighbour, only in the wave before, only in the one after, and in both.
type pieces struct {
	classes map[string]*[4]int
	// Whether changes from the wave before, and to the one after, count the
	// region.
	before, after bool
}

// regions groups people by the lowest audience of any change of any wave, named
// by it, and counts them by wave.
func (h *history) regions() map[string][]*pieces {
	any := map[string]bool{}
	for _, w := range h.waves {
		for name, is := range w.changes {
			if is {
				any[name] = true
			}
		}
	}
	out := map[string][]*pieces{}
	for i, w := range h.waves {
		for _, p := range w.answers {
			region := w.lowest(p.Audience, any)
			if region == nil {
				continue
			}
			if out[*region] == nil {
				for j, x := range h.waves {
					one := &pieces{classes: map[string]*[4]int{}, before: x.lowest(*region, x.changes) != nil}
					one.after = j+1 < len(h.waves) && h.waves[j+1].lowest(*region, h.waves[j+1].changes) != nil
					out[*region] = append(out[*region], one)
				}
			}
			class := "-" // of no mean: no factor can make it vanish, so this asks for too much
			if c := w.lowest(p.Audience, w.means); c != nil {
				class = "=" + *c
			}
			one := out[*region][i]
			if one.classes[class] == nil {
				one.classes[class] = &[4]int{}
			}
			at := 0
			if p.before != nil {
				at |= 1
			}
			if p.after {
				at |= 2
			}
			one.classes[class][at]++
		}
	}
	return out
}

// left is how many answers of a wave a combination is about at least, with the
// factors of the changes from the wave before and to the one after.
func (p *pieces) left(from, to int) int {
	n := 0
	for _, groups := range p.classes {
		byValue := map[int]int{}
		all := 0
		for at, size := range groups {
			byValue[at&1*from-at>>1*to] += size
			all += size
		}
		most := 0
		for _, size := range byValue {
			most = max(most, size)
		}
		n += all - most
	}
	return n
}

// tells reports whether factors of the changes exist for which more than none
// and fewer than LeastRespondents answers are left over in the wave with most.
func tells(waves []*pieces) bool {
	type state struct {
		to    int  // the factor of the change to the next wave
		left  bool // something is left over
		moved bool // some factor is not 0
	}
	at := map[state]bool{{}: true}
	for _, w := range waves {
		next := map[state]bool{}
		for s := range at {
			for to := -2; to <= 2; to++ {
				if to != 0 && !w.after {
					continue
				}
				n := w.left(s.to, to)
				if n < LeastRespondents {
					next[state{to, s.left || n > 0, s.moved || to != 0}] = true
				}
			}
		}
		at = next
	}
	for s := range at {
		if s.left && s.moved {
			return true
		}
	}
	return false
}
