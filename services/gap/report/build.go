package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
)

// Options choose what a report is about. The zero value reports on everything.
type Options struct {
	Strategy     string // name; "" for all strategies
	Title        string // of the document; "" for the strategy's title
	Organization string // display name
	// OriginalTargets says that r was judged against the targets as first
	// declared, so that the document can say so.
	OriginalTargets bool
	ErasureEpoch    int // erased people of the organization
	Audience        string
	Before          *Before // what to compare with; nil: nothing
	// Said is the last note of a check-in on each target, by its name.
	Said map[string]Said
}

// Said is what somebody said of a target.
type Said struct {
	At   calendar.Date
	Note string
}

// Build makes the document of r, the evaluation of p. Neither is changed, and
// the order of their lists does not matter. References that resolve to nothing
// are shown by name.
func Build(p gap.Portfolio, r gap.Result, opts Options) Document {
	b := newBuilder(p, r, opts)
	d := Document{
		Organization: tidy(opts.Organization),
		Strategy:     tidy(opts.Strategy),
		AsOf:         r.AsOf,
		Revision:     r.Revision,
		Policy:       tidy(r.Policy),
		ErasureEpoch: opts.ErasureEpoch,
		Original:     opts.OriginalTargets,
		Audience:     audience(opts.Audience),
		Definitions:  definitions,
		Targets:      b.targets(),
	}
	distinctTargets(d.Targets)
	d.Strategies = b.strategies()
	d.Objectives = b.objectives(d.Targets)
	distinctObjectives(d.Objectives)
	d.Units = b.unitRollUps()
	d.Grids = grids(d.Objectives, d.Targets, r.AsOf)
	d.Quality = issues(d.Targets)
	d.Headline = headline(d.Targets, r.Hints)
	d.Heat = b.heat(&d)
	b.act(&d, p)
	d.Decisions = b.decisions(p, d.targetsByName())
	b.ahead(&d, p)
	d.Title = tidy(opts.Title)
	if d.Title == "" && len(d.Strategies) == 1 {
		d.Title = d.Strategies[0].Title
	}
	d.Title = cmp.Or(d.Title, d.Strategy, "All strategies")
	since := ""
	if opts.Before != nil {
		since = opts.Before.Argument
	}
	d.Reproduce = reproduce(d, since)
	return d
}

// audience is "" for the default, so that asking for it changes nothing.
func audience(name string) string {
	if name == Analyst {
		return ""
	}
	return name
}

// ahead adds what moved, what is to come and what was decided.
func (b *builder) ahead(d *Document, p gap.Portfolio) {
	d.Misses = d.misses()
	d.Since = b.since(d, p, b.opts.Before)
	for _, t := range d.Targets {
		if t.Outlook != nil {
			d.Definitions = append(append([]Definition(nil), d.Definitions...), outlookDefinitions...)
			break
		}
	}
}

// reproduce is the command line that gives the same document.
func reproduce(d Document, since string) string {
	args := []string{"setpoint report gap"}
	if d.Strategy != "" {
		args = append(args, "--strategy", quote(d.Strategy))
	}
	if !d.AsOf.IsZero() {
		args = append(args, "--as-of", d.AsOf.String())
	}
	args = append(args, "--revision", uint64String(d.Revision))
	if d.Policy != "" {
		args = append(args, "--policy", quote(d.Policy))
	}
	if d.Original {
		args = append(args, "--original-targets")
	}
	if d.Audience != "" {
		args = append(args, "--audience", quote(d.Audience))
	}
	if since != "" {
		args = append(args, "--since", quote(since))
	}
	return strings.Join(args, " ")
}

// quote protects a name that a shell would take apart; declared names need none.
func quote(name string) string {
	for _, r := range name {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./", r) {
			return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
		}
	}
	return name
}

// builder resolves names while a document is built.
type builder struct {
	result     gap.Result
	opts       Options
	units      map[string]gap.Unit
	strategy   map[string]gap.Strategy
	objective  map[string]gap.Objective
	metric     map[string]gap.Metric
	target     map[string]gap.Target
	strategyOf []gap.Strategy
}

