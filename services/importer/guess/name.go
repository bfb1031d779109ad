package guess

import (
	"fmt"
	"slices"

	"setpoint.dev/services/importer/cell"
)

// kindsOfRows makes values of dated columns that say no kind, where a column says
// it for each row.
func kindsOfRows(out []Column) {
	if !slices.ContainsFunc(out, func(c Column) bool { return c.Role == Kind }) {
		return
	}
	for i, c := range out {
		if c.dated() && c.Role == Actual && c.Confidence <= 0.5 {
			out[i].Role, out[i].Confidence, out[i].Reason = Value, 0.9, "the header says when, and a column says what each row holds"
		}
	}
}

// kindsInNames makes values of dated columns that say no kind, where the names
// of the rows end in one: "Sales - Target" above "Sales - Actual".
func kindsInNames(out []Column, profiles []profile) {
	name := slices.IndexFunc(out, func(c Column) bool { return c.Role == Name })
	if name < 0 || slices.ContainsFunc(out, func(c Column) bool { return c.Role == Kind }) {
		return
	}
	of := map[string]map[string]bool{}
	for _, t := range profiles[name].texts {
		if rest, kind, ok := cell.CutKind(t); ok {
			if of[rest] == nil {
				of[rest] = map[string]bool{}
			}
			of[rest][kind] = true
		}
	}
	pairs := 0
	for _, kinds := range of {
		if len(kinds) > 1 {
			pairs++
		}
	}
	if pairs == 0 || 4*pairs < len(profiles[name].texts) {
		return
	}
	for i, c := range out {
		if c.dated() && c.Role == Actual && c.Confidence <= 0.5 {
			out[i].Role, out[i].Confidence, out[i].Reason = Value, 0.8, "the header says when, and the names say what each row holds"
			out[name].Kinds = true
		}
	}
}

// namesUnderUnit reads the measures of a table whose first column has the name of
// a unit as its header, as budget books have it: "Police Department" above what
// that measures. A header that is no more than the word for a unit names units.
func namesUnderUnit(out []Column, profiles []profile) bool {
	dated := 0
	for _, c := range out {
		if c.dated() {
			dated++
		}
	}
	for i, c := range out {
		if c.dated() || !profiles[i].textual() {
			continue
		}
		score, phrase := headerScore(c.Header, Unit)
		if p := profiles[i]; c.Role != Unit || score == 0 || phrase == normalize(c.Header) || !unitName(c.Header) || p.distinct != p.filled || p.distinct < 2 || dated < 2 {
			return false
		}
		out[i].Role, out[i].Confidence, out[i].UnitTitle = Name, 0.5, true
		out[i].Reason = "no header speaks of measures; the texts are all different, and the header is the name of a unit, whose measures they seem to be"
		return true
	}
	return false
}

// nameByValues takes the column with the most different texts of a name's
// length where no header speaks of measures.
func nameByValues(out []Column, profiles []profile) {
	best := -1
	for i, p := range profiles {
		if out[i].dated() || !p.textual() || p.letters < 6 || p.letters > 120 || p.distinct < 2 {
			continue
		}
		if out[i].Role != Ignored && out[i].Role != Description && out[i].Role != Objective {
			continue
		}
		if best < 0 || p.distinct > profiles[best].distinct {
			best = i
		}
	}
	if best >= 0 {
		out[best].Role, out[best].Confidence = Name, 0.4
		out[best].Reason = fmt.Sprintf("no header speaks of measures; this column has the most different texts (%d)", profiles[best].distinct)
	}
}

// unitsInNames reports whether most measures have their unit behind their name,
// or the columns of values in their headers.
func unitsInNames(columns []Column, body Grid) bool {
	names, units := 0, 0
	for _, c := range columns {
		if c.Role.IsValue() {
			if _, _, ok := cell.NameUnit(c.Header); ok {
				return true
			}
		}
		if c.Role != Name {
			continue
		}
		for _, row := range body {
			if c.Index < len(row) && row[c.Index] != "" {
				names++
				if _, _, ok := cell.NameUnit(row[c.Index]); ok {
					units++
				}
			}
		}
	}
	return units > 0 && 2*units >= names
}
