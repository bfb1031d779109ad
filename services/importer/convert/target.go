package convert

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
)

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
	if s.Direction == "" && !m.wantedAt.IsZero() && m.isYes() {
		// Of two values the other one is what is not wanted in the end.
		s.Direction = map[float64]string{0: "decrease", 1: "increase"}[m.wanted]
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
		if len(m.targets) == 0 {
			return nil // the file has paths as well, or none
		}
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
		if m.isYes() && m.direction == "" && m.defaults.Direction == "" {
			turn(s, known.Spec)
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

// turn sets the direction of a target that is yes or no where the last one has
// become the other.
func turn(s, before *strategyv1.TargetSpec) {
	last := func(t *strategyv1.TargetSpec) *float64 {
		if n := len(t.GetPeriods()); n > 0 {
			return t.GetPeriods()[n-1].Value
		}
		return nil
	}
	now, was := last(s), last(before)
	switch {
	case now == nil || was != nil && *was == *now:
	case *now == 0:
		s.Direction = "decrease"
	default:
		s.Direction = "increase"
	}
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

// shown is a setpoint's number as its cell has it.
func (s *setpoint) shown() string {
	for _, v := range []*float64{s.value, s.lower, s.high} {
		if v != nil {
			return display(*v)
		}
	}
	return s.period.Name
}

// setpoint is the declared form of one period's target.
func (f *finisher) setpoint(m *measure, t *setpoint, cadence calendar.Cadence, convert func(float64, bool) (float64, string)) (*strategyv1.PeriodTarget, bool) {
	if t.disputed {
		f.report(t.origin, t.shown(), "another cell contradicts it: neither is taken")
		return nil, false
	}
	if t.period.Cadence != cadence {
		f.report(t.origin, t.shown(), fmt.Sprintf("it is a target of a %s period, but the measure has %s ones", t.period.Cadence, cadence))
		return nil, false
	}
	if why := m.spoken(t.origin); why != "" {
		f.report(t.origin, t.shown(), why)
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

// milestone makes a target of a path to yes: there is nothing between no and yes
// to be expected on the way.
func (f *finisher) milestone(s *strategyv1.TargetSpec, p *path) {
	if s.GetBaseline().GetValue() != 0 {
		f.report(p.baseline, display(*p.start), "a milestone that was reached before has no baseline: it is not kept")
	}
	s.Value, s.Baseline, s.Direction = nil, nil, ""
	if s.Milestone == nil {
		s.Milestone = &strategyv1.Milestone{} // what is forecast for it stays
	}
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
			if why := m.spoken(p.origin); why != "" {
				f.report(p.origin, due, why)
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
			if p.milestone {
				f.milestone(s, p)
			} else if s.Milestone = nil; s.Direction == "" && (s.Baseline == nil || s.Value == nil || s.GetBaseline().Value != nil && s.GetBaseline().GetValue() == s.GetValue()) {
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
