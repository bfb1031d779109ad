package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
)

// targets makes the targets of the chosen strategy, worst first.
func (b *builder) targets() []Target {
	out := []Target{}
	for _, r := range b.result.Targets {
		if b.includes(r.Strategy) {
			out = append(out, b.compared(r))
		}
	}
	slices.SortFunc(out, worstFirst)
	return out
}

// worstFirst orders by the gravity of the status, then by how far behind: by
// share, by score where there is none, then by title and name.
func worstFirst(x, y Target) int {
	return cmp.Or(
		cmp.Compare(gravity(x.Status), gravity(y.Status)),
		-compareAbsentLast(x.Share, y.Share, -1),
		compareAbsentLast(x.Score, y.Score, 1),
		cmp.Compare(x.Title, y.Title),
		cmp.Compare(x.Name, y.Name),
	)
}

// compareAbsentLast compares two numbers; an absent one compares as sign says.
func compareAbsentLast(a, b *float64, sign int) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return sign
	case b == nil:
		return -sign
	}
	return cmp.Compare(*a, *b)
}

func (b *builder) compared(r gap.TargetResult) Target {
	declared, metric := b.target[r.Name], b.metric[r.Metric]
	t := Target{
		Name:           r.Name,
		Title:          cmp.Or(tidy(r.Title), tidy(declared.Title), tidy(metric.Title), tidy(r.Name)),
		Objective:      r.Objective,
		ObjectiveTitle: cmp.Or(tidy(b.objective[r.Objective].Title), tidy(r.Objective)),
		Strategy:       r.Strategy,
		Owner:          b.owner(cmp.Or(r.Owner, declared.Owner)),
		Unit:           r.Unit,
		Metric: Metric{
			Name:        r.Metric,
			Title:       tidy(metric.Title),
			Description: tidy(metric.Description),
			Unit:        tidy(metric.Unit),
			Source:      tidy(metric.Source),
			Cadence:     metric.Cadence,
			Format: Format{
				Style:     metric.Format.Style,
				Decimals:  metric.Format.Decimals,
				Magnitude: metric.Format.Magnitude,
				Currency:  tidy(metric.Format.Currency),
			},
		},
		Form:            r.Form,
		Direction:       directionWord(r.Direction),
		Status:          cmp.Or(r.Status, gap.NoData),
		Stale:           r.Stale,
		LastKnownStatus: r.LastKnownStatus,
		Conditions:      slices.Sorted(slices.Values(r.Conditions)),
		Period:          tidy(r.Period),
		Actual:          finite(r.Actual),
		ActualAt:        r.ActualAt,
		Baseline:        finite(r.Baseline),
		Target:          finite(r.Target),
		Lower:           finite(r.Lower),
		Upper:           finite(r.Upper),
		Due:             r.Due,
		Expected:        finite(r.Expected),
		ExpectedNow:     finite(r.ExpectedNow),
		Gap:             finite(r.Gap),
		Drift:           finite(r.Drift),
		Share:           finite(r.Share),
		TargetDrift:     finite(r.TargetDrift),
		Progress:        finite(r.Progress),
		Score:           finite(r.Score),
		Periods:         periods(r.Periods),
		Explanation:     explanation(r.Explanation),
		Data: Data{
			Observations: r.Quality.Observations,
			Missing:      r.Quality.Missing,
			Excluded:     r.Quality.Excluded,
			Corrected:    r.Quality.Corrected,
			LastValueAt:  r.Quality.LastValueAt,
			NextDue:      r.Quality.NextDue,
		},
	}
	if w := finite(&r.Weight); w != nil {
		t.Weight = *w
	}
	sp := declared.InForce(b.result.AsOf)
	if sp != nil && sp.Milestone != nil {
		t.Forecast = sp.Milestone.Forecast
	}
	t.Reason = reason(t)
	t.Summary = summary(t)
	t.Notes = notes(declared, metric, t.Periods, b.result.AsOf)
	t.Confidence = r.Confidence
	if said := b.opts.Said[t.Name]; tidy(said.Note) != "" && b.opts.Audience != Board {
		t.Notes = slices.Insert(t.Notes, 0, Note{About: "Check-in", At: said.At, Text: tidy(said.Note)})
	}
	if o := r.Override; o != nil {
		t.Override = &Override{Status: o.Status, Reason: tidy(o.Reason), Expires: o.Expires, Revision: Rev(o.Revision)}
		t.Notes = slices.Insert(t.Notes, 0, Note{About: "Override", Text: t.Override.Reason})
	}
	t.Outlook = outlookOf(r.Outlook)
	t.Chart = chartOf(t, sp, metric, b.result.AsOf)
	if t.Chart != nil {
		t.Chart.Fan = fan(r.Outlook, metric.Accumulate)
		for _, f := range t.Chart.Fan {
			t.Chart.To = calendar.Later(t.Chart.To, f.Date)
		}
		t.Chart.Changes = changes(t.Metric, declared, t.Chart.From, t.Chart.To, b.result.AsOf)
	}
	return t
}

