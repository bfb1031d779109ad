package cell

import (
	"regexp"
	"strconv"
	"strings"
)

const (
	fromTo   = `(?:(?:q|quarter )(?P<q>[1-4])[ :(-]{0,3})?(?P<from>\p{L}[\p{L}\p{M}]{2,13})\.? ?(?:-|–|—|/|to|bis|à|a|al|au|t/m|до) ?(?P<to>\p{L}[\p{L}\p{M}]{2,13})\.?\)?`
	spanYear = `(?P<f>fy[ ']?)?(?:(?P<y>(?:19|20|21)\d{2})|'?(?P<y>\d{2}))`
)

// spans are months from one to another with their year: Jan-Mar 2024, 2024
// (Apr–Jun), Q1 (Jul-Sep) FY24.
var spans = []*regexp.Regexp{
	regexp.MustCompile(`(?i)(^|[ (])` + fromTo + `[ ,)]{0,3}(?:de |of )?` + spanYear + `($|[ ,)])`),
	regexp.MustCompile(`(?i)(^|[ (])` + spanYear + `[ ,(:]{1,3}` + fromTo + `($|[ ,)])`),
}

// monthSpan writes the months of a quarter, a half-year or a calendar year as that.
// Others stay as they are.
func monthSpan(s string) string {
	if !strings.ContainsAny(s, "-–—/") && !strings.Contains(s, " ") {
		return s
	}
	for _, form := range spans {
		at := form.FindStringSubmatchIndex(s)
		if at == nil {
			continue
		}
		var m []string
		for i := 0; i < len(at); i += 2 {
			if at[i] < 0 {
				m = append(m, "")
			} else {
				m = append(m, s[at[i]:at[i+1]])
			}
		}
		g := groups(form, m)
		from, ok := ParseMonth(g["from"])
		to, ok2 := ParseMonth(g["to"])
		y, err := strconv.Atoi(g["y"])
		if !ok || !ok2 || err != nil || to < from {
			continue
		}
		if len(g["y"]) == 2 {
			y = century(y)
		}
		if g["f"] != "" {
			// The number of the quarter says with which month the year begins.
			q, _ := strconv.Atoi(g["q"])
			if q == 0 {
				continue
			}
			if first := (from-3*(q-1)+23)%12 + 1; first > 1 && from >= first {
				y--
			}
		}
		name := ""
		switch n := to - from + 1; {
		case n == 3 && from%3 == 1:
			name = strconv.Itoa(y) + "-Q" + strconv.Itoa(from/3+1)
		case n == 6 && from%6 == 1:
			name = "H" + strconv.Itoa(from/6+1) + " " + strconv.Itoa(y)
		case n == 12 && g["f"] == "":
			name = strconv.Itoa(y)
		default:
			continue
		}
		return strings.TrimSpace(s[:at[0]] + m[1] + name + m[len(m)-1] + s[at[1]:])
	}
	return s
}
