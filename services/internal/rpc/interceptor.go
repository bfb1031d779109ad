package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"

	"buf.build/go/protovalidate"
	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
)

// Headers that name the tenant and the actor on a loopback door without
// authentication.
const (
	OrgHeader   = "Setpoint-Org"
	ActorHeader = "Setpoint-Actor"
)

// DefaultOrg and DefaultActor stand where a loopback client names none.
const (
	DefaultOrg   = "default"
	DefaultActor = "local"
)

// Interceptor is what every call passes: a panic becomes an internal error,
// the principal is established, the message is validated, and errors are
// mapped.
func Interceptor(logger *slog.Logger, validator protovalidate.Validator) connect.UnaryInterceptorFunc {
	return func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (res connect.AnyResponse, err error) {
			procedure := req.Spec().Procedure
			defer func() {
				if p := recover(); p != nil {
					logger.ErrorContext(ctx, "panic", "procedure", procedure, "panic", p, "stack", string(debug.Stack()))
					res, err = nil, connect.NewError(connect.CodeInternal, errors.New("internal error"))
				}
			}()
			p, err := principal.New(
				orDefault(req.Header().Get(OrgHeader), DefaultOrg),
				orDefault(req.Header().Get(ActorHeader), DefaultActor))
			if err == nil {
				err = validate(validator, req.Any())
			}
			if err == nil {
				res, err = next(principal.With(ctx, p), req)
			}
			if err != nil {
				return nil, Error(ctx, logger, procedure, err)
			}
			return res, nil
		}
	}
}

func orDefault(s, d string) string {
	if s == "" {
		return d
	}
	return s
}

func validate(validator protovalidate.Validator, message any) error {
	m, ok := message.(proto.Message)
	if !ok {
		return nil
	}
	err := validator.Validate(m)
	var invalid *protovalidate.ValidationError
	if !errors.As(err, &invalid) {
		return err
	}
	f := fault.New(fault.Invalid, "request.invalid", "the request is not valid")
	for _, v := range invalid.Violations {
		field := FieldPath(v)
		rule := v.Proto.GetRuleId()
		f.Places = append(f.Places, fault.Place{
			Field: field, Reason: "request." + strings.ReplaceAll(rule, ".", "_"),
			Message: v.Proto.GetMessage(),
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
