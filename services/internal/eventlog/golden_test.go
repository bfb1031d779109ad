package eventlog

import (
	"bytes"
	"encoding/hex"
	"flag"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

var update = flag.Bool("update", false, "rewrite the golden messages")

// exampleDrafts are the two commits that ADR 0001 shows: the first two values
// of a metric.
func exampleDrafts(t *testing.T) (Command, [2]Draft, time.Time) {
	t.Helper()
	payload := func(day string, value float64) []byte {
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(&strategyv1.ObservationsRecorded{
			Values: []*strategyv1.ObservedValue{{ObservedAt: day, Value: value, Source: "gsa"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	at := time.Date(2018, 11, 15, 9, 30, 0, 250_000_000, time.UTC)
	command := Command{
		RequestID:     "7f8d1c52-0c1e-4a53-9a52-3f1b8e0f6a11",
		RequestDigest: hashOf([]byte("vacant-space,2018-09-30,0.033,gsa")),
		Principal:     "p-4711",
		Manager:       "cli",
		Recorded:      at,
	}
	subject := Subject{Org: "acme", Service: "strategy", Kind: "observations", ID: "vacant-space"}
	first := Draft{Subject: subject, Events: []Event{{Type: "strategy.observations_recorded.v1", Payload: payload("2017-09-30", 0.031)}}}
	second := Draft{Subject: subject, Expected: 41, Events: []Event{{Type: "strategy.observations_recorded.v1", Payload: payload("2018-09-30", 0.033)}}}
	earlier := command
	earlier.RequestID = "0a6f5b1e-8f0e-4a53-9a52-3f1b8e0f6a10"
	body, err := encodeEnvelope(earlier, first, at, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	second.PreviousHash = hashOf(body)
	return command, [2]Draft{first, second}, at
}

// wire is a message as it travels and is stored: header block, then body.
func wire(t *testing.T, m *nats.Msg) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("NATS/1.0\r\n")
	// Sorted, so that the golden file is stable; the order on the wire is not
	// significant.
	if err := http.Header(m.Header).Write(&b); err != nil {
		t.Fatal(err)
	}
	b.WriteString("\r\n")
	b.Write(m.Data)
	return b.Bytes()
}

func TestADRExampleIsWhatTheCodeWrites(t *testing.T) {
	command, drafts, at := exampleDrafts(t)
	body, err := encodeEnvelope(command, drafts[1], at, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	m := newMessage(0, command, drafts[1], body, true)
	got := "subject " + m.Subject + "\n" + hex.Dump(wire(t, m)) +
		"SHA-256 of the body\n" + hex.EncodeToString(hashOf(body)) + "\n"

	const golden = "testdata/adr0001.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the encoding of the example changed: stored logs hold these bytes for ever\ngot:\n%s\nwant:\n%s", got, want)
	}
	adr, err := os.ReadFile("../../docs/adr/0001-envelope-and-subjects.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(adr), "```\n"+string(want)+"```\n") {
		t.Errorf("ADR 0001 does not show %s", golden)
	}
}

func TestADRExampleDecodes(t *testing.T) {
	golden, err := os.ReadFile("testdata/adr0001.txt")
	if err != nil {
		t.Fatal(err)
	}
	var raw []byte
	for line := range strings.Lines(string(golden)) {
		if len(line) < 60 || line[8:10] != "  " {
			continue
		}
		b, err := hex.DecodeString(strings.ReplaceAll(line[10:58], " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		raw = append(raw, b...)
	}
	_, body, found := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !found {
		t.Fatal("no header block in the golden message")
	}
	e, err := Decode(body)
	if err != nil {
		t.Fatal(err)
	}
	values := new(strategyv1.ObservationsRecorded)
	if err := proto.Unmarshal(e.Events[0].Payload, values); err != nil {
		t.Fatal(err)
	}
	if e.Principal != "p-4711" || e.Commit.Count != 1 || len(e.PreviousHash) != 32 || values.Values[0].Value != 0.033 {
		t.Errorf("decoded %v with %v", e, values)
	}
}
