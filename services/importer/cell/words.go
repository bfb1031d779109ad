package cell

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// bounds are tried in this order: the longer first.
var bounds = []struct{ written, means string }{
	{"<=", "<="}, {">=", ">="}, {"=<", "<="}, {"=>", ">="}, {"≤", "<="}, {"≥", ">="}, {"<", "<"}, {">", ">"},
}

// boundWords are words before a number that say the same, in lower case.
var boundWords = []struct{ written, means string }{
	{"no more than", "<="}, {"not more than", "<="}, {"no less than", ">="}, {"not less than", ">="}, {"at least", ">="}, {"at most", "<="},
	{"more than", ">"}, {"greater than", ">"}, {"less than", "<"}, {"fewer than", "<"}, {"under", "<"}, {"below", "<"}, {"over", ">"}, {"above", ">"}, {"up to", "<="},
	{"minimum", ">="}, {"maximum", "<="}, {"min.", ">="}, {"max.", "<="}, {"min", ">="}, {"max", "<="},
	{"mindestens", ">="}, {"höchstens", "<="}, {"mehr als", ">"}, {"weniger als", "<"}, {"unter", "<"}, {"über", ">"}, {"maximal", "<="}, {"bis zu", "<="}, {"mind.", ">="},
	{"au moins", ">="}, {"au plus", "<="}, {"plus de", ">"}, {"moins de", "<"}, {"supérieur à", ">"}, {"inférieur à", "<"},
	{"al menos", ">="}, {"como máximo", "<="}, {"más de", ">"}, {"menos de", "<"}, {"mínimo", ">="}, {"máximo", "<="}, {"hasta", "<="},
	{"pelo menos", ">="}, {"no mínimo", ">="}, {"no máximo", "<="}, {"mais de", ">"}, {"até", "<="},
	{"almeno", ">="}, {"non più di", "<="}, {"più di", ">"}, {"meno di", "<"}, {"minimaal", ">="}, {"maximaal", "<="}, {"ten minste", ">="}, {"ten hoogste", "<="},
	{"co najmniej", ">="}, {"nie więcej niż", "<="}, {"minst", ">="}, {"högst", "<="}, {"以上", ">="}, {"以下", "<="},
}

// currencies are the signs and codes that are read as one, the longer first
// where one begins another. $ alone is taken for the US dollar.
var currencies = []struct{ sign, code string }{
	{"US$", "USD"}, {"A$", "AUD"}, {"C$", "CAD"}, {"CA$", "CAD"}, {"AU$", "AUD"}, {"NZ$", "NZD"}, {"R$", "BRL"}, {"HK$", "HKD"}, {"S$", "SGD"},
	{"$", "USD"}, {"€", "EUR"}, {"£", "GBP"}, {"¥", "JPY"}, {"₹", "INR"}, {"₽", "RUB"}, {"₩", "KRW"}, {"₺", "TRY"}, {"₴", "UAH"}, {"zł", "PLN"}, {"Kč", "CZK"},
	{"Rs.", "INR"}, {"Fr.", "CHF"}, {"SFr.", "CHF"}, {"kr.", "SEK"},
}

// currencyCodes are read where they stand as a word of their own.
var currencyCodes = map[string]string{
	"USD": "USD", "EUR": "EUR", "GBP": "GBP", "JPY": "JPY", "CHF": "CHF", "CAD": "CAD", "AUD": "AUD", "NZD": "NZD", "SEK": "SEK",
	"NOK": "NOK", "DKK": "DKK", "PLN": "PLN", "CZK": "CZK", "HUF": "HUF", "INR": "INR", "CNY": "CNY", "RMB": "CNY", "BRL": "BRL",
	"MXN": "MXN", "ZAR": "ZAR", "SGD": "SGD", "HKD": "HKD", "KRW": "KRW", "TRY": "TRY", "AED": "AED", "SAR": "SAR", "KES": "KES", "NGN": "NGN",
	"Euro": "EUR", "Euros": "EUR", "euros": "EUR", "euro": "EUR", "dollars": "USD",
}

