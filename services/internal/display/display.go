// Package display shows numbers the way their metric declares it: 3.3 %, $5.9B,
// 1,790. Reports, explanations and tables on the command line all call it, so
// that one value never reads in two ways.
//
// It is pure: no locale, no environment. Start with Value; Difference is for
// what lies between two values.
package display

import (
	"math"
	"strconv"
	"strings"
)

// Format says how the values of a metric are shown. The zero value shows a
// plain number.
type Format struct {
	Style     string // number, integer, percent (of a fraction), currency, boolean
	Decimals  *int   // nil: as many as the style usually has
	Magnitude string // "", thousands, millions, billions: what one unit of the value stands for
	Currency  string // ISO 4217
}

// Value shows a value as its metric's format says: 3.3 %, $5.9B, 1,790,
// 7.5. A percentage is of a fraction (0.033). Without declared decimals a
// percentage and an amount of money with a magnitude have one, an amount
// without a magnitude two unless it is whole, an integer none, and a number up
// to two (a small one three significant digits) without trailing zeros. There
// is no negative zero, what is not finite is "–", and what has more than 15
// digits is written with an exponent.
func Value(f Format, v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) || f.Style == "percent" && math.IsInf(v*100, 0) {
		return "–"
	}
	magnitude := magnitudes[f.Magnitude]
	switch f.Style {
	case "percent":
		return fixed(v*100, f.Decimals, 1) + " %"
	case "integer":
		return fixed(v, f.Decimals, 0) + magnitude
	case "boolean":
		if f.Decimals == nil && (v == 0 || v == 1) {
			return map[float64]string{0: "no", 1: "yes"}[v]
		}
	case "currency":
		usual := 2
		if magnitude != "" {
			usual = 1
		} else if v == math.Trunc(v) {
			usual = 0
		}
		text := fixed(v, f.Decimals, usual) + magnitude
		sign := ""
		if rest, negative := strings.CutPrefix(text, "-"); negative {
			sign, text = "-", rest
		}
		if symbol, ok := currencies[f.Currency]; ok {
			return sign + symbol + text
		}
		return strings.TrimSpace(sign + text + " " + f.Currency)
	}
	if f.Decimals != nil {
		return fixed(v, f.Decimals, 0) + magnitude
	}
	return trimmed(v) + magnitude
}

var magnitudes = map[string]string{"thousands": "K", "millions": "M", "billions": "B"}

// Currencies that have a sign of their own; the others are named by their
// ISO 4217 code. "" is US dollars.
var currencies = map[string]string{"": "$", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩"}

// fixed has the declared number of decimals, else the usual one.
func fixed(v float64, declared *int, usual int) string {
	if declared != nil && *declared >= 0 {
		usual = min(*declared, 10)
	}
	return grouped(Decimal(v, usual))
}

// Decimal has that many decimals; where a number has more digits before the
// point than a float64 knows, it has an exponent instead.
func Decimal(v float64, decimals int) string {
	if math.Abs(v) >= 1e15 {
		return strconv.FormatFloat(v, 'g', 6, 64)
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// trimmed has two decimals, or for small numbers three significant digits,
// without trailing zeros.
func trimmed(v float64) string {
	decimals := 2
	if a := math.Abs(v); a > 0 && a < 1 {
		decimals = min(10, 2-int(math.Floor(math.Log10(a))))
	}
	text := Decimal(v, decimals)
	if strings.Contains(text, ".") && !strings.Contains(text, "e") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return grouped(text)
}

// grouped separates thousands by commas and drops the sign of a zero.
func grouped(text string) string {
	if strings.Contains(text, "e") {
		return text
	}
	sign := ""
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		text = rest
		if strings.Trim(text, "0.") != "" {
			sign = "-"
		}
	}
	whole, decimals, _ := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if decimals != "" {
		whole += "." + decimals
	}
	return sign + whole
}

// Money shows an exact amount, a decimal string, with its digits grouped, and
// with no decimals or at least two, as money is written; "" stays "".
func Money(amount string) string {
	whole, decimals, _ := strings.Cut(amount, ".")
	if decimals = strings.TrimRight(decimals, "0"); decimals != "" {
		whole += "." + decimals + strings.Repeat("0", max(0, 2-len(decimals)))
	}
	return grouped(whole)
}

// Difference shows the size of what lies between two values, without its sign:
// percentages become percentage points (0.4 pp), and what is not zero never
// reads as zero.
func Difference(f Format, v float64) string {
	v = math.Abs(v)
	text := Value(f, v)
	for d := 0; d <= 6 && v != 0 && !strings.ContainsAny(text, "123456789"); d++ {
		f.Decimals = &d
		text = Value(f, v)
	}
	if of, ok := strings.CutSuffix(text, " %"); ok {
		text = of + " pp"
	}
	return text
}

// Signed is Difference with its sign: +0.4 pp, -11; zero has none.
func Signed(f Format, v float64) string {
	switch {
	case v > 0:
		return "+" + Difference(f, v)
	case v < 0:
		return "-" + Difference(f, v)
	}
	return Difference(f, v)
}
