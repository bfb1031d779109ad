package convert

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"google.golang.org/protobuf/proto"

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
type Step struct{ Resources []Packed }

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
	aggregations                   map[string]string
}

// Finish gives what the rows come to.
func (c *Converter) Finish(known Known) (Result, error) {
	f := &finisher{Converter: c, known: known}
	f.out.Observations = make([]Observation, 0, c.counts.Actual)
	f.name()
	for _, key := range slices.Sorted(maps.Keys(c.owners)) {
		o := c.owners[key]
		why := "no unit or person is known by it: owners in the mapping says which it is (unit/NAME, person/ID, or unit to declare one of this title)"
		if o.measures > 1 {
			why = fmt.Sprintf("of %d measures; %s", o.measures, why)
		}
		f.report(o.origin, o.text, why)
	}
	var base, targets []Packed
	var later [][]Packed
	newestKnown := ""
	for _, id := range slices.SortedFunc(maps.Keys(c.measures), func(a, b string) int { return cmp.Compare(f.names[a], f.names[b]) }) {
		m := c.measures[id]
		name := f.names[id]
		metric := f.metric(m, name)
		if c.m.Declares("Metric") {
			r, err := packed("Metric", metadata(name, ""), metric, m.idLabels())
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
				r, err := packed("Target", metadata(v.name, v.effective), v.spec, nil)
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
		m.targets, m.paths = nil, nil // as the values, which metric gave out
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

// plan is the strategy, its objectives, and the units.
func (f *finisher) plan() ([]Packed, error) {
	var out []Packed
	add := func(kind, name, id string, spec proto.Message) error {
		if !f.m.Declares(kind) {
			return nil
		}
		var labels map[string]string
		if id != "" {
			labels = map[string]string{IdentityLabel: identity(id)}
		}
		r, err := packed(kind, metadata(name, ""), spec, labels)
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