func directionWord(d gap.Direction) string {
	switch d {
	case gap.Increase:
		return "increase"
	case gap.Decrease:
		return "decrease"
	}
	return ""
}

func periods(list []gap.PeriodResult) []Period {
	out := make([]Period, 0, len(list))
	for _, p := range list {
		out = append(out, Period{
			Period:   tidy(p.Period),
			Start:    p.Start,
			End:      p.End,
			Target:   finite(p.Target),
			Lower:    finite(p.Lower),
			Upper:    finite(p.Upper),
			Actual:   finite(p.Actual),
			Variance: finite(p.Variance),
			Expected: finite(p.Expected),
			State:    cmp.Or(p.State, gap.PeriodNoData),
			Note:     tidy(p.Note),
		})
	}
	slices.SortFunc(out, func(x, y Period) int {
		return cmp.Or(x.End.Compare(y.End), x.Start.Compare(y.Start), cmp.Compare(x.Period, y.Period))
	})
	return out
}

// reason says in a word or two why a target has no verdict.
func reason(t Target) string {
	if t.Stale {
		return "stale"
	}
	if t.Status != gap.NoData {
		return ""
	}
	switch {
	case t.Data.Observations == 0 && t.Actual == nil && t.Form == gap.MilestoneForm:
		return "no forecast"
	case t.Data.Observations == 0 && t.Actual == nil:
		return "no values"
	case undirected(t):
		return "no direction"
	}
	if i := judged(t); i >= 0 {
		switch t.Periods[i].State {
		case gap.PeriodExcluded:
			return "excluded"
		case gap.PeriodPartial:
			return "partial"
		case gap.PeriodNoTarget:
			return "no target"
		case gap.PeriodNoData:
			return "no value"
		}
	}
	return "not judged"
}

// undirected reports that nothing says whether more or less is better.
func undirected(t Target) bool {
	return t.Direction == "" && t.Lower == nil && t.Upper == nil && (t.Form == gap.PathForm || t.Form == gap.PeriodsForm)
}

// judged is the index of the period the verdict is about: the one named, else
// the latest that is closed; -1 if there is none.
func judged(t Target) int {
	last := -1
	for i, p := range t.Periods {
		if p.Period == t.Period && t.Period != "" {
			return i
		}
		if p.State != gap.PeriodFuture && p.State != gap.PeriodRunning {
			last = i
		}
	}
	return last
}

// summary is the verdict in one sentence, the numbers in the metric's format.
func summary(t Target) string {
	m := t.Metric
	if t.Status == gap.NoData {
		return noDataSummary(t)
	}
	var s strings.Builder
	switch {
	case t.Form == gap.MilestoneForm:
		s.WriteString(milestoneSummary(t))
	case t.Actual == nil:
		s.WriteString("No value yet")
		if goal := setpoint(m, t.Direction, t.Target, t.Lower, t.Upper); goal != absent {
			fmt.Fprintf(&s, "; the target is %s", goal)
			if !t.Due.IsZero() {
				fmt.Fprintf(&s, " by %s", t.Due)
			}
		}
	case t.Form == gap.MaintainForm:
		fmt.Fprintf(&s, "%s %s, to be kept %s", at(t), m.value(t.Actual), band(m, t.Lower, t.Upper))
		if t.Gap != nil && *t.Gap > 0 {
			fmt.Fprintf(&s, ": %s outside", m.size(*t.Gap))
		}
	case t.Form == gap.PathForm:
		s.WriteString(pathSummary(t))
	default:
		fmt.Fprintf(&s, "%s %s against %s: %s", at(t), m.value(t.Actual), goalWords(t), m.behind(t.Gap))
		if t.Share != nil && *t.Share > 0 {
			fmt.Fprintf(&s, " (%s of the target)", percent(t.Share))
		}
	}
	if t.Stale && t.Status != gap.NoData {
		s.WriteString("; the next value is overdue")
		if !t.Data.NextDue.IsZero() {
			fmt.Fprintf(&s, " since %s", t.Data.NextDue)
		}
	}
	s.WriteString(".")
	return s.String()
}

// pathSummary compares with the path where it says more than the end does.
func pathSummary(t Target) string {
	m := t.Metric
	var s strings.Builder
	fmt.Fprintf(&s, "%s %s", at(t), m.value(t.Actual))
	if t.Expected != nil && t.Status != gap.Achieved && t.Status != gap.Missed {
		fmt.Fprintf(&s, " where %s was expected: %s", m.value(t.Expected), m.behind(t.Drift))
	}
	if t.Target == nil {
		return s.String()
	}
	due := ""
	if !t.Due.IsZero() {
		due = " by " + t.Due.String()
	}
	switch {
	case t.Gap != nil && *t.Gap > 0 && t.Status != gap.Missed:
		fmt.Fprintf(&s, "; %s to go to the target of %s%s", m.size(*t.Gap), m.value(t.Target), due)
	case t.Gap != nil && *t.Gap > 0:
		fmt.Fprintf(&s, "; %s short of the target of %s%s", m.size(*t.Gap), m.value(t.Target), due)
	case t.Gap != nil:
		fmt.Fprintf(&s, "; the target of %s%s is reached", m.value(t.Target), due)
	}
	return s.String()
}

