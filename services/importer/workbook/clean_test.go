package workbook

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"Residents&rsquo; satisfaction", "Residents’ satisfaction"},
		{"Parks &amp; Recreation", "Parks & Recreation"},
		{"Parks &amp;amp; Recreation", "Parks & Recreation"},
		{"12&nbsp;345", "12 345"},
		{"&#8805; 95 %", "≥ 95 %"},
		{"&#x2265;95", "≥95"},
		{"AT&T", "AT&T"},
		{"R&D; and more", "R&D; and more"},
		{"https://a.example/?a=1&copy=2", "https://a.example/?a=1&copy=2"},
		{`="00123"`, "00123"},
		{`="12.5"`, "12.5"},
		{"=A1", "=A1"},
		{"1 234", "1 234"},
		{"1 234", "1 234"},
		{"\ufeffKPI", "KPI"},
		{"Zufrie\u00adden\u200bheit", "Zufriedenheit"},
		{"line one<br/>line two", "line one\nline two"},
		{"<b>Revenue</b>", "Revenue"},
		{"<5", "<5"},
		{"a < b > c", "a < b > c"},
		{"ZÃ¼rich", "Zürich"},
		{"Residentsâ€™ satisfaction", "Residents’ satisfaction"},
		{"Zürich", "Zürich"},
		{"Ã", "Ã"},
		{"10 €", "10 €"},
		{"指標", "指標"},
		{"مؤشر می\u200cشود", "مؤشر می\u200cشود"},
		{"&nbsp;", ""},
		{"bell\x07", "bell"},
	} {
		got, raw := clean(c.text)
		if got != c.want {
			t.Errorf("%q is %q, want %q", c.text, got, c.want)
		}
		if want := map[bool]string{true: "", false: c.text}[got == c.text]; raw != want {
			t.Errorf("%q: raw is %q", c.text, raw)
		}
	}
}

// What is cleaned is text, no longer by more than what was written for it, and
// what was read otherwise is kept.
func FuzzClean(f *testing.F) {
	for _, s := range []string{"&amp;rsquo;", `="0"`, "Ã¼", "<br>", "&#xfeff;", "&#0;", "&amp;nbsp;"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		got, raw := clean(s)
		switch {
		case !utf8.ValidString(got):
			t.Errorf("%q is %q, no text", s, got)
		case got != strings.TrimSpace(got):
			t.Errorf("%q is %q, with blanks around", s, got)
		case raw == "" && got != strings.TrimSpace(s), raw != "" && raw != strings.TrimSpace(s):
			t.Errorf("%q is %q, with the raw text %q", s, got, raw)
		}
	})
}
