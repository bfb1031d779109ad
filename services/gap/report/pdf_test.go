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
	p := newPaper("", date("2018-12-31"), "")
	rapid.Check(t, func(t *rapid.T) {
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

// An objective is not parted where a page holds it, and short ones share a page: three
// targets with their charts are one.
func TestShortObjectivesShareAPage(t *testing.T) {
	for _, c := range []struct{ objectives, targets, least, most int }{{1, 3, 1, 1}, {6, 6, 2, 3}, {2, 6, 2, 2}, {3, 12, 4, 6}} {
		d := sized(c.objectives, c.targets)
		p := &printed{paper: newPaper(d.Title, d.AsOf, ""), d: &d, targets: d.targetsByName()}
		p.sections()
		if n := p.f.PageCount() - 1; n < c.least || n > c.most { // the first page is there before
			t.Errorf("%d objectives with %d targets take %d pages, want %d to %d", c.objectives, c.targets, n, c.least, c.most)
		}
	}
}

// The first page is the summary, also where there is much to say; the five furthest
// behind stay on it.
func TestTheSummaryIsOnePage(t *testing.T) {
	d := sized(40, 80)
	for i := range d.Targets {
		d.Targets[i].Title += ", which is the part of all that was asked for and done as it was agreed, without those that were given back"
	}
	d.Strategies[0].Vision = strings.Repeat("What we want to be in ten years is more than a sentence. ", 5)
	for _, m := range d.Targets[:12] {
		d.Misses = append(d.Misses, Miss{Target: m.Name, Title: m.Title, Expect: "0.4 expected for 2026-Q4 (80 %: 0.3 to 0.5), to be ≥ 0.8.", Fix: strings.Repeat("It takes more than is expected. ", 6)})
		d.Decisions = append(d.Decisions, Decision{Title: "Ask for " + m.Title, ReviewTitle: "Quarterly review", Period: "2026-Q1", Status: "open", Due: date("2026-12-01")})
	}
	p := &printed{paper: newPaper(d.Title, d.AsOf, ""), d: &d, targets: d.targetsByName()}
	p.summary()
	if n := p.f.PageCount(); n != 1 {
		t.Errorf("the summary takes %d pages", n)
	}
}

// No number or day is broken at the end of a line while another column has room.
func TestColumnsHoldTheirLongestWord(t *testing.T) {
	p := newPaper("", date("2018-12-31"), "")
	columns := []tableColumn{{title: "A", share: 1}, {title: "B", share: 20}}
	rows := [][]tableCell{{plainCell("≤ 1,234,567.89 %"), plainCell("words that may be broken anywhere between them")}}
	width := p.shares(columns, rows, 8)
	if lines := p.wrapCell(rows[0][0], width[0], 8); len(lines) != 1 {
		t.Errorf("the number is broken: %q", lines)
	}
	if sum := width[0] + width[1]; sum < textWidth-.1 || sum > textWidth+.1 {
		t.Errorf("the columns are %.1f wide, of %.1f", sum, textWidth)
	}
}

// A board is shown the worst of long lists, and how many more there are.
func TestABoardGetsTheWorst(t *testing.T) {
	d := sized(40, 80)
	d.Audience = Board
	list, left := d.glanced()
	if len(list) != inGlance || !strings.Contains(left, "15 more objectives") {
		t.Errorf("%d objectives, %q", len(list), left)
	}
	for i := 1; i < len(list); i++ {
		if worseRollUp(list[i-1].RollUp, list[i].RollUp) > 0 {
			t.Errorf("%s stands before %s", list[i-1].Status, list[i].Status)
		}
	}
	d.Coverage = &Coverage{Objectives: make([]CoveredObjective, 11), Targets: make([]CoveredTarget, 30)}
	d.Coverage.Objectives[10].Unfunded = 1
	if falls, left := d.fallsShown(); len(falls) != inList || falls[0].Unfunded != 1 || !strings.Contains(left, "3 more objectives") {
		t.Errorf("%d waterfalls, %q", len(falls), left)
	}
	if list, left := d.coveredShown(); len(list) != inGlance || !strings.Contains(left, "5 more targets") {
		t.Errorf("%d covered targets, %q", len(list), left)
	}
	d.Audience = Owner
	if list, left := d.glanced(); len(list) != 40 || left != "" {
		t.Errorf("an owner gets %d objectives, %q", len(list), left)
	}
}

func TestSharedTitlesAreToldApart(t *testing.T) {
	list := []Target{
		{Name: "a", Title: "Emissions", Due: date("2030-12-31")}, {Name: "b", Title: "Emissions", Due: date("2050-12-31")},
		{Name: "c", Title: "Cost"}, {Name: "d", Title: "Cost"}, {Name: "e", Title: "Alone"},
	}
	distinctTargets(list)
	var got []string
	for _, x := range list {
		got = append(got, x.Title)
	}
	if s := strings.Join(got, "|"); s != "Emissions (2030)|Emissions (2050)|Cost (c)|Cost (d)|Alone" {
		t.Error(s)
	}
}
