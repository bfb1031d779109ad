package erasure_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/keystore"
	"setpoint.dev/services/internal/personal"
	"setpoint.dev/services/natsfault"
)

// On three servers the keys are on each, are backed up and erased while one is
// away, and come back from their backup after the bucket was lost, but for who
// was erased since.
func TestKeysOfAClusterComeBack(t *testing.T) {
	cluster := natsfault.Start(t, 3)
	enter := func() process {
		t.Helper()
		return joinBy(t, natsfault.Connect(t, cluster.URL(), nats.ReconnectWait(100*time.Millisecond)), 3, whole)
	}
	// bucket is the stream of the keys, as its leader sees it.
	bucket := func() (jetstream.JetStream, *jetstream.StreamInfo) {
		t.Helper()
		js, err := jetstream.New(natsfault.Connect(t, cluster.URL()))
		if err != nil {
			t.Fatal(err)
		}
		s, err := js.Stream(t.Context(), keystore.Stream(0))
		if err != nil {
			t.Fatal(err)
		}
		return js, s.CachedInfo()
	}
	// answered asks until there is an answer: who asks while servers elect, or is
	// sent to the one that was killed, is told to ask again.
	answered := func(what string, ask func() error) {
		t.Helper()
		for end := time.Now().Add(time.Minute); ; {
			err := ask()
			if err == nil {
				return
			}
			if fault.KindOf(err) != fault.Unavailable || time.Now().After(end) {
				t.Fatalf("%s: %v", what, err)
			}
			cluster.Leader(t, keystore.Stream(0)) // waits
		}
	}
	p := enter()
	p.declare(t, "p-1", "Ada", "u-42")
	p.declare(t, "p-2", "Bob")
	p.declare(t, "p-3", "Eve")
	if _, info := bucket(); info.Config.Replicas != 3 || len(info.Cluster.Replicas) != 2 {
		t.Fatalf("the keys are kept in %d copies, with %d followers", info.Config.Replicas, len(info.Cluster.Replicas))
	}
	before, err := p.Backup(t.Context(), "acme", p.log.ID(), time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}

	// While the server that leads the bucket is away the others have the same
	// keys, and destroy them.
	leader := cluster.Servers[cluster.Leader(t, keystore.Stream(0))]
	leader.Kill()
	cluster.Leader(t, keystore.Stream(0))
	var without []byte
	answered("a backup from the servers that are left", func() (err error) {
		without, err = p.Backup(t.Context(), "acme", p.log.ID(), time.Unix(0, 0))
		return err
	})
	if !bytes.Equal(without, before) {
		t.Fatalf("a backup from the servers that are left: %d bytes, want %d", len(without), len(before))
	}
	answered("an erasure by the servers that are left", func() error {
		_, err := p.Erase(t.Context(), wish("e", "p-2"))
		return err
	})
	if err := leader.Start(); err != nil {
		t.Fatal(err)
	}
	cluster.Ready(t)

	// The bucket is lost on all three; a process that starts makes it anew.
	js, _ := bucket()
	if err := js.DeleteStream(t.Context(), keystore.Stream(0)); err != nil {
		t.Fatal(err)
	}
	p = enter()
	last, err := p.log.LastRevision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.record.Wait(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	for person, want := range map[string]string{"p-1": personal.Unreadable, "p-2": personal.Erased, "p-3": personal.Unreadable} {
		if got := p.name(t, person); got != want {
			t.Errorf("without its key %s reads %q, want %q", person, got, want)
		}
	}
	done, err := p.Restore(t.Context(), "acme", before)
	if err != nil || done.Restored == 0 || !slices.Equal(done.Erased, []personal.Holder{"person/p-2"}) {
		t.Fatalf("restored %+v, %v", done, err)
	}
	if again, err := p.Restore(t.Context(), "acme", before); err != nil || again.Restored != 0 || again.Unchanged != done.Restored {
		t.Errorf("restored again: %+v, %v", again, err)
	}
	for person, want := range map[string]string{"p-1": "Ada", "p-2": personal.Erased, "p-3": "Eve"} {
		if got := p.name(t, person); got != want {
			t.Errorf("%s reads %q, want %q", person, got, want)
		}
	}
	_, info := bucket()
	if info.Config.Replicas != 3 {
		t.Errorf("the keys that came back are kept in %d copies", info.Config.Replicas)
	}
	cluster.Stored(t, keystore.Stream(0), info.State.LastSeq) // on each of the three
}
