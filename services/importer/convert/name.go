package convert

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxName is the longest RFC 1123 label.
const maxName = 63

// letters that do not fall apart into a letter and a mark; signs that tell
// measures apart are spelled out.
var spelled = map[rune]string{
	'ß': "ss", 'æ': "ae", 'ø': "o", 'œ': "oe", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'ı': "i",
	'%': " percent ", '#': " number ", '$': " dollars ", '€': " euros ", '£': " pounds ", '&': " and ", '+': " plus ", '<': " below ", '>': " above ",
}

// slug makes a label of a text: lower-case letters and digits with - between
// words, at most most long; kind stands in front where the text has no letter a
// label can have. What is cut or lost is told apart by a hash.
func slug(text, kind string, most int) string {
	var b strings.Builder
	lost := 0
	for _, r := range norm.NFKD.String(strings.ToLower(text)) {
		switch s, ok := spelled[r]; {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case ok:
			b.WriteString(strings.ReplaceAll(s, " ", "-"))
		case unicode.Is(unicode.Mn, r) || r == '\'' || r == '’':
		case unicode.IsLetter(r):
			lost++
			b.WriteByte('-')
		default:
			b.WriteByte('-')
		}
	}
	parts := strings.FieldsFunc(b.String(), func(r rune) bool { return r == '-' })
	s := strings.Join(parts, "-")
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= 'a' && r <= 'z' }) {
		s = strings.TrimSuffix(kind+"-"+s, "-")
	}
	if lost > 0 || s == kind {
		return trim(s, most-7) + "-" + hash(text)
	}
	if len(s) > most {
		return trim(s, most-7) + "-" + hash(text)
	}
	return s
}

// trim cuts at a word where it can.
func trim(s string, most int) string {
	if len(s) <= most {
		return s
	}
	cut := s[:most]
	if i := strings.LastIndexByte(cut, '-'); i > most/2 && s[most] != '-' {
		cut = cut[:i]
	}
	return strings.Trim(cut, "-")
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(fold(text)))
	return hex.EncodeToString(sum[:3])
}

// fold is a text without regard to case and blanks.
func fold(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

// foldTitle is fold without what ends a sentence: tables write the same title
// with and without it.
func foldTitle(s string) string { return strings.TrimRight(fold(s), ".;:, ") }

// named is something that needs a name: its own text, what it stands in from the
// highest to the lowest, and what it is.
type named struct {
	text    string
	context []string
	id      string // identity
}

// names gives each thing a name that no other has. One that is alone with its
// text is named by it; others by what they stand in too, and at last by a hash
// of their identity. It does not depend on the order of things.
func names(things []named, kind string, taken map[string]bool) map[string]string {
	out := make(map[string]string, len(things))
	slices.SortFunc(things, func(a, b named) int { return strings.Compare(a.id, b.id) })
	forms := []func(named) string{
		func(n named) string { return slug(n.text, kind, maxName) },
		func(n named) string {
			if len(n.context) == 0 {
				return ""
			}
			return slug(n.context[len(n.context)-1]+" "+n.text, kind, maxName)
		},
		func(n named) string { return slug(strings.Join(n.context, " ")+" "+n.text, kind, maxName) },
		func(n named) string { return trim(slug(n.text, kind, maxName-7), maxName-7) + "-" + hash(n.id) },
	}
	for i, form := range forms {
		count := map[string]int{}
		for _, n := range things {
			if out[n.id] == "" {
				count[form(n)]++
			}
		}
		for _, n := range things {
			if out[n.id] != "" {
				continue
			}
			s := form(n)
			if s != "" && count[s] == 1 && !taken[s] || i == len(forms)-1 {
				out[n.id] = s
				taken[s] = true
			}
		}
	}
	return out
}
