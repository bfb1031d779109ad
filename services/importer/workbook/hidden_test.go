package workbook_test

import (
	"bytes"
	"testing"

	"github.com/xuri/excelize/v2"

	"setpoint.dev/services/importer/workbook"
)

// What a spreadsheet program does not show is read, and said to be hidden.
func TestHidden(t *testing.T) {
	f := excelize.NewFile()
	defer f.Close()
	var b bytes.Buffer
	for _, err := range []error{
		f.SetSheetRow("Sheet1", "A1", &[]any{"a", "b", "c"}), f.SetSheetRow("Sheet1", "A2", &[]any{1, 2, 3}), f.SetSheetRow("Sheet1", "A3", &[]any{4, 5, 6}),
		f.SetRowVisible("Sheet1", 2, false), f.SetColVisible("Sheet1", "B", false), f.Write(&b),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	book, err := workbook.Read(bytes.NewReader(b.Bytes()), int64(b.Len()), workbook.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for row, err := range book.Sheets[0].Rows() {
		if err != nil {
			t.Fatal(err)
		}
		rows++
		if row.Hidden != (row.Number == 2) || row.HidesColumn(0) || !row.HidesColumn(1) || row.HidesColumn(2) {
			t.Errorf("row %d: hidden %v, columns %v %v %v", row.Number, row.Hidden, row.HidesColumn(0), row.HidesColumn(1), row.HidesColumn(2))
		}
	}
	if rows != 3 {
		t.Errorf("%d rows", rows)
	}
}
