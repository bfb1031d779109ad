package cli

import (
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/text"
)

// paint colours text where it is true. Colour never carries meaning alone.
type paint bool

const (
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
	faint  = "2"
	bold   = "1"
)

func (p paint) with(code, s string) string {
	if !p || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// printable puts text from outside on one line, without what could steer a
// terminal.
func printable(s string) string {
	if !strings.ContainsFunc(s, steers) {
		return s
	}
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if steers(r) {
			return ' '
		}
		return r
	}, s)), " ")
}

// printableLines is printable for text of many lines.
func printableLines(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && steers(r) {
			return ' '
		}
		return r
	}, s)
}

// steers: control characters, and the invisible ones that turn the direction
// of writing.
func steers(r rune) bool {
	return unicode.IsControl(r) || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069)
}

// clip shortens s to width columns.
func clip(s string, width int) string {
	if width <= 0 || text.StringWidthWithoutEscSequences(s) <= width {
		return s
	}
	return text.Snip(s, width, "…")
}

// clipMiddle shortens s to width columns by what is in its middle.
func clipMiddle(s string, width int) string {
	if width <= 0 || text.StringWidthWithoutEscSequences(s) <= width {
		return s
	}
	runes, room := []rune(s), width-1
	head, tail := 0, len(runes)
	for front := true; head < tail; front = !front {
		r := runes[tail-1]
		if front {
			r = runes[head]
		}
		if room -= text.RuneWidth(r); room < 0 {
			break
		}
		if front {
			head++
		} else {
			tail--
		}
	}
	return string(runes[:head]) + "…" + string(runes[tail:])
}

// wrapped breaks text at blanks into lines of at most width columns; a longer
// word stands alone.
func wrapped(s string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		switch {
		case line == "":
			line = word
		case text.StringWidthWithoutEscSequences(line)+1+text.StringWidthWithoutEscSequences(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
