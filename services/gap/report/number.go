package report

import (
	"math"
	"strconv"
	"strings"

	"setpoint.dev/services/gap"
	"setpoint.dev/services/internal/display"
)

const (
	minus       = "−" // U+2212, as wide as a digit in tabular figures
	absent      = "–"
	percentSign = " %" // as gap.FormatValue has it
)

// wholeFrom is from where on a number whose decimals nobody declared is shown without:
// they would say no more than that it was computed.
const wholeFrom = 10_000

// of is f as v is shown.
func (f Format) of(v float64) gap.Format {
	out := f.gap()
	if f.Decimals == nil && (f.Style == "" || f.Style == "number") && math.Abs(v) >= wholeFrom {
		none := 0
		out.Decimals = &none
	}
	return out
}

func (f Format) gap() gap.Format {
	return gap.Format{Style: f.Style, Decimals: f.Decimals, Magnitude: f.Magnitude, Currency: f.Currency}
}

// count shows how many there are, its digits grouped as those of values are.
func count(n int) string { return display.Value(display.Format{Style: "integer"}, float64(n)) }

// value shows v as the metric's format says; absent if it is nil.
func (m Metric) value(v *float64) string {
	if v == nil {
		return absent
	}
	return m.show(*v)
}

func (m Metric) show(v float64) string {
	return strings.ReplaceAll(gap.FormatValue(m.Format.of(v), v), "-", minus)
}

// brief is show for where room is short: a number of many digits in powers of
// ten, a long text cut.
func (m Metric) brief(v float64) string {
	const most = 18
	text := m.show(v)
	if len([]rune(text)) <= most {
		return text
	}
	if size := math.Abs(v); size >= 1e12 || size < 1e-6 {
		return strings.Replace(strconv.FormatFloat(v, 'e', 2, 64), "-", minus, 1)
	}
	return string([]rune(text)[:most-1]) + "…"
}

// size shows |v| as a difference: percentages become percentage points, and a
// difference that is not zero never reads as zero.
func (m Metric) size(v float64) string { return display.Difference(display.Format(m.Format.of(v)), v) }

// signed shows a difference with its sign; positive is behind.
func (m Metric) signed(v *float64) string {
	switch {
	case v == nil:
		return absent
	case *v > 0:
		return "+" + m.size(*v)
	case *v < 0:
		return minus + m.size(*v)
	}
	return m.size(0)
}

// behind shows a difference in words.
func (m Metric) behind(v *float64) string {
	switch {
	case v == nil:
		return absent
	case *v > 0:
		return m.size(*v) + " behind"
	case *v < 0:
		return m.size(*v) + " ahead"
	}
	return "on target"
}

// percent shows a share such as 0.1 as 10 %: whole unless it is small.
func percent(v *float64) string {
	if v == nil {
		return absent
	}
	p := *v * 100
	decimals := 0
	if a := math.Abs(p); a < 9.95 && a != math.Trunc(a) {
		decimals = 1
	}
	text := display.Decimal(p, decimals)
	if strings.Trim(text, "-0.") == "" {
		text = strings.TrimPrefix(text, "-")
	}
	return strings.Replace(text, "-", minus, 1) + percentSign
}

// probability shows one in whole percents; what rounds to never or to always is
// said to be near it.
func probability(v *float64) string {
	switch {
	case v == nil:
		return absent
	case *v < .005:
		return "< 1" + percentSign
	case *v > .995:
		return "> 99" + percentSign
	}
	return display.Decimal(*v*100, 0) + percentSign
}

// signedPercent is percent with a plus where it is positive.
func signedPercent(v *float64) string {
	text := percent(v)
	if v != nil && *v > 0 && strings.ContainsAny(text, "123456789") {
		return "+" + text
	}
	return text
}

// score shows a number from 0 to 1 with two decimals.
func score(v *float64) string {
	if v == nil {
		return absent
	}
	return strings.Replace(strconv.FormatFloat(*v, 'f', 2, 64), "-", minus, 1)
}

// finite drops what is not a number.
func finite(v *float64) *float64 {
	if v == nil || math.IsNaN(*v) || math.IsInf(*v, 0) {
		return nil
	}
	c := *v
	if c == 0 {
		c = 0 // a negative zero too
	}
	return &c
}

// plain shows a number of an explanation, whose unit is not known.
func plain(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e7 {
		return strings.Replace(count(int(v)), "-", minus, 1)
	}
	return strings.Replace(strconv.FormatFloat(v, 'g', 7, 64), "-", minus, 1)
}

// setpoint shows what t is to reach: "≤ 3.0%", "0.0% to 2.0%", "165".
func setpoint(m Metric, direction string, target, lower, upper *float64) string {
	switch {
	case lower != nil && upper != nil:
		// 0.00 to 2.00 %: the unit once, where both have the same.
		from, to := m.show(*lower), m.show(*upper)
		if _, unit, ok := strings.Cut(to, " "); ok {
			from = strings.TrimSuffix(from, " "+unit)
		}
		return from + " to " + to
	case lower != nil:
		return "≥ " + m.show(*lower)
	case upper != nil:
		return "≤ " + m.show(*upper)
	case target == nil:
		return absent
	case m.Format.Style == "boolean": // there is nothing beyond yes
		return m.show(*target)
	case direction == "increase":
		return "≥ " + m.show(*target)
	case direction == "decrease":
		return "≤ " + m.show(*target)
	}
	return m.show(*target)
}
