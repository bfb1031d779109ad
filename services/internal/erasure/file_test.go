package erasure

import (
	"bytes"
	"testing"
	"time"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/personal"
)

func file(t testing.TB) []byte {
	t.Helper()
	content, err := encode(head{Format: fileFormat, Org: "acme", LogID: "log", Made: time.Unix(0, 0).UTC()},
		[]personal.Kept{{Holder: "person/p~2", Key: personal.NewKey()}, {Holder: "principal/u-42", Key: personal.NewKey()}})
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestAFileOfKeysReadsBack(t *testing.T) {
	content := file(t)
	h, kept, err := decode(content)
	if err != nil || h.Org != "acme" || len(kept) != 2 || kept[0].Holder != "person/p~2" {
		t.Fatalf("%+v, %v, %v", h, kept, err)
	}
	again, err := encode(h, kept)
	if err != nil || !bytes.Equal(again, content) {
		t.Errorf("%s\nreads back as\n%s\n%v", content, again, err)
	}
}

// Any byte that changes, and any cut, is noticed.
func TestADamagedFileOfKeysIsRefused(t *testing.T) {
	content := file(t)
	for i := range content {
		changed := bytes.Clone(content)
		changed[i] ^= 1
		if _, _, err := decode(changed); fault.KindOf(err) != fault.Invalid {
			t.Errorf("byte %d changed: %v", i, err)
		}
		if i < len(content)-1 {
			if _, _, err := decode(content[:i]); fault.KindOf(err) != fault.Invalid {
				t.Errorf("cut at %d: %v", i, err)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(file(f))
	f.Add([]byte("{}\n{}\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		h, kept, err := decode(content)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("%v", err)
			}
			return
		}
		if h.Format != fileFormat {
			t.Errorf("format %q", h.Format)
		}
		for _, k := range kept {
			if !k.Holder.Valid() || k.Key == nil {
				t.Errorf("%v", k)
			}
		}
	})
}
