package sheet_test

import (
	"encoding/csv"
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"setpoint.dev/services/internal/sheet"
)

func TestBytes(t *testing.T) {
	n := func(v float64) *float64 { return &v }
	s := sheet.New("name", "value", "note", "revision", "stale")
	row := func(name string, v *float64, note string) {
		s.Text(name)
		s.Number(v)
		s.Text(note)
		s.Integer(7)
		s.Bool(true)
		s.End()
	}
	row("a", n(-0.004), `says "no", twice`)
	row("=1+1", n(1e6), "line one\nline two")
	row("@x", nil, " padded")
	row("-5", n(math.Copysign(0, -1)), "'tis")
	row("'=quoted", n(math.Inf(1)), "+49 30")
	row("ok", n(1e-12), "\tx")
	want := "name,value,note,revision,stale\r\n" +
		"a,-0.004,\"says \"\"no\"\", twice\",7,true\r\n" +
		"'=1+1,1000000,\"line one\nline two\",7,true\r\n" +
		"'@x,,\" padded\",7,true\r\n" +
		"'-5,0,'tis,7,true\r\n" +
		"''=quoted,,'+49 30,7,true\r\n" +
		"ok,1e-12,'\tx,7,true\r\n"
	if got := string(s.Bytes()); got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func TestARowOfAnotherLengthIsADefect(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a row of one cell under two columns was written")
		}
	}()
	s := sheet.New("a", "b")
	s.Text("x")
	s.End()
}

// Whatever is written reads back, and nothing that is text begins like a
// formula.
func TestRoundTrip(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`['=+@\-\t"]{0,3}[a-z,"]{0,3}`))
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float64().Filter(func(v float64) bool { return !math.IsInf(v, 0) && !math.IsNaN(v) }).Draw(t, "v")
		words := rapid.SliceOfN(text, 2, 2).Draw(t, "words")
		s := sheet.New("one", "number", "two")
		s.Text(words[0])
		s.Number(&v)
		s.Text(words[1])
		s.End()
		rows, err := csv.NewReader(strings.NewReader(string(s.Bytes()))).ReadAll()
		if err != nil || len(rows) != 2 {
			t.Fatalf("%v: %q", err, s.Bytes())
		}
		for i, w := range []string{words[0], words[1]} {
			cell := rows[1][2*i]
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				t.Fatalf("%q runs", cell)
			}
			// The reader of the standard library turns CRLF within quotes into LF.
			if got, want := sheet.Plain(cell), strings.ReplaceAll(w, "\r\n", "\n"); got != want {
				t.Fatalf("%q came back as %q", w, got)
			}
		}
		if got, err := strconv.ParseFloat(rows[1][1], 64); err != nil || got != v {
			t.Fatalf("%v came back as %v (%v)", v, got, err)
		}
	})
}

func TestOneEmptyCellIsARow(t *testing.T) {
	s := sheet.New("a")
	s.Text("")
	s.End()
	if got := string(s.Bytes()); got != "a\r\n\"\"\r\n" {
		t.Errorf("%q", got)
	}
}
