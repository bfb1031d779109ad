package guess

import (
	"regexp"
	"slices"
	"strings"

	"setpoint.dev/services/importer/cell"
)

// computed are headers of columns that follow from others, or judge them.
var computed = regexp.MustCompile(`^(?:(?:sub ?)?total|grand total|gesamt|summe|sum|insgesamt|totale|totaal|totalt|razem|suma|合計|合计|ytd average)$|` +
	`(?:^|[^\pL\d])(?:variance|var|difference|diff|deviation|delta|gap|abweichung|abw|differenz|écart|ecart|variación|variacion|variação|desviación|desvio|scostamento|afwijking|avvikelse|odchylenie|差異|差异|` +
	`change|veränderung|évolution|evolution|yoy|cagr|zielerreichung|erreichungsgrad|zielerreichungsgrad|taux de réalisation|cumplimiento|% de avance|% cumplimiento|% executed|% ejecutado|% of target|% meta alcançada|meta alcançada|% da meta|grado de avance|capaian|달성률|달성율|% achieved|% achievement|achievement %|percent of target|rank|ranking|rang|` +
	`(?:process|control|confidence) limits?|confidence intervals?|lcl|ucl|lpl|upl|lower ci|upper ci|kontrollgrenze|eingriffsgrenze|konfidenzintervall|intervalle de confiance|intervalo de confianza)(?:[^\pL\d]|$)|(?:達成率|完成率|増減|前年差|前年比|差額)`)

func firstWord(text string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	return word
}

var sumWord = regexp.MustCompile(`^(?:total|gesamt|summe|insgesamt|totale|totaal|totalt|razem|suma) | (?:total|gesamt|insgesamt|totale|totaal|totalt|razem)$`)

// isComputed reports whether a header's column follows from others: by its word,
// or as the sum of columns of a kind ("Total planned").
func isComputed(header string) bool {
	h := normalize(header)
	if computed.MatchString(h) {
		return true
	}
	rest := sumWord.ReplaceAllString(h, "")
	return rest != h && kindOf(rest) != ""
}

// isStatus reports whether a header's column judges values.
func isStatus(header string) bool {
	s, _ := headerScore(header, Status)
	return s >= 0.8
}

// withoutUnit is a header without the unit in parentheses behind it.
func withoutUnit(header string) string {
	rest, _, _ := cell.NameUnit(header)
	return rest
}

var toDate = regexp.MustCompile(`(?:^|[^\pL\d])(?:ytd|year to date|cumulative|cumulated|kumuliert|kum|acumulado|acumulada|cumulé|cumulée|cumul|progressivo|cumulatief|ackumulerat|narastająco)(?:[^\pL\d]|$)|累計|累计`)

// runningTotals takes the role from a column of totals so far that stands beside
// columns of the same kind: of the whole period it is not the value.
func runningTotals(out []Column) {
	some := func(header string) bool { return toDate.MatchString(normalize(header)) || isPart(header) }
	for i, c := range out {
		if c.Role != Actual && c.Role != Target || c.dated() {
			continue
		}
		if y := ofHeader(c.Header); projectYear.MatchString(y) && strings.ContainsAny(y, "0123456789") {
			out[i] = Column{Index: i, Header: c.Header, Role: Ignored, Confidence: 0.7, Partial: true, Reason: "a year of a project: which it is, is not said"}
			continue
		}
		if !some(c.Header) {
			continue
		}
		if slices.ContainsFunc(out, func(o Column) bool { return o.Index != c.Index && o.Role == c.Role && (o.dated() || !some(o.Header)) }) {
			out[i] = Column{Index: i, Header: c.Header, Role: Ignored, Confidence: 0.7, Partial: true, Reason: "a running total, or a part, of what the columns beside it hold"}
		}
	}
}

// totalAlone reads a column that is called a total where there is no other value.
func totalAlone(out []Column) {
	if slices.ContainsFunc(out, func(c Column) bool { return isValue(c.Role) }) {
		return
	}
	for i, c := range out {
		if c.Role == Ignored && c.Reason == isTotal && totals.MatchString(c.Header) {
			out[i].Role, out[i].Confidence, out[i].Reason = Actual, 0.4, "there is no other column of values; that they are actuals is assumed"
			return
		}
	}
}

const isTotal = "is computed from other columns"
