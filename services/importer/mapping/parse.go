package mapping

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"setpoint.dev/services/importer/cell"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/resource"
)

// MaxBytes is the longest mapping that is read.
const MaxBytes = 1 << 20

var ownerMeaning = regexp.MustCompile(`^(unit|none|unit/[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?|person/[A-Za-z0-9_-]{1,64})$`)

var label = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// Parse reads a mapping in YAML (or JSON) and checks it. The error is a
// *fault.Error of kind Invalid, import.mapping, whose places name each field
// that is wrong, with name as the file.
func Parse(name string, content []byte) (Mapping, error) {
	var m Mapping
	if len(content) > MaxBytes {
		return m, fault.New(fault.Exhausted, "import.mapping", "%s has more than 1 MiB", name)
	}
	d := yaml.NewDecoder(bytes.NewReader(content))
	d.KnownFields(true)
	if err := d.Decode(&m); err != nil {
		if errors.Is(err, io.EOF) {
			return m, fault.New(fault.Invalid, "import.mapping", "%s is empty", name).
				WithHint("setpoint import FILE --guess writes one to start from")
		}
		return m, syntax(name, err)
	}
	if err := d.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return m, fault.New(fault.Invalid, "import.mapping", "%s has more than one document", name).WithHint("one file has one mapping")
	}
	return m, m.check(name)
}

var (
	atLine  = regexp.MustCompile(`line (\d+): (.*)`)
	unknown = regexp.MustCompile(`field (\S+) not found in type mapping\.(\S+)`)
)

