package cell

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"setpoint.dev/services/internal/calendar"
)

var (
	point = Locale{Decimal: '.'}
	comma = Locale{Decimal: ','}
)

func TestParseNumber(t *testing.T) {
	for _, c := range []struct {
		text string
		l    Locale
		want Number
	}{
		{"12", point, Number{Value: 12}},
		{"0.03", point, Number{Value: 0.03, Decimals: 2}},
		{".80000000000000004", point, Number{Value: 0.8, Decimals: 17}},
		{"-4.5", point, Number{Value: -4.5, Decimals: 1}},
		{"−4,5", comma, Number{Value: -4.5, Decimals: 1}},
		{"12-", point, Number{Value: -12}},
		{"(12)", point, Number{Value: -12}},
		{"($1,200.50)", point, Number{Value: -1200.5, Currency: "USD", Sign: "$", Decimals: 2}},
		{"$(1,200)", point, Number{Value: -1200, Currency: "USD", Sign: "$"}},
		{"1.234,5", comma, Number{Value: 1234.5, Decimals: 1}},
		{"1,234.5", point, Number{Value: 1234.5, Decimals: 1}},
		{"1 234,5", comma, Number{Value: 1234.5, Decimals: 1}},
		{"1\u00a0234\u202f567", comma, Number{Value: 1234567}},
		{"1'234'567.8", point, Number{Value: 1234567.8, Decimals: 1}},
		{"12,34,567", point, Number{Value: 1234567}},
		{"1.234.567", comma, Number{Value: 1234567}},
		{"7,75 %", comma, Number{Value: 7.75, Percent: true, Decimals: 2}},
		{"97%", point, Number{Value: 97, Percent: true}},
		{"-3%", point, Number{Value: -3, Percent: true}},
		{"97 percent", point, Number{Value: 97, Percent: true}},
		{"2 Weeks", point, Number{Value: 2, Unit: "Weeks"}},
		{"2.5M", point, Number{Value: 2.5e6, Magnitude: 6, Decimals: 1}},
		{"2,5 Mio. €", comma, Number{Value: 2.5e6, Magnitude: 6, Currency: "EUR", Decimals: 1}},
		{"3,5 Mrd. EUR", comma, Number{Value: 3.5e9, Magnitude: 9, Currency: "EUR", Decimals: 1}},
		{"$3B", point, Number{Value: 3e9, Magnitude: 9, Currency: "USD", Sign: "$"}},
		{"$2.5 million", point, Number{Value: 2.5e6, Magnitude: 6, Currency: "USD", Sign: "$", Decimals: 1}},
		{"$2.5m", point, Number{Value: 2.5e6, Magnitude: 6, Currency: "USD", Sign: "$", Decimals: 1}},
		{"€ 1.234", comma, Number{Value: 1234, Currency: "EUR"}},
		{"1.234 €", comma, Number{Value: 1234, Currency: "EUR"}},
		{"R$ 1.234,56", comma, Number{Value: 1234.56, Currency: "BRL", Decimals: 2}},
		{"CHF 12'000.–", point, Number{}},
		{"10k", point, Number{Value: 10e3, Magnitude: 3}},
		{"15 Tsd.", comma, Number{Value: 15e3, Magnitude: 3}},
		{"2.3 crore", point, Number{Value: 2.3e7, Magnitude: 7, Decimals: 1}},
		{"5 m", point, Number{Value: 5, Unit: "m"}},
		{"5m", point, Number{Value: 5, Unit: "m"}},
		{"3 t CO2e", point, Number{Value: 3, Unit: "t CO2e"}},
		{"12 MB", point, Number{Value: 12, Unit: "MB"}},
		{"20°C", point, Number{Value: 20, Unit: "°C"}},
		{"4.5/5", point, Number{Value: 4.5, Unit: "/5", Decimals: 1}},
		{"5 encounters per 1,000 residents", point, Number{Value: 5, Unit: "encounters per 1,000 residents"}},
		{"<5 days", point, Number{Value: 5, Bound: "<", Unit: "days"}},
		{"≥ 95 %", comma, Number{Value: 95, Bound: ">=", Percent: true}},
		{"1e6", point, Number{Value: 1e6}},
		{"1.5E-3", point, Number{Value: 0.0015, Decimals: 1}},
		{"３５％", point, Number{Value: 35, Percent: true}},
		{"8.3 pp", point, Number{Value: 8.3, Unit: "pp", Decimals: 1}},
		{"2,000.", point, Number{Value: 2000}},
		{"3 500", point, Number{Value: 3500}},
		{"#12", point, Number{}},
		{"1.2.3", point, Number{}},
		{"1,23", point, Number{}},
		{"1.234,5", point, Number{}},
		{"1,234.5", comma, Number{}},
		{"12-15", point, Number{}},
		{"95 - 98%", point, Number{}},
		{"12 15", point, Number{}},
		{"AAA", point, Number{}},
		{"", point, Number{}},
		{"--5", point, Number{}},
		{"1e999", point, Number{}},
		{"2016-17", point, Number{}},
		{"1,2345", point, Number{}},
		{"NaN", point, Number{}},
		{"Infinity", point, Number{}},
		{"0x10", point, Number{Value: 0, Unit: "x10"}},
		{"12.5*", point, Number{Value: 12.5, Decimals: 1, Mark: "*"}},
		{"71,3 %¹", comma, Number{Value: 71.3, Decimals: 1, Percent: true, Mark: "¹"}},
		{"71,3 1)", comma, Number{Value: 71.3, Decimals: 1, Mark: "1)"}},
		{"12 (p)", point, Number{Value: 12, Mark: "(p)"}},
		{"(12)*", point, Number{Value: -12, Mark: "*"}},
		{"45 (estimate)", point, Number{Value: 45, Mark: "(estimate)"}},
		{"45 (days)", point, Number{Value: 45, Unit: "days"}},
		{"85% (2022)", point, Number{Value: 85, Percent: true, Mark: "(2022)"}},
		{"12 (15)", point, Number{}},
		{"07/01/2022", point, Number{}},
		{"1 : 18,5", comma, Number{}},
		{"12 | 15", point, Number{}},
		{"100% by 2030", point, Number{}},
		{"50 Standorte bis Ende 2025", point, Number{}},
		{"40 bis 2025", point, Number{}},
		{"07/2022", point, Number{}},
		{"1/2/22", point, Number{}},
		{"12.5 p", point, Number{Value: 12.5, Decimals: 1, Mark: "p"}},
		{"at least 95 %", point, Number{Value: 95, Bound: ">=", Percent: true}},
		{"Max. 30 Tage", comma, Number{Value: 30, Bound: "<=", Unit: "Tage"}},
		{"höchstens 5", comma, Number{Value: 5, Bound: "<="}},
		{"Exactly 1,200", point, Number{Value: 1200}},
		{"genau 12,5 %", comma, Number{Value: 12.5, Decimals: 1, Percent: true}},
		{"exactly what we want", point, Number{}},
		{"90%以上", point, Number{Value: 90, Bound: ">=", Percent: true}},
		{"minutes 5", point, Number{}},
		{"approx. 50", point, Number{}},
		{"20 m²", point, Number{Value: 20, Unit: "m²"}},
		{"3h 30m", point, Number{Value: 3.5, Unit: "h"}},
		{"1 day, 6 hours", point, Number{Value: 1.25, Unit: "day"}},
		{"1 min 45 s", point, Number{Value: 1.75, Unit: "min"}},
		{"1:45:00", point, Number{Value: 1.75, Unit: "h"}},
		{"1:45", point, Number{}},
		{"2h 75m", point, Number{}},
		{"30m 2h", point, Number{}},
		{"3 kg 200 g", point, Number{}},
		{"3 of 5 schools", point, Number{Value: 3, Unit: "of 5 schools"}},
		{"%95,5", comma, Number{Value: 95.5, Percent: true, Decimals: 1}},
		{"٪٩٥", point, Number{Value: 95, Percent: true}},
		{"١٬٢٣٤٫٥", comma, Number{Value: 1234.5, Decimals: 1}},
		{"१२.५ लाख", point, Number{Value: 1.25e6, Magnitude: 5, Decimals: 1}},
		{"１，２３４．５", point, Number{Value: 1234.5, Decimals: 1}},
		{"2万人", point, Number{Value: 20000, Magnitude: 4, Unit: "人"}},
		{"12.5亿元", point, Number{Value: 1.25e9, Magnitude: 8, Decimals: 1, Unit: "元"}},
		{"2 млн руб.", comma, Number{Value: 2e6, Magnitude: 6, Currency: "RUB"}},
		{"98,5 tys. zł", comma, Number{Value: 98500, Magnitude: 3, Currency: "PLN", Decimals: 1}},
		{"R$ 900 mil", comma, Number{Value: 900e3, Magnitude: 3, Currency: "BRL"}},
		{"R$ 2,1 mi", comma, Number{Value: 2.1e6, Magnitude: 6, Currency: "BRL", Decimals: 1}},
		{"2 mil. Kč", comma, Number{Value: 2e6, Magnitude: 6, Currency: "CZK"}},
		{"5 mil. €", comma, Number{Value: 5, Unit: "mil. €"}},
		{"$5 mil", point, Number{Value: 5, Currency: "USD", Sign: "$", Unit: "mil"}},
		{"2 T€", comma, Number{Value: 2, Unit: "T€"}},
		{"2 k€", comma, Number{Value: 2000, Magnitude: 3, Currency: "EUR"}},
		{"5m USD", point, Number{Value: 5e6, Magnitude: 6, Currency: "USD"}},
		{"¥500", point, Number{Value: 500, Unit: "¥"}},
		{"Rs. 5 crore", point, Number{Value: 5e7, Magnitude: 7, Unit: "Rs."}},
		{"500 kr.", comma, Number{Value: 500, Unit: "kr."}},
		{"3½", point, Number{Value: 3.5, Decimals: 2}},
		{"½", point, Number{Value: 0.5, Decimals: 2}},
		{"12th", point, Number{Value: 12}},
		{"10+", point, Number{Value: 10, Bound: ">="}},
		{"90% or more", point, Number{Value: 90, Percent: true, Bound: ">="}},
		{"5 ou moins", comma, Number{Value: 5, Bound: "<="}},
		{"не менее 95 %", comma, Number{Value: 95, Percent: true, Bound: ">="}},
		{"不高于36", point, Number{Value: 36, Bound: "<="}},
		{"≦5", point, Number{Value: 5, Bound: "<="}},
		{"–5,5 %", comma, Number{Value: -5.5, Percent: true, Decimals: 1}},
		{"1h30", point, Number{Value: 1.5, Unit: "h"}},
		{"5 min 30", point, Number{}},
		{"24/7", point, Number{}},
		{"1.2 %-points", point, Number{Value: 1.2, Decimals: 1, Unit: "%-points"}},
	} {
		got, err := ParseNumber(c.text, c.l)
		if c.want == (Number{}) {
			if err == nil {
				t.Errorf("%q reads as %+v", c.text, got)
			}
			continue
		}
		if err != nil || got != c.want {
			t.Errorf("%q under %q: %+v, %v, not %+v", c.text, c.l.Decimal, got, err, c.want)
		}
	}
}

