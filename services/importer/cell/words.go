package cell

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// bounds are tried in this order: the longer first.
var bounds = []struct{ written, means string }{
	{"<=", "<="}, {">=", ">="}, {"=<", "<="}, {"=>", ">="}, {"≤", "<="}, {"≥", ">="}, {"≦", "<="}, {"≧", ">="}, {"⩽", "<="}, {"⩾", ">="}, {"<", "<"}, {">", ">"},
}

// boundEnds are words at the end that say the same.
var boundEnds = []struct{ written, means string }{
	{"及以上", ">="}, {"及以下", "<="}, {"以上", ">="}, {"以下", "<="}, {"以内", "<="}, {"未満", "<"}, {"未满", "<"}, {"超", ">"}, {" 이상", ">="}, {"이상", ">="}, {"이하", "<="}, {"미만", "<"}, {"초과", ">"}, {"이내", "<="},
}

// boundsBehind stand behind a number, before its unit or at the end.
var boundsBehind = []struct{ written, means string }{
	{"or more", ">="}, {"or greater", ">="}, {"or higher", ">="}, {"or above", ">="}, {"or better", ">="}, {"and above", ">="}, {"and over", ">="}, {"or over", ">="}, {"and more", ">="}, {"or less", "<="}, {"or fewer", "<="}, {"or lower", "<="}, {"or below", "<="}, {"or under", "<="}, {"and below", "<="}, {"minimum", ">="}, {"maximum", "<="}, {"min.", ">="}, {"max.", "<="},
	{"oder mehr", ">="}, {"und mehr", ">="}, {"oder weniger", "<="}, {"et plus", ">="}, {"ou plus", ">="}, {"ou moins", "<="}, {"et moins", "<="}, {"o más", ">="}, {"y más", ">="}, {"o menos", "<="}, {"ou mais", ">="}, {"ou menos", "<="}, {"o più", ">="}, {"e oltre", ">="}, {"o meno", "<="}, {"of meer", ">="}, {"of minder", "<="}, {"eller mer", ">="}, {"eller fler", ">="}, {"eller flere", ">="}, {"eller mindre", "<="}, {"eller färre", "<="}, {"lub więcej", ">="}, {"lub mniej", "<="}, {"i więcej", ">="}, {"a více", ">="}, {"a méně", "<="}, {"и более", ">="}, {"и менее", "<="}, {"ve üzeri", ">="}, {"ve altı", "<="},
}