func byName[T any](list []T, name func(T) string) map[string]T {
	m := make(map[string]T, len(list))
	for _, v := range list {
		m[name(v)] = v
	}
	return m
}

func newBuilder(p gap.Portfolio, r gap.Result, opts Options) *builder {
	return &builder{
		result:     r,
		opts:       opts,
		units:      byName(p.Units, func(u gap.Unit) string { return u.Name }),
		strategy:   byName(p.Strategies, func(s gap.Strategy) string { return s.Name }),
		objective:  byName(p.Objectives, func(o gap.Objective) string { return o.Name }),
		metric:     byName(p.Metrics, func(m gap.Metric) string { return m.Name }),
		target:     byName(p.Targets, func(t gap.Target) string { return t.Name }),
		strategyOf: p.Strategies,
	}
}

func (b *builder) includes(strategy string) bool {
	return b.opts.Strategy == "" || b.opts.Strategy == strategy
}

// owner shows unit/real-estate by the unit's title and person/x by its name.
func (b *builder) owner(ref string) string {
	kind, name, ok := strings.Cut(ref, "/")
	if !ok {
		name = ref
	}
	if u, found := b.units[name]; found && (!ok || kind == "unit") {
		return cmp.Or(tidy(u.Title), name)
	}
	return tidy(name)
}

func (b *builder) rollUp(r gap.RollUp) RollUp {
	out := RollUp{
		Name:        r.Name,
		Title:       cmp.Or(tidy(r.Title), tidy(r.Name)),
		Status:      cmp.Or(r.Status, gap.NoData),
		Score:       finite(r.Score),
		Progress:    finite(r.Progress),
		Targets:     r.Targets,
		Explanation: explanation(r.Explanation),
	}
	if known := finite(&r.Known); known != nil {
		out.Known = *known
	}
	out.Counts = counts(func(s gap.Status) int { return r.Counts[s] }, false)
	return out
}

// counts lists how many there are of each status, worst first.
func counts(of func(gap.Status) int, zeros bool) []Count {
	out := []Count{}
	for _, s := range statuses {
		if n := of(s); n > 0 || zeros {
			out = append(out, Count{s, n})
		}
	}
	return out
}

func (b *builder) strategies() []Strategy {
	out := []Strategy{}
	for _, r := range b.result.Strategies {
		if !b.includes(r.Name) {
			continue
		}
		s := b.strategy[r.Name]
		r.Title = cmp.Or(r.Title, s.Title)
		out = append(out, Strategy{
			RollUp:      b.rollUp(r),
			Description: tidy(s.Description),
			Vision:      tidy(s.Vision),
			Start:       s.Start,
			End:         s.End,
			Owner:       b.owner(s.Owner),
		})
	}
	slices.SortFunc(out, func(x, y Strategy) int {
		return cmp.Or(cmp.Compare(x.Title, y.Title), cmp.Compare(x.Name, y.Name))
	})
	return out
}

// unitRollUps are left out where the report is about one of several strategies: a
// unit's roll-up covers all of them.
func (b *builder) unitRollUps() []RollUp {
	out := []RollUp{}
	if b.opts.Strategy != "" && len(b.strategyOf) > 1 {
		return out
	}
	for _, r := range b.result.Units {
		r.Title = cmp.Or(r.Title, b.units[r.Name].Title)
		out = append(out, b.rollUp(r))
	}
	slices.SortFunc(out, func(x, y RollUp) int {
		return cmp.Or(cmp.Compare(x.Title, y.Title), cmp.Compare(x.Name, y.Name))
	})
	return out
}