// Every number comes back from every way of writing it.
func TestNumbersComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cents := rapid.Int64Range(-1e12, 1e12).Draw(t, "hundredths")
		decimal := rapid.SampledFrom([]rune{'.', ','}).Draw(t, "decimal")
		group := rapid.SampledFrom([]string{"", " ", "\u202f", "'", map[rune]string{'.': ",", ',': "."}[decimal]}).Draw(t, "group")
		suffix := rapid.SampledFrom([]string{"", " %", "%", " €", " Weeks"}).Draw(t, "suffix")
		whole, fraction := cents/100, cents%100
		sign := ""
		if cents < 0 {
			sign, whole, fraction = "-", -whole, -fraction
		}
		digits := strconv.FormatInt(whole, 10)
		for i := len(digits) - 3; i > 0; i -= 3 {
			digits = digits[:i] + group + digits[i:]
		}
		text := sign + digits + string(decimal) + two(int(fraction)) + suffix
		got, err := ParseNumber(text, Locale{Decimal: decimal})
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if want := float64(cents) / 100; got.Value != want {
			t.Fatalf("%q reads as %v, not %v", text, got.Value, want)
		}
	})
}

func TestParsePeriod(t *testing.T) {
	pairs := Locale{YearPairs: true}
	for _, c := range []struct {
		text string
		l    Locale
		want string
	}{
		{"2018", point, "2018"},
		{"2018.0", point, "2018"},
		{"2022년", point, "2022"},
		{"2022년 3분기", point, "2022-Q3"},
		{"2022년 11월", point, "2022-11"},
		{"31 Aralık 2023", point, "2023-12-31"},
		{"października 2023", point, "2023-10"},
		{"1 июля 2023", point, "2023-07-01"},
		{"FY2018", point, "FY2018"},
		{"FY18", point, "FY2018"},
		{"FY 18", point, "FY2018"},
		{"FY'18", point, "FY2018"},
		{"fy2018", point, "FY2018"},
		{"2018 FY", point, "FY2018"},
		{"CY2018", point, "2018"},
		{"GJ 2018", point, "FY2018"},
		{"2016-17", point, "FY2017"},
		{"2016/17", point, "FY2017"},
		{"FY2016-17", point, "FY2017"},
		{"FY16-17", point, "FY2017"},
		{"2016-2017", point, "FY2017"},
		{"1999-00", point, "FY2000"},
		{"2010-11", point, "2010-11"},
		{"2010-11", pairs, "FY2011"},
		{"2010/11", pairs, "FY2011"},
		{"2010/11", point, ""},
		{"2016-2019", point, ""},
		{"FY17 Q3", point, "FY2017-Q3"},
		{"FY2017-Q3", point, "FY2017-Q3"},
		{"Q3 FY17", point, "FY2017-Q3"},
		{"2019 Q2", point, "2019-Q2"},
		{"2019Q2", point, "2019-Q2"},
		{"Q2 2019", point, "2019-Q2"},
		{"Q2/19", point, "2019-Q2"},
		{"Q2'19", point, "2019-Q2"},
		{"3. Quartal 2017", point, "2017-Q3"},
		{"T3 2017", point, "2017-Q3"},
		{"3T 2017", point, "2017-Q3"},
		{"2e trimestre 2017", point, "2017-Q2"},
		{"2018-07", point, "2018-07"},
		{"2018/7", point, "2018-07"},
		{"2018M07", point, "2018-07"},
		{"201807", point, "2018-07"},
		{"07/2018", point, "2018-07"},
		{"07.2018", point, "2018-07"},
		{"Jul 2018", point, "2018-07"},
		{"July 2018", point, "2018-07"},
		{"Jul-18", point, "2018-07"},
		{"juil. 2018", point, "2018-07"},
		{"Juli 2018", point, "2018-07"},
		{"julio de 2018", point, "2018-07"},
		{"März 2018", point, "2018-03"},
		{"2018 Dez", point, "2018-12"},
		{"2018-W07", point, "2018-W07"},
		{"KW 7/2018", point, "2018-W07"},
		{"Q1 2023/24", point, "FY2024-Q1"},
		{"Q1 23-24", point, "FY2024-Q1"},
		{"Q1 23-26", point, ""},
		{"2023-24 Q1", point, "FY2024-Q1"},
		{"2010/11 Q1", point, "FY2011-Q1"},
		{"2022年", point, "2022"},
		{"2022年度", point, "2022"},
		{"2024年01月", point, "2024-01"},
		{"٢٠٢٤", point, "2024"},
		{"III квартал 2023 г.", point, "2023-Q3"},
		{"I kwartał 2024", point, "2024-Q1"},
		{"IV. Quartal 2023", point, "2023-Q4"},
		{"Primer trimestre 2024", point, "2024-Q1"},
		{"quarto trimestre 2024", point, "2024-Q4"},
		{"Quý II/2024", point, "2024-Q2"},
		{"Jan–Mar 2024", point, "2024-Q1"},
		{"Q1 (Apr-Jun) 2024", point, "2024-Q2"},
		{"Q1 (Jul-Sep) FY24", point, "2023-Q3"},
		{"Jan-Apr 2024", point, ""},
		{"Oct-Mar 2024", point, ""},
		{"S1 2024", point, ""},
		{"S3 2024", point, "2024-W03"},
		{"uke 5 2024", point, "2024-W05"},
		{"янв. 2024", point, "2024-01"},
		{"31 prosince 2024", point, "2024-12-31"},
		{"2023 / 24", point, "FY2024"},
		{"2024*", point, "2024"},
		{"2080/81", point, ""},
		{"2567", point, ""},
		{"1 out of 20", point, ""},
		{"2024-12-31T00:00:00+02:00", point, "2024-12-31"},
		{"2024-12-31 23:59:59", point, "2024-12-31"},
		{"2024-12-31 10:15", point, ""},
		{"令和4年度", point, "2022"},
		{"令和元年", point, "2019"},
		{"2022年3月", point, "2022-03"},
		{"2022年第2季度", point, "2022-Q2"},
		{"2022年第三季度", point, "2022-Q3"},
		{"2018-09-30", point, "2018-09-30"},
		{"2018-09-30T00:00:00Z", point, "2018-09-30"},
		{"30.09.2018", point, "2018-09-30"},
		{"3/4/2018", point, ""},
		{"3/4/2018", Locale{Dates: DayFirst}, "2018-04-03"},
		{"3/4/2018", Locale{Dates: MonthFirst}, "2018-03-04"},
		{"Sept 30, 2018", point, "2018-09-30"},
		{"30th September 2018", point, "2018-09-30"},
		{"1. Februar 2018", point, "2018-02-01"},
		{"31.02.2018", point, ""},
		{"1066", point, ""},
		{"12345", point, ""},
		{"Total", point, ""},
		{"", point, ""},
	} {
		got, err := ParsePeriod(c.text, c.l)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q: %q, %v, not %q", c.text, got, err, c.want)
		}
		if err == nil {
			if err := calendar.Named(got); err != nil {
				t.Errorf("%q reads as %q, which the calendar does not know: %v", c.text, got, err)
			}
		}
	}
}

