package guess

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"setpoint.dev/services/importer/cell"
)

// profile is what the values of one column look like.
type profile struct {
	rows     int // below the header
	filled   int // not empty
	missing  int // of the filled: words for "no value"
	numbers  int
	bare     int // of the numbers: with no word behind
	ranges   int // of the numbers: two with a dash between
	spoken   int // yes or no, or two numbers with a colon between
	percents int
	integers int
	years    int // of the numbers: from 1900 to 2100, without sign or fraction
	periods  int // a period, among them the years
	words    int // a direction's
	kinds    int // target or actual
	// of the kinds: the different ones; and words for what is computed beside them
	kindsSeen map[Role]bool
	beside    int
	// of the kinds: with their period
	datedKinds int
	long       int // texts of more than 60 letters
	distinct   int
	letters    float64 // mean length of a filled cell, in characters
	least      float64
	most       float64
	units      map[string]int // texts behind numbers
	currency   map[string]int
	odd        map[string]int // texts that are neither number, nor known as missing
	infer      cell.Inference
	texts      []string // the different ones, the first 5000
}

const (
	mostTexts = 5000
	mostKinds = 50 // different words of a column of kinds
)

func profileOf(column []string) profile {
	p := profile{rows: len(column), units: map[string]int{}, currency: map[string]int{}, odd: map[string]int{}, kindsSeen: map[Role]bool{}, least: math.Inf(1), most: math.Inf(-1)}
	count := map[string]int{}
	for _, text := range column {
		t := strings.TrimSpace(text)
		if t == "" {
			continue
		}
		p.filled++
		p.letters += float64(utf8.RuneCountInString(t))
		if _, seen := count[t]; !seen && len(count) < mostTexts {
			p.texts = append(p.texts, t)
		}
		if _, seen := count[t]; seen || len(count) < mostTexts {
			count[t]++
		}
	}
	if p.filled > 0 {
		p.letters /= float64(p.filled)
	}
	p.distinct = len(count)
	p.infer = cell.Infer(p.texts)
	for _, t := range p.texts {
		n := count[t]
		if utf8.RuneCountInString(t) > 60 {
			p.long += n
			continue
		}
		if cell.Missing(t) {
			p.missing += n
			continue
		}
		if _, ok := cell.ParseDirection(t); ok {
			p.words += n
		}
		if len(p.texts) <= mostKinds {
			kind, when := kindAndWhen(t)
			switch {
			case besideKinds(t):
				p.beside += n
			case kind != "":
				p.kinds += n
				p.kindsSeen[kind] = true
			}
			if kind != "" && when {
				p.datedKinds += n
			}
		}
		if len(t) > 30 {
			// No period is that long.
		} else if _, err := cell.ParsePeriod(t, p.infer.Locale); err == nil {
			p.periods += n
		} else if _, ok := cell.ParseHalf(t); ok {
			p.periods += n
		} else if _, ok := cell.ParseMonth(t); ok {
			p.periods += n
		} else if _, ok := cell.ParseQuarter(t); ok {
			p.periods += n
		}
		v, err := cell.ParseNumber(t, p.infer.Locale)
		if err != nil {
			if low, high, rerr := cell.ParseRange(t, p.infer.Locale); rerr == nil && !low.Percent == !high.Percent {
				p.ranges += n
				v, err = low, nil
			}
		}
		if err != nil && spoken(t, p.infer.Locale) {
			p.spoken += n
			continue
		}
		// "1 Finish the base cluster" is a numbered text, not one Finish.
		if err != nil || len(strings.Fields(v.Unit)) > 5 {
			p.odd[t] += n
			continue
		}
		p.numbers += n
		if v.Percent {
			p.percents += n
		}
		if v.Currency != "" {
			p.currency[v.Currency] += n
		}
		if v.Unit != "" {
			p.units[v.Unit] += n
		} else {
			p.bare += n
		}
		if v.Value == math.Trunc(v.Value) {
			p.integers += n
			if v.Value >= 1900 && v.Value <= 2100 && len(t) == 4 {
				p.years += n
			}
		}
		p.least, p.most = math.Min(p.least, v.Value), math.Max(p.most, v.Value)
	}
	return p
}

// unitNames reports whether most texts of a column are named like units of an
// organization.
func (p profile) unitNames() bool {
	n, texts := 0, p.texts[:min(len(p.texts), aFew)]
	for _, t := range texts {
		if unitName(t) && !cell.IsUnit(t) {
			n++
		}
	}
	return n > 0 && 2*n >= len(texts)
}

// spoken reports whether a text is a value in words of its own: yes or no, 3:1.
func spoken(text string, l cell.Locale) bool {
	_, yes := cell.ParseYes(text)
	_, ratio := cell.ParseRatio(text, l)
	return yes || ratio
}

