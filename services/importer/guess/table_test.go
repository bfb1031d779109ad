package guess

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// read is a proposal in short: the role of each column that has one, with the
// period where the header says it.
func read(p Proposal) string {
	var out []string
	for _, c := range p.Columns {
		switch {
		case c.Role == Ignored:
			out = append(out, "-")
		case c.Period != "":
			out = append(out, string(c.Role)+"@"+c.Period)
		case c.Relative:
			out = append(out, string(c.Role)+"@-"+string(rune('0'+c.Back)))
		case c.Quarter > 0:
			out = append(out, string(c.Role)+"@Q"+string(rune('0'+c.Quarter)))
		case c.Month > 0:
			out = append(out, string(c.Role)+"@M")
		default:
			out = append(out, string(c.Role))
		}
	}
	return strings.Join(out, " ")
}

func grid(text string) Grid {
	var g Grid
	for line := range strings.Lines(strings.TrimPrefix(text, "\n")) {
		var row []string
		for _, c := range strings.Split(strings.TrimSuffix(line, "\n"), ";") {
			row = append(row, strings.TrimSpace(c))
		}
		g = append(g, row)
	}
	return g
}

func TestTables(t *testing.T) {
	for name, c := range map[string]struct {
		text    string
		want    string
		header  []int
		decimal rune
	}{
		"German, wide, titles above": {`
Kennzahlenbericht der Stadt;;;;;;
;;;;;;
Handlungsfeld; Kennzahl; Einheit; Richtung; Ist 2021; Ist 2022; Ziel 2025
Klima; Anteil erneuerbarer Energie; %; steigend; 17,5; 19,2; 40,0
Klima; Ausstoß je Einwohner; t CO2; sinkend; 7,3; 6,9; 4,5
Verkehr; Radwege; km; steigend; 1.204; 1.260; 1.500
Verkehr; Verspätungen; %; sinkend; k. A.; 12,1; 5,0`,
			"strategy name measure direction actual@2021 actual@2022 target@2025", []int{2}, ','},
		"two rows of header, merged above": {`
;;; FY17;; FY18;
Department; Measure; Unit; Target; Actual; Target; Actual
Fire; Response within 4 minutes; %; 90; 87.5; 90; 88.1
Fire; Inspections; count; 1,200; 1,180; 1,250; 1,301
Police; Crimes solved; %; 45; 44.2; 46; N/A
Parks; Acres kept; acres; 310; 310; 315; 312`,
			"unit name measure target@FY2017 actual@FY2017 target@FY2018 actual@FY2018", []int{0, 1}, '.'},
		"French, long, kinds in a column": {`
Axe;Indicateur;Unité;Année;Type;Valeur
Emploi;Taux de chômage;%;2020;Cible;8,0
Emploi;Taux de chômage;%;2020;Réalisé;8,4
Emploi;Taux de chômage;%;2021;Cible;7,8
Emploi;Créations d'emplois;nombre;2020;Cible;1 200
Emploi;Créations d'emplois;nombre;2020;Réalisé;1 156,5`,
			"strategy name measure period kind value", []int{0}, ','},
		"Spanish, quarters of a year": {`
Eje;Indicador;Responsable;Unidad de medida;Sentido;Línea base;Meta 2024;T1 2024;T2 2024;T3 2024
Salud;Cobertura de vacunación;Secretaría de Salud;Porcentaje;ascendente;82,1;95,0;20,4;45,2;70,9
Salud;Mortalidad infantil;Secretaría de Salud;Tasa;descendente;10,2;8,5;9,9;9,4;9,0
Educación;Deserción escolar;Secretaría de Educación;Porcentaje;descendente;5,4;3,0;5,1;4,8;s/d`,
			"strategy name owner measure direction baseline target@2024 actual@2024-Q1 actual@2024-Q2 actual@2024-Q3", []int{0}, ','},
		"months without a year": {`
KPI;Owner;Target;Jan;Feb;Mar;Apr
Tickets closed;Anna;200;180;190;210;205
First answer;Ben;4;5;4.5;4.2;3.9
Churn;Cleo;2.5;3.1;2.9;2.7;2.6`,
			"name owner target actual@M actual@M actual@M actual@M", []int{0}, '.'},
		"years of schools": {`
School;Performance indicator;2016-17;2017-18;2018-19;Target 2019-20
North;Attendance;94.1;94.5;94.9;95.5
North;Exclusions;12;11;9;8
South;Attendance;92.0;92.8;93.1;94.0`,
			"unit name actual@FY2017 actual@FY2018 actual@FY2019 target@FY2020", []int{0}, '.'},
	} {
		t.Run(name, func(t *testing.T) {
			p := Table(grid(c.text))
			if got := read(p); got != c.want {
				t.Errorf("reads as\n  %s, not\n  %s", got, c.want)
			}
			if !slices.Equal(p.Header, c.header) {
				t.Errorf("header %v", p.Header)
			}
			if p.Locale.Decimal != c.decimal {
				t.Errorf("decimal %q: %s", p.Locale.Decimal, p.LocaleReason)
			}
			for _, col := range p.Columns {
				if col.Role != Ignored && (col.Reason == "" || col.Confidence <= 0 || col.Confidence > 1) {
					t.Errorf("%q: %v, %q", col.Header, col.Confidence, col.Reason)
				}
			}
		})
	}
}

