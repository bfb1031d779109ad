package guess

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// language is the mark of a language at the end of a header: name_en, Name (FR).
var language = regexp.MustCompile(`(?i)^(.+?)[ _.\-]*[(\[]?\b(en|fr|de|es|it|pt|nl|pl|sv|fi|ga|cy|eng|fra|ger|deu|spa|english|french|german|français|anglais|deutsch|englisch)[)\]]?$`)

// twins finds headers that are there in several languages. plain are the headers
// without the marks of those; of says beside which other column, the first of
// them, a column says the same.
func twins(headers []string) (plain []string, of map[int]int) {
	plain, of = slices.Clone(headers), map[int]int{}
	groups := map[string][]int{}
	marks := map[int]string{}
	for i, h := range headers {
		// A blank parts what \b does not: name_en.
		m := language.FindStringSubmatch(strings.TrimSpace(strings.ReplaceAll(h, "_", " ")))
		if m == nil {
			continue
		}
		base := normalize(m[1])
		if slices.ContainsFunc(groups[base], func(j int) bool { return marks[j] == strings.ToLower(m[2]) }) {
			continue
		}
		marks[i] = strings.ToLower(m[2])
		groups[base] = append(groups[base], i)
	}
	for base, g := range groups {
		if len(g) < 2 {
			continue
		}
		for n, i := range g {
			plain[i] = base
			if n > 0 {
				of[i] = g[0]
			}
		}
	}
	return plain, of
}

// assign gives each column its role. Of columns that say the same in several
// languages the first is read.
func assign(headers []string, levels [][]string, profiles []profile) []Column {
	plain, of := twins(headers)
	looked := slices.Clone(profiles)
	for i := range of {
		plain[i], looked[i] = "", profile{} // no column of its own
	}
	out := assignRoles(plain, levels, looked)
	for i := range out {
		out[i].Header = headers[i]
		out[i].Levels = levels[i]
		if first, twin := of[i]; twin {
			out[i] = Column{Index: i, Header: headers[i], Role: Ignored, Confidence: 0.9, Reason: fmt.Sprintf("what %q says, in another language", headers[first])}
		}
	}
	return out
}
