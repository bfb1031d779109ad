package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode"

	"codeberg.org/go-fonts/dejavu/dejavusans"
	"codeberg.org/go-fonts/dejavu/dejavusansbold"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/bidi"
)

// What the face of paper cannot set is shown as a replacement and said, so that no
// text loses a part unseen. HTML and XLSX leave the choice of a face to whoever
// shows them.

// replacement stands for a character that the face does not have.
const replacement = '\uFFFD'

// unset counts, by script, the characters that were replaced, and notes under
// unjoined that letters stand beside each other which ought to be joined.
type unset map[string]int

const unjoined = "\x00unjoined"

// inFace tells whether the face of paper has a character. The library numbers
// those of the basic plane only.
func inFace(r rune) bool {
	if r > 0xFFFD {
		return false
	}
	if r < 0x250 { // Latin, as almost all are
		return r >= ' '
	}
	if known, ok := inFaces.Load(r); ok {
		return known.(bool)
	}
	has := true
	for _, f := range parsedFaces() {
		var buffer sfnt.Buffer
		i, err := f.GlyphIndex(&buffer, r)
		has = has && err == nil && i != 0
	}
	inFaces.Store(r, has)
	return has
}

var inFaces sync.Map // rune → bool

// parsedFaces are the regular and the bold one, of which the bold one has less.
var parsedFaces = sync.OnceValue(func() []*sfnt.Font {
	var out []*sfnt.Font
	for _, ttf := range [][]byte{dejavusans.TTF, dejavusansbold.TTF} {
		f, err := sfnt.Parse(ttf)
		if err != nil {
			panic("report: the face of paper: " + err.Error())
		}
		out = append(out, f)
	}
	return out
})

// shown is s with what the face does not have replaced. Characters that only
// choose a form of the one before them (variation selectors, joiners) have no
// picture of their own and go.
func (p *paper) shown(s string) string {
	plain := true
	for _, r := range s {
		if r < ' ' || r > 0x24F {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 0xFE00 && r <= 0xFE0F, r >= 0x200B && r <= 0x200D, r == 0xFEFF, r >= 0xE0100 && r <= 0xE01EF:
			return -1
		case r == replacement, directs(r):
			return r
		case r == isolate: // visual puts it where something isolated stands
			return replacement
		case inFace(r):
			if unicode.In(r, unicode.Arabic, unicode.Syriac, unicode.Nko) && unicode.IsLetter(r) {
				p.unset[unjoined] = 1
			}
			return r
		}
		if !p.dry {
			p.unset[script(r)]++
		}
		return replacement
	}, s)
}

// script names what r is written in.
func script(r rune) string {
	for _, name := range []string{"Han", "Hiragana", "Katakana", "Hangul"} {
		if unicode.Is(unicode.Scripts[name], r) {
			return name
		}
	}
	for _, name := range slices.Sorted(maps.Keys(unicode.Scripts)) {
		if name != "Common" && name != "Inherited" && unicode.Is(unicode.Scripts[name], r) {
			return strings.ReplaceAll(name, "_", " ")
		}
	}
	return "symbols"
}

// notes say what could not be set as it is written; none where all could.
func (u unset) notes() []string {
	var out, names []string
	for name := range u {
		if name != unjoined {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		slices.SortFunc(names, func(x, y string) int { return cmp.Or(cmp.Compare(u[y], u[x]), cmp.Compare(x, y)) })
		out = append(out, fmt.Sprintf("Characters that the font of this document does not have (%s) are shown as %c; HTML, XLSX and Markdown have them.", strings.Join(names, ", "), replacement))
	}
	if u[unjoined] > 0 {
		out = append(out, "Arabic letters stand unjoined here; HTML and XLSX join them.")
	}
	return out
}

// The marks that say how a line runs, where its first letter does not.
const (
	leftMark  = '\u200E'
	rightMark = '\u200F'
	// Between these stands a text that runs by itself and moves nothing beside it.
	isolateMark = '\u2068'
	endMark     = '\u2069'
	isolate     = '\uFFFC' // in place of such a text
)

// directs tells whether r only says how a line runs, and has no picture.
func directs(r rune) bool {
	return r == leftMark || r == rightMark || r == isolateMark || r == endMark
}

// isolated is a foreign text as a part of a sentence: what is written from right to
// left takes no number beside it along.
func isolated(s string) string {
	if composed(s) || !strings.ContainsFunc(s, rightToLeft) {
		return s
	}
	return string(isolateMark) + s + string(endMark)
}

func allIsolated(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = isolated(s)
	}
	return out
}

// composed tells whether isolated made a part of s.
func composed(s string) bool { return strings.ContainsRune(s, isolateMark) }

// bare is s without the marks of isolated, for what is counted or looked up.
func bare(s string) string {
	if !composed(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r == isolateMark || r == endMark {
			return -1
		}
		return r
	}, s)
}

