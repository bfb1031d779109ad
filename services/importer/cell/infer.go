package cell

import "strings"

// Inference is what the texts of one column say about its Locale.
type Inference struct {
	Locale Locale
	// Decimal and Dates tell how sure that is.
	Decimal, Dates Evidence
}

// Evidence counts the texts that decide a question.
type Evidence struct {
	For     int // have a reading only as decided
	Against int // have a reading only the other way
	Either  int // have two readings, different ones
	// Example is the first text that decided it, or the first with two readings.
	Example string
}

// Sure reports whether something spoke for the decision and nothing against.
func (e Evidence) Sure() bool { return e.For > 0 && e.Against == 0 }

// Open reports whether there are texts with two readings and nothing that
// decides between them.
func (e Evidence) Open() bool { return e.Either > 0 && e.For == e.Against }

// Infer decides how a column's texts are written. Where nothing decides, the
// decimal sign is a point and the order of dates stays Ambiguous.
func Infer(texts []string) Inference {
	var in Inference
	point, comma := Evidence{}, Evidence{}
	day, month := Evidence{}, Evidence{}
	pairs, months := 0, 0
	threes := true
	for _, text := range texts {
		if !hasDigit(text) || len(text) > MaxText {
			continue // words decide nothing
		}
		p, perr := ParseNumber(text, Locale{Decimal: '.'})
		c, cerr := ParseNumber(text, Locale{Decimal: ','})
		switch {
		case perr == nil && cerr != nil:
			point.count(text, &point.For)
		case perr != nil && cerr == nil:
			comma.count(text, &comma.For)
		case perr == nil && p.Value != c.Value:
			// 12.5 is not 12 thousand and a half under a decimal comma: it has no
			// reading there. Only groups of three come here.
			point.count(text, &point.Either)
			comma.count(text, &comma.Either)
			threes = threes && p.Decimals == 3
		}
		if strings.ContainsAny(text, "-/") {
			d, derr := ParseDate(text, Locale{Dates: DayFirst})
			m, merr := ParseDate(text, Locale{Dates: MonthFirst})
			switch {
			case derr == nil && merr == nil && d != m:
				day.count(text, &day.Either)
				month.count(text, &month.Either)
			case derr == nil && merr == nil:
				// 25/04 reads alike both ways: it decides for the day in front, as
				// 04/25 does against it.
				if f := yearLast.FindStringSubmatch(plain(text)); f != nil && f[1] != f[3] {
					if f[1] > "12" && len(f[1]) == 2 {
						day.count(text, &day.For)
					} else {
						month.count(text, &month.For)
					}
				}
			}
		}
		switch _, err := ParsePeriod(text, Locale{YearPairs: true}); {
		case err != nil:
		case pairForm.MatchString(plain(text)):
			if name, err := ParsePeriod(text, Locale{YearPairs: true}); err == nil && strings.HasPrefix(name, "FY") {
				pairs++
			} else {
				months++
			}
		}
	}
	in.Locale.Decimal, in.Decimal = '.', point
	in.Decimal.Against = comma.For
	// A column of 1.234, 10.500, 2.000 and nothing else counts in thousands.
	if comma.For > point.For || comma.For == 0 && point.For == 0 && point.Either >= 3 && threes {
		in.Locale.Decimal, in.Decimal = ',', comma
		in.Decimal.Against = point.For
	}
	switch {
	case day.For > month.For:
		in.Locale.Dates, in.Dates = DayFirst, day
		in.Dates.Against = month.For
	case month.For > day.For:
		in.Locale.Dates, in.Dates = MonthFirst, month
		in.Dates.Against = day.For
	default:
		in.Dates = day
	}
	in.Locale.YearPairs = pairs > 0 && months == 0
	return in
}

func (e *Evidence) count(text string, which *int) {
	*which++
	if e.Example == "" || which == &e.For && e.For == 1 {
		e.Example = text
	}
}
