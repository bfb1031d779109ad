package display

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestValue(t *testing.T) {
	dec := func(n int) *int { return &n }
	for _, tc := range []struct {
		f    Format
		v    float64
		want string
	}{
		{Format{Style: "percent"}, .033, "3.3 %"},
		{Format{Style: "percent"}, -.004, "-0.4 %"},
		{Format{Style: "percent"}, -.00001, "0.0 %"},
		{Format{Style: "percent"}, 1, "100.0 %"},
		{Format{Style: "percent", Decimals: dec(0)}, .77, "77 %"},
		{Format{Style: "percent", Decimals: dec(2)}, 12.34567, "1,234.57 %"},
		{Format{Style: "currency", Magnitude: "billions", Currency: "USD"}, 5.9, "$5.9B"},
		{Format{Style: "currency", Magnitude: "millions", Currency: "EUR"}, -1234.56, "-€1,234.6M"},
		{Format{Style: "currency", Currency: "CHF"}, 1200, "1,200 CHF"},
		{Format{Style: "currency"}, 1200.5, "$1,200.50"},
		{Format{Style: "currency"}, -0.001, "$0.00"},
		{Format{Style: "currency", Decimals: dec(0)}, 999.6, "$1,000"},
		{Format{Style: "integer"}, 1790, "1,790"},
		{Format{Style: "integer"}, -1234567.4, "-1,234,567"},
		{Format{Style: "integer"}, -.4, "0"},
		{Format{Style: "integer", Magnitude: "thousands"}, 12, "12K"},
		{Format{}, 7.5, "7.5"},
		{Format{Style: "number"}, 3.69, "3.69"},
		{Format{Style: "number"}, 1790, "1,790"},
		{Format{Style: "number"}, 433.0147, "433.01"},
		{Format{Style: "number"}, .0318373, "0.0318"},
		{Format{Style: "number"}, .5, "0.5"},
		{Format{Style: "number"}, math.Copysign(0, -1), "0"},
		{Format{Style: "number"}, 1e-300, "0"},
		{Format{Style: "number", Decimals: dec(1)}, 7, "7.0"},
		{Format{Style: "number", Decimals: dec(1)}, -.04, "0.0"},
		{Format{Style: "number"}, 999999.999, "1,000,000"},
		{Format{Style: "boolean"}, 1, "yes"},
		{Format{Style: "boolean"}, 0, "no"},
		{Format{Style: "boolean"}, .5, "0.5"},
		{Format{Style: "percent"}, math.MaxFloat64, "–"},
		{Format{Style: "percent"}, 1e300, "1e+302 %"},
		{Format{}, 1e308, "1e+308"},
		{Format{}, -123456789012345, "-123,456,789,012,345"},
		{Format{Style: "integer"}, 1e15, "1e+15"},
		{Format{Style: "currency", Magnitude: "billions"}, -1e100, "-$1e+100B"},
		{Format{}, math.NaN(), "–"},
		{Format{}, math.Inf(-1), "–"},
	} {
		if got := Value(tc.f, tc.v); got != tc.want {
			t.Errorf("Value(%+v, %v) = %q, want %q", tc.f, tc.v, got, tc.want)
		}
	}
}

func TestMoney(t *testing.T) {
	for amount, want := range map[string]string{
		"": "", "0": "0", "120000.00": "120,000", "1000.5": "1,000.50", "0.05": "0.05", "1234567.123456": "1,234,567.123456", "-1500.10": "-1,500.10", "999": "999",
	} {
		if got := Money(amount); got != want {
			t.Errorf("%q is shown as %q, want %q", amount, got, want)
		}
	}
}

func TestFormatNeverShowsNegativeZero(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := Format{Style: rapid.SampledFrom([]string{"", "number", "integer", "percent", "currency", "boolean"}).Draw(t, "style")}
		if rapid.Bool().Draw(t, "declared") {
			d := rapid.IntRange(0, 10).Draw(t, "decimals")
			f.Decimals = &d
		}
		got := Value(f, rapid.Float64().Draw(t, "v"))
		if strings.Contains(got, "-") && !strings.ContainsAny(got, "123456789") {
			t.Fatalf("%q", got)
		}
	})
}

func TestDifference(t *testing.T) {
	dec := func(n int) *int { return &n }
	for _, tc := range []struct {
		f    Format
		v    float64
		want string
	}{
		{Format{Style: "percent"}, .003, "+0.3 pp"},
		{Format{Style: "percent"}, -.00012, "-0.01 pp"},
		{Format{Style: "percent", Decimals: dec(0)}, .004, "+0.4 pp"},
		{Format{Style: "percent"}, 0, "0.0 pp"},
		{Format{Style: "percent"}, math.Copysign(0, -1), "0.0 pp"},
		{Format{Style: "currency", Magnitude: "billions"}, -.64, "-$0.6B"},
		{Format{Style: "integer"}, 44, "+44"},
		{Format{Style: "integer"}, .26, "+0.3"},
		{Format{Style: "number"}, -11, "-11"},
		{Format{}, math.NaN(), "–"},
	} {
		if got := Signed(tc.f, tc.v); got != tc.want {
			t.Errorf("Signed(%+v, %v) = %q, want %q", tc.f, tc.v, got, tc.want)
		}
	}
}

// A difference says "none" only where there is none to six decimals.
func TestDifferenceIsZeroOnlyForZero(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := Format{Style: rapid.SampledFrom([]string{"", "integer", "percent", "currency"}).Draw(t, "style")}
		v := rapid.Float64Range(1e-6, 1e12).Draw(t, "v")
		if got := Difference(f, v); !strings.ContainsAny(got, "123456789") {
			t.Fatalf("%v reads %q", v, got)
		}
	})
}
