package convert

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"setpoint.dev/services/importer/cell"
	"setpoint.dev/services/importer/mapping"
	"setpoint.dev/services/importer/workbook"
	"setpoint.dev/services/internal/calendar"
)

// origin is a cell, to be named in a trouble.
type origin struct {
	t       *table
	col     *column
	row     int32
	percent bool
	marked  bool   // with the sign of a footnote, which is in text
	text    string // what stands there, where that is not the number alone
}

// remark is what stood behind the number.
func (o origin) remark() string {
	if !o.marked {
		return ""
	}
	n, err := cell.ParseNumber(workbook.Clean(o.text), o.t.locale)
	if err != nil {
		return ""
	}
	return "the table marks it " + n.Mark
}

// measure is what is known of one.
type measure struct {
	id                           string
	title, idText                string
	context                      []string
	unit                         *unit
	objective                    *objective
	description, said, direction string // said is the unit of measure
	saidByColumn                 bool
	within                       bool
	frequency, owner             string
	ownerUnit                    *unit // a unit that an owner column names
	notes                        []string
	weight                       *float64
	currency                     string
	percent                      bool    // more values with a per cent sign than without
	percents, plains             int     // values with and without one
	largest                      float64 // of those without
	defaults                     mapping.Defaults
	at                           map[moment]int32
	observed                     []observed
	targets                      map[string]map[string]*setpoint // by edition and period
	paths                        map[string]map[string]*path     // by edition and due date
	base                         *base
}

type moment struct {
	day     calendar.Date
	cadence calendar.Cadence
}

// observed is an actual.
type observed struct {
	value    float64
	edition  string
	origin   origin
	day      calendar.Date
	cadence  calendar.Cadence
	point    bool // not at the end of its period
	disputed bool
}

// setpoint is the target of one period.
type setpoint struct {
	period             calendar.Period
	value, lower, high *float64
	origin             origin
	disputed           bool
}

// path is a target that is due.
type path struct {
	due          calendar.Date
	from         calendar.Date // the baseline's day
	value, start *float64
	change       string
	origin       origin
	baseline     origin // where start stands
	disputed     bool
}

// base is a baseline that waits for the row's target.
type base struct {
	row    int
	value  float64
	origin origin
	at     *calendar.Period
}

// unit is an organizational one, with the one above.
type unit struct {
	id, title string
	parent    *unit
	context   []string
}

// objective is what measures serve.
type objective struct {
	id, title, pillar string
	parent            *objective
	unit              *unit
	context           []string
}

// measure is the one that a row (and a column) is about; nil where it names none.
func (t *table) measure(said *row, of string) *measure {
	title := said.text[mapping.Name]
	id := said.text[mapping.ID]
	if title == "" {
		title = id
	}
	if title == "" {
		title = of
	} else if of != "" {
		title += ": " + of
	}
	if title == "" {
		return nil
	}
	key := t.conv.m.Key
	if len(key) == 0 {
		if id != "" {
			key = []mapping.Role{mapping.ID}
		} else {
			key = []mapping.Role{mapping.Unit, mapping.Name}
		}
	}
	var parts, context []string
	for _, k := range key {
		part := ""
		switch k {
		case mapping.Unit:
			context = append(context, said.units...)
			part = strings.Join(said.units, "\x1f")
		case mapping.Objective:
			context = append(context, said.objectives...)
			part = strings.Join(said.objectives, "\x1f")
		case mapping.Name:
			part = title
		case mapping.Period:
			if said.period != nil {
				part = said.period.Name
				context = append(context, part)
			}
		default:
			part = said.text[k]
			if k == mapping.Strategy {
				context = append(context, part)
			}
		}
		parts = append(parts, foldTitle(part))
	}
	identity := strings.Join(append(parts, fold(of)), "\x1e")
	if m, ok := t.conv.measures[identity]; ok {
		return m
	}
	m := &measure{
		id: identity, title: title, context: context, defaults: t.defaults, at: map[moment]int32{},
		targets: map[string]map[string]*setpoint{}, paths: map[string]map[string]*path{},
	}
	if id != "" && slices.Contains(key, mapping.ID) {
		m.idText = id
		if of != "" {
			m.idText += " " + of
		}
	}
	t.conv.measures[identity] = m
	return m
}