func TestParseRange(t *testing.T) {
	for _, c := range []struct {
		text      string
		l         Locale
		low, high float64
		percent   bool
		unit      string
	}{
		{"85-90 %", point, 85, 90, true, ""},
		{"85 % – 90 %", point, 85, 90, true, ""},
		{"4,5 - 5,0", comma, 4.5, 5, false, ""},
		{"4,5 bis 5,0 Tage", comma, 4.5, 5, false, "Tage"},
		{"between 1,200 and 1,300", point, 1200, 1300, false, ""},
		{"-5 to -2", point, -5, -2, false, ""},
		{"$2-3M", point, 2e6, 3e6, false, ""},
		{"0.3..0.6 mg/l", point, 0.3, 0.6, false, "mg/l"},
	} {
		low, high, err := ParseRange(c.text, c.l)
		if err != nil || low.Value != c.low || high.Value != c.high || low.Percent != c.percent || high.Percent != c.percent || low.Unit != c.unit {
			t.Errorf("%q: %+v, %+v, %v", c.text, low, high, err)
		}
	}
	for _, text := range []string{"", "12", "90-85", "5 days - 3 weeks", "2016-17", "2024-01-31", "-5", "A-1", "1-2-3", "< 5 - 7"} {
		if low, high, err := ParseRange(text, point); err == nil {
			t.Errorf("%q reads as %+v to %+v", text, low, high)
		}
	}
}

