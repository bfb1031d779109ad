package workbook

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/xuri/excelize/v2"
)

// Chart is a native chart of cells of a table. Rows count from 1, the head
// included; columns from 1.
type Chart struct {
	Title       string
	Sheet       string
	First, Last int // rows
	Categories  int // column
	Bars        bool
	Stacked     bool // of bars: one after the other, with a legend
	Series      []Series
	Format      string // number format of the values' axis
}

// Series is a row of values; its name is the head of the column.
type Series struct {
	Column int
	Color  string // RRGGBB
	Dash   bool
	Marked bool
	// Hidden holds the place of what stands before the next series.
	Hidden bool
	// Unnamed keeps it out of the legend. Of bars some programs count the entries of
	// a legend from the other end: leave the last one out where the first one is.
	Unnamed bool
}

const (
	chartsAcross = 2
	chartColumns = 11 // of the default width
	chartRows    = 19
	chartsDown   = 2  // of a printed page
	labelled     = 12 // categories that have room for a label
)

// Charts adds a sheet with charts, two in a row. What is compared differs by
// dash and mark as well as by colour.
func (w *Workbook) Charts(name string, charts []Chart) {
	w.sheet(name)
	if w.err != nil {
		return
	}
	off := false
	w.keep(w.f.SetSheetView(name, 0, &excelize.ViewOptions{ShowGridLines: &off}))
	for i, c := range charts {
		cell, err := excelize.CoordinatesToCellName(1+i%chartsAcross*chartColumns, 1+i/chartsAcross*chartRows)
		w.keep(err)
		w.keep(w.f.AddChart(name, cell, c.native()))
		w.charts++
		w.keep(c.hideInLegend(w.f, w.charts))
		if row := i / chartsAcross; i%chartsAcross == 0 && row > 0 && row%chartsDown == 0 {
			w.keep(w.f.InsertPageBreak(name, cell))
		}
	}
}

func (c Chart) native() *excelize.Chart {
	kind := excelize.Line
	switch {
	case c.Bars && c.Stacked:
		kind = excelize.BarStacked
	case c.Bars:
		kind = excelize.Bar
	}
	axis := excelize.Font{Size: 9, Color: "1F2933"}
	out := &excelize.Chart{
		Type:         kind,
		Title:        excelize.ChartTitle{Paragraph: []excelize.RichTextRun{{Text: c.Title, Font: &excelize.Font{Size: 11, Bold: true, Color: "1F2933"}}}},
		Legend:       excelize.ChartLegend{Position: "bottom"},
		Dimension:    excelize.ChartDimension{Width: 680, Height: 300},
		ShowBlanksAs: "gap",
		XAxis:        excelize.ChartAxis{ReverseOrder: c.Bars, Font: axis, TickLabelPosition: excelize.ChartTickLabelLow},
		YAxis:        excelize.ChartAxis{MajorGridLines: true, Font: axis, NumFmt: excelize.ChartNumFmt{CustomNumFmt: c.Format}},
	}
	// Of many categories every so manieth has its label, else all are broken to bits.
	if n := c.Last - c.First + 1; !c.Bars && n > labelled {
		out.XAxis.TickLabelSkip = (n + labelled - 1) / labelled
		out.XAxis.Alignment.TextRotation = -45 // LibreOffice breaks level ones, and leaves out none of them
	}
	if c.Bars && !c.Stacked {
		out.Legend.Position = "none"
	}
	for _, s := range c.Series {
		one := excelize.ChartSeries{
			Name:       ref(c.Sheet, s.Column, 1, 1),
			Categories: ref(c.Sheet, c.Categories, c.First, c.Last),
			Values:     ref(c.Sheet, s.Column, c.First, c.Last),
			Line:       excelize.LineOptions{Width: 2, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{s.Color}}},
			Fill:       excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{s.Color}},
			Marker:     excelize.ChartMarker{Symbol: "none"},
		}
		if s.Hidden {
			one.Fill = excelize.Fill{Type: "pattern"} // pattern 0: none
		}
		if s.Dash {
			one.Line.Dash = excelize.LineDashDash
		}
		if s.Marked {
			one.Marker = excelize.ChartMarker{Symbol: "circle", Size: 6, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{s.Color}}}
		}
		out.Series = append(out.Series, one)
	}
	return out
}

// hideInLegend takes what is unnamed out of the legend of the file's nth chart, for
// which the library has no option.
func (c Chart) hideInLegend(f *excelize.File, nth int) error {
	var hidden strings.Builder
	for i, s := range c.Series {
		if s.Unnamed {
			fmt.Fprintf(&hidden, `<legendEntry><idx val="%d"></idx><delete val="1"></delete></legendEntry>`, i)
		}
	}
	if hidden.Len() == 0 {
		return nil
	}
	part := fmt.Sprintf("xl/charts/chart%d.xml", nth)
	stored, _ := f.Pkg.Load(part)
	content, _ := stored.([]byte)
	const position = `<legendPos val="b"></legendPos>`
	if bytes.Count(content, []byte(position)) != 1 {
		return fmt.Errorf("workbook: %s has no legend", part)
	}
	f.Pkg.Store(part, bytes.Replace(content, []byte(position), []byte(position+hidden.String()), 1))
	return nil
}

// ref names cells of a sheet absolutely.
func ref(sheet string, column, first, last int) string {
	name, _ := excelize.ColumnNumberToName(column)
	if first == last {
		return fmt.Sprintf("'%s'!$%s$%d", sheet, name, first)
	}
	return fmt.Sprintf("'%s'!$%s$%d:$%s$%d", sheet, name, first, name, last)
}
