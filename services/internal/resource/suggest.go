package resource

import (
	"sort"
	"strings"

	"github.com/agext/levenshtein"
)

// Suggest says which of the legal words was probably meant, and otherwise
// which are legal, at most ten of them.
func Suggest(word string, legal []string) string {
	if len(legal) == 0 {
		return "there is none yet"
	}
	best, score := "", 0.0
	for _, l := range legal {
		if s := levenshtein.Match(strings.ToLower(word), strings.ToLower(l), nil); s > score || (s == score && l < best) {
			best, score = l, s
		}
	}
	if score >= 0.6 {
		return "did you mean " + quote(best) + "?"
	}
	sorted := append([]string(nil), legal...)
	sort.Strings(sorted)
	more := ""
	if len(sorted) > 10 {
		sorted, more = sorted[:10], " …"
	}
	return "legal are " + strings.Join(sorted, ", ") + more
}

func quote(s string) string { return `"` + s + `"` }
