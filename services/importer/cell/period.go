package cell

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
)

// bikram: a pair of years from here on is of the calendar of Nepal, 57 years
// before ours, and not read.
const bikram = 2070

// pivot: a year of two digits below it is of this century.
const pivot = 70

// ParseMonth reads the name of a month in one of the known languages, in full
// or shortened; ok is false where it is none.
func ParseMonth(text string) (month int, ok bool) {
	s := strings.TrimSuffix(strings.ToLower(plain(text)), ".")
	month, ok = months[s]
	return month, ok
}

// quarterPart is a quarter without its year, in lower case or not: the groups q, a
// figure, and r, a Roman one or a word.
const (
	quarterWords = `quarter|qtr\.?|quartal|trimestre|trim\.?|trimester|kwartaal|kvartal|kvartaal|kvartál|kwartał|kwartału|kv\.?|кв\.?|квартал|квартал[аі]|čtvrtletí|štvrťrok|çeyrek|triwulan|tw|quý|negyedév|neljännes|τρίμηνο`
	ordinalEnd   = `(?:st|nd|rd|th|\.er|\.|er|e|ème|º|°|ª|o|a|-?й)?`
	ordinalWords = `first|second|third|fourth|premier|deuxième|troisième|quatrième|primer|segundo|tercer|cuarto|primeiro|terceiro|quarto|primo|secondo|terzo|erstes|zweites|drittes|viertes|eerste|tweede|derde|vierde`
	quarterPart  = `(?:(?:q|t|k|` + quarterWords + `)[ _-]?(?P<q>[1-4])|(?:` + quarterWords + `)[ _-]?(?P<r>iv|i{1,3})|` +
		`(?P<q>[1-4])` + ordinalEnd + `[ -]?(?:q|t|k|` + quarterWords + `)|(?P<r>iv|i{1,3})` + ordinalEnd + `[ -](?:kw\.?|` + quarterWords + `)|(?P<r>` + ordinalWords + `) (?:` + quarterWords + `))`
)

var quarterForm = regexp.MustCompile(`^` + quarterPart + `$`)

// romans are the quarters that are not written as a figure.
var romans = func() map[string]string {
	m := map[string]string{"i": "1", "ii": "2", "iii": "3", "iv": "4"}
	for i, w := range strings.Split(ordinalWords, "|") {
		m[w] = strconv.Itoa(i%4 + 1)
	}
	for i, w := range []string{"primeiro", "segundo", "terceiro", "quarto"} {
		m[w] = strconv.Itoa(i + 1)
	}
	for i, w := range []string{"primo", "secondo", "terzo", "quarto"} {
		m[w] = strconv.Itoa(i + 1)
	}
	for i, w := range []string{"erstes", "zweites", "drittes", "viertes"} {
		m[w] = strconv.Itoa(i + 1)
	}
	for i, w := range []string{"eerste", "tweede", "derde", "vierde"} {
		m[w] = strconv.Itoa(i + 1)
	}
	return m
}()

// groups are the named groups of a match, of those with the same name the one that
// has something.
func groups(form *regexp.Regexp, m []string) map[string]string {
	g := map[string]string{}
	for i, name := range form.SubexpNames() {
		if name != "" && m[i] != "" {
			g[name] = m[i]
		}
	}
	if g["q"] == "" && g["r"] != "" {
		g["q"] = romans[strings.ToLower(g["r"])]
	}
	return g
}

// ParseQuarter reads a quarter without its year: Q3, QTR3, 3. Quartal, T3.
func ParseQuarter(text string) (quarter int, ok bool) {
	m := quarterForm.FindStringSubmatch(strings.ToLower(plain(text)))
	if m == nil {
		return 0, false
	}
	q, _ := strconv.Atoi(groups(quarterForm, m)["q"])
	return q, q > 0
}

