package cli

import (
	"context"
	"fmt"
	"strings"
	"testing"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

func TestWarningsOfAKindStandTogether(t *testing.T) {
	warn := func(line int32, target, reason, message, hint string) *commonv1.Fault {
		return &commonv1.Fault{File: "plan.yaml", Line: line, Column: 3, Resource: "Target/" + target, Field: "spec", Reason: reason, Message: message, Hint: hint}
	}
	var many []*commonv1.Fault
	for i := range int32(1200) {
		many = append(many, warn(10*i+1, fmt.Sprintf("t%d", i), "strategy.smart_no_owner", "nobody owns the target, nor its objective", "owner: unit/NAME or person/ID"))
		if i < 4 {
			many = append(many, warn(10*i+2, fmt.Sprintf("t%d", i), "strategy.smart_unrealistic", fmt.Sprintf("needs +%d a year", i), fmt.Sprintf("hint %d", i)))
		}
	}
	many = append(many, warn(1, "a", "", "one of its own", ""), warn(2, "b", "", "another", ""))
	golden(t, "warnings", renderWarnings(many))
	if got := renderWarnings(nil); got != "" {
		t.Errorf("nothing to say, and it says %q", got)
	}
}

func (e *ear) RecordObservations(context.Context, *strategyv1.RecordObservationsRequest) (*strategyv1.RecordObservationsResponse, error) {
	return &strategyv1.RecordObservationsResponse{Recorded: 1, Revision: 42, Warnings: []string{`metric "m" already has a value`}}, nil
}

func TestObserveSaysWhatMaySurprise(t *testing.T) {
	s := session{server: (&ear{}).serve(t), stdin: "metric,observed_at,value\nm,2018,1\n", chunk: 1000}
	const want = "warning: metric \"m\" already has a value\n"
	for _, args := range [][]string{{"m", "1", "--at", "2018-09-30"}, {"-f", "-"}} {
		r := s.run(t, append([]string{"observe"}, args...)...).want(t, exitOK).wantStdout(t, "1 recorded")
		if !strings.Contains(r.stderr, want) || strings.Contains(r.stdout, "warning") {
			t.Errorf("%v: %q on standard error, %q on standard output", args, r.stderr, r.stdout)
		}
	}
	s.run(t, "observe", "m", "1", "-o", "json").want(t, exitOK).wantStdout(t, `"warnings": [`)
}