// magnitudes are powers of ten by their written forms in lower case. Those of
// one letter count only directly behind the digits, in capitals (k may be
// small), or behind money: "5 m" is five metres.
var magnitudes = map[string]int{
	"k": 3, "m": 6, "b": 9, "t": 12,
	"mm": 6, "mn": 6, "mln": 6, "mil": 6, "mill": 6, "million": 6, "millions": 6, "mio": 6, "millionen": 6, "milliers": 3,
	"millones": 6, "millón": 6, "milhões": 6, "milhão": 6, "milioni": 6, "miljoen": 6, "mkr": 6,
	"bn": 9, "bln": 9, "billion": 9, "billions": 9, "mrd": 9, "md": 9, "milliarde": 9, "milliarden": 9, "milliard": 9, "milliards": 9, "miljard": 9, "miliardi": 9,
	"thousand": 3, "thousands": 3, "tsd": 3, "tausend": 3, "mille": 3, "miles": 3, "mila": 3, "duizend": 3, "th": 3,
	"tn": 12, "trillion": 12, "trillions": 12,
	"lakh": 5, "lakhs": 5, "crore": 7, "crores": 7, "cr": 7,
}

// onlyMoneyMagnitude are words that mean another thing beside what is no money.
var onlyMoneyMagnitude = map[string]bool{"mil": true, "mille": true, "miles": true, "md": true, "th": true, "cr": true, "mm": true, "tn": true, "mkr": true, "t": true, "b": true, "m": true}

func cutPercent(s string) (rest string, ok bool) {
	for _, p := range []string{"%", "percent", "per cent", "Prozent", "pour cent", "por ciento", "procent", "v.H.", "pct", "Percent"} {
		if r, ok := strings.CutPrefix(s, p); ok && !startsWithLetter(r) {
			// "percentage points" are not per cent, and "% of" keeps its words.
			return r, true
		}
	}
	return s, false
}

func cutMagnitude(s string, adjacent, money bool) (rest string, power int, ok bool) {
	word := s
	if i := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) }); i >= 0 {
		word = s[:i]
	}
	power, known := magnitudes[strings.ToLower(word)]
	if !known {
		return s, 0, false
	}
	if !money && onlyMoneyMagnitude[strings.ToLower(word)] {
		capital := word == "M" || word == "B" || word == "T"
		if !adjacent || !capital || word == "T" {
			return s, 0, false
		}
	}
	if len(word) == 1 && !adjacent && !money {
		return s, 0, false
	}
	rest = strings.TrimPrefix(s[len(word):], ".")
	return rest, power, true
}

func cutCurrency(s string) (code, rest string, ok bool) {
	for _, c := range currencies {
		if r, ok := strings.CutPrefix(s, c.sign); ok && (!startsWithLetter(r) || !endsWithLetter(c.sign)) {
			return c.code, strings.TrimSpace(r), true
		}
	}
	word := s
	if i := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) }); i >= 0 {
		word = s[:i]
	}
	if code, ok := currencyCodes[word]; ok {
		return code, strings.TrimSpace(s[len(word):]), true
	}
	return "", s, false
}

func startsWithLetter(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsLetter(r)
}

func endsWithLetter(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return unicode.IsLetter(r)
}

