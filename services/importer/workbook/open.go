package workbook

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"strings"

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
	// Encoding of a CSV file, one of EncodingNames.
	Encoding string
}

// Open opens a file by what it holds, whatever its name: an archive is XLSX,
// everything else CSV. What comes through a pipe is kept in a temporary file until
// the Book is closed, as a table is read from more than one place. Opening a pipe
// waits for somebody at its other end. The error is a *fault.Error.
func Open(path string, o Options) (*Book, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		err = unreadable(path, err)
	case info.IsDir():
		err = fault.New(fault.Invalid, "import.file", "%s is a folder", path).WithHint("name a CSV or XLSX file")
	}
	closeFile, size := f.Close, int64(0)
	if err == nil {
		if size = info.Size(); !info.Mode().IsRegular() {
			pipe := f
			f, closeFile, size, err = spool(path, pipe)
			_ = pipe.Close()
		}
	}
	if err == nil && size > maxFile {
		err = tooLarge("more than 1 GiB")
	}
	var b *Book
	if err == nil {
		b, err = Read(f, size, o)
	}
	if err != nil {
		_ = closeFile()
		return nil, err
	}
	b.close = closeFile
	return b, nil
}

// spool copies what a pipe gives into a temporary file, as far as a table may go.
func spool(path string, pipe io.Reader) (f *os.File, closeFile func() error, size int64, err error) {
	if f, err = os.CreateTemp("", "setpoint-import-*"); err != nil {
		return nil, func() error { return nil }, 0, unreadable("a temporary file", err)
	}
	// Where open files may be removed it is gone whatever happens to the process.
	removed := os.Remove(f.Name()) == nil
	closeFile = func() error {
		err := f.Close()
		if !removed {
			_ = os.Remove(f.Name())
		}
		return err
	}
	if size, err = io.Copy(f, io.LimitReader(pipe, maxFile+1)); err != nil {
		err = unreadable(path, err)
	}
	return f, closeFile, size, err
}

func unreadable(path string, err error) error {
	kind := fault.Invalid
	if errors.Is(err, fs.ErrNotExist) {
		kind = fault.NotFound
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fault.New(kind, "import.file", "%s: %s", path, err)
}

// Read is Open of what is open already, or in memory. r must stay good as long
// as the Book is read.
func Read(r io.ReaderAt, size int64, o Options) (*Book, error) {
	head := make([]byte, 64)
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
	if is := otherFormat(head); is != "" {
		return nil, fault.New(fault.Invalid, "import.format", "the file is %s, whatever its name says", is).
			WithHint("open it and save it as XLSX or CSV")
	}
	return readCSV(r, size, o)
}

// otherFormat names a format that is no table of text; "" where it may be one.
// Exports often call a page a spreadsheet.
func otherFormat(head []byte) string {
	start := strings.ToLower(string(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")))
	for _, f := range []struct{ start, name string }{
		{"<!doctype html", "a page (HTML)"}, {"<html", "a page (HTML)"}, {"<table", "a page (HTML)"}, {"<meta", "a page (HTML)"}, {"<head", "a page (HTML)"}, {"<?xml", "XML"},
		{"%pdf-", "a PDF"}, {"\x1f\x8b", "compressed (gzip)"}, {"{\\rtf", "a text (RTF)"}, {"bzh", "compressed (bzip2)"}, {"7z\xbc\xaf", "an archive (7z)"}, {"rar!\x1a", "an archive (RAR)"},
	} {
		if strings.HasPrefix(start, f.start) && (f.start != "bzh" || bytes.Contains(head, []byte("1AY&SY"))) {
			return f.name
		}
	}
	return ""
}
