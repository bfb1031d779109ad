package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
	"setpoint.dev/proto/gen/setpoint/admin/v1/adminv1connect"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
)

// The server is killed at one moment of a rebuild after the other, while it
// takes commands. Each time it starts again, answers as before, finishes what
// was begun, and every row is what the log makes of it.
func TestKilledInRebuilds(t *testing.T) {
	const cycles = 10
	dir, ctx := t.TempDir(), context.Background()
	s := spawn(t, dir)
	c := connectTo(t, s.url, "default")
	c.apply(small)
	day := time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)
	n := 0
	record := func(c client, values int) error {
		var list []*strategyv1.Observation
		for range values {
			list = append(list, value("revenue", day.AddDate(0, 0, n).Format(time.DateOnly), float64(n)))
			n++
		}
		_, err := c.observe.RecordObservations(ctx, &strategyv1.RecordObservationsRequest{RequestId: fmt.Sprintf("r-%d", n), Observations: list})
		return err
	}
	for range 100 {
		if err := record(c, 50); err != nil {
			t.Fatal(err)
		}
	}
	before := everything(c)
	for cycle := range cycles {
		admin := adminv1connect.NewAdminServiceClient(http.DefaultClient, s.url)
		stream, err := admin.RebuildProjection(ctx, &adminv1.RebuildProjectionRequest{})
		if err != nil {
			t.Fatal(err)
		}
		began := make(chan struct{})
		go func() {
			for first := true; stream.Receive(); first = false {
				if first {
					close(began)
				}
			}
		}()
		select {
		case <-began:
		case <-time.After(time.Minute):
			t.Fatal("the rebuild did not begin")
		}
		<-time.After(time.Duration(cycle) * 20 * time.Millisecond) // another moment of it each time
		s.kill()
		_ = stream.Close()
		s = spawn(t, dir)
		c = connectTo(t, s.url, "default")
		if after := everything(c); after != before {
			t.Fatalf("cycle %d: the answers differ", cycle)
		}
	}
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
	if err := verify.Err(); err != nil || found.GetDiffering() != 0 || found.GetRows() < 5000 {
		t.Errorf("verified: %v, %v", found, err)
	}
	list, err := admin.ListProjections(ctx, &adminv1.ListProjectionsRequest{})
	if err != nil || len(list.GetProjections()[0].GetGenerations()) != 1 {
		t.Errorf("projections: %v, %v", list, err)
	}
	if after := everything(c); after != before {
		t.Error("the answers differ at the end")
	}
	s.kill()
	if left, _ := filepath.Glob(filepath.Join(dir, "record*.db")); len(left) != 1 {
		t.Errorf("left are %v", left)
	}
}