// describe takes in what the row says of the measure beside its values. What is
// said first counts; a later edition's word does not change it.
func (t *table) describe(m *measure, said *row, col *column) {
	if m.unit == nil && len(said.units) > 0 {
		m.unit = t.conv.unitNamed(said.units)
	}
	if m.objective == nil && (len(said.objectives) > 0 || said.text[mapping.Strategy] != "") {
		m.objective = t.objective(said)
	}
	if m.description == "" {
		m.description = said.text[mapping.Description]
	}
	if m.frequency == "" {
		m.frequency = said.text[mapping.Frequency]
	}
	unit, byColumn := said.text[mapping.Measure], true
	if unit == "" {
		// A name's own unit holds for all of its values: Revenue (EUR m).
		_, unit, _ = cell.NameUnit(said.text[mapping.Name])
	}
	if col != nil && col.Measure != "" {
		unit = col.Measure
	}
	if unit == "" {
		unit, byColumn = t.defaults.Measure, t.defaults.Measure != ""
	}
	if unit != "" {
		switch {
		case m.said == "" || !m.saidByColumn:
			m.said, m.saidByColumn = unit, byColumn
		case !sameUnit(m.said, unit) && (!isPercent(m.said) || !isPercent(unit)):
			t.once(m, said, mapping.Measure, unit, fmt.Sprintf("the unit of the measure is %q elsewhere, which counts", m.said))
		}
	}
	if text := said.text[mapping.Direction]; text != "" {
		t.direct(m, said, text)
	}
	if text := said.text[mapping.Weight]; text != "" {
		n, err := cell.ParseNumber(text, t.locale)
		switch {
		case err != nil || n.Value < 0:
			t.trouble(said.number, *said.at[mapping.Weight], text, "it is not a weight")
		case n.Value > 0 && m.weight == nil:
			m.weight = &n.Value
		}
	}
	if owner := said.text[mapping.Owner]; owner != "" && m.owner == "" && m.ownerUnit == nil {
		t.owned(m, said, owner)
	}
	if said.mark != "" && !slices.Contains(m.notes, said.mark) {
		m.notes = append(m.notes, said.mark)
	}
	for _, n := range said.notes {
		text := n.text
		if len(t.noteHeaders()) > 1 {
			text = n.header + ": " + n.text
		}
		if !slices.Contains(m.notes, text) {
			m.notes = append(m.notes, text)
		}
	}
}

func (t *table) noteHeaders() []string {
	var out []string
	for _, c := range t.columns {
		switch c.Role {
		case mapping.Note, mapping.Status:
			out = append(out, c.header)
		}
	}
	return out
}

// owned takes in who answers for a measure: a unit or a person by name, or what
// the mapping says of the table's word. Persons are not made of the names in a
// table: a name is personal data, whose place is the register of persons.
func (t *table) owned(m *measure, said *row, owner string) {
	meaning := owner
	for word, says := range t.conv.m.Owners {
		if fold(word) == fold(owner) {
			meaning = says
		}
	}
	switch {
	case meaning == "unit":
		m.ownerUnit = t.conv.unitNamed([]string{owner})
	case meaning == "none":
	case ownerForm.MatchString(meaning):
		m.owner = meaning
	default:
		key := fold(owner)
		if t.conv.owners[key] == nil {
			t.conv.owners[key] = &unknownOwner{text: owner, origin: origin{t: t, col: said.at[mapping.Owner], row: int32(said.number)}}
		}
		t.conv.owners[key].measures++
	}
}

// unknownOwner is a word in an owner column that names nobody who is known.
type unknownOwner struct {
	text     string
	origin   origin
	measures int
}

var ownerForm = regexp.MustCompile(`^(unit/[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?|person/[A-Za-z0-9_-]{1,64})$`)

// once reports a contradiction once for each measure and word.
func (t *table) once(m *measure, said *row, role mapping.Role, text, why string) {
	key := m.id + "\x1d" + string(role) + fold(text)
	if t.conv.unknown[key] {
		return
	}
	t.conv.unknown[key] = true
	col := said.at[role]
	if col == nil {
		col = &column{}
	}
	t.trouble(said.number, *col, text, why)
}

