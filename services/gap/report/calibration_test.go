package report

import (
	"encoding/csv"
	"strings"
	"testing"

	"setpoint.dev/services/gap"
)

// calibrated is a document with a calibration of 20 forecasts and a unit of 5.
func calibrated() Document {
	p, r := fixture()
	d := Build(p, r, Options{Strategy: "plan"})
	third, half := 1.0/3, 0.5
	d.Calibration = CalibrationOf(gap.Calibration{
		Forecasts:  gap.Calibrated{N: 25, Brier: &third, BaseBrier: &half, BaseRate: &half, Said: &third, Intervals: 25, Within80: &half, Within95: &half},
		Units:      []gap.Calibrated{{Name: d.Targets[0].Unit, N: 20, Brier: &third}, {Name: "elsewhere", N: 5}},
		Confidence: gap.Calibrated{N: 3},
	})
	return d
}

// Every format shows the same scores, and none where there are too few.
func TestCalibrationInEveryFormat(t *testing.T) {
	d := calibrated()
	f := opened(t, d)
	rows, err := f.GetRows("Calibration")
	if err != nil || len(rows) != 5 || rows[1][0] != "Forecast" || rows[1][5] != "0.333" || rows[1][10] != "50.0%" || rows[3][5] != "" {
		t.Fatalf("%q, %v", rows, err)
	}
	list, err := csv.NewReader(strings.NewReader(string(CSV(d)))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := len(list[0]) - len(calibrationColumns)
	if list[0][at] != "unit_forecasts" {
		t.Fatalf("%q", list[0])
	}
	scored := 0
	for _, row := range list[1:] {
		switch unit := row[6]; {
		case unit == d.Targets[0].Unit && row[at] == "20" && strings.HasPrefix(row[at+1], "0.333") && row[at+2] == "":
			scored++
		case unit != d.Targets[0].Unit && row[at] == "0" && row[at+1] == "":
		default:
			t.Errorf("%s: %q", unit, row[at:])
		}
	}
	if scored == 0 {
		t.Error("no target has scores")
	}
	with := pdf(t, d)
	d.Calibration = nil
	if without := pdf(t, d); len(with) <= len(without) {
		t.Error("paper shows no calibration")
	}
	if _, err := opened(t, d).GetRows("Calibration"); err == nil {
		t.Error("there is a sheet of nothing")
	}
}