func TestNameUnit(t *testing.T) {
	for name, want := range map[string][2]string{
		"Umsatz (Mio. €)": {"Umsatz", "Mio. €"}, "Fahrgäste (in Tsd.)": {"Fahrgäste", "Tsd."}, "Emissions [tCO2e]": {"Emissions", "tCO2e"},
		"Chlorine (mg/l)": {"Chlorine", "mg/l"}, "受診率（％）": {"受診率", "％"}, "Falls (per 1,000 days)": {"Falls", "per 1,000 days"}, "Result ($000)": {"Result", "$000"},
		"Absences (without holidays)": {}, "Sales (new)": {}, "Rate": {}, "(%)": {},
	} {
		rest, unit, ok := NameUnit(name)
		if ok != (want[1] != "") || ok && (rest != want[0] || unit != want[1]) {
			t.Errorf("%q: %q, %q, %v", name, rest, unit, ok)
		}
	}
}

func TestCutKind(t *testing.T) {
	for name, want := range map[string][2]string{
		"Sales - Target": {"Sales", "target"}, "Umsatz (Ist)": {"Umsatz", "actual"}, "Visits: Budget": {"Visits", "target"}, "Umsatz Soll": {"Umsatz", "target"},
		"Target": {}, "Sales": {}, "Share of targets met": {}, "": {},
	} {
		rest, kind, ok := CutKind(name)
		if ok != (want[1] != "") || ok && (rest != want[0] || kind != want[1]) {
			t.Errorf("%q: %q, %q, %v", name, rest, kind, ok)
		}
	}
}