// objectives makes a section of each objective of the chosen strategies, in
// the order of the pillars as declared.
func (b *builder) objectives(targets []Target) []Objective {
	out := []Objective{}
	seen := map[string]bool{}
	for _, r := range b.result.Objectives {
		if b.includes(r.Strategy) {
			seen[r.Name] = true
			out = append(out, b.section(r, targets))
		}
	}
	orphans := gap.RollUp{Title: "Without an objective", Status: gap.NoData}
	section := Objective{RollUp: b.rollUp(orphans), Members: []string{}}
	for _, t := range targets {
		if !seen[t.Objective] {
			section.Members = append(section.Members, t.Name)
		}
	}
	pillars := b.pillars()
	slices.SortFunc(out, func(x, y Objective) int {
		return cmp.Or(
			cmp.Compare(pillars[x.Pillar], pillars[y.Pillar]),
			cmp.Compare(x.Pillar, y.Pillar),
			cmp.Compare(x.Title, y.Title),
			cmp.Compare(x.Name, y.Name),
		)
	})
	if len(section.Members) > 0 {
		section.Targets = len(section.Members)
		section.Explanation.Rule = "These targets name no objective of this report, so nothing is rolled up."
		out = append(out, section)
	}
	return out
}

// pillars ranks the declared pillars; what is declared nowhere comes last.
func (b *builder) pillars() map[string]int {
	rank := map[string]int{}
	sorted := slices.SortedFunc(slices.Values(b.strategyOf), func(x, y gap.Strategy) int { return cmp.Compare(x.Name, y.Name) })
	for _, s := range sorted {
		if !b.includes(s.Name) {
			continue
		}
		for _, p := range s.Pillars {
			if _, ok := rank[tidy(p)]; !ok {
				rank[tidy(p)] = len(rank) - 1<<20
			}
		}
	}
	return rank
}

func (b *builder) section(r gap.RollUp, targets []Target) Objective {
	o := b.objective[r.Name]
	r.Title = cmp.Or(r.Title, o.Title)
	out := Objective{
		RollUp:      b.rollUp(r),
		Description: tidy(o.Description),
		Pillar:      tidy(o.Pillar),
		Perspective: tidy(o.Perspective),
		OKRType:     tidy(o.OKRType),
		Owner:       b.owner(o.Owner),
		Members:     []string{},
	}
	for _, e := range o.ContributesTo {
		out.ContributesTo = append(out.ContributesTo, e.Objective)
		out.Serves = append(out.Serves, cmp.Or(tidy(b.objective[e.Objective].Title), tidy(e.Objective)))
	}
	slices.Sort(out.Serves)
	slices.Sort(out.ContributesTo)
	for _, t := range targets {
		if t.Objective == r.Name {
			out.Members = append(out.Members, t.Name)
		}
	}
	return out
}

func explanation(e gap.Explanation) Explanation {
	out := Explanation{Rule: tidy(e.Rule), Inputs: []Input{}, Revisions: []Rev{}}
	for _, in := range e.Inputs {
		out.Inputs = append(out.Inputs, Input{Name: tidy(in.Name), Value: inputValue(in.Value)})
	}
	for _, rev := range e.Revisions {
		out.Revisions = append(out.Revisions, Rev(rev))
	}
	slices.Sort(out.Revisions)
	return out
}

// inputValue keeps numbers, words and yes or no; all else becomes its text.
func inputValue(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case *float64:
		if v = finite(v); v == nil {
			return nil
		}
		return *v
	case float64:
		if f := finite(&v); f != nil {
			return *f
		}
		return nil
	case int:
		return v
	case bool:
		return v
	case string:
		return tidy(v)
	case calendar.Date:
		return v.String()
	}
	return tidy(fmt.Sprint(v))
}

// tidy makes foreign text one line: white space runs become a blank, control
// characters, overrides of the writing direction and broken encoding go.
func tidy(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return r <= ' ' || r == 0x7F || (r >= 0x80 && r <= 0xA0) || r == '\u2028' || r == '\u2029' ||
			r == '\uFFFE' || r == '\uFFFF' || (r >= '\u202A' && r <= '\u202E') || (r >= '\u2066' && r <= '\u2069')
	}), " ")
}
