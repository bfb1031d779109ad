package workbook

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/sheet"
)

// sniffed is how much of a CSV file is looked at to tell its encoding and its
// separator.
const sniffed = 256 << 10

func readCSV(r io.ReaderAt, size int64, o Options) (*Book, error) {
	head := make([]byte, min(size, sniffed))
	if _, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, damaged(err, "the file cannot be read")
	}
	b := &Book{Format: "csv", Encoding: o.Encoding, Separator: o.Separator}
	if b.Encoding == "" {
		b.Encoding = encodingOf(head)
		// A letter of Windows-1252 may come late.
		if b.Encoding == "utf-8" && size > sniffed && !validUTF8(io.NewSectionReader(r, 0, size)) {
			b.Encoding = "windows-1252"
		}
	}
	dec, ok := encodings[b.Encoding]
	switch {
	case b.Encoding == "":
		return nil, fault.New(fault.Invalid, "import.encoding", "in which encoding the file is cannot be told").
			WithHint("save it as CSV UTF-8 or as XLSX")
	case !ok:
		return nil, fault.New(fault.Invalid, "import.encoding", "the encoding %q is not known", b.Encoding).
			WithHint("legal are %s", EncodingNames)
	}
	text := func() io.Reader { return dec.NewDecoder().Reader(io.NewSectionReader(r, 0, size)) }
	start, _ := io.ReadAll(io.LimitReader(text(), sniffed))
	if bytes.IndexByte(start, '\n') < 0 && bytes.IndexByte(start, '\r') >= 0 {
		decoded := text
		text = func() io.Reader { return oldMac{decoded()} }
		start = bytes.ReplaceAll(start, []byte("\r"), []byte("\n"))
	}
	if b.Separator == 0 {
		if bytes.IndexByte(start, 0) >= 0 {
			return nil, fault.New(fault.Invalid, "import.format", "the file is neither text nor a spreadsheet").
				WithHint("save it as CSV UTF-8 or as XLSX")
		}
		b.Separator = separatorOf(start)
	}
	b.Sheets = []Sheet{{Name: "", rows: func(yield func(Row, error) bool) { csvRows(text(), b.Separator, yield) }}}
	return b, nil
}

// oldMac reads lines that end in a carriage return alone, as spreadsheets for the
// Macintosh still write them.
type oldMac struct{ r io.Reader }

func (m oldMac) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	for i, c := range p[:n] {
		if c == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}

// encodingOf tells the encoding by its mark, by the zeros of UTF-16, or by
// whether it can be UTF-8; "" where nothing tells it.
func encodingOf(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		return "utf-8"
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return "utf-16le"
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return "utf-16be"
	}
	var zeros [2]int
	for i, c := range head {
		if c == 0 {
			zeros[i%2]++
		}
	}
	switch {
	case zeros[1]*3 > len(head) && zeros[0]*20 < zeros[1]:
		return "utf-16le"
	case zeros[0]*3 > len(head) && zeros[1]*20 < zeros[0]:
		return "utf-16be"
	}
	whole := head
	if len(head) == sniffed { // a letter may be cut at the end
		for i := 0; i < utf8.UTFMax && len(head) > 0 && !utf8.Valid(head); i++ {
			head = head[:len(head)-1]
		}
	}
	if utf8.Valid(head) {
		return "utf-8"
	}
	return ofBytes(whole)
}

func validUTF8(r io.Reader) bool {
	in := bufio.NewReaderSize(r, 64<<10)
	for {
		c, n, err := in.ReadRune()
		if err != nil {
			return true
		}
		if c == utf8.RuneError && n == 1 {
			return false
		}
	}
}

// separatorOf is the sign that divides the most lines into the same number of
// columns, more than one.
func separatorOf(start []byte) rune {
	best, score := ',', 0.0
	for _, s := range []rune{',', ';', '\t', '|'} {
		counts := map[int]int{}
		rows := 0
		c := reader(bytes.NewReader(start), s)
		for rows < 200 {
			record, err := c.Read()
			if err != nil {
				break
			}
			rows++
			counts[len(record)]++
		}
		for width, n := range counts {
			if width < 2 {
				continue
			}
			// How many rows agree counts first, then how many columns they have.
			if v := float64(n)/float64(rows) + float64(min(width, 100))/1000; v > score {
				best, score = s, v
			}
		}
	}
	return best
}

func reader(r io.Reader, separator rune) *csv.Reader {
	c := csv.NewReader(r)
	c.Comma = separator
	c.FieldsPerRecord = -1
	c.LazyQuotes = true
	c.ReuseRecord = true
	return c
}

// recordLimit bounds what one record may hold: a quote that is never closed
// makes the rest of the file one.
type recordLimit struct {
	r               io.Reader
	start, consumed int64
}

var errRecord = errors.New("a row of more than 16 MiB: is a quote never closed?")

func (l *recordLimit) Read(p []byte) (int, error) {
	if l.consumed-l.start > 16<<20 {
		return 0, errRecord
	}
	n, err := l.r.Read(p)
	l.consumed += int64(n)
	return n, err
}

func csvRows(r io.Reader, separator rune, yield func(Row, error) bool) {
	in := &recordLimit{r: r}
	c := reader(in, separator)
	var cells []Cell
	total, n, end := 0, 0, 0
	for {
		in.start = c.InputOffset()
		record, err := c.Read()
		switch {
		case errors.Is(err, io.EOF):
			return
		case errors.Is(err, errRecord):
			yield(Row{}, fault.New(fault.Exhausted, "import.too_large", "row %d: %s", n+1, errRecord))
			return
		case err != nil:
			yield(Row{}, damaged(err, "row %d cannot be read", n+1))
			return
		}
		line, _ := c.FieldPos(0)
		last, _ := c.FieldPos(len(record) - 1)
		// A spreadsheet program shows an empty line as a row; encoding/csv passes
		// over it.
		n += line - end
		end = last + strings.Count(record[len(record)-1], "\n")
		if total += len(record); total > maxCells || n > maxRows || len(record) > maxColumns {
			yield(Row{}, tooLarge("too many cells"))
			return
		}
		cells = cells[:0]
		blank := true
		for _, text := range record {
			text = strings.ToValidUTF8(sheet.Plain(text), "\uFFFD")
			if len(text) > maxCell && strings.TrimSpace(text) != "" {
				yield(Row{}, tooLarge("a text of more than 1 MiB"))
				return
			}
			cell := textOf(text)
			blank = blank && cell.Kind == Empty
			cells = append(cells, cell)
		}
		if !blank && !yield(Row{Number: n, Line: line, Cells: cells}, nil) {
			return
		}
	}
}
