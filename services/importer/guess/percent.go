package guess

import (
	"regexp"

	"setpoint.dev/services/importer/cell"
	"setpoint.dev/services/importer/mapping"
)

var cut = regexp.MustCompile(`(?i)\b(reduction|reduce|decrease|below|cut|senkung|minderung|reduzierung|réduction|reducción|redução|riduzione|reductie)\b`)

// percentCut is a header that says that its targets are reductions in percent.
var percentCut = regexp.MustCompile(`(?:%|percent|per cent|percentage|pct|prozent|pourcentage|porcentaje|percentual) (?:reduction|cut|decrease|below|emissions reduction|senkung|minderung|reduzierung|de réduction|de reducción|de redução)|(?:reduction|senkung|minderung) (?:%|percent|percentage|target %)`)

// reduction reports whether targets seem to be changes from a baseline: the
// unit is a percentage and some column says so in every row.
func reduction(p Proposal, body Grid) bool {
	percent, said := false, false
	for _, c := range p.Columns {
		n, hits, percents := 0, 0, 0
		for _, row := range body {
			if c.Index >= len(row) || row[c.Index] == "" {
				continue
			}
			n++
			if cut.MatchString(row[c.Index]) {
				hits++
			}
			if percentWord.MatchString(row[c.Index]) {
				percents++
			}
		}
		said = said || n > 0 && hits == n || cut.MatchString(c.Header)
		percent = percent || c.Role == Measure && n > 0 && percents == n
	}
	return percent && said
}

var percentWord = regexp.MustCompile(`(?i)^\s*(%|percent|per cent|percentage|pct|prozent|pourcentage|porcentaje|percentuale|percentagem|procent|prosent|percent(age)? points?|％|v\.\s?h\.|proc\.?|in %|en %)\s*$`)

// percentScale tells whether numbers whose unit is a percentage, and which have
// no sign, are fractions or points.
func percentScale(p Proposal, body Grid) (scale string, ok bool) {
	at := func(row []string, c Column) string {
		if c.Index < len(row) {
			return row[c.Index]
		}
		return ""
	}
	small, fine, large := 0, 0, 0
	for _, row := range body {
		unit := ""
		for _, c := range p.Of(Measure) {
			unit = at(row, c)
		}
		for _, c := range p.Columns {
			if !c.Role.IsValue() && c.Role != mapping.Baseline {
				continue
			}
			v, err := cell.ParseNumber(at(row, c), p.Locale)
			if err != nil || v.Percent || v.Value == 0 || !percentWord.MatchString(unit) {
				continue
			}
			if v.Value > 1.5 || v.Value < -1.5 {
				large++
				continue
			}
			small++
			if v.Decimals >= 2 || v.Value == 1 {
				fine++
			}
		}
	}
	switch {
	case small+large < 3:
		return "", false
	// Rates of errors may all be below one per cent: 0.5 and 0.8 are no fractions.
	case small >= 9*large && 2*fine >= small:
		return "fraction", true
	case large >= 4*small:
		return "points", true
	}
	return "", false
}