func TestFindPeriod(t *testing.T) {
	for text, want := range map[string][2]string{
		"FY18 Target":           {"FY2018", "Target"},
		"Target FY 2018":        {"FY2018", "Target"},
		"Actual (2017 Q3)":      {"2017-Q3", "Actual"},
		"Ist 2019":              {"2019", "Ist"},
		"Q1 2020 - planned":     {"2020-Q1", "planned"},
		"target_2025":           {"2025", "target"},
		"2016-17 Outturn":       {"FY2017", "Outturn"},
		"Jan 2018 actual":       {"2018-01", "actual"},
		"2023 (cible PAP 2023)": {"2023", "cible PAP"},
		"2022 to 2023":          {},
		"Goal 3 (2019)":         {"2019", "Goal 3"},
		"Targets set 2024 here": {"2024", "Targets set here"},
		"Set 2024":              {"2024-09", ""},
		"5 out of 10 schools":   {},
		"2025年目标":               {"2025", "目标"},
		"基準値（2019年度）":           {"2019", "基準値"},
		"Target":                {},
		"2018 to 2020":          {},
		"":                      {},
	} {
		name, rest, ok := FindPeriod(text, point)
		if name != want[0] || rest != want[1] || ok != (want[0] != "") {
			if ok || want[0] != "" {
				t.Errorf("%q: %q, %q, %v", text, name, rest, ok)
			}
		}
	}
}

