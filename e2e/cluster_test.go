package e2e_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	"setpoint.dev/services/natsfault"
)

// Setpoint in parts on three servers of NATS, with the copies that it makes by
// itself: the servers that lead the log and the leases are killed, and so is
// the process that projects. Then the log is checked, backed up, and restored
// onto three other servers.
func TestPartsOnAClusterOfNATS(t *testing.T) {
	cluster := natsfault.Start(t, 3)
	d, err := deployOn(context.Background(), func(d *deployment) error {
		d.natsURL = cluster.URL()
		return nil
	}, "declaration,strategy,gap")
	if err != nil {
		t.Fatal(err)
	}
	f := writing(t, d, 2*time.Minute)
	threeCopies(t, cluster.URL(), "SETPOINT_0", "KV_SETPOINT_LEASES", "KV_SETPOINT_KEYS_0")

	killed := func() {
		t.Helper()
		old := f.away("the projector killed", takeover, child.kill)
		c, err := f.serve("projector")
		if err != nil {
			t.Fatal(err)
		}
		f.projectors[old] = c
	}
	killed()
	for _, stream := range []string{"KV_SETPOINT_LEASES", "SETPOINT_0"} {
		for try := 1; ; try++ {
			usual := f.usual()
			cluster.Inflict(t, natsfault.Fault{Kind: natsfault.Kill, Lasts: 2 * time.Second}, stream)
			longest := f.longest()
			t.Logf("the server that leads %s killed: the longest write took %s, and until it was read %s; before it took %s", stream, longest.write, longest.read, usual)
			// The others elect another one within 9 s, and then somebody projects.
			if longest.read <= 9*time.Second+takeover+slowness(usual) {
				break
			}
			if try == triesInTime {
				t.Errorf("nothing was projected for %s", longest.read)
				break
			}
			cluster.Ready(t)
		}
	}
	killed()
	f.end()
	for _, c := range f.projectors {
		if strings.Contains(c.said.String(), "halted") {
			t.Errorf("a projector said: %s", c.said)
		}
	}
	before := everything(f.c)

	healthy(t, cluster.URL())
	file := filepath.Join(t.TempDir(), "cluster.backup")
	if _, said, code := setpoint(t, nil, "backup", "--nats-url", cluster.URL(), "-o", file); code != 0 {
		t.Fatalf("backup: %d %s", code, said)
	}
	log := readLog(t, cluster.URL())
	for _, replicas := range append([][]child{f.projectors}, f.api["gap"]) {
		for _, c := range replicas {
			c.kill()
		}
	}

	other := natsfault.Start(t, 3)
	if _, said, code := setpoint(t, nil, "restore", file, "--nats-url", other.URL()); code != 0 {
		t.Fatalf("restore: %d %s", code, said)
	}
	if _, _, code := setpoint(t, nil, "restore", file, "--nats-url", other.URL()); code == 0 {
		t.Error("it was restored again over what is there")
	}
	if restored := readLog(t, other.URL()); !slices.EqualFunc(log, restored, func(a, b message) bool {
		return a.kind == b.kind && a.id == b.id && a.sequence == b.sequence && a.revision == b.revision && proto.Equal(a.envelope, b.envelope)
	}) {
		t.Errorf("the restored log of %d messages is not the one of %d", len(restored), len(log))
	}
	healthy(t, other.URL())
	r := newReplica(t, "restored", "serve", "--target=all", "--nats-url", other.URL(), "--data", t.TempDir())
	for _, target := range apiTargets {
		f.api[target] = []child{r.running}
	}
	eventually(t, "the record is made", 2*time.Minute, func() error {
		p, err := status(context.Background(), r.url())
		if err == nil && p.GetRevision() < int64(len(log)) {
			err = fmt.Errorf("it is at %d of %d", p.GetRevision(), len(log))
		}
		return err
	})
	if after := everything(f.c); after != before {
		t.Error("the record of the restored log differs")
	}
	threeCopies(t, other.URL(), "SETPOINT_0", "KV_SETPOINT_KEYS_0")
}

// threeCopies checks that what setpoint keeps in NATS is on each server.
func threeCopies(t *testing.T, url string, streams ...string) {
	t.Helper()
	nc := natsfault.Connect(t, url)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range streams {
		stream, err := js.Stream(t.Context(), name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if n := stream.CachedInfo().Config.Replicas; n != 3 {
			t.Errorf("%s has %d copies", name, n)
		}
	}
}

// healthy lets doctor check the log on NATS servers.
func healthy(t *testing.T, url string) {
	t.Helper()
	out, said, code := setpoint(t, nil, "doctor", "--nats-url", url)
	if code != 0 {
		t.Errorf("doctor: %d %s %s", code, out, said)
	}
	t.Logf("doctor:\n%s", out)
}
