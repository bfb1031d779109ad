package report

import (
	"bytes"
	"encoding/json"
	"testing"

	"pgregory.net/rapid"
)

// throughMaps is the canonical form as encoding/json has it: maps are sorted.
func throughMaps(t interface{ Fatal(...any) }, src []byte) []byte {
	dec := json.NewDecoder(bytes.NewReader(src))
	dec.UseNumber()
	var generic any
	if err := dec.Decode(&generic); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(generic); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// unsorted writes a value as encoding/json writes structs: keys in any order.
func unsorted(t *rapid.T, depth int) []byte {
	kinds := 3
	if depth > 0 {
		kinds = 5
	}
	scalar := func(v any) []byte {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(v); err != nil {
			t.Fatal(err)
		}
		return bytes.TrimRight(b.Bytes(), "\n")
	}
	switch rapid.IntRange(0, kinds).Draw(t, "kind") {
	case 0:
		return scalar(rapid.String().Draw(t, "text"))
	case 1:
		return scalar(rapid.Float64Range(-1e22, 1e22).Draw(t, "number"))
	case 2:
		return scalar(rapid.SampledFrom([]any{nil, true, false}).Draw(t, "word"))
	case 3:
		return scalar(rapid.SampledFrom([]string{`"`, `\`, `\"`, "{", "}]", ",", ":", "\u2028", "<&>", ""}).Draw(t, "mark"))
	case 4:
		var out []byte
		for i := range rapid.IntRange(0, 4).Draw(t, "items") {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(out, unsorted(t, depth-1)...)
		}
		return append(append([]byte("["), out...), ']')
	}
	keys := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-zA-Z0-9]{0,4}`), 0, 5, rapid.ID[string]).Draw(t, "keys")
	out := []byte("{")
	for i, k := range keys {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, scalar(k)...), ':'), unsorted(t, depth-1)...)
	}
	return append(out, '}')
}

func TestKeysAreSortedAsMapsAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := unsorted(t, 4)
		if got, want := sortKeys(bytes.Clone(src)), throughMaps(t, src); !bytes.Equal(got, want) {
			t.Fatalf("of %s\n got %s\nwant %s", src, got, want)
		}
	})
	d := sized(3, 20)
	if body, _ := d.canonical(); !bytes.Equal(body, throughMaps(t, body)) {
		t.Error("the canonical form of a document is not its own")
	}
}
