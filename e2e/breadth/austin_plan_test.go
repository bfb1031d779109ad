package breadth_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

// measure is one line of the city's table.
type measure struct {
	name, title, description string
	unit, objective          string // department, program
	weight                   float64
	sign                     float64 // +1 more is better, −1 less is, 0 unknown
	actual                   map[int]float64
	prior                    *float64 // FY2015, as amended
	approved                 *float64 // FY2016, as approved before the year
	amended                  *float64 // FY2016, as amended in the year
}

// city is the table as it is to be declared.
type city struct {
	measures []measure
	programs map[string]row // by objective
	text     map[string]int // cells that are words, by word
	cells    int            // cells with a number
	answers  int            // actuals that are Yes or No, which manifests leave out and an import reads
	promised []string       // measures whose amended target is Yes or No
}

// The yearly actuals by fiscal year, which ends on 30 September.
var austinActuals = map[int]string{2011: "PFY5_ACTUAL", 2012: "PFY4_ACTUAL", 2013: "PFY3_ACTUAL", 2014: "PFY2_ACTUAL", 2015: "PFY1_ACTUAL"}

// amendment is the day from which the amended targets are declared to count;
// the table does not say when in the year they were amended.
const (
	approval  = "2015-10-01"
	amendment = "2016-04-01"
)

func austin(t testing.TB) city {
	c := city{programs: map[string]row{}, text: map[string]int{}}
	// A cell with words in it gives no value: it is counted, and never 0.
	cell := func(s string) *float64 {
		v, ok := number(s)
		if !ok {
			c.text[s]++
			return nil
		}
		c.cells++
		return &v
	}
	for _, r := range read(t, austinTable) {
		m := measure{
			name: "m-" + r["MEASURE_ID"], title: r["MEASURE_NAME"], description: r["MEASURE_DESCRIPTION"],
			unit: strings.ToLower(r["DEPT_CD"]), weight: 1, actual: map[int]float64{},
		}
		program := r["DIV_CD"]
		if program == "" {
			program = "none"
		}
		m.objective = m.unit + "-" + strings.ToLower(program)
		c.programs[m.objective] = r
		if r["KEY_PERFORMANCE"] == "1" {
			m.weight = 2
		}
		if r["MEASURE_TYPE_NAME"] != "Demand" {
			m.sign = directionOf(r["MEASURE_NAME"])
		}
		for year, column := range austinActuals {
			if v := cell(r[column]); v != nil {
				m.actual[year] = *v
			} else if answer(r[column]) {
				c.answers++
			}
		}
		if answer(r["CFY_AMENDED"]) {
			c.promised = append(c.promised, m.name)
		}
		m.prior, m.amended = cell(r["PFY1_AMENDED"]), cell(r["CFY_AMENDED"])
		// Where the amended target is words, the approved one is a stand-in for
		// them: −1 for a year without a session, 0 for a year without an election.
		if m.approved = cell(r["CFY_APPROVED"]); m.amended == nil {
			m.approved = nil
		}
		c.measures = append(c.measures, m)
	}
	return c
}

// answer says that a cell is the answer to a question.
func answer(cell string) bool { return cell == "Yes" || cell == "No" }

// The table says neither direction nor unit. These rules take the direction
// from the measure's name; what none of them recognizes is left undirected
// rather than guessed, and so is demand, which is nobody's goal. The first that
// matches decides.
var directions = []struct {
	pattern *regexp.Regexp
	sign    float64
}{
	// Harm is harm, as a number, a rate or a percentage.
	{regexp.MustCompile(`injur|lost time|turnover|death|fatalit|crime rate|crimes|offenses|grievance|sick leave|smoking|shrinkage|interruption|outage|turbidity|lawsuit|refunds|vacancy|accident|homeless|substandard|overdue|complaints received`), -1},
	// Saved money and time are good, so is what is done within a time.
	{regexp.MustCompile(`savings|cost avoidance|satisf|on[ -]time|within |less than|timely|by due date|up-?time|availability|accura|compliance`), +1},
	{regexp.MustCompile(`\b(cost|costs|expense|response time|wait time|turnaround time|average time|average number of (calendar |business |working )?days|time,? in|time to|days to|days from|hours to|months to|seconds)\b`), -1},
	{regexp.MustCompile(`^(percent|percentage|%)|served|trained|completed|participants|attend|graduat|assisted|repaired|replaced|recycled|inspect`), +1},
}

