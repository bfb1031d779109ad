package workbook

import (
	"html"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// Exports leave in a cell what nobody typed there: characters as HTML writes
// them, signs that are not seen, a formula that keeps a spreadsheet program from
// reading a text as a number, letters that were decoded once too often.
var (
	entity   = regexp.MustCompile(`&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});`)
	lineTag  = regexp.MustCompile(`(?i)</?(?:br|p|div)(?:\s[^<>]*)?/?>`)
	styleTag = regexp.MustCompile(`(?i)</?(?:b|i|u|em|strong|span|font)(?:\s[^<>]*)?>`)
	asText   = regexp.MustCompile(`^="([^"]*)"$`)
)

// clean is a text without such debris; raw is the text itself where that is
// another one.
func clean(text string) (cleaned, raw string) {
	text = strings.TrimSpace(text)
	if !suspect(text) {
		return text, ""
	}
	s := text
	if m := asText.FindStringSubmatch(s); m != nil {
		s = m[1]
	}
	s = twiceEncoded(s)
	if strings.IndexByte(s, '&') >= 0 {
		// &amp;rsquo; was written twice.
		for range 2 {
			s = entity.ReplaceAllStringFunc(s, html.UnescapeString)
		}
	}
	if strings.IndexByte(s, '<') >= 0 {
		s = styleTag.ReplaceAllString(lineTag.ReplaceAllString(s, "\n"), "")
	}
	// One letter with its accent may be written as two signs, as file systems of the
	// Macintosh do.
	s = norm.NFC.String(strings.TrimSpace(strings.Map(seen, s)))
	if s == text {
		return s, ""
	}
	return s, text
}

// Clean is a text without what an export left in it.
func Clean(text string) string {
	s, _ := clean(text)
	return s
}

// suspect reports whether there may be anything to clean: most texts have nothing.
func suspect(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || c == '&' || c == '<' || c == '=' && i == 0 || c < ' ' && c != '\n' && c != '\t' && c != '\r' {
			return true
		}
	}
	return false
}

// seen drops the signs that are not seen, and makes one space of all those that
// look like one. Signs that join or part letters of some scripts stay.
func seen(r rune) rune {
	switch {
	case r == '\u00ad', r == '\u200b', r == '\u200e', r == '\u200f', r == '\u2060', r == '\ufeff', r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
		return -1
	case r == '\u00a0', r == '\u2007', r == '\u2009', r == '\u200a', r == '\u202f':
		return ' '
	case r < ' ' && r != '\n' && r != '\t' && r != '\r', r == '\u007f':
		return -1
	}
	return r
}

// twiceEncoded gives back the text that was written as UTF-8 and read as
// Windows-1252 before it was written again: ZÃ¼rich. Bytes that make letters of
// UTF-8 by chance are not to be found in what people write.
func twiceEncoded(s string) string {
	ascii := true
	for i := 0; i < len(s) && ascii; i++ {
		ascii = s[i] < utf8.RuneSelf
	}
	if ascii {
		return s
	}
	b := make([]byte, 0, len(s))
	for _, r := range s {
		c, ok := charmap.Windows1252.EncodeRune(r)
		if !ok && r >= 0x80 && r < 0xa0 {
			c, ok = byte(r), true // the bytes that have no letter there
		}
		if !ok {
			return s
		}
		b = append(b, c)
	}
	if !utf8.Valid(b) {
		return s
	}
	return string(b)
}

// textOf is a cell of a text; Empty where it says nothing.
func textOf(text string) Cell {
	s, raw := clean(text)
	switch {
	case s == "":
		return Cell{}
	case len(s) > maxCell:
		return Cell{Kind: Error, Text: "a text of more than 1 MiB"}
	}
	return Cell{Kind: Text, Text: s, Raw: raw}
}
