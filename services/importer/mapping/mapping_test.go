package mapping_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"setpoint.dev/services/importer/mapping"
	"setpoint.dev/services/internal/fault"
)

const sample = `apiVersion: setpoint.dev/import/v1
set: kpis
fiscalYearStart: 10
locale: {decimal: ","}
sheets:
  - header: [2, 3]
    columns:
      - {header: KPI, role: name}
      - {match: 'FY(\d\d) Target', role: target, period: FY20$1}
      - {letter: D, role: actual, period: FY2018}
`

func TestRoundTrip(t *testing.T) {
	m, err := mapping.Parse("m.yaml", []byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	m.Comment, m.Questions = "guessed", []string{"which month?\n- x: 1"}
	m.Sheets[0].Columns[1].Comment = "0.9: the header says when"
	out, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# guessed\n# ? which month?\n# - x: 1\n", "# 0.9: the header says when\n"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	again, err := mapping.Parse("m.yaml", out)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	m.Comment, m.Questions, m.Sheets[0].Columns[1].Comment = "", nil, ""
	if d := cmp.Diff(m, again); d != "" {
		t.Error(d)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct{ from, to, field, hint string }{
		"a field nobody knows": {"set: kpis", "sett: kpis", "sett", "set"},
		"a role":               {"role: name", "role: nome", "sheets[0].columns[0].role", "legal are id"},
		"no role":              {", role: name", "", "sheets[0].columns[0].role", "legal are id"},
		"two selectors":        {"letter: D", "letter: D, header: X", "sheets[0].columns[2]", "one of header"},
		"a month":              {"Start: 10", "Start: 13", "fiscalYearStart", "1 to 12"},
		"a period":             {"period: FY2018", "period: FY18", "sheets[0].columns[2].period", "FY2018"},
		"a pattern":            {`FY(\d\d) Target`, `FY(`, "sheets[0].columns[1].match", ""},
		"the header":           {"[2, 3]", "[3, 2]", "sheets[0].header", "rising"},
		"the version":          {"import/v1", "import/v2", "apiVersion", "v1"},
		"the decimal sign":     {`","`, `";"`, "locale.decimal", "legal are"},
		"no names":             {"{header: KPI, role: name}", "{header: KPI, role: note}", "sheets[0].columns", "role name"},
	} {
		text := strings.Replace(sample, c.from, c.to, 1)
		if text == sample {
			t.Fatalf("%s: nothing replaced", name)
		}
		_, err := mapping.Parse("m.yaml", []byte(text))
		var e *fault.Error
		if !errors.As(err, &e) || e.Reason != "import.mapping" {
			t.Errorf("%s: %v", name, err)
			continue
		}
		found := false
		for _, p := range e.Places {
			found = found || p.Field == c.field && strings.Contains(p.Hint, c.hint)
		}
		if !found {
			t.Errorf("%s: no place %s with %q in %+v", name, c.field, c.hint, e.Places)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Fuzz(func(t *testing.T, content []byte) {
		m, err := mapping.Parse("m", content)
		if err != nil {
			return
		}
		out, err := m.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := mapping.Parse("m", out); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	})
}
