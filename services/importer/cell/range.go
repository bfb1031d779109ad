package cell

import (
	"regexp"
	"strings"
)

// between are the ways to write a range: 85-90 %, 85 % – 90 %, 4,5 bis 5,0,
// between 85 and 90, 0.3..0.6.
var between = []*regexp.Regexp{
	regexp.MustCompile(`^(?i:(?:between|from|zwischen|von|entre|de|da|tra|van|tussen|mellan|från|od) )?(.*?\d.*?) (?i:to|and|bis|und|à|a|et|y|e|tot|en|till|och|do|i) (.*\d.*)$`),
	regexp.MustCompile(`^(.*?\d.*?) ?(?:-|–|—|\.\.\.?|…|~|〜|∼|至|から) ?(.*\d.*)$`),
}

// ParseRange reads two numbers with a word or a dash between them, the lower one
// first. A percentage, a currency, a magnitude or a unit that only the second
// has is the first one's too. The error is Invalid, import.number.
func ParseRange(text string, l Locale) (low, high Number, err error) {
	if len(text) > MaxText {
		return low, high, notNumber(text, "is too long for a range")
	}
	s, sign := cutMark(plain(text))
	var m []string
	for i := 0; i < len(between) && m == nil; i++ {
		m = between[i].FindStringSubmatch(s)
	}
	if m == nil {
		return low, high, notNumber(text, "is no range")
	}
	if _, err := ParsePeriod(s, l); err == nil {
		return low, high, notNumber(text, "is a period")
	}
	if high, err = ParseNumber(m[2], l); err != nil {
		return low, high, notNumber(text, "is no range")
	}
	first := strings.TrimSpace(m[1])
	if low, err = ParseNumber(first, l); err != nil {
		return low, high, notNumber(text, "is no range")
	}
	if !low.Percent && low.Magnitude == 0 && low.Unit == "" {
		low.Percent, low.Unit = high.Percent, high.Unit
		low.Value, low.Magnitude = scale(low.Value, high.Magnitude), high.Magnitude
	}
	if low.Currency == "" {
		low.Currency = high.Currency
	}
	if high.Currency == "" {
		high.Currency = low.Currency
	}
	if low.Percent != high.Percent || low.Unit != high.Unit || low.Currency != high.Currency || low.Bound+high.Bound != "" || low.Mark != "" {
		return low, high, notNumber(text, "has two numbers of different kinds")
	}
	if low.Value > high.Value {
		return low, high, notNumber(text, "is a range whose first number is above the second")
	}
	high.Mark += sign
	return low, high, nil
}
