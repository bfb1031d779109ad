package guess

import (
	"regexp"
	"slices"

	"setpoint.dev/services/importer/cell"
	"setpoint.dev/services/importer/mapping"
)

// kindWords are the words of a column of kinds that are guessed, not known.
func kindWords(p Proposal, body Grid) map[string]mapping.Role {
	out := map[string]mapping.Role{}
	for _, c := range p.Of(Kind) {
		for _, row := range body {
			if c.Index >= len(row) || row[c.Index] == "" {
				continue
			}
			if _, known := cell.ParseKind(row[c.Index]); known {
				continue
			}
			if k := kindOf(row[c.Index]); k != "" && len(out) < mostKinds {
				out[row[c.Index]] = k
			}
		}
	}
	return out
}

// scores finds the column of actuals that are scores from 0 to 1, in a table that
// has no targets.
func scores(p Proposal, body Grid, left map[int]string) (Column, bool) {
	if slices.ContainsFunc(p.Columns, func(c Column) bool { return c.Role == Target || c.Role == Kind }) {
		return Column{}, false
	}
	for _, c := range p.Of(Actual) {
		if _, out := left[c.Index]; out || !scoreWord.MatchString(normalize(c.Header)) {
			continue
		}
		column := make([]string, 0, len(body))
		for _, row := range body {
			if c.Index < len(row) {
				column = append(column, row[c.Index])
			}
		}
		if prof := profileOf(column); prof.numbers > 0 && prof.least >= 0 && prof.most <= 1 {
			return c, true
		}
	}
	return Column{}, false
}

var scoreWord = regexp.MustCompile(`\b(score|grade|progress|fortschritt|avance|progrès|progreso|progresso|voortgang)\b`)

var totals = regexp.MustCompile(`(?i)^\s*(grand total|total|totals|subtotal|sub-total|gesamt|summe|zwischensumme|insgesamt|total général|sous-total|totale|totaal|totalt|sum|razem|suma|ogółem|total geral|total generale|合計|合计|总计|alle|all)\s*:?\s*$`)

// sections reports whether rows with one text only stand above groups of rows.
func sections(p Proposal, body Grid) bool {
	if len(p.Of(Objective)) > 0 || len(p.Of(Strategy)) > 0 {
		return false
	}
	alone, full := 0, 0
	for i, row := range body {
		n, text := 0, ""
		for _, t := range row {
			if t != "" && t != text {
				n++
				text = t
			}
		}
		switch {
		case n > 2:
			full++
		case n == 1 && i+1 < len(body) && len(body[i+1]) > 1:
			if _, err := cell.ParseNumber(text, p.Locale); err != nil {
				alone++
			}
		}
	}
	return alone >= 2 && full >= 2*alone
}