// valued reports whether a column holds numbers, ratios, yes or no.
func (p profile) valued() bool { return p.known() > 0 && p.share(p.numbers+p.spoken) >= 0.7 }

// known is how many cells say something.
func (p profile) known() int { return p.filled - p.missing }

func (p profile) share(n int) float64 {
	if p.known() <= 0 {
		return 0
	}
	return math.Min(1, float64(n)/float64(p.known()))
}

// numeric reports whether a column holds numbers, but for words here and there.
func (p profile) numeric() bool { return p.known() > 0 && p.share(p.numbers) >= 0.7 }

// onlyYears reports whether a column holds years, as numbers or in pairs (2023/24,
// FY24).
func (p profile) onlyYears() bool {
	return p.share(p.years) >= 0.9 || len(p.texts) > 0 && !slices.ContainsFunc(p.texts, func(t string) bool {
		name, err := cell.ParsePeriod(t, p.infer.Locale)
		return err != nil || len(strings.TrimPrefix(name, "FY")) != 4
	})
}

// flag reports whether a column holds nothing but 0 and 1.
func (p profile) flag() bool {
	return p.numeric() && p.distinct <= 2 && p.integers == p.numbers && p.least >= 0 && p.most <= 1
}

// textual reports whether a column holds words, numbered or not.
func (p profile) textual() bool { return p.known() > 0 && p.share(p.bare) < 0.3 }

// counts reports whether the numbers of a column count up by one, each in several
// rows, as the numbers of goals do.
func (p profile) counts() bool {
	if p.distinct < 2 || p.distinct == p.filled {
		return false
	}
	for i, t := range p.texts {
		n, err := strconv.Atoi(t)
		if err != nil || i == 0 && n > 1 {
			return false
		}
		if before, err := strconv.Atoi(p.texts[max(0, i-1)]); err != nil || i > 0 && n != before+1 {
			return false
		}
	}
	return true
}

// besideKinds reports whether a row's word says that its values are computed from
// those of other kinds, or judge them: Variance, % achieved, RAG.
func besideKinds(text string) bool {
	return isComputed(text) || isStatus(text) || strings.HasPrefix(text, "%") && kindOf(text) != ""
}

// saysKinds is how many cells say what their rows hold: a kind, and where targets
// stand beside actuals also what is computed from both, or judges them.
func (p profile) saysKinds() int {
	if p.kindsSeen[Target] && p.kindsSeen[Actual] && p.distinct < p.filled {
		return p.kinds + p.beside
	}
	return p.kinds
}

// kindAndWhen is the kind of a row by its text, which may name its period as well.
func kindAndWhen(text string) (kind Role, when bool) {
	kind = kindOf(text)
	if !strings.ContainsAny(text, "0123456789") || !strings.ContainsFunc(text, unicode.IsLetter) {
		return kind, false
	}
	if c, rest, ok := dated(text, cell.Locale{}); ok && c.Period != "" && rest != "" {
		if k := kindOf(rest); k != "" {
			return k, true
		}
	}
	return kind, false
}

// ofValues are words behind the one for a kind that say nothing more.
var ofValues = regexp.MustCompile(` (?:values?|figures?|levels?|data|numbers?|werte?|valeurs?|valor(?:es)?|valori|waarden?|wartości)$`)

// kindOf says what a row's kind is by its word, or "".
func kindOf(text string) Role {
	if k := kindOfWords(text); k != "" {
		return k
	}
	if n := normalize(text); ofValues.MatchString(n) {
		return kindOfWords(ofValues.ReplaceAllString(n, ""))
	}
	return ""
}

func kindOfWords(text string) Role {
	best, at := Role(""), 0.0
	for _, r := range []Role{Target, Actual, Min, Max, Baseline} {
		if s, _ := headerScore(text, r); s > at && s >= 0.6 {
			best, at = r, s
		}
	}
	if best == Actual && hoped.MatchString(normalize(text)) {
		return Target
	}
	if best == "" {
		if s, _ := headerScore(text, BaselineAt); s >= 0.6 {
			return Baseline // of a column of values: FY19 (base year)
		}
	}
	return best
}

// hoped is said before the word for a result that is still to come: expected
// results. An estimated actual is another thing.
var hoped = regexp.MustCompile(`^(?:planned|expected|projected|forecast|anticipated|intended|desired|required|targeted|geplante[srn]?|erwartete[srn]?|angestrebte[srn]?|gewünschte[srn]?|résultats? (?:attendus?|prévus?|visés?)|resultados? (?:esperados?|previstos?|planificados?)|risultat[oi] attes[oi]|verwachte?|gewenste?|planowan[ey]|oczekiwan[ey]|förväntat?|forventet|ventet)(?:[^\pL]|$)`)
