package importer_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/importer"
	"setpoint.dev/services/importer/convert"
	"setpoint.dev/services/importer/guess"
	"setpoint.dev/services/importer/importertest"
	"setpoint.dev/services/importer/mapping"
	"setpoint.dev/services/importer/workbook"
)

var update = flag.Bool("update", false, "write the guessed mappings anew; what the tables say is written by hand")

// Tables in many shapes and languages, read by nothing but the guess: every value
// is what the table says, and every cell that is not read is told.
func TestTables(t *testing.T) {
	for _, table := range importertest.Tables(t, "testdata/tables") {
		t.Run(table.Name, func(t *testing.T) {
			content := table.Bytes(t)
			b, err := workbook.Read(bytes.NewReader(content), int64(len(content)), workbook.Options{})
			if err != nil {
				t.Fatal(err)
			}
			m, err := guess.File(b)
			if err != nil {
				t.Fatal(err)
			}
			guessed, err := m.Encode()
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", "guessed", table.Name+".yaml")
			if *update {
				if err := os.WriteFile(golden, guessed, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), string(guessed)); d != "" {
				t.Errorf("the mapping is guessed otherwise (go test -update writes it anew):\n%s", d)
			}
			parsed, err := mapping.Parse(golden, guessed)
			if err != nil {
				t.Fatal(err)
			}
			if table.Period != "" {
				parsed.Defaults.Period = table.Period
			}
			c, err := importer.Read(b, parsed, convert.Options{FiscalYearStart: table.Fiscal}, nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := c.Finish(convert.Known{})
			if err != nil {
				t.Fatal(err)
			}
			values, notRead := said(t, res)
			if d := cmp.Diff(table.Values, values); d != "" {
				t.Errorf("values (-table +read):\n%s", d)
			}
			if d := cmp.Diff(table.NotRead, notRead); d != "" {
				t.Errorf("not read (-table +read):\n%s", d)
			}
		})
	}
}

// said is a result in the words of the tables' files.
func said(t *testing.T, res convert.Result) (values, notRead []string) {
	t.Helper()
	metrics, targets, units := map[string]*strategyv1.MetricSpec{}, map[string][]*strategyv1.TargetSpec{}, map[string]*strategyv1.UnitSpec{}
	resources, err := convert.Unpack(res.Steps[0].Resources)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range resources {
		decode := func(into proto.Message) {
			raw, err := r.GetSpec().MarshalJSON()
			if err == nil {
				err = protojson.Unmarshal(raw, into)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		switch name := r.GetMetadata().GetName(); r.GetKind() {
		case "Metric":
			metrics[name] = &strategyv1.MetricSpec{}
			decode(metrics[name])
		case "Unit":
			units[name] = &strategyv1.UnitSpec{}
			decode(units[name])
		case "Target":
			s := &strategyv1.TargetSpec{}
			decode(s)
			targets[s.GetMetric()] = append(targets[s.GetMetric()], s)
		}
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	for name, m := range metrics {
		line := m.GetTitle()
		unit, _ := strings.CutPrefix(m.GetOwner(), "unit/")
		for u := units[unit]; u != nil; u = units[u.GetParent()] {
			line = u.GetTitle() + " > " + line
		}
		if m.GetUnit() != "" {
			line += " [" + m.GetUnit() + "]"
		}
		if d := targets[name]; len(d) > 0 && d[0].GetDirection() != "" {
			line += " " + d[0].GetDirection()
		}
		line += ":"
		for _, o := range res.Observations {
			if o.Metric == name {
				line += fmt.Sprintf(" %s=%s", o.At, number(o.Value))
			}
		}
		for _, s := range targets[name] {
			if len(s.GetPeriods()) > 0 {
				line += "; target"
			}
			for _, p := range s.GetPeriods() {
				v := ""
				if p.Lower != nil {
					v += number(p.GetLower())
				}
				if p.Lower != nil || p.Upper != nil {
					v += ".."
				}
				if p.Upper != nil {
					v += number(p.GetUpper())
				}
				if p.Value != nil {
					v += number(p.GetValue())
				}
				line += " " + p.GetPeriod() + "=" + v
			}
			if s.GetMilestone() != nil {
				line += "; milestone by " + s.GetDue()
			} else if s.GetDue() != "" {
				line += fmt.Sprintf("; path %s by %s", number(s.GetValue()), s.GetDue())
				if b := s.GetBaseline(); b != nil {
					line += fmt.Sprintf(" from %s on %s", number(b.GetValue()), b.GetDate())
				}
			}
		}
		values = append(values, strings.Replace(line, ":;", ": ;", 1))
	}
	slices.Sort(values)
	for _, x := range res.Troubles {
		if x.Row > 0 {
			notRead = append(notRead, fmt.Sprintf("%s%d %s", x.Cell, x.Row, x.Content))
		}
	}
	slices.Sort(notRead)
	return values, notRead
}