func TestIsChange(t *testing.T) {
	for _, unit := range []string{"reduction", "Increase", "fewer", "less than 2019", "vs. 2019", "from baseline", "de réduction", "weniger als 2020", "di riduzione"} {
		if !IsChange(unit) {
			t.Errorf("%q is no change", unit)
		}
	}
	for _, unit := range []string{"", "Weeks", "of cases", "or more", "per 1,000", "moreover", "Mehrwert", "lessons", "m", "points"} {
		if IsChange(unit) {
			t.Errorf("%q is a change", unit)
		}
	}
}

func TestMissing(t *testing.T) {
	for _, text := range []string{"", "  ", "-", "–", "n/a", "N/A%", "N.A.", "No Data", "TBD", "New Meas.", "k. A.", "k.A.", "n.d.", "s/d", "..", "#N/A", "\u00a0", "(n/a)", "Not  Available", "DNA", "нет данных", "자료없음", "veri yok"} {
		if !Missing(text) {
			t.Errorf("%q is not missing", text)
		}
	}
	for _, text := range []string{"0", "0.0", "AAA", "Yes", "none of these", "5", "-5", "(5)"} {
		if Missing(text) {
			t.Errorf("%q is missing", text)
		}
	}
	if !Missing("No Session yet", "no session yet") {
		t.Error("the table's own word is not known")
	}
}

