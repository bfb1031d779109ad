package report

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"setpoint.dev/services/gap"
)

// longTitle is one that no line of a picture holds.
const longTitle = "Office for Affordable Housing, Tenancy Relations and Neighbourhood Development of the Northern District"

// A document that says what it could not set has its pages all the same.
func TestAPDFWithNotesHasAllItsPages(t *testing.T) {
	p, r := fixture()
	pages := func() int { return bytes.Count(pdf(t, Build(p, r, Options{})), []byte("/Type /Page\n")) }
	want := pages()
	if want < 5 {
		t.Fatalf("the plain document has %d pages", want)
	}
	p.Strategies[0].Vision = "清洁"
	if got := pages(); got != want {
		t.Errorf("%d pages with a note about its font, %d without", got, want)
	}
}

func TestCountsAreGroupedAsValuesAre(t *testing.T) {
	p, r := many(1650)
	for i := range r.Targets {
		r.Targets[i].Status = gap.OffTrack
	}
	r.Units = []gap.RollUp{{Name: "technology", Title: "Technology", Status: gap.OffTrack, Targets: 1650, Counts: map[gap.Status]int{gap.OffTrack: 1650}}}
	d := Build(p, r, Options{Audience: Board})
	page := string(HTML(d))
	for _, want := range []string{"1,650 of 1,650 targets are behind", "1,650 off track", `<b>1,650</b>`, `data-label="Targets">1,650<`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if at := regexp.MustCompile(`[^\d,.-]1650 `).FindString(string(Markdown(d))); at != "" {
		t.Errorf("Markdown says %q", at)
	}
}

func TestUnitsWithoutATargetHaveNoVerdict(t *testing.T) {
	p, r := fixture()
	r.Units = append(r.Units, gap.RollUp{Name: "legal", Title: "Legal", Status: gap.NoData})
	d := Build(p, r, Options{})
	for name, content := range map[string]string{"HTML": string(HTML(d)), "Markdown": string(Markdown(d))} {
		if !strings.Contains(content, "Without a target: Legal.") || strings.Count(content, "Legal") != 1 {
			t.Errorf("%s names Legal %d times; want it below the table only", name, strings.Count(content, "Legal"))
		}
	}
}

// shownTexts are those of a picture, one after the other, without its hidden titles.
func shownTexts(t *testing.T, svg string) string {
	t.Helper()
	var out []string
	for _, m := range regexp.MustCompile(`<text [^>]*>([^<]*)</text>`).FindAllStringSubmatch(svg, -1) {
		out = append(out, m[1])
	}
	if out == nil {
		t.Fatal("the picture has no text")
	}
	return strings.Join(out, " ")
}

// What a picture names is read in it, or below it where there is no end to it.
func TestPicturesNameThingsInFull(t *testing.T) {
	p, r := fixture()
	p.Objectives[0].Title, r.Objectives[0].Title = longTitle, longTitle
	p.Units[0].Title = longTitle
	endless := strings.Repeat("and so it goes on ", 20)
	r.Objectives[1].Title = endless
	for i := range p.Units {
		for k := range r.Targets {
			if r.Targets[k].Owner == "unit/"+p.Units[i].Name {
				r.Targets[k].Unit = p.Units[i].Name
			}
		}
	}
	d := Build(p, r, Options{})
	drawnMap, cut := strategyMap(&d)
	if shown := shownTexts(t, drawnMap); !strings.Contains(shown, longTitle) {
		t.Errorf("the strategy map shows %q", shown)
	}
	if !strings.Contains(drawnMap, "<title>"+longTitle+"</title>") {
		t.Error("the title is not told where the mouse rests")
	}
	if len(cut) != 1 || cut[0] != strings.TrimSpace(endless) {
		t.Errorf("cut short are %q; want the one that is endless", cut)
	}
	if page := string(HTML(d)); !strings.Contains(page, "Cut short in the picture: "+strings.TrimSpace(endless)) {
		t.Error("the page does not have the title that is cut short")
	}
	found := false
	for i := range d.Heat {
		svg := d.Heat[i].svg()
		checkSVG(t, svg)
		found = found || strings.Contains(shownTexts(t, svg), longTitle)
		if strings.Contains(d.Heat[i].block().cut, longTitle) {
			t.Errorf("the heat map says that a title is cut short which it shows")
		}
	}
	if !found {
		t.Error("no heat map shows the unit's title in full")
	}
	if strings.Contains(string(Markdown(d)), "Cut short") {
		t.Error("Markdown has no pictures that would cut anything short")
	}
	pdf(t, d)
}

func TestAHeatMapDrawsWhatWasJudged(t *testing.T) {
	h := Heat{By: "unit", Columns: []Column{{Period: "2026"}}, Rows: []HeatRow{
		{Title: "Judged", Cells: []HeatCell{{Met: 1, NotMet: 2000}}}, {Title: "Silent", Cells: []HeatCell{{NoData: 1}}}, {Title: "Empty", Cells: []HeatCell{{}}}}}
	svg := h.svg()
	if shown := shownTexts(t, svg); !strings.Contains(shown, "Judged 1/2,001") || strings.Contains(svg, "Silent") || strings.Contains(svg, "Empty") {
		t.Errorf("the picture shows %q", shown)
	}
	if b := h.block(); !strings.Contains(b.cut, "Of 2 more units no period could be judged.") || len(b.rows) != 3 {
		t.Errorf("below the picture stands %q; its table has %d rows", b.cut, len(b.rows))
	}
}

// Labels above a chart stand beside each other, or not at all.
func TestLabelsAboveAChartDoNotMeet(t *testing.T) {
	tg := plotted(gap.MaintainForm, gap.PeriodMet, 1, 2, 3, 4)
	c := tg.Chart
	for i := range 6 {
		day := c.From.AddDays(400 + 70*i)
		c.Changes = append(c.Changes, Mark{day, day, fmt.Sprintf("target %d → %d", i, i+1)})
	}
	c.Breaks = []Mark{{c.From.AddDays(390), c.From.AddDays(390), "new survey"}}
	svg := tg.SVG("c")
	checkSVG(t, svg)
	type span struct{ from, to float64 }
	rows := map[string][]span{}
	all := 0
	for _, m := range regexp.MustCompile(`<text x="([\d.]+)" y="([\d.]+)" text-anchor="middle"[^>]* font-size="10.5">([^<]*)</text>`).FindAllStringSubmatch(svg, -1) {
		x, _ := strconv.ParseFloat(m[1], 64)
		half := float64(len([]rune(m[3]))) * digitWidth / 2
		for _, o := range rows[m[2]] {
			if o.from < x+half && x-half < o.to {
				t.Errorf("%q stands over another label", m[3])
			}
		}
		rows[m[2]] = append(rows[m[2]], span{x - half, x + half})
		all++
	}
	if all < 4 || all > 8 {
		t.Errorf("%d labels are shown", all)
	}
	for i := range c.Changes {
		if !strings.Contains(svg, fmt.Sprintf("target %d → %d</title>", i, i+1)) {
			t.Errorf("change %d is not told where the mouse rests", i)
		}
	}
}

// A label of an initiative does not lie over its bar.
func TestInitiativesAreNamedBesideTheirBars(t *testing.T) {
	tg := plotted(gap.MaintainForm, gap.PeriodMet, 1, 2, 3, 4)
	c := tg.Chart
	days := c.To.Sub(c.From)
	for _, at := range [][2]int{{0, days}, {days / 4, days * 3 / 4}, {0, days / 10}, {days * 9 / 10, days}} {
		c.Initiatives = []Mark{{c.From.AddDays(at[0]), c.From.AddDays(at[1]), longTitle}}
		svg := tg.SVG("c")
		m := regexp.MustCompile(`<title>` + longTitle + `</title><rect x="([\d.]+)" [^>]* width="([\d.]+)" [^>]*/><text x="([\d.]+)" y="[\d.]+" text-anchor="(start|end)"[^>]*>([^<]*)</text>`).FindStringSubmatch(svg)
		if m == nil {
			t.Fatalf("%v: there is no bar with its label:\n%s", at, svg)
		}
		var v [3]float64
		for i := range v {
			v[i], _ = strconv.ParseFloat(m[i+1], 64)
		}
		wide := float64(len([]rune(m[5]))) * digitWidth
		from, to := v[2], v[2]+wide
		if m[4] == "end" {
			from, to = v[2]-wide, v[2]
		}
		if from < v[0]+v[1] && v[0] < to || from < 0 || to > chartWidth+digitWidth {
			t.Errorf("%v: the label %q is from %.0f to %.0f, its bar from %.0f to %.0f", at, m[5], from, to, v[0], v[0]+v[1])
		}
	}
}

// A text that stands with many values is read once.
func TestTheSameNoteIsToldOnce(t *testing.T) {
	tg := Target{Notes: []Note{{"Target", date("2018-01-01"), "estimate"}, {"Observation", date("2018-01-31"), "estimate"}, {"Observation", date("2018-02-28"), "final"},
		{"Observation", date("2018-03-31"), "estimate"}, {"Observation", date("2018-04-30"), "estimate"}}}
	got := fmt.Sprint(tg.told())
	want := fmt.Sprint([]Note{{"Target", date("2018-01-01"), "estimate"}, {"Observation", date("2018-01-31"), "estimate (and 2 more, the last of 2018-04-30)"}, {"Observation", date("2018-02-28"), "final"}})
	if got != want {
		t.Errorf("told is %s; want %s", got, want)
	}
	if tg.Notes[1].Text != "estimate" || len(tg.Notes) != 5 {
		t.Error("the notes themselves are changed")
	}
}

func TestDaysStayOnOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"by 2026-12-31, <b>":    `by <span class="nowrap">2026-12-31</span>, &lt;b&gt;`,
		"2026-Q2 and FY2027-Q1": `<span class="nowrap">2026-Q2</span> and <span class="nowrap">FY2027-Q1</span>`,
		"well-kept & long":      "well-kept & long", // not marked up: the template escapes it
		"2026-W07":              "2026-W07",
		"since 2026-W07":        `since <span class="nowrap">2026-W07</span>`,
	} {
		if got := fmt.Sprint(dated(in)); got != want {
			t.Errorf("%q is %q; want %q", in, got, want)
		}
	}
}

