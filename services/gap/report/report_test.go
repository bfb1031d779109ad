package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"setpoint.dev/services/gap"
)

var update = flag.Bool("update", false, "write the golden files anew")

var renderers = []struct {
	name   string
	render func(Document) []byte
}{{"md", Markdown}, {"html", HTML}, {"json", JSON}}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; -update writes it", err)
	}
	if bytes.Equal(want, got) {
		return
	}
	w, g := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
	for i := range g {
		if i >= len(w) || w[i] != g[i] {
			line := ""
			if i < len(w) {
				line = w[i]
			}
			t.Fatalf("%s differs in line %d; after a look, -update takes it over\nwant %s\n got %s", file, i+1, line, g[i])
		}
	}
	t.Fatalf("%s ends sooner than the golden file", file)
}

func TestGolden(t *testing.T) {
	p, r := fixture()
	d := Build(p, r, Options{Strategy: "plan", Organization: "General Services"})
	golden(t, "plan.golden.md", Markdown(d))
	golden(t, "plan.golden.html", HTML(d))
	var indented bytes.Buffer
	if err := json.Indent(&indented, JSON(d), "", "  "); err != nil {
		t.Fatal(err)
	}
	golden(t, "plan.golden.json", indented.Bytes())
	empty := Build(gap.Portfolio{}, gap.Result{}, Options{})
	golden(t, "empty.golden.md", Markdown(empty))
	golden(t, "empty.golden.html", HTML(empty))
}

func TestSameInputsSameBytes(t *testing.T) {
	p, r := fixture()
	first := Build(p, r, Options{})
	for seed := range uint64(20) {
		d := Build(p, r, Options{})
		if seed > 0 {
			p2, r2 := shuffled(p, r, seed)
			d = Build(p2, r2, Options{})
		}
		for _, f := range renderers {
			if !bytes.Equal(f.render(first), f.render(d)) {
				t.Fatalf("%s differs after shuffle %d", f.name, seed)
			}
		}
	}
}

func TestBuildLeavesItsInputsAlone(t *testing.T) {
	p, r := fixture()
	before, _ := json.Marshal([]any{p, r})
	HTML(Build(p, r, Options{}))
	if after, _ := json.Marshal([]any{p, r}); !bytes.Equal(before, after) {
		t.Error("Build changed what it was given")
	}
}

func TestDigest(t *testing.T) {
	p, r := fixture()
	d := Build(p, r, Options{})
	var got struct {
		Schema, SHA256 string
		Document       json.RawMessage
	}
	if err := json.Unmarshal(JSON(d), &got); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(got.Document)
	if got.SHA256 != hex.EncodeToString(sum[:]) || got.SHA256 != d.SHA256() || got.Schema != Schema {
		t.Errorf("schema %q, digest %q, of the document member %x", got.Schema, got.SHA256, sum)
	}
	for _, f := range renderers {
		out := string(f.render(d))
		for _, want := range []string{d.SHA256(), "2018-12-31", "4711", "setpoint report gap --as-of 2018-12-31 --revision 4711"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s does not say %s", f.name, want)
			}
		}
	}
	*r.Targets[0].Actual += 1e-12
	if Build(p, r, Options{}).SHA256() == d.SHA256() {
		t.Error("another number, the same digest")
	}
}

func TestCanonicalJSON(t *testing.T) {
	p, r := fixture()
	out := JSON(Build(p, r, Options{}))
	var v any
	dec := json.NewDecoder(bytes.NewReader(out))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	if again := append(canonical(v), '\n'); !bytes.Equal(again, out) {
		t.Error("JSON is not in canonical form")
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case nil:
			t.Errorf("%s is null; absent values are left out", path)
		case []any:
			for _, e := range v {
				walk(path+"[]", e)
			}
		case map[string]any:
			for k, e := range v {
				if k == "" || k[0] < 'a' || k[0] > 'z' || strings.ContainsAny(k, "_-") {
					t.Errorf("%s.%s is not camelCase", path, k)
				}
				walk(path+"."+k, e)
			}
		}
	}
	walk("", v)
}

func TestEveryStatusIsAWord(t *testing.T) {
	p, r := fixture()
	d := Build(p, r, Options{})
	md, page := string(Markdown(d)), string(HTML(d))
	seen := map[string]gap.Status{}
	for _, s := range statuses {
		w := statusWords[s]
		if other, dup := seen[w.Symbol]; dup {
			t.Errorf("%s and %s share a symbol", s, other)
		}
		seen[w.Symbol] = s
		if !strings.Contains(md, "| "+w.Symbol+" "+w.Text) {
			t.Errorf("Markdown does not say %s", w.Text)
		}
		mark := `<span class="st st-` + string(s) + `"><i aria-hidden="true">` + w.Symbol + `</i>` + w.Text + `</span>`
		if !strings.Contains(page, mark) {
			t.Errorf("HTML does not say %s beside its colour: no %s", w.Text, mark)
		}
		if !strings.Contains(style, ".st-"+string(s)+" i") {
			t.Errorf("the style does not know %s", s)
		}
	}
}