// ParseDate reads a day: 2017-09-30, 2017/9/30, 30.09.2017, 30/09/17 (by the
// Locale's order where both readings exist), 30 Sep 2017, September 30, 2017, in
// the known languages. A time of day behind it is passed over when it is
// midnight. The error is Invalid, import.date.
func ParseDate(text string, l Locale) (calendar.Date, error) {
	if len(text) > MaxText {
		return calendar.Date{}, notDate(text, "is too long for a date")
	}
	s := plain(text)
	if m := midnight.FindStringIndex(s); m != nil {
		s = s[:m[0]]
	}
	if strings.Contains(s, " out of ") {
		return calendar.Date{}, notDate(text, "is no date") // out is October in Portuguese
	}
	if m := yearFirst.FindStringSubmatch(s); m != nil {
		return date(text, m[1], m[3], m[4])
	}
	if m := compact.FindStringSubmatch(s); m != nil {
		return date(text, m[1], m[2], m[3])
	}
	if m := yearLast.FindStringSubmatch(s); m != nil {
		first, _ := strconv.Atoi(m[1])
		second, _ := strconv.Atoi(m[3])
		switch {
		case second > 12:
			return date(text, m[4], m[1], m[3])
		case first > 12 || l.Dates == DayFirst || first == second || m[2] == "." && l.Dates == Ambiguous:
			// Points are written between day, month and year only in that order.
			return date(text, m[4], m[3], m[1])
		case l.Dates == MonthFirst:
			return date(text, m[4], m[1], m[3])
		}
		return calendar.Date{}, notDate(text, "may be month/day/year or day/month/year: say which the table has")
	}
	var day, year string
	month := 0
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",./-", r) }) {
		lower := strings.ToLower(word)
		switch n := ordinal.FindStringSubmatch(lower); {
		case n != nil && day == "" && len(n[1]) <= 2 && (year != "" || month == 0 || len(n[1]) <= 2):
			day = n[1]
		case n != nil && year == "" && (len(n[1]) == 4 || len(n[1]) == 2):
			year = n[1]
		case lower == "de" || lower == "of" || lower == "del" || lower == "the":
		case month == 0:
			if m, ok := ParseMonth(word); ok {
				month = m
				continue
			}
			return calendar.Date{}, notDate(text, "is no date")
		default:
			return calendar.Date{}, notDate(text, "is no date")
		}
	}
	if day == "" || year == "" || month == 0 {
		return calendar.Date{}, notDate(text, "is no date")
	}
	return date(text, year, strconv.Itoa(month), day)
}

var (
	midnight  = regexp.MustCompile(`[ T](?:(?:00?:00(?::00(?:\.0+)?)?|12:00(?::00)?)(?: ?AM)|00?:00(?::00(?:\.0+)?)?|23:59(?::59(?:\.\d+)?)?)(?:Z|[+-]\d\d:?\d\d)?$| (?:г|р)\.$| года?$`)
	yearFirst = regexp.MustCompile(`^(\d{4})([-/.])(\d{1,2})[-/.](\d{1,2})$`)
	yearLast  = regexp.MustCompile(`^(\d{1,2})([-/.]) ?(\d{1,2})[-/.] ?(\d{4}|\d{2})$`)
	compact   = regexp.MustCompile(`^((?:19|20|21)\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$`)
	ordinal   = regexp.MustCompile(`^(\d+)(?:st|nd|rd|th|er|º|ª)?$`)
)

func date(text, year, month, day string) (calendar.Date, error) {
	y, err := strconv.Atoi(year)
	if err == nil && len(year) == 2 {
		y = century(y)
	}
	m, merr := strconv.Atoi(month)
	d, derr := strconv.Atoi(day)
	if err != nil || merr != nil || derr != nil || m < 1 || m > 12 || d < 1 || d > 31 {
		return calendar.Date{}, notDate(text, "has no such day or month")
	}
	if y < calendar.FirstYear || y > calendar.LastYear {
		return calendar.Date{}, notDate(text, "is not of the years 1900 to 2200")
	}
	found := calendar.Of(y, time.Month(m), d)
	if found.Day() != d {
		return calendar.Date{}, notDate(text, "has no such day in its month")
	}
	return found, nil
}

