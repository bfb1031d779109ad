package change

import (
	"google.golang.org/protobuf/proto"

	changev1 "setpoint.dev/proto/gen/setpoint/change/v1"
	"setpoint.dev/services/internal/resource"
)

// Acts are the events of this slice that declare nothing, by wire name.
func Acts() resource.Acts {
	return resource.Acts{
		{Type: "change.stage_moved.v1", New: func() proto.Message { return &changev1.StageMoved{} }},
		{Type: "change.force_declared.v1", New: func() proto.Message { return &changev1.ForceDeclared{} }},
		{Type: "change.force_removed.v1", New: func() proto.Message { return &changev1.ForceRemoved{} }},
		{Type: "change.resistance_raised.v1", New: func() proto.Message { return &changev1.ResistanceRaised{} }},
		{Type: "change.resistance_answered.v1", New: func() proto.Message { return &changev1.ResistanceAnswered{} }},
		{Type: "change.wave_opened.v1", New: func() proto.Message { return &changev1.WaveOpened{} }},
		{Type: "change.answers_recorded.v1", New: func() proto.Message { return &changev1.AnswersRecorded{} }},
		{Type: "change.wave_closed.v1", New: func() proto.Message { return &changev1.WaveClosed{} }},
		{Type: "change.readiness_measured.v1", New: func() proto.Message { return &changev1.ReadinessMeasured{} }},
	}
}

// Answers decodes an event that holds answers, and gives nil for others.
func Answers(typ string, payload []byte) ([]*changev1.Answer, error) {
	if typ != "change.answers_recorded.v1" {
		return nil, nil
	}
	var e changev1.AnswersRecorded
	if err := proto.Unmarshal(payload, &e); err != nil {
		return nil, err
	}
	return e.GetAnswers(), nil
}
