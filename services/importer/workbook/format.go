package workbook

import (
	"regexp"
	"strings"
)

// format is what a number's format says about it.
type format struct {
	date, percent bool
	clock         bool   // a time or a duration: the number counts days
	coarse        string // of a date that is shown without its day, how it is: month or year
	currency      string
}

// readStyles reads the number format of each style of cells.
func (x *xlsx) readStyles(part string) error {
	if part == "" || x.parts[part] == nil {
		return nil
	}
	var styles struct {
		Formats []struct {
			ID   int    `xml:"numFmtId,attr"`
			Code string `xml:"formatCode,attr"`
		} `xml:"numFmts>numFmt"`
		Cells []struct {
			Format int `xml:"numFmtId,attr"`
		} `xml:"cellXfs>xf"`
	}
	if err := x.decode(part, &styles); err != nil {
		return err
	}
	codes := map[int]string{}
	for _, f := range styles.Formats {
		codes[f.ID] = f.Code
	}
	for _, c := range styles.Cells {
		code, own := codes[c.Format]
		if own {
			x.formats = append(x.formats, formatOf(code))
		} else {
			x.formats = append(x.formats, builtIn(c.Format))
		}
	}
	return nil
}

// builtIn formats have numbers and no code (ECMA-376-1, 18.8.30); 27 to 36 and
// 50 to 58 are dates in East Asian languages.
func builtIn(id int) format {
	switch {
	case id == 9 || id == 10:
		return format{percent: true}
	case id == 17:
		return format{date: true, coarse: "month"}
	case id >= 18 && id <= 21, id >= 45 && id <= 47:
		return format{clock: true}
	case id >= 14 && id <= 16, id == 22, id >= 27 && id <= 36, id >= 50 && id <= 58:
		return format{date: true}
	}
	return format{}
}

var (
	quotedText = regexp.MustCompile(`"[^"]*"|\\.|_.|\*.`)
	bracketed  = regexp.MustCompile(`\[[^\]]*\]`)
	currencyOf = regexp.MustCompile(`\[\$([^\]-]*)`)
	clockForm  = regexp.MustCompile(`\[(?:h+|m+|s+)\]|h+:m|m+:s|h+ |^h+$`)
	signs      = map[string]string{"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "US$": "USD", "R$": "BRL", "₹": "INR", "zł": "PLN", "CHF": "CHF"}
	isoCode    = regexp.MustCompile(`^[A-Z]{3}$`)
)

func formatOf(code string) format {
	f := format{}
	if m := currencyOf.FindStringSubmatch(code); m != nil {
		f.currency = currency(m[1])
	}
	for _, q := range quotedText.FindAllString(code, -1) {
		if c := currency(strings.Trim(q, `"\`)); c != "" {
			f.currency = c
		}
	}
	plain := bracketed.ReplaceAllString(quotedText.ReplaceAllString(code, ""), "")
	for sign := range signs {
		if strings.Contains(plain, sign) && f.currency == "" {
			f.currency = currency(sign)
		}
	}
	plain, _, _ = strings.Cut(plain, ";")
	plain = strings.ToLower(plain)
	f.percent = strings.Contains(plain, "%")
	f.clock = clockForm.MatchString(strings.ToLower(code)) && !f.percent && !strings.ContainsAny(plain, "yd0#?") && !strings.Contains(plain, "mmm")
	f.date = !f.percent && !strings.Contains(plain, "general") && strings.ContainsAny(plain, "yd") ||
		strings.Contains(plain, "mmm")
	if f.date && !strings.Contains(plain, "d") && strings.Contains(plain, "y") {
		f.coarse = "year"
		if strings.Contains(plain, "m") {
			f.coarse = "month"
		}
	}
	return f
}

func currency(sign string) string {
	sign = strings.TrimSpace(sign)
	if c, ok := signs[sign]; ok {
		return c
	}
	if isoCode.MatchString(sign) {
		return sign
	}
	return ""
}
