package strategy

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/services/internal/calendar"
	"setpoint.dev/services/internal/fault"
)

func TestDecideReview(t *testing.T) {
	period, err := calendar.ParsePeriod("2026-Q3", 1)
	if err != nil {
		t.Fatal(err)
	}
	pack := &strategyv1.ReviewPack{Revision: 7, AsOf: "2026-09-30", Sha256: "abc"}
	decision := func(id, status string) *strategyv1.ReviewDecision {
		d := &strategyv1.ReviewDecision{Id: id, Title: "move", Owner: "unit/u", Due: "2026-12-01", Status: status, Decided: "2026-10-05", Targets: []string{"a", "b"}}
		if status != "open" {
			d.Settled = "2026-10-07"
		}
		return d
	}
	state := func(stage string, decisions ...*strategyv1.ReviewDecision) *OccurrenceState {
		s := &OccurrenceState{Review: "r", Period: "2026-Q3", Stage: stage, Opened: "2026-10-05", Decisions: decisions}
		switch stage {
		case Locked:
			s.Pack = pack
		case Closed:
			s.Pack, s.Ended = pack, "2026-10-06"
		case Skipped:
			s.Opened, s.Ended = "", "2026-10-06"
		}
		return s
	}
	decide := RecordDecision{Title: " move ", Owner: "unit/u", Due: "2026-12-01", Targets: []string{"b", "a"}, Note: " why "}
	full := state(Opened)
	for range mostDecisions {
		full.Decisions = append(full.Decisions, decision("d", "open"))
	}
	for _, c := range []struct {
		name   string
		state  *OccurrenceState
		do     ReviewCommand
		casual bool // without a pack
		want   string
	}{
		{"open", nil, OpenReview{Note: " n "}, false, `ReviewOpened period:"2026-Q3" at:"2026-10-08" note:"n"`},
		{"open on an earlier day", nil, OpenReview{At: "2026-07-01"}, false, `ReviewOpened period:"2026-Q3" at:"2026-07-01"`},
		{"open before its time", nil, OpenReview{At: "2026-06-30"}, false, "strategy.review_ahead"},
		{"open tomorrow", nil, OpenReview{At: "2026-10-09"}, false, "strategy.review_date"},
		{"open on no day", nil, OpenReview{At: "soon"}, false, "strategy.review_date"},
		{"open what is open", state(Opened), OpenReview{}, false, ""},
		{"open what is locked", state(Locked), OpenReview{}, false, ""},
		{"open what is closed", state(Closed), OpenReview{}, false, "strategy.review_closed"},
		{"hold what was skipped after all", state(Skipped), OpenReview{}, false, `ReviewOpened period:"2026-Q3" at:"2026-10-08"`},

		{"lock", state(Opened), LockReview{pack}, false, `ReviewLocked period:"2026-Q3" pack:{revision:7 as_of:"2026-09-30" sha256:"abc"}`},
		{"lock what is not open", nil, LockReview{pack}, false, "strategy.review_not_open"},
		{"lock again", state(Locked), LockReview{&strategyv1.ReviewPack{Revision: 9, AsOf: "2026-09-30"}}, false, ""},
		{"lock as of another day", state(Locked), LockReview{&strategyv1.ReviewPack{Revision: 9, AsOf: "2026-10-01"}}, false, "strategy.review_locked"},
		{"lock what was skipped", state(Skipped), LockReview{pack}, false, "strategy.review_skipped"},

		{"decide", state(Opened), decide, false,
			`DecisionRecorded period:"2026-Q3" decision:{id:"d1" title:"move" owner:"unit/u" due:"2026-12-01" targets:"a" targets:"b" status:"open" decided:"2026-10-08"} note:"why"`},
		{"decide once more", state(Locked, decision("d1", "done")), RecordDecision{Title: "stay", Owner: "person/p", Due: "2026-10-08"}, false,
			`DecisionRecorded period:"2026-Q3" decision:{id:"d2" title:"stay" owner:"person/p" due:"2026-10-08" status:"open" decided:"2026-10-08"}`},
		{"decide the same", state(Locked, decision("d1", "open")), decide, false, ""},
		{"decide nothing", state(Opened), RecordDecision{Title: " ", Owner: "unit/u", Due: "2026-12-01"}, false, "strategy.decision_title"},
		{"decide for nobody", state(Opened), RecordDecision{Title: "x", Owner: "u", Due: "2026-12-01"}, false, "strategy.decision_owner"},
		{"decide without a day", state(Opened), RecordDecision{Title: "x", Owner: "unit/u"}, false, "strategy.decision_due"},
		{"decide for yesterday", state(Opened), RecordDecision{Title: "x", Owner: "unit/u", Due: "2026-10-07"}, false, "strategy.decision_due"},
		{"decide before it is open", nil, decide, false, "strategy.review_not_open"},
		{"decide after it is closed", state(Closed), decide, false, "strategy.review_closed"},
		{"decide too much", full, decide, false, ""},
		{"decide something else, too much", full, RecordDecision{Title: "x", Owner: "unit/u", Due: "2026-12-01"}, false, "strategy.decisions"},

		{"settle", state(Closed, decision("d1", "open")), SettleDecision{ID: "d1", Outcome: "done", Evidence: " seen "}, false,
			`DecisionSettled period:"2026-Q3" decision:"d1" outcome:"done" at:"2026-10-08" evidence:"seen"`},
		{"settle again", state(Closed, decision("d1", "done")), SettleDecision{ID: "d1", Outcome: "done"}, false, ""},
		{"settle otherwise", state(Closed, decision("d1", "done")), SettleDecision{ID: "d1", Outcome: "dropped", Evidence: "x"}, false, "strategy.decision_settled"},
		{"settle what nobody decided", state(Closed), SettleDecision{ID: "d1", Outcome: "done", Evidence: "x"}, false, "strategy.decision_unknown"},
		{"settle without evidence", state(Closed, decision("d1", "open")), SettleDecision{ID: "d1", Outcome: "dropped"}, false, "strategy.decision_evidence"},
		{"settle before it was decided", state(Closed, decision("d1", "open")), SettleDecision{ID: "d1", Outcome: "done", Evidence: "x", At: "2026-10-04"}, false, "strategy.review_date"},
		{"settle as nothing", state(Closed, decision("d1", "open")), SettleDecision{ID: "d1", Outcome: "open", Evidence: "x"}, false, "strategy.decision_outcome"},

		{"close", state(Locked), CloseReview{Note: "n"}, false, `ReviewClosed period:"2026-Q3" at:"2026-10-08" note:"n"`},
		{"close again", state(Closed), CloseReview{}, false, ""},
		{"close without a pack", state(Opened), CloseReview{}, false, "strategy.review_without_pack"},
		{"close what is not open", nil, CloseReview{}, false, "strategy.review_not_open"},
		{"close before it was opened", state(Locked), CloseReview{At: "2026-10-04"}, false, "strategy.review_date"},
		{"close a practice at once", nil, CloseReview{At: "2026-10-01"}, true, `ReviewClosed period:"2026-Q3" at:"2026-10-01"`},
		{"close a practice before its time", nil, CloseReview{At: "2026-06-30"}, true, "strategy.review_ahead"},
		{"close a practice that is open", state(Opened), CloseReview{}, true, `ReviewClosed period:"2026-Q3" at:"2026-10-08"`},

		{"skip", nil, SkipReview{Reason: " holidays "}, false, `ReviewSkipped period:"2026-Q3" at:"2026-10-08" reason:"holidays"`},
		{"skip what is open", state(Opened), SkipReview{Reason: "x"}, false, `ReviewSkipped period:"2026-Q3" at:"2026-10-08" reason:"x"`},
		{"skip without a reason", nil, SkipReview{}, false, "strategy.review_reason"},
		{"skip again", state(Skipped), SkipReview{Reason: "x"}, false, ""},
		{"skip what is locked", state(Locked), SkipReview{Reason: "x"}, false, "strategy.review_held"},
		{"skip what has decided", state(Opened, decision("d1", "open")), SkipReview{Reason: "x"}, false, "strategy.review_held"},
	} {
		before := proto.Clone(c.state)
		held := Held{Review: "r", Period: period, Today: date("2026-10-08"), NeedsPack: !c.casual}
		event, err := DecideReview(held, c.state, c.do)
		if got := said(event, err); got != c.want {
			t.Errorf("%s: got  %s\nwant %s", c.name, got, c.want)
		}
		if event == nil {
			continue
		}
		after := EvolveReview("r", c.state, event)
		if !proto.Equal(before, c.state) {
			t.Errorf("%s: the state was changed", c.name)
		}
		if after.GetReview() != "r" || after.GetPeriod() != "2026-Q3" || after.GetStage() == "" {
			t.Errorf("%s: leads to %v", c.name, after)
		}
		if again, err := DecideReview(held, after, c.do); again != nil || err != nil {
			t.Errorf("%s: a second time it is %v, %v", c.name, again, err)
		}
		if summary, _ := ReviewInWords(event); !strings.Contains(summary, "2026-Q3") {
			t.Errorf("%s: in words %q", c.name, summary)
		}
	}
}

