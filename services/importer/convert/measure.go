package convert

import (
	"fmt"
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
	yes     bool   // or no
	marked  bool   // with the sign of a footnote, which is in text
	text    string // what stands there, where that is not the number alone
}

func originOf(t *table, col *column, said *row, n number) origin {
	return origin{t: t, col: col, row: int32(said.number), percent: n.percent, yes: n.yes, marked: n.mark != "", text: n.text}
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
	yeses, others                int     // values that are yes or no, and numbers that cannot stand for one
	wanted                       float64 // the last target that is yes or no
	wantedAt                     calendar.Date
	ratio                        string // the form of ratios
	ratios                       int
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
	milestone    bool // done by then
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
		unit = cell.ClockUnit(unit)
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
	for _, mark := range said.marks {
		if !slices.Contains(m.notes, mark) {
			m.notes = append(m.notes, mark)
		}
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
