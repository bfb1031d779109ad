package manifest

import (
	"strings"
	"unicode/utf8"

	"github.com/agext/levenshtein"
)

// closest is the legal word that was probably meant, "" if none is near.
// Case, separators and a plural s do not count as differences.
func closest(got string, legal []string) string {
	if got == "" || len(got) > 64 {
		return ""
	}
	want := fold(got)
	best, bestDistance := "", 1+utf8.RuneCountInString(want)/4
	for _, word := range legal {
		if word == "" {
			continue
		}
		f := fold(word)
		if f == want || f == strings.TrimSuffix(want, "s") || f+"s" == want {
			return word
		}
		if d := levenshtein.Distance(want, f, nil); d < bestDistance || d == bestDistance && best == "" {
			best, bestDistance = word, d
		}
	}
	if best == "" && len(want) >= 3 {
		for _, word := range legal {
			if strings.HasPrefix(fold(word), want) {
				return word
			}
		}
	}
	return best
}

func fold(s string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(s))
}

// didYouMean is a hint that names the closest legal word, or else all of them.
func didYouMean(got string, legal []string) string {
	if word := closest(got, legal); word != "" {
		return "did you mean " + word + "?"
	}
	if all := list(legal); all != "" {
		return "one of " + all
	}
	return ""
}

// list joins the words that are not empty.
func list(words []string) string {
	var kept []string
	for _, w := range words {
		if w != "" {
			kept = append(kept, w)
		}
	}
	return strings.Join(kept, ", ")
}

// quote shows a value of the input, shortened and with control characters
// escaped.
func quote(s string) string {
	const most = 60
	shown := 0
	for i := range s {
		if shown++; shown > most {
			s = s[:i] + "…"
			break
		}
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			b.WriteRune('\uFFFD')
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
