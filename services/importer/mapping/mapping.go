package mapping

import "setpoint.dev/services/importer/cell"

// Version is the only version of the format.
const Version = "setpoint.dev/import/v1"

// Mapping says how one file becomes manifests and observations. The zero value
// of every optional field is its default.
type Mapping struct {
	// APIVersion is Version.
	APIVersion string `yaml:"apiVersion" doc:"setpoint.dev/import/v1"`
	// Set is the set that the declared resources belong to, default imported:
	// pruning another set leaves them alone, and adopt hands them over.
	Set string `yaml:"set,omitempty" doc:"the set the resources belong to; default imported"`
	// Source is the source of the observations, for example the name of the
	// report; default the name of the set.
	Source string `yaml:"source,omitempty" doc:"the source of the observations; default the name of the set"`
	// Strategy is the plan that the objectives belong to. Where the table has
	// goals or objectives there is one; by default it is named like the set.
	Strategy *Plan `yaml:"strategy,omitempty" doc:"the plan that the objectives belong to"`
	// FiscalYearStart is the month, 1-12, in which the years of the table begin;
	// 0 leaves it to the organization. Fiscal years are named by the year in
	// which they end.
	FiscalYearStart int `yaml:"fiscalYearStart,omitempty" min:"1" max:"12" doc:"the month in which the table's years begin, 1-12; default the organization's"`
	// Vintage is the day from which the file's targets count, YYYY-MM-DD: the
	// edition of a plan. A later edition of the same table re-targets from its own.
	Vintage string `yaml:"vintage,omitempty" doc:"the day from which the file's targets count, YYYY-MM-DD"`
	// Vintages gives the day of each edition, by the word in the column of the
	// role vintage, where one file holds several.
	Vintages map[string]string `yaml:"vintages,omitempty" doc:"the day of each edition, by the word in the vintage column"`
	// Locale is how numbers and dates are written.
	Locale Locale `yaml:"locale,omitempty" doc:"how numbers and dates are written"`
	// Missing are words for "no value" beside those known everywhere (empty,
	// dashes, N/A, …), compared without case.
	Missing []string `yaml:"missing,omitempty" doc:"words that mean that there is no value, beside the usual ones"`
	// Directions gives the direction of each word in the column of the role
	// direction that is not known everywhere: increase, decrease, within or "".
	Directions map[string]string `yaml:"directions,omitempty" enum:"increase,decrease,within,none" doc:"what the words of the direction column mean, beside the usual ones"`
	// Kinds gives the role (target, actual, …) of each word in the column of the
	// role kind that is not known everywhere.
	Kinds map[string]Role `yaml:"kinds,omitempty" enum:"target,actual,planned,executed,min,max,baseline,ignore" doc:"what the words of the kind column mean, beside the usual ones"`
	// Owners says who the words of the owner column are: unit/NAME, person/ID,
	// unit for a unit that is declared with the word as its title, or none.
	Owners map[string]string `yaml:"owners,omitempty" doc:"who the words of the owner column are: unit/NAME, person/ID, unit (declare one of this title) or none"`
	// Aggregations say how finer values become one, by the title of a measure or by
	// its unit of measure, in place of the default.
	Aggregations map[string]string `yaml:"aggregations,omitempty" enum:"last,sum,mean,min,max" doc:"how the finer values of a measure become one, by its title or its unit of measure"`
	// Key names the roles that tell measures apart, default id where there is
	// one, else unit and name.
	Key []Role `yaml:"key,omitempty" enum:"id,name,unit,objective,strategy,period" doc:"the roles that tell measures apart; default id, else unit and name"`
	// Declare limits what is declared, default all kinds: a table that sets
	// targets on metrics which exist leaves Metric out.
	Declare []string `yaml:"declare,omitempty" enum:"Unit,Strategy,Objective,Metric,Target" doc:"the kinds that are declared; default all"`
	// Defaults hold where no column says it.
	Defaults Defaults `yaml:"defaults,omitempty" doc:"what holds where no column says it"`
	// Sheets are read in order; what two of them say of one measure is joined.
	Sheets []Sheet `yaml:"sheets" doc:"the sheets that are read, in order"`

	// Questions are what a guess could not tell; they are written as comments
	// and not read back.
	Questions []string `yaml:"-"`
	// Comment stands at the head of the file.
	Comment string `yaml:"-"`
}

// Plan is the strategy that the objectives belong to.
type Plan struct {
	// Name is an RFC 1123 label.
	Name  string `yaml:"name" doc:"its name, an RFC 1123 label"`
	Title string `yaml:"title,omitempty" doc:"its title"`
	// Start and End are its horizon, YYYY-MM-DD; by default the first and the
	// last day of the periods that have targets.
	Start string `yaml:"start,omitempty" doc:"first day of the horizon; default that of the first target"`
	End   string `yaml:"end,omitempty" doc:"last day of the horizon; default that of the last target"`
}

// Locale is how numbers and dates are written.
type Locale struct {
	// Decimal is "." (default) or ",".
	Decimal string `yaml:"decimal,omitempty" enum:".,comma" doc:"the sign before the fraction, \".\" (default) or \",\""`
	// Dates is dmy or mdy; without it a date with two readings is not understood.
	Dates string `yaml:"dates,omitempty" enum:"dmy,mdy" doc:"the order of dates in numbers; without it one with two readings is not understood"`
	// YearPairs reads 2010-11 as the year that ends in 2011, not as November 2010.
	YearPairs bool `yaml:"yearPairs,omitempty" doc:"2010-11 is the year that ends in 2011, not November 2010"`
}

