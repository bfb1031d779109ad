package report

import (
	"fmt"
	"strconv"
	"strings"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/calendar"
)

// What Markdown and HTML say alike.

func orAbsent(s string) string {
	if s == "" {
		return absent
	}
	return s
}

// when names the period the actual is true for, or its last day.
func (t *Target) when() string {
	if t.Period != "" {
		return t.Period
	}
	return t.ActualAt.String()
}

// statusNote is what stands below a status: why there is none, what was known
// last, what is pending, what somebody says instead.
func (t *Target) statusNote() string {
	var parts []string
	if t.Reason != "" {
		parts = append(parts, t.Reason)
	}
	if t.LastKnownStatus != "" && t.LastKnownStatus != t.Status {
		parts = append(parts, "was "+strings.ToLower(statusWord(t.LastKnownStatus).Text))
	}
	for _, c := range t.Conditions {
		if c == "FinalPending" {
			parts = append(parts, "final value pending")
		}
	}
	if o := t.Override; o != nil {
		parts = append(parts, fmt.Sprintf("said: %s until %s", strings.ToLower(statusWord(o.Status).Text), o.Expires))
	}
	return strings.Join(parts, ", ")
}

// gapWords shows the gap; to the end of a path there may be a way to go without
// anything being behind.
func (t *Target) gapWords() string {
	after := [2]string{" behind", " ahead"}
	switch {
	case t.Gap == nil:
		return absent
	case t.Form == gap.PathForm && t.Status == gap.Missed:
		after = [2]string{" short", " past"}
	case t.Form == gap.PathForm || t.Form == gap.MilestoneForm:
		after = [2]string{" to go", " past"}
	case t.Form == gap.MaintainForm:
		after = [2]string{" outside", " inside"}
	}
	switch {
	case *t.Gap > 0:
		return t.Metric.size(*t.Gap) + after[0]
	case *t.Gap < 0:
		return t.Metric.size(*t.Gap) + after[1]
	case t.Form == gap.MaintainForm:
		return "inside"
	}
	return "on target"
}

// facts lists the numbers of t that are known.
func (t *Target) facts() []Definition {
	m := t.Metric
	var out []Definition
	add := func(term, text string) {
		if text != "" && text != absent {
			out = append(out, Definition{term, text})
		}
	}
	add("Actual", m.value(t.Actual))
	add("Period", t.when())
	add("Expected by then", m.value(t.Expected))
	if t.ExpectedNow != nil && (t.Expected == nil || *t.ExpectedNow != *t.Expected) {
		add("Expected now", m.value(t.ExpectedNow))
	}
	add("Target", setpoint(m, t.Direction, t.Target, t.Lower, t.Upper))
	add("Due", t.Due.String())
	add("Forecast", t.Forecast.String())
	if o := t.Outlook; o != nil {
		add("Forecast", t.outlookWords())
		add("Probability", probability(o.Attainment))
		add("Half get there by", o.AttainmentDate.String())
	}
	add("Baseline", m.value(t.Baseline))
	add("Gap to target", t.gapWords())
	add("Drift off path", m.behind(t.Drift))
	add("Share", signedPercent(t.Share))
	if t.TargetDrift != nil && *t.TargetDrift != 0 {
		way := " loosened"
		if *t.TargetDrift < 0 {
			way = " tightened"
		}
		add("Target drift", m.size(*t.TargetDrift)+way)
	}
	add("Progress", percent(t.Progress))
	add("Score", score(t.Score))
	if t.Confidence != nil {
		add("Confidence", fmt.Sprintf("%d of 10", *t.Confidence))
	}
	if s := m.Format.Style; s != "percent" && s != "currency" && s != "boolean" {
		add("Unit", m.Unit) // else the value shows it
	}
	add("Owner", t.Owner)
	return out
}

// outlookWords show the forecast with its range, or why there is none.
func (t *Target) outlookWords() string {
	o := t.Outlook
	switch {
	case o.Value == nil && o.Unknown != "":
		return "not known: " + o.Unknown
	case o.Value == nil:
		return ""
	}
	s := t.Metric.show(*o.Value)
	if o.Lower80 != nil && o.Upper80 != nil {
		s += " (80 %: " + t.Metric.show(*o.Lower80) + " to " + t.Metric.show(*o.Upper80) + ")"
	}
	if o.Period != "" {
		s += " for " + o.Period
	}
	return s
}

func horizon(s Strategy) string {
	var parts []string
	if !s.Start.IsZero() && !s.End.IsZero() {
		parts = append(parts, fmt.Sprintf("Horizon %s to %s", s.Start, s.End))
	}
	if s.Owner != "" {
		parts = append(parts, "Owner: "+isolated(s.Owner))
	}
	return strings.Join(parts, " · ")
}

// about is an objective's place in its strategy.
func about(o Objective) string {
	var parts []string
	for _, p := range []struct{ label, text string }{
		{"Pillar", isolated(o.Pillar)}, {"Perspective", isolated(o.Perspective)}, {"OKR type", o.OKRType}, {"Owner", isolated(o.Owner)},
		{"Serves", strings.Join(allIsolated(o.Serves), "; ")},
	} {
		if p.text != "" {
			parts = append(parts, p.label+": "+p.text)
		}
	}
	return strings.Join(parts, " · ")
}

// told are the notes as they are read: a text that stands with many observations is
// read once.
func (t *Target) told() []Note {
	const about = "Observation"
	type group struct {
		at   int
		more int
		last calendar.Date
	}
	groups := map[string]*group{}
	var out []Note
	for _, n := range t.Notes {
		g := groups[n.Text]
		if n.About == about && g != nil {
			g.more, g.last = g.more+1, n.At
			continue
		}
		if n.About == about {
			groups[n.Text] = &group{at: len(out)}
		}
		out = append(out, n)
	}
	for _, g := range groups {
		if g.more > 0 {
			out[g.at].Text = isolated(out[g.at].Text) + " (and " + count(g.more) + " more, the last of " + g.last.String() + ")"
		}
	}
	return out
}

func countWords(list []Count) string {
	parts := make([]string, 0, len(list))
	for _, c := range list {
		parts = append(parts, fmt.Sprintf("%s %s", count(c.Count), strings.ToLower(statusWord(c.Status).Text)))
	}
	return strings.Join(parts, ", ")
}

func more(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf("and %s more below", count(n))
}

func (g Grid) omitted() string {
	if g.Omitted == 0 {
		return ""
	}
	return fmt.Sprintf("%s of %s periods shown; the charts and the JSON form have all.", count(len(g.Columns)), count(len(g.Columns)+g.Omitted))
}

func (in Input) text() string {
	switch v := in.Value.(type) {
	case nil:
		return "not known"
	case float64:
		return plain(v)
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case string:
		return orAbsent(v)
	}
	return fmt.Sprint(in.Value)
}

// revisions lists log positions, runs of them shortened: 4, 7–12, 20.
func (e Explanation) revisions() string {
	var b strings.Builder
	for i := 0; i < len(e.Revisions); {
		j := i
		for j+1 < len(e.Revisions) && e.Revisions[j+1] <= e.Revisions[j]+1 {
			j++
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.FormatUint(uint64(e.Revisions[i]), 10))
		if last := e.Revisions[j]; last > e.Revisions[i] {
			b.WriteString("–" + strconv.FormatUint(uint64(last), 10))
		}
		i = j + 1
	}
	return b.String()
}