// boundWords are words before a number that say the same, in lower case.
var boundWords = []struct{ written, means string }{
	{"greater than or equal to", ">="}, {"more than or equal to", ">="}, {"equal to or greater than", ">="}, {"less than or equal to", "<="}, {"lower than or equal to", "<="}, {"equal to or less than", "<="},
	{"no fewer than", ">="}, {"not fewer than", ">="}, {"no lower than", ">="}, {"no higher than", "<="}, {"no greater than", "<="}, {"not greater than", "<="}, {"not exceeding", "<="}, {"not to exceed", "<="}, {"does not exceed", "<="}, {"higher than", ">"}, {"lower than", "<"}, {"exceeding", ">"},
	{"nicht mehr als", "<="}, {"nicht weniger als", ">="}, {"nicht unter", ">="}, {"nicht über", "<="}, {"größer als", ">"}, {"kleiner als", "<"}, {"wenigstens", ">="}, {"minimal", ">="},
	{"supérieur ou égal à", ">="}, {"supérieure ou égale à", ">="}, {"inférieur ou égal à", "<="}, {"inférieure ou égale à", "<="}, {"supérieure à", ">"}, {"inférieure à", "<"}, {"pas plus de", "<="}, {"pas moins de", ">="}, {"jusqu'à", "<="},
	{"mayor o igual a", ">="}, {"mayor o igual que", ">="}, {"menor o igual a", "<="}, {"menor o igual que", "<="}, {"mayor que", ">"}, {"mayor a", ">"}, {"menor que", "<"}, {"menor a", "<"}, {"por lo menos", ">="}, {"no menos de", ">="}, {"no más de", "<="}, {"superior a", ">"}, {"inferior a", "<"}, {"al menos un", ">="}, {"como mínimo", ">="},
	{"maior ou igual a", ">="}, {"menor ou igual a", "<="}, {"maior que", ">"}, {"menor que", "<"}, {"acima de", ">"}, {"abaixo de", "<"}, {"não menos de", ">="}, {"não mais de", "<="},
	{"maggiore o uguale a", ">="}, {"minore o uguale a", "<="}, {"maggiore di", ">"}, {"minore di", "<"}, {"superiore a", ">"}, {"inferiore a", "<"}, {"non inferiore a", ">="}, {"non superiore a", "<="}, {"fino a", "<="}, {"oltre", ">"},
	{"niet meer dan", "<="}, {"niet minder dan", ">="}, {"meer dan", ">"}, {"minder dan", "<"}, {"hoogstens", "<="}, {"tenminste", ">="}, {"hooguit", "<="}, {"groter dan", ">"}, {"kleiner dan", "<"},
	{"mer än", ">"}, {"mindre än", "<"}, {"mer enn", ">"}, {"mindre enn", "<"}, {"mere end", ">"}, {"mindre end", "<"}, {"færre enn", "<"}, {"færre end", "<"}, {"färre än", "<"}, {"mindst", ">="}, {"højst", "<="}, {"høyst", "<="}, {"lägst", ">="}, {"maks.", "<="}, {"maks", "<="}, {"vähintään", ">="}, {"enintään", "<="}, {"yli", ">"}, {"alle", "<"},
	{"nie mniej niż", ">="}, {"powyżej", ">"}, {"poniżej", "<"}, {"więcej niż", ">"}, {"mniej niż", "<"}, {"alespoň", ">="}, {"nejméně", ">="}, {"nejvýše", "<="}, {"maximálně", "<="}, {"minimálně", ">="}, {"více než", ">"}, {"méně než", "<"}, {"minimálne", ">="}, {"maximálne", "<="}, {"najmenej", ">="}, {"najviac", "<="},
	{"en az", ">="}, {"en fazla", "<="}, {"en çok", "<="}, {"не менее", ">="}, {"не более", "<="}, {"не меньше", ">="}, {"не больше", "<="}, {"не ниже", ">="}, {"не выше", "<="}, {"более", ">"}, {"менее", "<"}, {"свыше", ">"}, {"не менше", ">="}, {"не більше", "<="}, {"minimal", ">="}, {"maksimal", "<="}, {"paling sedikit", ">="}, {"paling banyak", "<="}, {"lebih dari", ">"}, {"kurang dari", "<"}, {"sekurang-kurangnya", ">="},
	{"大于等于", ">="}, {"大于或等于", ">="}, {"小于等于", "<="}, {"小于或等于", "<="}, {"不低于", ">="}, {"不少于", ">="}, {"不小于", ">="}, {"不超过", "<="}, {"不高于", "<="}, {"不大于", "<="}, {"不多于", "<="}, {"大于", ">"}, {"小于", "<"}, {"超过", ">"}, {"低于", "<"}, {"高于", ">"}, {"至少", ">="}, {"最高", "<="}, {"最低", ">="},
	{"no more than", "<="}, {"not more than", "<="}, {"no less than", ">="}, {"not less than", ">="}, {"at least", ">="}, {"at most", "<="},
	{"more than", ">"}, {"greater than", ">"}, {"less than", "<"}, {"fewer than", "<"}, {"under", "<"}, {"below", "<"}, {"over", ">"}, {"above", ">"}, {"up to", "<="},
	{"minimum", ">="}, {"maximum", "<="}, {"min.", ">="}, {"max.", "<="}, {"min", ">="}, {"max", "<="},
	{"mindestens", ">="}, {"höchstens", "<="}, {"mehr als", ">"}, {"weniger als", "<"}, {"unter", "<"}, {"über", ">"}, {"maximal", "<="}, {"bis zu", "<="}, {"mind.", ">="}, {"mind", ">="},
	{"au moins", ">="}, {"au plus", "<="}, {"plus de", ">"}, {"moins de", "<"}, {"supérieur à", ">"}, {"inférieur à", "<"},
	{"al menos", ">="}, {"como máximo", "<="}, {"más de", ">"}, {"menos de", "<"}, {"mínimo", ">="}, {"máximo", "<="}, {"hasta", "<="},
	{"pelo menos", ">="}, {"no mínimo", ">="}, {"no máximo", "<="}, {"mais de", ">"}, {"até", "<="},
	{"almeno", ">="}, {"non più di", "<="}, {"più di", ">"}, {"meno di", "<"}, {"minimaal", ">="}, {"maximaal", "<="}, {"ten minste", ">="}, {"ten hoogste", "<="},
	{"co najmniej", ">="}, {"nie więcej niż", "<="}, {"minst", ">="}, {"högst", "<="},
}

