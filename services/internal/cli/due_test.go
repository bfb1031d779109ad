package cli

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/proto/gen/setpoint/strategy/v1/strategyv1connect"
)

// clerk hears requests and questions about duties, and answers with what it was
// given.
type clerk struct {
	strategyv1connect.UnimplementedStrategyServiceHandler
	asked  []*strategyv1.RequestCheckInRequest
	owed   []*strategyv1.ListDutiesRequest
	duties []*strategyv1.Duty
}

func (c *clerk) RequestCheckIn(_ context.Context, r *strategyv1.RequestCheckInRequest) (*strategyv1.RequestCheckInResponse, error) {
	c.asked = append(c.asked, r)
	return &strategyv1.RequestCheckInResponse{Revision: 43, Changed: len(c.asked) == 1}, nil
}

func (c *clerk) ListDuties(_ context.Context, r *strategyv1.ListDutiesRequest) (*strategyv1.ListDutiesResponse, error) {
	c.owed = append(c.owed, r)
	return &strategyv1.ListDutiesResponse{Duties: c.duties, Revision: 42, AsOf: "2026-11-25"}, nil
}

func (c *clerk) serve(t *testing.T) session {
	mux := http.NewServeMux()
	mux.Handle(strategyv1connect.NewStrategyServiceHandler(c))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return session{server: s.URL}
}

func TestDue(t *testing.T) {
	c := &clerk{duties: []*strategyv1.Duty{
		{Kind: "value", Name: "visits", What: "the value of 2026-09 and of 1 more", Period: "2026-09", Due: "2026-10-05", Overdue: true, DaysOverdue: 51,
			Owner: "unit/estate", EscalatedTo: "unit/top", LastValue: proto.Float64(1234567.5), LastAt: "2026-08-31", Unit: "visits", Missing: 2,
			Targets: []string{"visits", "visits-2030"}},
		{Kind: "requested", Name: "vacant-space", What: "why?\x1b[31m", Due: "2026-11-24", Overdue: true, DaysOverdue: 1, Owner: "unit/estate",
			Targets: []string{"vacant-space"}, Policy: "red"},
		{Kind: "check-in", Name: "visits", What: "the check-in of 2026-W48", Period: "2026-W48", Due: "2026-11-29", Owner: "unit/estate", Targets: []string{"visits"}},
		{Kind: "action", Name: "act-1", What: "Sublet floor 3", Due: "2026-12-31", Owner: "person/ann", Targets: []string{"vacant-space"}},
	}}
	s := c.serve(t)
	golden(t, "due", s.run(t, "checkin", "due").want(t, exitOK).stdout)
	golden(t, "due.csv", s.run(t, "checkin", "due", "-o", "csv").want(t, exitOK).stdout)
	s.run(t, "checkin", "due", "-o", "json").want(t, exitOK).wantStdout(t, `"lastValue": 1234567.5`, `"daysOverdue": 51`, `"asOf": "2026-11-25"`)
	s.run(t, "checkin", "due", "--owner", "unit/estate", "--kind", "check-in", "--overdue", "--as-of", "2026-11-25", "--revision", "7").want(t, exitOK)
	want := &strategyv1.ListDutiesRequest{Owner: "unit/estate", Kind: "check-in", Overdue: true, AsOf: "2026-11-25", Revision: 7}
	if got := c.owed[len(c.owed)-1]; !proto.Equal(got, want) {
		t.Errorf("asked for %v, want %v", got, want)
	}
	n := len(c.owed)
	s.run(t, "checkin", "due", "--kind", "values").want(t, exitUsage).wantStderr(t, `--kind: "values" is none; legal are value`)
	s.run(t, "checkin", "due", "--as-of", "soon").want(t, exitUsage).wantStderr(t, "--as-of: ")
	if len(c.owed) != n {
		t.Error("a bad question was sent")
	}
	c.duties = nil
	if r := s.run(t, "checkin", "due").want(t, exitOK); r.stdout != "" || !strings.Contains(r.stderr, "nothing is due as of 2026-11-25") {
		t.Errorf("%q %q", r.stdout, r.stderr)
	}
}

func TestRequestACheckIn(t *testing.T) {
	c := &clerk{}
	s := c.serve(t)
	args := []string{"checkin", "request", "vacant-space", "--due", "2026-12-04", "--reason", "why?"}
	s.run(t, args...).want(t, exitOK).wantStdout(t, "Asked for a check-in on vacant-space by 2026-12-04. Revision 43.")
	s.run(t, args...).want(t, exitOK).wantStdout(t, "Already so, nothing was written.")
	want := &strategyv1.RequestCheckInRequest{RequestId: c.asked[0].GetRequestId(), Target: "vacant-space", Due: "2026-12-04", Reason: "why?", Manager: "cli"}
	if !proto.Equal(c.asked[0], want) || want.GetRequestId() == "" {
		t.Errorf("asked %v, want %v", c.asked[0], want)
	}
	for _, bad := range [][]string{{"--due", "2026-12-04"}, {"--reason", "why?"}, {"--due", "soon", "--reason", "why?"}} {
		s.run(t, append([]string{"checkin", "request", "t"}, bad...)...).want(t, exitUsage)
	}
	if len(c.asked) != 2 {
		t.Errorf("a bad request was sent: %v", c.asked)
	}
}
