package cli

import (
	"math"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

func TestFormatNumber(t *testing.T) {
	tests := []struct {
		v    float64
		want string
	}{
		{0, "0"}, {1, "1"}, {-2, "-2"}, {0.033, "0.033"}, {0.1 + 0.2, "0.3"}, {118.8219178, "118.822"},
		{1000, "1,000"}, {-1234567, "-1,234,567"}, {5.9e9, "5,900,000,000"}, {123456789012, "123,456,789,012"},
		{49946700.5, "49,946,700"}, {1234.5678, "1,234.57"}, {99999.96, "100,000"}, {0.000123456789, "0.000123457"},
		{1e-9, "1e-09"}, {1e21, "1e+21"}, {0.9999999, "1"}, {-0.004, "-0.004"},
	}
	for _, tt := range tests {
		if got := formatNumber(tt.v); got != tt.want {
			t.Errorf("formatNumber(%v) = %q, want %q", tt.v, got, tt.want)
		}
	}
}

func TestFormatPercent(t *testing.T) {
	for v, want := range map[float64]string{0: "0.0 %", -0.0001: "0.0 %", 0.1: "10.0 %", -1.75: "-175.0 %", 25: "2,500.0 %"} {
		if got := formatPercent(v); got != want {
			t.Errorf("formatPercent(%v) = %q, want %q", v, got, want)
		}
	}
}

func TestExactNumberLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float64().Filter(func(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }).Draw(t, "v")
		back, bad := parseNumber(exactNumber(v))
		if bad != nil || back != v {
			t.Fatalf("%v is %q is %v (%v)", v, exactNumber(v), back, bad)
		}
	})
}

// Property: a shown number is within half a unit of its sixth digit, or of 1.
func TestFormatNumberIsClose(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float64Range(-1e12, 1e12).Draw(t, "v")
		plain := ""
		for _, r := range formatNumber(v) {
			if r != ',' {
				plain += string(r)
			}
		}
		got, err := strconv.ParseFloat(plain, 64)
		if err != nil {
			t.Fatal(err)
		}
		unit := 1.0
		if v != 0 {
			unit = math.Min(1, math.Pow(10, math.Floor(math.Log10(math.Abs(v)))-5))
		}
		if math.Abs(got-v) > 0.51*unit {
			t.Fatalf("%v is shown as %s", v, formatNumber(v))
		}
	})
}

func TestClipMiddle(t *testing.T) {
	for _, tt := range []struct {
		s     string
		width int
		want  string
	}{
		{"assisted-acquisitions-count", 27, "assisted-acquisitions-count"},
		{"assisted-acquisitions-count", 16, "assisted…s-count"},
		{"assisted-acquisitions-value", 16, "assisted…s-value"},
		{"abcdef", 2, "a…"},
		{"abcdef", 1, "…"},
		{"abcdef", 0, "abcdef"},
		{"住宅の床面積", 7, "住宅…積"},
		{"住宅の床面積", 6, "住…積"},
	} {
		if got := clipMiddle(tt.s, tt.width); got != tt.want {
			t.Errorf("%s in %d: %s, want %s", tt.s, tt.width, got, tt.want)
		}
	}
}
