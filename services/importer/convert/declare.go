package convert

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/importer/mapping"
	"setpoint.dev/services/internal/calendar"
)

// KnownTarget is a target that is declared already.
type KnownTarget struct {
	Spec *strategyv1.TargetSpec
	// Effective is the day from which it counts, YYYY-MM-DD.
	Effective string
}

// Known is what is declared already, by name. The zero value is nothing.
type Known struct {
	Targets map[string]KnownTarget
	// Names are the names given before, by kind and by the value of the label
	// IdentityLabel.
	Names map[string]map[string]string
}

// Step is what is declared together. A target that several editions set is in
// one step for each, in order of the days from which they count.
type Step struct{ Resources []*commonv1.Resource }

// Observation is a measured value.
type Observation struct {
	Metric string
	At     calendar.Date
	Value  float64
	Source string
	// Note is what stood behind the number, such as the mark of a footnote.
	Note string
}

// Result is what a file comes to.
type Result struct {
	Steps []Step
	// Observations are by metric and date.
	Observations []Observation
	Troubles     []Trouble
	Counts       Counts
	// Older says that the file's editions are all before what is declared: its
	// values do not correct those on record.
	Older bool
}

// display is a number with every digit.
func display(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// finisher writes the result.
type finisher struct {
	*Converter
	known                          Known
	out                            Result
	names, objectiveName, unitName map[string]string
	strategy                       string
	first, last                    calendar.Date   // of the periods with targets
	based                          calendar.Date   // the first day after a baseline
	valued                         calendar.Period // from the first year with values to the last
	newest                         string          // edition of the file
}

// Finish gives what the rows come to.
func (c *Converter) Finish(known Known) (Result, error) {
	f := &finisher{Converter: c, known: known}
	f.name()
	for _, key := range slices.Sorted(maps.Keys(c.owners)) {
		o := c.owners[key]
		why := "no unit or person is known by it: owners in the mapping says which it is (unit/NAME, person/ID, or unit to declare one of this title)"
		if o.measures > 1 {
			why = fmt.Sprintf("of %d measures; %s", o.measures, why)
		}
		f.report(o.origin, o.text, why)
	}
	var base, targets []*commonv1.Resource
	var later [][]*commonv1.Resource
	newestKnown := ""
	for _, id := range slices.SortedFunc(maps.Keys(c.measures), func(a, b string) int { return cmp.Compare(f.names[a], f.names[b]) }) {
		m := c.measures[id]
		name := f.names[id]
		metric := f.metric(m, name)
		if c.m.Declares("Metric") {
			r, err := resourceOf("Metric", metadata(name, ""), metric, m.idLabels())
			if err != nil {
				return f.out, err
			}
			base = append(base, r)
		}
		if !c.m.Declares("Target") {
			continue
		}
		for _, versions := range f.targets(m, name, calendar.Cadence(metric.GetCadence())) {
			if k, ok := known.Targets[versions[0].name]; ok && k.Effective > newestKnown {
				newestKnown = k.Effective
			}
			for i, v := range versions {
				r, err := resourceOf("Target", metadata(v.name, v.effective), v.spec, nil)
				if err != nil {
					return f.out, err
				}
				if i == 0 {
					targets = append(targets, r)
					continue
				}
				for len(later) < i {
					later = append(later, nil)
				}
				later[i-1] = append(later[i-1], r)
			}
		}
	}
	plan, err := f.plan()
	if err != nil {
		return f.out, err
	}
	f.out.Steps = []Step{{append(append(plan, base...), targets...)}}
	for _, l := range later {
		f.out.Steps = append(f.out.Steps, Step{l})
	}
	f.out.Older = f.newest != "" && newestKnown > f.newest
	slices.SortStableFunc(f.troubles, func(a, b Trouble) int {
		return cmp.Or(cmp.Compare(a.Sheet, b.Sheet), cmp.Compare(a.Row, b.Row), cmp.Compare(len(a.Cell), len(b.Cell)), cmp.Compare(a.Cell, b.Cell))
	})
	f.out.Troubles, f.out.Counts = f.troubles, f.counts
	return f.out, nil
}

// name names everything.
func (f *finisher) name() {
	var measures, objectives, units []named
	f.names = map[string]string{}
	for _, m := range f.measures {
		n := named{text: m.title, context: m.context, id: m.id}
		if m.idText != "" {
			n.text, n.context = m.idText, nil
		}
		measures = append(measures, n)
	}
	f.names = names(measures, "m", f.known.Names["Metric"])
	for _, o := range f.objectives {
		objectives = append(objectives, named{text: o.title, context: o.context, id: o.id})
	}
	f.objectiveName = names(objectives, "o", f.known.Names["Objective"])
	for _, u := range f.units {
		units = append(units, named{text: u.title, context: u.context, id: u.id})
	}
	f.unitName = names(units, "u", f.known.Names["Unit"])
	f.strategy = f.m.SetName()
	if f.m.Strategy != nil {
		f.strategy = f.m.Strategy.Name
	}
}

func metadata(name, effective string) *commonv1.Metadata {
	return &commonv1.Metadata{Name: name, Effective: effective}
}

func (m *measure) idLabels() map[string]string {
	labels := map[string]string{IdentityLabel: identity(m.id)}
	if m.idText != "" && len(m.idText) <= 256 {
		labels["id"] = m.idText
	}
	if m.frequency != "" && len(m.frequency) <= 256 {
		labels["frequency"] = m.frequency
	}
	return labels
}

func resourceOf(kind string, md *commonv1.Metadata, spec proto.Message, labels map[string]string) (*commonv1.Resource, error) {
	raw, err := protojson.Marshal(spec)
	if err != nil {
		return nil, err
	}
	s := &structpb.Struct{}
	if err := protojson.Unmarshal(raw, s); err != nil {
		return nil, err
	}
	if len(labels) > 0 {
		md.Labels = labels
	}
	return &commonv1.Resource{ApiVersion: "setpoint.dev/v1", Kind: kind, Metadata: md, Spec: s}, nil
}

// fit cuts a text that is longer than a field may be, and says so.
func (f *finisher) fit(text, what, name string, most int) string {
	r := []rune(text)
	if len(r) <= most {
		return text
	}
	f.troubles = append(f.troubles, Trouble{Field: what, Content: clip(text), Why: fmt.Sprintf("the %s of %s has %d characters, of which %d are kept", what, name, len(r), most)})
	return string(r[:most-1]) + "…"
}

// report adds a trouble at a cell that was read before.
func (f *finisher) report(o origin, content, why string) {
	col := column{}
	if o.col != nil {
		col = *o.col
	}
	o.t.trouble(int(o.row), col, cmp.Or(o.text, content), why)
}

// metric decides how the measure's values are kept, and gives its values out.
func (f *finisher) metric(m *measure, name string) *strategyv1.MetricSpec {
	d := m.defaults
	s := &strategyv1.MetricSpec{
		Title: f.fit(m.title, "title", name, 1000), Description: f.fit(m.description, "description", name, 20000),
		Note:  f.fit(strings.Join(m.notes, "\n"), "note", name, 20000),
		Owner: f.owner(m), Aggregation: d.Aggregation, Accumulate: d.Accumulate,
	}
	if f.m.FiscalYearStart > 1 {
		s.FiscalYearStart = int32(f.m.FiscalYearStart)
	}
	convert := f.unit(m, s)
	coarsest, finest := calendar.Cadence(""), calendar.Cadence("")
	for i := range m.observed {
		o := &m.observed[i]
		if o.point {
			continue
		}
		if coarsest == "" || coarsest.Finer(o.cadence) {
			coarsest = o.cadence
		}
		if finest == "" || o.cadence.Finer(finest) {
			finest = o.cadence
		}
	}
	target := calendar.Cadence("")
	for _, byPeriod := range m.targets {
		for _, t := range byPeriod {
			if target == "" || target.Finer(t.period.Cadence) {
				target = t.period.Cadence
			}
		}
	}
	cadence := calendar.Cadence(d.Cadence)
	if cadence == "" {
		cadence = target
	}
	if cadence == "" {
		cadence = coarsest
	}
	if cadence == "" {
		cadence = calendar.Yearly
	}
	s.Cadence = string(cadence)
	kept := cadence
	if d.Aggregation != "" && finest != "" && finest.Finer(cadence) {
		kept = finest
		s.ReportedEvery = string(finest)
	}
	slices.SortFunc(m.observed, func(a, b observed) int {
		return cmp.Or(a.day.Compare(b.day), cmp.Compare(a.cadence, b.cadence))
	})
	for i := range m.observed {
		o := &m.observed[i]
		f.newest = max(f.newest, o.edition)
		v, why := convert(o.value, o.origin.percent)
		switch {
		case o.disputed:
			why = "another cell contradicts it: neither is taken"
		case why != "" || o.point || o.cadence == kept:
		case o.cadence.Finer(kept):
			why = fmt.Sprintf("it is a %s value, but the measure has %s ones: aggregation in the mapping says how they become one", o.cadence, kept)
		case d.Cadence != "" && (d.Aggregation == "" || d.Aggregation == "last"):
			// The value at the end of the longer period is that of the shorter one.
		default:
			why = fmt.Sprintf("it is a %s value, but %s ones are read", o.cadence, kept)
		}
		if why != "" {
			f.report(o.origin, display(o.value), why)
			continue
		}
		f.horizonOf(o.day)
		f.out.Observations = append(f.out.Observations, Observation{Metric: name, At: o.day, Value: v, Source: f.m.SourceName(), Note: o.origin.remark()})
	}
	m.observed = nil // 1M cells: what is given out is not held twice
	return s
}

// unit sets how values are shown, and gives what makes a value of a number: why
// is set where it cannot be told what the number is.
func (f *finisher) unit(m *measure, s *strategyv1.MetricSpec) func(v float64, percent bool) (float64, string) {
	said := isPercent(m.said)
	asIs := func(v float64, percent bool) (float64, string) {
		switch {
		case !percent:
			return v, ""
		case said && m.largest > 1.5:
			// The others cannot be fractions: 95 and 95 % are the same here.
			p, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', -1, 64)+"e2", 64)
			return p, ""
		}
		return v, "it has a per cent sign, and most values of the measure have none: is it a change?"
	}
	switch {
	case m.percent && m.said != "" && !said:
		// "97% of calls": the unit names what the share is of.
		s.Unit, s.Format = "fraction", "percent"
	case m.percent, said && m.defaults.Percent != "":
		s.Unit, s.Format = "fraction", "percent"
	case said:
		s.Unit = "%"
		return asIs
	default:
		s.Unit = f.fit(m.said, "unit", m.title, 100)
		currency := m.currency
		if c, ok := currencies[strings.ToUpper(strings.TrimSpace(m.said))]; ok && currency == "" {
			currency = c
		}
		if currency != "" {
			s.Format, s.Currency = "currency", currency
			if s.Unit == "" || currencies[strings.ToUpper(strings.TrimSpace(m.said))] != "" {
				s.Unit = currency
			}
		}
		return asIs
	}
	return func(v float64, percent bool) (float64, string) {
		switch {
		case percent || v == 0 || m.defaults.Percent == "fraction":
			return v, ""
		case m.defaults.Percent == "points":
			p, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', -1, 64)+"e-2", 64)
			return p, ""
		}
		return v, "other values of the measure are percentages, and this one has no per cent sign: percent in the mapping says what it is"
	}
}

var currencies = map[string]string{
	"USD": "USD", "EUR": "EUR", "GBP": "GBP", "CHF": "CHF", "BRL": "BRL", "MXN": "MXN", "JPY": "JPY", "INR": "INR", "CAD": "CAD", "AUD": "AUD",
	"SEK": "SEK", "NOK": "NOK", "DKK": "DKK", "PLN": "PLN", "ZAR": "ZAR", "COP": "COP", "CLP": "CLP", "PEN": "PEN", "ARS": "ARS", "CNY": "CNY",
	"$": "USD", "€": "EUR", "£": "GBP", "US$": "USD", "R$": "BRL", "₹": "INR", "DOLLARS": "USD", "EURO": "EUR", "EUROS": "EUR",
}

func (f *finisher) owner(m *measure) string {
	switch {
	case m.owner != "":
		return m.owner
	case m.ownerUnit != nil && f.m.Declares("Unit"):
		return "unit/" + f.unitName[m.ownerUnit.id]
	case m.defaults.Owner != "":
		return m.defaults.Owner
	case m.unit != nil && f.m.Declares("Unit"):
		return "unit/" + f.unitName[m.unit.id]
	}
	return ""
}

// version is a target as an edition has it.
type version struct {
	name, effective string
	spec            *strategyv1.TargetSpec
}

// targets gives each target of the measure in the versions that change it, at
// least the one that is declared already.
func (f *finisher) targets(m *measure, name string, cadence calendar.Cadence) [][]version {
	var out [][]version
	if v := f.periodic(m, name, cadence); len(v) > 0 {
		out = append(out, v)
	}
	return append(out, f.paths(m, name, len(m.targets) > 0)...)
}

// mostTitle is the longest title of a target, in characters.
const mostTitle = 1000

// blank is a target without its setpoints: what is declared already, and what
// the table says in its place. What a person added to it stays.
func (f *finisher) blank(m *measure, name, target string) *strategyv1.TargetSpec {
	s := &strategyv1.TargetSpec{}
	if known, ok := f.known.Targets[target]; ok {
		s = proto.CloneOf(known.Spec)
		s.Periods, s.Value, s.ChangeFromBaseline, s.Baseline, s.Due = nil, nil, "", nil, ""
	}
	s.Metric = name
	if r := []rune(m.title); s.Title == "" && len(r) <= mostTitle {
		s.Title = m.title // so that lists of targets can be read
	}
	if owner := f.owner(m); owner != "" {
		s.Owner = owner
	}
	switch {
	case m.direction != "":
		s.Direction = m.direction
	case s.Direction == "" && !m.within:
		s.Direction = m.defaults.Direction
	}
	if m.weight != nil {
		s.Weight = m.weight
	}
	if m.objective != nil {
		s.Objective = f.objectiveName[m.objective.id]
	}
	return s
}

func (f *finisher) horizon(p calendar.Date) {
	if f.first.IsZero() || p.Before(f.first) {
		f.first = p
	}
	if f.last.IsZero() || p.After(f.last) {
		f.last = p
	}
}

// horizonOf counts a value's day where no target says when the plan is.
func (f *finisher) horizonOf(day calendar.Date) {
	year := f.calendar.PeriodOf(day, calendar.Yearly)
	if f.valued.IsZero() || year.Start.Before(f.valued.Start) {
		f.valued.Start = year.Start
	}
	if f.valued.End.IsZero() || year.End.After(f.valued.End) {
		f.valued.End = year.End
	}
}

func (f *finisher) periodic(m *measure, name string, cadence calendar.Cadence) []version {
	convert := f.unit(m, &strategyv1.MetricSpec{})
	known, declared := f.known.Targets[name]
	if declared && len(known.Spec.GetPeriods()) == 0 {
		f.troubles = append(f.troubles, Trouble{Field: "Target/" + name, Content: m.title, Why: "a target of this name is declared in another form: its setpoints here are not imported"})
		return nil
	}
	now := map[string]*strategyv1.PeriodTarget{} // by the first day of the period
	for _, p := range known.Spec.GetPeriods() {
		if period, err := f.calendar.Parse(p.GetPeriod()); err == nil {
			now[period.Start.String()] = p
			f.horizon(period.Start)
			f.horizon(period.End)
		}
	}
	var out []version
	add := func(day string, changes bool) {
		s := f.blank(m, name, name)
		for _, start := range slices.Sorted(maps.Keys(now)) {
			s.Periods = append(s.Periods, now[start])
		}
		if len(s.Periods) == 0 {
			return
		}
		if len(out) > 0 && proto.Equal(out[len(out)-1].spec, s) {
			return
		}
		if declared && len(out) == 0 && proto.Equal(known.Spec, s) {
			return
		}
		if declared && len(out) == 0 && !changes {
			day = known.Effective
		}
		out = append(out, version{name, day, s})
	}
	for _, edition := range slices.Sorted(maps.Keys(m.targets)) {
		f.newest = max(f.newest, edition)
		changed := false
		first := calendar.Date{}
		for _, pname := range slices.Sorted(maps.Keys(m.targets[edition])) {
			t := m.targets[edition][pname]
			set, ok := f.setpoint(m, t, cadence, convert)
			if !ok {
				continue
			}
			if first.IsZero() || t.period.Start.Before(first) {
				first = t.period.Start
			}
			f.horizon(t.period.Start)
			f.horizon(t.period.End)
			key := t.period.Start.String()
			before := now[key]
			if declared && edition != "" && edition < known.Effective {
				// An edition before the one that is declared stands behind it.
				if before == nil {
					f.report(t.origin, pname, fmt.Sprintf("the edition of %s is before the one that is declared, of %s, which has no target for this period", edition, known.Effective))
				}
				continue
			}
			if before == nil || !sameSetpoint(before, set) {
				now[key], changed = set, true
			}
		}
		day := edition
		if day == "" && !declared && !first.IsZero() {
			// A table without editions holds its targets from their beginning on.
			if day = first.String(); !f.o.Today.IsZero() && first.After(f.o.Today) {
				day = ""
			}
		}
		if changed {
			add(day, true)
		}
	}
	if declared && len(out) == 0 {
		add(known.Effective, false)
		if len(out) == 0 {
			out = []version{{name, known.Effective, f.withPeriods(m, name, known.Spec.GetPeriods())}}
		}
	}
	return out
}

func (f *finisher) withPeriods(m *measure, name string, periods []*strategyv1.PeriodTarget) *strategyv1.TargetSpec {
	s := f.blank(m, name, name)
	s.Periods = periods
	return s
}

func sameSetpoint(a, b *strategyv1.PeriodTarget) bool {
	c := proto.CloneOf(a)
	c.Period = b.GetPeriod()
	return proto.Equal(c, b)
}

// setpoint is the declared form of one period's target.
func (f *finisher) setpoint(m *measure, t *setpoint, cadence calendar.Cadence, convert func(float64, bool) (float64, string)) (*strategyv1.PeriodTarget, bool) {
	if t.disputed {
		f.report(t.origin, t.period.Name, "another cell contradicts it: neither is taken")
		return nil, false
	}
	if t.period.Cadence != cadence {
		f.report(t.origin, t.period.Name, fmt.Sprintf("it is a target of a %s period, but the measure has %s ones", t.period.Cadence, cadence))
		return nil, false
	}
	p := &strategyv1.PeriodTarget{Period: t.period.Name}
	for _, x := range []struct {
		from *float64
		to   **float64
	}{{t.value, &p.Value}, {t.lower, &p.Lower}, {t.high, &p.Upper}} {
		if x.from == nil {
			continue
		}
		v, why := convert(*x.from, t.origin.percent)
		if why != "" {
			f.report(t.origin, display(*x.from), why)
			return nil, false
		}
		*x.to = &v
	}
	if p.Lower != nil && p.Upper != nil && *p.Lower > *p.Upper {
		f.report(t.origin, fmt.Sprintf("%s to %s", display(*p.Lower), display(*p.Upper)), "the lower bound is above the upper one")
		return nil, false
	}
	if p.Value != nil && (p.Lower != nil || p.Upper != nil) {
		f.report(t.origin, display(*p.Value), "the row has a value and bounds: the bounds are the target")
		p.Value = nil
	}
	return p, true
}

// paths are the targets that are due on a day. One that is alone has the
// measure's name, others their year behind it.
func (f *finisher) paths(m *measure, name string, taken bool) [][]version {
	convert := f.unit(m, &strategyv1.MetricSpec{})
	byDue := map[string]map[string]*path{}
	for edition, paths := range m.paths {
		for due, p := range paths {
			if byDue[due] == nil {
				byDue[due] = map[string]*path{}
			}
			byDue[due][edition] = p
		}
	}
	var out [][]version
	years := map[int]int{}
	for _, due := range slices.Sorted(maps.Keys(byDue)) {
		d, _ := calendar.ParseDate(due)
		years[d.Year()]++
	}
	for _, due := range slices.Sorted(maps.Keys(byDue)) {
		d, _ := calendar.ParseDate(due)
		suffix := "-" + strconv.Itoa(d.Year())
		if years[d.Year()] > 1 {
			suffix = "-" + due
		}
		own := trim(name, maxName-len(suffix)) + suffix
		// A table of key results has one a measure; so long as nothing else says
		// when, its name is enough.
		if m.defaults.Form == "path" && len(byDue) == 1 && !taken {
			own = name
		}
		known, declared := f.known.Targets[own]
		var versions []version
		for _, edition := range slices.Sorted(maps.Keys(byDue[due])) {
			f.newest = max(f.newest, edition)
			p := byDue[due][edition]
			if p.disputed {
				f.report(p.origin, due, "another cell contradicts it: neither is taken")
				continue
			}
			s := f.blank(m, name, own)
			s.Due, s.ChangeFromBaseline = due, p.change
			ok := true
			for _, x := range []struct {
				from *float64
				to   **float64
			}{{p.value, &s.Value}} {
				if x.from == nil {
					continue
				}
				v, why := convert(*x.from, p.origin.percent)
				if why != "" {
					f.report(p.origin, display(*x.from), why)
					ok = false
				}
				*x.to = &v
			}
			if !ok {
				continue
			}
			if !p.from.IsZero() {
				s.Baseline = &strategyv1.Baseline{Date: p.from.String()}
				if p.start != nil {
					v, why := convert(*p.start, p.origin.percent)
					if why != "" {
						f.report(p.origin, display(*p.start), why)
					} else {
						s.Baseline.Value = &v
					}
				}
			}
			if p.from.IsZero() && p.start != nil {
				// Which way it is from there is said, when it was is not.
				if s.Direction == "" && p.value != nil && *p.value != *p.start {
					s.Direction = "decrease"
					if *p.value > *p.start {
						s.Direction = "increase"
					}
				}
				f.report(p.baseline, display(*p.start), "nothing says when the baseline was true: of it only the direction is taken")
			}
			if s.Direction == "" && (s.Baseline == nil || s.Value == nil || s.GetBaseline().Value != nil && s.GetBaseline().GetValue() == s.GetValue()) {
				f.report(p.origin, due, "neither a direction nor another baseline says which way the target is: give a direction in the mapping")
				continue
			}
			f.horizon(d)
			if !p.from.IsZero() && (f.based.IsZero() || p.from.AddDays(1).Before(f.based)) {
				f.based = p.from.AddDays(1)
			}
			if !p.from.IsZero() && m.defaults.Form == "path" {
				f.horizon(p.from.AddDays(1))
			}
			day := edition
			if declared {
				if edition != "" && edition < known.Effective {
					continue
				}
				if proto.Equal(known.Spec, s) && len(versions) == 0 {
					day = known.Effective
				}
			} else if day == "" && !p.from.IsZero() && m.defaults.Form == "path" {
				if first := p.from.AddDays(1); f.o.Today.IsZero() || !first.After(f.o.Today) {
					day = first.String()
				}
			}
			if len(versions) > 0 && proto.Equal(versions[len(versions)-1].spec, s) {
				continue
			}
			versions = append(versions, version{own, day, s})
		}
		if len(versions) > 0 {
			out = append(out, versions)
		}
	}
	return out
}

// plan is the strategy, its objectives, and the units.
func (f *finisher) plan() ([]*commonv1.Resource, error) {
	var out []*commonv1.Resource
	add := func(kind, name, id string, spec proto.Message) error {
		if !f.m.Declares(kind) {
			return nil
		}
		var labels map[string]string
		if id != "" {
			labels = map[string]string{IdentityLabel: identity(id)}
		}
		r, err := resourceOf(kind, metadata(name, ""), spec, labels)
		out = append(out, r)
		return err
	}
	for _, id := range slices.SortedFunc(maps.Keys(f.units), func(a, b string) int { return cmp.Compare(f.unitName[a], f.unitName[b]) }) {
		u := f.units[id]
		s := &strategyv1.UnitSpec{Title: f.fit(u.title, "title", "Unit/"+f.unitName[id], 500)}
		if u.parent != nil {
			s.Parent = f.unitName[u.parent.id]
		}
		if err := add("Unit", f.unitName[id], id, s); err != nil {
			return nil, err
		}
	}
	if len(f.objectives) == 0 && f.m.Strategy == nil {
		return out, nil
	}
	plan := f.m.Strategy
	if plan == nil {
		plan = &mapping.Plan{Name: f.strategy}
	}
	s := &strategyv1.StrategySpec{Title: plan.Title, Horizon: &strategyv1.Horizon{Start: plan.Start, End: plan.End}}
	if s.Title == "" {
		s.Title = plan.Name
	}
	switch {
	case f.first.IsZero():
		f.first, f.last = f.valued.Start, f.valued.End
	case f.first == f.last && !f.based.IsZero() && f.based.Before(f.first):
		f.first = f.based // all is due on one day: the plan runs from the baselines on
	case f.first == f.last:
		f.first = f.calendar.PeriodOf(f.first, calendar.Yearly).Start
	}
	if s.Horizon.Start == "" && !f.first.IsZero() {
		s.Horizon.Start = f.first.String()
	}
	if s.Horizon.End == "" && !f.last.IsZero() {
		s.Horizon.End = f.last.String()
	}
	if (s.Horizon.Start == "" || s.Horizon.End == "") && f.m.Declares("Strategy") {
		// Nothing has a period, so no target refers to an objective.
		f.troubles = append(f.troubles, Trouble{Field: "strategy", Content: fmt.Sprintf("%d objectives", len(f.objectives)),
			Why: "neither a target nor a value has a period that could be the strategy's horizon: the objectives are not declared; strategy.start and strategy.end, or a period, say when"})
		return out, nil
	}
	slices.SortFunc(f.pillars, func(a, b string) int { return cmp.Compare(foldTitle(a), foldTitle(b)) })
	pillar := map[string]string{}
	for _, p := range f.pillars {
		pillar[foldTitle(p)] = f.fit(p, "pillar", p, 200)
		s.Pillars = append(s.Pillars, pillar[foldTitle(p)])
	}
	if len(s.Pillars) > 100 {
		f.troubles = append(f.troubles, Trouble{Field: "pillars", Content: strconv.Itoa(len(s.Pillars)), Why: "a strategy lists at most 100 pillars; the objectives keep theirs"})
		s.Pillars = nil
	}
	if err := add("Strategy", f.strategy, "", s); err != nil {
		return nil, err
	}
	for _, id := range slices.SortedFunc(maps.Keys(f.objectives), func(a, b string) int { return cmp.Compare(f.objectiveName[a], f.objectiveName[b]) }) {
		o := f.objectives[id]
		name := f.objectiveName[id]
		spec := &strategyv1.ObjectiveSpec{Strategy: f.strategy, Title: f.fit(o.title, "title", "Objective/"+name, 1000), Pillar: pillar[foldTitle(o.pillar)]}
		if o.parent != nil {
			spec.ContributesTo = []*strategyv1.Contribution{{Objective: f.objectiveName[o.parent.id]}}
		}
		if o.unit != nil && f.m.Declares("Unit") {
			spec.Owner = "unit/" + f.unitName[o.unit.id]
		}
		if err := add("Objective", name, id, spec); err != nil {
			return nil, err
		}
	}
	return out, nil
}