func TestNoTable(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "prose": "Annual report\nWe did well.\nWe shall do better.", "numbers": "1;2;3\n4;5;6\n7;8;9",
	} {
		if p := Table(grid(text)); p.Confidence != 0 || len(p.Questions) == 0 {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestRealTables(t *testing.T) {
	dir := os.Getenv("SETPOINT_DATA")
	if dir == "" {
		dir = "../../../../shared/data"
	}
	for file, want := range map[string]string{
		"gsa_apr_fy2018/gsa_fy2018_apr.csv":                "strategy objective name period target actual min max measure direction description note note",
		"boston_budget_fy18_fy19/performance_measures.csv": "vintage unit unit unit - objective name period kind value",
		"us_state_climate_targets/targets.csv":             "- unit - baselineYear targetYear target measure note -",
		"us_state_climate_targets/emissions.csv":           "- unit period actual -",
		"ipfs_okrs_2019/key_results.csv":                   "unit period objective name - actual - actual",
		"austin_eperf_fy2016/austin_eperf_measures.csv": "- - unit - - - id name - - unit - unit - description description note - frequency period " +
			"target@-0 target@-0 target@-0 actual@-0 target@-1 actual@-1 actual@-2 actual@-3 actual@-4 actual@-5 " +
			strings.Repeat("actual@M ", 12) + "actual@Q1 actual@Q2 actual@Q3 actual@Q4 - - - - -",
	} {
		f, err := os.Open(filepath.Join(dir, file))
		if err != nil {
			if os.Getenv("SETPOINT_DATA") != "" {
				t.Fatal(err)
			}
			t.Skipf("NOT RUN: the tables of real organizations are not here: %v", err)
		}
		defer f.Close()
		r := csv.NewReader(f)
		r.FieldsPerRecord = -1
		rows, err := r.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if got := read(Table(rows)); got != want {
			t.Errorf("%s reads as\n  %s, not\n  %s", file, got, want)
		}
	}
}

// Whatever a sheet holds, the look at it ends and is consistent.
func FuzzTable(f *testing.F) {
	f.Add("KPI;Target;Actual\nA b;1;2\nC d;3;4")
	f.Add("a;;\n;b;\n1;2;3")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 2000 {
			return
		}
		p := Table(grid(text))
		if p.Confidence < 0 || p.Confidence >= 1 || p.Confidence > 0 && p.First <= p.Header[len(p.Header)-1] {
			t.Errorf("%+v", p)
		}
	})
}