// A number beside a title from right to left stands where it belongs, in a sentence and
// on its lines.
func TestNumbersStandBesideNamesFromRightToLeft(t *testing.T) {
	for in, want := range map[string]string{
		isolated("אבג 3") + ": 5 of 8":                               "3 גבא: 5 of 8",
		"• " + isolated("אבג") + " 12 pp, " + isolated("דהו") + " 7": "• גבא 12 pp, והד 7",
		"to " + isolated("אבג (t 2)") + " 1,500":                     "to (t 2) גבא 1,500",
		isolated("אבג") + " · " + isolated("דהו") + " · 2026-01-01":  "גבא · והד · 2026-01-01",
		"אבג \u2068Latin 2\u2069 5":                                  "5 " + "Latin 2" + " גבא",
		isolated("Latin 2"):                                          "Latin 2",
	} {
		if got := visual(in); got != want {
			t.Errorf("%q is drawn as %q; want %q", in, got, want)
		}
	}
	p := newPaper("", date("2018-12-31"), "")
	text := "covered by " + isolated("אבגד הוזח טיכל") + ": 40 % of it"
	var drawn []string
	for _, line := range p.wrap(text, regular, 8, p.width("covered by אבגד ", regular, 8)+1) {
		drawn = append(drawn, visual(line))
	}
	if got, want := strings.Join(drawn, "|"), "covered by דגבא|לכיט חזוה: 40\u00a0%|of it"; got != want {
		t.Errorf("%q; want %q", got, want)
	}
	if got := bare(text); strings.ContainsAny(got, "\u2068\u2069") || !strings.Contains(got, "אבגד הוזח טיכל: 40") {
		t.Errorf("without marks it is %q", got)
	}
}

