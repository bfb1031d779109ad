package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
	"setpoint.dev/proto/gen/setpoint/admin/v1/adminv1connect"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

// diary records a value for each day. What was not acknowledged it gives again
// under the same request id.
type diary struct {
	days    int // that are acknowledged
	pending *strategyv1.RecordObservationsRequest
}

func (d *diary) step(ctx context.Context, c client, days int) error {
	if d.pending == nil {
		d.pending = &strategyv1.RecordObservationsRequest{RequestId: fmt.Sprintf("day-%d", d.days)}
		first := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
		for i := range days {
			d.pending.Observations = append(d.pending.Observations,
				value("revenue", first.AddDate(0, 0, d.days+i).Format(time.DateOnly), float64(d.days+i)))
		}
	}
	if _, err := c.observe.RecordObservations(ctx, d.pending); err != nil {
		return err
	}
	d.days += len(d.pending.GetObservations())
	d.pending = nil
	return nil
}

// check looks for every value in its place.
func (d *diary) check(c client) {
	c.t.Helper()
	n := 0
	for token := ""; ; {
		list, err := c.observe.ListObservations(context.Background(), &strategyv1.ListObservationsRequest{Metric: "revenue", PageSize: 10_000, PageToken: token})
		if err != nil {
			c.t.Fatal(err)
		}
		for _, o := range list.GetObservations() {
			if o.GetValue() != float64(n) {
				c.t.Fatalf("day %d has the value %v on %s", n, o.GetValue(), o.GetObservedAt())
			}
			n++
		}
		if token = list.GetNextPageToken(); token == "" {
			break
		}
	}
	if n != d.days {
		c.t.Fatalf("%d days are on record, %d were acknowledged", n, d.days)
	}
}

// The server is killed at one word of a rebuild or another, while it takes
// commands. Each time it starts again it has all that it acknowledged, finishes
// what was begun, and in the end every row is what the log makes of it.
func TestKilledInRebuilds(t *testing.T) {
	const cycles = 6
	dir, ctx := t.TempDir(), context.Background()
	random := rand.New(rand.NewPCG(4, 2026))
	s := spawn(t, dir)
	defer func() { s.kill() }()
	c := connectTo(t, s.url, "default")
	c.apply(small)
	declared := c.export(nil).GetContent()
	d := &diary{}
	for range 40 {
		if err := d.step(ctx, c, 50); err != nil {
			t.Fatal(err)
		}
	}
	stages := map[string]int{}
	for cycle := range cycles {
		bounded, done := context.WithTimeout(ctx, 3*time.Minute)
		writes := make(chan struct{})
		go func() {
			defer close(writes)
			for d.step(bounded, c, 1) == nil {
			}
		}()
		stream, err := adminv1connect.NewAdminServiceClient(http.DefaultClient, s.url).RebuildProjection(bounded, &adminv1.RebuildProjectionRequest{})
		if err != nil {
			t.Fatal(err)
		}
		stage := ""
		for left := 1 + random.IntN(6); left > 0 && stage != "done" && stream.Receive(); left-- {
			stage = stream.Msg().GetStage()
		}
		if stage == "" {
			t.Fatalf("cycle %d: the rebuild did not begin: %v", cycle, stream.Err())
		}
		stages[stage]++
		s.kill()
		_ = stream.Close()
		<-writes
		done()
		s = spawn(t, dir)
		c = connectTo(t, s.url, "default")
		if d.pending != nil {
			if err := d.step(ctx, c, 1); err != nil {
				t.Fatal(err)
			}
		}
		d.check(c)
		if got := c.export(nil).GetContent(); !bytes.Equal(got, declared) {
			t.Fatalf("cycle %d: what is declared is\n%s\nit was\n%s", cycle, got, declared)
		}
	}
	t.Logf("killed at %v, %d days", stages, d.days)
	admin := adminv1connect.NewAdminServiceClient(http.DefaultClient, s.url)
	rebuild, err := admin.RebuildProjection(ctx, &adminv1.RebuildProjectionRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for rebuild.Receive() {
	}
	if err := rebuild.Err(); err != nil {
		t.Fatal(err)
	}
	verify, err := admin.VerifyProjection(ctx, &adminv1.VerifyProjectionRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var found *adminv1.VerifyProjectionResponse
	for verify.Receive() {
		found = verify.Msg()
	}
	if err := verify.Err(); err != nil || found.GetDiffering() != 0 || found.GetRows() < int64(d.days) {
		t.Errorf("verified: %v, %v", found, err)
	}
	list, err := admin.ListProjections(ctx, &adminv1.ListProjectionsRequest{})
	if err != nil || len(list.GetProjections()[0].GetGenerations()) != 1 {
		t.Errorf("projections: %v, %v", list, err)
	}
	d.check(c)
	s.kill()
	if left, _ := filepath.Glob(filepath.Join(dir, "record*.db")); len(left) != 1 {
		t.Errorf("left are %v", left)
	}
}