func syntax(name string, err error) error {
	out := fault.New(fault.Invalid, "import.mapping", "%s is not a mapping", name)
	for _, line := range strings.Split(err.Error(), "\n") {
		found := atLine.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		p := fault.Place{File: name, Message: found[2], Reason: "import.mapping"}
		p.Line, _ = strconv.Atoi(found[1])
		if f := unknown.FindStringSubmatch(found[2]); f != nil {
			p.Field, p.Message = f[1], "there is no field "+f[1]
			p.Hint = resource.Suggest(f[1], fieldsOf(f[2]))
		}
		out.Places = append(out.Places, p)
	}
	if len(out.Places) == 0 {
		out = fault.New(fault.Invalid, "import.mapping", "%s is not a mapping: %s", name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	return out.WithHint("setpoint schema mapping prints the JSON Schema; docs/import.md is the reference")
}

func fieldsOf(name string) []string {
	for _, v := range []any{Mapping{}, Plan{}, Locale{}, Defaults{}, Sheet{}, Skip{}, Column{}} {
		t := reflect.TypeOf(v)
		if t.Name() != name {
			continue
		}
		var out []string
		for i := range t.NumField() {
			if key := yamlName(t.Field(i)); key != "-" {
				out = append(out, key)
			}
		}
		return out
	}
	return nil
}

func yamlName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}

// checker collects what is wrong.
type checker struct {
	file   string
	places []fault.Place
}

func (c *checker) add(field, hint, format string, args ...any) {
	c.places = append(c.places, fault.Place{File: c.file, Field: field, Reason: "import.mapping",
		Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (c *checker) word(field, v string, legal ...string) {
	if v != "" && !slices.Contains(legal, v) {
		c.add(field, "legal are "+strings.Join(legal, ", "), "%q is not known", v)
	}
}

func (c *checker) date(field, v string) {
	if v == "" {
		return
	}
	if _, err := calendar.ParseDate(v); err != nil {
		c.add(field, "write it YYYY-MM-DD", "%q is not a date", v)
	}
}

func (c *checker) pattern(field, v string) {
	if _, err := regexp.Compile(v); err != nil {
		c.add(field, "", "%q is not a regular expression: %v", v, err)
	}
}

func words[T ~string](in []T) []string {
	out := make([]string, len(in))
	for i, w := range in {
		out[i] = string(w)
	}
	return out
}

// Check reports everything that is wrong with the mapping itself; whether it
// fits a table is seen when it is read.
func (m *Mapping) Check() error { return m.check("") }

func (m *Mapping) check(name string) error {
	c := &checker{file: name}
	if m.APIVersion != Version {
		c.add("apiVersion", "write apiVersion: "+Version, "%q is not known", m.APIVersion)
	}
	if m.Set != "" && !label.MatchString(m.Set) {
		c.add("set", "lower-case letters, digits and - inside", "%q is not a name", m.Set)
	}
	if s := m.Strategy; s != nil {
		if !label.MatchString(s.Name) {
			c.add("strategy.name", "lower-case letters, digits and - inside", "%q is not a name", s.Name)
		}
		c.date("strategy.start", s.Start)
		c.date("strategy.end", s.End)
	}
	if m.FiscalYearStart < 0 || m.FiscalYearStart > 12 {
		c.add("fiscalYearStart", "a month, 1 to 12", "%d is not a month", m.FiscalYearStart)
	}
	c.date("vintage", m.Vintage)
	for word, day := range m.Vintages {
		c.date("vintages."+word, day)
	}
	c.locale("locale", m.Locale)
	for word, d := range m.Directions {
		c.word("directions."+word, d, "increase", "decrease", "within", "none")
	}
	for word, a := range m.Aggregations {
		c.word("aggregations."+word, a, "last", "sum", "mean", "min", "max")
	}
	for word, k := range m.Kinds {
		c.word("kinds."+word, string(k), "target", "actual", "planned", "executed", "min", "max", "baseline", "ignore")
	}
	for word, o := range m.Owners {
		if !ownerMeaning.MatchString(o) {
			c.add("owners."+word, "unit/NAME, person/ID, unit to declare one with the word as its title, or none", "%q is not an owner", o)
		}
	}
	for _, k := range m.Key {
		c.word("key", string(k), "id", "name", "unit", "objective", "strategy", "period")
	}
	for _, k := range m.Declare {
		c.word("declare", k, "Unit", "Strategy", "Objective", "Metric", "Target")
	}
	c.defaults("defaults", m.Defaults)
	if len(m.Sheets) == 0 {
		c.add("sheets", "", "no sheet is named")
	}
	for i, s := range m.Sheets {
		c.sheet(fmt.Sprintf("sheets[%d]", i), m, s)
	}
	if len(c.places) == 0 {
		return nil
	}
	slices.SortStableFunc(c.places, func(a, b fault.Place) int { return strings.Compare(a.Field, b.Field) })
	e := fault.New(fault.Invalid, "import.mapping", "the mapping is not legal").WithHint("docs/import.md is the reference")
	e.Places = c.places
	return e
}

func (c *checker) locale(field string, l Locale) {
	c.word(field+".decimal", l.Decimal, ".", ",")
	c.word(field+".dates", l.Dates, "dmy", "mdy")
}

func (c *checker) defaults(field string, d Defaults) {
	c.word(field+".direction", d.Direction, "increase", "decrease")
	c.word(field+".percent", d.Percent, "fraction", "points")
	c.word(field+".cadence", d.Cadence, "daily", "weekly", "monthly", "quarterly", "yearly")
	c.word(field+".aggregation", d.Aggregation, "last", "sum", "mean", "min", "max")
	c.word(field+".accumulate", d.Accumulate, "sinceStart")
	c.word(field+".halfYears", d.HalfYears, "quarter")
	c.word(field+".form", d.Form, "periods", "path")
	c.period(field+".period", d.Period)
}

func (c *checker) period(field, v string) {
	if v == "" {
		return
	}
	if _, half := cell.LastQuarter(v); half {
		return
	}
	if err := calendar.Named(v); err != nil {
		c.add(field, "for example FY2018, 2018, 2018-Q3, 2018-07", "%q is not a period", v)
	}
}

func (c *checker) sheet(field string, m *Mapping, s Sheet) {
	if s.Name != "" && s.Match != "" {
		c.add(field+".match", "give one of the two", "name is given too")
	}
	c.pattern(field+".match", s.Match)
	for i, h := range s.Header {
		if h < 1 || i > 0 && h <= s.Header[i-1] {
			c.add(field+".header", "the numbers of rows, from 1, rising", "%v are not rows", s.Header)
			break
		}
	}
	if last := s.LastHeader(); s.First != 0 && s.First <= last {
		c.add(field+".first", "", "row %d is not below the header, row %d", s.First, last)
	}
	if s.Last != 0 && s.Last < s.First {
		c.add(field+".last", "", "row %d is above the first, %d", s.Last, s.First)
	}
	c.word(field+".sections", string(s.Sections), "objective", "strategy", "unit", "period")
	if s.Section != "" && s.Sections == "" {
		c.add(field+".section", "sections says what it is: objective, strategy, unit or period", "there is no sections")
	}
	for i, k := range s.Skip {
		if k.Column == "" || k.Match == "" {
			c.add(fmt.Sprintf("%s.skip[%d]", field, i), "give column and match", "incomplete")
		}
		c.pattern(fmt.Sprintf("%s.skip[%d].match", field, i), k.Match)
	}
	if s.Locale != nil {
		c.locale(field+".locale", *s.Locale)
	}
	if s.Defaults != nil {
		c.defaults(field+".defaults", *s.Defaults)
	}
	d := m.DefaultsOf(s)
	has := map[Role]int{}
	named := false
	for i, col := range s.Columns {
		c.column(fmt.Sprintf("%s.columns[%d]", field, i), col)
		has[col.Role]++
		named = named || col.Of != "" && col.Role.IsValue()
	}
	for _, r := range []Role{ID, Direction, Period, Kind, Vintage, Weight} {
		if has[r] > 1 {
			c.add(field+".columns", "one column has it", "%d columns have the role %s", has[r], r)
		}
	}
	if has[Name] == 0 && has[ID] == 0 && !named {
		c.add(field+".columns", "give a column the role name or id, or value columns an of", "nothing names the measures")
	}
	if has[Value] > 0 && has[Kind] == 0 && !slices.ContainsFunc(s.Columns, func(c Column) bool { return c.Kinds }) {
		c.add(field+".columns", "give a column the role kind, or the value column the role target or actual", "nothing says what the values are")
	}
	if n := has[Value] + has[Target] + has[Actual] + has[Planned] + has[Executed] + has[Min] + has[Max]; n == 0 && d.Target == nil {
		c.add(field+".columns", "give columns the roles target and actual", "no column holds values")
	}
}

func (c *checker) column(field string, col Column) {
	n := 0
	for _, v := range []string{col.Header, col.Letter, col.Match} {
		if v != "" {
			n++
		}
	}
	if n != 1 {
		c.add(field, "give one of header, letter and match", "%d of header, letter and match are given", n)
	}
	if col.Letter != "" && !letters.MatchString(col.Letter) {
		c.add(field+".letter", "A, B, … AA", "%q is not a column", col.Letter)
	}
	c.pattern(field+".match", col.Match)
	switch {
	case col.Role == "":
		c.add(field+".role", "legal are "+strings.Join(words(Roles), ", "), "the role is missing")
	default:
		c.word(field+".role", string(col.Role), words(Roles)...)
	}
	c.word(field+".at", col.At, "start", "middle", "end")
	c.word(field+".change", col.Change, "below", "above")
	if col.Kinds && col.Role != Name {
		c.add(field+".kinds", "", "only a column of the role name has it")
	}
	c.word(field+".span", col.Span, "week", "month", "quarter", "year")
	if col.Span != "" && col.Role != Period {
		c.add(field+".span", "", "only a column of the role period has dates that stand for more")
	}
	if col.Change != "" && col.Role != Target && col.Role != Planned {
		c.add(field+".change", "", "only a target is a change from the baseline")
	}
	if (col.Period != "" || col.At != "" || col.Of != "") && !col.Role.IsValue() && col.Role != Baseline {
		c.add(field, "", "period, at and of belong to columns of values")
	}
	if col.Period != "" && col.Period != "header" && !IsPart(col.Period) && !strings.Contains(col.Period, "$") {
		c.period(field+".period", col.Period)
	}
	if strings.Contains(col.Period, "$") && col.Match == "" {
		c.add(field+".period", "$1 is what a group of match found", "there is no match")
	}
	if col.Scale < 0 {
		c.add(field+".scale", "a factor above 0", "%v is not a scale", col.Scale)
	}
}

var letters = regexp.MustCompile(`^[A-Z]{1,3}$`)

// HeaderRows are the rows of the header, from 1.
func (s Sheet) HeaderRows() []int {
	if len(s.Header) == 0 {
		return []int{1}
	}
	return s.Header
}

// LastHeader is the lowest row of the header.
func (s Sheet) LastHeader() int { return slices.Max(s.HeaderRows()) }

// FirstRow is the first row of data.
func (s Sheet) FirstRow() int {
	if s.First > 0 {
		return s.First
	}
	return s.LastHeader() + 1
}

// LocaleOf is how the sheet's numbers and dates are written.
func (m *Mapping) LocaleOf(s Sheet) cell.Locale {
	if s.Locale != nil {
		return s.Locale.Cell()
	}
	return m.Locale.Cell()
}

// DefaultsOf are the file's defaults with the sheet's in their place.
func (m *Mapping) DefaultsOf(s Sheet) Defaults {
	d := m.Defaults
	if s.Defaults == nil {
		return d
	}
	from, to := reflect.ValueOf(*s.Defaults), reflect.ValueOf(&d).Elem()
	for i := range from.NumField() {
		if !from.Field(i).IsZero() {
			to.Field(i).Set(from.Field(i))
		}
	}
	return d
}

// SetName is the set that the resources belong to.
func (m *Mapping) SetName() string {
	if m.Set == "" {
		return "imported"
	}
	return m.Set
}

// SourceName is the source of the observations.
func (m *Mapping) SourceName() string {
	if m.Source == "" {
		return m.SetName()
	}
	return m.Source
}

// Declares reports whether resources of the kind are declared.
func (m *Mapping) Declares(kind string) bool {
	return len(m.Declare) == 0 || slices.Contains(m.Declare, kind)
}
