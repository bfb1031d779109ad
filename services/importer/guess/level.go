package guess

import (
	"slices"
	"strings"

	"setpoint.dev/services/importer/cell"
)

// kindOfLevels is the kind of a column by one of the levels of its header, the
// lowest first ("Cumulative targets" above "YR1 2021"), or else by all of them
// without the period. What is computed has none.
func kindOfLevels(rest string, levels []string) Role {
	if len(levels) < 2 {
		return kindOf(rest)
	}
	for _, l := range slices.Backward(levels) {
		l = withoutUnit(l)
		if _, rest, ok := dated(l, cell.Locale{}); ok {
			l = rest
		}
		if isComputed(l) {
			return ""
		}
		if k := kindOf(l); k != "" {
			return k
		}
	}
	return kindOf(rest)
}

// ownKinds are the groups of columns that have a column for each kind: what such a
// group is called says nothing of the kind of another of its columns.
func ownKinds(headers []string, levels [][]string) map[string]bool {
	out := map[string]bool{}
	for i := range headers {
		l := levels[i]
		if len(l) < 2 {
			continue
		}
		last := withoutUnit(l[len(l)-1])
		if _, rest, ok := dated(last, cell.Locale{}); ok {
			last = rest
		}
		if kindOf(last) != "" {
			out[l[0]] = true
		}
	}
	return out
}

// twiceNamed counts columns of values whose header is another one's as well.
func twiceNamed(columns []Column) int {
	count := map[string]int{}
	for _, c := range columns {
		if isNumber(c.Role) || c.Unknown || c.Role == Ignored && c.Header != "" {
			count[normalize(c.Header)]++
		}
	}
	n := 0
	for _, k := range count {
		if k > 1 {
			n += k
		}
	}
	return n
}

// extend takes rows above the header into it that tell apart columns of the same
// name, or say when columns are of that do not say it: a row of groups above the
// one of their columns.
func extend(g Grid, p Proposal, rows int) Proposal {
	for len(p.Header) < mostLevels && p.Header[0] > 0 {
		r := p.Header[0] - 1
		if !isGroups(g[r]) {
			return p
		}
		q, ok := try(g, r, len(p.Header)+1, rows)
		if !ok || twiceNamed(q.Columns) >= max(1, twiceNamed(p.Columns)) && undatedValues(q) >= undatedValues(p) {
			return p
		}
		p = q
	}
	return p
}

// undatedValues counts columns of values that do not say when.
func undatedValues(p Proposal) int {
	n := 0
	for _, c := range p.Columns {
		if (isNumber(c.Role) || c.Role == Ignored && c.Header != "") && c.Period == "" {
			n++
		}
	}
	return n
}

// mostLevels is how many rows a header has at the most.
const mostLevels = 4

// isGroups reports whether a row has names of groups of columns: several, or one
// that is merged over some of them, or is a period or a kind and nothing else.
func isGroups(row []string) bool {
	if !headerLike(row) || isTitle(row) {
		return false
	}
	var texts []string
	side := false
	for i, t := range row {
		t = strings.TrimSpace(t)
		if t == "" {
			continue
		}
		side = side || i > 0 && strings.TrimSpace(row[i-1]) == t
		if !slices.Contains(texts, t) {
			texts = append(texts, t)
		}
	}
	if len(texts) > 1 || side {
		return true
	}
	_, rest, ok := dated(texts[0], cell.Locale{})
	return ok && (rest == "" || kindOf(rest) != "") || kindOf(texts[0]) != ""
}

// rest is what a column's header says beside when and which kind: the measure, or
// the part of one, that it is of.
func (c Column) rest() string {
	levels := c.Levels
	if len(levels) == 0 {
		levels = []string{c.Header}
	}
	var out []string
	kind := false
	if c.Below != "" {
		levels = levels[:len(levels)-1]
	}
	for _, l := range slices.Backward(levels) {
		l = strings.Join(strings.Fields(strings.ReplaceAll(withoutUnit(l), "_", " ")), " ")
		if _, rest, ok := dated(l, cell.Locale{}); ok {
			l = rest
		}
		if projectYear.MatchString(l) && c.dated() || strings.EqualFold(l, "value") {
			continue
		}
		if !kind && kindOf(l) != "" {
			kind = true
			cut := ofHeader(l)
			if cut == l || kindOf(cut) != "" {
				continue // nothing but the words for the kind
			}
			l = cut
		}
		if l != "" {
			out = append(out, l)
		}
	}
	slices.Reverse(out)
	return strings.Join(out, " – ")
}

