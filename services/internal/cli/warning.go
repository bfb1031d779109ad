package cli

import (
	"fmt"
	"slices"
	"strings"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
)

// shownAlike is how many warnings of one kind are shown in full; of the others
// only whom they concern, and of those at most namedAlike.
const (
	shownAlike = 3
	namedAlike = 5
)

// renderWarnings shows advice in the form of faults, one kind after the other:
// a plan of hundreds of targets may lack the same thing hundreds of times.
func renderWarnings(warnings []*commonv1.Fault) string {
	if len(warnings) == 0 {
		return ""
	}
	var kinds [][]*commonv1.Fault
	at := map[string]int{}
	for _, w := range warnings {
		i, known := at[w.GetReason()]
		if !known || w.GetReason() == "" {
			i = len(kinds)
			kinds = append(kinds, nil)
			at[w.GetReason()] = i
		}
		kinds[i] = append(kinds[i], w)
	}
	// What changes the past, overwrites what others have set, or spares a resource,
	// before advice on how targets are declared.
	slices.SortStableFunc(kinds, func(a, b []*commonv1.Fault) int {
		return rank(a[0]) - rank(b[0])
	})
	var b strings.Builder
	fmt.Fprintf(&b, "%s:\n", counted(len(warnings), "warning", "warnings"))
	for _, alike := range kinds {
		writeAlike(&b, alike)
	}
	return b.String()
}

// grave tells what must be seen from advice that can wait for a plan.
func grave(w *commonv1.Fault) bool { return strings.HasPrefix(w.GetReason(), "declaration.") }

func rank(w *commonv1.Fault) int {
	if grave(w) {
		return 0
	}
	return 1
}

// writeAlike shows warnings of one kind, a hint that they share once.
func writeAlike(b *strings.Builder, alike []*commonv1.Fault) {
	shown, rest := alike, []*commonv1.Fault(nil)
	if len(alike) > shownAlike+1 {
		shown, rest = alike[:shownAlike], alike[shownAlike:]
	}
	hint, shared := alike[0].GetHint(), true
	for _, w := range alike {
		shared = shared && w.GetHint() == hint
	}
	for _, w := range shown {
		p := placeOf(w)
		if shared {
			p.Hint = ""
		}
		writePlace(b, "  ", p)
	}
	if len(rest) > 0 {
		var names []string
		for _, w := range rest[:min(namedAlike, len(rest))] {
			names = append(names, w.GetResource())
		}
		more := ""
		if len(rest) > namedAlike {
			more = " …"
		}
		fmt.Fprintf(b, "  and %s like it: %s%s\n", groupDigits(itoa(int64(len(rest))))+" more", printable(strings.Join(names, ", ")), more)
	}
	if shared {
		writeHint(b, "      ", hint)
	}
}