func century(y int) int {
	if y < pivot {
		return 2000 + y
	}
	return 1900 + y
}

// periodForms are tried in order; the groups have names: y and z a year and the
// one it runs into, f what says that it is fiscal, q a quarter, m a month's
// number or name, w a week.
var periodForms = compile(
	// 2016-17, 2016/17, 2016-2017, FY2016-17, FY 2016/2017
	`{f}?{y4} ?[-/–] ?{z}`,
	`{f}{y2}[-/–]{z2}`,
	// FY17 Q3, FY2017-Q3, 2017Q3, 2017 Q3, FY17/Q3, 2017 - 3. Quartal
	`{f}?{y4}[ /_.-]*{q}`,
	`{f}{y2}[ /_.-]*{q}`,
	// Q3 2016/17, Q3 FY2016-17, 2016/17 Q3
	`{q}[ /_.,-]*(?:of )?{f}?{y4}[-/–]{z}`,
	`{f}?{y4}[-/–]{z}[ /_.,-]*{q}`,
	`{q} {y2}[-/–]{z2}`,
	// Q3 FY17, Q3 2017, Q3/17, Q3'17, 3. Quartal 2017, T3-2017
	`{q}[ /_.,-]*(?:of |de |del |du )?{f}?(?:{y4}|'?{y2})`,
	// 2017-07, 2017/7, 2017M07, 201707
	`{y4}[-/.M_ ]{1,2}{mm}`,
	`{y4}{m2}`,
	// 07/2017, 7.2017
	`(?:m|month|tháng)?{mm}[-/. ]{y4}`,
	`(?:month|tháng) {mm}[-/. ]{y4}`,
	// July 2017, Jul-17, juil. 2017, julio de 2017, 2017 Jul
	`{name}\.?[ ,/_-]*(?:de |del )?(?:{y4}|'?{y2})`,
	`{y4}[ ,/_-]*{name}\.?`,
	// 2017-W07, W07 2017, KW 7/2017, week 7 2017
	`{y4}[ /_-]*{w}`,
	`{w}[ /_.,-]*{y4}`,
	// FY2017, FY17, FY'17, FY 2017, 2017 FY, GJ 2017, CY2017, 2017, 2017.0
	`{f}(?:{y4}|'?{y2})`,
	`{y4} ?{f}`,
	`(?:cy|year|jahr|año|ano|année|anno|anul|jaar|år|kj|rok|roku|vuosi|год|рік|yıl|tahun|năm|calendar year) ?{y4}`,
	`{y4}(?:\.0+)?`,
)

// yearEnd is what may stand behind a year: the mark of a footnote, or the word for
// a year.
var yearEnd = regexp.MustCompile(`^(.*(?:19|20|21)\d{2}|(?i:fy) ?'?\d{2})(?: ?[*†‡§¹²³⁴⁵]+\)?| ?г\.?| ?год[а]?| ?р\.| ?року| r\.| roku| yılı)$`)

// pairForm is what may be a year and a month or a pair of years.
var pairForm = regexp.MustCompile(`^(?:19|20|21)\d{2}[-/–]\d{2}$`)

func compile(forms ...string) []*regexp.Regexp {
	part := strings.NewReplacer(
		"{f}", `(?P<f>(?:fiscal year|financial year|fiscal|fy|fye|gj|geschäftsjahr|wj|ex\.?|exercice|ejercicio|boekjaar|sy|ay|school year)[ _']{0,2})`,
		"{y4}", `(?P<y>(?:19|20|21)\d{2})`,
		"{y2}", `(?P<y>\d{2})`,
		"{z}", `(?P<z>(?:19|20|21)\d{2}|\d{2})`,
		"{z2}", `(?P<z>\d{2})`,
		"{q}", quarterPart,
		"{mm}", `(?P<m>0?[1-9]|1[0-2])`,
		"{m2}", `(?P<m>0[1-9]|1[0-2])`,
		"{name}", `(?P<m>[\p{L}\p{M}]{3,14})`,
		// S1 and S2 are half-years as well, S01 and S3 are none.
		"{w}", `(?:(?:w|kw|wk|week|woche|semaine|semana|uke|vecka|v\.|viikko|týden|hafta|неделя)[ .]{0,2}(?P<w>[1-9]|0[1-9]|[1-4]\d|5[0-3])|s[ .]{0,2}(?P<w>[3-9]|0[1-9]|[1-4]\d|5[0-3]))`,
	)
	var out []*regexp.Regexp
	for _, f := range forms {
		out = append(out, regexp.MustCompile(`^(?i:`+part.Replace(f)+`)$`))
	}
	return out
}