// Cell is the locale as package cell takes it.
func (l Locale) Cell() cell.Locale {
	out := cell.Locale{Dates: cell.DateOrder(l.Dates), YearPairs: l.YearPairs, Decimal: '.'}
	if l.Decimal == "," {
		out.Decimal = ','
	}
	return out
}

// Defaults hold where no column says it.
type Defaults struct {
	// Direction of targets: increase or decrease; empty leaves them undirected.
	Direction string `yaml:"direction,omitempty" enum:"increase,decrease" doc:"the direction of targets that say none"`
	// Measure is the unit of measure.
	Measure string `yaml:"measure,omitempty" doc:"the unit of measure"`
	// Percent says what a number without a per cent sign is where the unit of
	// measure is a percentage: fraction (0.03 is 3 %) or points (3 is 3 %, which
	// is recorded as 0.03). Without it the numbers are kept, in the unit %.
	Percent string `yaml:"percent,omitempty" enum:"fraction,points" doc:"what a number in the unit percent is: fraction (0.03 is 3 %) or points (3 is 3 %)"`
	// Cadence of the metrics: by default that of their target periods, or else
	// of their values.
	Cadence string `yaml:"cadence,omitempty" enum:"daily,weekly,monthly,quarterly,yearly" doc:"the period of a value; default that of the targets, or of the values"`
	// Aggregation makes one value of those of a period: last (running totals
	// within it, states), sum (what is counted per sub-period), mean, min, max.
	// Values of finer periods than the targets' are only read where it is given.
	Aggregation string `yaml:"aggregation,omitempty" enum:"last,sum,mean,min,max" doc:"how finer values become one: last (also for running totals), sum, mean, min, max"`
	// Accumulate: sinceStart where targets are totals over years and values are of
	// one period each.
	Accumulate string `yaml:"accumulate,omitempty" enum:"sinceStart" doc:"sinceStart: targets are totals over years, values are per period"`
	// HalfYears says what half-years stand for, which the calendar has not: quarter
	// is the one that they end with.
	HalfYears string `yaml:"halfYears,omitempty" enum:"quarter" doc:"quarter: a half-year stands for the quarter that it ends with"`
	// Period of a table that says none.
	Period string `yaml:"period,omitempty" doc:"the period of a table that says none, for example FY2018"`
	// Unit is the title of the organizational unit of rows that name none, as in a
	// workbook with a sheet for each.
	Unit string `yaml:"unit,omitempty" doc:"the title of the organizational unit of rows that name none"`
	// Owner is unit/NAME or person/ID.
	Owner string `yaml:"owner,omitempty" doc:"unit/NAME or person/ID"`
	// Form of targets that stand for a period: periods (default), or path: from
	// Baseline on its first day to the value on its last.
	Form string `yaml:"form,omitempty" enum:"periods,path" doc:"form of the targets: periods (default), or path, from the baseline on the first day to the value on the last"`
	// Target and Baseline are values for rows that have none of their own, as
	// key results have that are scored from 0 to 1.
	Target   *float64 `yaml:"target,omitempty" doc:"the target of rows that name none"`
	Baseline *float64 `yaml:"baseline,omitempty" doc:"the baseline of rows that name none"`
}

// Sheet is one table of the file.
type Sheet struct {
	// Name is the sheet's, exactly; Match a regular expression for several. With
	// neither it is the first sheet; a CSV file has one, whatever its name.
	Name  string `yaml:"name,omitempty" doc:"the sheet's name; default the first"`
	Match string `yaml:"match,omitempty" doc:"a regular expression: all sheets whose names match"`
	// Header are the rows that name the columns, from 1, default [1]. The texts
	// of several are joined by a blank; merged cells hold for all they cover.
	Header []int `yaml:"header,omitempty" min:"1" doc:"the rows that name the columns, from 1; default [1]"`
	// First and Last row of the data, from 1; default those after the header to
	// the end.
	First int `yaml:"first,omitempty" min:"1" doc:"the first row of data; default the one after the header"`
	Last  int `yaml:"last,omitempty" min:"1" doc:"the last row of data; default the sheet's"`
	// Skip are rows that are not read, for example totals.
	Skip []Skip `yaml:"skip,omitempty" doc:"rows that are not read, for example totals"`
	// Sections is the role (objective, strategy, unit, period) that a row names for
	// those below it where it has a text in one cell only.
	Sections Role `yaml:"sections,omitempty" enum:"objective,strategy,unit,period" doc:"the role that a row with one text only names for the rows below it"`
	// Section names what Sections are of for the rows above the first of them, as the
	// title above the header does.
	Section string `yaml:"section,omitempty" doc:"the section of the rows above the first row that names one"`
	// Columns are those that are read. A column that is not named here is
	// reported, unless its role is ignore.
	Columns []Column `yaml:"columns" doc:"what each column is for"`
	// Locale and Defaults of this sheet, in place of the file's where given.
	Locale   *Locale   `yaml:"locale,omitempty" doc:"how this sheet's numbers and dates are written"`
	Defaults *Defaults `yaml:"defaults,omitempty" doc:"what holds in this sheet in place of the file's defaults"`

	// Comment of a guess.
	Comment string `yaml:"-"`
}

// Skip names rows that are not read.
type Skip struct {
	// Column is its header or #LETTER.
	Column string `yaml:"column" doc:"the header of a column, or #C for the third"`
	// Match is a regular expression on its text.
	Match string `yaml:"match" doc:"a regular expression on the cell's text"`
}
