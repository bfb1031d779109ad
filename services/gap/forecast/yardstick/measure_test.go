package main

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// The competitions' series are forecast as well as docs/forecasting.md says: point
// forecasts beside the published ones, and intervals that hold what they promise,
// also where a handful of values is all there is.
func TestAgainstTheCompetitions(t *testing.T) {
	data := os.Getenv("SETPOINT_DATA")
	required := data != ""
	if !required {
		data = filepath.Join("..", "..", "..", "..", "..", "shared", "data")
	}
	for dir, want := range map[string]map[string]struct{ smape, owa, msis, stump float64 }{
		"m4": {"Yearly": {13.3, 0.778, 24.9, 34.5}, "Weekly": {7.5, 0.8, 17, 37}},
		"m3": {"Yearly": {16.4, 0.85, 21.5, 28.5}, "Quarterly": {9.1, 0.89, 10, 16.5}, "Monthly": {13.9, 0.82, 7.5, 13}, "Other": {4.3, 0.7, 14.5, 46}},
	} {
		sets, err := read(filepath.Join(data, dir))
		if err != nil {
			if required {
				t.Fatal(err)
			}
			t.Skipf("NOT RUN: no series at %s; SETPOINT_DATA says where they are", filepath.Join(data, dir))
		}
		for _, s := range sets {
			w, ok := want[s.name]
			if !ok {
				t.Fatalf("%s: nothing is expected of %s", dir, s.name)
			}
			got := measure(s.series, 0)
			n, k := float64(got.n), float64(got.scaled)
			smape, msis, owa := got.smape/n, got.msis/k, (got.smape/got.smape2+got.mase/got.mase2)/2
			if !(smape <= w.smape) || !(owa <= w.owa) || !(msis <= w.msis) {
				t.Errorf("%s %s: %s", dir, s.name, got)
			}
			for _, last := range []int{0, 3, 4, 5, 6, 8} {
				off80, off95 := 0.03, 0.02
				if n < 200 {
					// A few series may be unlike the many that their widths are pooled over.
					off80, off95 = 0.035, 0.045
				}
				c := measure(s.series, last)
				if c80, c95 := c.cover80/c.steps, c.cover95/c.steps; math.Abs(c80-0.8) > off80 || math.Abs(c95-0.95) > off95 {
					t.Errorf("%s %s, last %d: %.3f and %.3f are covered", dir, s.name, last, c80, c95)
				}
				// Three values have widths, too, that are not far from those of many.
				if c := c.msis / float64(c.ranged); last == 3 && !(c <= w.stump) {
					t.Errorf("%s %s, last %d: MSIS is %.1f", dir, s.name, last, c)
				}
			}
			// Where only every third value is known, the lines between are not news.
			c := measure(thinned(s.series), 0)
			if c80 := c.cover80 / c.steps; !(math.Abs(c80-0.8) < 0.11) {
				t.Errorf("%s %s, every third value: %.3f are covered", dir, s.name, c80)
			}
		}
	}
}

// thinned are series of which every third value is known, the last among them.
func thinned(list []series) (out []series) {
	for _, s := range list {
		s.train = slices.Clone(s.train)
		for i := range s.train {
			if (len(s.train)-1-i)%3 != 0 {
				s.train[i] = math.NaN()
			}
		}
		out = append(out, s)
	}
	return out
}

// Both formats are read, packed or not; what is none is an error that says so.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := read(dir); err == nil {
		t.Error("an empty folder was read")
	}
	write("Daily-train.csv", "V1,V2,V3,V4\nD1,1,2,3\nD2,4,5,\n")
	if _, err := read(dir); err == nil {
		t.Error("a train part without its test part was read")
	}
	write("Daily-test.csv", "V1,V2\nD1,4\nD2,6\n")
	write("m3.csv", "id,period,freq,train,test\nN1,QUARTERLY,4,1;2;3,4;5\n")
	sets, err := read(dir)
	if err != nil || len(sets) != 2 || sets[0].name != "Quarterly" || sets[1].name != "Daily" {
		t.Fatalf("%v, %v", sets, err)
	}
	if q := sets[0].series[0]; q.period != 4 || len(q.train) != 3 || q.test[1] != 5 {
		t.Errorf("%+v", q)
	}
	if d := sets[1].series; len(d) != 2 || d[0].period != 1 || len(d[1].train) != 2 || d[1].test[0] != 6 {
		t.Errorf("%+v", d)
	}
	write("Daily-test.csv", "V1,V2\nD1,x\n")
	if _, err := read(dir); err == nil {
		t.Error("a value that is none was read")
	}
}
