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
	return shorten(s, most)
}

// easy is the longest name that people are asked to type.
const easy = 40

// stop are words that say little in a name, in several languages.
var stop = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields("a an and as at be by for from in is of on or per than that the their to with within who which " +
		"der die das des dem den ein eine einer eines im in am an auf bei durch fur je mit nach und von vom zu zum zur " +
		"le la les l du de des d un une et en par pour sur dans aux au el los las del al con por para y o da do das dos em no na e com " +
		"il lo gli di della dei delle nel per su het van een met voor op i w z na do och av att till som") {
		m[w] = true
	}
	return m
}()

// shorten makes a label of at most so many bytes: without the words that say
// little if it is too long with them, and then cut at a word.
func shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	var kept []string
	for i, w := range strings.Split(s, "-") {
		if i == 0 || !stop[w] {
			kept = append(kept, w)
		}
	}
	return trim(strings.Join(kept, "-"), most)
}

// ends makes a label of the first and the last words, where many begin alike.
func ends(s string, most int) string {
	words := strings.Split(s, "-")
	if len(s) <= most || len(words) < 4 {
		return shorten(s, most)
	}
	head := trim(shorten(s, most), most/2)
	tail := ""
	for i := len(words) - 1; i > 0 && len(head)+len(words[i])+len(tail)+2 <= most; i-- {
		if tail == "" || !stop[words[i]] {
			tail = strings.TrimSuffix(words[i]+"-"+tail, "-")
		}
	}
	return trim(strings.TrimSuffix(head+"-"+tail, "-"), most)
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

// oneSign writes the quotes and dashes that programs put in the place of typed
// ones as they are typed.
var oneSign = strings.NewReplacer("’", "'", "‘", "'", "ʼ", "'", "´", "'", "`", "'", "“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`, "‹", "'", "›", "'", "–", "-", "—", "-", "‐", "-", "‑", "-", "−", "-")

// foldTitle is fold without what ends a sentence, and with one sign for "and", for
// each quote and for a dash, and without raised and lowered figures (CO₂): tables
// write the same title with and without the one, and in two ways with the others.
func foldTitle(s string) string {
	words := strings.Fields(norm.NFKC.String(oneSign.Replace(strings.TrimRight(fold(s), ".;:, "))))
	for i, w := range words {
		switch w {
		case "and", "und", "et":
			words[i] = "&"
		}
	}
	return strings.Join(words, " ")
}

// named is something that needs a name: its own text, what it stands in from the
// highest to the lowest, and what it is.
type named struct {
	text    string
	context []string
	id      string // identity
}

// Identity is what an imported thing is told by, whatever its name: the label
// IdentityLabel keeps it, so that a later edition, in which others may have the
// same words, finds the name that was given first.
func identity(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:8])
}

// IdentityLabel is the label under which a resource keeps what it was imported as.
const IdentityLabel = "imported"

// names gives each thing a name that no other has, short enough to be typed: the
// one it has already, or that of its text; where others have the same, with what
// tells them apart at its end, with what it stands in, and at last with a hash of
// its identity. It does not depend on the order of things.
func names(things []named, kind string, known map[string]string) map[string]string {
	out, taken := make(map[string]string, len(things)), map[string]bool{}
	for _, name := range known {
		taken[name] = true
	}
	slices.SortFunc(things, func(a, b named) int { return strings.Compare(a.id, b.id) })
	for _, n := range things {
		if name := known[identity(n.id)]; name != "" {
			out[n.id] = name
		}
	}
	last := func(n named) string {
		if len(n.context) == 0 {
			return ""
		}
		return n.context[len(n.context)-1]
	}
	forms := []func(named) string{
		func(n named) string { return slug(n.text, kind, easy) },
		func(n named) string { return ends(slug(n.text, kind, 10*maxName), easy) },
		func(n named) string {
			if last(n) == "" {
				return ""
			}
			return slug(last(n), kind, easy/2) + "-" + slug(n.text, kind, easy)
		},
		func(n named) string {
			if last(n) == "" {
				return ""
			}
			return slug(last(n), kind, easy/2) + "-" + ends(slug(n.text, kind, 10*maxName), easy)
		},
	}
	// What stands above the nearest may tell two apart, from there up.
	deepest := 0
	for _, n := range things {
		deepest = max(deepest, len(n.context))
	}
	for up := 2; up <= deepest; up++ {
		forms = append(forms, func(n named) string {
			if len(n.context) < up {
				return ""
			}
			return slug(n.context[len(n.context)-up], kind, easy/2) + "-" + slug(n.text, kind, easy)
		})
	}
	own := differences(things, kind)
	forms = append(forms,
		func(n named) string { return slug(strings.Join(n.context, " ")+" "+n.text, kind, maxName) },
		func(n named) string { return own[n.id] },
		func(n named) string { return trim(slug(n.text, kind, easy), easy-7) + "-" + hash(n.id) },
	)
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
			if s != "" && len(s) <= maxName && count[s] == 1 && !taken[s] || i == len(forms)-1 {
				out[n.id] = s
				taken[s] = true
			}
		}
	}
	return out
}

// differences are names for things whose texts begin and end alike: the beginning,
// and the words that not all of them have.
func differences(things []named, kind string) map[string]string {
	groups := map[string][]named{}
	for _, n := range things {
		short := slug(n.text, kind, easy)
		groups[short] = append(groups[short], n)
	}
	out := map[string]string{}
	for short, g := range groups {
		if len(g) < 2 {
			continue
		}
		// A word that a text has twice counts twice: "# of firms of the city".
		type nth struct {
			word string
			n    int
		}
		count := map[nth]int{}
		words := make([][]nth, len(g))
		for i, n := range g {
			seen := map[string]int{}
			for _, w := range strings.Split(slug(n.text, kind, 10*maxName), "-") {
				seen[w]++
				words[i] = append(words[i], nth{w, seen[w]})
				count[nth{w, seen[w]}]++
			}
		}
		for i, n := range g {
			var own []string
			for _, w := range words[i] {
				if count[w] < len(g) {
					own = append(own, w.word)
				}
			}
			tail := trim(strings.Join(own, "-"), easy/2)
			out[n.id] = strings.Trim(trim(short, easy)+"-"+tail, "-")
		}
	}
	return out
}
