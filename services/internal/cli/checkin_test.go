package cli

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/proto/gen/setpoint/strategy/v1/strategyv1connect"
)

// ear hears check-ins, and answers with what it was given.
type ear struct {
	strategyv1connect.UnimplementedStrategyServiceHandler
	heard []*strategyv1.CheckInRequest
	said  []*strategyv1.CheckInEntry
	about []string // targets that are read, or acknowledged
}

func (e *ear) AcknowledgeCheckIn(_ context.Context, r *strategyv1.AcknowledgeCheckInRequest) (*strategyv1.AcknowledgeCheckInResponse, error) {
	e.about = append(e.about, r.GetTarget())
	return &strategyv1.AcknowledgeCheckInResponse{Revision: 43, Changed: true, CheckIn: 42}, nil
}

func (e *ear) CheckIn(_ context.Context, r *strategyv1.CheckInRequest) (*strategyv1.CheckInResponse, error) {
	e.heard = append(e.heard, r)
	return &strategyv1.CheckInResponse{Revision: 42}, nil
}

// ListCheckIns gives one entry a page.
func (e *ear) ListCheckIns(_ context.Context, r *strategyv1.ListCheckInsRequest) (*strategyv1.ListCheckInsResponse, error) {
	e.about = append(e.about, r.GetTarget())
	res := &strategyv1.ListCheckInsResponse{Revision: 42}
	if n := len(r.GetPageToken()); n < len(e.said) {
		res.CheckIns = e.said[n : n+1]
		if n+1 < len(e.said) {
			res.NextPageToken = strings.Repeat("x", n+1)
		}
	}
	return res, nil
}

func (e *ear) serve(t *testing.T) string {
	mux := http.NewServeMux()
	mux.Handle(strategyv1connect.NewStrategyServiceHandler(e))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func TestCheckIn(t *testing.T) {
	n := func(v int32) *int32 { return &v }
	for _, c := range []struct {
		args []string
		want *strategyv1.CheckInRequest
	}{
		{[]string{"--confidence", "0"}, &strategyv1.CheckInRequest{Confidence: n(0)}},
		{[]string{"--confidence", "7", "--note", "two leases", "--at", "2018-09-30", "--manager", "api"},
			&strategyv1.CheckInRequest{Confidence: n(7), Note: "two leases", At: "2018-09-30", Manager: "api"}},
		{[]string{"--override", "At risk", "--reason", "refund", "--expires", "2026-12-31"},
			&strategyv1.CheckInRequest{Override: &strategyv1.OverrideRequest{Status: "at_risk", Reason: "refund", Expires: "2026-12-31"}}},
		{[]string{"--clear-override"}, &strategyv1.CheckInRequest{ClearOverride: true}},
	} {
		e := &ear{}
		s := session{server: e.serve(t)}
		s.run(t, append([]string{"checkin", "vacant-space"}, c.args...)...).want(t, exitOK).
			wantStdout(t, "Checked in on vacant-space. Revision 42.")
		c.want.Target = "vacant-space"
		if c.want.Manager == "" {
			c.want.Manager = "cli"
		}
		if len(e.heard) != 1 || e.heard[0].GetRequestId() == "" {
			t.Fatalf("%v: heard %v", c.args, e.heard)
		}
		c.want.RequestId = e.heard[0].GetRequestId()
		if !proto.Equal(e.heard[0], c.want) {
			t.Errorf("%v: heard %v, want %v", c.args, e.heard[0], c.want)
		}
	}
}

// Two commands have names that a target may have.
func TestATargetNamedLikeACommandIsCheckedIn(t *testing.T) {
	for _, c := range [][]string{
		{"checkin", "target/due", "--confidence", "3"}, {"checkin", "targets/due", "--confidence", "3"}, {"checkin", "--confidence", "3", "--", "due"},
	} {
		e := &ear{}
		session{server: e.serve(t)}.run(t, c...).want(t, exitOK).wantStdout(t, "Checked in on due.")
		if len(e.heard) != 1 || e.heard[0].GetTarget() != "due" {
			t.Errorf("%v: heard %v", c, e.heard)
		}
	}
}

func TestACheckInThatSaysTooLittleOrTooMuchIsNotSent(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{}, "missing TARGET"},
		{[]string{"t"}, "the check-in says nothing"},
		{[]string{"t", "--value", "3"}, "says nothing beside the value"},
		{[]string{"T", "--note", "x"}, "not the name of a target"},
		{[]string{"t", "--confidence", "11"}, "11 is not from 0 to 10"},
		{[]string{"t", "--confidence", "-1"}, "-1 is not from 0 to 10"},
		{[]string{"t", "--note", "x", "--at", "2026-02-30"}, "--at: "},
		{[]string{"t", "--reason", "x"}, "belong to --override"},
		{[]string{"t", "--override", "green", "--reason", "x", "--expires", "2026-12-31"}, `"green" is no status; legal are on_track`},
		{[]string{"t", "--override", "at_risk", "--expires", "2026-12-31"}, "--override needs --reason TEXT and --expires DAY"},
		{[]string{"t", "--override", "at_risk", "--reason", "x"}, "--override needs --reason TEXT and --expires DAY"},
		{[]string{"t", "--override", "at_risk", "--reason", "x", "--expires", "2026-12-31", "--clear-override"}, "exclude each other"},
		{[]string{"t", "--note", strings.Repeat("x", 4001)}, "--note: 4001 characters"},
		{[]string{"t", "--note", "x", "--manager", "me"}, `--manager: "me"`},
	} {
		e := &ear{}
		session{server: e.serve(t)}.run(t, append([]string{"checkin"}, c.args...)...).want(t, exitUsage).wantStderr(t, c.want)
		if len(e.heard) != 0 {
			t.Errorf("%v was sent", c.args)
		}
	}
}

