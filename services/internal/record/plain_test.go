package record

import (
	"math"
	"testing"
)

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{"": "", "é": "é", "a\x00b\x00": "a\uFFFDb\uFFFD"} {
		if got := plain(in); got != want {
			t.Errorf("%q becomes %q", in, got)
		}
	}
	if math.Signbit(plainNumber(math.Copysign(0, -1))) {
		t.Error("a zero kept its sign")
	}
	if plainNumber(-1.5) != -1.5 {
		t.Error("a number changed")
	}
}
