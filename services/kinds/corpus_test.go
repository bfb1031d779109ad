package kinds_test

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
	"setpoint.dev/services/kinds"
)

// add writes an encoded event for every wire name that has none. What is in
// the corpus is never rewritten: it stands for what is in people's logs.
var add = flag.Bool("add", false, "add events that the corpus lacks")

const corpus = "testdata/events"

// others are the events that are not a kind's.
var others = map[string]proto.Message{
	record.DeclarationChanged:    &declarationv1.Changed{},
	record.ObservationsRecorded:  &strategyv1.ObservationsRecorded{},
	record.ObservationsCorrected: &strategyv1.ObservationsCorrected{},
	record.CheckedIn:             &strategyv1.CheckedIn{},
	record.EventSkipped:          &adminv1.EventSkipped{},
}

// decode gives an event as JSON, by the way the record takes.
func decode(t *testing.T, r *resource.Registry, typ string, payload []byte) any {
	t.Helper()
	var m proto.Message
	k, e, ok, err := r.Decode(typ, payload)
	if err != nil {
		t.Fatal(err)
	}
	switch e := e.(type) {
	case resource.Declared:
		m = k.NewDeclared()
		fields := m.ProtoReflect().Descriptor().Fields()
		m.ProtoReflect().Set(fields.ByName("metadata"), protoreflect.ValueOfMessage(e.Metadata.ProtoReflect()))
		m.ProtoReflect().Set(fields.ByName("spec"), protoreflect.ValueOfMessage(e.Spec.ProtoReflect()))
		m.ProtoReflect().Set(fields.ByName("set"), protoreflect.ValueOfString(e.Set))
	case resource.Retired:
		m = &declarationv1.Retired{Name: e.Name}
	case resource.Erased:
		m = &declarationv1.Erased{Name: e.Name, Holders: e.Holders, Reason: e.Reason}
	}
	if !ok {
		kind, known := others[typ]
		if act, is := r.Act(typ); is {
			kind, known = act.New(), true
		}
		if !known {
			t.Fatalf("nobody knows the event type %s", typ)
		}
		m = proto.Clone(kind)
		if err := proto.Unmarshal(payload, m); err != nil {
			t.Fatal(err)
		}
	}
	if unknown := m.ProtoReflect().GetUnknown(); len(unknown) > 0 {
		t.Errorf("%s: %d bytes are no longer understood", typ, len(unknown))
	}
	b, err := protojson.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEventsOfThePastStillDecode(t *testing.T) {
	r := kinds.Registry()
	if *add {
		addMissing(t, r)
	}
	seen := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(corpus, "*.bin"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	for _, f := range files {
		typ, _, _ := strings.Cut(filepath.Base(f), "@")
		seen[typ] = true
		payload, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(strings.TrimSuffix(f, ".bin") + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var want any
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		if got := decode(t, r, typ, payload); !reflect.DeepEqual(got, want) {
			t.Errorf("%s decodes to\n%v\nbut said\n%v", f, got, want)
		}
	}
	for _, typ := range types(r) {
		if !seen[typ] {
			t.Errorf("the corpus has no %s: run this test with -add and commit the file", typ)
		}
	}
}

func types(r *resource.Registry) []string {
	var out []string
	for _, k := range r.Kinds() {
		out = append(out, k.DeclaredType, k.RetiredType)
		if k.ErasedType != "" {
			out = append(out, k.ErasedType)
		}
	}
	for typ := range others {
		out = append(out, typ)
	}
	for typ := range r.Acts() {
		out = append(out, typ)
	}
	return out
}

// Wire names are durable state: whoever changes one has lost people's logs.
func TestWireNamesArePinned(t *testing.T) {
	for _, k := range kinds.Registry().Kinds() {
		for typ, suffix := range map[string]string{k.DeclaredType: "_declared.v1", k.RetiredType: "_retired.v1", k.ErasedType: "_erased.v1"} {
			if typ == "" {
				continue
			}
			if want := k.Service + "." + k.Token + suffix; typ != want {
				t.Errorf("kind %s: wire name %s, want %s", k.Name, typ, want)
			}
		}
	}
}

// addMissing fills every field of every message, so that the corpus notices a
// field that changes its number or type.
func addMissing(t *testing.T, r *resource.Registry) {
	if err := os.MkdirAll(corpus, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(typ string, payload []byte) {
		base := filepath.Join(corpus, typ+"@1")
		if _, err := os.Stat(base + ".bin"); err == nil {
			return
		}
		text, err := json.MarshalIndent(decode(t, r, typ, payload), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		for name, content := range map[string][]byte{base + ".bin": payload, base + ".json": append(text, '\n')} {
			if err := os.WriteFile(name, content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, k := range r.Kinds() {
		spec := k.NewSpec()
		fill(spec.ProtoReflect(), 0)
		for _, e := range []resource.Event{
			resource.Declared{Metadata: &commonv1.Metadata{Name: "example", Labels: map[string]string{"a": "b"},
				Protected: true, Effective: "2018-10-01"}, Spec: spec, Set: "set"},
			resource.Retired{Name: "example"},
			resource.Erased{Name: "example", Holders: []string{"person/example", "principal/u-42"}, Reason: "request 118"},
		} {
			if _, erased := e.(resource.Erased); erased && k.ErasedType == "" {
				continue
			}
			typ, payload, err := k.Encode(e)
			if err != nil {
				t.Fatal(err)
			}
			write(typ, payload)
		}
	}
	all := maps.Clone(others)
	for typ, act := range r.Acts() {
		all[typ] = act.New()
	}
	for typ, m := range all {
		m := proto.Clone(m)
		fill(m.ProtoReflect(), 0)
		payload, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		write(typ, payload)
	}
}

// fill sets every field to a value that tells it from its neighbours.
func fill(m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		n := int(f.Number())
		one := func() protoreflect.Value {
			switch f.Kind() {
			case protoreflect.StringKind:
				return protoreflect.ValueOfString(string(f.Name()))
			case protoreflect.DoubleKind:
				return protoreflect.ValueOfFloat64(float64(n) + 0.5)
			case protoreflect.Int64Kind:
				return protoreflect.ValueOfInt64(int64(n))
			case protoreflect.Int32Kind:
				return protoreflect.ValueOfInt32(int32(n))
			case protoreflect.BoolKind:
				return protoreflect.ValueOfBool(true)
			default:
				panic("fill: a field of kind " + f.Kind().String())
			}
		}
		switch {
		case depth > 4:
			return
		case f.IsMap():
			value := protoreflect.ValueOfString("value")
			if f.MapValue().Kind() == protoreflect.Int32Kind {
				value = protoreflect.ValueOfInt32(1)
			}
			m.Mutable(f).Map().Set(protoreflect.ValueOfString("key").MapKey(), value)
		case f.IsList() && f.Message() != nil:
			v := m.Mutable(f).List().AppendMutable()
			fill(v.Message(), depth+1)
		case f.IsList():
			m.Mutable(f).List().Append(one())
		case f.Message() != nil:
			fill(m.Mutable(f).Message(), depth+1)
		default:
			m.Set(f, one())
		}
	}
}
