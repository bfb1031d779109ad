package guess

import (
	"regexp"
	"slices"
	"strings"
)

// yearsOfPlan makes targets of columns that count the years of a plan (Year 1
// 2026/27, Year 2 2027/28) and stand behind a baseline, where no column is known
// to hold targets or actuals.
func yearsOfPlan(out []Column, counted map[int]bool) {
	if len(counted) < 2 || !slices.ContainsFunc(out, func(c Column) bool { return c.Role == Baseline }) {
		return
	}
	for _, c := range out {
		if !counted[c.Index] && (c.Role == Actual || c.Role == Target || c.Role == Value) {
			return
		}
	}
	for i := range out {
		if counted[i] && out[i].Role == Actual {
			out[i].Role, out[i].Confidence = Target, 0.5
			out[i].Reason = "a year of a plan, counted from its first, behind a baseline: that it holds targets is assumed"
		}
	}
}

// code is what databases call a measure by.
var code = regexp.MustCompile(`^\pL{0,6}[ _.-]?\d+(?:[._-]?[\pL\d]+)*$`)

// codesAsNames gives the name to a column of titles, where the one that was taken
// for it holds codes: "kpi" beside "kpi_title".
func codesAsNames(out []Column, profiles []profile) {
	name := slices.IndexFunc(out, func(c Column) bool { return c.Role == Name && !c.dated() })
	if name < 0 || len(profiles[name].texts) == 0 || slices.ContainsFunc(profiles[name].texts, func(t string) bool { return !code.MatchString(t) }) {
		return
	}
	best, at := 0.0, -1
	for i, c := range out {
		p := profiles[i]
		s, _ := headerScore(withoutUnit(c.Header), Name)
		if c.dated() || c.Role != Ignored && c.Role != Description || !p.textual() || p.letters < 6 || p.distinct < profiles[name].distinct/2 || strings.ContainsFunc(c.Header, func(r rune) bool { return r == '#' }) {
			continue
		}
		if s > best {
			best, at = s, i
		}
	}
	if at < 0 {
		return
	}
	if !slices.ContainsFunc(out, func(c Column) bool { return c.Role == ID }) {
		out[name] = Column{Index: name, Header: out[name].Header, Role: ID, Confidence: 0.7, Reason: "codes, which another column names"}
	} else {
		out[name] = Column{Index: name, Header: out[name].Header, Role: Ignored, Confidence: 0.5, Reason: "codes, which another column names"}
	}
	out[at].Role, out[at].Confidence = Name, min(1, best+0.3)
	out[at].Reason = "the titles of the codes in another column"
}