// No mark of the direction of writing gets into cells: they are looked up and counted.
func TestCellsHoldNoMarksOfDirection(t *testing.T) {
	p, r := acting()
	p.Initiatives[0].Title, r.Targets[0].Title = "לעצור 2", "פליטות 40"
	d := Build(p, r, Options{})
	if !strings.Contains(string(Markdown(d)), "\u2068לעצור 2\u2069") {
		t.Error("Markdown does not isolate a name")
	}
	if bytes.ContainsRune(CSV(d), isolateMark) {
		t.Error("CSV holds marks")
	}
	content, err := XLSX(d)
	if err != nil {
		t.Fatal(err)
	}
	for name, part := range parts(t, content) {
		if strings.HasSuffix(name, ".xml") && bytes.ContainsRune(part, isolateMark) {
			t.Errorf("%s holds marks", name)
		}
	}
	page := HTML(d)
	if !bytes.Contains(page, []byte("\u2068לעצור 2\u2069: ")) {
		t.Error("HTML does not isolate a name within a sentence")
	}
}

// parts are those of a zip file.
func parts(t *testing.T, content []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if out[f.Name], err = io.ReadAll(in); err != nil {
			t.Fatal(err)
		}
		in.Close()
	}
	return out
}

func TestCSVHasWhatPeopleAreReadyFor(t *testing.T) {
	p, r := acting()
	d := Build(p, r, Options{})
	rows := readCSV(t, CSV(d))
	measured, unmeasured := 0, 0
	for _, row := range rows {
		var want []string
		for _, c := range d.Coverage.Targets {
			if c.Target != row["target"] {
				continue
			}
			for _, part := range c.Parts {
				if part.Ready == nil {
					unmeasured++
					want = append(want, part.Initiative+"=")
					continue
				}
				measured++
				want = append(want, part.Initiative+"="+strconv.FormatFloat(*part.Ready, 'g', -1, 64))
			}
		}
		if got := row["covered_by_if_ready"]; got != strings.Join(want, "; ") {
			t.Errorf("%s is covered, if people are ready, by %q; want %q", row["target"], got, want)
		}
	}
	if measured == 0 || unmeasured == 0 {
		t.Errorf("%d parts with people who are measured, %d without", measured, unmeasured)
	}
}

