package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"setpoint.dev/services/internal/template"
)

// checkSchema tells where v breaks a schema; it knows the words that schemas
// of manifests use, and stumbles over any other.
func checkSchema(t *testing.T, root, s map[string]any, v any, at string) (faults []string) {
	t.Helper()
	no := func(format string, args ...any) { faults = append(faults, at+": "+fmt.Sprintf(format, args...)) }
	object, _ := v.(map[string]any)
	array, _ := v.([]any)
	number, isNumber := v.(float64)
	text, isText := v.(string)
	for word, want := range s {
		switch word {
		case "$schema", "title", "description", "definitions", "then":
		case "$ref":
			name := strings.TrimPrefix(want.(string), "#/definitions/")
			faults = append(faults, checkSchema(t, root, root["definitions"].(map[string]any)[name].(map[string]any), v, at)...)
		case "type":
			is := map[string]bool{
				"object": object != nil, "array": array != nil, "string": isText,
				"number": isNumber, "integer": isNumber && number == math.Trunc(number),
			}
			_, is["boolean"] = v.(bool)
			legal, many := want.([]any)
			if !many {
				legal = []any{want}
			}
			if !slices.ContainsFunc(legal, func(w any) bool { return is[w.(string)] }) {
				no("%v is not %v", v, want)
			}
		case "enum":
			if !slices.Contains(want.([]any), v) {
				no("%v is not one of %v", v, want)
			}
		case "const":
			if v != want {
				no("%v is not %v", v, want)
			}
		case "pattern":
			if isText && !regexp.MustCompile(want.(string)).MatchString(text) {
				no("%q does not match %s", text, want)
			}
		case "minLength":
			if isText && utf8.RuneCountInString(text) < int(want.(float64)) {
				no("%q is too short", text)
			}
		case "maxLength":
			if isText && utf8.RuneCountInString(text) > int(want.(float64)) {
				no("%q is too long", text)
			}
		case "minimum":
			if isNumber && number < want.(float64) {
				no("%v is less than %v", v, want)
			}
		case "exclusiveMinimum":
			if isNumber && number <= want.(float64) {
				no("%v is not more than %v", v, want)
			}
		case "maximum":
			if isNumber && number > want.(float64) {
				no("%v is more than %v", v, want)
			}
		case "required":
			for _, name := range want.([]any) {
				if _, there := object[name.(string)]; object != nil && !there {
					no("%s is missing", name)
				}
			}
		case "properties":
			for _, name := range slices.Sorted(maps.Keys(object)) {
				if p, known := want.(map[string]any)[name]; known {
					faults = append(faults, checkSchema(t, root, p.(map[string]any), object[name], at+"."+name)...)
				}
			}
		case "additionalProperties":
			known, _ := s["properties"].(map[string]any)
			for name, value := range object {
				if _, ok := known[name]; ok {
					continue
				}
				if values, ok := want.(map[string]any); ok {
					faults = append(faults, checkSchema(t, root, values, value, at+"."+name)...)
				} else {
					no("unknown field %s", name)
				}
			}
		case "maxProperties":
			if len(object) > int(want.(float64)) {
				no("too many fields")
			}
		case "items":
			for i, item := range array {
				faults = append(faults, checkSchema(t, root, want.(map[string]any), item, fmt.Sprintf("%s[%d]", at, i))...)
			}
		case "minItems":
			if array != nil && len(array) < int(want.(float64)) {
				no("too few items")
			}
		case "maxItems":
			if len(array) > int(want.(float64)) {
				no("too many items")
			}
		case "uniqueItems":
			seen := map[any]bool{}
			for _, item := range array {
				if seen[item] {
					no("%v is there twice", item)
				}
				seen[item] = true
			}
		case "allOf":
			for _, part := range want.([]any) {
				faults = append(faults, checkSchema(t, root, part.(map[string]any), v, at)...)
			}
		case "if":
			if len(checkSchema(t, root, want.(map[string]any), v, at)) == 0 {
				faults = append(faults, checkSchema(t, root, s["then"].(map[string]any), v, at)...)
			}
		default:
			t.Fatalf("the schema uses %q, which this test does not know", word)
		}
	}
	return faults
}

