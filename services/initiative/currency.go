package initiative

// decimals are of those currencies that do not have two: ISO 4217, list one, the
// column of minor units. CLDR, which golang.org/x/text/currency follows, has
// fewer for some (RSD 0, where ISO has 2): it tells what people write, while an
// amount that is legal may not be refused.
var decimals = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0, "UYI": 0,
	"VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
	"CLF": 4, "UYW": 4,
}

// Decimals is how many decimals an amount of a currency may have.
func Decimals(currency string) int {
	if n, special := decimals[currency]; special {
		return n
	}
	return 2
}
