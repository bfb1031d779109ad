package cell

import (
	"math"
	"testing"
)

func TestParseYes(t *testing.T) {
	for text, want := range map[string]bool{"Yes": true, "y": true, "Ja": true, "Oui": true, "Sí": true, "TRUE": true, "✓": true, "no": false, "N": false, "Nein": false, "non": false, "não": false, "FALSE": false} {
		if got, ok := ParseYes(text); !ok || got != want {
			t.Errorf("%q: %v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "s", "o", "yes, partly", "no data", "1", "none", "n/a"} {
		if _, ok := ParseYes(text); ok {
			t.Errorf("%q is read", text)
		}
	}
}

func TestParseRatio(t *testing.T) {
	for _, c := range []struct {
		text  string
		value float64
		form  string
		clock bool
	}{
		{"3:1", 3, ToOne, false},
		{"3 : 2", 1.5, ToOne, false},
		{"1:25", 25, OneTo, true},
		{"1:250", 250, OneTo, false},
		{"1:17.5", 17.5, OneTo, false},
		{"1:1", 1, "", false},
		{"12:30", 0.4, ToOne, true},
		{"0:1", 0, ToOne, false},
	} {
		r, ok := ParseRatio(c.text, point)
		v, form := r.Value()
		if !ok || math.Abs(v-c.value) > 1e-12 || form != c.form || r.Clock != c.clock {
			t.Errorf("%q: %v, %q, %v", c.text, v, form, r)
		}
	}
	for _, text := range []string{"", "3", "3:", ":3", "3:0", "1:45:00", "a:b", "-1:3", "3:1 %"} {
		if r, ok := ParseRatio(text, point); ok {
			t.Errorf("%q is read as %v", text, r)
		}
	}
}