// missing are the words for "there is no value", in lower case and without
// blanks, points, dashes and per cent signs; see Missing.
var missing = words(
	// English
	"na", "n a", "n/a", "#n/a", "#na", "#value!", "#ref!", "#div/0!", "null", "none", "nil", "nan", "tbd", "tba", "tbc", "missing", "blank", "unknown",
	"no data", "nodata", "no data available", "data not available", "not available", "not applicable", "not reported", "not measured", "not yet available",
	"not collected", "not set", "not known", "no value", "no target", "no goal", "no actual", "no report", "unavailable", "pending", "to be determined", "to be confirmed",
	"new", "new measure", "new meas", "new indicator", "new kpi", "discontinued", "suppressed", "withheld", "baseline", "establish baseline", "see notes", "see note",
	"no session", "did not exist", "n/k", "nk", "not yet known", "not yet reported", "data pending", "coming soon",
	// German
	"ka", "k a", "keine angabe", "keine angaben", "keine daten", "nicht verfügbar", "nicht erhoben", "nv", "n v", "entfällt", "unbekannt", "offen", "noch offen", "fehlt",
	// French
	"nd", "n d", "nc", "n c", "s o", "so", "non disponible", "non communiqué", "non connu", "sans objet", "à définir", "à déterminer", "inconnu", "aucune donnée", "non renseigné",
	// Spanish, Portuguese, Italian
	"s/d", "sd", "s d", "sin datos", "sin dato", "no disponible", "no aplica", "por definir", "pendiente", "ninguno",
	"s/i", "sin información", "sem dados", "não disponível", "não se aplica", "nao disponivel", "a definir", "non applicabile", "da definire", "dato non disponibile", "nessun dato",
	"n/d", "no se dispone", "sin definir", "não informado", "não apurado",
	// Polish, Czech
	"bd", "b d", "brak danych", "brak", "nie dotyczy", "n d", "není k dispozici",
	// Chinese, Japanese
	"无", "無", "暂无", "不适用", "未公布", "なし", "未公表", "未定", "不明",
	// Dutch, Nordic
	"nb", "n b", "nvt", "n v t", "niet beschikbaar", "niet van toepassing", "geen gegevens", "onbekend", "ikke tilgjengelig", "saknas", "ej tillgänglig", "uppgift saknas", "i u",
)

func words(list ...string) map[string]bool {
	m := make(map[string]bool, len(list))
	for _, w := range list {
		m[w] = true
	}
	return m
}

// Missing reports whether a text says that there is no value: nothing, signs
// only (-, –, .., *, ?, :), or one of the known words, in any case. more are the
// words of one table, compared without case.
func Missing(text string, more ...string) bool {
	s := strings.ToLower(plain(text))
	for _, w := range more {
		if s == strings.ToLower(plain(w)) {
			return true
		}
	}
	if strings.Trim(s, "-–—.…*?:/_~%$€£ ") == "" {
		return true
	}
	s = strings.Trim(strings.TrimSpace(strings.TrimRight(s, "%*")), "()[]<>-– ")
	if missing[s] || furtherMissing[s] {
		return true
	}
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '.' || r == ' ' || r == '-' || r == '_' }), " ")
	return missing[s] || furtherMissing[s]
}

// kinds are words for what a value is, in lower case.
var kinds = map[string]string{
	"target": "target", "targets": "target", "goal": "target", "plan": "target", "planned": "target", "budget": "target", "soll": "target",
	"ziel": "target", "zielwert": "target", "cible": "target", "objectif": "target", "prévu": "target", "meta": "target", "programado": "target",
	"planeado": "target", "previsto": "target", "doel": "target", "streefwaarde": "target", "mål": "target", "obiettivo": "target", "projected": "target",
	"actual": "actual", "actuals": "actual", "result": "actual", "achieved": "actual", "ist": "actual", "istwert": "actual", "réalisé": "actual",
	"réel": "actual", "résultat": "actual", "real": "actual", "resultado": "actual", "ejecutado": "actual", "realizado": "actual", "executado": "actual",
	"executed": "actual", "realisatie": "actual", "utfall": "actual", "consuntivo": "actual", "risultato": "actual", "observed": "actual",
	"baseline": "baseline", "basis": "baseline", "référence": "baseline", "línea base": "baseline", "linha de base": "baseline",
	"min": "min", "minimum": "min", "max": "max", "maximum": "max",
	"milestone": "target", "forecast": "target", "prévision": "target", "norm": "target", "cel": "target", "plan wert": "target", "planwert": "target", "目標": "target", "目标": "target", "计划": "target",
	"réalisation": "actual", "achievement": "actual", "outturn": "actual", "wykonanie": "actual", "実績": "actual", "实际": "actual", "実績値": "actual", "目標値": "target",
}

