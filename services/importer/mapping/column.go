package mapping

// Role is what a column is for.
type Role string

// The roles. What Value, Planned and Executed mean stands beside them; the
// others say it.
const (
	Ignore      Role = "ignore"
	ID          Role = "id"          // names the measure for good
	Name        Role = "name"        // the measure's title; of several columns each is a part
	Description Role = "description" // of the measure
	Strategy    Role = "strategy"    // the highest goal, pillar, theme: the objective's pillar
	Objective   Role = "objective"   // what the measure serves; several from the highest to the lowest
	Unit        Role = "unit"        // organizational; several from the highest to the lowest
	Owner       Role = "owner"       // a text, kept as a label: people are never invented
	Measure     Role = "measure"     // the unit of measure: %, days, EUR
	Direction   Role = "direction"   // which way is good
	Period      Role = "period"      // of the row's values
	Year        Role = "year"        // with Quarter or Month, or alone
	Quarter     Role = "quarter"
	Month       Role = "month"
	Kind        Role = "kind"     // says of each row what its value is
	Value       Role = "value"    // the number of a row whose kind another column says
	Target      Role = "target"   // the setpoint of the period
	Actual      Role = "actual"   // what was measured
	Planned     Role = "planned"  // a target in the words of budgets: read as target
	Executed    Role = "executed" // an actual in the words of budgets: read as actual
	Min         Role = "min"      // the lower bound of a target
	Max         Role = "max"      // the upper bound of a target
	Baseline    Role = "baseline"
	BaselineAt  Role = "baselineYear" // when the baseline was true
	TargetAt    Role = "targetYear"   // when the target is due: it is then a path
	Vintage     Role = "vintage"      // the edition that says it
	Frequency   Role = "frequency"    // how often it is measured: a note of the metric
	Note        Role = "note"
	Status      Role = "status" // somebody's judgement; kept as a note, never as a status
	Weight      Role = "weight" // of the target in its objective
)

// Roles are all of them, in the order of the reference.
var Roles = []Role{
	ID, Name, Description, Strategy, Objective, Unit, Owner, Measure, Direction, Period, Year, Quarter, Month, Kind, Value, Target,
	Actual, Planned, Executed, Min, Max, Baseline, BaselineAt, TargetAt, Vintage, Frequency, Note, Status, Weight, Ignore,
}

// IsValue reports whether a column of the role holds numbers of a period.
func (r Role) IsValue() bool {
	switch r {
	case Value, Target, Actual, Planned, Executed, Min, Max:
		return true
	}
	return false
}

// Column is one column of a sheet, or with Match several of one role.
type Column struct {
	// One of Header (compared without case and with blanks as one), Letter (A,
	// B, … AA) and Match (a regular expression on the header) selects it.
	Header string `yaml:"header,omitempty" doc:"the column's header, without regard to case and blanks"`
	Letter string `yaml:"letter,omitempty" pattern:"^[A-Z]{1,3}$" doc:"the column's letter, A, B, … AA"`
	Match  string `yaml:"match,omitempty" doc:"a regular expression on the header, for several columns"`
	// Role is what it is for.
	Role Role `yaml:"role" enum:"roles" doc:"what it is for"`
	// Period of a value column: FY2017, 2017-Q3, with $1 for what a group of
	// Match found; header reads it from the header. Q3, H1 and M07 are parts of the
	// year that the row, or the default period, says. By default it is the row's.
	Period string `yaml:"period,omitempty" doc:"the period of its values: FY2017, FY20$1 with a group of match, header, or a part of the row's year: Q3, H1, M07; default the row's"`
	// At is the day of the period on which an actual was true: end (default),
	// middle or start.
	At string `yaml:"at,omitempty" enum:"start,middle,end" doc:"the day of the period on which its values were true; default end"`
	// Span says what a date in a column of periods stands for: the week, month,
	// quarter or year that it is in.
	Span string `yaml:"span,omitempty" enum:"week,month,quarter,year" doc:"dates of the periods stand for the week, month, quarter or year they are in"`
	// Kinds says that the last word of a name is what the row's values are, as in
	// "Sales - Target" above "Sales - Actual".
	Kinds bool `yaml:"kinds,omitempty" doc:"the last word of the name says what the row's values are (Sales - Target)"`
	// Of names the measure of this column: a part of the row's measure, or the
	// whole where the row names none.
	Of string `yaml:"of,omitempty" doc:"the measure of this column: a part of the row's, or the whole where the row names none"`
	// Measure is the unit of its values, Scale what they are multiplied by
	// (1000 where the header says thousands), default 1.
	Measure string  `yaml:"measure,omitempty" doc:"the unit of measure of its values"`
	Scale   float64 `yaml:"scale,omitempty" doc:"what its values are multiplied by; default 1"`
	// Change makes a target a change from the baseline, in percent: below (40 is
	// 40 % less) or above (40 is 40 % more).
	Change string `yaml:"change,omitempty" enum:"below,above" doc:"targets in percent below or above the baseline"`
	// Fill takes the text of the row above where a cell is empty, as tables do
	// that name a group once.
	Fill bool `yaml:"fill,omitempty" doc:"an empty cell says what the one above says"`
	// Split takes the first part of a text that joins several.
	Split string `yaml:"split,omitempty" doc:"the sign between several texts in one cell, of which the first counts"`
	// Optional columns may be missing from the table.
	Optional bool `yaml:"optional,omitempty" doc:"the table may be without it"`

	// Comment is a guess's reason and confidence.
	Comment string `yaml:"-"`
}
