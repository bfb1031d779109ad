package eventlog

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"setpoint.dev/services/internal/fault"
)

const (
	// A batch of a restore: what is written with one sync.
	restoreMessages = 5_000
	restoreBytes    = 16 << 20

	// restoreTries is how often a batch is sent whose fate is that nothing of it
	// is there.
	restoreTries = 5
)

// Restore writes a log again, message by message, into a stream that has none.
// Until Finish the stream is marked and Open refuses it, so that a restore that
// was killed is never taken for a log.
type Restore struct {
	l      *Log
	last   uint64 // handed over
	stored uint64 // acknowledged
	batch  []*nats.Msg
	size   int
	sum    hash.Hash
}

// BeginRestore makes the stream of a shard, with an identity of its own, for
// what was backed up of origin. A stream that holds messages is refused as
// Exists, restore.not_empty; what an unfinished restore left is removed.
func BeginRestore(ctx context.Context, nc *nats.Conn, opts Options, origin Origin) (*Restore, error) {
	l, err := prepare(nc, opts)
	if err != nil {
		return nil, err
	}
	making, made := context.WithTimeout(ctx, l.opts.BatchTimeout)
	defer made()
	name := l.streamName()
	stream, err := l.js.Stream(making, name)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
	case err != nil:
		return nil, unavailable(err)
	default:
		info := stream.CachedInfo()
		if info.State.LastSeq > 0 && info.Config.Metadata[restoringKey] == "" {
			return nil, fault.New(fault.Exists, "restore.not_empty",
				"there is a log already: stream %s, id %s, with revisions up to %d", name, info.Config.Metadata[identityKey], info.State.LastSeq).
				WithHint("a restore goes into an empty server only: give it another --data folder or another cluster")
		}
		if err := l.js.DeleteStream(making, name); err != nil {
			return nil, unavailable(err)
		}
	}
	cfg := streamConfig(l.opts.Shard, l.opts.Replicas)
	cfg.Metadata[originKey] = origin.String()
	cfg.Metadata[restoringKey] = "unfinished"
	if stream, err = l.js.CreateStream(making, cfg); err != nil {
		return nil, unavailable(err)
	}
	l.use(stream)
	if err := l.checkBatchLimit(making); err != nil {
		return nil, err
	}
	return &Restore{l: l, sum: sha256.New()}, nil
}

// ID is the identity of the log that is being made.
func (r *Restore) ID() string { return r.l.id }

// Add writes the next message; sequences begin at 1 and are dense.
func (r *Restore) Add(ctx context.Context, s *Stored) error {
	if s.Sequence != r.last+1 {
		return hole(r.last+1, s.Sequence)
	}
	m := s.message()
	if size, limit := m.Size()+batchHeaders, int(r.l.nc.MaxPayload()); size > limit {
		return fault.New(fault.Exhausted, "log.envelope_too_large",
			"message %d takes %d bytes and the server allows %d", s.Sequence, size, limit).
			WithHint("raise max_payload on the NATS servers to that of the embedded one, 8 MiB")
	}
	r.last = s.Sequence
	digest(r.sum, s)
	r.batch = append(r.batch, m)
	r.size += m.Size()
	if len(r.batch) >= min(restoreMessages, r.l.opts.MaxBatch) || r.size >= restoreBytes {
		return r.flush(ctx)
	}
	return nil
}

// Stored is the last sequence that is on disk.
func (r *Restore) Stored() uint64 { return r.stored }

func (r *Restore) flush(ctx context.Context) error {
	for try := 1; len(r.batch) > 0; try++ {
		err := r.send(ctx)
		if err == nil {
			break
		}
		// The answer may be lost and not the batch: it is there as a whole or
		// not at all.
		last, infoErr := r.lastSequence(ctx)
		switch {
		case infoErr != nil:
			return errors.Join(unavailable(err), infoErr)
		case last == r.last:
		case last == r.stored && try < restoreTries:
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Duration(try) * 200 * time.Millisecond):
			}
			continue
		case last == r.stored:
			return unavailable(err)
		default:
			return disturbed(last, r.stored)
		}
		break
	}
	r.stored, r.batch, r.size = r.last, nil, 0
	return nil
}

func disturbed(found, expected uint64) error {
	return fault.New(fault.Aborted, "restore.disturbed",
		"somebody else writes to the log that is being restored: it is at %d, not at %d", found, expected).
		WithHint("stop every process that uses the server, and run setpoint restore again")
}

func (r *Restore) send(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.l.opts.BatchTimeout)
	defer cancel()
	r.batch[0].Header[nats.ExpectedLastSeqHdr] = []string{strconv.FormatUint(r.stored, 10)}
	if len(r.batch) == 1 {
		_, err := r.l.js.PublishMsg(ctx, r.batch[0], jetstream.WithRetryAttempts(0))
		return err
	}
	flow := jetstreamext.BatchFlowControl{AckFirst: true, AckEvery: ackEvery, AckTimeout: r.l.opts.Timeout}
	_, err := jetstreamext.PublishMsgBatch(ctx, r.l.js, r.batch, flow)
	return err
}

func (r *Restore) lastSequence(ctx context.Context) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, r.l.opts.Timeout)
	defer cancel()
	info, err := r.l.stream.Info(ctx)
	if err != nil {
		return 0, unavailable(err)
	}
	return info.State.LastSeq, nil
}

// Finish reads back what was written, compares it, and makes it a log.
// progress is told now and then how much has been compared.
func (r *Restore) Finish(ctx context.Context, progress func(done uint64)) error {
	if err := r.flush(ctx); err != nil {
		return err
	}
	last, err := r.lastSequence(ctx)
	if err != nil {
		return err
	}
	if last != r.last {
		return disturbed(last, r.last)
	}
	again := sha256.New()
	read := uint64(0)
	err = r.l.scan(ctx, 1, last, func(s *Stored) error {
		digest(again, s)
		if read++; progress != nil && read%1_000 == 0 {
			progress(read)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if read != r.last || !bytes.Equal(again.Sum(nil), r.sum.Sum(nil)) {
		return fault.New(fault.Internal, "restore.differs", "what the server stored is not what was written to it").
			WithHint("check the disk, and run setpoint restore again")
	}
	return r.unmark(ctx)
}

// unmark takes the mark of an unfinished restore away.
func (r *Restore) unmark(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.l.opts.Timeout)
	defer cancel()
	cfg := r.l.stream.CachedInfo().Config
	metadata := map[string]string{}
	for k, v := range cfg.Metadata {
		if k != restoringKey {
			metadata[k] = v
		}
	}
	cfg.Metadata = metadata
	stream, err := r.l.js.UpdateStream(ctx, cfg)
	if err != nil {
		return unavailable(err)
	}
	if wrong := unsafeSettings(stream.CachedInfo().Config, r.l.opts.Shard); len(wrong) > 0 {
		return fault.New(fault.Internal, "log.stream_unsafe", "the restored stream cannot hold the event log: %v", wrong)
	}
	return nil
}

// digest adds a message to a hash, so that no two sequences of messages give
// the same bytes.
func digest(h hash.Hash, s *Stored) {
	var n [8]byte
	part := func(b []byte) {
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	binary.BigEndian.PutUint64(n[:], s.Sequence)
	h.Write(n[:])
	part([]byte(s.Subject))
	for _, header := range s.Headers {
		part(fmt.Appendf(nil, "%s: %s", header.Name, header.Value))
	}
	part(s.Body)
}
