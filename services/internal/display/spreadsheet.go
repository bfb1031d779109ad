package display

import (
	"math"
	"strings"
)

// Spreadsheet is the number format of spreadsheets that shows v as Value does:
// 3.3 %, $5.9B, 1,790. Only a number without declared decimals asks what v is.
func Spreadsheet(f Format, v float64) string {
	decimals := func(usual int) string {
		if f.Decimals != nil && *f.Decimals >= 0 {
			usual = min(*f.Decimals, 10)
		}
		if usual == 0 {
			return ""
		}
		return "." + strings.Repeat("0", usual)
	}
	unit := map[string]string{"thousands": `"K"`, "millions": `"M"`, "billions": `"B"`}[f.Magnitude]
	switch f.Style {
	case "percent":
		return "#,##0" + decimals(1) + "%"
	case "integer":
		return "#,##0" + decimals(0) + unit
	case "boolean":
		if f.Decimals == nil {
			return `[=1]"yes";[=0]"no";General`
		}
	case "currency":
		usual := 2
		switch {
		case unit != "":
			usual = 1
		case v == math.Trunc(v):
			usual = 0
		}
		number := "#,##0" + decimals(usual) + unit
		if symbol, ok := currencies[f.Currency]; ok {
			return `"` + symbol + `"` + number + `;-"` + symbol + `"` + number
		}
		return number + ` "` + strings.ReplaceAll(f.Currency, `"`, "") + `"`
	}
	switch size := math.Abs(v); {
	case f.Decimals != nil:
		return "#,##0" + decimals(0) + unit
	case v == math.Trunc(v):
		return "#,##0" + unit
	case size >= 1:
		return "#,##0.0#" + unit
	}
	return "0.0" + strings.Repeat("#", min(9, max(1, 1-int(math.Floor(math.Log10(math.Abs(v))))))) + unit
}
