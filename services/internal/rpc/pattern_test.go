package rpc

import (
	"testing"

	rules "buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "setpoint.dev/proto/gen/setpoint/admin/v1"
	_ "setpoint.dev/proto/gen/setpoint/change/v1"
	_ "setpoint.dev/proto/gen/setpoint/declaration/v1"
	_ "setpoint.dev/proto/gen/setpoint/event/v1"
	_ "setpoint.dev/proto/gen/setpoint/gap/v1"
	_ "setpoint.dev/proto/gen/setpoint/initiative/v1"
	_ "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/resource"
)

// Nobody should have to read a regular expression to correct a request.
func TestEveryPatternOfTheAPIHasWords(t *testing.T) {
	seen := 0
	var walk func(protoreflect.MessageDescriptors)
	walk = func(messages protoreflect.MessageDescriptors) {
		for i := range messages.Len() {
			m := messages.Get(i)
			walk(m.Messages())
			for j := range m.Fields().Len() {
				field := m.Fields().Get(j)
				of, _ := proto.GetExtension(field.Options(), rules.E_Field).(*rules.FieldRules)
				for _, texts := range []*rules.StringRules{
					of.GetString(), of.GetRepeated().GetItems().GetString(), of.GetMap().GetKeys().GetString(), of.GetMap().GetValues().GetString(),
				} {
					if texts.GetPattern() == "" {
						continue
					}
					seen++
					if resource.Patterns[texts.GetPattern()] == "" {
						t.Errorf("%s: no words for %s", field.FullName(), texts.GetPattern())
					}
				}
			}
		}
	}
	protoregistry.GlobalFiles.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		if len(f.Package()) > 9 && f.Package()[:9] == "setpoint." {
			walk(f.Messages())
		}
		return true
	})
	if seen < 50 {
		t.Errorf("only %d patterns were found", seen)
	}
}
