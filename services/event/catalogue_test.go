package event_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	"setpoint.dev/services/event"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/kinds"
)

var update = flag.Bool("update", false, "write the documentation")

func empty(typ string) proto.Message { return record.Message(kinds.Registry(), typ) }

// internal are all event types that a log may hold.
func internal(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../kinds/testdata/events/*.bin")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	out := []string{}
	for _, f := range files {
		typ, _, _ := strings.Cut(filepath.Base(f), "@")
		out = append(out, typ)
	}
	for _, k := range kinds.Registry().Kinds() {
		out = append(out, k.DeclaredType, k.RetiredType)
	}
	for typ := range kinds.Registry().Acts() {
		out = append(out, typ)
	}
	return out
}

// Who adds an event decides whether it is told outside.
func TestEveryEventHasADecision(t *testing.T) {
	all := map[string]bool{}
	for _, typ := range internal(t) {
		all[typ] = true
		if _, ok := event.Decision(typ); !ok {
			t.Errorf("nobody decided whether %s is public: add it to the catalogue", typ)
		}
	}
	types, subjects := map[string]bool{}, map[string]bool{}
	for _, e := range event.Catalogue() {
		if !all[e.Internal] {
			t.Errorf("the catalogue knows %s, which nobody declared", e.Internal)
		}
		if e.Public() == (e.Says == "") {
			t.Errorf("%s: says %q, kept %q", e.Internal, e.Says, e.Kept)
		}
		if types[e.Type()] || subjects[e.Subject("acme")] {
			t.Errorf("%s: another event is called %s too", e.Internal, e.Type())
		}
		types[e.Type()], subjects[e.Subject("acme")] = true, true
	}
}

// Names are a contract; the rule that makes them is pinned by these.
func TestNames(t *testing.T) {
	for internal, want := range map[string][2]string{
		"gap.gap_opened.v1":                 {"dev.setpoint.gap.opened.v1", "setpoint.acme.gap.gap-opened"},
		"gap.data_went_stale.v1":            {"dev.setpoint.gap.data-went-stale.v1", "setpoint.acme.gap.data-went-stale"},
		"strategy.strategy_declared.v1":     {"dev.setpoint.strategy.declared.v1", "setpoint.acme.strategy.strategy-declared"},
		"strategy.observations_recorded.v1": {"dev.setpoint.strategy.observations-recorded.v1", "setpoint.acme.strategy.observations-recorded"},
	} {
		e, _ := event.Decision(internal)
		if got := [2]string{e.Type(), e.Subject("acme")}; got != want {
			t.Errorf("%s is %v, want %v", internal, got, want)
		}
	}
}

func message(typ string, payload []byte) event.Message {
	return event.Message{
		Log: "l", Shard: 0, Sequence: 7, Revision: 8, Org: "acme", Kind: "condition", ID: "vacant-space",
		Envelope: &eventv1.Envelope{
			Principal: "u-42", Manager: "cli", Reason: "Jane said so",
			Recorded: timestamppb.New(time.Date(2026, 3, 1, 12, 0, 0, 5e8, time.UTC)),
			Events:   []*eventv1.Event{{Type: typ, Payload: payload}},
		},
	}
}

// fill sets every field that may hold personal data, at every depth.
func fill(m protoreflect.Message, depth int) {
	for i := range m.Descriptor().Fields().Len() {
		f := m.Descriptor().Fields().Get(i)
		is, _ := proto.GetExtension(f.Options(), commonv1.E_Personal).(bool)
		switch {
		case is && f.Kind() == protoreflect.StringKind && !f.IsList():
			m.Set(f, protoreflect.ValueOfString("SECRET"))
		case is && f.Kind() == protoreflect.StringKind:
			m.Mutable(f).List().Append(protoreflect.ValueOfString("SECRET"))
		case f.IsMap() || f.Message() == nil || depth > 5 || strings.HasPrefix(string(f.Message().FullName()), "google."):
		case f.IsList():
			fill(m.Mutable(f).List().AppendMutable().Message(), depth+1)
		default:
			fill(m.Mutable(f).Message(), depth+1)
		}
	}
}

func TestNothingPersonalIsTold(t *testing.T) {
	filled := 0
	for _, e := range event.Catalogue() {
		m := empty(e.Internal)
		if m == nil || !e.Public() {
			continue
		}
		fill(m.ProtoReflect(), 0)
		payload, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		filled += strings.Count(string(payload), "SECRET")
		out, err := event.Public(message(e.Internal, payload), empty)
		if err != nil || len(out) != 1 {
			t.Fatalf("%s: %v, %v", e.Internal, out, err)
		}
		if all := fmt.Sprintf("%+v %s", out[0].Event, out[0].Event.Data); strings.Contains(all, "SECRET") || strings.Contains(all, "Jane") {
			t.Errorf("%s tells %s", e.Internal, all)
		}
	}
	if filled < 10 {
		t.Errorf("only %d personal fields were tried", filled)
	}
}

func TestPublic(t *testing.T) {
	payload, err := os.ReadFile("../kinds/testdata/events/gap.gap_opened.v1@1.bin")
	if err != nil {
		t.Fatal(err)
	}
	m := message("gap.reaction_held.v1", nil) // kept: takes an index, and is not told
	m.Envelope.Events = append(m.Envelope.Events, &eventv1.Event{Type: "gap.gap_opened.v1", Payload: payload})
	out, err := event.Public(m, empty)
	if err != nil || len(out) != 1 {
		t.Fatalf("%v, %v", out, err)
	}
	e := out[0].Event
	if e.ID != "0-7-1-dev.setpoint.gap.opened.v1" || e.Source != "/setpoint/l/acme" || e.Time != "2026-03-01T12:00:00.5Z" ||
		e.Subject != "target/vacant-space" || e.Revision != "8" || e.Principal != "u-42" || !strings.Contains(string(e.Data), `"fromStatus":"from_status"`) {
		t.Errorf("%+v %s", e, e.Data)
	}
	if id, err := event.ParseID(e.ID); err != nil || id != out[0].ID {
		t.Errorf("%v, %v", id, err)
	}
	m.Envelope.Events[0].Type = "gap.invented.v9"
	if _, err := event.Public(m, empty); err == nil {
		t.Error("an unknown event is passed over")
	}
	m.Envelope.Events = []*eventv1.Event{{Type: "gap.gap_opened.v1", Payload: []byte{0xff}}}
	if _, err := event.Public(m, empty); err == nil {
		t.Error("a damaged event is passed over")
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("0-7-1-dev.setpoint.gap.opened.v1")
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := event.ParseID(s); err == nil && id.String() != s {
			t.Errorf("%q became %q", s, id)
		}
	})
}

func TestMatches(t *testing.T) {
	const typ = "dev.setpoint.gap.opened.v1"
	for asked, want := range map[string]bool{
		"gap": true, "gap.": true, "gap.opened": true, "gap.opened.v1": true, typ: true, "dev.setpoint.gap": true,
		"ga": false, "gap.open": false, "strategy": false, "gap.opened.v1.x": false,
	} {
		if got := event.Matches(typ, []string{asked}); got != want {
			t.Errorf("%s: %v", asked, got)
		}
	}
	if !event.Matches(typ, nil) || !event.Matches(typ, []string{"change", "gap"}) {
		t.Error("none asks for all, and one of several is enough")
	}
}

const page = "../docs/events.md"

// The catalogue in the documentation is made from the decisions; run with -update.
func TestDocumented(t *testing.T) {
	was, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- catalogue -->\n", "<!-- end of catalogue -->\n"
	head, rest, ok1 := strings.Cut(string(was), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatal("the page has no place for the catalogue")
	}
	var b strings.Builder
	b.WriteString("| type | subject | tells |\n|---|---|---|\n")
	for _, e := range event.Catalogue() {
		if e.Public() {
			fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", e.Type(), e.Subject("ORG"), e.Says)
		}
	}
	now := head + begin + b.String() + end + tail
	if *update {
		if err := os.WriteFile(page, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if now != string(was) {
		t.Error("the page is not what was decided: run this test with -update and commit the file")
	}
}
