package cell

import (
	"regexp"
	"strings"
)

var (
	yes = words("yes", "y", "true", "ja", "j", "oui", "sí", "si", "sì", "sim", "tak", "ano", "kyllä", "✓", "✔", "☑", "是", "有", "はい", "да")
	no  = words("no", "n", "false", "nein", "non", "não", "nao", "nie", "ne", "nee", "nej", "nei", "ei", "✗", "✘", "☐", "否", "いいえ", "нет")
)

// ParseYes reads yes or no; ok is false where the text is neither.
func ParseYes(text string) (value, ok bool) {
	if len(text) > MaxText {
		return false, false
	}
	s := strings.Trim(strings.ToLower(plain(text)), ".! ")
	if s == "o" || s == "s" {
		return false, false // one letter that may be another language's, or a zero
	}
	return yes[s], yes[s] || no[s]
}

var ratio = regexp.MustCompile(`^(\d[\d.,' ]*?) ?(?::|∶|÷) ?(\d[\d.,' ]*)$`)

// Ratio is two numbers with a colon between: 3:1, 1:25.
type Ratio struct {
	Left, Right float64
	// Clock says that it may be a time as well: 1:25 is an hour and 25 minutes, or
	// a minute and 25 seconds.
	Clock bool
}

// The two forms that ratios have, by the side that is one.
const (
	ToOne = "n:1" // 3:1, and 3:2, which is 1.5:1
	OneTo = "1:n" // 1:25
)

// Value is the side that is not one, with the form; the form of 1:1 is empty.
func (r Ratio) Value() (v float64, form string) {
	switch {
	case r.Left == 1 && r.Right == 1:
		return 1, ""
	case r.Left == 1 && r.Right > 1:
		return r.Right, OneTo
	}
	return r.Left / r.Right, ToOne
}

var clockMinutes = regexp.MustCompile(`^[0-5]\d$`)

// ParseRatio reads two numbers with a colon between; ok is false where the text is
// no such thing.
func ParseRatio(text string, l Locale) (r Ratio, ok bool) {
	if len(text) > MaxText {
		return r, false
	}
	m := ratio.FindStringSubmatch(plain(text))
	if m == nil {
		return r, false
	}
	left, _, err := value(strings.TrimSpace(m[1]), l)
	right, _, err2 := value(strings.TrimSpace(m[2]), l)
	if err != nil || err2 != nil || right == 0 {
		return r, false
	}
	return Ratio{left, right, clockMinutes.MatchString(m[2]) && !strings.ContainsAny(m[1], ".,' ")}, true
}

var ratioWord = regexp.MustCompile(`(?i)(?:^|[^\pL])(?:ratio|verhältnis|quotient|rapport|proporción|razón|relación|proporção|razão|rapporto|verhouding|förhållande|forhold|stosunek|relacja|betreuungsrelation|betreuungsschlüssel|betreuungsverhältnis|per teacher|1 ?: ?[nx]|[nx] ?: ?1)(?:$|[^\pL])|比率|比例`)

// SaysRatio reports whether a unit or a name says that the values are ratios.
func SaysRatio(text string) bool { return ratioWord.MatchString(text) }
