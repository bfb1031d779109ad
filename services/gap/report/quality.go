package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"setpoint.dev/services/gap"
)

// issues names what is wrong with the data behind each target, and why it
// matters, by kind and title.
func issues(targets []Target) []Issue {
	out := []Issue{}
	for _, t := range targets {
		add := func(kind, format string, args ...any) {
			out = append(out, Issue{kind, t.Name, t.Title, fmt.Sprintf(format, args...)})
		}
		switch {
		case undirected(t) && t.Status == gap.NoData && t.Reason == "no direction":
			add(issueUnjudgeable, "%s", t.Summary)
		case t.Stale:
			add(issueStale, "%s", staleness(t))
		case t.Status == gap.NoData && (t.Reason == "no values" || t.Reason == "no forecast"):
			add(issueNoValues, "%s", t.Summary)
		}
		if missing := inState(t, gap.PeriodNoData); t.Data.Missing > 0 {
			add(issueMissing, "%s", cmp.Or(missing, plural(t.Data.Missing, "period")))
		}
		if excluded := inState(t, gap.PeriodExcluded); excluded != "" {
			add(issueExcluded, "%s", excluded)
		} else if t.Data.Excluded > 0 {
			add(issueExcluded, "%s", plural(t.Data.Excluded, "period"))
		}
		if partial := inState(t, gap.PeriodPartial); partial != "" {
			add(issuePartial, "%s", partial)
		}
		for _, n := range t.Notes {
			if n.About == "Method break" {
				add(issueBreak, "%s: %s", n.At, n.Text)
			}
		}
		if t.Data.Corrected > 0 {
			add(issueCorrected, "%s of %s", plural(t.Data.Corrected, "value"), plural(t.Data.Observations, "observation"))
		}
	}
	slices.SortStableFunc(out, func(x, y Issue) int {
		return cmp.Or(cmp.Compare(kindRank(x.Kind), kindRank(y.Kind)), cmp.Compare(x.Title, y.Title), cmp.Compare(x.Target, y.Target))
	})
	return out
}

func kindRank(kind string) int {
	for i, k := range issueKinds {
		if k.Kind == kind {
			return i
		}
	}
	return len(issueKinds)
}

func staleness(t Target) string {
	var parts []string
	if !t.Data.LastValueAt.IsZero() {
		parts = append(parts, "last value "+t.Data.LastValueAt.String())
	}
	if !t.Data.NextDue.IsZero() {
		parts = append(parts, "next was due "+t.Data.NextDue.String())
	}
	if t.LastKnownStatus != "" {
		parts = append(parts, "last known: "+strings.ToLower(statusWord(t.LastKnownStatus).Text))
	}
	if len(parts) == 0 {
		return "The next value is overdue."
	}
	s := strings.Join(parts, "; ")
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

// inState lists t's periods in a state, with their notes. Before the first
// value nothing is missing.
func inState(t Target, state gap.PeriodState) string {
	var plain, noted []string
	started := state != gap.PeriodNoData
	for _, p := range t.Periods {
		started = started || p.Actual != nil
		switch {
		case p.State != state || !started:
		case p.Note != "" && state != gap.PeriodNoData:
			noted = append(noted, p.Period+": "+p.Note)
		default:
			plain = append(plain, p.Period)
		}
	}
	noted = latest(noted)
	if len(plain) > 0 {
		noted = append([]string{strings.Join(latest(plain), ", ")}, noted...)
	}
	return strings.Join(noted, "; ")
}

// inIssue is how many periods an issue names; the tables of periods have all.
const inIssue = 8

// latest are the last of a long list, and how many come before them.
func latest(list []string) []string {
	n := len(list) - inIssue + 1
	if n <= 1 {
		return list
	}
	return append([]string{count(n) + " earlier"}, list[n:]...)
}
