package cli

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	"setpoint.dev/services/importer/mapping"
	"setpoint.dev/services/internal/fault"
)

// draft is the dialect that editors know best.
const draft = "http://json-schema.org/draft-07/schema#"

// asyncAPI is the word for the document of the public events.
const asyncAPI = "asyncapi"

// apiVersion of the manifests.
const apiVersion = "setpoint.dev/v1"

func (a *app) schemaCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "schema [KIND | mapping | asyncapi]",
		Short: "Print the JSON Schema of manifests or import mappings, or the AsyncAPI document of the public events",
		Long: `Schema prints the JSON Schema (draft 7) of the manifests of every kind, or of one:
fields, types, legal words, bounds, patterns. Editors complete and check
manifests with it; the rules that need more than one field are what
setpoint plan --offline checks.

Schema asyncapi prints the AsyncAPI 3.0 document of the public events: channels,
messages, JSON Schemas, and an example of each (docs/events.md). No server is
asked.`,
		Example: `  setpoint schema > setpoint.schema.json
  setpoint schema target
  setpoint schema mapping > mapping.schema.json     # of setpoint import
  setpoint schema asyncapi > setpoint.asyncapi.json`,
		Args: betweenArgs(0, 1, ""),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return append(declaredKindNames(), "mapping", asyncAPI), noFiles
		},
	}
	cmd.RunE = runE(func(_ context.Context, args []string) error {
		if len(args) > 0 && args[0] == asyncAPI {
			if a.opts.AsyncAPI == nil {
				return fault.New(fault.Unavailable, "cli.client_only", "this build of setpoint is a client only")
			}
			raw, err := a.opts.AsyncAPI(a.version())
			if err != nil {
				return err
			}
			a.printf("%s\n", raw)
			return nil
		}
		of := declaredKinds()
		if len(args) > 0 {
			if args[0] == "mapping" {
				raw, err := json.MarshalIndent(mapping.Schema(), "", "  ")
				if err != nil {
					return err
				}
				a.printf("%s\n", raw)
				return nil
			}
			k, err := kindNamed(args[0])
			if err != nil {
				return err
			}
			if k.Spec == nil {
				return &usageError{
					message: "the kind " + k.Name + " has no schema in this version",
					hint:    "legal are " + strings.Join(declaredKindNames(), ", "),
				}
			}
			of = []kind{k}
		}
		raw, err := json.MarshalIndent(manifestSchema(of), "", "  ")
		if err != nil {
			return err
		}
		a.printf("%s\n", raw)
		return nil
	})
	return cmd
}

// declaredKinds are those whose spec this version knows.
func declaredKinds() []kind {
	return slices.DeleteFunc(slices.Clone(kinds), func(k kind) bool { return k.Spec == nil })
}

func declaredKindNames() []string {
	var names []string
	for _, k := range declaredKinds() {
		names = append(names, strings.ToLower(k.Name))
	}
	return names
}

// schema is a JSON Schema; encoding/json sorts its keys, so that the same
// version prints the same bytes.
type schema map[string]any

// manifestSchema is that of one manifest of any of the kinds.
func manifestSchema(of []kind) schema {
	definitions := schema{}
	var names []string
	var cases []schema
	for _, k := range of {
		names = append(names, k.Name)
		spec := messageSchema(k.Spec.ProtoReflect().Descriptor(), definitions)
		then := schema{"properties": schema{"spec": spec}}
		if requires(definitions, spec) {
			then["required"] = []string{"spec"}
		}
		cases = append(cases, schema{
			"if":   schema{"properties": schema{"kind": schema{"const": k.Name}}, "required": []string{"kind"}},
			"then": then,
		})
	}
	return schema{
		"$schema": draft, "title": "setpoint manifest", "type": "object",
		"properties": schema{
			"apiVersion": schema{"const": apiVersion},
			"kind":       schema{"enum": names},
			"metadata":   messageSchema((&commonv1.Metadata{}).ProtoReflect().Descriptor(), definitions),
			"spec":       schema{"type": "object"},
			"provenance": schema{"type": "object", "description": "What the log knows of this version; ignored."},
		},
		"required":             []string{"apiVersion", "kind", "metadata"},
		"additionalProperties": false,
		"allOf":                cases,
		"definitions":          definitions,
	}
}

// requires reports whether the message a reference leads to has required fields.
func requires(definitions, reference schema) bool {
	name, _ := reference["$ref"].(string)
	d, _ := definitions[strings.TrimPrefix(name, "#/definitions/")].(schema)
	_, has := d["required"]
	return has
}

// definitionName is a message's name with the slice it is of: two slices may
// have messages of the same name.
func definitionName(d protoreflect.MessageDescriptor) string {
	return strings.Replace(strings.TrimPrefix(string(d.FullName()), "setpoint."), ".v1.", ".", 1)
}

