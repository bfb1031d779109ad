package e2e_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	eventv1 "setpoint.dev/proto/gen/setpoint/event/v1"
	"setpoint.dev/services/natsfault"
)

// message is one of the log's, as a reader sees it who knows only what is
// published about it: the subjects and the envelope.
type message struct {
	kind, id string // of the aggregate
	sequence uint64
	revision uint64 // end of its commit
	envelope *eventv1.Envelope
}

// readLog reads all of a log from its servers, and fails the test where a
// sequence is missing, a commit is not whole or an aggregate's chain of hashes
// breaks.
func readLog(t *testing.T, url string) []message {
	t.Helper()
	nc := natsfault.Connect(t, url)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(ctx, "SETPOINT_0")
	if err != nil {
		t.Fatal(err)
	}
	var log []message
	previous := map[string][]byte{}
	place := 0
	for sequence := uint64(1); sequence <= stream.CachedInfo().State.LastSeq; sequence++ {
		m, err := stream.GetMsg(ctx, sequence)
		if err != nil {
			t.Fatalf("message %d of %d: %v", sequence, stream.CachedInfo().State.LastSeq, err)
		}
		e := &eventv1.Envelope{}
		if err := proto.Unmarshal(m.Data, e); err != nil {
			t.Fatalf("message %d: %v", sequence, err)
		}
		if !bytes.Equal(e.GetPreviousHash(), previous[m.Subject]) {
			t.Errorf("message %d does not continue %s", sequence, m.Subject)
		}
		hash := sha256.Sum256(m.Data)
		previous[m.Subject] = hash[:]
		if int(e.GetCommit().GetIndex()) != place {
			t.Errorf("message %d is number %d of its commit, and number %d was to come", sequence, e.GetCommit().GetIndex(), place)
		}
		if place++; place == int(e.GetCommit().GetCount()) {
			place = 0
		}
		parts := strings.Split(m.Subject, ".") // sp.<shard>.<org>.<service>.<kind>.<id>
		log = append(log, message{
			kind: parts[4], id: strings.Join(parts[5:], "."), sequence: sequence, envelope: e,
			revision: sequence - uint64(e.GetCommit().GetIndex()) + uint64(e.GetCommit().GetCount()) - 1,
		})
	}
	if place != 0 {
		t.Errorf("the log ends inside a commit")
	}
	return log
}

// timesDoNotDecrease holds where one process writes.
func timesDoNotDecrease(t *testing.T, log []message) {
	t.Helper()
	for i := 1; i < len(log); i++ {
		if at, before := log[i].envelope.GetRecorded().AsTime(), log[i-1].envelope.GetRecorded().AsTime(); at.Before(before) {
			t.Errorf("message %d is recorded at %s, after one at %s", log[i].sequence, at, before)
		}
	}
}

// embeddedURL is where the embedded NATS of a data folder listens.
func embeddedURL(t *testing.T, data string) string {
	t.Helper()
	var c struct{ URL, User, Password string }
	b, err := os.ReadFile(filepath.Join(data, "nats", "nats-credentials.json"))
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(c.URL, "://", "://"+c.User+":"+c.Password+"@", 1)
}