// below takes the row below the header into it where it names columns that have no
// name yet, in a row of words and not of values.
func below(g Grid, p Proposal, rows int) Proposal {
	if len(p.Header) >= mostLevels || p.First+1 >= len(g) || !headerLike(g[p.First]) {
		return p
	}
	unnamed := func(p Proposal) int {
		n := 0
		for _, c := range p.Columns {
			if c.Header == "" && slices.ContainsFunc(g[p.First:min(len(g), p.First+aFew)], func(row []string) bool { return c.Index < len(row) && row[c.Index] != "" }) {
				n++
			}
		}
		return n
	}
	q, ok := try(g, p.Header[0], len(p.Header)+1, rows)
	if ok && twiceNamed(q.Columns) == 0 && (unnamed(p) >= 2 && unnamed(q) == 0 || twiceNamed(p.Columns) > 0) {
		return q
	}
	return p
}

// withoutRepeats takes the rows out of a grid that are the header again, and
// reports whether there were some.
func withoutRepeats(g Grid, p Proposal) bool {
	found := false
	for i := p.First; i < len(g); i++ {
		same := func(at int) bool {
			n := 0
			for k, t := range g[i] {
				above := ""
				if k < len(g[at]) {
					above = g[at][k]
				}
				if !strings.EqualFold(strings.TrimSpace(t), strings.TrimSpace(above)) {
					return false
				}
				if t != "" {
					n++
				}
			}
			return n > 1
		}
		if slices.ContainsFunc(p.Header, same) {
			g[i] = nil
			found = true
		}
	}
	return found
}

// lowestKind is the role of a column of values by the lowest level of its header
// that says one, with how well it fits: "Progress" above "planned so far".
func lowestKind(levels []string) (r Role, score float64, phrase string) {
	if len(levels) < 2 {
		return "", 0, ""
	}
	for _, l := range slices.Backward(levels) {
		for _, role := range []Role{Target, Actual, Min, Max, Baseline} {
			if s, p := headerScore(withoutUnit(l), role); s > score {
				r, score, phrase = role, s, p
			}
		}
		if score >= 0.45 {
			return r, score, phrase
		}
	}
	return "", 0, ""
}

// unitsBelow takes a row of units of measure below the header into it, where each
// column of values has one.
func unitsBelow(g Grid, p Proposal) Proposal {
	if p.First >= len(g) || len(p.Header) >= mostLevels {
		return p
	}
	if !rowOfUnits(g[p.First]) {
		return p
	}
	below := map[int]string{}
	for i, t := range g[p.First] {
		at := slices.IndexFunc(p.Columns, func(c Column) bool { return c.Index == i })
		if t != "" && at >= 0 && isNumber(p.Columns[at].Role) {
			below[i] = t
		}
	}
	for _, c := range p.Columns {
		if isNumber(c.Role) && below[c.Index] == "" {
			return p
		}
	}
	if len(below) < 2 {
		return p
	}
	p.Header = append(slices.Clone(p.Header), p.First)
	p.First++
	for i, l := range levelsOf(g[p.Header[0]:p.First], len(p.Columns)) {
		p.Columns[i].Levels, p.Columns[i].Header, p.Columns[i].Below = l, strings.Join(l, " "), below[i]
	}
	return p
}

// rowOfUnits reports whether a row has units of measure alone, but for its first
// cell, which may say so, and for a few short words that may be some of a trade's
// own (beds, ZAR/kWh).
func rowOfUnits(row []string) bool {
	units, words := 0, 0
	for i, t := range row {
		plain := strings.Trim(t, "()[] ")
		_, amount := cell.ParseNumber(plain, cell.Locale{Decimal: ','})
		switch {
		case t == "":
		case amount == nil:
			return false // R$ 2,1 mi
		case cell.IsUnit(plain) && !strings.ContainsAny(plain[:1], "0123456789") || percentWord.MatchString(plain):
			units++
		case i == 0:
		case len(plain) > 20 || strings.ContainsAny(plain, "0123456789") || cell.Missing(plain) || kindOf(plain) != "":
			return false
		default:
			words++
		}
	}
	return units >= 2 && 2*words <= units
}

// unit is the unit of measure of a column of values: below its header, or in
// parentheses behind one of the levels of it.
func (c Column) unit() string {
	if c.Below != "" {
		return strings.Trim(c.Below, "()[] ")
	}
	for _, l := range slices.Backward(append([]string{c.Header}, c.Levels...)) {
		if _, unit, ok := cell.NameUnit(l); ok {
			return unit
		}
	}
	return ""
}
