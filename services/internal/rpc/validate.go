package rpc

import (
	"errors"
	"fmt"
	"strings"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/resource"
)

func validate(validator protovalidate.Validator, message any) error {
	m, ok := message.(proto.Message)
	if !ok {
		return nil
	}
	err := validator.Validate(m)
	var invalid *protovalidate.ValidationError
	if !errors.As(err, &invalid) {
		if path := nul(m.ProtoReflect()); err == nil && path != "" {
			f := fault.New(fault.Invalid, "request.nul", "the request is not valid: %s: a text must not hold a NUL character", path)
			f.Places = append(f.Places, fault.Place{Field: path, Reason: f.Reason, Message: "must not hold a NUL character"})
			return f
		}
		return err
	}
	f := fault.New(fault.Invalid, "request.invalid", "the request is not valid")
	for _, v := range invalid.Violations {
		field := FieldPath(v)
		rule := v.Proto.GetRuleId()
		message := v.Proto.GetMessage()
		if words, ok := resource.Patterns[v.RuleValue.String()]; ok && rule == "string.pattern" {
			message = fmt.Sprintf("must be %s, not %.80q", words, v.FieldValue.String())
		}
		f.Places = append(f.Places, fault.Place{
			Field: field, Reason: "request." + strings.ReplaceAll(rule, ".", "_"), Message: message,
		})
	}
	if len(f.Places) == 1 {
		f.Message = fmt.Sprintf("the request is not valid: %s: %s", f.Places[0].Field, f.Places[0].Message)
	}
	return f
}

// FieldPath is a violation's path in JSON names: observations[3].observedAt.
func FieldPath(v *protovalidate.Violation) string {
	var b strings.Builder
	fields := v.Proto.GetField().GetElements()
	for i, e := range fields {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(jsonName(e.GetFieldName()))
		switch {
		case e.HasIndex():
			fmt.Fprintf(&b, "[%d]", e.GetIndex())
		case e.HasStringKey():
			fmt.Fprintf(&b, "[%q]", e.GetStringKey())
		}
	}
	return b.String()
}

func jsonName(snake string) string {
	parts := strings.Split(snake, "_")
	for i := 1; i < len(parts); i++ {
		if parts[i] != "" {
			parts[i] = strings.ToUpper(parts[i][:1]) + parts[i][1:]
		}
	}
	return strings.Join(parts, "")
}
