package guess

import (
	"slices"
	"strings"

	"setpoint.dev/services/importer/cell"
)

// kindOfLevels is the kind of a column by its header without its period, or else
// by one of the levels of that, the lowest first: "Cumulative targets" above "YR1
// 2021".
func kindOfLevels(rest string, levels []string) Role {
	if k := kindOf(rest); k != "" || len(levels) < 2 {
		return k
	}
	for _, l := range slices.Backward(levels) {
		l = withoutUnit(l)
		if _, rest, ok := dated(l, cell.Locale{}); ok {
			l = rest
		}
		if k := kindOf(l); k != "" && !isComputed(l) {
			return k
		}
	}
	return ""
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

// unitsBelow takes a row of units of measure below the header into it, where each
// column of values has one.
func unitsBelow(g Grid, p Proposal) Proposal {
	if p.First >= len(g) || len(p.Header) >= mostLevels {
		return p
	}
	row := g[p.First]
	below := map[int]string{}
	for i, t := range row {
		if t == "" {
			continue
		}
		at := slices.IndexFunc(p.Columns, func(c Column) bool { return c.Index == i })
		unit := cell.IsUnit(strings.Trim(t, "()[] ")) && !strings.ContainsAny(t[:1], "0123456789") || percentWord.MatchString(strings.Trim(t, "()[] "))
		switch {
		case at < 0, !unit && p.Columns[at].Role != Name && p.Columns[at].Role != Period:
			return p
		case unit && isNumber(p.Columns[at].Role):
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