// A verdict this version does not know, and what has gone stale, must not look
// like good news.
func TestUnknownIsNeverGreen(t *testing.T) {
	p, r := fixture()
	r.Targets[0].Status = "splendid"
	d := Build(p, r, Options{})
	if d.Headline.Well != 2 || d.Headline.Unjudged != 4 {
		t.Errorf("well %d, unjudged %d", d.Headline.Well, d.Headline.Unjudged)
	}
	page := string(HTML(d))
	if !strings.Contains(page, `<span class="st st-no_data"><i aria-hidden="true">?</i>splendid</span>`) {
		t.Error("an unknown status has a colour")
	}
	if !strings.Contains(page, `stale, was on track`) {
		t.Error("stale data does not say what it was")
	}
	if !strings.Contains(style, "repeating-linear-gradient") || !strings.Contains(page, "url(#bar-hatch)") {
		t.Error("no data is not hatched")
	}
}

func TestWorstFirst(t *testing.T) {
	p, r := fixture()
	var got []string
	for _, t := range Build(p, r, Options{}).Targets {
		got = append(got, t.Name)
	}
	if s := strings.Join(got, " "); s != "cost revenue vacant leases latency supplier move fedramp savings" {
		t.Errorf("order: %s", s)
	}
}

func TestHeadline(t *testing.T) {
	of := func(list ...gap.Status) Headline {
		var targets []Target
		for _, s := range list {
			targets = append(targets, Target{Status: s})
		}
		return headline(targets, nil)
	}
	for _, tc := range []struct {
		want string
		list []gap.Status
	}{
		{"No targets are declared, so there is nothing to compare.", nil},
		{"2 of 4 targets are behind; 1 cannot be judged.", []gap.Status{gap.Missed, gap.AtRisk, gap.NoData, gap.OnTrack}},
		{"1 of 2 targets is behind.", []gap.Status{gap.OffTrack, gap.Achieved}},
		{"The one target is behind.", []gap.Status{gap.OffTrack}},
		{"None of 2 targets is behind.", []gap.Status{gap.OnTrack, gap.Achieved}},
		{"None of 2 targets is behind; 1 cannot be judged.", []gap.Status{gap.OnTrack, gap.NoData}},
		{"None of 2 targets can be judged: the data is missing or too old.", []gap.Status{gap.NoData, gap.NoData}},
		{"None of 2 targets has a verdict yet; 1 cannot be judged.", []gap.Status{gap.NotStarted, gap.NoData}},
		{"None of 2 targets has a verdict yet.", []gap.Status{gap.NotStarted, gap.NotStarted}},
	} {
		if h := of(tc.list...); h.Sentence != tc.want {
			t.Errorf("%v: %q, want %q", tc.list, h.Sentence, tc.want)
		}
	}
}

const hostile = `</title><script>alert("x")</script>|<img src=x onerror=y> *a* _b_ [c](javascript:d) & 'e' ` + "`f`\n\n# g\r\n\u202e\x00\x1b\xff]]>"

func TestHostileTextIsInert(t *testing.T) {
	p, r := fixture()
	p.Strategies[0].Vision, p.Strategies[0].Owner, p.Units[0].Title = hostile, "unit/"+hostile, hostile
	for i := range p.Objectives {
		p.Objectives[i].Title, p.Objectives[i].Description, p.Objectives[i].Pillar = hostile, hostile, hostile
	}
	for i := range p.Metrics {
		m := &p.Metrics[i]
		m.Title, m.Unit, m.Note, m.Source = hostile, hostile, hostile, hostile
		m.Observations = append(m.Observations, gap.Observation{At: date("2018-01-01"), Value: 1, Note: hostile})
		m.Breaks = append(m.Breaks, gap.Break{Date: date("2018-02-01"), Reason: hostile})
		m.Format.Currency = hostile
	}
	for i := range r.Targets {
		t := &r.Targets[i]
		t.Title, t.Owner = hostile, hostile
		p.Targets[i].Name, t.Name = hostile+t.Name, hostile+t.Name
		t.Explanation = gap.Explanation{Rule: hostile, Inputs: []gap.Input{{Name: hostile, Value: hostile}}}
		for j := range t.Periods {
			t.Periods[j].Note, t.Periods[j].Period = hostile, hostile
		}
	}
	for i := range r.Objectives {
		r.Objectives[i].Title, r.Objectives[i].Explanation.Rule = hostile, hostile
	}
	r.Strategies[0].Title, r.Policy, r.Hints = hostile, hostile, []string{hostile}
	d := Build(p, r, Options{Organization: hostile, Title: hostile})

	page := HTML(d)
	parseHTML(t, page, func(e xml.StartElement) {
		if e.Name.Local == "script" || e.Name.Local == "img" {
			t.Errorf("a <%s> got into the page", e.Name.Local)
		}
	})
	if bytes.ContainsAny(page, "\x00\x1b\u202e") {
		t.Error("control characters got into the page")
	}
	table := 0
	for _, line := range strings.Split(string(Markdown(d)), "\n") {
		bare := strings.ReplaceAll(line, `\\`, "")
		for _, bad := range []string{"<script", "<img", "[c]", "*a*", "_b_"} {
			if i := strings.Index(bare, bad); i == 0 || i > 0 && bare[i-1] != '\\' {
				if !strings.HasPrefix(line, "Reproduce: `") {
					t.Errorf("Markdown has a bare %s: %.120q", bad, line)
				}
			}
		}
		// Each row of a table has as many cells as its heading.
		cells := strings.Count(strings.ReplaceAll(bare, `\|`, ""), "|")
		switch {
		case !strings.HasPrefix(line, "|"):
			table = 0
		case table == 0:
			table = cells
		case table != cells:
			t.Errorf("a row has %d bars, its heading %d: %.120q", cells, table, line)
		}
	}
}

