package workbook

import (
	"errors"
	"io"

	"setpoint.dev/services/internal/fault"
)

// Limits of a file. A spreadsheet program's own are 1,048,576 rows of 16,384
// columns.
const (
	maxFile     = 1 << 30 // bytes
	maxPart     = 2 << 30 // bytes that one part of an XLSX file unpacks to
	maxShared   = 256 << 20
	maxCells    = 20_000_000
	maxRows     = 10_000_000
	maxColumns  = 16_384
	maxCell     = 1 << 20 // bytes of a text
	maxMerged   = 100_000
	maxCovered  = 2_000_000
	maxSheets   = 1_000
	maxExpand   = 2000 // how many times its size a part may unpack to
	alwaysSmall = 64 << 20
)

func tooLarge(what string) error {
	return fault.New(fault.Exhausted, "import.too_large", "the file has %s", what).WithHint("split it into several")
}

func damaged(err error, format string, args ...any) error {
	return fault.Wrap(err, fault.Invalid, "import.unreadable", format, args...)
}

var errBomb = errors.New("unpacks to more than is legal")

// bounded fails with errBomb where a part unpacks to more than it may.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errBomb
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	return n, err
}
