package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
)

// Before is what a report is compared with.
type Before struct {
	Portfolio gap.Portfolio
	Result    gap.Result
	Label     string // "revision 4711", "2018-09-30", "the review of …"
	Argument  string // of --since
	Note      string // what a reader must know about the comparison
}

// Since is what changed since an earlier state, and which events did it.
type Since struct {
	Label    string        `json:"label"`
	AsOf     calendar.Date `json:"asOf"`
	Revision uint64        `json:"revision,string"`
	Note     string        `json:"note,omitempty"`
	Sentence string        `json:"sentence"`
	Worse    int           `json:"worse"`
	Better   int           `json:"better"`
	Moves    []Move        `json:"moves"` // what got worse first
	Removed  []string      `json:"removed,omitempty"`
}

// Move is how one target changed.
type Move struct {
	Target string     `json:"target"`
	Title  string     `json:"title"`
	Before gap.Status `json:"before,omitempty"` // "" where it was not declared
	After  gap.Status `json:"after"`
	What   string     `json:"what"`
	Causes []Cause    `json:"causes"` // empty: only time went by
	More   int        `json:"moreCauses,omitempty"`
}

// Cause is an event behind a move.
type Cause struct {
	Revision Rev    `json:"revision"`
	Text     string `json:"text"`
}

// inCauses is how many events are named for one target, the newest.
const inCauses = 4

func (b *builder) since(d *Document, p gap.Portfolio, before *Before) *Since {
	if before == nil {
		return nil
	}
	s := &Since{Label: tidy(before.Label), AsOf: before.Result.AsOf, Revision: before.Result.Revision, Note: tidy(before.Note), Moves: []Move{}}
	old := byName(before.Result.Targets, func(t gap.TargetResult) string { return t.Name })
	oldMetric := byName(before.Portfolio.Metrics, func(m gap.Metric) string { return m.Name })
	for i := range d.Targets {
		t := &d.Targets[i]
		was, known := old[t.Name]
		delete(old, t.Name)
		m := Move{Target: t.Name, Title: t.Title, Before: was.Status, After: t.Status, Causes: []Cause{}}
		if known {
			m.Before = cmp.Or(was.Status, gap.NoData)
			m.What = difference(t, was)
			if m.What == "" && m.Before == m.After {
				continue
			}
		} else {
			m.What = "new"
		}
		all := b.causes(t, p, oldMetric, before)
		m.Causes = append(m.Causes, all[:min(len(all), inCauses)]...)
		m.More = len(all) - len(m.Causes)
		if known && well(m.Before) != well(m.After) || gravity(m.Before) != gravity(m.After) {
			if known && gravity(m.After) < gravity(m.Before) {
				s.Worse++
			} else if known {
				s.Better++
			}
		}
		s.Moves = append(s.Moves, m)
	}
	for name, t := range old {
		if b.includes(t.Strategy) {
			s.Removed = append(s.Removed, cmp.Or(tidy(t.Title), name))
		}
	}
	slices.Sort(s.Removed)
	// Worsened, then improved, then what moved within its status.
	rank := func(m Move) int {
		switch d := gravity(m.After) - gravity(m.Before); {
		case m.Before == "":
			return 2
		case d < 0:
			return 0
		case d > 0:
			return 1
		}
		return 3
	}
	slices.SortStableFunc(s.Moves, func(x, y Move) int { return cmp.Compare(rank(x), rank(y)) })
	s.Sentence = s.sentence()
	return s
}

func well(s gap.Status) bool { return s == gap.OnTrack || s == gap.Achieved }

func (s *Since) sentence() string {
	if len(s.Moves)+len(s.Removed) == 0 {
		return "Nothing changed since " + s.Label + "."
	}
	fresh := 0
	for _, m := range s.Moves {
		if m.Before == "" {
			fresh++
		}
	}
	parts := []string{count(s.Worse) + " worse", count(s.Better) + " better"}
	if n := len(s.Moves) - s.Worse - s.Better - fresh; n > 0 {
		parts = append(parts, count(n)+" moved with the same status")
	}
	if fresh > 0 {
		parts = append(parts, count(fresh)+" new")
	}
	if n := len(s.Removed); n > 0 {
		parts = append(parts, count(n)+" gone")
	}
	return "Since " + s.Label + ": " + strings.Join(parts, ", ") + "."
}

