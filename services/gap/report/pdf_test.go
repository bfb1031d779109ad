package report

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func pdf(t *testing.T, d Document) []byte {
	t.Helper()
	content, _, err := PDF(d)
	if err != nil {
		t.Fatal(err)
	}
	if keep := os.Getenv("REPORT_OUT"); keep != "" {
		if err := os.WriteFile(keep+".pdf", content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return content
}

func TestPDFOfTheSameDocumentIsTheSameBytes(t *testing.T) {
	p, r := fixture()
	d := Build(p, r, Options{Strategy: "plan", Organization: "General Services"})
	first := pdf(t, d)
	if !bytes.HasPrefix(first, []byte("%PDF-1.")) {
		t.Fatalf("it begins with %q", first[:8])
	}
	for range 3 {
		if !bytes.Equal(first, pdf(t, d)) {
			t.Fatal("the bytes differ")
		}
	}
}

func TestPDFOfNothing(t *testing.T) { pdf(t, Document{}) }

func TestPDFShowsWhatIsDoneAboutTheGaps(t *testing.T) {
	p, r := acting()
	pdf(t, Build(p, r, Options{}))
}

// What paper cannot draw must not be left out unseen.
func TestPaperRefusesWhatItCannotDraw(t *testing.T) {
	for _, svg := range []string{
		`<svg viewBox="0 0 10 10"><ellipse cx="1"/></svg>`,
		`<svg viewBox="0 0 10 10"><path d="M0 0 C 1 1 2 2 3 3" fill="#000"/></svg>`,
		`<svg viewBox="0 0 10 10"><polyline points="1 2" stroke="#000"/></svg>`,
		`<svg viewBox="0 0 10 10"><text><tspan>a</tspan></text></svg>`,
		`<svg viewBox="0 0 10 10"><rect`,
		`<svg>`,
	} {
		p := newPaper("", date("2018-12-31"), "")
		p.picture(svg, 0, 100)
		if _, err := p.bytes(); err == nil {
			t.Errorf("%s was drawn", svg)
		}
	}
}

func TestPaperBreaksLinesWithinTheWidth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newPaper("", date("2018-12-31"), "")
		s := rapid.StringOf(rapid.RuneFrom([]rune("abcW ▲✓ñΩж世🙂  "))).Draw(t, "text")
		width := rapid.Float64Range(20, 300).Draw(t, "width")
		lines := p.wrap(s, regular, 8, width)
		for _, line := range lines {
			if got := p.width(line, regular, 8); got > width && len([]rune(line)) > 1 {
				t.Fatalf("%q is %.1f wide, of %.1f", line, got, width)
			}
		}
		if got, want := strings.Join(strings.Fields(strings.Join(lines, "")), ""), strings.Join(strings.Fields(p.shown(s)), ""); got != want {
			t.Fatalf("the lines hold %q; want %q", got, want)
		}
	})
}

func TestPDFEmbedsItsFontsAndHasBookmarks(t *testing.T) {
	p, r := fixture()
	content := pdf(t, Build(p, r, Options{Strategy: "plan"}))
	for _, part := range []string{"/FontFile2", "/ToUnicode", "/Outlines", "/Lang", "/CreationDate (D:20181231000000"} {
		if !bytes.Contains(content, []byte(part)) {
			t.Errorf("the file has no %s", part)
		}
	}
	if len(content) > 200_000 {
		t.Errorf("%d bytes: the fonts are embedded as a whole", len(content))
	}
}
