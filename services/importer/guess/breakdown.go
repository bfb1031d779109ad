package guess

import (
	"fmt"
	"slices"

	"setpoint.dev/services/importer/mapping"
)

// mostParts is how many columns may be parts of a measure's name.
const mostParts = 3

// breakdown finds the columns that tell apart rows of the same measure and period
// and that no header gave a role: the urban and the rural part of an indicator,
// women and men. They are parts of the measure's name.
func (p *Proposal) breakdown(body Grid) {
	if len(p.Of(Name)) != 1 {
		return
	}
	key := slices.Concat(p.Of(Name), p.Of(ID), p.Of(Unit), p.Of(Strategy), p.Of(Objective),
		p.Of(Period), p.Of(mapping.Year), p.Of(mapping.Quarter), p.Of(mapping.Month), p.Of(Kind), p.Of(Vintage), p.Of(TargetAt), p.Of(Owner))
	slips := len(body) / 20
	twice := func(key []Column) int {
		seen, n := map[string]bool{}, 0
		for _, row := range body {
			k, filled := "", 0
			for _, c := range key {
				if c.Index < len(row) {
					k += row[c.Index]
				}
				k += "\x1f"
			}
			for _, t := range row {
				if t != "" {
					filled++
				}
			}
			name := p.Of(Name)[0].Index
			if filled < 3 || merged(row) || name >= len(row) || row[name] == "" {
				continue
			}
			if seen[k] {
				n++
			}
			seen[k] = true
		}
		return n
	}
	left := twice(key)
	if left <= slips {
		return
	}
	var parts []int
	for len(parts) < mostParts && left > slips {
		best, at := left, -1
		for i, c := range p.Columns {
			if c.Role != Ignored || c.Reason != "" || c.Header == "" || slices.Contains(parts, i) {
				continue
			}
			column := make([]string, 0, len(body))
			for _, row := range body {
				if c.Index < len(row) {
					column = append(column, row[c.Index])
				}
			}
			if prof := profileOf(column); !prof.textual() || prof.letters > 60 || identifier.MatchString(normalize(c.Header)) {
				continue
			}
			if n := twice(append(slices.Clone(key), c)); n < best {
				best, at = n, i
			}
		}
		if at < 0 {
			return // nothing tells them apart
		}
		parts, key, left = append(parts, at), append(key, p.Columns[at]), best
	}
	if left > slips {
		return
	}
	for _, i := range parts {
		p.Columns[i].Role, p.Columns[i].Confidence = Name, 0.5
		p.Columns[i].Reason = "it tells apart rows of the same measure: a part of its name"
		p.Questions = append(p.Questions, fmt.Sprintf("rows of the same measure and period are told apart by %q, which is read as a part of the measure's name: is it?", p.Columns[i].Header))
	}
}
