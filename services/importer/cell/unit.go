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
