package workbook

import (
	"fmt"

	"github.com/xuri/excelize/v2"
)

// Field is a column of a form.
type Field struct {
	Title string
	// Input says that people fill it in; the other columns are locked.
	Input Input
	// Prompt is shown beside a cell that is about to be filled in.
	Prompt string
}

// noteWidth is that of a column of free texts, in characters; a longer text wraps.
const noteWidth = 44.0

// Input is what people may write into a column.
type Input int

const (
	// Locked is a column that is only read.
	Locked Input = iota
	// AnyNumber is any number.
	AnyNumber
	// ZeroToTen is a whole number from 0 to 10.
	ZeroToTen
	// FreeText is a text of at most 4000 characters.
	FreeText
)

// TextFormat keeps what is typed as it is.
const TextFormat = "@"

// Open is an empty cell that is filled in; its number is shown in a format.
func Open(format string) Cell { return Cell{open: true, format: format, wide: 10} }

// Form adds a sheet with a table that people fill in: only its open cells can be
// written to, and spreadsheets refuse there what a column may not hold. The
// protection has no password; it is against mistakes.
func (w *Workbook) Form(name string, fields []Field, rows [][]Cell) {
	w.sheet(name)
	if w.err != nil {
		return
	}
	titles := make([]string, len(fields))
	for i, f := range fields {
		titles[i] = f.Title
	}
	for i, width := range widths(titles, rows) {
		column, err := excelize.ColumnNumberToName(i + 1)
		w.keep(err)
		if fields[i].Input == FreeText {
			width = noteWidth
		}
		w.keep(w.f.SetColWidth(name, column, column, width))
		w.keep(w.f.SetCellStr(name, column+"1", titles[i]))
		w.keep(w.f.SetCellStyle(name, column+"1", column+"1", w.head()))
		if len(rows) > 0 {
			w.keep(w.validate(name, fields[i], fmt.Sprintf("%s2:%s%d", column, column, len(rows)+1)))
		}
	}
	w.keep(w.f.SetRowHeight(name, 1, 2*lineHeight))
	for i, row := range rows {
		for k, c := range row {
			at, err := excelize.CoordinatesToCellName(k+1, i+2)
			w.keep(err)
			switch v := c.value.(type) {
			case nil:
			case string: // never read as anything else
				w.keep(w.f.SetCellStr(name, at, v))
			default:
				w.keep(w.f.SetCellValue(name, at, v))
			}
			w.keep(w.f.SetCellStyle(name, at, at, w.styleOf(c)))
		}
	}
	w.keep(w.f.SetPanes(name, freeze(1)))
	w.keep(w.f.ProtectSheet(name, &excelize.SheetProtectionOptions{
		SelectLockedCells: true, SelectUnlockedCells: true, FormatColumns: true, FormatRows: true, AutoFilter: true, Sort: true,
	}))
}

func (w *Workbook) validate(sheet string, field Field, cells string) error {
	v := excelize.NewDataValidation(true)
	v.SetSqref(cells)
	var err error
	switch field.Input {
	case AnyNumber:
		err = v.SetRange(-1e37, 1e37, excelize.DataValidationTypeDecimal, excelize.DataValidationOperatorBetween)
		v.SetError(excelize.DataValidationErrorStyleStop, "Not a number", "Write a number, or leave the cell empty where it is not known.")
	case ZeroToTen:
		err = v.SetRange(0, 10, excelize.DataValidationTypeWhole, excelize.DataValidationOperatorBetween)
		v.SetError(excelize.DataValidationErrorStyleStop, "Not from 0 to 10", "Write a whole number from 0 (it will not be reached) to 10 (it will).")
	case FreeText:
		err = v.SetRange(0, 4000, excelize.DataValidationTypeTextLength, excelize.DataValidationOperatorBetween)
		v.SetError(excelize.DataValidationErrorStyleStop, "Too long", "At most 4000 characters.")
	default:
		return nil
	}
	if err != nil {
		return err
	}
	if field.Prompt != "" {
		v.SetInput(field.Title, field.Prompt)
	}
	return w.f.AddDataValidation(sheet, v)
}