// said is an event by name and content, or the reason of an error.
func said(event proto.Message, err error) string {
	if err != nil {
		return fault.ReasonOf(err)
	}
	if event == nil {
		return ""
	}
	return string(event.ProtoReflect().Descriptor().Name()) + " " + strings.ReplaceAll(prototext.MarshalOptions{}.Format(event), "  ", " ")
}

func TestNobodyReviewsTheirOwnWord(t *testing.T) {
	read := &strategyv1.CheckInAcknowledgements{Acknowledgements: []*strategyv1.Acknowledgement{{CheckIn: 7, Principal: "ada"}}}
	for _, c := range []struct {
		name string
		do   Acknowledge
		want string
	}{
		{"another's", Acknowledge{CheckIn: 8, About: "2026-10-01", By: "bo", Principal: "ada", Note: " n ", Today: date("2026-10-08")},
			`CheckInAcknowledged check_in:8 about:"2026-10-01" at:"2026-10-08" principal:"ada" note:"n"`},
		{"again", Acknowledge{CheckIn: 7, By: "bo", Principal: "ada"}, ""},
		{"a second reviewer", Acknowledge{CheckIn: 7, By: "bo", Principal: "cy", Today: date("2026-10-08")}, `CheckInAcknowledged check_in:7 at:"2026-10-08" principal:"cy"`},
		{"one's own", Acknowledge{CheckIn: 8, By: "ada", Principal: "ada"}, "strategy.acknowledge_own"},
	} {
		event, err := DecideAcknowledge(read, c.do)
		got := ""
		if err != nil || event != nil {
			got = said(event, err)
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
		if event == nil {
			continue
		}
		after := EvolveAcknowledgements(read, event)
		if len(after.GetAcknowledgements()) != 2 || len(read.GetAcknowledgements()) != 1 {
			t.Errorf("%s: leads to %v", c.name, after)
		}
		if again, err := DecideAcknowledge(after, c.do); again != nil || err != nil {
			t.Errorf("%s: a second time it is %v, %v", c.name, again, err)
		}
	}
}