func TestWhatHasNoValueShowsNone(t *testing.T) {
	p, r := fixture()
	for i := range r.Targets {
		if r.Targets[i].Name == "leases" {
			r.Targets[i].Actual = nil
		}
	}
	for _, target := range Build(p, r, Options{}).Targets {
		if strings.Contains(target.Summary, absent+";") {
			t.Errorf("%s: %s", target.Name, target.Summary)
		}
	}
}

// Readers who cannot see well tell a text from its ground: at least 4.5 to 1, as the
// Web Content Accessibility Guidelines (2.2, 1.4.3) ask of small letters.
func TestTextStandsOutFromItsGround(t *testing.T) {
	luminance := func(hex string) float64 {
		r, g, b := rgb(hex)
		part := func(v int) float64 {
			s := float64(v) / 255
			if s <= .04045 {
				return s / 12.92
			}
			return math.Pow((s+.055)/1.055, 2.4)
		}
		return .2126*part(r) + .7152*part(g) + .0722*part(b)
	}
	check := func(what, ink, ground string) {
		if strings.HasPrefix(ground, "url(") {
			ground = "#c3cad3" // the darkest of the hatching
		}
		if ground == "" {
			ground = "#fff"
		}
		a, b := luminance(ink), luminance(ground)
		if ratio := (max(a, b) + .05) / (min(a, b) + .05); ratio < 4.5 {
			t.Errorf("%s: %s on %s is %.2f to 1", what, ink, ground, ratio)
		}
	}
	for s, ink := range barInks {
		check(string(s), ink.text, ink.fill)
	}
	for s, ink := range stateInks {
		check(string(s), ink.ink, ink.fill)
	}
	for _, c := range []HeatCell{{Met: 1}, {Met: 3, NotMet: 1}, {Met: 1, NotMet: 1}, {Met: 1, NotMet: 3}, {NotMet: 1}, {NoData: 1}} {
		fill, ink := c.inks()
		check("heat map "+c.words(), ink, fill)
	}
	for _, ink := range []string{inkText, inkMuted, inkActual, inkGoal, inkBreak} { // on the halo of a label
		check("label", ink, "#fff")
	}
	check("head of a group on paper", inkMuted, groupFill)
}

