package cell

import (
	"regexp"
	"strings"
)

// unitWords are units of measure as they stand in parentheses behind a name, in
// lower case; what parts of them are joined by is not looked at.
var unitWords = words(strings.Fields(`
	% ‰ percent prozent pourcentage porcentaje porcentagem percentuale procent pct pp points point punkte pkt pts
	km m cm mm ha m2 m² m3 m³ km2 km² qm cbm ft mi acres l ml hl g kg mg µg t to tonnes tons tonnen tonnellate toneladas toneladas ton
	w kw mw gw wh kwh mwh gwh twh j mj gj tj pj mtco2e tco2e tco2 co2e co2 ktco2e mtco2 gtco2e kgco2e ppm ppb db hz bar °c c °f nm
	fte ftes vzä etp hc headcount number count no nr anzahl nombre número numero num aantal antal liczba stk stück pcs szt units unit
	index score rank ratio rate stars persons people personen personnes personas pessoas persone
	tsd t€ teur mio mrd mn m€ k€ mill mln bn k thousands thousand millions million billions billion milliers mille millones miles milhões milhares mil milioni migliaia
	usd eur gbp chf jpy inr brl mxn cad aud sek nok dkk pln czk cny zar kr mkr tkr kkr euro euros dollars pesos rs crore lakh cr lakhs crores
	$ € £ ¥ ₹ zł kč £m €m $m £k €k $k £bn €bn $bn $000 £000 €000 us$ a$ r$ reais
	dni lat años jahre jahr years year ans anni anos jaar år months month monate mois meses mesi maanden månader monat
	tl milyon milyar bin adet kişi saat oran yüzde sayı ton puan gün ay kez kpl kpl. hlö henkilöä szt. kč tis ft eft mft fő db lei đồng triệu tỷ người
	rp juta ribu orang руб тыс млн млрд чел шт ед грн человек процент единиц штук балл km. ks ks.
	keur meur kusd musd kgbp kchf mchf ksek msek nok mnok knok dkk mdkk kdkk tys tsek percentage
	円 人 件 元 万元 亿元 億円 百万円 千円 ％ 歳 戸 箇所 トン 个 家 吨 万人`)...)

var unitParts = regexp.MustCompile(`[\s/·*.,]+|\b(?:per|pro|je|par|por|in|en|of|de|each|i|w|na)\b`)

// IsUnit reports whether a text is a unit of measure by itself, as it stands in
// parentheses behind a name: Mio. €, tCO2e, mg/l, in Tsd., per 1,000. A remark is
// none.
func IsUnit(text string) bool {
	s := strings.ToLower(plain(text))
	if s == "" || len(s) > 30 {
		return false
	}
	found := false
	for _, w := range unitParts.Split(s, -1) {
		w = strings.Trim(w, "()[]'\"")
		_, time := timeUnits[w]
		switch {
		case w == "":
		case unitWords[w], time:
			found = true
		case strings.Trim(w, "0123456789") == "":
		default:
			return false
		}
	}
	return found
}

// changes are words behind a number that make a change from another value of it:
// 10 % reduction, 5 fewer, -20 % vs. 2019.
var changes = regexp.MustCompile(`(?i)^(?:de |d['’]|di |w )?(?:increases?|decreases?|reductions?|improvements?|decline|drop|rise|fewer|less|more|lower|higher|below|above|better|vs\.?|versus|compared|relative to|against|from|` +
	`reduktion|reduzierung|steigerung|senkung|rückgang|erhöhung|zunahme|abnahme|verbesserung|mehr|weniger|gegenüber|im vergleich|` +
	`réduction|baisse|hausse|augmentation|diminution|amélioration|de moins|de plus|par rapport|` +
	`reducción|incremento|aumento|disminución|respecto|más|menos|redução|diminuição|a mais|a menos|em relação|riduzione|diminuzione|in più|in meno|rispetto|` +
	`reductie|stijging|daling|toename|afname|minder|meer|wzrostu?|spadku?|spadek|minskning|ökning|reduksjon|økning)(?:[\s.,;:)]|$)`)

// IsChange reports whether what stands beside a number says that it is a change
// from another one, and not a value.
func IsChange(unit string) bool { return changes.MatchString(plain(unit)) }

// in parentheses at the end of a name.
var behind = regexp.MustCompile(`^(.*\S)\s*[(\[（]([^()\[\]（）]{1,30})[)\]）]\s*\*?$`)

// NameUnit parts the unit in parentheses at the end of a measure's name from the
// name: Revenue (EUR m). ok is false where there is none.
func NameUnit(name string) (rest, unit string, ok bool) {
	m := behind.FindStringSubmatch(strings.TrimSpace(name))
	if m == nil || !IsUnit(m[2]) {
		return name, "", false
	}
	unit = strings.TrimSpace(m[2])
	for _, p := range []string{"in ", "In ", "en ", "i "} {
		unit = strings.TrimPrefix(unit, p)
	}
	return m[1], unit, true
}

// unitPowers are the words of units that count in powers of ten. Letters that may
// be another unit's (m, t) are none.
var unitPowers = map[string]int{
	"k€": 3, "t€": 3, "teur": 3, "tsd": 3, "k$": 3, "€k": 3, "$k": 3, "£k": 3, "$000": 3, "£000": 3, "€000": 3, "tkr": 3, "kkr": 3, "keur": 3, "kusd": 3, "kgbp": 3, "kchf": 3, "ksek": 3, "tsek": 3, "knok": 3, "kdkk": 3, "tys": 3, "thousand": 3, "thousands": 3, "milliers": 3, "miles": 3, "milhares": 3, "migliaia": 3,
	"lakh": 5, "lakhs": 5, "mio": 6, "mn": 6, "mln": 6, "m€": 6, "€m": 6, "$m": 6, "£m": 6, "mkr": 6, "meur": 6, "musd": 6, "mchf": 6, "msek": 6, "mnok": 6, "mdkk": 6, "million": 6, "millions": 6, "millionen": 6, "millones": 6, "milhões": 6, "milioni": 6,
	"crore": 7, "crores": 7, "mrd": 9, "bn": 9, "£bn": 9, "€bn": 9, "$bn": 9, "billion": 9, "billions": 9,
}

// UnitPower is the power of ten in which a unit of measure counts: 5 of ₹ lakh, 6
// of Mio. €; ok is false where it names none.
func UnitPower(unit string) (power int, ok bool) {
	for _, w := range unitParts.Split(strings.ToLower(plain(unit)), -1) {
		w = strings.Trim(w, "()[]")
		if p, known := unitPowers[w]; known {
			return p, true
		}
		if p, known := magnitudes[w]; known && len(w) > 2 && !onlyMoneyMagnitude[w] {
			return p, true
		}
		for _, e := range eastern {
			if strings.HasPrefix(w, e.written) {
				return e.power, true
			}
		}
	}
	return 0, false
}

var clockUnits = map[string]string{"hh:mm": "h", "h:mm": "h", "hh:mm:ss": "h", "h:mm:ss": "h", "std:min": "h", "mm:ss": "min", "m:ss": "min", "min:sec": "min", "min:sek": "min", "min:s": "min"}

// ClockUnit is the unit of time of values written as a clock has them: h of hh:mm.
// Other units are given back.
func ClockUnit(unit string) string {
	if u, ok := clockUnits[strings.ReplaceAll(strings.Trim(strings.ToLower(plain(unit)), "()[]"), " ", "")]; ok {
		return u
	}
	return unit
}

// MovePoint divides by a power of ten through the decimal text.
func MovePoint(v float64, power int) float64 { return scale(v, -power) }
