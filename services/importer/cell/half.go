package cell

import (
	"regexp"
	"strconv"
	"strings"
)

const (
	halfWord = `(?:(?:h|hy|hj|s|sem\.?|semestre|semester|semestr|halbjahr|half[- ]?year|half|półrocze|halvår)[ ._-]?(?P<h>[12])|` +
		`(?P<h>[12])(?:st|nd|\.|er|e|ème|º|°|ª|o|do)? ?-?(?:half[- ]?year|half|halbjahr|hj\.?|hy|h|semestre|semester|semestr|sem\.?|s|półrocze|halvår)|` +
		`(?P<h>first|second) half(?:[- ]year)?|(?P<h>上半|下半|上|下)(?:年度?|期))`
	halfFiscal = `(?P<f>fy|fiscal year|gj|geschäftsjahr|ex\.?|exercice|ejercicio)?[ ']{0,2}`
	yearOfHalf = `(?P<y>(?:19|20|21)\d{2})`
)

// halves are half-years as they are written: H1 2024, 1H24, 2. Halbjahr 2023, 2024
// S2, FY24 H1.
var halves = []*regexp.Regexp{
	regexp.MustCompile(`(?i)(^|[^\pL\d])` + halfWord + `[ /_.,'-]{0,2}(?:of |de |del |du |do )?` + halfFiscal + `(?:` + yearOfHalf + `|(?P<y>\d{2}))(?:$|[^\pL\d])`),
	regexp.MustCompile(`(?i)(^|[^\pL\d])` + halfFiscal + yearOfHalf + `[ /_.-]{0,3}` + halfWord + `(?:$|[^\pL\d])`),
	regexp.MustCompile(`(?i)(^|[^\pL\d])(?P<f>fy)[ ']?(?P<y>\d{2})[ /_.-]{0,3}` + halfWord + `(?:$|[^\pL\d])`),
}

// FindHalf looks for a half-year in a text and names it YYYY-H1, of a fiscal year
// FYYYYY-H1; rest is the text without it. The calendar has no half-years: what
// they stand for is the mapping's to say.
func FindHalf(text string) (name, rest string, ok bool) {
	if len(text) > MaxText {
		return "", text, false
	}
	s := strings.TrimSpace(strings.NewReplacer("(", " ", ")", " ", "[", " ", "]", " ").Replace(monthSpan(eastAsian(plain(text)))))
	for _, form := range halves {
		at := form.FindStringSubmatchIndex(s)
		if at == nil {
			continue
		}
		g := map[string]string{}
		for i, group := range form.SubexpNames() {
			if group != "" && at[2*i] >= 0 {
				g[group] += s[at[2*i]:at[2*i+1]]
			}
		}
		half := "1"
		switch strings.ToLower(g["h"]) {
		case "2", "second", "下半", "下":
			half = "2"
		}
		year, err := strconv.Atoi(g["y"])
		if err != nil {
			continue
		}
		if len(g["y"]) == 2 {
			year = century(year)
		}
		name = strconv.Itoa(year) + "-H" + half
		if g["f"] != "" {
			name = "FY" + name
		}
		return name, strings.Join(strings.Fields(s[:at[3]]+" "+s[at[1]:]), " "), true
	}
	return "", text, false
}

// ParseHalf is FindHalf of a text that is nothing else.
func ParseHalf(text string) (name string, ok bool) {
	name, rest, ok := FindHalf(text)
	return name, ok && rest == ""
}

var halfName = regexp.MustCompile(`^((?:FY)?\d{4})-H([12])$`)

// LastQuarter is the quarter that a half-year, by its name, ends with.
func LastQuarter(half string) (quarter string, ok bool) {
	m := halfName.FindStringSubmatch(half)
	if m == nil {
		return "", false
	}
	return m[1] + "-Q" + map[string]string{"1": "2", "2": "4"}[m[2]], true
}