// ParseKind reads a word for what a value is: target, actual, baseline, min or
// max; ok is false where it is none.
func ParseKind(text string) (kind string, ok bool) {
	kind, ok = kinds[strings.TrimSpace(strings.Trim(strings.ToLower(plain(text)), "().,;:*"))]
	return kind, ok
}

// CutKind parts the word for a kind at the end of a measure's name, in
// parentheses or behind a dash or a blank, from the name: "Sales - Target". ok is
// false where there is none.
func CutKind(name string) (rest, kind string, ok bool) {
	s := strings.TrimRight(plain(name), " )]:")
	i := strings.LastIndexAny(s, " ([-–—:")
	if i < 0 {
		return name, "", false
	}
	_, size := utf8.DecodeRuneInString(s[i:])
	if kind, ok = ParseKind(s[i+size:]); !ok {
		return name, "", false
	}
	rest = strings.TrimRight(s[:i], " ([-–—:,")
	return rest, kind, rest != ""
}

// Direction is which way is good.
type Direction string

// The directions. Within is a range or a level that is to be kept.
const (
	Unknown  Direction = ""
	Increase Direction = "increase"
	Decrease Direction = "decrease"
	Within   Direction = "within"
)

var directions = map[Direction][]string{
	Increase: {
		"increase", "increasing", "increases", "up", "upward", "upwards", "higher", "higher is better", "higher the better", "more", "more is better", "max", "maximise", "maximize", "maximum",
		"maximising", "maximizing", "grow", "growth", "raise", "improve", "rise", "rising", "high", "high is good", "bigger is better", "i", "inc", "incr", "↑", "▲", "⬆", "+", "positive", "at least", "minimum threshold", "floor", "above",
		"steigend", "steigern", "erhöhen", "erhöhung", "hoch", "höher ist besser", "zunahme", "maximieren", "mehr", "aufwärts", "steigerung", "anstieg",
		"augmenter", "augmentation", "hausse", "à la hausse", "croissant", "maximiser", "plus", "croissance", "plus c'est haut mieux c'est", "je höher desto besser",
		"aumentar", "aumento", "ascendente", "creciente", "crecimiento", "maximizar", "más es mejor", "mayor es mejor", "incrementar", "incremento", "subir", "positivo", "crescente", "quanto maior melhor", "maior é melhor", "maior melhor",
		"aumentare", "massimizzare", "in aumento", "wzrost", "wzrostowy", "rosnący", "rośnie", "zwiększenie", "růst", "增加", "増加", "上升", "提高", "向上", "正向", "stijgend", "verhogen", "toename", "hoger is beter", "öka", "ökar", "ökande", "ökning", "økning", "øke", "stigende",
	},
	Decrease: {
		"decrease", "decreasing", "decreases", "down", "downward", "downwards", "lower", "lower is better", "lower the better", "less", "less is better", "fewer", "min", "minimise", "minimize",
		"minimising", "minimizing", "reduce", "reduction", "reducing", "fall", "falling", "low", "low is good", "smaller is better", "d", "dec", "decr", "↓", "▼", "⬇", "negative", "at most", "ceiling", "below", "decline",
		"sinkend", "senken", "senkung", "verringern", "reduzieren", "reduzierung", "niedriger ist besser", "abnahme", "minimieren", "weniger", "abwärts", "rückgang",
		"diminuer", "diminution", "réduire", "réduction", "baisse", "à la baisse", "décroissant", "minimiser", "moins", "je niedriger desto besser", "je kleiner desto besser",
		"disminuir", "disminución", "descendente", "decreciente", "reducir", "reducción", "minimizar", "menos es mejor", "menor es mejor", "bajar", "diminuir", "reduzir", "redução", "decrescente", "quanto menor melhor", "menor é melhor", "menor melhor",
		"diminuire", "ridurre", "riduzione", "minimizzare", "in diminuzione", "spadek", "spadkowy", "malejący", "maleje", "ograniczenie", "zmniejszenie", "pokles", "减少", "減少", "下降", "降低", "低下", "逆向", "dalend", "verlagen", "afname", "lager is beter", "minska", "minskar", "minskande", "minskning", "reduksjon", "redusere", "faldende", "synkende",
	},
	Within: {
		"within", "within range", "with in range", "in range", "range", "band", "maintain", "maintaining", "maintained", "keep", "hold", "stable", "steady", "sustain", "stay", "target", "on target", "nominal", "m", "=", "↔", "→", "between", "neutral", "constant", "no change",
		"halten", "stabil", "konstant", "gleichbleibend", "im bereich", "bereich", "innerhalb", "beibehalten", "maintenir", "maintien", "dans la plage", "plage",
		"维持", "維持", "utrzymanie", "stabilny", "bibehålla", "oförändrad",
		"mantener", "mantenimiento", "estable", "constante", "dentro del rango", "rango", "manter", "estável", "dentro da faixa", "faixa", "mantenere", "stabile", "intervallo", "handhaven", "gelijk", "stabiel", "behålla", "opprettholde",
	},
}