func cutPercent(s string) (rest string, ok bool) {
	for _, p := range []string{"%", "٪", "percent", "per cent", "Prozent", "pour cent", "por ciento", "por cento", "per cento", "procent", "prosent", "v.H.", "pct", "Percent", "パーセント", "퍼센트", "процентов", "процента", "процент"} {
		if r, ok := strings.CutPrefix(s, p); ok && !startsWithLetter(r) {
			// "percentage points" are not per cent, and "% of" keeps its words.
			return r, true
		}
	}
	return s, false
}

// cutPoints takes the words for percentage points away.
func cutPoints(s string) (rest string, ok bool) {
	m := percentPoints.FindString(s)
	return s[len(m):], m != ""
}

var percentPoints = regexp.MustCompile(`^(?i:(?:%|percent|percentage|prozent|procent|prosent)(?:[ -]?(?:points?|pts?\.?|punkte?n?|enheter|poeng|point)|p)\b|p\.p\.|п\.п\.|п\. п\.)`)

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
	"n m", "s/d", "sd", "s d", "sin datos", "sin dato", "no disponible", "no aplica", "por definir", "pendiente", "ninguno",
	"s/i", "sin información", "sem dados", "não disponível", "não se aplica", "nao disponivel", "a definir", "non applicabile", "da definire", "dato non disponibile", "nessun dato",
	"n/d", "no se dispone", "sin definir", "não informado", "não apurado",
	// Polish, Czech
	"bd", "b d", "brak danych", "brak", "nie dotyczy", "n d", "není k dispozici",
	// Chinese, Japanese
	"无", "無", "暂无", "不适用", "未公布", "なし", "未公表", "未定", "不明",
	"б/д", "бд", "б д", "не определено", "не установлено", "отсутствует", "данные отсутствуют", "нд", "未设定", "未設定", "没有数据", "無数据", "无数据", "暫無", "待定", "データなし", "該当なし", "未集計", "調査中", "集計中", "未実施", "없음", "해당 없음", "자료 없음", "미산출", "측정불가",
	"لا يوجد", "غير متوفر", "غير متاح", "لا ينطبق", "غير محدد", "लागू नहीं", "उपलब्ध नहीं", "nie dot", "nie dotyczy", "nieznany", "w trakcie", "nie określono", "bez údajů", "údaj není k dispozici", "údaje nejsou k dispozici", "nezjištěno", "nesledováno", "mevcut değil", "henüz yok", "nincs adat", "n r", "not recorded", "tidak tersedia", "belum ada", "chưa có", "không có",
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
	if strings.Trim(s, "-–—―─ー‒.…·*?:/_~%$€£ ") == "" {
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
	"목표": "target", "실적": "actual", "план": "target", "факт": "actual", "المستهدف": "target", "الفعلي": "actual", "लक्ष्य": "target", "उपलब्धि": "actual", "hedef": "target", "gerçekleşen": "actual", "gerçekleşme": "actual", "plán": "target", "skutečnost": "actual", "skutočnosť": "actual", "terv": "target", "tény": "actual", "țintă": "target", "realizat": "actual", "realisasi": "actual", "tavoite": "target", "toteuma": "actual", "στόχος": "target", "αποτέλεσμα": "actual", "kế hoạch": "target", "thực hiện": "actual",
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
		"sinkend", "senken", "senkung", "verringern", "reduzieren", "reduzierung", "niedriger ist besser", "niedrig", "gering", "abnahme", "minimieren", "weniger", "abwärts", "rückgang",
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
