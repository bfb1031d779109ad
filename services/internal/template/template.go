// Package template holds manifests to start from: one commented file for each
// way of writing a strategy down.
//
// Invariants: every template applies without a fault on an empty server,
// whatever the year; nothing in it depends on anything but that year.
package template

import (
	"embed"
	"fmt"
	"regexp"
	"strconv"
)

//go:embed files/*.yaml
var files embed.FS

// Template is one set of manifests.
type Template struct {
	Name  string // as on the command line
	Short string // one line
}

// All are the templates, in the order in which they are listed.
var All = []Template{
	{"okr", "objectives and key results of a year, with commit, target and stretch"},
	{"balanced-scorecard", "four perspectives that lead to each other"},
	{"ogsm", "objective, goals, strategies and measures"},
	{"hoshin", "breakthroughs, annual objectives and improvement work, cascaded"},
	{"strategic-plan", "a plan of five years with pillars and yearly targets"},
	{"life-design", "a person's year: practices, health, work, people"},
	{"pkm", "personal knowledge: capture, distil, publish"},
}

// Named finds a template; false where there is none of that name.
func Named(name string) (Template, bool) {
	for _, t := range All {
		if t.Name == name {
			return t, true
		}
	}
	return Template{}, false
}

// {YEAR}, {YEAR+2} and {YEAR-1} in a file are calendar years.
var yearMark = regexp.MustCompile(`\{YEAR([+-]\d)?\}`)

// Manifests is the YAML of the template for a plan that starts in year, which
// must be one that manifests can hold: 1901 to 2190.
func (t Template) Manifests(year int) ([]byte, error) {
	if year < 1901 || year > 2190 {
		return nil, fmt.Errorf("year %d is not between 1901 and 2190", year)
	}
	raw, err := files.ReadFile("files/" + t.Name + ".yaml")
	if err != nil {
		return nil, err
	}
	return yearMark.ReplaceAllFunc(raw, func(mark []byte) []byte {
		shift, _ := strconv.Atoi(string(yearMark.FindSubmatch(mark)[1])) // none is 0
		return []byte(strconv.Itoa(year + shift))
	}), nil
}
