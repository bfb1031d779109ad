package breadth_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

// keyResult is one line of the table.
type keyResult struct {
	name, title, objective string
	weight                 float64
	levels                 bool
	start, end             time.Time // of the quarter; start is the last day before
	mid, final             *float64  // scores, 0 to 1
}

// goal is an objective: of a team and quarter, or a key result that is only the
// sum of the numbered ones under it.
type goal struct {
	name, title, strategy, parent string
}

// quarter is a team's plan.
type quarter struct {
	name, title string
	start, end  time.Time
}

type okrs struct {
	quarters []quarter
	goals    []goal
	results  []keyResult
	empty    int // cells of scores without one
	tbd      int
}

var numbered = regexp.MustCompile(`^[0-9]+\. `)

func keyResults(t testing.TB) okrs {
	var o okrs
	rows := read(t, ipfsTable)
	score := func(cell string) *float64 {
		v, ok := number(cell)
		if !ok {
			o.empty++
			return nil
		}
		return &v
	}
	parent := ""
	for i, r := range rows {
		var year, q int
		if _, err := fmt.Sscanf(r["quarter"], "%d Q%d", &year, &q); err != nil {
			t.Fatal(err)
		}
		end := day(year, 3*q+1, 1).AddDate(0, 0, -1)
		plan := fmt.Sprintf("%d-q%d", year, q)
		if n := len(o.quarters); n == 0 || o.quarters[n-1].name != plan {
			o.quarters = append(o.quarters, quarter{plan, r["team"] + " " + r["quarter"], day(year, 3*q-2, 1).AddDate(0, 0, -1), end})
		}
		number, title, _ := strings.Cut(r["objective"], " ")
		objective := plan + "-" + number
		if i == 0 || r["objective"] != rows[i-1]["objective"] || r["quarter"] != rows[i-1]["quarter"] {
			o.goals = append(o.goals, goal{name: objective, title: title, strategy: plan})
			parent = ""
		}
		text := r["key_result"]
		if i+1 < len(rows) && !numbered.MatchString(text) && numbered.MatchString(rows[i+1]["key_result"]) {
			parent = objective + "-parts"
			o.goals = append(o.goals, goal{name: parent, title: text, strategy: plan, parent: objective})
			continue
		}
		if strings.Contains(text, "TBD") {
			o.tbd++
		}
		if numbered.MatchString(text) {
			objective = parent
		}
		k := keyResult{
			name: fmt.Sprintf("kr-%02d", i+1), title: text, objective: objective, weight: 1,
			levels: q == 3, start: o.quarters[len(o.quarters)-1].start, end: end,
			mid: score(r["mid_q_actual"]), final: score(r["end_q_score"]),
		}
		// P0 weighs five times what P4 does; no priority as much as P4.
		if p, ok := strings.CutPrefix(r["priority"], "P"); ok {
			k.weight = float64(5 - int(p[0]-'0'))
		}
		o.results = append(o.results, k)
	}
	return o
}

// manifests declares a strategy a quarter, an aspirational objective an
// objective, and a target from 0 to 1 a key result; in one quarter with the
// levels that the scores stand for.
func (o *okrs) manifests() *declarationv1.Manifests {
	var b strings.Builder
	b.WriteString(document("Organization", "name: ipfs", "title: IPFS"))
	for _, q := range o.quarters {
		b.WriteString(document("Strategy", "name: "+quoted(q.name), fmt.Sprintf("title: %s, horizon: {start: %s, end: %s}", quoted(q.title), text(q.start.AddDate(0, 0, 1)), text(q.end))))
	}
	for _, g := range o.goals {
		b.WriteString(g.manifest("aspirational"))
	}
	for _, k := range o.results {
		b.WriteString(document("Metric", "name: "+k.name, fmt.Sprintf("title: %s, unit: score, cadence: monthly, bounds: {lower: 0, upper: 1}", quoted(k.title))))
		levels := ""
		if k.levels {
			levels = ", levels: {commit: 0.3, target: 0.7, stretch: 1}"
		}
		b.WriteString(document("Target", "name: "+k.name, fmt.Sprintf("metric: %s, objective: %s, weight: %s, baseline: {date: %s, value: 0}, value: 1, due: %s%s",
			k.name, quoted(k.objective), decimal(k.weight), text(k.start), text(k.end), levels)))
	}
	return &declarationv1.Manifests{Files: []*declarationv1.ManifestFile{file("okrs.yaml", b.String())}}
}

func (g goal) manifest(kind string) string {
	spec := fmt.Sprintf("strategy: %s, title: %s, okrType: %s", quoted(g.strategy), quoted(g.title), kind)
	if g.parent != "" {
		spec += fmt.Sprintf(", contributesTo: [{objective: %s}]", quoted(g.parent))
	}
	return document("Objective", "name: "+quoted(g.name), spec)
}

// observations are the scores: in the middle of the quarter that of its second
// month, in the end that of its last. A projection is nobody's measurement.
func (o *okrs) observations() []*strategyv1.Observation {
	var out []*strategyv1.Observation
	for _, k := range o.results {
		if k.mid != nil {
			out = append(out, observation(k.name, text(k.midDay()), *k.mid, "team"))
		}
		if k.final != nil {
			out = append(out, observation(k.name, text(k.end), *k.final, "team"))
		}
	}
	return out
}

// midDay is the last day of the quarter's second month.
func (k keyResult) midDay() time.Time {
	return day(k.end.Year(), int(k.end.Month()), 1).AddDate(0, 0, -1)
}
