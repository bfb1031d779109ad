package cli

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"setpoint.dev/services/internal/display"
	"setpoint.dev/services/internal/fault"
)

// formatNumber shows a number in a table: whole numbers in full, others with
// up to six significant digits, thousands separated.
func formatNumber(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return strconv.FormatFloat(v, 'g', -1, 64)
	case v == 0:
		return "0"
	case math.Abs(v) < 1e-6 || math.Abs(v) >= 1e15:
		return strconv.FormatFloat(v, 'g', 6, 64)
	case v == math.Trunc(v):
		return groupDigits(strconv.FormatFloat(v, 'f', 0, 64))
	}
	before := int(math.Floor(math.Log10(math.Abs(v)))) + 1 // digits before the point, ≤ 0 below 0.1
	s := strconv.FormatFloat(v, 'f', max(0, 6-before), 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return groupDigits(s)
}

// exactNumber shows a number as it was declared: every digit, no exponent
// where one can do without.
func exactNumber(v float64) string {
	if abs := math.Abs(v); v != 0 && (abs < 1e-9 || abs >= 1e21) {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// formatPercent shows a share: 0.1234 is "12.3 %".
func formatPercent(v float64) string {
	s := display.Decimal(v*100, 1)
	if s == "-0.0" {
		s = "0.0"
	}
	if strings.Contains(s, "e") {
		return s + " %"
	}
	return groupDigits(s) + " %"
}

// groupDigits separates the thousands of a plain decimal number.
func groupDigits(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	whole, fraction, point := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if point {
		whole += "." + fraction
	}
	return sign + whole
}

func optional(v *float64, format func(float64) string) string {
	if v == nil {
		return ""
	}
	return format(*v)
}

var (
	plainNumber   = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?$`)
	groupedNumber = regexp.MustCompile(`^[+-]?[0-9]{1,3}([,' ][0-9]{3})+(\.[0-9]+)?$`)
	decimalComma  = regexp.MustCompile(`^[+-]?[0-9]+,[0-9]+$`)
)

const unknownIsLeftOut = "an unknown value is left out, with its line"

// parseNumber reads a measured value. What people paste from spreadsheets
// (1,234 · 3% · $5) is refused with what to write instead: a guess that is
// wrong by a factor of a hundred would stay unnoticed for years.
func parseNumber(s string) (float64, *fault.Place) {
	p := &fault.Place{Reason: "cli.value_not_a_number"}
	if s == "" {
		p.Message, p.Hint = "the value is empty", unknownIsLeftOut
		return 0, p
	}
	if plainNumber.MatchString(s) {
		v, err := strconv.ParseFloat(s, 64)
		if err == nil {
			return v, nil
		}
		p.Message, p.Hint = strconv.Quote(s)+" is too large", "legal are numbers up to 1.797e308"
		return 0, p
	}
	p.Message, p.Hint = strconv.Quote(s)+" is not a number", "legal is for example 1234.5 or -0.03"
	lower := strings.ToLower(strings.TrimLeft(s, "+-"))
	switch {
	case strings.HasSuffix(s, "%"):
		p.Hint = "percentages are written as fractions"
		if v, bad := parseNumber(strings.TrimSpace(strings.TrimSuffix(s, "%"))); bad == nil {
			p.Hint += ": " + strconv.FormatFloat(v/100, 'g', 12, 64) + " (or " + exactNumber(v) + " if the metric's unit is percent)"
		}
	case groupedNumber.MatchString(s):
		p.Hint = "write it without separators: " + strings.NewReplacer(",", "", "'", "", " ", "").Replace(s)
		if decimalComma.MatchString(s) {
			p.Hint += " (or, if the comma is a decimal point, " + strings.Replace(s, ",", ".", 1) + ")"
		}
	case decimalComma.MatchString(s):
		p.Hint = "the decimal point is a dot: " + strings.Replace(s, ",", ".", 1)
	case lower == "nan" || lower == "inf" || lower == "infinity" || lower == "n/a" || lower == "na" || lower == "null" || lower == "-":
		p.Hint = unknownIsLeftOut
	case strings.ContainsAny(s, "$€£¥"):
		p.Hint = "write the number without its currency"
	case strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")"):
		p.Hint = "a negative number is written with a minus: -" + s[1:len(s)-1]
	}
	return 0, p
}