// difference says what of t is not as it was; "" if all is.
func difference(t *Target, was gap.TargetResult) string {
	m := t.Metric
	var parts []string
	add := func(what string, before, after *float64) {
		if m.value(finite(before)) != m.value(after) {
			parts = append(parts, what+" "+m.value(finite(before))+" → "+m.value(after))
		}
	}
	add("actual", was.Actual, t.Actual)
	add("target", was.Target, t.Target)
	add("lower limit", was.Lower, t.Lower)
	add("upper limit", was.Upper, t.Upper)
	if was.Due != t.Due {
		parts = append(parts, "due "+orAbsent(was.Due.String())+" → "+orAbsent(t.Due.String()))
	}
	if was.Period != "" && tidy(was.Period) != t.Period {
		parts = append(parts, "judged by "+orAbsent(t.Period)+" instead of "+tidy(was.Period))
	}
	if was.Stale != t.Stale {
		word := "no longer stale"
		if t.Stale {
			word = "stale"
		}
		parts = append(parts, word)
	}
	return strings.Join(parts, "; ")
}

// causes are the events since before that t rests on, the newest first: what was
// recorded since, and what has come into its time since.
func (b *builder) causes(t *Target, p gap.Portfolio, old map[string]gap.Metric, before *Before) []Cause {
	type dated struct {
		Cause
		at calendar.Date
	}
	var all []dated
	came := func(rev uint64, at calendar.Date) bool {
		return rev > before.Result.Revision || at.After(before.Result.AsOf) && !at.After(b.result.AsOf)
	}
	declared := b.target[t.Name]
	for i, v := range declared.Versions {
		if !came(v.Revision, v.Effective) || v.Effective.After(b.result.AsOf) {
			continue
		}
		text := "target declared"
		if i > 0 {
			text = "target declared anew"
			if change := versionChange(t.Metric, declared.Versions[i-1], v); change != "" {
				text = change
			}
		}
		if !v.Effective.IsZero() {
			text += ", effective " + v.Effective.String()
		}
		all = append(all, dated{Cause{Rev(v.Revision), text}, v.Effective})
	}
	metrics := []string{t.Metric.Name}
	if r := b.metric[t.Metric.Name].Ratio; r != nil {
		metrics = append(metrics, r.Numerator, r.Denominator)
	}
	for i, name := range metrics {
		m := b.metric[name]
		if m.Revision > before.Result.Revision && old[name].Revision > 0 {
			all = append(all, dated{Cause{Rev(m.Revision), "metric declared anew"}, calendar.Date{}})
		}
		for _, o := range m.Observations {
			if !came(o.Revision, o.At) || o.At.After(b.result.AsOf) || finite(&o.Value) == nil {
				continue
			}
			shown := t.Metric.show(o.Value)
			if i > 0 {
				shown = isolated(cmp.Or(tidy(m.Title), name)) + " " + plain(o.Value)
			}
			text := "value of " + o.At.String() + ": " + shown
			if o.Corrections > 0 {
				text += ", corrected"
			}
			if src := tidy(o.Source); src != "" {
				text += " (" + src + ")"
			}
			all = append(all, dated{Cause{Rev(o.Revision), text}, o.At})
		}
	}
	if o := t.Override; o != nil && uint64(o.Revision) > before.Result.Revision {
		all = append(all, dated{Cause{o.Revision, "said instead: " + strings.ToLower(statusWord(o.Status).Text)}, calendar.Date{}})
	}
	slices.SortStableFunc(all, func(x, y dated) int {
		return cmp.Or(-cmp.Compare(x.Revision, y.Revision), -x.at.Compare(y.at), cmp.Compare(x.Text, y.Text))
	})
	out := make([]Cause, len(all))
	for i, c := range all {
		out[i] = c.Cause
	}
	return out
}

// versionChange says how one declaration of a target differs from the next; ""
// where neither its value nor its due date does.
func versionChange(m Metric, from, to gap.Setpoint) string {
	var parts []string
	if a, b := finite(from.Value), finite(to.Value); m.value(a) != m.value(b) {
		parts = append(parts, "target "+m.value(a)+" → "+m.value(b))
	}
	if from.Due != to.Due && !to.Due.IsZero() {
		parts = append(parts, "due "+orAbsent(from.Due.String())+" → "+to.Due.String())
	}
	return strings.Join(parts, ", ")
}

// changes marks where a target was moved, for its chart.
func changes(m Metric, declared gap.Target, from, to, asOf calendar.Date) []Mark {
	var out []Mark
	for i := 1; i < len(declared.Versions); i++ {
		v := declared.Versions[i]
		if v.Effective.IsZero() || v.Effective.Before(from) || v.Effective.After(to) || v.Effective.After(asOf) {
			continue
		}
		if text := versionChange(m, declared.Versions[i-1], v); text != "" {
			out = append(out, Mark{v.Effective, v.Effective, text})
		}
	}
	return out
}

// causeWords lists what did it.
func (m *Move) causeWords() string {
	if len(m.Causes) == 0 {
		return "no event; time went by"
	}
	var parts []string
	for _, c := range m.Causes {
		parts = append(parts, fmt.Sprintf("%s [revision %d]", c.Text, c.Revision))
	}
	if m.More > 0 {
		parts = append(parts, fmt.Sprintf("and %s more", count(m.More)))
	}
	return strings.Join(parts, "; ")
}
