package personal

import (
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"pgregory.net/rapid"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

func shapeOf(m proto.Message) *Shape { return ShapeOf(m.ProtoReflect().Descriptor()) }

func TestWhichTypesHoldPersonalText(t *testing.T) {
	for m, want := range map[proto.Message]bool{
		&strategyv1.PersonDeclared{}:       true,
		&strategyv1.ObservationsRecorded{}: true,
		&strategyv1.CheckedIn{}:            true,
		&strategyv1.TargetDeclared{}:       false,
		&strategyv1.UnitDeclared{}:         false,
	} {
		if got := shapeOf(m) != nil; got != want {
			t.Errorf("%T: %v", m, got)
		}
	}
}

// A personal field that is no text would be left in the clear: looking at every
// type finds one.
func TestEveryTypeHasAShape(t *testing.T) {
	n := 0
	protoregistry.GlobalFiles.RangeFilesByPackage("setpoint.strategy.v1", func(f protoreflect.FileDescriptor) bool {
		for i := range f.Messages().Len() {
			ShapeOf(f.Messages().Get(i))
			n++
		}
		return true
	})
	if n < 20 {
		t.Errorf("%d types", n)
	}
}

// Whether there is a text is told without decoding, and told right.
func TestPresentAgreesWithEach(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &strategyv1.ObservationsRecorded{}
		for range rapid.IntRange(0, 4).Draw(t, "values") {
			m.Values = append(m.Values, &strategyv1.ObservedValue{
				ObservedAt: rapid.StringN(0, 3, -1).Draw(t, "at"), Value: rapid.Float64().Draw(t, "value"),
				Source: rapid.StringN(0, 3, -1).Draw(t, "source"), Note: rapid.SampledFrom([]string{"", "", "", "a note"}).Draw(t, "note"),
			})
		}
		check(t, m)
		c := &strategyv1.CheckedIn{At: "2026-01-01", Note: rapid.SampledFrom([]string{"", "n"}).Draw(t, "note")}
		if rapid.Bool().Draw(t, "override") {
			c.Override = &strategyv1.StatusOverride{Status: "at_risk", Reason: rapid.SampledFrom([]string{"", "r"}).Draw(t, "reason")}
		}
		check(t, c)
	})
}

func check(t *rapid.T, m proto.Message) {
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := shapeOf(m).Each(m.ProtoReflect(), func(_, text string) (string, error) { n++; return text, nil }); err != nil {
		t.Fatal(err)
	}
	if got := shapeOf(m).Present(b); got != (n > 0) {
		t.Fatalf("present %v, and %d texts of %v", got, n, m)
	}
}

func TestEachReplacesAndStops(t *testing.T) {
	m := &strategyv1.PersonDeclared{Spec: &strategyv1.PersonSpec{DisplayName: "a", Email: "b", Unit: "u", Principals: []string{"p"}}}
	seen := map[string]string{}
	if err := shapeOf(m).Each(m.ProtoReflect(), func(field, text string) (string, error) {
		seen[field] = text
		return text + "!", nil
	}); err != nil {
		t.Fatal(err)
	}
	want := &strategyv1.PersonSpec{DisplayName: "a!", Email: "b!", Unit: "u", Principals: []string{"p"}}
	if !proto.Equal(m.Spec, want) || len(seen) != 2 || seen["setpoint.strategy.v1.PersonSpec.display_name"] != "a" {
		t.Errorf("%v, %v", m.Spec, seen)
	}
	failure := errors.New("no")
	if err := shapeOf(m).Each(m.ProtoReflect(), func(string, string) (string, error) { return "", failure }); !errors.Is(err, failure) {
		t.Errorf("%v", err)
	}
}

func FuzzPresent(f *testing.F) {
	b, _ := proto.Marshal(&strategyv1.CheckedIn{Note: "n", Override: &strategyv1.StatusOverride{Reason: "r"}})
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		m := &strategyv1.CheckedIn{}
		present := shapeOf(m).Present(b)
		if proto.Unmarshal(b, m) != nil {
			return
		}
		// What decodes to a text was seen; something may be seen that a later
		// field of the same number takes back.
		if (m.GetNote() != "" || m.GetOverride().GetReason() != "") && !present {
			t.Errorf("%v was not seen in %x", m, b)
		}
	})
}
