package cell

import (
	"regexp"
	"strconv"
	"strings"
)

// timeUnits are units of time by the words and letters written for them, in
// seconds. m is a minute only beside an hour or a second.
var timeUnits = func() map[string]float64 {
	m := map[string]float64{}
	for seconds, words := range map[float64]string{
		1:      "s sec secs second seconds sek sekunde sekunden seconde secondes segundo segundos secondo secondi sekund sekunder",
		60:     "m min mins minute minutes minuten minuto minutos minuti minuut minuter",
		3600:   "h hr hrs hour hours std stunde stunden heure heures hora horas ora ore uur uren u timme timmar tim godz",
		86400:  "d day days tag tage tagen jour jours día días dia dias giorno giorni dag dagen dagar dzień dni",
		604800: "w wk week weeks woche wochen semaine semaines semana semanas settimana settimane weken vecka veckor",
	} {
		for _, w := range strings.Fields(words) {
			m[w] = seconds
		}
	}
	return m
}()

var (
	durationPart = regexp.MustCompile(`^(\d+(?:[.,]\d+)?) ?(\pL+)\.?[ ,]*(?:(?:and|und|et|y|e|en|och) )?`)
	hoursMinutes = regexp.MustCompile(`^(\d{1,5}) ?(?i:h|hrs?|std\.?|heures?) ?([0-5]\d)$`) // 1h30
	clock        = regexp.MustCompile(`^(\d{1,5}):([0-5]\d):([0-5]\d)$`)
)

// TimeUnit is how many seconds a unit of time has; ok is false where the word
// is none.
func TimeUnit(word string) (seconds float64, ok bool) {
	seconds, ok = timeUnits[strings.Trim(strings.ToLower(plain(word)), ". ")]
	return seconds, ok
}

// duration reads 3h 30m, 1 day 4 hours and 1:45:00 as a number of the largest
// unit that is written. 1:45 is not read: it may be hours, minutes or a ratio.
func duration(s string, l Locale) (Number, bool) {
	if m := clock.FindStringSubmatch(s); m != nil {
		h, _ := strconv.Atoi(m[1])
		minutes, _ := strconv.Atoi(m[2])
		seconds, _ := strconv.Atoi(m[3])
		return Number{Value: float64(h) + float64(minutes*60+seconds)/3600, Unit: "h"}, true
	}
	if m := hoursMinutes.FindStringSubmatch(s); m != nil {
		h, _ := strconv.Atoi(m[1])
		minutes, _ := strconv.Atoi(m[2])
		return Number{Value: float64(h*60+minutes) / 60, Unit: "h"}, true
	}
	var n Number
	total, above := 0.0, 0.0
	for parts := 0; ; parts++ {
		if s == "" {
			n.Value = total / timeUnits[strings.ToLower(n.Unit)]
			return n, parts >= 2
		}
		m := durationPart.FindStringSubmatch(s)
		if m == nil {
			return Number{}, false
		}
		unit, known := timeUnits[strings.ToLower(m[2])]
		v, decimals, err := value(m[1], l)
		if !known || err != nil || parts > 0 && (unit >= above || v*unit >= above) {
			return Number{}, false // of a rising or overflowing series nothing is told
		}
		if parts == 0 {
			n.Unit = m[2]
		}
		n.Decimals = max(n.Decimals, decimals)
		total, above = total+v*unit, unit
		s = s[len(m[0]):]
	}
}

// secondAmount is a number that begins a word behind the first number's unit.
var secondAmount = regexp.MustCompile(`^(\pL+)\.?,? ?\d+(?:[.,]\d+)? ?\pL+\.?$`)

// perWords stand between a number and what it counts against.
var perWords = words("per", "pro", "je", "par", "por", "pr", "of", "out", "von", "sur", "de", "di", "van", "av", "na", "in", "for", "za", "auf", "sobre", "su", "op")

// twoAmounts reports whether what stands behind a number holds another amount:
// of "2h 75m" and "3 kg 200 g" neither number alone is the value.
func twoAmounts(rest string) bool {
	m := secondAmount.FindStringSubmatch(rest)
	return m != nil && !perWords[strings.ToLower(m[1])]
}
