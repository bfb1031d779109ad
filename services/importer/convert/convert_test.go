package convert_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"pgregory.net/rapid"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/importer"
	"setpoint.dev/services/importer/convert"
	"setpoint.dev/services/importer/mapping"
	"setpoint.dev/services/importer/workbook"
)

func read(t testing.TB, m, table string, o convert.Options, known convert.Known) convert.Result {
	t.Helper()
	parsed, err := mapping.Parse("m.yaml", []byte("apiVersion: setpoint.dev/import/v1\n"+m))
	if err != nil {
		t.Fatalf("%v\n%s", err, m)
	}
	b, err := workbook.Read(strings.NewReader(table), int64(len(table)), workbook.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := importer.Read(b, parsed, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Finish(known)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func unpacked(t testing.TB, s convert.Step) []*commonv1.Resource {
	t.Helper()
	out, err := convert.Unpack(s.Resources)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// told is the result in lines: what is declared without titles, values, and
// troubles.
func told(t testing.TB, r convert.Result) []string {
	t.Helper()
	var out []string
	for n, s := range r.Steps {
		for _, x := range unpacked(t, s) {
			if x.GetKind() != "Target" && x.GetKind() != "Metric" {
				continue
			}
			fields := x.GetSpec().AsMap()
			delete(fields, "title")
			line := fmt.Sprintf("%d %s/%s", n, x.GetKind(), x.GetMetadata().GetName())
			if e := x.GetMetadata().GetEffective(); e != "" {
				line += " from " + e
			}
			out = append(out, line+" "+strings.TrimPrefix(fmt.Sprint(fields), "map"))
		}
	}
	for _, o := range r.Observations {
		out = append(out, fmt.Sprintf("%s %s %v", o.Metric, o.At, o.Value))
	}
	for _, x := range r.Troubles {
		out = append(out, fmt.Sprintf("! %s%d %q", x.Cell, x.Row, x.Content))
	}
	return out
}

func TestConvert(t *testing.T) {
	for name, c := range map[string]struct {
		mapping, table string
		want           []string
	}{
		"long, percentages, a direction": {
			`fiscalYearStart: 10
sheets: [{columns: [{header: KPI, role: name}, {header: Year, role: period}, {header: Target, role: target}, {header: Actual, role: actual}, {header: Dir, role: direction}]}]`,
			"KPI,Year,Target,Actual,Dir\nVacant,FY2018,3%,3.3%,Decrease\nVacant,2019,3%,,Decrease\nCount,FY 2018,n/a,12,Up\n",
			[]string{
				"0 Metric/count [cadence:yearly fiscalYearStart:10]",
				"0 Metric/vacant [cadence:yearly fiscalYearStart:10 format:percent unit:fraction]",
				"0 Target/vacant from 2017-10-01 [direction:decrease metric:vacant periods:[map[period:FY2018 value:0.03] map[period:FY2019 value:0.03]]]",
				"count 2018-09-30 12", "vacant 2018-09-30 0.033",
			},
		},
		"wide, German, a two-row header, thousands": {
			`locale: {decimal: ","}
sheets: [{header: [1, 2], skip: [{column: Kennzahl, match: ^Summe}], columns: [{header: Kennzahl, role: name}, {match: '^(\d{4}) Soll$', role: target, period: $1}, {match: '^(\d{4}) Ist$', role: actual, period: $1, scale: 1000}]}]`,
			";2017;;2018;\nKennzahl;Soll;Ist;Soll;Ist\nUmsatz;1.234,5;1,2;2.000;\nSumme;1;1;1;1\nKennzahl;Soll;Ist;Soll;Ist\nQuote;7,75 %;8 %;k. A.;zwei\n",
			[]string{
				"0 Metric/quote [cadence:yearly format:percent unit:fraction]", "0 Metric/umsatz [cadence:yearly]",
				"0 Target/quote from 2017-01-01 [metric:quote periods:[map[period:2017 value:0.0775]]]",
				"0 Target/umsatz from 2017-01-01 [metric:umsatz periods:[map[period:2017 value:1234.5] map[period:2018 value:2000]]]",
				"quote 2017-12-31 80", "umsatz 2017-12-31 1200", `! E6 "zwei"`,
			},
		},
		"units of measure beside numbers": {
			`sheets: [{columns: [{header: m, role: name}, {header: v, role: actual, period: "2018"}, {header: w, role: actual, period: "2019"}]}]`,
			"m,v,w\nLead time,2 Weeks,3 weeks\nMixed,2 days,3 km\nMoney,$2.5M,$3B\nLoss,(12),-3\nBound,<5,4\nPlain,97%,98\n",
			[]string{
				"0 Metric/bound [cadence:yearly]", "0 Metric/lead-time [cadence:yearly unit:Weeks]", "0 Metric/loss [cadence:yearly]",
				"0 Metric/mixed [cadence:yearly unit:days]", "0 Metric/money [cadence:yearly currency:USD format:currency unit:USD]",
				"0 Metric/plain [cadence:yearly format:percent unit:fraction]",
				"bound 2019-12-31 4", "lead-time 2018-12-31 2", "lead-time 2019-12-31 3", "loss 2018-12-31 -12", "loss 2019-12-31 -3",
				"mixed 2018-12-31 2", "money 2018-12-31 2.5e+06", "money 2019-12-31 3e+09", "plain 2018-12-31 0.97",
				`! C3 "3 km"`, `! B6 "<5"`, `! C7 "98"`,
			},
		},
		"what is not read is told as it stands": {
			`sheets: [{columns: [{header: m, role: name}, {header: t, role: target, period: "2018"}, {header: q, role: actual, period: 2018-Q1}]}]`,
			"m,t,q\nMoney,$12M,$2.9M\nShare,98%,96 %\n",
			[]string{
				"0 Metric/money [cadence:yearly currency:USD format:currency unit:USD]", "0 Metric/share [cadence:yearly format:percent unit:fraction]",
				"0 Target/money from 2018-01-01 [metric:money periods:[map[period:2018 value:1.2e+07]]]",
				"0 Target/share from 2018-01-01 [metric:share periods:[map[period:2018 value:0.98]]]",
				`! C2 "$2.9M"`, `! C3 "96 %"`,
			},
		},
		"contradictions are taken by nobody": {
			`sheets: [{columns: [{header: m, role: name}, {header: y, role: period}, {header: t, role: target}, {header: a, role: actual}]}]`,
			"m,y,t,a\nx,2018,1,5\nX ,2018,2,6\nx,2019,3,7\nx,20x9,4,8\n,2018,1,1\n",
			[]string{
				"0 Metric/x [cadence:yearly]", "0 Target/x from 2019-01-01 [metric:x periods:[map[period:2019 value:3]]]", "x 2019-12-31 7",
				`! C2 "1"`, `! D2 "5"`, `! C3 "2"`, `! D3 "6"`, `! B5 "20x9"`, `! C5 "4"`, `! D5 "8"`, `! C6 "1"`, `! D6 "1"`,
			},
		},
		"paths from a baseline": {
			`sheets: [{columns: [{header: m, role: name}, {header: b, role: baseline}, {header: by, role: baselineYear}, {header: t, role: target}, {header: ty, role: targetYear}]}]`,
			"m,b,by,t,ty\nx,10,2015,20,2030\nx,10,2015,15,2025\n",
			[]string{
				"0 Metric/x [cadence:yearly]",
				"0 Target/x-2025 [baseline:map[date:2015-12-31 value:10] due:2025-12-31 metric:x value:15]",
				"0 Target/x-2030 [baseline:map[date:2015-12-31 value:10] due:2030-12-31 metric:x value:20]",
			},
		},
		"quarters beside years": {
			`fiscalYearStart: 10
sheets: [{columns: [{header: m, role: name}, {header: t, role: target, period: FY2018}, {match: '^Q(\d)$', role: actual, period: FY2018-Q$1}]}]
defaults: {aggregation: sum}`,
			"m,t,Q1,Q2\nx,10,2,3\n",
			[]string{
				"0 Metric/x [aggregation:sum cadence:yearly fiscalYearStart:10 reportedEvery:quarterly]",
				"0 Target/x from 2017-10-01 [metric:x periods:[map[period:FY2018 value:10]]]", "x 2017-12-31 2", "x 2018-03-31 3",
			},
		},
		"measures in columns, months and years": {
			`sheets: [{columns: [{header: y, role: year}, {header: mo, role: month}, {header: a, role: actual, of: Alpha}, {header: b, role: executed, of: Beta}]}]`,
			"y,mo,a,b,c\n2018,Jan,1,\n2018,Feb,2,3\n",
			[]string{"0 Metric/alpha [cadence:monthly]", "0 Metric/beta [cadence:monthly]", "alpha 2018-01-31 1", "alpha 2018-02-28 2", "beta 2018-02-28 3", `! E0 ""`},
		},
		"the same name in two units": {
			`sheets: [{columns: [{header: u, role: unit, fill: true}, {header: m, role: name}, {header: a, role: actual, period: "2018"}]}]`,
			"u,m,a\nNorth,% late,1\n,# late,2\nSouth,% late,3\n",
			[]string{
				"0 Metric/north-percent-late [cadence:yearly owner:unit/north]", "0 Metric/number-late [cadence:yearly owner:unit/north]",
				"0 Metric/south-percent-late [cadence:yearly owner:unit/south]",
				"north-percent-late 2018-12-31 1", "number-late 2018-12-31 2", "south-percent-late 2018-12-31 3",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := told(t, read(t, c.mapping, c.table, convert.Options{}, convert.Known{}))
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

const editions = `vintages: {old: 2017-04-01, new: 2018-04-01}
sheets: [{columns: [{header: e, role: vintage}, {header: m, role: name}, {header: y, role: period}, {header: k, role: kind}, {header: v, role: value}]}]`

// known is what a result leaves declared.
func known(t testing.TB, r convert.Result) convert.Known {
	t.Helper()
	k := convert.Known{Targets: map[string]convert.KnownTarget{}}
	for _, s := range r.Steps {
		for _, x := range unpacked(t, s) {
			if x.GetKind() != "Target" {
				continue
			}
			raw, err := x.GetSpec().MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			spec := &strategyv1.TargetSpec{}
			if err := protojson.Unmarshal(raw, spec); err != nil {
				t.Fatal(err)
			}
			k.Targets[x.GetMetadata().GetName()] = convert.KnownTarget{Spec: spec, Effective: x.GetMetadata().GetEffective()}
		}
	}
	return k
}

// What was declared as a path is no trouble for the file that declared it.
func TestPathsAgain(t *testing.T) {
	mapping := "defaults: {form: path, baseline: 0, target: 1, direction: increase}\nsheets: [{columns: [{header: m, role: name}, {header: q, role: period}, {header: v, role: actual}]}]"
	table := "m,q,v\nx,2019 Q2,0.5\n"
	r := read(t, mapping, table, convert.Options{}, convert.Known{})
	again := read(t, mapping, table, convert.Options{}, known(t, r))
	if len(known(t, r).Targets) != 1 || len(again.Troubles) != 0 {
		t.Errorf("%+v, and again: %+v", told(t, r), again.Troubles)
	}
}

// An actual that an edition takes back to what one before it said is that, in
// whatever order the editions stand in the file.
func TestEditionsTakeAnActualBack(t *testing.T) {
	rows := []string{"a,x,2016,Actual,28\n", "b,x,2016,Actual,28.1\n", "c,x,2016,Actual,28\n"}
	mapping := strings.Replace(editions, "{old: 2017-04-01, new: 2018-04-01}", "{a: 2017-06-28, b: 2018-04-11, c: 2018-06-27}", 1)
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		table := "e,m,y,k,v\n"
		for _, i := range order {
			table += rows[i]
		}
		got := told(t, read(t, mapping, table, convert.Options{}, convert.Known{}))
		if want := "x 2016-12-31 28"; got[len(got)-1] != want {
			t.Errorf("%v: %q", order, got)
		}
	}
}

func TestEditions(t *testing.T) {
	table := "e,m,y,k,v\nold,x,2017,Target,5\nold,x,2018,Target,6\nold,x,2016,Actual,4\nnew,x,2018,Target,7\nnew,x,2019,Target,8\nnew,x,2016,Actual,4.5\n"
	r := read(t, editions, table, convert.Options{}, convert.Known{})
	want := []string{
		"0 Metric/x [cadence:yearly]",
		"0 Target/x from 2017-04-01 [metric:x periods:[map[period:2017 value:5] map[period:2018 value:6]]]",
		"1 Target/x from 2018-04-01 [metric:x periods:[map[period:2017 value:5] map[period:2018 value:7] map[period:2019 value:8]]]",
		"x 2016-12-31 4.5",
	}
	if d := cmp.Diff(want, told(t, r)); d != "" {
		t.Error(d)
	}
	// Again: the last version, and nothing before it.
	want = []string{want[0], "0" + strings.TrimPrefix(want[2], "1"), want[3]}
	if d := cmp.Diff(want, told(t, read(t, editions, table, convert.Options{}, known(t, r)))); d != "" {
		t.Error(d)
	}
	// One edition after the other gives what both together give.
	lines := strings.SplitAfter(table, "\n")
	first := read(t, editions, strings.Join(lines[:4], ""), convert.Options{}, convert.Known{})
	second := read(t, editions, lines[0]+strings.Join(lines[4:], ""), convert.Options{}, known(t, first))
	if d := cmp.Diff(want, told(t, second)); d != "" {
		t.Error(d)
	}
	// The earlier edition after the later one stands behind it.
	if r := read(t, editions, strings.Join(lines[:4], ""), convert.Options{}, known(t, second)); !r.Older || len(r.Steps) != 1 {
		t.Errorf("an older edition: %v, %d steps", r.Older, len(r.Steps))
	}
}

func TestMappingDiffers(t *testing.T) {
	m, err := mapping.Parse("m", []byte("apiVersion: setpoint.dev/import/v1\nsheets: [{columns: [{header: Target valu, role: target, period: FY2018}, {letter: A, role: name}]}]"))
	if err != nil {
		t.Fatal(err)
	}
	table := "Measure,Target value\nx,1\n"
	b, err := workbook.Read(strings.NewReader(table), int64(len(table)), workbook.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := importer.Read(b, m, convert.Options{}, nil); err == nil || !strings.Contains(err.Error(), `no column "Target valu"`) {
		t.Errorf("%v", err)
	}
}

// Every cell of a value column is a value, says that there is none, or is a
// trouble; and the order of rows changes nothing.
func TestNothingIsDropped(t *testing.T) {
	const m = `sheets: [{columns: [{header: u, role: unit}, {header: m, role: name}, {header: y, role: period}, {header: a, role: actual}]}]`
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(t, "rows")
		rows := make([]string, n)
		filled := 0
		for i := range rows {
			v := rapid.SampledFrom([]string{"1", "2%", "", "n/a", "x y", "3 days", "$4", "0", "1,5"}).Draw(t, "value")
			if v != "" {
				filled++
			}
			rows[i] = fmt.Sprintf("%s,%s,%s,\"%s\"\n", rapid.SampledFrom([]string{"A", "B", ""}).Draw(t, "unit"),
				rapid.SampledFrom([]string{"k", "K.", "l", ""}).Draw(t, "name"), rapid.SampledFrom([]string{"2018", "2019", "2018-Q1", "never", ""}).Draw(t, "year"), v)
		}
		first := readRapid(t, m, "u,m,y,a\n"+strings.Join(rows, ""))
		accounted := first.Counts.Missing
		cells := map[string]bool{}
		for _, x := range first.Troubles {
			if x.Cell == "D" && x.Row > 0 {
				cells[fmt.Sprint(x.Row)] = true
			}
		}
		same := first.Counts.Actual - len(first.Observations) // repeated, or in a trouble
		if got := accounted + len(cells) + len(first.Observations); got > filled || got+same < filled {
			t.Fatalf("%d cells: %d missing, %d troubles, %d values, %d repeated", filled, accounted, len(cells), len(first.Observations), same)
		}
		seed := rapid.Uint64().Draw(t, "seed")
		rand.New(rand.NewPCG(seed, 1)).Shuffle(n, func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		second := readRapid(t, m, "u,m,y,a\n"+strings.Join(rows, ""))
		names := func(r convert.Result) []string {
			var out []string
			for _, x := range r.Steps[0].Resources {
				out = append(out, x.Kind+"/"+x.Name)
			}
			return out
		}
		if !slices.Equal(names(first), names(second)) {
			t.Fatalf("names differ with the order of rows:\n%v\n%v", names(first), names(second))
		}
	})
}

func readRapid(t *rapid.T, m, table string) convert.Result {
	parsed, err := mapping.Parse("m.yaml", []byte("apiVersion: setpoint.dev/import/v1\n"+m))
	if err != nil {
		t.Fatal(err)
	}
	b, err := workbook.Read(strings.NewReader(table), int64(len(table)), workbook.Options{Separator: ','})
	if err != nil {
		t.Fatal(err)
	}
	c, err := importer.Read(b, parsed, convert.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Finish(convert.Known{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