// A heading is at most one level below the one before it.
func TestHeadingsAreInOrder(t *testing.T) {
	p, r := acting()
	for _, audience := range []string{Board, Owner, Analyst} {
		page := string(HTML(Build(p, r, Options{Audience: audience})))
		before := 0
		for _, m := range regexp.MustCompile(`<h([1-6])[^>]*>(.{0,60})`).FindAllStringSubmatch(page, -1) {
			level, _ := strconv.Atoi(m[1])
			if level > before+1 {
				t.Errorf("%s: level %d comes after level %d: %s", audience, level, before, m[2])
			}
			before = level
		}
		if before == 0 {
			t.Fatal("there are no headings")
		}
	}
}

// Of links within a page each leads somewhere, and no place has two names.
func TestLinksLeadSomewhere(t *testing.T) {
	p, r := acting()
	for _, audience := range []string{Board, Owner, Analyst} {
		page := string(HTML(Build(p, r, Options{Audience: audience})))
		ids := map[string]int{}
		for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(page, -1) {
			if ids[m[1]]++; ids[m[1]] > 1 {
				t.Errorf("%s: %q is the name of two places", audience, m[1])
			}
		}
		for _, m := range regexp.MustCompile(`(?:href="#|aria-labelledby="|url\(#)([^") ]*)`).FindAllStringSubmatch(page, -1) {
			if ids[m[1]] == 0 {
				t.Errorf("%s: nothing is named %q", audience, m[1])
			}
		}
	}
}

// What is missing for long is not read period by period.
func TestAnIssueNamesTheLastPeriods(t *testing.T) {
	p, r := fixture()
	for i := range r.Targets {
		if tg := &r.Targets[i]; tg.Name == "leases" {
			tg.Quality.Missing = 12
			for year := 2019; year < 2031; year++ {
				q := gap.PeriodResult{State: gap.PeriodNoData}
				q.Period, q.Start, q.End = fiscal(year)
				tg.Periods = append(tg.Periods, q)
			}
		}
	}
	for _, i := range Build(p, r, Options{}).Quality {
		if i.Kind == issueMissing && i.Target == "leases" {
			if want := "5 earlier, FY2024, FY2025, FY2026, FY2027, FY2028, FY2029, FY2030"; i.Why != want {
				t.Errorf("missing are %q; want %q", i.Why, want)
			}
			return
		}
	}
	t.Error("nothing is missing")
}

func TestThereIsNothingBeyondYes(t *testing.T) {
	m := Metric{Format: Format{Style: "boolean"}}
	if got := setpoint(m, "increase", num(1), nil, nil); got != "yes" {
		t.Errorf("to be done is %q; want yes", got)
	}
	if got := setpoint(Metric{}, "increase", num(1), nil, nil); got != "≥ 1" {
		t.Errorf("at least one is %q", got)
	}
}
