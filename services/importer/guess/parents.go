package guess

// parents puts columns of units from the highest to the lowest, where the table
// has a unit before what it is a part of: the school, then its district.
func (p *Proposal) parents(body Grid) {
	for again := true; again; {
		again = false
		var at []int
		for i, c := range p.Columns {
			if c.Role == Unit && !c.dated() {
				at = append(at, i)
			}
		}
		for n := 1; n < len(at); n++ {
			left, right := p.Columns[at[n-1]], p.Columns[at[n]]
			if partOfOne(left.Index, right.Index, body, len(p.Of(Name)) == 0) {
				p.Columns[at[n-1]], p.Columns[at[n]] = right, left
				again = true
			}
		}
	}
}

// partOfOne reports whether each text of one column always stands beside the same
// of another, which has fewer. What stands there once proves nothing, but where the
// rows are of units themselves (rowsOfUnits).
func partOfOne(part, whole int, body Grid, rowsOfUnits bool) bool {
	of, wholes, again := map[string]string{}, map[string]bool{}, 0
	for _, row := range body {
		if part >= len(row) || whole >= len(row) || row[part] == "" || row[whole] == "" || merged(row) {
			continue
		}
		if before, seen := of[row[part]]; seen {
			if before != row[whole] {
				return false
			}
			again++
		}
		of[row[part]] = row[whole]
		wholes[row[whole]] = true
	}
	return (again > 1 || rowsOfUnits) && len(wholes) > 1 && len(wholes) < len(of)
}
