package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/jackc/pgx/v5"

	adminv1 "setpoint.dev/proto/gen/setpoint/admin/v1"
	"setpoint.dev/proto/gen/setpoint/admin/v1/adminv1connect"
	"setpoint.dev/services/testpostgres"
)

// A replica that only writes rows is asked what it may not do itself: the
// process that projects rebuilds for it, and the rest it does or refuses as any
// other would.
func TestOperatingThroughAReplicaThatOwnsNothing(t *testing.T) {
	ctx := context.Background()
	d := &deployment{api: map[string][]child{}}
	t.Cleanup(func() {
		if err := d.close(); err != nil {
			t.Error(err)
		}
	})
	var err error
	must := func() {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	d.dir, err = os.MkdirTemp("", "setpoint-owner-")
	must()
	err = d.startNATS()
	must()
	d.postgres, err = testpostgres.Start(ctx, "fsync=off")
	must()
	owner := d.postgres.URL("postgres")
	writer := writerOf(t, owner)
	serve := func(database, target string) child {
		t.Helper()
		d.database = database
		var c child
		c, err = d.serve(target)
		must()
		d.projectors = append(d.projectors, c)
		return c
	}
	// It waits for who may make the record's schema, as they start together.
	var replica child
	var answers func() (string, error)
	replica, answers, err = begin([]string{"serve", "--target", "declaration,strategy", "--data", t.TempDir(), "--listen", "127.0.0.1:0"},
		"SETPOINT_NATS_URL="+d.natsURL, "SETPOINT_DATABASE_URL="+writer)
	must()
	d.projectors = append(d.projectors, replica)
	eventually(t, "the replica waits", 2*time.Minute, func() error {
		if !strings.Contains(replica.said.String(), "waited for") {
			return errors.New(replica.said.String())
		}
		return nil
	})
	serve(owner, "projector")
	serve(owner, "projector")
	replica.url, err = answers()
	must()
	c := connectTo(t, replica.url, "default")
	c.apply(small)
	admin := adminv1connect.NewAdminServiceClient(http.DefaultClient, replica.url)
	generation := func() int32 {
		t.Helper()
		list, err := admin.ListProjections(ctx, &adminv1.ListProjectionsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range list.GetProjections()[0].GetGenerations() {
			if g.GetState() == "live" {
				return g.GetNumber()
			}
		}
		t.Fatalf("nothing is live: %v", list)
		return 0
	}
	// Several at once are one rebuild.
	before := generation()
	ended := make(chan error, 3)
	for range cap(ended) {
		go func() {
			stages, err := rebuilt(ctx, admin)
			if err == nil && !stages["done"] {
				t.Errorf("the stages told: %v", stages)
			}
			ended <- err
		}()
	}
	for range cap(ended) {
		if err := <-ended; err != nil {
			t.Errorf("a rebuild: %v, %v", err, faults(err))
		}
	}
	if now := generation(); now == before {
		t.Errorf("generation %d is live as before", now)
	}
	verify, err := admin.VerifyProjection(ctx, &adminv1.VerifyProjectionRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var found *adminv1.VerifyProjectionResponse
	for verify.Receive() {
		found = verify.Msg()
	}
	if err := verify.Err(); err != nil || found.GetDiffering() != 0 || found.GetRows() == 0 {
		t.Errorf("verified: %v, %v", found, err)
	}
	resumed, err := admin.ResumeProjection(ctx, &adminv1.ResumeProjectionRequest{})
	if err != nil || resumed.GetProjection().GetState() != "running" {
		t.Errorf("resumed: %v, %v", resumed, err)
	}
	_, err = admin.SkipEvent(ctx, &adminv1.SkipEventRequest{Sequence: 1, Reason: "a test"})
	if connect.CodeOf(err) != connect.CodeFailedPrecondition {
		t.Errorf("a sound message is left out: %v", err)
	}
	// Where nobody projects the replica says who could.
	for _, p := range d.projectors[1:3] {
		p.kill()
	}
	// NATS learns of their end a moment after it.
	eventually(t, "it is known that nobody projects", 2*time.Minute, func() error {
		_, err := rebuilt(ctx, admin)
		if connect.CodeOf(err) == connect.CodePermissionDenied && strings.Contains(err.Error(), "may not build generations") {
			return nil
		}
		return fmt.Errorf("a rebuild: %v", err)
	})
	// One that comes is asked at once, also before it has the lease.
	serve(owner, "projector")
	before = generation()
	if _, err := rebuilt(ctx, admin); err != nil || generation() == before {
		t.Errorf("by the next projector: %v", err)
	}
}

// rebuilt asks for a rebuild and returns the stages it was told of.
func rebuilt(ctx context.Context, admin adminv1connect.AdminServiceClient) (map[string]bool, error) {
	stream, err := admin.RebuildProjection(ctx, &adminv1.RebuildProjectionRequest{})
	if err != nil {
		return nil, err
	}
	stages := map[string]bool{}
	for stream.Receive() {
		stages[stream.Msg().GetStage()] = true
	}
	return stages, stream.Err()
}

// writerOf divides the rights on a database, and is its URL for a role that
// only writes rows.
func writerOf(t *testing.T, owner string) string {
	t.Helper()
	ctx := context.Background()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	script, err := exec.Command(path, "database", "roles", "--database", "postgres").Output()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(ctx, owner)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, text := range []string{string(script), `CREATE ROLE clerk LOGIN PASSWORD 'clerk' IN ROLE setpoint_writer`} {
		if _, err := conn.PgConn().Exec(ctx, text).ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	return testpostgres.With(t, owner, "postgres", "clerk", "clerk")
}