func (t *table) direct(m *measure, said *row, text string) {
	d, ok := cell.Direction(""), false
	for word, meaning := range t.conv.m.Directions {
		if fold(word) == fold(text) {
			d, ok = cell.Direction(meaning), true
		}
	}
	if !ok {
		d, ok = cell.ParseDirection(text)
	}
	switch {
	case !ok:
		t.once(m, said, mapping.Direction, text, "the word is no direction that is known: give it in the mapping's directions")
	case d == "none" || d == cell.Unknown:
	case d == cell.Within:
		m.within = true
	case m.direction == "":
		m.direction = string(d)
	case m.direction != string(d):
		t.once(m, said, mapping.Direction, text, fmt.Sprintf("the direction of the measure is %s elsewhere, which counts", m.direction))
	}
}

// sameTime turns an amount of time into the measure's unit of time, where both
// name one: 45 min is 0.75 h.
func (m *measure) sameTime(n *number) {
	if n.unit == "" || m.said == "" || sameUnit(n.unit, m.said) {
		return
	}
	from, ok := cell.TimeUnit(n.unit)
	to, ok2 := cell.TimeUnit(m.said)
	if !ok || !ok2 {
		return
	}
	n.value = n.value * from / to
	if n.high != nil {
		*n.high = *n.high * from / to
	}
	n.unit = m.said
}

// unitOf takes in what stands beside a number, which counts so much for or against
// a per cent sign; why is set where it contradicts
// what stands beside others.
func (m *measure) unitOf(n number, change bool, weight int) (why string) {
	if change {
		return ""
	}
	if n.unit != "" {
		switch {
		case m.said == "":
			m.said = n.unit
		case !sameUnit(m.said, n.unit) && !m.saidByColumn:
			return fmt.Sprintf("the unit is %q here and %q elsewhere", n.unit, m.said)
		case !sameUnit(m.said, n.unit):
			return fmt.Sprintf("%q stands beside the number, but the unit of the measure is %q", n.unit, m.said)
		}
	}
	if n.currency != "" {
		if m.currency != "" && m.currency != n.currency {
			return fmt.Sprintf("the currency is %s here and %s elsewhere", n.currency, m.currency)
		}
		m.currency = n.currency
	}
	if n.percent {
		m.percents += weight
	} else if n.value != 0 {
		m.plains += weight
		m.largest = max(m.largest, math.Abs(n.value))
	}
	m.percent = m.percents > 0 && m.percents >= m.plains
	return ""
}

func (c *Converter) unitNamed(titles []string) *unit {
	var above *unit
	id := ""
	for i, title := range titles {
		id += "\x1f" + foldTitle(title)
		u := c.units[id]
		if u == nil {
			u = &unit{id: id, title: title, parent: above, context: slices.Clone(titles[:i])}
			c.units[id] = u
		}
		above = u
	}
	return above
}

// objective is that of the row. Units to the left of the objectives' column tell
// objectives with the same words apart; those to the right share them.
func (t *table) objective(said *row) *objective {
	pillar := said.text[mapping.Strategy]
	if pillar != "" && !slices.ContainsFunc(t.conv.pillars, func(p string) bool { return foldTitle(p) == foldTitle(pillar) }) {
		t.conv.pillars = append(t.conv.pillars, pillar)
	}
	titles := said.objectives
	if len(titles) == 0 {
		titles = []string{pillar}
	}
	var owner *unit
	var context []string
	if at := said.at[mapping.Objective]; at != nil {
		left := 0
		for _, c := range t.columns {
			if c.Role == mapping.Unit && c.index < at.index {
				left++
			}
		}
		if t.sheet.Sections == mapping.Unit {
			left = len(said.units)
		}
		if left = min(left, len(said.units)); left > 0 {
			owner = t.conv.unitNamed(said.units[:left])
			context = slices.Clone(said.units[:left])
		}
	}
	var above *objective
	id := foldTitle(strings.Join(context, "\x1f")) + "\x1e" + foldTitle(pillar)
	for _, title := range titles {
		id += "\x1f" + foldTitle(title)
		o := t.conv.objectives[id]
		if o == nil {
			o = &objective{id: id, title: title, pillar: pillar, parent: above, unit: owner, context: slices.Clone(context)}
			if pillar != "" && title != pillar {
				o.context = append([]string{pillar}, o.context...)
			}
			t.conv.objectives[id] = o
		}
		above = o
	}
	return above
}

