package guess

import (
	"slices"

	"setpoint.dev/services/importer/mapping"
)

// keyOf is what tells measures apart where their names alone, with their units,
// do not: rows of the same name and period under another goal, objective or
// heading, or of the same id in another unit.
func keyOf(p Proposal, body Grid, sections mapping.Role) []mapping.Role {
	base, named := mapping.ID, p.Of(ID)
	if len(named) == 0 {
		base, named = Name, p.Of(Name)
	}
	if base == mapping.ID && len(p.Of(Name)) > 1 {
		return []mapping.Role{mapping.Unit, mapping.ID, Name} // parts of what an id is of
	}
	if len(named) != 1 {
		return nil
	}
	rows := slices.Concat(p.Of(Period), p.Of(mapping.Year), p.Of(mapping.Quarter), p.Of(mapping.Month), p.Of(Kind), p.Of(Vintage), p.Of(TargetAt))
	columns := map[mapping.Role][]Column{mapping.Unit: p.Of(Unit), mapping.Strategy: p.Of(Strategy), mapping.Objective: p.Of(Objective)}
	// A few rows that are there twice are slips, not measures of their own: another
	// key would part what later editions say of one.
	slips := len(body) / 20
	twice := func(roles ...mapping.Role) bool {
		seen, above, section, n := map[string]bool{}, map[int]string{}, "", 0
		for _, row := range body {
			text, filled := "", 0
			for _, t := range row {
				if t != "" && t != text {
					text, filled = t, filled+1
				}
			}
			if filled == 1 {
				section = text
			}
			if filled < 2 || named[0].Index >= len(row) || row[named[0].Index] == "" {
				continue
			}
			key := normalize(row[named[0].Index])
			for _, c := range rows {
				if c.Index < len(row) {
					key += "\x1f" + row[c.Index]
				}
			}
			for _, r := range roles {
				if r == sections {
					key += "\x1f" + section
				}
				for _, c := range columns[r] {
					if c.Index < len(row) && row[c.Index] != "" {
						above[c.Index] = row[c.Index]
					}
					key += "\x1f" + above[c.Index]
				}
			}
			if seen[key] {
				n++
			}
			seen[key] = true
		}
		return n > slips
	}
	if base == mapping.ID {
		if len(columns[mapping.Unit]) > 0 && twice() && !twice(mapping.Unit) {
			return []mapping.Role{mapping.Unit, mapping.ID}
		}
		return nil
	}
	if !twice(mapping.Unit) {
		return nil
	}
	for _, r := range []mapping.Role{mapping.Objective, mapping.Strategy} {
		if (len(columns[r]) > 0 || sections == r) && !twice(mapping.Unit, r) {
			return []mapping.Role{mapping.Unit, r, mapping.Name}
		}
	}
	return nil
}

// onceEach reports whether every measure has one row, as key results have.
func onceEach(p Proposal, body Grid) bool {
	seen := map[string]bool{}
	for _, row := range body {
		for _, c := range p.Of(Name) {
			if c.Index >= len(row) || row[c.Index] == "" {
				continue
			}
			if key := normalize(row[c.Index]); seen[key] {
				return false
			} else {
				seen[key] = true
			}
		}
	}
	return len(seen) > 0
}
