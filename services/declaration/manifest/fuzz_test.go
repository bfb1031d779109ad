package manifest_test

import (
	"os"
	"path/filepath"
	"testing"

	"buf.build/go/protovalidate"

	"setpoint.dev/services/declaration/manifest"
)

// Parse ends on any input; what it returns satisfies the schema, and written
// and read again is the same.
func FuzzParse(f *testing.F) {
	inputs, err := filepath.Glob("testdata/faults/*")
	if err != nil {
		f.Fatal(err)
	}
	for _, input := range inputs {
		content, err := os.ReadFile(input)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content, filepath.Ext(input) == ".json")
	}
	f.Add([]byte(target), false)
	f.Add([]byte("["+jsonUnit("a")+"]"), true)
	f.Fuzz(func(t *testing.T, content []byte, json bool) {
		path := "p.yaml"
		if json {
			path = "p.json"
		}
		documents, places := manifest.Parse([]manifest.File{{Path: path, Content: content}}, kinds, manifest.Limits{})
		for _, p := range places {
			if p.Message == "" || p.Reason == "" || p.File != path && p.File != "" {
				t.Errorf("a fault that says nothing: %+v", p)
			}
		}
		for _, d := range documents {
			if err := protovalidate.Validate(d.Metadata); err != nil {
				t.Error(err)
			}
			if err := protovalidate.Validate(d.Spec); err != nil {
				t.Error(err)
			}
			written := encode(t, resource(t, d))
			again, places := manifest.Parse([]manifest.File{{Path: "again.yaml", Content: []byte(written)}}, kinds, manifest.Limits{})
			if len(places) > 0 || len(again) != 1 {
				t.Fatalf("does not read back:\n%s\n%s", render(places), written)
			}
			if second := encode(t, resource(t, again[0])); second != written {
				t.Errorf("reads back as\n%s\nnot\n%s", second, written)
			}
		}
	})
}
