package guess

import (
	"regexp"
	"strconv"
	"strings"

	"setpoint.dev/services/importer/cell"
)

// context is what stands around a table: when it is about, as its title or the
// name of its sheet say.
type context struct {
	period string   // the only one in the lines above the header, or else the sheet's
	from   string   // where it stands
	sheet  string   // the one in the sheet's name
	lines  []string // above the header
	next   bool     // the last of them stands right above it, alone
}

func contextOf(sheet string, g Grid, p Proposal) context {
	c := context{}
	found := map[string]string{}
	for i, row := range g[:p.Header[0]] {
		line := ""
		for _, t := range row {
			if t != "" && !strings.HasSuffix(line, t) {
				line = strings.TrimSpace(line + " " + t)
			}
		}
		if line == "" {
			continue
		}
		c.lines = append(c.lines, line)
		c.next = i == p.Header[0]-1 && loneText(row) != ""
		// A day is when the table was made, two periods are what it runs through.
		if name, rest, ok := cell.FindPeriod(line, p.Locale); ok && !day.MatchString(name) && !isPart(rest) {
			found[name] = line
		}
	}
	if name, rest, ok := cell.FindPeriod(sheet, p.Locale); ok && !day.MatchString(name) && !isPart(rest) {
		c.sheet = name
	}
	switch {
	case len(found) == 1:
		for name, line := range found {
			c.period, c.from = name, "above the table stands "+strconv.Quote(clip(line))
		}
	case len(found) == 0 && c.sheet != "":
		c.period, c.from = c.sheet, "the sheet is called "+strconv.Quote(sheet)
	}
	return c
}

// inThousands is what a title says of the values below it.
var inThousands = regexp.MustCompile(`(?i)(?:\b(?:in|en|em|w|i)\s+(?:thousands?|millions?|billions?|tausend|tsd|mio|mrd|milliers|miles|millones|milhares|milhões|migliaia|milioni|duizend|miljoen|tys|mln|tusental|crore|lakhs?)\b[^()\n]{0,20}|[$£€]\s?(?:000|m|mn|bn)\b|単位：?[^\s)）]{1,8}|单位：?[^\s)）]{1,8})`)
