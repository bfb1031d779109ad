package strategy_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/strategy"
)

func TestDecideCheckIn(t *testing.T) {
	n := func(v int32) *int32 { return &v }
	today := calendar.Of(2026, 11, 22)
	override := func(reason, expires string) *strategyv1.OverrideRequest {
		return &strategyv1.OverrideRequest{Status: "at_risk", Reason: reason, Expires: expires}
	}
	set := &strategyv1.StatusOverride{Status: "at_risk", Reason: "strike", Expires: "2026-12-31"}
	for _, c := range []struct {
		name   string
		said   strategy.Said
		do     strategy.CheckIn
		want   *strategyv1.CheckedIn // nil: already so, or refused
		reason string
	}{
		{"a confidence, today", strategy.Said{}, strategy.CheckIn{Confidence: n(0)},
			&strategyv1.CheckedIn{At: "2026-11-22", Confidence: n(0)}, ""},
		{"a note about an earlier day", strategy.Said{}, strategy.CheckIn{At: "2018-09-30", Note: " late \n"},
			&strategyv1.CheckedIn{At: "2018-09-30", Note: "late"}, ""},
		{"an override", strategy.Said{}, strategy.CheckIn{Override: override(" strike ", "2026-12-31")},
			&strategyv1.CheckedIn{At: "2026-11-22", Override: set}, ""},
		{"an override of one day", strategy.Said{}, strategy.CheckIn{Override: override("r", "2026-11-22")},
			&strategyv1.CheckedIn{At: "2026-11-22", Override: &strategyv1.StatusOverride{Status: "at_risk", Reason: "r", Expires: "2026-11-22"}}, ""},
		{"a year ahead", strategy.Said{}, strategy.CheckIn{Override: override("r", "2027-11-22")},
			&strategyv1.CheckedIn{At: "2026-11-22", Override: &strategyv1.StatusOverride{Status: "at_risk", Reason: "r", Expires: "2027-11-22"}}, ""},
		{"an override of the past", strategy.Said{}, strategy.CheckIn{At: "2018-09-30", Override: override("r", "2018-12-31")},
			&strategyv1.CheckedIn{At: "2018-09-30", Override: &strategyv1.StatusOverride{Status: "at_risk", Reason: "r", Expires: "2018-12-31"}}, ""},
		{"withdrawn", strategy.Said{Overridden: true}, strategy.CheckIn{Clear: true},
			&strategyv1.CheckedIn{At: "2026-11-22", ClearOverride: true}, ""},
		{"nothing to withdraw", strategy.Said{}, strategy.CheckIn{Clear: true}, nil, ""},
		{"nothing to withdraw, but a note", strategy.Said{}, strategy.CheckIn{Clear: true, Note: "fine"},
			&strategyv1.CheckedIn{At: "2026-11-22", Note: "fine"}, ""},
		{"the same again", strategy.Said{Latest: &strategyv1.CheckedIn{At: "2026-11-22", Confidence: n(3)}, Principal: "a"},
			strategy.CheckIn{Confidence: n(3), Principal: "a"}, nil, ""},
		{"the same from somebody else", strategy.Said{Latest: &strategyv1.CheckedIn{At: "2026-11-22", Confidence: n(3)}, Principal: "b"},
			strategy.CheckIn{Confidence: n(3), Principal: "a"}, &strategyv1.CheckedIn{At: "2026-11-22", Confidence: n(3)}, ""},
		{"the same but for the override", strategy.Said{Latest: &strategyv1.CheckedIn{At: "2026-11-22", Override: set}, Principal: "a"},
			strategy.CheckIn{Override: override("strike", "2026-11-30"), Principal: "a"},
			&strategyv1.CheckedIn{At: "2026-11-22", Override: &strategyv1.StatusOverride{Status: "at_risk", Reason: "strike", Expires: "2026-11-30"}}, ""},

		{"green, no note", strategy.Said{Status: "at_risk"}, strategy.CheckIn{Confidence: n(3)},
			&strategyv1.CheckedIn{At: "2026-11-22", Confidence: n(3)}, ""},
		{"red, with a note", strategy.Said{Status: "off_track"}, strategy.CheckIn{Confidence: n(3), Note: "n"},
			&strategyv1.CheckedIn{At: "2026-11-22", Confidence: n(3), Note: "n"}, ""},
		{"red, with the reason of an override", strategy.Said{Status: "missed"}, strategy.CheckIn{Override: override("strike", "2026-12-31")},
			&strategyv1.CheckedIn{At: "2026-11-22", Override: set}, ""},
		{"red, the same again", strategy.Said{Status: "off_track", Latest: &strategyv1.CheckedIn{At: "2026-11-22", Confidence: n(3)}},
			strategy.CheckIn{Confidence: n(3)}, nil, ""},
		{"red, the same again with a new value", strategy.Said{Status: "off_track", Latest: &strategyv1.CheckedIn{At: "2026-11-22", Confidence: n(3)}, Valued: true},
			strategy.CheckIn{Confidence: n(3)}, nil, "strategy.checkin_note"},
		{"green, the same again with a new value", strategy.Said{Status: "on_track", Latest: &strategyv1.CheckedIn{At: "2026-11-22", Confidence: n(3)}, Valued: true},
			strategy.CheckIn{Confidence: n(3)}, nil, ""},
		{"red, no note", strategy.Said{Status: "off_track"}, strategy.CheckIn{Confidence: n(3)}, nil, "strategy.checkin_note"},
		{"red, a blank note", strategy.Said{Status: "missed"}, strategy.CheckIn{Confidence: n(3), Note: " \n"}, nil, "strategy.checkin_note"},
		{"red, withdrawing the override", strategy.Said{Status: "off_track", Overridden: true}, strategy.CheckIn{Clear: true}, nil,
			"strategy.checkin_note"},

		{"empty", strategy.Said{Overridden: true}, strategy.CheckIn{Note: " \t"}, nil, "strategy.checkin_empty"},
		{"no date", strategy.Said{}, strategy.CheckIn{At: "2026-02-30", Note: "x"}, nil, "strategy.checkin_at"},
		{"still to come", strategy.Said{}, strategy.CheckIn{At: "2026-11-23", Note: "x"}, nil, "strategy.checkin_at"},
		{"confidence 11", strategy.Said{}, strategy.CheckIn{Confidence: n(11)}, nil, "strategy.checkin_confidence"},
		{"confidence -1", strategy.Said{}, strategy.CheckIn{Confidence: n(-1)}, nil, "strategy.checkin_confidence"},
		{"set and withdrawn", strategy.Said{}, strategy.CheckIn{Override: override("r", "2026-12-31"), Clear: true}, nil,
			"strategy.checkin_override_and_clear"},
		{"no reason", strategy.Said{}, strategy.CheckIn{Override: override("  ", "2026-12-31")}, nil, "strategy.override_reason"},
		{"no day", strategy.Said{}, strategy.CheckIn{Override: override("r", "2026-13-01")}, nil, "strategy.override_expires"},
		{"over before it is about", strategy.Said{}, strategy.CheckIn{At: "2026-11-20", Override: override("r", "2026-11-19")}, nil,
			"strategy.override_expires"},
		{"more than a year", strategy.Said{}, strategy.CheckIn{Override: override("r", "2027-11-23")}, nil, "strategy.override_expires"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.do.Today = today
			got, err := strategy.DecideCheckIn(c.said, c.do)
			if fault.ReasonOf(err) != c.reason {
				t.Fatalf("got %v, want reason %q", err, c.reason)
			}
			if !proto.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestAYearAheadOfALeapDay(t *testing.T) {
	do := strategy.CheckIn{Today: calendar.Of(2028, 2, 29),
		Override: &strategyv1.OverrideRequest{Status: "at_risk", Reason: "r", Expires: "2029-02-28"}}
	if _, err := strategy.DecideCheckIn(strategy.Said{}, do); err != nil {
		t.Error(err)
	}
	do.Override.Expires = "2029-03-01"
	if _, err := strategy.DecideCheckIn(strategy.Said{}, do); err == nil || !strings.Contains(err.Error(), "more than a year") {
		t.Errorf("got %v", err)
	}
}