func TestParseDirection(t *testing.T) {
	for text, want := range map[string]Direction{
		"Increase": Increase, " decrease ": Decrease, "With in Range": Within, "↑": Increase, "Lower is better": Decrease,
		"Max": Increase, "min.": Decrease, "Senken": Decrease, "à la hausse": Increase, "M": Within, "I": Increase,
		"down_is_good": Decrease, "Quanto maior, melhor": Increase, "maior_igual": Increase, "⇧": Increase, "azalan": Decrease, "하향": Decrease, "рост": Increase, "maintain": Within,
		"Real estate": Unknown, "": Unknown,
	} {
		if got, ok := ParseDirection(text); got != want || ok != (want != Unknown) {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// No word is in two languages with two meanings.
func TestDirectionWordsAreUnambiguous(t *testing.T) {
	seen := map[string]Direction{}
	for d, list := range directions {
		for _, w := range append(list[:len(list):len(list)], furtherDirections[d]...) {
			if other, ok := seen[w]; ok && other != d {
				t.Errorf("%q is %s and %s", w, other, d)
			}
			if w != strings.ToLower(w) {
				t.Errorf("%q is not in lower case", w)
			}
			seen[w] = d
		}
	}
}

func TestInfer(t *testing.T) {
	for _, c := range []struct {
		texts []string
		want  Locale
		sure  bool
	}{
		{[]string{"12", "13"}, Locale{Decimal: '.'}, false},
		{[]string{"12.5", "1,300"}, Locale{Decimal: '.'}, true},
		{[]string{"12,5", "1.300"}, Locale{Decimal: ','}, true},
		{[]string{"7,75 %", "AAA", ""}, Locale{Decimal: ','}, true},
		{[]string{"1.234", "10.500", "2.000"}, Locale{Decimal: ','}, false},
		{[]string{"1,234", "10,500", "2,000"}, Locale{Decimal: '.'}, false},
		{[]string{"3/4/2018", "25/4/2018"}, Locale{Decimal: '.', Dates: DayFirst}, false},
		{[]string{"3/4/2018", "4/25/2018"}, Locale{Decimal: '.', Dates: MonthFirst}, false},
		{[]string{"3/4/2018"}, Locale{Decimal: '.'}, false},
		{[]string{"2010-11", "2011-12", "2012-13"}, Locale{Decimal: '.', YearPairs: true}, false},
		{[]string{"2010-10", "2010-11", "2010-12"}, Locale{Decimal: '.'}, false},
	} {
		got := Infer(c.texts)
		if got.Locale != c.want || got.Decimal.Sure() != c.sure {
			t.Errorf("%q: %+v", c.texts, got)
		}
	}
}

func TestNameMark(t *testing.T) {
	for _, c := range []struct{ name, rest, sign string }{
		{"Waiting time*", "Waiting time", "*"},
		{"Waiting time **", "Waiting time", "**"},
		{"Emissions¹⁾", "Emissions", "¹⁾"},
		{"Emissions²", "Emissions", "²"},
		{"Emissions (t) 1)", "Emissions (t)", "1)"},
		{"Protected area in km²", "Protected area in km²", ""},
		{"Scope 1", "Scope 1", ""},
		{"Area (m²)", "Area (m²)", ""},
		{"CO2", "CO2", ""},
		{"*", "*", ""},
	} {
		if rest, sign := NameMark(c.name); rest != c.rest || sign != c.sign {
			t.Errorf("%q: %q, %q", c.name, rest, sign)
		}
	}
}

// Whatever is typed, reading ends, is finite, and what was read as a period is
// one for the calendar.
func FuzzCell(f *testing.F) {
	for _, s := range []string{"1.234,5", "7,75 %", "2 Weeks", "2.5M", "$3B", "(12)", "FY17 Q3", "2016-17", "30.09.2018", "k. A.", "1e-400", "１２", "9'999 €"} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, text string, dot bool) {
		l := comma
		if dot {
			l = point
		}
		if n, err := ParseNumber(text, l); err == nil && (math.IsNaN(n.Value) || math.IsInf(n.Value, 0)) {
			t.Errorf("%q reads as %v", text, n.Value)
		}
		if p, err := ParsePeriod(text, l); err == nil {
			if err := calendar.Named(p); err != nil {
				t.Errorf("%q reads as %q: %v", text, p, err)
			}
		}
		if low, high, err := ParseRange(text, l); err == nil && !(low.Value <= high.Value) {
			t.Errorf("%q reads as %v to %v", text, low.Value, high.Value)
		}
		FindPeriod(text, l)
		NameUnit(text)
		NameMark(text)
		ParseYes(text)
		if half, _, ok := FindHalf(text); ok {
			if q, ok := LastQuarter(half); !ok || calendar.Named(q) != nil {
				t.Errorf("%q reads as the half-year %q", text, half)
			}
		}
		if r, ok := ParseRatio(text, l); ok {
			if v, _ := r.Value(); math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%q reads as the ratio %v", text, r)
			}
		}
		Missing(text)
		ParseDirection(text)
		Infer([]string{text})
	})
}
