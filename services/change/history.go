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
// with a factor for each change and each mean. People of one wave fall into
// classes, those whom the same means count, and as a change is given only where
// the means of both its waves are, the same changes count all of a class. So the
// factor of an answer depends, within its class, only on whether its person is
// also in the wave before and in the wave after: with factors δ of the changes
// from the wave before and δ' of those to the one after it is
// μ + δ[in before] − δ'[in after], and at best μ makes it vanish for the largest
// of the groups that have the same value. If it vanishes for a whole class, and
// another μ is taken, then the combination is about all of the class, which are
// enough. What is left over, in the wave where most are left, is how many people
// the combination is about at least.
//
// A class that something is left over of has a path through the waves: in each,
// the classes that the same changes count, before and after, as it. On it no more
// is left over than in all. So changes may be published if on every path what is
// left is none or at least LeastRespondents whatever the factors, with −2 … 2
// standing for all, since only which of neighbours are equal, opposite or 0
// matters. A class must not be cut along the changes of other waves: whether it
// vanishes is one choice of μ for all of it.
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
// with all that is already. The change of the lowest audience that counts a path
// with too few left over is taken out, until there is none.
func (h *history) publishable() []string {
	w := h.last()
	for _, name := range h.names {
		w.changes[name] = true
	}
	for {
		out := ""
		found := false
		for audience, waves := range h.paths() {
			top := w.lowest(audience, w.changes)
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

// pieces of one path in one wave: for each class of a mean, how many are in
// neither neighbour, only in the wave before, only in the one after, and in both.
type pieces struct {
	classes map[string]*[4]int
	// Whether changes from the wave before, and to the one after, count them.
	before, after bool
}

// paths follows each audience through the waves: which changes count it, and the
// classes that the same changes count. It is named by the audience.
func (h *history) paths() map[string][]*pieces {
	out := map[string][]*pieces{}
	for _, audience := range h.last().tree.names {
		path := make([]*pieces, len(h.waves))
		for i, w := range h.waves {
			path[i] = &pieces{classes: map[string]*[4]int{}, before: w.lowest(audience, w.changes) != nil}
			path[i].after = i+1 < len(h.waves) && h.waves[i+1].lowest(audience, h.waves[i+1].changes) != nil
		}
		out[audience] = path
	}
	for i, w := range h.waves {
		next := w
		if i+1 < len(h.waves) {
			next = h.waves[i+1]
		}
		by := map[[2]string]map[string]*[4]int{} // the changes that count a class, to the classes
		for _, p := range w.answers {
			class := w.lowest(p.Audience, w.means)
			if class == nil {
				continue // no mean counts them, and so no change
			}
			counted := [2]string{name(w.lowest(p.Audience, w.changes)), name(next.lowest(p.Audience, next.changes))}
			if by[counted] == nil {
				by[counted] = map[string]*[4]int{}
			}
			if by[counted][*class] == nil {
				by[counted][*class] = &[4]int{}
			}
			at := 0
			if p.before != nil {
				at |= 1
			}
			if p.after {
				at |= 2
			}
			by[counted][*class][at]++
		}
		for audience, path := range out {
			counted := [2]string{name(w.lowest(audience, w.changes)), name(next.lowest(audience, next.changes))}
			if by[counted] != nil {
				path[i].classes = by[counted]
			}
		}
	}
	return out
}

// name is a key for an audience that may be missing; the whole is one too.
func name(audience *string) string {
	if audience == nil {
		return "-"
	}
	return "=" + *audience
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
