package eventlog

import (
	"bytes"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	"setpoint.dev/services/internal/fault"
)

func stored(t testing.TB, change func(*eventv1.Envelope)) []byte {
	t.Helper()
	e := &eventv1.Envelope{
		Format: 1, RequestId: "id", Recorded: timestamppb.New(time.Unix(1_500_000_000, 0)),
		Commit: &eventv1.Commit{Count: 1},
		Events: []*eventv1.Event{{Type: "strategy.metric_declared.v1", Payload: []byte{1, 2, 3}}},
	}
	change(e)
	b, err := proto.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecodeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*eventv1.Envelope)
		reason string
	}{
		"newer format":      {func(e *eventv1.Envelope) { e.Format = 2 }, "log.format_newer"},
		"no format":         {func(e *eventv1.Envelope) { e.Format = 0 }, "log.envelope_corrupt"},
		"no request id":     {func(e *eventv1.Envelope) { e.RequestId = "" }, "log.envelope_corrupt"},
		"no commit":         {func(e *eventv1.Envelope) { e.Commit = nil }, "log.envelope_corrupt"},
		"beyond its commit": {func(e *eventv1.Envelope) { e.Commit.Index = 1 }, "log.envelope_corrupt"},
		"no events":         {func(e *eventv1.Envelope) { e.Events = nil }, "log.envelope_corrupt"},
		"no type":           {func(e *eventv1.Envelope) { e.Events[0].Type = "" }, "log.envelope_corrupt"},
		"short hash":        {func(e *eventv1.Envelope) { e.PreviousHash = []byte{1} }, "log.envelope_corrupt"},
		"short digest":      {func(e *eventv1.Envelope) { e.RequestDigest = []byte{1} }, "log.envelope_corrupt"},
		"no time":           {func(e *eventv1.Envelope) { e.Recorded = nil }, "log.envelope_corrupt"},
		"no such time":      {func(e *eventv1.Envelope) { e.Recorded.Nanos = -1 }, "log.envelope_corrupt"},
	} {
		t.Run(name, func(t *testing.T) {
			if e, err := Decode(stored(t, c.change)); fault.ReasonOf(err) != c.reason {
				t.Fatalf("got %v, %v; want %s", e, err, c.reason)
			}
		})
	}
	if _, err := Decode(stored(t, func(*eventv1.Envelope) {})); err != nil {
		t.Fatal(err)
	}
}

func TestHeadersMustAgreeWithTheEnvelope(t *testing.T) {
	two := []*eventv1.Event{{Type: "strategy.a.v1"}, {Type: "strategy.b.v1"}, {Type: "strategy.a.v1"}}
	body := stored(t, func(e *eventv1.Envelope) { e.Events = two })
	const subject = "sp.0.acme.strategy.metric.m"
	for name, c := range map[string]struct {
		subject, types, request string
		ok                      bool
	}{
		"as written":    {subject, "strategy.a.v1,strategy.b.v1", "id", true},
		"fewer types":   {subject, "strategy.a.v1", "id", false},
		"more types":    {subject, "strategy.a.v1,strategy.b.v1,strategy.c.v1", "id", false},
		"no types":      {subject, "", "id", false},
		"other request": {subject, "strategy.a.v1,strategy.b.v1", "other", false},
		"other shard":   {"sp.1.acme.strategy.metric.m", "strategy.a.v1,strategy.b.v1", "id", false},
		"other subject": {"sp.0.acme", "strategy.a.v1,strategy.b.v1", "id", false},
	} {
		t.Run(name, func(t *testing.T) {
			header := map[string]string{HeaderTypes: c.types, HeaderRequest: c.request}
			r, err := decodeRecord(0, c.subject, 7, func(k string) string { return header[k] }, body)
			if (err == nil) != c.ok {
				t.Fatalf("got %v, %v", r, err)
			}
			if c.ok && (r.Sequence != 7 || r.Revision != 7 || r.Size != len(body) || !bytes.Equal(r.Hash, hashOf(body))) {
				t.Errorf("got %+v", r)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(stored(f, func(*eventv1.Envelope) {}), "strategy.metric_declared.v1", "id", uint64(1))
	f.Add(stored(f, func(e *eventv1.Envelope) { e.Commit = &eventv1.Commit{Index: 3, Count: 5} }), "", "", uint64(4))
	f.Add(stored(f, func(e *eventv1.Envelope) { e.Format = 9 }), "a.b.v1,", "id", uint64(0))
	f.Fuzz(func(t *testing.T, data []byte, types, request string, sequence uint64) {
		header := map[string]string{HeaderTypes: types, HeaderRequest: request}
		r, err := decodeRecord(0, "sp.0.acme.strategy.metric.m", sequence, func(k string) string { return header[k] }, data)
		if err == nil && (r.Revision < r.Sequence || r.Sequence != sequence) {
			t.Fatalf("sequence %d, revision %d", r.Sequence, r.Revision)
		}
		e, err := Decode(data)
		if err != nil {
			if reason := fault.ReasonOf(err); reason != "log.format_newer" && reason != "log.envelope_corrupt" {
				t.Fatalf("%v has reason %q", err, reason)
			}
			return
		}
		// What decodes is what the encoder can say.
		again, err := proto.MarshalOptions{Deterministic: true}.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Decode(again)
		if err != nil || !proto.Equal(e, back) {
			t.Fatalf("%v became %v, %v", e, back, err)
		}
	})
}