// A target that is named like a command is named with its kind everywhere.
func TestATargetThatIsNamedLikeACommand(t *testing.T) {
	e := &ear{}
	s := session{server: e.serve(t)}
	s.run(t, "checkin", "target/due", "--note", "x").want(t, exitOK)
	s.run(t, "checkin", "acknowledge", "target/due").want(t, exitOK).wantStdout(t, "on due.")
	s.run(t, "checkin", "list", "target/due").want(t, exitOK)
	if len(e.heard) != 1 || e.heard[0].GetTarget() != "due" || !slices.Equal(e.about, []string{"due", "due"}) {
		t.Errorf("heard %v, about %v", e.heard, e.about)
	}
}

func TestGetCheckIns(t *testing.T) {
	n := func(v int32) *int32 { return &v }
	e := &ear{said: []*strategyv1.CheckInEntry{
		{Target: "t", At: "2026-11-22", ClearOverride: true, Revision: 12, Recorded: "2026-11-22T12:00:00Z", Principal: "lee"},
		{Target: "t", At: "2026-11-10", Confidence: n(0), Note: "=talks\x1b[31m go on", Revision: 11, Recorded: "2026-11-10T12:00:00Z", Principal: "lee",
			Override: &strategyv1.OverrideRequest{Status: "at_risk", Reason: "a strike", Expires: "2026-12-31"}},
	}}
	s := session{server: e.serve(t)}
	golden(t, "checkins", s.run(t, "get", "checkins", "t").want(t, exitOK).stdout)
	s.run(t, "get", "checkin/t", "-o", "json").want(t, exitOK).
		wantStdout(t, `"confidence": 0`, `"clearOverride": true`, `"expires": "2026-12-31"`, `"revision": "42"`)
	s.run(t, "get", "checkins", "t", "-o", "csv").want(t, exitOK).wantStdout(t,
		"target,at,confidence,note,override_status,override_reason,override_expires,clear_override,principal,revision,recorded",
		"t,2026-11-22,,,,,,true,lee,12,2026-11-22T12:00:00Z")
	s.run(t, "get", "checkins").want(t, exitUsage).wantStderr(t, "missing TARGET")
	e.said = nil
	if r := s.run(t, "get", "checkins", "t").want(t, exitOK); r.stdout != "" || !strings.Contains(r.stderr, "no check-ins on t") {
		t.Errorf("%q %q", r.stdout, r.stderr)
	}
}
