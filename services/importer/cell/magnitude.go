package cell

import (
	"strings"
	"unicode"
)

// magnitudes are powers of ten by their written forms in lower case. Those of
// one letter count only directly behind the digits, in capitals (k may be
// small), or beside money: "5 m" is five metres.
var magnitudes = map[string]int{
	"k": 3, "m": 6, "b": 9, "t": 12,
	"mm": 6, "mn": 6, "mln": 6, "mill": 6, "million": 6, "millions": 6, "mio": 6, "millionen": 6, "milliers": 3,
	"millones": 6, "millón": 6, "milhões": 6, "milhão": 6, "milioni": 6, "milione": 6, "miljoen": 6, "mkr": 6, "miljoner": 6, "miljon": 6, "millioner": 6, "milj": 6, "miljoonaa": 6,
	"bn": 9, "bln": 9, "billion": 9, "billions": 9, "mrd": 9, "md": 9, "mld": 9, "mia": 9, "milliarde": 9, "milliarden": 9, "milliard": 9, "milliards": 9, "milliarder": 9, "miljard": 9, "miljarder": 9, "miljardia": 9, "miliardi": 9, "miliardo": 9, "bilhão": 9, "bilhões": 9, "mi": 6, "bi": 9,
	"thousand": 3, "thousands": 3, "tsd": 3, "tausend": 3, "mille": 3, "miles": 3, "mila": 3, "duizend": 3, "tusen": 3, "tusind": 3, "tuhatta": 3, "th": 3,
	"tn": 12, "trillion": 12, "trillions": 12, "billionen": 12, "billones": 12, "billioner": 12, "biljoner": 12,
	"lakh": 5, "lakhs": 5, "crore": 7, "crores": 7, "cr": 7, "लाख": 5, "करोड़": 7, "करोड": 7, "हज़ार": 3, "हजार": 3,
	"tys": 3, "milionów": 6, "miliony": 6, "tis": 3, "tisíc": 3, "miliard": 9, "miliardów": 9, "miliarda": 9, "miliardy": 9,
	"тыс": 3, "тысяч": 3, "млн": 6, "миллион": 6, "миллиона": 6, "миллионов": 6, "млрд": 9, "миллиардов": 9, "трлн": 12, "тис": 3,
	"bin": 3, "milyon": 6, "milyar": 9, "ribu": 3, "juta": 6, "miliar": 9, "triliun": 12, "triệu": 6, "tỷ": 9, "nghìn": 3,
	"ألف": 3, "آلاف": 3, "مليون": 6, "ملايين": 6, "مليار": 9,
}

// eastern are powers of ten that are written behind the digits without a blank,
// the longer first; more of the unit follows: 2万円.
var eastern = []struct {
	written string
	power   int
}{
	{"百万", 6}, {"千万", 7}, {"百萬", 6}, {"千萬", 7}, {"十億", 9}, {"百亿", 10}, {"千亿", 11}, {"万亿", 12}, {"백만", 6}, {"천만", 7}, {"십억", 9},
	{"万", 4}, {"萬", 4}, {"만", 4}, {"億", 8}, {"亿", 8}, {"억", 8}, {"兆", 12}, {"조", 12}, {"千", 3}, {"천", 3},
}

// onlyMoneyMagnitude are words that mean another thing beside what is no money.
var onlyMoneyMagnitude = words("mille", "miles", "md", "th", "cr", "mm", "tn", "mkr", "t", "b", "m", "mi", "bi", "bin", "tis", "mia")

// cutMagnitude takes the power of ten behind the digits away.
func (n *Number) cutMagnitude(s string, adjacent bool, l Locale) (rest string, power int, ok bool) {
	for _, e := range eastern {
		if r, ok := strings.CutPrefix(s, e.written); ok {
			return r, e.power, true
		}
	}
	word := s
	if i := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }); i >= 0 {
		word = s[:i]
	}
	rest = strings.TrimPrefix(s[len(word):], ".")
	money := n.Currency != "" || n.Unit != ""
	code := n.Currency
	if m, _, ok := cutCurrency(strings.TrimSpace(rest)); ok && !money {
		money, code = true, m.code
	}
	lower := strings.ToLower(word)
	if lower == "mil" {
		power, ok = mil(code, rest != s[len(word):], l)
		return rest, power, ok
	}
	power, known := magnitudes[lower]
	switch {
	case !known:
		return s, 0, false
	case (lower == "mi" || lower == "bi") && code != "BRL", lower == "bin" && code != "TRY" && l.Decimal != ',':
		return s, 0, false
	case lower == "t" && n.Currency == "":
		return s, 0, false // 2 T€ are thousands, $2T are more
	}
	if !money && onlyMoneyMagnitude[lower] {
		capital := word == "M" || word == "B"
		if !adjacent || !capital {
			return s, 0, false
		}
	}
	if len(word) == 1 && !adjacent && !money {
		return s, 0, false
	}
	return rest, power, true
}

// mil is a million that is shortened in English and in several Slavic languages,
// and a thousand in Spanish and Portuguese; ok is false where it may be either.
func mil(code string, shortened bool, l Locale) (power int, ok bool) {
	switch code {
	case "":
		return 0, false
	case "BRL", "COP", "CLP", "MXN", "PEN", "ARS":
		return 3, true
	case "CZK", "RON":
		return 6, true
	case "EUR":
		if l.Decimal == ',' && !shortened {
			return 3, true
		}
	}
	return 0, false
}

// fractions are those with a sign of their own.
var fractions = map[rune]float64{'½': 0.5, '¼': 0.25, '¾': 0.75, '⅓': 1.0 / 3, '⅔': 2.0 / 3, '⅛': 0.125, '⅜': 0.375, '⅝': 0.625, '⅞': 0.875, '⅕': 0.2, '⅖': 0.4, '⅗': 0.6, '⅘': 0.8}

// cutFraction takes such a sign behind the digits away: 3½.
func cutFraction(s string) (rest string, part float64, ok bool) {
	for i, r := range strings.TrimPrefix(s, " ") {
		part, ok = fractions[r]
		return strings.TrimPrefix(s, " ")[i+len(string(r)):], part, ok
	}
	return s, 0, false
}

// zeros are the first digits of scripts that have digits of their own.
var zeros = []rune{0x660, 0x6f0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0x1040, 0x17e0}

// western is a sign as Latin scripts have it: digits, and what is written as wide
// as a Chinese character.
func western(r rune) rune {
	switch {
	case r >= 0xff01 && r <= 0xff5e:
		return r - 0xff01 + '!'
	case r == 0xffe5:
		return '¥'
	case r == 0xffe1:
		return '£'
	case r == 0x66a:
		return '%'
	case r == 0x66c: // between thousands
		return '\''
	case r < 0x660:
		return r
	}
	for _, zero := range zeros {
		if r >= zero && r <= zero+9 {
			return r - zero + '0'
		}
	}
	return r
}

// decimalSign writes the Arabic decimal sign as the column's.
func decimalSign(s string, l Locale) string {
	if l.Decimal == 0 {
		l.Decimal = '.'
	}
	return strings.ReplaceAll(s, "٫", string(l.Decimal))
}

// cutOrdinal takes the end of a number that counts in order away: 3rd.
func cutOrdinal(s string) (rest string, ok bool) {
	for _, e := range []string{"st", "nd", "rd", "th"} {
		if r, ok := strings.CutPrefix(s, e); ok && !startsWithLetter(r) {
			return strings.TrimSpace(r), true
		}
	}
	return s, false
}
