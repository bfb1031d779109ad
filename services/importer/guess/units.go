package guess

import (
	"fmt"
	"regexp"
	"slices"
)

// kindOfUnit is a header of sorts of units, not of their names.
var kindOfUnit = regexp.MustCompile(`(?:^| )(?:type|typ|types|tipo|kategorie|category|level|niveau|nivel)$|^(?:type|kind|category|class|level) of `)

// measuresOfUnits makes a measure of each column of numbers in a table of units:
// a row for each hospital, school or district (and period), and columns whose
// headers no word of a table of measures is in.
func measuresOfUnits(out []Column, profiles []profile) {
	name, unit, period := -1, -1, -1
	for i, c := range out {
		switch {
		case c.dated(), slices.Contains([]Role{Target, Baseline, Min, Max, Kind, TargetAt, Measure, Direction, Objective}, c.Role):
			return
		case c.Role == Name:
			name = i
		case c.Role == Unit:
			unit = i
		case c.Role == Period:
			period = i
		case (c.Role == Actual || c.Role == Value) && c.Confidence > 0.9:
			return // the values have a column
		}
	}
	// Whose the rows are: what a column calls a name beside one of units, or else
	// the units themselves.
	whose := name
	if whose < 0 {
		whose = unit
	}
	if whose < 0 || unit < 0 || name >= 0 && out[name].Confidence > 0.45 {
		return
	}
	if p := profiles[whose]; period < 0 && p.distinct < p.filled || p.distinct < 3 {
		return
	}
	var measures []int
	for i, c := range out {
		p := profiles[i]
		open := c.Role == Ignored && c.Reason == "" || c.Role == Value || c.Role == Actual
		if open && c.Header != "" && p.numeric() && !p.flag() && p.share(p.years) < 0.9 && !identifier.MatchString(normalize(c.Header)) {
			measures = append(measures, i)
		}
	}
	if len(measures) < 2 {
		return
	}
	for _, i := range measures {
		out[i].Role, out[i].Confidence = Actual, 0.5
		out[i].Reason = "numbers of each unit, and the header names the measure; that they are actuals is assumed"
	}
	if name >= 0 {
		out[name].Role, out[name].Confidence = Unit, 0.5
		out[name].Reason = fmt.Sprintf("%d different texts: whose numbers the columns hold", profiles[name].distinct)
	}
	for i, c := range out {
		if c.Role == ID {
			out[i] = Column{Index: i, Header: c.Header, Role: Ignored, Confidence: 0.5, Reason: "the code of a unit, not of a measure"}
		}
	}
}