// actual takes a measured value in.
func (t *table) actual(m *measure, said *row, col *column, n number, text string) {
	if n.bound != "" {
		t.trouble(said.number, *col, text, "a bound is not a measured value")
		return
	}
	p := t.periodOf(said, col)
	if p == nil {
		t.trouble(said.number, *col, text, "nothing says which period the value is for")
		return
	}
	day, point := p.End, false
	switch col.At {
	case "start":
		day, point = p.Start, true
	case "middle":
		day, point = p.Start.AddDays(p.Days()/2), true
	}
	t.observe(m, said, col, n, day, p.Cadence, point, text)
}

func (t *table) periodOf(said *row, col *column) *calendar.Period {
	if col.period != nil {
		return col.period
	}
	return said.period
}

func (t *table) observe(m *measure, said *row, col *column, n number, day calendar.Date, cadence calendar.Cadence, point bool, text string) {
	t.conv.counts.Actual++
	o := observed{value: n.value, edition: said.edition, origin: origin{t, col, int32(said.number), n.percent, n.mark != "", n.text}, day: day, cadence: cadence, point: point}
	key := moment{day, cadence}
	i, twice := m.at[key]
	if !twice {
		m.at[key] = int32(len(m.observed))
		m.observed = append(m.observed, o)
		return
	}
	before := &m.observed[i]
	switch {
	case before.value == o.value && before.origin.percent == o.origin.percent:
		if o.edition < before.edition {
			before.edition = o.edition
		}
	case o.edition > before.edition:
		*before = o
	case o.edition < before.edition:
		// The later edition's word counts, and is there already.
	default:
		before.disputed = true
		t.trouble(said.number, *col, text, fmt.Sprintf("the same measure and period is %s in row %d: neither is taken", display(before.value), before.origin.row))
	}
}

// setpoint takes a target in. byDefault: no cell says it.
func (t *table) setpoint(m *measure, said *row, col *column, n number, role mapping.Role, byDefault bool) {
	text := cmp.Or(n.text, display(n.value))
	o := origin{t, col, int32(said.number), n.percent, n.mark != "", n.text}
	if n.bound != "" && role == mapping.Target {
		d := "increase"
		if strings.HasPrefix(n.bound, "<") {
			d = "decrease"
		}
		switch {
		case m.direction == "":
			m.direction = d
		case m.direction != d:
			t.trouble(said.number, *col, n.bound+" "+text, fmt.Sprintf("the direction of the measure is %s elsewhere", m.direction))
			return
		}
	}
	if role == mapping.Target && t.isPath(said, col) {
		t.path(m, said, col, n, text, o, byDefault)
		return
	}
	p := t.periodOf(said, col)
	if when := said.text[mapping.TargetAt]; p == nil && when != "" {
		// Bounds are of the period in which the row's target is due.
		due, why := t.conv.period(when, t.locale)
		if why != "" {
			t.trouble(said.number, *said.at[mapping.TargetAt], when, why)
			return
		}
		p = &due
	}
	if p == nil {
		t.trouble(said.number, *col, text, "nothing says which period the target is for")
		return
	}
	t.conv.counts.Targets++
	if m.targets[said.edition] == nil {
		m.targets[said.edition] = map[string]*setpoint{}
	}
	s := m.targets[said.edition][p.Name]
	if s == nil {
		s = &setpoint{period: *p, origin: o}
		m.targets[said.edition][p.Name] = s
	}
	field := &s.value
	switch role {
	case mapping.Min:
		field = &s.lower
	case mapping.Max:
		field = &s.high
	}
	switch {
	case *field == nil:
		v := n.value
		*field = &v
		s.origin.percent = s.origin.percent || n.percent
	case byDefault:
	case **field != n.value:
		s.disputed = true
		t.trouble(said.number, *col, text, fmt.Sprintf("the same target is %s in row %d: neither is taken", display(**field), s.origin.row))
	}
}

