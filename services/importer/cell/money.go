package cell

import (
	"slices"
	"strings"
	"unicode"
)

// money is a currency as it stands beside a number. code is empty where the sign
// is that of several countries and none of them is meant by most; shared says
// that the code is what most mean by the sign, and others have it, too.
type money struct {
	sign, code string
	shared     bool
}

// currencies are the signs that are read as one, the longer first where one
// begins another.
var currencies = []money{
	{sign: "US$", code: "USD"}, {sign: "A$", code: "AUD"}, {sign: "C$", code: "CAD"}, {sign: "CA$", code: "CAD"}, {sign: "AU$", code: "AUD"}, {sign: "NZ$", code: "NZD"}, {sign: "R$", code: "BRL"}, {sign: "HK$", code: "HKD"}, {sign: "S$", code: "SGD"}, {sign: "NT$", code: "TWD"}, {sign: "MX$", code: "MXN"},
	{sign: "$", code: "USD", shared: true}, {sign: "€", code: "EUR"}, {sign: "£", code: "GBP", shared: true}, {sign: "₹", code: "INR"}, {sign: "₽", code: "RUB"}, {sign: "₩", code: "KRW"}, {sign: "₺", code: "TRY"}, {sign: "₴", code: "UAH"}, {sign: "₪", code: "ILS"}, {sign: "₫", code: "VND"}, {sign: "₱", code: "PHP"}, {sign: "₦", code: "NGN"}, {sign: "₸", code: "KZT"}, {sign: "฿", code: "THB"}, {sign: "zł", code: "PLN"}, {sign: "Kč", code: "CZK"},
	{sign: "SFr.", code: "CHF"}, {sign: "Fr.", code: "CHF"}, {sign: "Rp.", code: "IDR"}, {sign: "Rp", code: "IDR"}, {sign: "円", code: "JPY"}, {sign: "руб.", code: "RUB"}, {sign: "грн", code: "UAH"},
	// Of Japan and China, of India and its neighbours, of the north.
	{sign: "¥"}, {sign: "Rs."}, {sign: "Rs"}, {sign: "kr."},
}

// currencyCodes are read where they stand as a word of their own.
var currencyCodes = func() map[string]string {
	m := map[string]string{"RMB": "CNY", "Euro": "EUR", "Euros": "EUR", "euros": "EUR", "euro": "EUR", "EURO": "EUR", "dollars": "USD", "TL": "TRY"}
	for _, code := range strings.Fields("USD EUR GBP JPY CHF CAD AUD NZD SEK NOK DKK ISK PLN CZK HUF RON BGN INR CNY BRL MXN COP CLP PEN ARS UYU ZAR SGD HKD TWD KRW TRY AED SAR QAR KES NGN GHS UGX TZS RWF EGP MAD XOF XAF PHP IDR MYR THB VND PKR LKR NPR BDT UAH RUB KZT ILS") {
		m[code] = code
	}
	return m
}()

// signsOf are the words that units of money are said by, for signs that several
// countries have.
var signsOf = map[string][]string{
	"$":   {"usd", "cad", "aud", "nzd", "mxn", "cop", "clp", "ars", "uyu", "sgd", "hkd", "twd", "dollar", "dollars", "peso", "pesos"},
	"£":   {"gbp", "egp", "egyptian"},
	"¥":   {"jpy", "cny", "rmb", "円", "元", "yen", "yuan", "¥"},
	"Rs":  {"inr", "pkr", "lkr", "npr", "rupee", "rupees", "rs"},
	"kr":  {"sek", "nok", "dkk", "isk", "kr", "kronor", "kroner"},
	"Rs.": nil, "kr.": nil,
}

// SameMoney reports whether a sign beside a number can be that of the money that a
// unit of measure names.
func SameMoney(sign, unit string) bool {
	names := signsOf[strings.TrimSuffix(sign, ".")]
	return len(names) > 0 && slices.ContainsFunc(unitParts.Split(strings.ToLower(plain(unit)), -1), func(w string) bool {
		return slices.Contains(names, strings.Trim(w, "()[]."))
	})
}

func cutCurrency(s string) (m money, rest string, ok bool) {
	for _, c := range currencies {
		if r, ok := strings.CutPrefix(s, c.sign); ok && (!startsWithLetter(r) || !endsWithLetter(c.sign)) {
			return c, strings.TrimSpace(r), true
		}
	}
	word := s
	if i := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) }); i >= 0 {
		word = s[:i]
	}
	if code, ok := currencyCodes[word]; ok {
		return money{sign: word, code: code}, strings.TrimSpace(s[len(word):]), true
	}
	return money{}, s, false
}
