package cli

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
)

// statusStyle is how a status looks: the word says it, the symbol and the
// colour help the eye. The order of the table is from worst to best.
type statusStyle struct{ status, symbol, word, color string }

var statusStyles = []statusStyle{
	{"missed", "✗", "missed", red},
	{"off_track", "▼", "off track", red},
	{"at_risk", "▲", "at risk", yellow},
	{"no_data", "?", "no data", faint},
	{"not_started", "○", "not started", faint},
	{"on_track", "●", "on track", green},
	{"achieved", "✓", "achieved", green},
}

// severity ranks a status, worst first; an unknown word comes after the bad
// ones, for it is not known to be good.
func severity(status string) int {
	if i := slices.IndexFunc(statusStyles, func(s statusStyle) bool { return s.status == status }); i >= 0 {
		return i
	}
	return slices.IndexFunc(statusStyles, func(s statusStyle) bool { return s.status == "no_data" })
}

func statusText(status string, color paint) string {
	for _, s := range statusStyles {
		if s.status == status {
			return color.with(s.color, s.symbol+" "+s.word)
		}
	}
	return printable(status)
}

func statusWord(status string) string {
	for _, s := range statusStyles {
		if s.status == status {
			return s.word
		}
	}
	return printable(status)
}

// renderGaps is the table of gaps, worst first, with roll-ups and hints.
func renderGaps(res *gapv1.EvaluateResponse, original bool, width int, color paint) string {
	var b strings.Builder
	about := fmt.Sprintf("As of %s, revision %d, policy %s", res.GetAsOf(), res.GetRevision(), printable(res.GetPolicy()))
	if n := res.GetErasureEpoch(); n > 0 {
		about += fmt.Sprintf(", erasure epoch %d", n)
	}
	if original {
		about += ", against the targets as first declared"
	}
	paragraph := func(text string) {
		if width <= 0 {
			fmt.Fprintf(&b, "%s\n", text)
			return
		}
		for _, l := range wrapped(text, width) {
			fmt.Fprintf(&b, "%s\n", l)
		}
	}
	paragraph(about + ". A positive gap or drift is behind.")
	b.WriteString("\n")
	if len(res.GetTargets()) == 0 {
		b.WriteString("No targets.\n")
	} else {
		b.WriteString(targetTable(res.GetTargets(), width, color))
	}
	rollUps := func(title string, list []*gapv1.RollUp) {
		if len(list) > 0 {
			fmt.Fprintf(&b, "\n%s", rollUpTable(title, list, width, color))
		}
	}
	rollUps("OBJECTIVE", res.GetObjectives())
	rollUps("STRATEGY", res.GetStrategies())
	if len(res.GetHints()) > 0 {
		b.WriteString("\n")
	}
	for _, h := range res.GetHints() {
		paragraph("hint: " + printable(h))
	}
	return b.String()
}

