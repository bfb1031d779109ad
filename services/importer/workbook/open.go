package workbook

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"

	"setpoint.dev/services/internal/fault"
)

// Sheet is one table.
type Sheet struct {
	Name   string
	Hidden bool
	rows   func(yield func(Row, error) bool)
}

// Rows gives the rows that are not empty, from the top. An error ends them: it
// is a *fault.Error of kind Invalid or Exhausted. A row's cells are only good
// until the next row.
func (s Sheet) Rows() iter.Seq2[Row, error] { return s.rows }

// Book is an open file.
type Book struct {
	Sheets []Sheet
	// Format is csv or xlsx; Encoding and Separator are a CSV file's.
	Format, Encoding string
	Separator        rune
	close            func() error
}

// Close closes the file.
func (b *Book) Close() error {
	if b.close == nil {
		return nil
	}
	return b.close()
}

// Options of Open; the zero value finds out by itself.
type Options struct {
	Separator rune // of a CSV file
	// Encoding of a CSV file: utf-8, utf-16le, utf-16be, windows-1252.
	Encoding string
}

// Open opens a file by what it holds, whatever its name: an archive is XLSX,
// everything else CSV. The error is a *fault.Error.
func Open(path string, o Options) (*Book, error) {
	f, err := os.Open(path)
	if err != nil {
		kind := fault.Invalid
		if errors.Is(err, fs.ErrNotExist) {
			kind = fault.NotFound
		}
		var p *fs.PathError
		if errors.As(err, &p) {
			err = p.Err
		}
		return nil, fault.New(kind, "import.file", "%s: %s", path, err)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fault.New(fault.Invalid, "import.file", "%s is a folder", path).WithHint("name a CSV or XLSX file")
	}
	if err == nil && info.Size() > maxFile {
		err = tooLarge("more than 1 GiB")
	}
	var b *Book
	if err == nil {
		b, err = Read(f, info.Size(), o)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	b.close = f.Close
	return b, nil
}

// Read is Open of what is open already, or in memory. r must stay good as long
// as the Book is read.
func Read(r io.ReaderAt, size int64, o Options) (*Book, error) {
	head := make([]byte, 8)
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, damaged(err, "the file cannot be read")
	}
	head = head[:n]
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return readXLSX(r, size)
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")):
		return nil, fault.New(fault.Invalid, "import.format", "the file is of an old format (XLS), or protected by a password").
			WithHint("save it as XLSX without a password, or as CSV")
	case n == 0:
		return nil, fault.New(fault.Invalid, "import.empty", "the file is empty")
	}
	return readCSV(r, size, o)
}
