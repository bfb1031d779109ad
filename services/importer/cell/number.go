package cell

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"setpoint.dev/services/internal/fault"
)

// MaxText is the longest text, in bytes, that is read as a number, a date or a
// period: what is longer is prose.
const MaxText = 200

// Locale is how the numbers and dates of a column are written.
type Locale struct {
	// Decimal is the sign before the fraction: '.' or ','. Zero is '.'.
	Decimal rune
	// Dates is the order of day, month and year where all are numbers.
	Dates DateOrder
	// YearPairs says that 2010-11 is a year that ends in 2011 (so is 2016-17
	// always); without it, it is November 2010.
	YearPairs bool
}

// DateOrder is the order of the parts of a date in numbers.
type DateOrder string

// The orders. Ambiguous, the zero value, refuses 03/04/2017 and reads
// 25/04/2017; a year in front is always followed by month and day.
const (
	Ambiguous  DateOrder = ""
	DayFirst   DateOrder = "dmy"
	MonthFirst DateOrder = "mdy"
)

// Number is a number with what was written around it.
type Number struct {
	// Value has every magnitude applied: 2.5M is 2,500,000. A percentage stays
	// as written: 7,75 % is 7.75 with Percent set.
	Value   float64
	Percent bool
	// Currency is the ISO 4217 code where a symbol or code stood by the number;
	// Sign is the symbol where other countries' money has it, too: $.
	Currency, Sign string
	// Unit is any other text beside the number: "Weeks" of "2 Weeks", "per
	// 1,000 residents" of "5 per 1,000 residents".
	Unit string
	// Magnitude is the power of ten that a letter or a word stood for: 6 in 2.5M.
	Magnitude int
	// Bound is <, <=, > or >= where one stood before the number.
	Bound string
	// Decimals is how many digits were written after the decimal sign.
	Decimals int
	// Mark is the sign of a footnote behind the number: * of "12.5*".
	Mark string
}

// ParseNumber reads a number: sign (minus, Unicode minus, parentheses or a
// trailing minus), digits grouped by threes (or, as in India, by twos and a
// three) with point, comma, space, thin space, apostrophe or underscore, a
// fraction, an exponent, a magnitude (k, M, bn, Mio., Mrd., crore), a currency
// before or after, a per cent sign, a unit, a bound, the mark of a footnote. A
// duration in several units (3h 30m, 1:45:00) is a number of the first of them.
// A text that has no reading under the Locale is Invalid, import.number.
func ParseNumber(text string, l Locale) (Number, error) {
	var n Number
	if len(text) > MaxText {
		return n, notNumber(text, "is too long for a number")
	}
	s, mark := cutMark(decimalSign(plain(text), l))
	if s == "" {
		return n, notNumber(text, "is empty")
	}
	if roundClock.MatchString(s) {
		return n, notNumber(text, "says around the clock")
	}
	if d, ok := duration(s, l); ok {
		d.Mark = mark
		return d, nil
	}
	n.Mark = mark
	s, n.Bound = cutBound(cutExact(s))
	s, negative := cutSign(cutParentheses(s))
	if m, rest, ok := cutCurrency(s); ok {
		n.money(m)
		if !negative {
			rest, negative = cutParentheses(rest)
		}
		s, negative = cutSign(rest, negative)
	}
	// In Turkish and Arabic the sign stands in front: %95.
	if r, ok := strings.CutPrefix(s, "%"); ok {
		n.Percent = true
		s = strings.TrimSpace(r)
		if !negative {
			s, negative = cutSign(s, negative)
		}
	}
	// A number's name may stand before it: "# 12" and "No. 12" are not read,
	// because the sign may mean another thing.
	body, rest := cutDigits(s)
	if _, _, ok := cutFraction(s); ok {
		body, rest = "0", s // ½
	}
	if body == "" {
		return Number{}, notNumber(text, "has no number at its beginning")
	}
	value, decimals, err := value(body, l)
	if err != nil {
		return Number{}, notNumber(text, err.Error())
	}
	n.Decimals = decimals
	if r, part, ok := cutFraction(rest); ok && decimals == 0 {
		value, rest = value+part, r
		n.Decimals = 2
	}
	if n.Bound == "" {
		rest, n.Bound = cutBoundBehind(rest)
	}
	if tail, ok := strings.CutPrefix(rest, "-"); ok && strings.TrimSpace(tail) == "" {
		if negative {
			return Number{}, notNumber(text, "has two signs")
		}
		rest, negative = "", true
	}
	if err := n.tail(rest, l); err != nil {
		return Number{}, notNumber(text, err.Error())
	}
	if negative {
		value = -value
	}
	n.Value = scale(value, n.Magnitude)
	if math.IsInf(n.Value, 0) {
		return Number{}, notNumber(text, "is too large")
	}
	return n, nil
}