func targetTable(targets []*gapv1.TargetGap, width int, color paint) string {
	targets = slices.Clone(targets)
	slices.SortStableFunc(targets, func(x, y *gapv1.TargetGap) int {
		return cmp.Or(
			cmp.Compare(severity(x.GetStatus()), severity(y.GetStatus())),
			cmp.Compare(shareOr(y, math.Inf(-1)), shareOr(x, math.Inf(-1))),
			strings.Compare(x.GetName(), y.GetName()),
		)
	})
	columns := []column{
		{Title: "STATUS"}, {Title: "TARGET", Shrink: shortest(width), Name: true}, {Title: "PERIOD", Drop: 6}, {Title: "ACTUAL", Right: true, Drop: 8},
		{Title: "DECLARED", Right: true, Drop: 7}, {Title: "EXPECTED", Right: true, Drop: 4}, {Title: "GAP", Right: true},
		{Title: "DRIFT", Right: true, Drop: 3}, {Title: "SHARE", Right: true, Drop: 5}, {Title: "PROGRESS", Right: true, Drop: 2},
		{Title: "CONFIDENCE", Right: true, Drop: 1}, {Title: "FLAGS", Shrink: 12, Cap: longestTitle},
	}
	rows := make([][]string, len(targets))
	flags := make([]string, len(targets))
	for i, t := range targets {
		flags[i] = strings.Join(gapFlags(t), "; ")
		period := t.GetPeriod()
		if period == "" {
			period = t.GetActualAt()
		}
		confidence := ""
		if t.Confidence != nil {
			confidence = itoa(int64(t.GetConfidence()))
		}
		as := shownAs(t.GetFormat())
		rows[i] = []string{
			statusText(t.GetStatus(), color), printable(t.GetName()), printable(period), optional(t.Actual, as.value),
			targetText(t), optional(t.Expected, as.value), optional(t.Gap, as.difference), optional(t.Drift, as.difference),
			optional(t.Share, formatPercent), optional(t.Progress, formatPercent), confidence, flags[i],
		}
	}
	if width <= 0 || width >= narrowGaps {
		return renderTable(dropEmpty(columns, rows, width, color))
	}
	// There is no room for flags beside the gap: they stand below it.
	last := len(columns) - 1
	for i := range rows {
		rows[i] = rows[i][:last]
	}
	lines := strings.SplitAfter(renderTable(dropEmpty(columns[:last], rows, width, color)), "\n")
	var b strings.Builder
	b.WriteString(lines[0])
	for i := range rows {
		b.WriteString(lines[i+1])
		if flags[i] != "" {
			b.WriteString(flow("  ", flags[i], width))
		}
	}
	return b.String()
}

// narrowGaps is the width from which on a table of gaps has room for a name of 16
// letters beside its numbers, and for what is flagged.
const narrowGaps = 58

// shortest is how far a name is cut.
func shortest(width int) int {
	if width > 0 && width < narrowGaps {
		return 10
	}
	return 16
}

func shareOr(t *gapv1.TargetGap, absent float64) float64 {
	if t.Share == nil {
		return absent
	}
	return t.GetShare()
}

// targetText is the final value with the side that is good, or the band.
func targetText(t *gapv1.TargetGap) string {
	as := shownAs(t.GetFormat())
	if t.Target == nil {
		return as.band(t.Lower, t.Upper)
	}
	return map[string]string{"increase": "≥ ", "decrease": "≤ "}[t.GetDirection()] + as.value(t.GetTarget())
}

// gapFlags is what a reader must know beside the status.
func gapFlags(t *gapv1.TargetGap) []string {
	var flags []string
	if o := t.GetOverride(); o != nil {
		s := "said to be " + statusWord(o.GetStatus())
		if o.GetExpires() != "" {
			s += " until " + o.GetExpires()
		}
		if o.GetReason() != "" {
			s += ": " + printable(o.GetReason())
		}
		flags = append(flags, s)
	}
	if t.GetStale() {
		s := "stale"
		if last := t.GetLastKnownStatus(); last != "" {
			s += ", was " + statusWord(last)
		}
		flags = append(flags, s)
	}
	for _, c := range t.GetConditions() {
		flags = append(flags, printable(c))
	}
	return flags
}

func rollUpTable(title string, list []*gapv1.RollUp, width int, color paint) string {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(x, y *gapv1.RollUp) int {
		return cmp.Or(cmp.Compare(severity(x.GetStatus()), severity(y.GetStatus())), strings.Compare(x.GetName(), y.GetName()))
	})
	columns := []column{
		{Title: "STATUS"}, {Title: title, Shrink: shortest(width), Name: true}, {Title: "TITLE", Shrink: 16, Drop: 1, Cap: longestTitle}, {Title: "SCORE", Right: true},
		{Title: "PROGRESS", Right: true, Drop: 2}, {Title: "KNOWN", Right: true}, {Title: "TARGETS", Right: true, Drop: 3},
	}
	rows := make([][]string, len(list))
	for i, r := range list {
		score := ""
		if r.Score != nil {
			score = fmt.Sprintf("%.2f", r.GetScore())
		}
		rows[i] = []string{
			statusText(r.GetStatus(), color), printable(r.GetName()), printable(r.GetTitle()), score,
			optional(r.Progress, formatPercent), fmt.Sprintf("%.0f %%", 100*r.GetKnown()), itoa(int64(r.GetTargets())),
		}
	}
	return renderTable(dropEmpty(columns, rows, width, color))
}