func directionOf(name string) float64 {
	name = strings.ToLower(name)
	for _, d := range directions {
		if d.pattern.MatchString(name) {
			return d.sign
		}
	}
	return 0
}

// targets of the measure by fiscal year, before or after the amendment.
func (m *measure) targets(amended bool) map[int]float64 {
	out := map[int]float64{}
	if m.prior != nil {
		out[2015] = *m.prior
	}
	next := m.approved
	if amended {
		next = m.amended
	}
	if next != nil {
		out[2016] = *next
	}
	return out
}

// changed says that the amendment is another declaration than the approval.
func (m *measure) changed() bool {
	a, b := m.targets(false), m.targets(true)
	if len(a) != len(b) {
		return true
	}
	for year, v := range a {
		if w, ok := b[year]; !ok || v != w {
			return true
		}
	}
	return false
}

// manifests declares the city: a unit a department, an objective a program, a
// metric a measure, and a target where there is a number to reach. mirror is −1
// to turn every number and direction round.
func (c *city) manifests(amended bool, mirror float64) *declarationv1.Manifests {
	var top strings.Builder
	top.WriteString(document("Organization", "name: austin", `title: City of Austin, timeZone: America/Chicago, currency: USD, fiscalYearStart: 10`))
	top.WriteString(document("Unit", "name: city", `title: City of Austin`))
	top.WriteString(document("Strategy", "name: performance", `title: Performance measures FY2015-FY2016, owner: unit/city, horizon: {start: 2014-10-01, end: 2016-09-30}`))
	files := map[string]*strings.Builder{}
	in := func(unit string) *strings.Builder {
		if files[unit] == nil {
			files[unit] = &strings.Builder{}
			files[unit].WriteString(document("Unit", "name: "+unit, fmt.Sprintf("title: %s, parent: city", quoted(strings.ToUpper(unit)))))
		}
		return files[unit]
	}
	for _, name := range slices.Sorted(maps.Keys(c.programs)) {
		r := c.programs[name]
		unit, _, _ := strings.Cut(name, "-")
		in(unit).WriteString(document("Objective", "name: "+name, fmt.Sprintf("strategy: performance, title: %s, owner: unit/%s",
			quoted("Program "+r["PROGRAM_NAME"]), unit)))
	}
	for i := range c.measures {
		m := &c.measures[i]
		f := in(m.unit)
		spec := fmt.Sprintf("title: %s, description: %s, unit: as named, cadence: yearly, owner: unit/%s", quoted(m.title), quoted(m.description), m.unit)
		f.WriteString(document("Metric", "name: "+m.name, spec))
		targets := m.targets(amended)
		if len(targets) == 0 {
			continue
		}
		effective := approval
		if amended && m.changed() {
			effective = amendment
		}
		direction := map[float64]string{+1: "direction: increase, ", -1: "direction: decrease, "}[m.sign*mirror]
		var periods []string
		for _, year := range []int{2015, 2016} {
			if v, ok := targets[year]; ok {
				periods = append(periods, fmt.Sprintf("{period: FY%d, value: %s}", year, decimal(v*mirror)))
			}
		}
		f.WriteString(document("Target", fmt.Sprintf("name: %s, effective: %s", m.name, effective),
			fmt.Sprintf("metric: %s, objective: %s, title: %s, weight: %s, %speriods: [%s]",
				m.name, m.objective, quoted(m.title), decimal(m.weight), direction, strings.Join(periods, ", "))))
	}
	out := &declarationv1.Manifests{Files: []*declarationv1.ManifestFile{file("city.yaml", top.String())}}
	for _, unit := range slices.Sorted(maps.Keys(files)) {
		out.Files = append(out.Files, file(unit+".yaml", files[unit].String()))
	}
	return out
}

// observations are the actuals, each for its fiscal year.
func (c *city) observations(mirror float64) []*strategyv1.Observation {
	var out []*strategyv1.Observation
	for i := range c.measures {
		m := &c.measures[i]
		for year := 2011; year <= 2015; year++ {
			if v, ok := m.actual[year]; ok {
				if v *= mirror; v == 0 {
					v = 0 // no negative zero
				}
				out = append(out, observation(m.name, fmt.Sprintf("FY%d", year), v, "ePerf"))
			}
		}
	}
	return out
}
