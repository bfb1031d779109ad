// Package calendar holds calendar dates and the periods of an organization's
// calendar: days, weeks, months, quarters and years, of calendar months, fiscal
// or not, or of whole weeks (4-4-5).
//
// There is no clock and no time zone here: a date is a day as an organization
// calls it. Whoever has an instant turns it into a date at the door
// (FromTime on a time in the organization's zone).
//
// Invariants: a Date is comparable and its zero value is unset; the periods
// of one cadence and one Calendar tile the line of days without gap
// or overlap; a period's End is its last day, inclusive.
//
// A fiscal year is named by the year in which it ends: with a year that
// starts in October, FY2018 is 2017-10-01 to 2018-09-30.
//
// Start with date.go, then period.go and fiscal.go; weeks.go is the 4-4-5
// calendar, parse.go reads the names of periods.
package calendar