var directionOf = func() map[string]Direction {
	m := map[string]Direction{}
	for _, language := range []map[Direction][]string{directions, furtherDirections} {
		for d, list := range language {
			for _, w := range list {
				m[w] = d
			}
		}
	}
	return m
}()

// ParseDirection reads a word or sign for a direction; ok is false where it is
// none. One letter (I, D, M) is read too, and is thin evidence alone.
func ParseDirection(text string) (d Direction, ok bool) {
	s := strings.ToLower(plain(text))
	s = strings.TrimSpace(strings.Trim(s, "().,;:\"'"))
	if d, ok = directionOf[s]; ok {
		return d, ok
	}
	// "Quanto maior, melhor", "the higher, the better".
	s = strings.TrimPrefix(strings.Join(strings.Fields(strings.NewReplacer(",", " ", ":", " ", "_", " ").Replace(s)), " "), "the ")
	d, ok = directionOf[s]
	return d, ok
}

// months are the names of months and what they are shortened to, in lower
// case without a final point.
var months = func() map[string]int {
	m := map[string]int{}
	for _, language := range append([]string{
		"january february march april may june july august september october november december",
		"januar februar märz april mai juni juli august september oktober november dezember",
		"janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
		"enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
		"janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
		"gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
		"januari februari maart april mei juni juli augustus september oktober november december",
		"januari februari mars april maj juni juli augusti september oktober november december",
		"januar februar mars april mai juni juli august september oktober november desember",
		"jan feb mar apr may jun jul aug sep oct nov dec",
		"jan feb mär apr mai jun jul aug sep okt nov dez",
		"jän feb mrz apr mai jun jul aug sept okt nov dez",
		"janv févr mars avr mai juin juil août sept oct nov déc",
		"ene feb mar abr may jun jul ago set oct nov dic",
		"jan fev mar abr mai jun jul ago set out nov dez",
		"gen feb mar apr mag giu lug ago set ott nov dic",
		"jan feb mrt apr mei jun jul aug sep okt nov dec",
		"janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
		"jan fév mar avr mai juin juil aoû sept oct nov déc",
		"january february maerz april mai june july augst sept oct nov dec",
	}, furtherMonths...) {
		for i, name := range strings.Fields(language) {
			m[name] = i + 1
		}
	}
	return m
}()