func milestoneSummary(t Target) string {
	if t.Status == gap.Achieved {
		return "Done"
	}
	s := "Not done yet"
	if !t.Due.IsZero() {
		s += "; due " + t.Due.String()
	}
	if !t.Forecast.IsZero() {
		s += "; forecast for " + t.Forecast.String()
	}
	return s
}

func noDataSummary(t Target) string {
	m := t.Metric
	var s strings.Builder
	switch t.Reason {
	case "stale":
		s.WriteString("The latest value is too old to judge by")
		if t.Actual != nil {
			fmt.Fprintf(&s, ": %s %s", m.value(t.Actual), asOfWords(t))
		}
		if !t.Data.NextDue.IsZero() {
			fmt.Fprintf(&s, "; the next was due %s", t.Data.NextDue)
		}
		if t.LastKnownStatus != "" {
			fmt.Fprintf(&s, "; last known: %s", strings.ToLower(statusWord(t.LastKnownStatus).Text))
		}
	case "no values":
		s.WriteString("Nothing has been observed yet")
	case "no forecast":
		s.WriteString("Not done, and nobody said when it will be")
	case "no direction":
		if t.Actual != nil {
			fmt.Fprintf(&s, "%s %s; nothing", at(t), m.value(t.Actual))
		} else {
			s.WriteString("Nothing")
		}
		s.WriteString(" declares whether more or less is better")
	default:
		s.WriteString("Not judged")
		if i := judged(t); i >= 0 {
			p := t.Periods[i]
			fmt.Fprintf(&s, ": %s is %s", p.Period, stateWord(p.State).Text)
			if p.Actual != nil {
				fmt.Fprintf(&s, " (%s)", m.value(p.Actual))
			}
			if p.Note != "" {
				s.WriteString(": " + strings.TrimRight(p.Note, "."))
			}
		}
	}
	s.WriteString(".")
	return s.String()
}

// at names what the actual is true for.
func at(t Target) string {
	switch {
	case t.Period != "":
		return t.Period + ":"
	case !t.ActualAt.IsZero():
		return t.ActualAt.String() + ":"
	}
	return "Latest:"
}

func asOfWords(t Target) string {
	if t.Period != "" {
		return "for " + t.Period
	}
	return "of " + t.ActualAt.String()
}

func goalWords(t Target) string {
	m := t.Metric
	switch {
	case t.Lower != nil || t.Upper != nil:
		return band(m, t.Lower, t.Upper)
	case t.Direction == "increase":
		return "at least " + m.value(t.Target)
	case t.Direction == "decrease":
		return "at most " + m.value(t.Target)
	}
	return m.value(t.Target)
}

func band(m Metric, lower, upper *float64) string {
	switch {
	case lower != nil && upper != nil:
		return "between " + m.show(*lower) + " and " + m.show(*upper)
	case lower != nil:
		return "at " + m.show(*lower) + " or above"
	case upper != nil:
		return "at " + m.show(*upper) + " or below"
	}
	return "in a band that is not declared"
}

// notes gathers what people wrote about a target and what it rests on, each
// text once: declarations first, then by date.
func notes(t gap.Target, m gap.Metric, periods []Period, asOf calendar.Date) []Note {
	var fixed, dated []Note
	for _, n := range []Note{
		{About: "Target", Text: t.Description},
		{About: "Target", Text: t.Note},
		{About: "Metric", Text: m.Description},
		{About: "Metric", Text: m.Note},
		{About: "Source", Text: m.Source},
	} {
		if n.Text = tidy(n.Text); n.Text != "" {
			fixed = append(fixed, n)
		}
	}
	for _, br := range m.Breaks {
		if !br.Date.After(asOf) {
			dated = append(dated, Note{"Method break", br.Date, cmp.Or(tidy(br.Reason), "The method changed; no reason was given.")})
		}
	}
	for _, p := range periods {
		if p.State == gap.PeriodExcluded && p.Note != "" {
			dated = append(dated, Note{"Excluded " + p.Period, p.End, p.Note})
		}
	}
	for _, o := range m.Observations {
		if text := tidy(o.Note); text != "" && !o.At.After(asOf) {
			dated = append(dated, Note{"Observation", o.At, text})
		}
	}
	slices.SortFunc(dated, func(x, y Note) int {
		return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.About, y.About), cmp.Compare(x.Text, y.Text))
	})
	out := []Note{}
	said := map[string]bool{}
	for _, n := range append(fixed, dated...) {
		key := n.Text
		if !n.At.IsZero() {
			key = n.At.String() + n.Text
		}
		if !said[key] && !said[n.Text] {
			out = append(out, n)
		}
		said[key] = true
	}
	return out
}