// ParsePeriod reads a period as tables write it and gives its name in the form
// that package calendar reads (FY2017-Q3, 2017-07, 2017, 2017-W07, 2017-09-30).
// A quarter or year that is marked fiscal (FY) is of the organization's fiscal
// year; so is 2016-17, which is named by the year in which it ends. A plain
// year is given without FY: the calendar says what it is. The error is Invalid,
// import.period.
func ParsePeriod(text string, l Locale) (string, error) {
	if len(text) > MaxText {
		return "", notPeriod(text, "is too long for a period")
	}
	s := monthSpan(strings.TrimSpace(eastAsian(plain(text))))
	if m := yearEnd.FindStringSubmatch(s); m != nil {
		s = m[1]
	}
	for _, form := range periodForms {
		m := form.FindStringSubmatch(s)
		if m == nil {
			continue
		}
		g := groups(form, m)
		if z := g["z"]; len(z) == 2 && len(g["y"]) == 4 && g["f"]+g["q"] == "" && z >= "01" && z <= "12" && !l.YearPairs {
			if strings.Contains(s, "/") && z[0] == '1' && periodPair(g) {
				return "", fault.New(fault.Invalid, "import.period_pair", "%q may be a month or a pair of years: say which the table has", clip(text))
			}
			continue // the form of year and month comes later
		}
		if name, ok := periodName(g); ok {
			return name, nil
		}
	}
	if d, err := ParseDate(s, l); err == nil {
		return d.String(), nil
	} else if fault.ReasonOf(err) == "import.date_order" {
		return "", err
	}
	return "", notPeriod(text, "is no period")
}

func periodName(g map[string]string) (string, bool) {
	y, err := strconv.Atoi(g["y"])
	if err != nil {
		return "", false
	}
	if len(g["y"]) == 2 {
		y = century(y)
	}
	fiscal := ""
	if g["f"] != "" {
		fiscal = "FY"
	}
	if z := g["z"]; z != "" {
		end, _ := strconv.Atoi(z)
		if len(z) == 2 {
			end += y / 100 * 100
			if end < y {
				end += 100
			}
		}
		if end != y+1 || y >= bikram {
			// 2016-03 is a month; 2016-2019 is several years.
			return "", false
		}
		if g["q"] != "" {
			return "FY" + strconv.Itoa(end) + "-Q" + g["q"], true
		}
		return "FY" + strconv.Itoa(end), true
	}
	year := strconv.Itoa(y)
	switch {
	case g["q"] != "":
		return fiscal + year + "-Q" + g["q"], true
	case g["w"] != "":
		w, _ := strconv.Atoi(g["w"])
		return year + "-W" + two(w), true
	case g["m"] != "":
		if n, err := strconv.Atoi(g["m"]); err == nil {
			return year + "-" + two(n), true
		}
		n, ok := ParseMonth(g["m"])
		return year + "-" + two(n), ok
	}
	return fiscal + year, true
}

// periodPair reports whether the second number of y-z is the year after y.
func periodPair(g map[string]string) bool {
	_, ok := periodName(map[string]string{"y": g["y"], "z": g["z"]})
	return ok
}

