package manifest

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"setpoint.dev/services/internal/resource"
)

// check reports which rules of its schema the message breaks, in words. Fields
// that have a fault already are passed over.
func (d *decoding) check(path string, m proto.Message) {
	if d.wrong[path] {
		return
	}
	err := protovalidate.Validate(m)
	if err == nil {
		return
	}
	var invalid *protovalidate.ValidationError
	if !errors.As(err, &invalid) {
		d.fault(d.top, path, "manifest.rules", "cannot be checked: "+err.Error(), "")
		return
	}
	for _, v := range invalid.Violations {
		field := path + fieldPath(v.Proto.GetField(), m.ProtoReflect().Descriptor())
		if d.isWrong(field) {
			continue
		}
		reason, message, hint := broken(v)
		d.fault(nearest(d.fields, field, d.top), field, reason, message, hint)
		d.wrong[field] = true
	}
}

// isWrong reports whether the field or one around it has a fault.
func (d *decoding) isWrong(field string) bool {
	for field != "" {
		if d.wrong[field] {
			return true
		}
		field = field[:max(strings.LastIndexAny(field, ".["), 0)]
	}
	return false
}

// fieldPath is the path of a violation in the names of the JSON form, with a
// dot or bracket before each step.
func fieldPath(path *validate.FieldPath, m protoreflect.MessageDescriptor) string {
	var b strings.Builder
	for _, e := range path.GetElements() {
		name := e.GetFieldName()
		var field protoreflect.FieldDescriptor
		if m != nil {
			field = m.Fields().ByName(protoreflect.Name(name))
		}
		m = nil
		if field != nil {
			name = field.JSONName()
			if m = field.Message(); field.IsMap() {
				m = field.MapValue().Message()
			}
		}
		b.WriteString("." + name)
		switch s := e.GetSubscript().(type) {
		case *validate.FieldPathElement_Index:
			fmt.Fprintf(&b, "[%d]", s.Index)
		case *validate.FieldPathElement_StringKey:
			b.WriteString(strings.TrimPrefix(join(".", s.StringKey), "."))
		case *validate.FieldPathElement_IntKey:
			fmt.Fprintf(&b, "[%d]", s.IntKey)
		case *validate.FieldPathElement_UintKey:
			fmt.Fprintf(&b, "[%d]", s.UintKey)
		case *validate.FieldPathElement_BoolKey:
			fmt.Fprintf(&b, "[%t]", s.BoolKey)
		}
	}
	return b.String()
}

// broken says in words which rule was broken, what was found, and what is
// legal.
func broken(v *protovalidate.Violation) (reason, message, hint string) {
	rule := v.Proto.GetRuleId()
	found := ""
	isText := v.FieldValue.IsValid() && v.FieldDescriptor != nil && v.FieldDescriptor.Kind() == protoreflect.StringKind
	if isText {
		found, isText = v.FieldValue.Interface().(string)
	}
	switch {
	case v.Proto.GetForKey():
	case rule == "required", isText && found == "" && strings.HasPrefix(rule, "string."):
		reason, message = "manifest.required", "is required"
		if legal := legalWords(v); legal != nil {
			hint = "one of " + list(legal)
		} else if rule == "string.pattern" {
			hint = resource.Patterns[v.RuleValue.String()]
		}
		return reason, message, hint
	case rule == "string.in":
		legal := legalWords(v)
		if word := closest(found, legal); word != "" {
			hint = "did you mean " + word + "?"
		}
		return "manifest.not_one_of", "must be one of " + list(legal) + ", not " + quote(found), hint
	case rule == "string.pattern":
		pattern := v.RuleValue.String()
		form, ok := resource.Patterns[pattern]
		if !ok {
			form = "of the form " + pattern
		}
		if slug := asName(found); strings.HasPrefix(form, "a name") && slug != "" {
			hint = "for example " + slug
		}
		return "manifest.pattern", "must be " + form + ", not " + quote(found), hint
	case rule == "string.max_len":
		return "manifest.too_long", fmt.Sprintf("must be at most %v characters, not %d", v.RuleValue, utf8.RuneCountInString(found)), ""
	case rule == "repeated.unique":
		return "manifest.not_unique", "must not hold the same item twice", ""
	}
	message = v.Proto.GetMessage()
	if message == "" {
		message = "breaks the rule " + rule
	}
	if v.Proto.GetForKey() {
		return "manifest.key", "the key " + message, ""
	}
	if v.FieldValue.IsValid() && v.FieldDescriptor != nil && !v.FieldDescriptor.IsList() && !v.FieldDescriptor.IsMap() {
		switch v.FieldDescriptor.Kind() {
		case protoreflect.MessageKind, protoreflect.GroupKind:
		case protoreflect.StringKind:
			message += ", not " + quote(found)
		case protoreflect.DoubleKind, protoreflect.FloatKind:
			message += ", not " + shortest(v.FieldValue.Float())
		default:
			message += fmt.Sprintf(", not %v", v.FieldValue)
		}
	}
	return "manifest.out_of_range", message, ""
}

// legalWords are the values of an in rule, nil for other rules.
func legalWords(v *protovalidate.Violation) []string {
	if v.Proto.GetRuleId() != "string.in" || !v.RuleValue.IsValid() {
		return nil
	}
	values, ok := v.RuleValue.Interface().(protoreflect.List)
	if !ok {
		return nil
	}
	var words []string
	for i := range values.Len() {
		if w := values.Get(i).String(); w != "" {
			words = append(words, w)
		}
	}
	return words
}

// asName turns a text into a legal name, "" if nothing is left.
func asName(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() == 63 {
			break
		}
	}
	return strings.Trim(b.String(), "-")
}
