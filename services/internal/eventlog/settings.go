package eventlog

import (
	"context"
	"encoding/json"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Settings is what a server says about the stream and itself, for doctors.
type Settings struct {
	// Config is the stream's configuration, JSON.
	Config json.RawMessage
	// Unsafe lists what would let the stream lose, hide or rewrite messages.
	Unsafe []string
	// Replicas that the stream has, and how many of them are there and current.
	Replicas, Current int
	Leader            string
	// Server is the version of the server that we are connected to.
	Server     string
	MaxPayload int64
	// Messages, First and Last are what the stream says it holds, and Deleted
	// how many sequences between First and Last it knows to lack.
	Messages, First, Last uint64
	Deleted               int
	Bytes                 uint64
	// Ahead is how far the server's clock is ahead of ours, give or take
	// Within.
	Ahead, Within time.Duration
	// Consumers of the stream.
	Consumers int
}

// Settings asks the server.
func (l *Log) Settings(ctx context.Context) (Settings, error) {
	ctx, cancel := context.WithTimeout(ctx, l.opts.Timeout)
	defer cancel()
	before := time.Now()
	i, err := l.stream.Info(ctx)
	after := time.Now()
	if err != nil {
		return Settings{}, unavailable(err)
	}
	config, err := json.Marshal(i.Config)
	if err != nil {
		return Settings{}, err
	}
	s := Settings{
		Config: config, Unsafe: unsafeSettings(i.Config, l.opts.Shard),
		Replicas: i.Config.Replicas, Current: 1,
		Server: l.nc.ConnectedServerVersion(), MaxPayload: l.nc.MaxPayload(),
		Messages: i.State.Msgs, First: i.State.FirstSeq, Last: i.State.LastSeq, Deleted: i.State.NumDeleted,
		Bytes: i.State.Bytes, Consumers: i.State.Consumers,
	}
	if !i.TimeStamp.IsZero() {
		within := after.Sub(before) / 2
		s.Ahead, s.Within = i.TimeStamp.Sub(before.Add(within)), within
	}
	if i.Cluster != nil {
		s.Leader = i.Cluster.Leader
		for _, r := range i.Cluster.Replicas {
			if r.Current && !r.Offline {
				s.Current++
			}
		}
	}
	return s, nil
}

// BatchLimit fails with Exhausted, log.batch_limit_low, if the server allows
// smaller batches than Options.MaxBatch.
func (l *Log) BatchLimit(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, l.opts.Timeout)
	defer cancel()
	return l.checkBatchLimit(ctx)
}

// Unsafe lists what would let the stream lose, hide or rewrite messages, by its
// stored configuration.
func (o *Offline) Unsafe() []string {
	var c jetstream.StreamConfig
	if err := json.Unmarshal(o.Config, &c); err != nil {
		return []string{"its configuration cannot be read: " + err.Error()}
	}
	return unsafeSettings(c, o.shard)
}
