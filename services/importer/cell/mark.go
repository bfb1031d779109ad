package cell

import (
	"regexp"
	"strings"
)

// marks of footnotes stand behind a number: 12.5*, 12.5 †, 12,5¹⁾, 12,5 1), 12.5
// (p), and the flags of statistical offices: 12.5 p (provisional), b (break), e
// (estimated), r (revised). A raised digit behind a letter is a unit's (m²).
var mark = regexp.MustCompile(`^(.*[\d%)])(?: ?([*†‡§#]+\)?)|([¹²³⁴⁵⁶⁷⁸⁹]+⁾?)| ?(\((?:[a-z]|\d)\))| (\d\))| ([bepr]))$`)

// cutMark parts the mark of a footnote from the text before it.
func cutMark(s string) (rest, sign string) {
	m := mark.FindStringSubmatch(s)
	if m == nil {
		return s, ""
	}
	return m[1], m[2] + m[3] + m[4] + m[5] + m[6]
}

// nameMarks are signs of footnotes behind a name. A raised digit behind one or
// two letters is a unit's (km²), and a figure alone may be a part of the name.
var nameMark = regexp.MustCompile(`^(.*(?:\pL{3}|[)\].%’"»“])) ?([*†‡§]+\)?|[¹²³⁴⁵⁶⁷⁸⁹⁰]+⁾?|\(\*+\)|\d\))$`)

// beforeUnit is such a sign before the unit in parentheses.
var beforeUnit = regexp.MustCompile(`^(.*\pL{3}) ?([*†‡§]+|[¹²³⁴⁵⁶⁷⁸⁹⁰]+⁾?)( ?[(\[][^()\[\]]{1,30}[)\]])$`)

// NameMark parts the sign of a footnote from a name: Waiting time*, Emissions¹⁾,
// Waiting time* (days).
func NameMark(name string) (rest, sign string) {
	if m := beforeUnit.FindStringSubmatch(name); m != nil {
		return m[1] + m[3], m[2]
	}
	m := nameMark.FindStringSubmatch(name)
	if m == nil {
		return name, ""
	}
	return m[1], m[2]
}

// headerMark are signs of footnotes within a header: behind each of its lines one
// may stand. Figures in parentheses may tell columns apart and stay.
var headerMark = regexp.MustCompile(`(\d|\pL{3}|[)\].%’"»“]) ?(?:[*†‡§]+\)?|[¹²³⁴⁵⁶⁷⁸⁹⁰]+⁾?|\[\d{1,2}\]|\(\*+\))( |$)`)

// CutHeaderMarks takes the signs of footnotes from a header: Target 2023¹.
func CutHeaderMarks(header string) string {
	if !strings.ContainsAny(header, "*†‡§[¹²³⁴⁵⁶⁷⁸⁹⁰") {
		return header // as each cell is that is compared with one
	}
	return headerMark.ReplaceAllString(header, "$1$2")
}
