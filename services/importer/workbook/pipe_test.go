//go:build unix

package workbook

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// What comes through a pipe is read as a file is, more than once.
func TestOpenPipe(t *testing.T) {
	name := filepath.Join(t.TempDir(), "kpis.csv")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	wrote := make(chan error, 1)
	go func() { wrote <- os.WriteFile(name, []byte("KPI;2024\nSales;1,5\n"), 0) }()
	b, err := Open(name, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-wrote; err != nil {
		t.Fatal(err)
	}
	for range 2 {
		text := ""
		for row, err := range b.Sheets[0].Rows() {
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range row.Cells {
				text += c.Text + "|"
			}
		}
		if text != "KPI|2024|Sales|1,5|" {
			t.Errorf("%q", text)
		}
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}
