package mapping_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"

	"setpoint.dev/services/importer/mapping"
)

// Every example is legal, and legal by the schema that editors check it with.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("../../examples/mappings/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	raw, err := json.Marshal(mapping.Schema())
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(raw, &schema); err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := mapping.Parse(file, content); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		var v any
		if err := yaml.Unmarshal(content, &v); err != nil {
			t.Fatal(err)
		}
		for _, fault := range conforms(schema, v, file) {
			t.Error(fault)
		}
	}
	bad := map[string]any{"apiVersion": mapping.Version, "sheets": []any{map[string]any{"columns": []any{map[string]any{"role": "nome"}}, "colums": 1}}}
	if n := len(conforms(schema, bad, "bad")); n != 2 {
		t.Errorf("a role and a field that nobody knows: %d faults", n)
	}
}

// conforms is as much of JSON Schema as the mapping's uses.
func conforms(s map[string]any, v any, at string) (faults []string) {
	if legal, ok := s["const"]; ok && fmt.Sprint(legal) != fmt.Sprint(v) {
		return []string{fmt.Sprintf("%s: %v is not %v", at, v, legal)}
	}
	if legal, ok := s["enum"].([]any); ok && !slices.ContainsFunc(legal, func(w any) bool { return fmt.Sprint(w) == fmt.Sprint(v) }) {
		return []string{fmt.Sprintf("%s: %v is not one of %v", at, v, legal)}
	}
	switch v := v.(type) {
	case map[string]any:
		properties, _ := s["properties"].(map[string]any)
		for key, value := range v {
			sub, ok := properties[key].(map[string]any)
			if !ok {
				if sub, ok = s["additionalProperties"].(map[string]any); !ok {
					faults = append(faults, at+": no field "+key)
					continue
				}
			}
			faults = append(faults, conforms(sub, value, at+"."+key)...)
		}
		required, _ := s["required"].([]any)
		for _, key := range required {
			if _, ok := v[key.(string)]; !ok {
				faults = append(faults, fmt.Sprintf("%s: %s is missing", at, key))
			}
		}
	case []any:
		items, ok := s["items"].(map[string]any)
		if !ok {
			return []string{at + ": a list"}
		}
		for i, value := range v {
			faults = append(faults, conforms(items, value, fmt.Sprintf("%s[%d]", at, i))...)
		}
	default:
		if s["type"] == "object" || s["type"] == "array" {
			return []string{fmt.Sprintf("%s: %v is not an %v", at, v, s["type"])}
		}
	}
	return faults
}