// tail reads what stands behind the digits.
func (n *Number) tail(rest string, l Locale) error {
	adjacent := rest != "" && !strings.HasPrefix(rest, " ")
	rest = strings.TrimSpace(rest)
	if adjacent {
		if r, ok := cutOrdinal(rest); ok {
			rest = r // 3rd
		}
	}
	if rest == "" {
		return nil
	}
	if r, ok := cutPoints(rest); ok {
		// Percentage points are not per cent.
		n.setUnit(strings.TrimSpace(rest[:len(rest)-len(r)]))
		rest = strings.TrimSpace(r)
		if rest != "" {
			return fmt.Errorf("has %q behind the number", clip(rest))
		}
		return nil
	}
	if r, ok := cutPercent(rest); ok && !n.Percent {
		n.Percent = true
		rest = strings.TrimSpace(r)
	} else if r, power, ok := n.cutMagnitude(rest, adjacent, l); ok {
		n.Magnitude = power
		rest = strings.TrimSpace(r)
	}
	if n.Currency == "" && n.Unit == "" {
		if m, r, ok := cutCurrency(rest); ok {
			n.money(m)
			rest = strings.TrimSpace(r)
		}
	}
	if rest == "" {
		return nil
	}
	if inner, ok := strings.CutPrefix(rest, "("); ok && strings.HasSuffix(inner, ")") {
		inner = strings.TrimSuffix(inner, ")")
		_, err := ParsePeriod(inner, Locale{})
		switch {
		case IsUnit(inner):
			n.setUnit(inner)
		case hasDigit(inner) && !strings.ContainsFunc(inner, unicode.IsLetter) && err != nil:
			return fmt.Errorf("has a second number, %q, behind the first", clip(rest))
		default:
			n.Mark += rest // a remark
		}
		return nil
	}
	first, _ := utf8.DecodeRuneInString(rest)
	switch {
	case unicode.IsDigit(first):
		return fmt.Errorf("has a second number, %q, behind the first", clip(rest))
	case strings.ContainsRune("-–—", first) && hasDigit(rest):
		return fmt.Errorf("has two numbers: is it a range?")
	case strings.ContainsRune(".,'’_", first):
		return fmt.Errorf("has %q behind the number", clip(rest))
	case slashes.MatchString(rest):
		return fmt.Errorf("is a date")
	case when.MatchString(rest), dueWord.MatchString(rest):
		return fmt.Errorf("says when, %q, beside the number", clip(rest))
	case twoAmounts(rest):
		return fmt.Errorf("has a second number in %q: is it a duration, or two values?", clip(rest))
	case clockTail.MatchString(rest):
		return fmt.Errorf("has a second number, %q, behind the first", clip(rest))
	case !unicode.IsLetter(first) && !strings.ContainsRune("°/(µ‰", first) && !unicode.Is(unicode.Sc, first):
		return fmt.Errorf("has %q behind the number", clip(rest))
	}
	n.setUnit(rest)
	return nil
}

// setUnit adds to the unit: a currency whose country is not said stands in it.
func (n *Number) setUnit(unit string) { n.Unit = strings.TrimSpace(n.Unit + " " + unit) }

// money takes a currency in. A sign that several countries have is a unit, not
// a currency.
func (n *Number) money(m money) {
	n.Currency, n.Sign = m.code, ""
	switch {
	case m.code == "":
		n.Unit = m.sign
	case m.shared:
		n.Sign = m.sign
	}
}

// roundClock is no number of 24.
var roundClock = regexp.MustCompile(`^24 ?[/x×*] ?7$`)

// clockTail is the smaller unit of a time behind the larger, without its name: 5
// min 30.
var clockTail = regexp.MustCompile(`^(?i:h|hrs?|std|min|mins|hours?|minutes?) ?\d+$`)

// when is a day or a year behind a number, which is then not of the period that
// the cell stands in: 100 % by 2030.
var when = regexp.MustCompile(`^(?i:,? ?(?:by|until|till|bis|until the end of|bis zum|d'ici|à l'horizon|para|hasta|a|até|em|en|entro|in|im|per|op|do|w|till|senast|vor|before)? ?(?:the )?(?:end of|ende|fin|fin de|finales de|fine|eind|końca|utgången av)? ?(?:fy|q[1-4]|\pL{3,10})? ?)(?:19|20|21)\d{2}\b`)

var dueWord = regexp.MustCompile(`(?i)(?:^|[^\pL])(?:by|until|till|bis|d'ici|hasta|até|entro|senast)[^\pL\d][^\d]*(?:19|20|21)\d{2}(?:\D|$)`)