// parseHTML reads a page strictly as XML, which its template is written to be:
// a tag that is not closed or an attribute that breaks out shows up as an error.
func parseHTML(t *testing.T, page []byte, element func(xml.StartElement)) {
	t.Helper()
	page = bytes.Replace(page, []byte("<style>"+style+"</style>"), nil, 1)
	dec := xml.NewDecoder(bytes.NewReader(page))
	dec.Entity = xml.HTMLEntity
	ids, links := map[string]bool{}, map[string]bool{}
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the page is not well-formed: %v", err)
		}
		e, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		element(e)
		for _, a := range e.Attr {
			switch {
			case a.Name.Local == "id":
				if ids[a.Value] {
					t.Errorf("two elements are called %q", a.Value)
				}
				ids[a.Value] = true
			case a.Name.Local == "href":
				if !strings.HasPrefix(a.Value, "#") {
					t.Errorf("a link leaves the page: %q", a.Value)
				}
				links[strings.TrimPrefix(a.Value, "#")] = true
			case a.Name.Local == "aria-labelledby":
				for id := range strings.FieldsSeq(a.Value) {
					links[id] = true
				}
			case a.Name.Local == "style" || a.Name.Local == "src" || strings.HasPrefix(a.Name.Local, "on"):
				t.Errorf("attribute %s=%q is against the content policy", a.Name.Local, a.Value)
			}
		}
	}
	for id := range links {
		if !ids[id] {
			t.Errorf("a link leads nowhere: %q", id)
		}
	}
}

func TestPageIsSelfContained(t *testing.T) {
	p, r := fixture()
	page := HTML(Build(p, r, Options{}))
	elements := map[string]int{}
	parseHTML(t, page, func(e xml.StartElement) { elements[e.Name.Local]++ })
	for _, bad := range []string{"script", "link", "img", "iframe", "object", "embed", "base", "form", "use"} {
		if elements[bad] > 0 {
			t.Errorf("the page has a <%s>", bad)
		}
	}
	if bytes.Contains(page, []byte("@import")) || bytes.Contains([]byte(style), []byte("url(")) {
		t.Error("the style reaches outside")
	}
	if !bytes.Contains(page, []byte("default-src &#39;none&#39;; style-src &#39;sha256-")) {
		t.Error("no content policy")
	}
	if elements["svg"] != 1+8+3 { // the bar, a chart of each target but the milestone, the strategy map and two heat maps
		t.Errorf("%d pictures", elements["svg"])
	}
}

func TestStrategyFilter(t *testing.T) {
	p, r := fixture()
	p.Strategies = append(p.Strategies, gap.Strategy{Name: "other", Title: "Other"})
	r.Strategies = append(r.Strategies, gap.RollUp{Name: "other", Title: "Other"})
	r.Targets = append(r.Targets, gap.TargetResult{Name: "stray", Strategy: "other", Status: gap.Missed})
	if d := Build(p, r, Options{}); len(d.Targets) != 10 || len(d.Strategies) != 2 || len(d.Units) != 1 || d.Title != "All strategies" {
		t.Errorf("all: %d targets, %d strategies, title %q", len(d.Targets), len(d.Strategies), d.Title)
	}
	d := Build(p, r, Options{Strategy: "plan"})
	if len(d.Targets) != 9 || len(d.Strategies) != 1 || len(d.Units) != 0 || d.Title != "Strategic plan 2018–2022" {
		t.Errorf("one: %d targets, %d strategies, %d units, title %q", len(d.Targets), len(d.Strategies), len(d.Units), d.Title)
	}
	if !strings.Contains(d.Reproduce, "--strategy plan") {
		t.Error(d.Reproduce)
	}
	lost := Build(p, r, Options{Strategy: "other"})
	if n := len(lost.Objectives); n != 1 || lost.Objectives[0].Members[0] != "stray" {
		t.Errorf("a target without an objective is not shown: %+v", lost.Objectives)
	}
	parseHTML(t, HTML(lost), func(xml.StartElement) {})
}

