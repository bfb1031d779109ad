package report

import (
	"fmt"
	"slices"
	"strings"

	"setpoint.dev/services/gap"
)

// inHeadline is how many of the worst and of the missing are named on top.
const inHeadline = 5

// headline says what stands out. Targets are worst first.
func headline(targets []Target, hints []string) Headline {
	n := map[gap.Status]int{}
	h := Headline{Total: len(targets), Worst: []string{}, Missing: []string{}, Hints: []string{}}
	for _, t := range targets {
		n[t.Status]++
		switch t.Status {
		case gap.OffTrack, gap.Missed, gap.AtRisk:
			h.Behind++
			if len(h.Worst) < inHeadline {
				h.Worst = append(h.Worst, t.Name)
			}
		case gap.OnTrack, gap.Achieved:
			h.Well++
		case gap.NotStarted:
		default:
			h.Unjudged++
			if len(h.Missing) < inHeadline {
				h.Missing = append(h.Missing, t.Name)
			}
		}
	}
	for _, hint := range hints {
		if hint = tidy(hint); hint != "" {
			h.Hints = append(h.Hints, hint)
		}
	}
	slices.Sort(h.Hints)
	h.Counts = counts(func(s gap.Status) int { return n[s] }, true)
	h.Sentence = h.sentence(targets)
	if h.Total > 0 {
		h.Detail = h.detail()
	}
	return h
}

func (h Headline) sentence(targets []Target) string {
	if h.Total == 0 {
		return "No targets are declared, so there is nothing to compare."
	}
	if h.Unjudged == h.Total {
		none := 0
		for i := range targets {
			if undirected(targets[i]) {
				none++
			}
		}
		if 2*none > h.Total {
			return fmt.Sprintf("None of %s can be judged: of %s nothing declares whether more or less is better.", plural(h.Total, "target"), count(none))
		}
		return fmt.Sprintf("None of %s can be judged: the data is missing or too old.", plural(h.Total, "target"))
	}
	var s string
	switch {
	case h.Behind == 0 && h.Well == 0 && h.Unjudged > 0:
		return fmt.Sprintf("None of %s has a verdict yet; %s cannot be judged.", plural(h.Total, "target"), count(h.Unjudged))
	case h.Behind == 0 && h.Well == 0:
		return fmt.Sprintf("None of %s has a verdict yet.", plural(h.Total, "target"))
	case h.Behind == 0:
		s = fmt.Sprintf("None of %s is behind", plural(h.Total, "target"))
	case h.Total == 1:
		s = "The one target is behind"
	default:
		s = fmt.Sprintf("%s of %s %s behind", count(h.Behind), plural(h.Total, "target"), isAre(h.Behind))
	}
	if h.Unjudged > 0 {
		s += fmt.Sprintf("; %s cannot be judged", count(h.Unjudged))
	}
	return s + "."
}

// detail spells the counts out; those at zero are left out.
func (h Headline) detail() string {
	var parts []string
	for _, c := range h.Counts {
		if c.Count > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", count(c.Count), strings.ToLower(statusWord(c.Status).Text)))
		}
	}
	return "Of " + plural(h.Total, "target") + ": " + strings.Join(parts, ", ") + "."
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(n) + " " + noun + "s"
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// None is what stands where no target is behind: nobody is to read that all is well
// where it is not known.
func (h Headline) None() string {
	switch {
	case h.Total > 0 && h.Unjudged == h.Total:
		return "Nothing could be judged."
	case h.Unjudged > 0:
		return "No target that could be judged is behind."
	}
	return "No target is behind."
}
