package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"connectrpc.com/connect"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

// following tells of so many revisions and then waits for the client to leave.
func following(n int) func(context.Context, *connect.ServerStream[declarationv1.FollowResponse]) error {
	return func(ctx context.Context, s *connect.ServerStream[declarationv1.FollowResponse]) error {
		for i := range n {
			if err := s.Send(&declarationv1.FollowResponse{Revision: int64(i + 1)}); err != nil {
				return err
			}
		}
		<-ctx.Done()
		return ctx.Err()
	}
}

// changing is a server on which something is recorded eight times, and only
// every other time a unit: the listing is read at a new revision each time.
func changing() *fake {
	var reads atomic.Int64
	unit := func() (*commonv1.Resource, int64) {
		n := reads.Add(1)
		return &commonv1.Resource{Kind: "Unit", Metadata: &commonv1.Metadata{Name: fmt.Sprintf("unit-%d", (n+1)/2)}}, n
	}
	return &fake{
		follow: following(8),
		list: func(*declarationv1.ListRequest) (*declarationv1.ListResponse, error) {
			r, revision := unit()
			return &declarationv1.ListResponse{Resources: []*commonv1.Resource{r}, Revision: revision}, nil
		},
		get: func(*declarationv1.GetRequest) (*declarationv1.GetResponse, error) {
			r, revision := unit()
			return &declarationv1.GetResponse{Resource: r, Revision: revision}, nil
		},
		observed: func(*strategyv1.ListObservationsRequest) (*strategyv1.ListObservationsResponse, error) {
			_, n := unit()
			v := float64((n + 1) / 2)
			return &strategyv1.ListObservationsResponse{Revision: n, Observations: []*strategyv1.Observation{{ObservedAt: "2026-01-01", Value: &v}}}, nil
		},
	}
}

// What is different is shown, and what is not is not, whatever the revision.
func TestGetWatchShowsEachDifferenceOnce(t *testing.T) {
	for _, c := range []struct {
		args  []string
		until string
		each  string // stands once in each of the four
	}{
		{[]string{"get", "units", "-o", "json"}, "unit-4", `"items"`},
		{[]string{"get", "unit", "x", "-o", "json"}, "unit-4", `"kind"`},
		{[]string{"get", "units", "-o", "yaml"}, "unit-4", "kind: Unit"},
		{[]string{"get", "units"}, "unit-4", "NAME"},
		{[]string{"get", "observations", "m", "-o", "json"}, `"value":4`, `"items"`},
	} {
		got := session{server: changing().serve(t)}.until(t, c.until, append(c.args, "--watch")...).want(t, exitInterrupted)
		if n := strings.Count(got.stdout, c.each); n != 4 || got.stderr != "" {
			t.Errorf("%v: %d times in\n%s\n%s", c.args, n, got.stdout, got.stderr)
		}
		if c.args[len(c.args)-1] != "json" {
			continue
		}
		for line := range strings.Lines(got.stdout) {
			if !json.Valid([]byte(line)) {
				t.Errorf("%v: no line of JSON: %q", c.args, line)
			}
		}
	}
	got := session{server: changing().serve(t)}.until(t, "unit-4", "get", "units", "-o", "csv", "-w")
	if rows := csvRows(t, got.stdout); len(rows) != 4 || rows[3]["name"] != "unit-4" {
		t.Errorf("%d rows under one header: %s", len(rows), got.stdout)
	}
}

func TestGetWatchRedrawsATerminal(t *testing.T) {
	s := session{server: changing().serve(t), terminal: true, width: 80, height: 10, env: map[string]string{"NO_COLOR": "1"}}
	got := s.until(t, "unit-4", "get", "units", "--watch").want(t, exitInterrupted)
	if frames := strings.Split(got.stdout, "\x1b[H")[1:]; len(frames) != 4 || !strings.HasSuffix(frames[0], "\x1b[J") {
		t.Errorf("%d frames: %q", len(frames), got.stdout)
	}
}

// Where nothing is, that is said; and what appears is shown.
func TestGetWatchOfNothing(t *testing.T) {
	var reads atomic.Int64
	f := &fake{follow: following(2), list: func(*declarationv1.ListRequest) (*declarationv1.ListResponse, error) {
		if reads.Add(1) == 1 {
			return &declarationv1.ListResponse{}, nil
		}
		return &declarationv1.ListResponse{Resources: []*commonv1.Resource{{Kind: "Unit", Metadata: &commonv1.Metadata{Name: "north"}}}}, nil
	}}
	got := session{server: f.serve(t)}.until(t, "north", "get", "units", "--watch").want(t, exitInterrupted)
	if !strings.HasPrefix(got.stdout, "no units\n") {
		t.Errorf("%q", got.stdout)
	}
}

func TestGetWatchRefuses(t *testing.T) {
	s := session{server: (&fake{}).serve(t)}
	s.run(t, "get", "units", "--watch", "--revision", "3").want(t, exitUsage).wantStderr(t, "--watch follows what becomes known")
	s.run(t, "get", "units", "--watch").want(t, exitError).wantStderr(t, "error: ")
	f := &fake{follow: following(1), get: func(*declarationv1.GetRequest) (*declarationv1.GetResponse, error) {
		return nil, refuse(connect.CodeNotFound, "there is no unit x", nil)
	}}
	session{server: f.serve(t)}.run(t, "get", "unit", "x", "-w").want(t, exitError).wantStderr(t, "error: there is no unit x")
}