// isPath reports whether a target is a path: it is due when another column of the
// row says, but for those of a column with a period of its own.
func (t *table) isPath(said *row, col *column) bool {
	return t.defaults.Form == "path" || said.text[mapping.TargetAt] != "" && col.period == nil
}

// bands: a target with bounds is a band; its value, if it has one, cannot count
// beside them.
func (t *table) bands(m *measure, said *row) {
	if b := m.base; b != nil && b.row == said.number {
		m.base = nil
		if b.at == nil {
			t.trouble(said.number, *b.origin.col, cmp.Or(b.origin.text, display(b.value)), "nothing says when the baseline was true, and the row has no target that is due")
			return
		}
		t.observe(m, said, b.origin.col, number{value: b.value, percent: b.origin.percent}, b.at.End, b.at.Cadence, false, display(b.value))
	}
}

func (t *table) baseline(m *measure, said *row, col *column, n number, text string) {
	b := &base{row: said.number, value: n.value, origin: origin{t, col, int32(said.number), n.percent, n.mark != "", n.text}, at: col.period}
	if when := said.text[mapping.BaselineAt]; when != "" && b.at == nil {
		p, why := t.conv.period(when, t.locale)
		if why != "" {
			t.trouble(said.number, *said.at[mapping.BaselineAt], when, why)
			return
		}
		b.at = &p
	}
	// The row's target may have come before it.
	for _, p := range m.paths[said.edition] {
		if int(p.origin.row) == said.number && p.origin.t == t {
			p.start, p.baseline = &b.value, b.origin
			if b.at != nil {
				p.from = b.at.End
			}
			if p.from.IsZero() {
				break
			}
			return
		}
	}
	m.base = b
}

func (t *table) path(m *measure, said *row, col *column, n number, text string, o origin, byDefault bool) {
	p := path{origin: o}
	if when := said.text[mapping.TargetAt]; when != "" {
		due, why := t.conv.period(when, t.locale)
		if why != "" {
			t.trouble(said.number, *said.at[mapping.TargetAt], when, why)
			return
		}
		p.due = due.End
	} else if period := t.periodOf(said, col); period != nil {
		p.due, p.from = period.End, period.Start.AddDays(-1)
		if t.defaults.Baseline != nil {
			v := *t.defaults.Baseline
			p.start = &v
		}
	} else {
		t.trouble(said.number, *col, text, "nothing says when the target is due")
		return
	}
	if when := said.text[mapping.BaselineAt]; when != "" {
		from, why := t.conv.period(when, t.locale)
		if why != "" {
			t.trouble(said.number, *said.at[mapping.BaselineAt], when, why)
			return
		}
		p.from = from.End
	}
	if b := m.base; b != nil && b.row == said.number {
		p.start, p.baseline, m.base = &b.value, b.origin, nil
		if b.at != nil {
			p.from = b.at.End
		}
	}
	if col.Change == "" {
		v := n.value
		p.value = &v
	} else {
		v := n.value
		if n.percent {
			v *= 100
		}
		sign, d := "-", "decrease"
		if col.Change == "above" {
			sign, d = "+", "increase"
		}
		if v < 0 || p.from.IsZero() {
			t.trouble(said.number, *col, text, "a change needs a share of the baseline from 0 on, and the year of the baseline")
			return
		}
		p.change = sign + display(v) + "%"
		if m.direction == "" {
			m.direction = d
		}
	}
	if !p.from.IsZero() && !p.due.After(p.from) {
		t.trouble(said.number, *col, text, fmt.Sprintf("the target is due on %s, which is not after the baseline, %s", p.due, p.from))
		return
	}
	t.conv.counts.Targets++
	if m.paths[said.edition] == nil {
		m.paths[said.edition] = map[string]*path{}
	}
	before := m.paths[said.edition][p.due.String()]
	switch {
	case before == nil:
		m.paths[said.edition][p.due.String()] = &p
	case byDefault:
	case before.change != p.change || deref(before.value) != deref(p.value):
		before.disputed = true
		t.trouble(said.number, *col, text, fmt.Sprintf("row %d has another target for the same day: neither is taken", before.origin.row))
	}
}

func deref(v *float64) float64 {
	if v == nil {
		return 0
	}
	return *v
}
