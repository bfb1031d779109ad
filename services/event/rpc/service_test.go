package rpc

import (
	"errors"
	"strings"
	"testing"
	"time"

	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/resource"
)

type taker struct{}

func (taker) Send(*eventv1.SubscribeResponse) error { return nil }

func TestSlowConsumersAreCutOff(t *testing.T) {
	o := outlet{to: taker{}, slow: -1, cursor: 17} // whoever takes any time is too slow
	var f *fault.Error
	if err := o.send("{}"); !errors.As(err, &f) || f.Reason != "event.slow_consumer" || f.Kind != fault.Exhausted || !strings.Contains(f.Hint, "17") {
		t.Errorf("%v", err)
	}
	o = outlet{to: taker{}, slow: time.Hour}
	if err := o.send("{}"); err != nil || o.sent.IsZero() {
		t.Errorf("one that takes: %v", err)
	}
}

func TestTypesThatNothingHasAreRefused(t *testing.T) {
	for _, legal := range [][]string{nil, {"gap"}, {"gap.opened.v1"}, {"dev.setpoint.gap."}, {"gap", "of.a-version.to-come.v1"}} {
		if err := known(legal); err != nil {
			t.Errorf("%q: %v", legal, err)
		}
	}
	for _, wrong := range []string{"gap.opend", "ga", "dev.setpoint", "person"} {
		if err := known([]string{wrong}); fault.ReasonOf(err) != "event.type_unknown" || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestSubjectsThatNothingHasAreRefused(t *testing.T) {
	s := &Service{hooks: Hooks{Kinds: &resource.Registry{}}}
	for _, legal := range []string{"", "target", "action/act-1", "wave/habits~w1", "changes"} { // of which none is a name to look up
		about, err := s.about(t.Context(), "acme", legal)
		if err != nil || strings.Join(about, " ") != legal {
			t.Errorf("%q: %q, %v", legal, about, err)
		}
	}
	for _, wrong := range []string{"targets", "Target/vacant", "vacant-space", "person/u-1", "/"} {
		if _, err := s.about(t.Context(), "acme", wrong); fault.ReasonOf(err) != "event.subject_unknown" {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}