// slashes are the rest of a date behind its first number; /5 is a scale.
var slashes = regexp.MustCompile(`^ ?/ ?\d{1,2} ?/|^ ?/ ?\d{4}`)

// value reads digits with their groups and fraction. The error's text goes
// behind the quoted cell.
func value(body string, l Locale) (v float64, decimals int, err error) {
	mantissa, exponent := body, ""
	if i := strings.IndexAny(body, "eE"); i >= 0 {
		mantissa, exponent = body[:i], body[i:]
	}
	decimal := l.Decimal
	if decimal == 0 {
		decimal = '.'
	}
	whole, fraction := mantissa, ""
	switch strings.Count(mantissa, string(decimal)) {
	case 0:
	case 1:
		whole, fraction, _ = strings.Cut(mantissa, string(decimal))
	default:
		// 1,234,567 where the comma is the decimal sign.
		return 0, 0, fmt.Errorf("has more than one decimal sign %q", decimal)
	}
	if strings.ContainsFunc(fraction, isGroup) {
		return 0, 0, fmt.Errorf("has %q behind the decimal sign %q", firstGroup(fraction), decimal)
	}
	digits, err := ungroup(whole)
	if err != nil {
		return 0, 0, err
	}
	if digits == "" && fraction == "" {
		return 0, 0, fmt.Errorf("has no digits")
	}
	v, perr := strconv.ParseFloat(digits+"."+fraction+exponent, 64)
	if perr != nil || math.IsInf(v, 0) {
		return 0, 0, fmt.Errorf("is no number that can be held")
	}
	return v, len(fraction), nil
}

// ungroup takes the signs between groups of digits away, if every group has
// the size that its writing has.
func ungroup(whole string) (string, error) {
	if !strings.ContainsFunc(whole, isGroup) {
		return whole, nil
	}
	sign := firstGroup(whole)
	groups := strings.Split(whole, string(sign))
	if strings.HasPrefix(groups[0], "0") {
		return "", fmt.Errorf("has %q behind a 0", sign)
	}
	for i, g := range groups {
		if strings.ContainsFunc(g, isGroup) {
			return "", fmt.Errorf("has groups of digits parted by both %q and %q", sign, firstGroup(g))
		}
		switch {
		case i == 0 && len(g) >= 1 && len(g) <= 3:
		case i == len(groups)-1 && len(g) == 3:
		case i > 0 && i < len(groups)-1 && len(g) == 3:
		case i > 0 && i < len(groups)-1 && len(g) == 2 && sign == ',' && len(groups[0]) <= 2: // 12,34,567
		default:
			return "", fmt.Errorf("has %q between digits that are not groups of three", sign)
		}
	}
	return strings.Join(groups, ""), nil
}

// scale multiplies by a power of ten through the decimal text, so that 2.3M is
// 2300000 and not 2299999.9999999995.
func scale(v float64, power int) float64 {
	if power == 0 {
		return v
	}
	scaled, err := strconv.ParseFloat(strconv.FormatFloat(v, 'f', -1, 64)+"e"+strconv.Itoa(power), 64)
	if err == nil {
		return scaled
	}
	return v * math.Pow10(power)
}

func isGroup(r rune) bool { return strings.ContainsRune(".,' _", r) }

func firstGroup(s string) rune {
	for _, r := range s {
		if isGroup(r) {
			return r
		}
	}
	return 0
}

// plain is a text with one kind of space, minus, apostrophe and digits, without
// what is not seen.
func plain(text string) string {
	var b strings.Builder
	space := true // at the beginning none is kept
	for _, r := range strings.TrimSpace(text) {
		switch {
		case r == '\u200b' || r == '\ufeff' || r == '\u200e' || r == '\u200f' || r == '\u00ad':
			continue
		case unicode.IsSpace(r) || r == '\u202f' || r == '\u00a0' || r == '\u2009':
			if !space {
				b.WriteByte(' ')
			}
			space = true
			continue
		case r == '\u2212' || r == '\u2010' || r == '\u2011':
			r = '-'
		case r == '\u2019' || r == '\u02bc' || r == '\u00b4':
			r = '\''
		case r >= 0x80:
			r = western(r)
		}
		space = false
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// cutDigits parts the longest beginning that can be a number's digits, groups,
// fraction and exponent from what follows.
func cutDigits(s string) (body, rest string) {
	end := 0 // after the last digit
	i := 0
scan:
	for i < len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			i++
			end = i
		case c == '.' || c == ',':
			i++
		case c == '\'' || c == '_' || c == ' ':
			// Only between digits, and a space only before exactly three of them.
			if end != i || !threeDigits(s[i+1:]) {
				break scan
			}
			i++
		case (c == 'e' || c == 'E') && end == i && exponent(s[i+1:]) > 0:
			end = i + 1 + exponent(s[i+1:])
			break scan
		default:
			break scan
		}
	}
	// A decimal sign at the end belongs to the number ("12." is written), a
	// comma does not.
	if end == 0 {
		return "", s
	}
	if end < len(s) && s[end] == '.' && (end+1 == len(s) || s[end+1] == ' ') {
		return s[:end], s[end+1:]
	}
	return s[:end], s[end:]
}