func schemaOf(t *testing.T, args ...string) map[string]any {
	t.Helper()
	var s map[string]any
	if err := json.Unmarshal([]byte(session{}.run(t, append([]string{"schema"}, args...)...).want(t, exitOK).stdout), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// documents of YAML, as JSON values. A date is the text that is written.
func documents(t *testing.T, content string) (out []any) {
	t.Helper()
	for d := yaml.NewDecoder(strings.NewReader(content)); ; {
		var node yaml.Node
		if err := d.Decode(&node); err != nil {
			return out
		}
		var walk func(n *yaml.Node)
		walk = func(n *yaml.Node) {
			if n.Tag == "!!timestamp" {
				n.Tag = "!!str"
			}
			for _, c := range n.Content {
				walk(c)
			}
		}
		walk(&node)
		var v any
		if err := node.Decode(&v); err != nil {
			t.Fatal(err)
		}
		out = append(out, floats(v))
	}
}

func TestSchemaAcceptsTheExamples(t *testing.T) {
	all := schemaOf(t)
	files, err := filepath.Glob(filepath.Join(packageFolder, "../../examples/*/plan*/*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	contents := map[string]string{}
	for _, f := range files {
		content, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		contents[f] = string(content)
	}
	for _, tmpl := range template.All {
		content, err := tmpl.Manifests(2026)
		if err != nil {
			t.Fatal(err)
		}
		contents[tmpl.Name] = string(content)
	}
	kinds := map[string]bool{}
	for f, content := range contents {
		for _, doc := range documents(t, content) {
			kind := doc.(map[string]any)["kind"].(string)
			kinds[kind] = true
			for _, s := range []map[string]any{all, schemaOf(t, kind)} {
				for _, fault := range checkSchema(t, s, s, doc, kind) {
					t.Errorf("%s: %s", f, fault)
				}
			}
		}
	}
	if len(kinds) < 9 {
		t.Errorf("the examples have only %v", kinds)
	}
}

func TestSchemaRefusesWhatTheServerRefuses(t *testing.T) {
	s := schemaOf(t)
	const head = "apiVersion: setpoint.dev/v1\nkind: "
	for _, tt := range []struct{ manifest, want string }{
		{head + "Metric\nmetadata: {name: m}\nspec: {cadence: yearly}", ""},
		{head + "Metric\nmetadata: {name: m}\nspec: {title: 2018, cadence: yearly, note: 1.10}", ""},
		{head + "Target\nmetadata: {name: t, labels: {year: 2018}}\nspec: {metric: m, periods: [{period: 2018, value: 3}]}", ""},
		{head + "Unit\nmetadata: {name: u}", ""},
		{head + "Metric\nmetadata: {name: m}\nspec: {title: a}", "cadence is missing"},
		{head + "Metric\nmetadata: {name: m}", "spec is missing"},
		{head + "Metric\nmetadata: {name: m}\nspec: {cadence: anually}", "anually is not one of"},
		{head + "Metric\nmetadata: {name: M}\nspec: {cadence: yearly}", "does not match"},
		{head + "Metric\nmetadata: {}\nspec: {cadence: yearly}", "name is missing"},
		{head + "Metric\nmetadata: {name: m}\nspec: {cadence: yearly, decimals: 11}", "more than 10"},
		{head + "Metric\nmetadata: {name: m}\nspec: {cadence: yearly, decimals: 1.5}", "is not integer"},
		{head + "Metric\nmetadata: {name: m}\nspec: {cadence: yearly, reported_every: yearly}", "unknown field reported_every"},
		{head + "Metric\nmetadata: {name: m}\nspec: {cadence: yearly, ratio: {numerator: a}}", "denominator is missing"},
		{head + "Target\nmetadata: {name: t}\nspec: {metric: m, weight: 0}", "not more than 0"},
		{head + "Target\nmetadata: {name: t}\nspec: {metric: m, value: high}", "is not number"},
		{head + "Target\nmetadata: {name: t}\nspec: {metric: m, trajectory: {points: [{date: 2018-01-01}]}}", "value is missing"},
		{head + "Target\nmetadata: {name: t, labels: {a: [b]}}\nspec: {metric: m}", "is not [string number]"},
		{head + "Target\nmetadata: {name: t}\nspec: {metric: m, due: 2026-12-31, owner: unit/a}", ""},
		{head + "Target\nmetadata: {name: t}\nspec: {metric: m, due: 31.12.2026}", "does not match"},
		{head + "Target\nmetadata: {name: t}\nspec: {metric: m, due: 2026-13-31}", "does not match"},
		{head + "Target\nmetadata: {name: t}\nspec: {metric: m, owner: bob}", "does not match"},
		{head + "Goal\nmetadata: {name: t}", "Goal is not one of"},
		{"apiVersion: v2\nkind: Unit\nmetadata: {name: t}", "v2 is not"},
		{"kind: Unit\nmetadata: {name: t}", "apiVersion is missing"},
	} {
		got := strings.Join(checkSchema(t, s, s, documents(t, tt.manifest)[0], ""), "\n")
		if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("%s\n→ %q, want %q", tt.manifest, got, tt.want)
		}
	}
}

func TestSchemaIsTheSameEachTime(t *testing.T) {
	first := session{}.run(t, "schema").want(t, exitOK).stdout
	if second := (session{}).run(t, "schema").stdout; second != first || !strings.Contains(first, draft) {
		t.Errorf("differs, or is no schema: %.200s", first)
	}
}
