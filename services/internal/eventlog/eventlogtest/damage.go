package eventlogtest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Damage takes messages out of a log, as a broken disk does: its stream is
// written again without them, under the same sequences and the same identity.
// Nobody else may use the stream meanwhile.
func Damage(t testing.TB, nc *nats.Conn, shard int, gone ...uint64) {
	t.Helper()
	ctx := context.Background()
	if err := damage(ctx, nc, fmt.Sprintf("SETPOINT_%d", shard), gone); err != nil {
		t.Fatalf("damage the log: %v", err)
	}
}

func damage(ctx context.Context, nc *nats.Conn, name string, gone []uint64) error {
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	stream, err := js.Stream(ctx, name)
	if err != nil {
		return err
	}
	info, err := stream.Info(ctx)
	if err != nil {
		return err
	}
	var kept []*nats.Msg
	for sequence := info.State.FirstSeq; sequence <= info.State.LastSeq; sequence++ {
		m, err := stream.GetMsg(ctx, sequence)
		if err != nil {
			return err
		}
		header := nats.Header{}
		for k, v := range m.Header {
			if !strings.HasPrefix(k, "Nats-") {
				header[k] = v
			}
		}
		kept = append(kept, &nats.Msg{Subject: m.Subject, Header: header, Data: m.Data})
	}
	if err := js.DeleteStream(ctx, name); err != nil {
		return err
	}
	cfg := info.Config
	cfg.DenyDelete, cfg.DenyPurge = false, false
	if stream, err = js.CreateStream(ctx, cfg); err != nil {
		return err
	}
	for _, m := range kept {
		if _, err := js.PublishMsg(ctx, m); err != nil {
			return err
		}
	}
	for _, sequence := range gone {
		if err := stream.DeleteMsg(ctx, sequence); err != nil {
			return err
		}
	}
	cfg.DenyDelete, cfg.DenyPurge = true, true
	_, err = js.UpdateStream(ctx, cfg)
	return err
}