// Years, quarters and months as they are written in Chinese, Japanese and Korean, where
// no blank parts them from what follows. 年度 is a fiscal year by its first
// calendar year; what its months are is the organization's to say, as for a plain
// year.
var (
	westernYear = regexp.MustCompile(`((?:19|20|21)\d{2})[年년](?:度|도)?(?: ?(?:第|제)?([1-4一二三四])(?:季度?|四半期|분기)| ?(1[0-2]|0?[1-9])[月월])?`)
	eraYear     = regexp.MustCompile(`(令和|平成|昭和|R|H)(元|\d{1,2})年度?`)
	eras        = map[string]int{"令和": 2018, "R": 2018, "平成": 1988, "H": 1988, "昭和": 1925}
)

// eastAsian writes such years as 2022, 2022-Q1 and 2022-03 with blanks around.
func eastAsian(s string) string {
	if !strings.ContainsAny(s, "年년") {
		return s
	}
	s = eraYear.ReplaceAllStringFunc(s, func(found string) string {
		m := eraYear.FindStringSubmatch(found)
		n := 1
		if m[2] != "元" {
			n, _ = strconv.Atoi(m[2])
		}
		return strconv.Itoa(eras[m[1]]+n) + "年"
	})
	return westernYear.ReplaceAllStringFunc(s, func(found string) string {
		m := westernYear.FindStringSubmatch(found)
		out := m[1]
		switch {
		case m[2] != "":
			if i := strings.Index("一二三四", m[2]); i >= 0 {
				out += "-Q" + strconv.Itoa(i/len("一")+1)
			} else {
				out += "-Q" + m[2]
			}
		case m[3] != "":
			n, _ := strconv.Atoi(m[3])
			out += "-" + two(n)
		}
		return " " + out + " "
	})
}

func two(n int) string {
	if n < 10 {
		return "0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

// FindPeriod looks for a period inside a text such as a column's header: "FY18
// Target", "Actual 2017 Q3", "Ist 2019". rest is the text without it. ok is false
// where there is none, or more than one.
func FindPeriod(text string, l Locale) (name, rest string, ok bool) {
	if len(text) > MaxText {
		return "", "", false
	}
	words := strings.Fields(strings.NewReplacer("_", " ", "(", " ", ")", " ", "（", " ", "）", " ", "[", " ", "]", " ", ":", " ", "：", " ", ";", " ").Replace(monthSpan(eastAsian(plain(text)))))
	if len(words) > 16 {
		return "", "", false // prose
	}
	// The longest run of words that is a period wins.
	for size := min(len(words), 5); size >= 1; size-- {
		for at := 0; at+size <= len(words); at++ {
			run := strings.Join(words[at:at+size], " ")
			if size == 2 && chance(words[at:at+2]) && len(words) > 2 {
				continue
			}
			p, err := ParsePeriod(strings.Trim(run, ",.- "), l)
			if err != nil {
				continue
			}
			remaining := append(append([]string(nil), words[:at]...), words[at+size:]...)
			rest := strings.Join(remaining, " ")
			if other, left, again := FindPeriod(rest, l); again {
				if other != p {
					return "", "", false
				}
				rest = left // it is said twice: 2023 (target of 2023)
			}
			return p, strings.Trim(rest, " -–,"), true
		}
	}
	return "", "", false
}

// chance reports whether two words in the midst of others make a month only by
// chance: the number of a goal before a year, and words that are months in
// Portuguese and Italian and others in English.
func chance(words []string) bool {
	first, second := strings.ToLower(strings.Trim(words[0], ",.")), strings.Trim(words[1], ",.")
	number := func(s string) bool { return strings.Trim(s, "0123456789") == "" }
	return number(first) && number(second) || first == "set" || first == "out"
}

func notDate(text, why string) error {
	reason := "import.date"
	if strings.HasPrefix(why, "may be") {
		reason = "import.date_order"
	}
	return fault.New(fault.Invalid, reason, "%q %s", clip(text), why)
}

func notPeriod(text, why string) error {
	return fault.New(fault.Invalid, "import.period", "%q %s", clip(text), why).
		WithHint("write FY2018, 2018, 2017-18, FY18 Q3, 2018-07, Jul 2018, 2018-W07 or 2018-09-30")
}