// running marks the lines of a paragraph with the way it runs, which is that of its
// first letter: a later line may begin with a word of the other way.
func running(paragraph string, lines []string) []string {
	if len(lines) < 2 || !strings.ContainsFunc(paragraph, rightToLeft) {
		return lines
	}
	mark := leftMark
	if runsLeft(paragraph) {
		mark = rightMark
	}
	inner := "" // what an isolated text that goes on in the next line began with
	for i, line := range lines {
		begin := string(mark) + inner
		if at := strings.LastIndexAny(line, string(isolateMark)+string(endMark)); at >= 0 {
			inner = ""
			if strings.HasPrefix(line[at:], string(isolateMark)) {
				_, all, _ := strings.Cut(strings.Join(lines[i:], " ")[at:], string(isolateMark))
				all, _, _ = strings.Cut(all, string(endMark))
				inner = string(isolateMark) + string(leftMark)
				if runsLeft(all) {
					inner = string(isolateMark) + string(rightMark)
				}
			}
		}
		lines[i] = begin + line
		if inner != "" {
			lines[i] += string(endMark)
		}
	}
	return lines
}

// runsLeft tells whether the first letter of s is of a script from right to left;
// what is isolated in it does not count.
func runsLeft(s string) bool {
	within := false
	for _, r := range s {
		if r == isolateMark || r == endMark {
			within = r == isolateMark
		}
		if within {
			continue
		}
		switch c, _ := bidi.LookupRune(r); c.Class() {
		case bidi.L:
			return false
		case bidi.R, bidi.AL:
			return true
		}
	}
	return false
}

// visual orders the characters of one line as they are drawn, from left to right
// (Unicode Standard Annex 9). A line runs as its first letter or mark does; what is
// isolated in it runs by itself.
func visual(s string) string {
	if !strings.ContainsFunc(s, beyondLatin) {
		return s
	}
	if !strings.ContainsFunc(s, rightToLeft) {
		return unmarked(s)
	}
	var line strings.Builder
	var inner []string
	for s != "" {
		before, rest, found := strings.Cut(s, string(isolateMark))
		line.WriteString(before)
		if !found {
			break
		}
		text, after, _ := strings.Cut(rest, string(endMark))
		line.WriteRune(isolate)
		inner, s = append(inner, visual(text)), after
	}
	return unmarked(ordered(line.String(), inner))
}

// unmarked is s without the marks that say how it runs.
func unmarked(s string) string {
	return strings.Map(func(r rune) rune {
		if directs(r) {
			return -1
		}
		return r
	}, s)
}

// ordered is visual of a line in which each isolate stands for one of the inner
// texts, which are in order already.
func ordered(s string, inner []string) string {
	var p bidi.Paragraph
	if _, err := p.SetString(s); err != nil {
		return s
	}
	order, err := p.Order()
	if err != nil {
		return s
	}
	// The runs come as they are read, with their direction. Rule L2 turns stretches
	// of level 1 and above: in a line from right to left that is all of it; else
	// what is written so, with the numbers that follow it.
	whole := runsLeft(s)
	var out, turned []string
	flush := func() {
		slices.Reverse(turned)
		out, turned = append(out, turned...), nil
	}
	for i := range order.NumRuns() {
		run := order.Run(i)
		text := run.String()
		// Each part of a run between two isolated texts.
		parts := strings.Split(text, string(isolate))
		var shown []string
		left := run.Direction() == bidi.RightToLeft
		for k, part := range parts {
			if k > 0 {
				shown, inner = append(shown, inner[0]), inner[1:]
			}
			if left {
				part = bidi.ReverseString(part)
			}
			shown = append(shown, part)
		}
		if left {
			slices.Reverse(shown)
		}
		switch drawn := strings.Join(shown, ""); {
		case left, whole, len(turned) > 0 && !strings.ContainsFunc(text, leftToRight):
			turned = append(turned, drawn)
		default:
			flush()
			out = append(out, drawn)
		}
	}
	flush()
	return strings.Join(out, "")
}

func leftToRight(r rune) bool {
	c, _ := bidi.LookupRune(r)
	return c.Class() == bidi.L
}

func rightToLeft(r rune) bool {
	if r < 0x590 {
		return false
	}
	c, _ := bidi.LookupRune(r)
	return c.Class() == bidi.R || c.Class() == bidi.AL
}

// languages are those that a script alone tells.
var languages = []struct {
	script   *unicode.RangeTable
	language string
}{
	{unicode.Hiragana, "ja"}, {unicode.Katakana, "ja"}, {unicode.Hangul, "ko"}, {unicode.Hebrew, "he"}, {unicode.Greek, "el"}, {unicode.Thai, "th"},
	{unicode.Armenian, "hy"}, {unicode.Georgian, "ka"}, {unicode.Tamil, "ta"}, {unicode.Han, "und-Hani"}, {unicode.Arabic, "und-Arab"}, {unicode.Cyrillic, "und-Cyrl"}, {unicode.Devanagari, "und-Deva"},
}

// language is that of a text as far as its script tells; "" for Latin, whose
// language is not known. A text in several scripts is of the first in the list.
func language(s string) string {
	foreign := false
	for _, r := range s {
		if r > 0x36F {
			foreign = foreign || unicode.IsLetter(r)
		}
	}
	if !foreign {
		return ""
	}
	for _, l := range languages {
		if strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(l.script, r) }) {
			return l.language
		}
	}
	return "und"
}

// beyondLatin is what a line of Latin letters and digits has none of.
func beyondLatin(r rune) bool { return r > 0x24F && r != '\u2013' && r != '\u2212' }