func threeDigits(s string) bool {
	if len(s) < 3 {
		return false
	}
	for i := range 3 {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) == 3 || s[3] < '0' || s[3] > '9'
}

// exponent is the length of an exponent's sign and digits.
func exponent(s string) int {
	i := 0
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	start := i
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	if i == start || i-start > 3 {
		return 0
	}
	return i
}

func cutBound(s string) (rest, bound string) {
	for _, b := range bounds {
		if r, ok := strings.CutPrefix(s, b.written); ok {
			return strings.TrimSpace(r), b.means
		}
	}
	lower := strings.ToLower(s)
	for _, b := range boundWords {
		if r, ok := strings.CutPrefix(lower, b.written); ok && len(lower) == len(s) && !startsWithLetter(r) && hasDigit(r) {
			return strings.TrimSpace(s[len(b.written):]), b.means
		}
	}
	for _, b := range boundEnds {
		if r, ok := strings.CutSuffix(s, b.written); ok && r != "" && hasDigit(r) {
			return strings.TrimSpace(r), b.means // 90%以上
		}
	}
	return s, ""
}

// cutBoundBehind takes a bound behind the number away: 10+, 5 or fewer. A unit
// may follow it.
func cutBoundBehind(rest string) (without, bound string) {
	s := strings.TrimLeft(rest, " ")
	percent := ""
	if r, ok := strings.CutPrefix(s, "%"); ok {
		s, percent = strings.TrimLeft(r, " "), "%"
	}
	if r, ok := strings.CutPrefix(s, "+"); ok && !strings.ContainsFunc(r, unicode.IsDigit) && (rest == s || percent != "" || r == "") {
		return percent + " " + strings.TrimSpace(r), ">="
	}
	lower := strings.ToLower(s)
	for _, b := range boundsBehind {
		if r, ok := strings.CutPrefix(lower, b.written); ok && len(lower) == len(s) && !startsWithLetter(r) && !hasDigit(r) {
			return percent + " " + strings.TrimSpace(s[len(b.written):]), b.means
		}
	}
	return rest, ""
}

// cutParentheses takes an accountant's parentheses away: (12) is -12.
func cutParentheses(s string) (rest string, negative bool) {
	if inner, ok := strings.CutPrefix(s, "("); ok {
		if body, rest, closed := strings.Cut(inner, ")"); closed && onlyMoney(body) {
			return strings.TrimSpace(body + " " + rest), true
		}
	}
	return s, false
}

func cutSign(s string, negative bool) (string, bool) {
	// Word processors make a dash of the minus before a number.
	if r, ok := strings.CutPrefix(s, "–"); ok && !negative && r != "" && (r[0] >= '0' && r[0] <= '9' || r[0] == '.' || r[0] == ',') {
		return r, true
	}
	if r, ok := strings.CutPrefix(s, "-"); ok && !negative {
		return strings.TrimSpace(r), true
	}
	if r, ok := strings.CutPrefix(s, "+"); ok {
		return strings.TrimSpace(r), negative
	}
	return s, negative
}

// anyMoney is a currency of which nothing is said, by the general sign for one.
const anyMoney = "¤"

// onlyMoney reports whether the inside of parentheses is a number of accounts:
// digits, with a currency, a magnitude or a per cent sign at most.
func onlyMoney(s string) bool {
	if _, rest, ok := cutCurrency(strings.TrimSpace(s)); ok {
		s = rest
	}
	body, rest := cutDigits(strings.TrimSpace(s))
	if body == "" {
		return false
	}
	rest = strings.TrimSpace(rest)
	if r, ok := cutPercent(rest); ok {
		rest = r
	} else if r, _, ok := (&Number{Currency: anyMoney}).cutMagnitude(rest, true, Locale{}); ok {
		rest = strings.TrimSpace(r)
		if _, r, ok := cutCurrency(rest); ok {
			rest = r
		}
	}
	return strings.TrimSpace(rest) == ""
}

func hasDigit(s string) bool { return strings.ContainsFunc(s, unicode.IsDigit) }

func notNumber(text, why string) error {
	return fault.New(fault.Invalid, "import.number", "%q %s", clip(text), why)
}

func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
