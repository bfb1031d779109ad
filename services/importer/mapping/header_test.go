package mapping_test

import (
	"errors"
	"strings"
	"testing"

	"setpoint.dev/services/importer/mapping"
	"setpoint.dev/services/internal/fault"
)

func TestHeaders(t *testing.T) {
	for name, c := range map[string]struct {
		rows []string
		want string
	}{
		"a group is named in its first cell":   {[]string{"KPI||2023||2024|", "|Unit|Target|Actual|Target|Actual"}, "KPI|KPI Unit|2023 Target|2023 Actual|2024 Target|2024 Actual"},
		"a merged group ends with its cells":   {[]string{"KPI|2023|2023||", "|Target|Actual|Note|"}, "KPI|2023 Target|2023 Actual|Note|"},
		"what a row repeats is said once":      {[]string{"KPI|2023|2023", "KPI|Target|Actual"}, "KPI|2023 Target|2023 Actual"},
		"the lowest row holds for itself":      {[]string{"Target||Note", "2023||"}, "Target 2023||Note"},
		"three rows":                           {[]string{"|2023|||", "|H1||H2|", "KPI|Plan|Actual|Plan|Actual"}, "KPI|2023 H1 Plan|2023 H1 Actual|2023 H2 Plan|2023 H2 Actual"},
		"signs of footnotes are no part of it": {[]string{"Unit*|Target\n2023¹|CO2 (t)†|Area km²|Value [1]"}, "Unit|Target 2023|CO2 (t)|Area km²|Value"},
	} {
		var rows [][]string
		for _, r := range c.rows {
			rows = append(rows, strings.Split(r, "|"))
		}
		if got := strings.Join(mapping.Headers(rows), "|"); got != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
}

func TestParts(t *testing.T) {
	for _, period := range []string{"Q1", "Q4", "H2", "M01", "M12"} {
		if !mapping.IsPart(period) {
			t.Errorf("%s is no part of a year", period)
		}
	}
	for _, period := range []string{"", "Q5", "H3", "M13", "M1", "2024", "FY2024-Q1"} {
		if mapping.IsPart(period) {
			t.Errorf("%s is a part of a year", period)
		}
	}
	text := "apiVersion: " + mapping.Version + "\nsheets:\n  - section: Roads\n    columns: [{header: KPI, role: name}, {header: Q1, role: actual, period: Q1}]\n"
	_, err := mapping.Parse("m.yaml", []byte(text))
	var e *fault.Error
	if !errors.As(err, &e) || len(e.Places) != 1 || e.Places[0].Field != "sheets[0].section" {
		t.Errorf("a section of nothing: %v", err)
	}
}
