package record_test

import (
	"slices"
	"testing"

	"setpoint.dev/services/internal/record"
)

// held is a picture of two units.
type held struct{ record.View }

func (held) Revision() uint64 { return 7 }

func (held) list() []*record.Resource {
	return []*record.Resource{{Org: "o", Kind: "Unit", Name: "a", ID: "a", From: 2}, {Org: "o", Kind: "Unit", Name: "c", ID: "c", From: 3}}
}

func (h held) Resource(_, _, name string, _ uint64) (*record.Resource, error) {
	for _, r := range h.list() {
		if r.Name == name {
			return r, nil
		}
	}
	return nil, nil
}

func (h held) Resources(_, _ string, _ uint64, after string, limit int) ([]*record.Resource, error) {
	return h.list(), nil
}

func (h held) Versions(string, string, uint64) ([]*record.Resource, error) { return h.list(), nil }

// A picture of what would be shows what is put and not what is ended, under its new
// name only, in order and in pages; the past stays what it was.
func TestAsIf(t *testing.T) {
	v := record.AsIf(held{}, []record.Change{
		record.PutResource{Resource: record.Resource{Org: "o", Kind: "Unit", Name: "b", ID: "c"}}, // c is renamed
		record.EndResource{Org: "o", Kind: "Unit", ID: "a"},
		record.PutResource{Resource: record.Resource{Org: "o", Kind: "Unit", Name: "d", ID: "d"}},
		record.PutResource{Resource: record.Resource{Org: "o", Kind: "Metric", Name: "m", ID: "m"}},
	})
	names := func(list []*record.Resource, err error) (out []string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list {
			out = append(out, r.Name)
		}
		return out
	}
	for _, x := range []struct {
		got, want []string
	}{
		{names(v.Resources("o", "Unit", 7, "", 0)), []string{"b", "d"}},
		{names(v.Resources("o", "Unit", 7, "b", 0)), []string{"d"}},
		{names(v.Resources("o", "Unit", 7, "", 1)), []string{"b"}},
		{names(v.Resources("o", "Unit", 6, "", 0)), []string{"a", "c"}},
		{names(v.Resources("other", "Unit", 7, "", 0)), []string{"a", "c"}}, // as the picture has it
		{names(v.Versions("o", "Unit", 7)), []string{"c", "b", "d"}},
		{names(v.Versions("o", "Unit", 6)), []string{"a", "c"}},
	} {
		if !slices.Equal(x.got, x.want) {
			t.Errorf("%v, expected %v", x.got, x.want)
		}
	}
	for name, want := range map[string]bool{"a": false, "b": true, "c": false, "d": true, "m": false} {
		if r, err := v.Resource("o", "Unit", name, 7); err != nil || (r != nil) != want {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
	if r, _ := v.Resource("o", "Unit", "d", 7); r.From != 8 || r.To != record.Never {
		t.Errorf("d stands from %d to %d", r.From, r.To)
	}
	if r, _ := v.Resource("o", "Unit", "a", 6); r == nil {
		t.Error("the past is gone")
	}
}
