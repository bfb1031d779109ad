package manifest

import (
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/resource"
)

// Nobody should have to read a regular expression to correct a plan.
func TestEveryPatternHasWords(t *testing.T) {
	seen := 0
	var walk func(protoreflect.MessageDescriptor)
	walk = func(m protoreflect.MessageDescriptor) {
		for i := range m.Fields().Len() {
			field := m.Fields().Get(i)
			rules, _ := proto.GetExtension(field.Options(), validate.E_Field).(*validate.FieldRules)
			if pattern := rules.GetString().GetPattern(); pattern != "" {
				seen++
				if resource.Patterns[pattern] == "" {
					t.Errorf("%s: no words for %s", field.FullName(), pattern)
				}
			}
			if child := field.Message(); child != nil {
				walk(child)
			}
		}
	}
	for _, m := range []proto.Message{
		&commonv1.Metadata{}, &strategyv1.OrganizationSpec{}, &strategyv1.UnitSpec{}, &strategyv1.StrategySpec{},
		&strategyv1.ObjectiveSpec{}, &strategyv1.MetricSpec{}, &strategyv1.TargetSpec{},
	} {
		walk(m.ProtoReflect().Descriptor())
	}
	if seen < 7 {
		t.Errorf("only %d patterns were found", seen)
	}
}