func TestOriginalTargetsAreSaid(t *testing.T) {
	p, r := fixture()
	d := Build(p, r, Options{OriginalTargets: true})
	if !strings.HasSuffix(d.Reproduce, " --original-targets") {
		t.Error(d.Reproduce)
	}
	for _, out := range [][]byte{Markdown(d), HTML(d)} {
		if !bytes.Contains(out, []byte("against the targets as first declared")) {
			t.Error("a report under the original targets does not say so")
		}
	}
}

// Every number of a result may be broken; none of it may be printed.
func TestOnlyNumbersArePrinted(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		p, r := fixture()
		for i := range p.Metrics {
			p.Metrics[i].Observations = append(p.Metrics[i].Observations, gap.Observation{At: date("2018-11-30"), Value: bad, Revision: 99})
		}
		for i := range p.Targets {
			v := &p.Targets[i].Versions[0]
			v.Tolerance, v.Trajectory.Points = bad, []gap.Point{{Date: date("2019-01-01"), Value: bad}}
		}
		for i := range r.Targets {
			x := &r.Targets[i]
			for _, f := range []**float64{&x.Actual, &x.Baseline, &x.Target, &x.Lower, &x.Upper, &x.Expected, &x.ExpectedNow, &x.Gap, &x.Drift, &x.Share, &x.TargetDrift, &x.Progress, &x.Score} {
				*f = num(bad)
			}
			x.Weight = bad
			x.Explanation.Inputs = []gap.Input{{Name: "x", Value: bad}, {Name: "y", Value: &bad}}
			for j := range x.Periods {
				q := &x.Periods[j]
				q.Target, q.Lower, q.Upper, q.Actual, q.Variance, q.Expected = num(bad), num(bad), num(bad), num(bad), num(bad), num(bad)
			}
		}
		for _, u := range [][]gap.RollUp{r.Objectives, r.Strategies, r.Units} {
			for i := range u {
				u[i].Score, u[i].Progress, u[i].Known = num(bad), num(bad), bad
			}
		}
		d := Build(p, r, Options{})
		for _, f := range renderers {
			if m := regexp.MustCompile(`[^\w][+−-]?(NaN|Inf)\b`).Find(f.render(d)); m != nil {
				t.Errorf("%v: %s says %q", bad, f.name, m)
			}
		}
	}
}

// What a page costs grows with its plan, not with the square of it: its reader
// waits for a plan of two thousand targets too (BenchmarkHTML says how long).
func TestTwoThousandTargets(t *testing.T) {
	render := func(n int) (page []byte, allocated uint64) {
		p, r := many(n)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		page = HTML(Build(p, r, Options{}))
		runtime.ReadMemStats(&after)
		return page, after.TotalAlloc - before.TotalAlloc
	}
	_, few := render(200)
	page, all := render(2000)
	if n := bytes.Count(page, []byte("<svg")); n != 2001+2 { // and the heat maps
		t.Errorf("%d pictures", n)
	}
	if all > 15*few {
		t.Errorf("ten times the targets took %d bytes instead of %d", all, few)
	}
	t.Logf("200 targets: %d bytes, 2000: %d", few, all)
}

// many is a plan of n targets with ten years each.
func many(n int) (gap.Portfolio, gap.Result) {
	p, r := fixture()
	tg, result := p.Targets[0], r.Targets[0]
	for len(result.Periods) < 10 {
		q := result.Periods[0]
		q.Period, q.Start, q.End = fiscal(2014 - len(result.Periods))
		result.Periods = append(result.Periods, q)
	}
	p.Targets, r.Targets = nil, nil
	for i := range n {
		tg.Name = fmt.Sprintf("target-%d", i)
		result.Name, result.Title = tg.Name, "Target "+tg.Name
		p.Targets, r.Targets = append(p.Targets, tg), append(r.Targets, result)
	}
	return p, r
}

func BenchmarkHTML(b *testing.B) {
	p, r := many(2000)
	for b.Loop() {
		HTML(Build(p, r, Options{}))
	}
}

func TestReasonsOfNoData(t *testing.T) {
	p, r := fixture()
	got := map[string]string{}
	for _, t := range Build(p, r, Options{}).Targets {
		got[t.Name] = t.Reason
	}
	for name, want := range map[string]string{"leases": "no direction", "supplier": "excluded", "latency": "stale", "vacant": ""} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
}