// messageSchema refers to the definition of a message, which it makes first.
func messageSchema(d protoreflect.MessageDescriptor, definitions schema) schema {
	name := definitionName(d)
	reference := schema{"$ref": "#/definitions/" + name}
	if _, done := definitions[name]; done {
		return reference
	}
	s := schema{"type": "object", "additionalProperties": false}
	definitions[name] = s
	properties := schema{}
	var required []string
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		property, must := fieldSchema(f, definitions)
		properties[f.JSONName()] = property
		if must {
			required = append(required, f.JSONName())
		}
	}
	s["properties"] = properties
	if required != nil {
		s["required"] = required
	}
	return reference
}

// fieldSchema is the schema of a field, and whether it must be there.
func fieldSchema(f protoreflect.FieldDescriptor, definitions schema) (schema, bool) {
	rules := rulesOf(f)
	switch {
	case f.IsMap():
		s := schema{"type": "object", "additionalProperties": valueSchema(f.MapValue(), rules.GetMap().GetValues(), definitions)}
		if most := rules.GetMap().GetMaxPairs(); most > 0 {
			s["maxProperties"] = most
		}
		return s, rules.GetRequired()
	case f.IsList():
		r := rules.GetRepeated()
		s := schema{"type": "array", "items": valueSchema(f, r.GetItems(), definitions)}
		if r.GetMaxItems() > 0 {
			s["maxItems"] = r.GetMaxItems()
		}
		if r.GetMinItems() > 0 {
			s["minItems"] = r.GetMinItems()
		}
		if r.GetUnique() {
			s["uniqueItems"] = true
		}
		return s, rules.GetRequired() || r.GetMinItems() > 0
	}
	return valueSchema(f, rules, definitions), rules.GetRequired() || mustBeWritten(f, rules)
}

func rulesOf(f protoreflect.FieldDescriptor) *validate.FieldRules {
	rules, _ := proto.GetExtension(f.Options(), validate.E_Field).(*validate.FieldRules)
	return rules
}

// mustBeWritten reports whether a text that is left out, and so is empty,
// breaks its rules.
func mustBeWritten(f protoreflect.FieldDescriptor, rules *validate.FieldRules) bool {
	r := rules.GetString()
	if f.Kind() != protoreflect.StringKind || f.HasPresence() {
		return false
	}
	in := r.GetIn()
	return r.GetMinLen() > 0 || len(in) > 0 && !slices.Contains(in, "") || f.FullName() == "setpoint.common.v1.Metadata.name"
}

func valueSchema(f protoreflect.FieldDescriptor, rules *validate.FieldRules, definitions schema) schema {
	switch f.Kind() {
	case protoreflect.MessageKind:
		return messageSchema(f.Message(), definitions)
	case protoreflect.BoolKind:
		return schema{"type": "boolean"}
	case protoreflect.DoubleKind:
		s := schema{"type": "number"}
		r := rules.GetDouble()
		bound(s, "exclusiveMinimum", r.HasGt(), r.GetGt())
		bound(s, "minimum", r.HasGte(), r.GetGte())
		bound(s, "exclusiveMaximum", r.HasLt(), r.GetLt())
		bound(s, "maximum", r.HasLte(), r.GetLte())
		return s
	case protoreflect.Int32Kind:
		s := schema{"type": "integer"}
		r := rules.GetInt32()
		bound(s, "minimum", r.HasGte(), r.GetGte())
		bound(s, "maximum", r.HasLte(), r.GetLte())
		return s
	}
	r := rules.GetString()
	if words := slices.DeleteFunc(slices.Clone(r.GetIn()), func(w string) bool { return w == "" }); len(words) > 0 {
		return schema{"enum": words}
	}
	if pattern := formOf(f); pattern != "" && r.GetPattern() == "" {
		return schema{"type": "string", "pattern": pattern}
	}
	// A text may be written without quotes: 2018 is the text "2018".
	s := schema{"type": []string{"string", "number"}}
	bound(s, "pattern", r.GetPattern() != "", r.GetPattern())
	bound(s, "maxLength", r.GetMaxLen() > 0, r.GetMaxLen())
	bound(s, "minLength", r.GetMinLen() > 0, r.GetMinLen())
	return s
}

// formOf is the pattern of texts whose form the server checks in code, to say more
// than that a pattern does not match: days, and who owns something.
func formOf(f protoreflect.FieldDescriptor) string {
	switch name := f.Name(); name {
	case "date", "due", "end", "forecast", "from", "planned", "ramp_end", "ramp_start", "start", "to":
		pattern := "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
		if mustBeWritten(f, rulesOf(f)) {
			return "^" + pattern + "$"
		}
		return "^(" + pattern + ")?$"
	case "owner":
		return "^((unit|person)/[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$"
	}
	return ""
}

func bound[T any](s schema, name string, there bool, v T) {
	if there {
		s[name] = v
	}
}
