package report

import (
	"bytes"
	"strings"
	"testing"
)

// The right-hand sides are what stands on paper, read from the left.
func TestALineIsDrawnInTheOrderOfItsScripts(t *testing.T) {
	for in, want := range map[string]string{
		"plain text 12":             "plain text 12",
		"אבג":                       "גבא",
		"water אבג and דהו 5":       "water גבא and 5 והד",
		"אבג (50 דהו 80)":           "(80 והד 50) גבא",
		"אבג 10":                    "10 גבא",
		"2026: אבג":                 "גבא :2026",
		"Owner: אבג · as of 2026-1": "Owner: גבא · as of 2026-1",
		"אבג Latin דהו":             "והד Latin גבא",
	} {
		if got := visual(in); got != want {
			t.Errorf("%q is drawn as %q; want %q", in, got, want)
		}
	}
}

// The second line of a paragraph runs as the first.
func TestAParagraphRunsOneWay(t *testing.T) {
	p := newPaper("", date("2018-12-31"), "")
	lines := p.wrap("covered by אבגד; so it stays", regular, 8, p.width("covered by", regular, 8)+1)
	var drawn []string
	for _, line := range lines {
		drawn = append(drawn, visual(line))
	}
	if got, want := strings.Join(drawn, "|"), "covered by|דגבא; so it|stays"; got != want {
		t.Errorf("%q; want %q", got, want)
	}
}

func TestNothingIsDroppedUnseen(t *testing.T) {
	p := newPaper("", date("2018-12-31"), "")
	for in, want := range map[string]string{
		"naïve Ωж €✓":  "naïve Ωж €✓",
		"世界 power":     "\uFFFD\uFFFD power",
		"a\U0001D4B3b": "a\uFFFDb",
		"tab\there":    "tab\uFFFDhere",
		"✓\uFE0F":      "✓",
	} {
		if got := p.shown(in); got != want {
			t.Errorf("%q is shown as %q; want %q", in, got, want)
		}
	}
}

// What the font lacks is said in the document and to whoever asked for it.
func TestPDFSaysWhatItCouldNotSet(t *testing.T) {
	p, r := fixture()
	_, notes, err := PDF(Build(p, r, Options{}))
	if err != nil || len(notes) > 0 {
		t.Fatalf("a plain report has the notes %q, %v", notes, err)
	}
	p.Strategies[0].Vision = "清洁 ясно مياه"
	first, notes, err := PDF(Build(p, r, Options{}))
	if err != nil {
		t.Fatal(err)
	}
	told := strings.Join(notes, "\n")
	for _, want := range []string{"Han", "Arabic letters stand unjoined"} {
		if !strings.Contains(told, want) {
			t.Errorf("the notes do not say %q: %s", want, told)
		}
	}
	if strings.Contains(told, "Cyrillic") {
		t.Errorf("the font has Cyrillic: %s", told)
	}
	again, _, _ := PDF(Build(p, r, Options{}))
	if !bytes.Equal(first, again) {
		t.Error("the bytes differ")
	}
}

func TestHTMLNamesTheLanguageThatAScriptTells(t *testing.T) {
	for text, want := range map[string]string{
		"Clean water": "", "café Ñ": "", "日本語の目標": "ja", "清洁电力": "und-Hani", "깨끗한 물": "ko", "מים": "he", "ماء": "und-Arab", "вода": "und-Cyrl", "₿ 5 %": "",
	} {
		if got := language(text); got != want {
			t.Errorf("%q is %q; want %q", text, got, want)
		}
	}
	p, r := fixture()
	p.Strategies[0].Title = "מים נקיים"
	r.Strategies[0].Title = ""
	page := string(HTML(Build(p, r, Options{})))
	for _, want := range []string{`<html lang="en" dir="ltr">`, `<bdi lang="he">מים נקיים</bdi>`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s", want)
		}
	}
}
