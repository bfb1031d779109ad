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
			word := row[c.Index]
			if _, rest, ok := cell.FindPeriod(word, p.Locale); ok && kindOf(rest) != "" {
				word = rest // the period is another thing
				if _, known := cell.ParseKind(word); known {
					continue
				}
			}
			if k := kindOf(word); k != "" && len(out) < mostKinds && !besideKinds(word) {
				out[word] = k
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

// sections finds what rows with one text only name, which stand above groups of
// rows: units, where such as are named like units are among them, or else
// objectives; or periods. above is one that stands above the header. It is "" where there are
// none.
func sections(p Proposal, body Grid, above string) Role {
	if len(p.Of(Objective)) > 0 || len(p.Of(Strategy)) > 0 {
		return ""
	}
	full, first := 0, 0 // rows of measures, and the first row that says anything
	var names []string
	if above != "" {
		names = append(names, above) // which stands above the header, as others do above it again
	}
	lone := ""
	for i, row := range body {
		n, text := 0, ""
		for _, t := range row {
			if t != "" && t != text {
				n++
				text = t
			}
		}
		if n > 0 && first == 0 {
			first = i + 1
		}
		switch {
		case n > 2:
			full++
			if lone != "" {
				names, lone = append(names, lone), ""
			}
		case n == 1:
			lone = ""
			_, year := cell.ParsePeriod(text, p.Locale)
			if _, err := cell.ParseNumber(text, p.Locale); err != nil || year == nil {
				lone = text
			}
		}
	}
	if first == 0 {
		return ""
	}
	// A table that begins with one has them all, however small its groups.
	if n := len(names); n < 2 || full < 2*n && !(full >= n && (above != "" || loneText(body[first-1]) == names[0])) {
		return ""
	}
	units, periods := 0, map[string]bool{}
	for _, t := range names {
		if name, _, ok := cell.FindPeriod(t, p.Locale); ok && !day.MatchString(name) {
			periods[name] = true
		}
	}
	if len(periods) == len(names) && len(p.Of(Period))+len(p.Of(mapping.Year)) == 0 && !p.Wide() {
		return Period
	}
	for _, t := range names {
		if unitName(t) {
			units++
		}
	}
	if 3*units >= len(names) && len(p.Of(Unit)) == 0 {
		return Unit
	}
	return Objective
}

// loneText is the only text of a row, or "".
func loneText(row []string) string {
	text := ""
	for _, t := range row {
		switch {
		case t == "" || t == text:
		case text != "":
			return ""
		default:
			text = t
		}
	}
	return text
}
