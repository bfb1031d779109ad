package eventlog_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/natsfault"
)

// A leader that is cut off, and whom its clients still reach, goes on telling
// what was; it never confirms it.
func TestALeaderThatIsAloneDoesNotConfirm(t *testing.T) {
	t.Parallel() // it mostly waits for an election
	cluster := natsfault.Start(t, 3)
	open := func(url string, timeout time.Duration) *eventlog.Log {
		t.Helper()
		l, err := eventlog.Open(t.Context(), connect(t, url), eventlog.Options{Replicas: 3, Timeout: timeout})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	first := open(cluster.URL(), time.Minute)
	appendOne(t, first, "before")
	cluster.Stored(t, "SETPOINT_0", 1)
	old := cluster.Leader(t, "SETPOINT_0")
	// Those who ask while servers elect do not wait until they have.
	const soon = 2 * time.Second
	alone, others := open(cluster.ServerURL(old), soon), open(cluster.ServerURL((old+1)%3), soon)
	patient := open(cluster.ServerURL(old), time.Minute)
	for _, l := range []*eventlog.Log{patient, open(cluster.ServerURL((old+1)%3), time.Minute)} {
		if end, err := l.ConfirmedEnd(t.Context()); err != nil || end != 1 {
			t.Fatalf("before the cut the end is %d, %v", end, err)
		}
	}

	cluster.Cut(old, natsfault.Both)
	// What the cut-off server confirms is never older than what was acknowledged
	// before it was asked, for as long as it thinks that it leads.
	acknowledged, outdated, confirmed := uint64(1), 0, 0
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	for n := 0; ; n++ {
		done, err := others.Append(ctx, eventlog.Command{RequestID: fmt.Sprintf("other%d", n), Recorded: time.Now()}, eventlog.Draft{
			Subject: register(fmt.Sprintf("other%d", n)), Events: []eventlog.Event{{Type: "strategy.metric_declared.v1"}},
		})
		switch {
		case err == nil:
			acknowledged = done.Revision
		case fault.KindOf(err) != fault.Unavailable, ctx.Err() != nil:
			t.Fatalf("the others do not go on: %v", err)
		}
		last, lastErr := alone.LastRevision(ctx)
		if lastErr == nil && last < acknowledged {
			outdated++
		}
		end, err := alone.ConfirmedEnd(ctx)
		if err == nil {
			confirmed++
			if end < acknowledged {
				t.Fatalf("the end is confirmed as %d, after %d was acknowledged", end, acknowledged)
			}
		}
		if acknowledged > 1 && lastErr != nil {
			break
		}
	}
	t.Logf("the leader that was cut off told an old end %d times, and confirmed %d", outdated, confirmed)

	cluster.Heal(t)
	cluster.Ready(t)
	if end, err := patient.ConfirmedEnd(t.Context()); err != nil || end < acknowledged {
		t.Errorf("after healing the end is %d, %v; %d was acknowledged", end, err, acknowledged)
	}
}
