package rpc

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

func TestNULIsFound(t *testing.T) {
	deep, err := structpb.NewStruct(map[string]any{"a": []any{"b", "c\x00"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		message proto.Message
		path    string
	}{
		{&strategyv1.RecordObservationsRequest{Observations: []*strategyv1.Observation{{Note: "n"}, {Source: "\x00"}}}, "observations[1].source"},
		{&strategyv1.RecordObservationsRequest{RequestId: "a\x00b"}, "requestId"},
		{&commonv1.Metadata{Labels: map[string]string{"k": "\x00"}}, `labels["k"]`},
		{&commonv1.Metadata{Labels: map[string]string{"\x00": "v"}}, "labels"},
		{&commonv1.Resource{Spec: deep}, `spec.fields["a"].listValue.values[1].stringValue`},
		{&commonv1.Resource{Kind: "Metric"}, ""},
	} {
		if got := nul(c.message.ProtoReflect()); got != c.path {
			t.Errorf("%v: %q, want %q", c.message, got, c.path)
		}
	}
}
