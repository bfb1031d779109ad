package event_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"setpoint.dev/services/event"
)

// official is the JSON Schema of AsyncAPI 3.0.0.
func official(t *testing.T) *jsonschema.Schema {
	t.Helper()
	f, err := os.Open("testdata/asyncapi-3.0.0.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(z)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("asyncapi.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("asyncapi.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func asyncAPI(t *testing.T) (doc any, raw []byte) {
	t.Helper()
	raw, err := event.AsyncAPI("v1.2.3", empty)
	if err != nil {
		t.Fatal(err)
	}
	if doc, err = jsonschema.UnmarshalJSON(bytes.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
	return doc, raw
}

func TestAsyncAPIIsValid(t *testing.T) {
	s := official(t)
	doc, raw := asyncAPI(t)
	if err := s.Validate(doc); err != nil {
		t.Errorf("%v", err)
	}
	// The schema is one that can say no.
	broken, err := jsonschema.UnmarshalJSON(strings.NewReader(strings.ReplaceAll(string(raw), `"action": "send"`, `"action": "shout"`)))
	if err != nil {
		t.Fatal(err)
	}
	if s.Validate(broken) == nil {
		t.Error("an invalid document is valid")
	}
	for _, e := range event.Catalogue() {
		if got := bytes.Contains(raw, []byte(`"`+e.Type()+`"`)); got != e.Public() {
			t.Errorf("%s is in the document: %v", e.Type(), got)
		}
	}
}

// Every type has an example, of exactly that type, which is as the document says.
func TestExamplesAreAsTheDocumentSays(t *testing.T) {
	doc, _ := asyncAPI(t)
	c := jsonschema.NewCompiler()
	if err := c.AddResource("events.json", doc); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, e := range event.Catalogue() {
		if !e.Public() {
			continue
		}
		known[e.Type()+".json"] = true
		raw := event.Example(e.Type())
		if raw == nil {
			t.Errorf("%s has no example", e.Type())
			continue
		}
		s, err := c.Compile("events.json#/components/messages/" + e.Type() + "/payload")
		if err != nil {
			t.Fatal(err)
		}
		example, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(example); err != nil {
			t.Errorf("%s: %v", e.Type(), err)
		}
		var ce event.CloudEvent
		d := json.NewDecoder(bytes.NewReader(raw))
		d.DisallowUnknownFields()
		if err := d.Decode(&ce); err != nil || !strings.HasSuffix(ce.ID, "-"+e.Type()) {
			t.Errorf("%s: %v, id %s", e.Type(), err, ce.ID)
		}
	}
	files, err := os.ReadDir("examples")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !known[f.Name()] && f.Name() != "README.md" {
			t.Errorf("examples/%s is of no public type", f.Name())
		}
	}
}
