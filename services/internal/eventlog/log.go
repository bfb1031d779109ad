package eventlog

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"setpoint.dev/services/internal/ensure"
	"setpoint.dev/services/internal/fault"
)

const (
	// DefaultMaxBatch is the largest commit, in messages; the server must be
	// configured for it.
	DefaultMaxBatch = 20_000

	identityKey = "setpoint-log-id"
	// originKey is the id and revision of the log that a backup was made of,
	// ID@REVISION, where the log was restored from one.
	originKey = "setpoint-restored-from"
	// restoringKey is there while a restore is under way.
	restoringKey = "setpoint-restoring"

	// opening bounds Open at least: servers that have just started lose what is
	// on its way over a connection they give up, and it is asked for again.
	opening = 30 * time.Second

	// The longest header lines that a batch adds to a message, with room.
	batchHeaders = 256
)

// Options say which log to open and how. The zero value is shard 0 with one
// replica and the default limits.
type Options struct {
	Shard int
	// Replicas is used when the stream is made; 0 is 1.
	Replicas int
	// MaxBatch is the largest commit in messages; 0 is DefaultMaxBatch. Open
	// fails if the server allows fewer.
	MaxBatch int
	// Timeout bounds each operation; 0 is 5 s.
	Timeout time.Duration
	// BatchTimeout bounds an AppendBatch instead; 0 is 30 s.
	BatchTimeout time.Duration
	Observer     Observer
}

// Log is one shard of the event log. Its methods may be called concurrently.
type Log struct {
	nc     *nats.Conn
	js     jetstream.JetStream
	stream jetstream.Stream
	opts   Options
	id     string
	origin Origin
	copies int
	server server
	closed chan struct{}
	close  sync.Once
	clock  clock
	feed   feed
	// lost is the first aggregate's end that a writer found missing.
	lost atomic.Pointer[DamageError]
	// batching holds a token while a batch is under way: see clock, and a
	// server has few places for open batches.
	batching chan struct{}
}

// Info describes a log to doctors and consoles.
type Info struct {
	ID       string
	Stream   string
	Replicas int
	MaxBatch int
	Messages uint64
	Bytes    uint64
	First    uint64
	Last     uint64
}

// Open opens the log of a shard, and makes its stream if there is none.
//
// A stream that could lose or hide messages is refused as Rule,
// log.stream_unsafe; a server that allows smaller batches than
// Options.MaxBatch as Exhausted, log.batch_limit_low; one that a restore has
// begun and not finished as Rule, log.restore_unfinished.
func Open(ctx context.Context, nc *nats.Conn, opts Options) (*Log, error) {
	l, err := prepare(nc, opts)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, max(opening, l.opts.BatchTimeout))
	defer cancel()
	if err := l.openStream(ctx); err != nil {
		return nil, err
	}
	if err := l.checkBatchLimit(ctx); err != nil {
		return nil, err
	}
	last, err := ensure.Answered(ctx, l.lastRecord)
	if _, damaged := Damaged(err); err != nil && (!damaged || fault.ReasonOf(err) == "log.format_newer") {
		return nil, err
	}
	// Of a damaged end readers tell, and what is before it can be read.
	if last != nil {
		l.clock.seen(last.Recorded())
	}
	return l, nil
}

// OpenExisting opens a log for those who judge it: none is made, and settings
// that Open refuses are told by Settings. Errors: NotFound log.missing; Rule
// log.restore_unfinished; Unavailable.
func OpenExisting(ctx context.Context, nc *nats.Conn, opts Options) (*Log, error) {
	l, err := prepare(nc, opts)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, l.opts.Timeout)
	defer cancel()
	stream, err := l.js.Stream(ctx, l.streamName())
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, fault.New(fault.NotFound, "log.missing", "there is no event log: no stream %s", l.streamName())
	}
	if err != nil {
		return nil, unavailable(err)
	}
	if stream.CachedInfo().Config.Metadata[restoringKey] != "" {
		return nil, restoreUnfinished(l.streamName())
	}
	l.use(stream)
	return l, nil
}

// prepare makes a log without its stream.
func prepare(nc *nats.Conn, opts Options) (*Log, error) {
	if opts.Shard < 0 {
		return nil, fault.New(fault.Invalid, "log.shard_invalid", "shard %d is negative", opts.Shard)
	}
	setDefault(&opts.Replicas, 1)
	setDefault(&opts.MaxBatch, DefaultMaxBatch)
	setDefault(&opts.Timeout, 5*time.Second)
	setDefault(&opts.BatchTimeout, 30*time.Second)

	js, err := jetstream.New(nc,
		jetstream.WithDefaultTimeout(opts.Timeout),
		jetstream.WithPublishAsyncMaxPending(1<<16),
		// See within.
		jetstream.WithPublishAsyncTimeout(opts.Timeout*3/4))
	if err != nil {
		return nil, unavailable(err)
	}
	return &Log{nc: nc, js: js, opts: opts, batching: make(chan struct{}, 1), closed: make(chan struct{})}, nil
}

func setDefault[T ~int | ~int64](v *T, value T) {
	if *v == 0 {
		*v = value
	}
}

// Close ends the waiting for acknowledgements; the connection stays open.
func (l *Log) Close() {
	l.close.Do(func() { close(l.closed) })
	l.js.CleanupPublisher()
}

// ID is the identity of the log: random, made with the stream, the same over
// restarts. A checkpoint of another log is worth nothing.
func (l *Log) ID() string { return l.id }

// Shard is the shard that the log is of.
func (l *Log) Shard() int { return l.opts.Shard }

// MaxBatch is the largest commit in messages.
func (l *Log) MaxBatch() int { return l.opts.MaxBatch }

func (l *Log) streamName() string { return "SETPOINT_" + strconv.Itoa(l.opts.Shard) }

func (l *Log) openStream(ctx context.Context) error {
	name := l.streamName()
	stream, err := ensure.Made(ctx,
		func(ctx context.Context) (jetstream.Stream, error) { return l.js.Stream(ctx, name) },
		func(ctx context.Context) (jetstream.Stream, error) {
			return l.js.CreateStream(ctx, streamConfig(l.opts.Shard, l.opts.Replicas))
		})
	if hasCode(err, codeNoPeers) || hasCode(err, codeNotClustered) {
		return fault.Wrap(err, fault.Rule, "log.replicas", "the NATS servers cannot keep %d copies of the log", l.opts.Replicas).
			WithHint("run three servers with JetStream, or say how many copies there are to be with --replicas")
	}
	if err != nil {
		return unavailable(err)
	}
	cfg := stream.CachedInfo().Config
	if cfg.Metadata[restoringKey] != "" {
		return restoreUnfinished(name)
	}
	if wrong := unsafeSettings(cfg, l.opts.Shard); len(wrong) > 0 {
		return fault.New(fault.Rule, "log.stream_unsafe", "stream %s cannot hold the event log: %s", name, strings.Join(wrong, ", ")).
			WithHint("let setpoint make the stream, or give it the settings of ADR 1")
	}
	l.use(stream)
	return nil
}

// use takes the stream, and who it is.
func (l *Log) use(stream jetstream.Stream) {
	cfg := stream.CachedInfo().Config
	l.stream, l.copies = stream, max(cfg.Replicas, 1)
	l.id, l.origin = cfg.Metadata[identityKey], parseOrigin(cfg.Metadata[originKey])
	if l.copies > 1 {
		go l.server.watch(l.nc, l.closed)
	} else {
		l.feed.open()
	}
}

func streamConfig(shard, replicas int) jetstream.StreamConfig {
	id := make([]byte, 16)
	// crypto/rand.Read never fails.
	_, _ = rand.Read(id)
	return jetstream.StreamConfig{
		Name:               "SETPOINT_" + strconv.Itoa(shard),
		Description:        "Setpoint event log: the source of truth",
		Subjects:           []string{fmt.Sprintf("%s.%d.>", prefix, shard)},
		Retention:          jetstream.LimitsPolicy,
		Discard:            jetstream.DiscardNew,
		Storage:            jetstream.FileStorage,
		Replicas:           replicas,
		DenyDelete:         true,
		DenyPurge:          true,
		AllowAtomicPublish: true,
		Metadata:           map[string]string{identityKey: hex.EncodeToString(id)},
	}
}

// unsafeSettings lists what would let a stream lose, hide or rewrite messages.
func unsafeSettings(c jetstream.StreamConfig, shard int) []string {
	var wrong []string
	check := func(ok bool, what string) {
		if !ok {
			wrong = append(wrong, what)
		}
	}
	want := fmt.Sprintf("%s.%d.>", prefix, shard)
	check(len(c.Subjects) == 1 && c.Subjects[0] == want, "its subjects are not "+want)
	check(c.Storage == jetstream.FileStorage, "it is not stored in files")
	check(c.Retention == jetstream.LimitsPolicy, "its retention is not limits")
	check(c.Discard == jetstream.DiscardNew, "it discards old messages")
	check(c.MaxAge == 0, "messages expire (max_age)")
	check(c.MaxMsgsPerSubject <= 0, "it limits messages per subject")
	check(c.DenyDelete, "messages can be deleted (deny_delete is off)")
	check(c.DenyPurge, "it can be purged (deny_purge is off)")
	check(!c.AllowMsgTTL, "messages may expire (allow_msg_ttl)")
	check(!c.AllowRollup, "it allows roll-ups")
	check(c.AllowAtomicPublish, "atomic batches are off (allow_atomic)")
	check(!c.AllowDirect, "it answers stale reads (allow_direct)")
	check(c.Compression == jetstream.NoCompression, "it is compressed")
	check(c.PersistMode == jetstream.DefaultPersistMode, "it is flushed asynchronously (persist_mode)")
	check(c.Mirror == nil && len(c.Sources) == 0, "it is a copy of another stream")
	check(c.SubjectTransform == nil, "it transforms subjects")
	check(!c.Sealed, "it is sealed")
	check(c.Metadata[identityKey] != "", "it has no log identity ("+identityKey+")")
	return wrong
}

// checkBatchLimit asks the server for its limit without writing: a message
// that claims to be far inside a batch that was never begun is refused, and
// the refusal tells the limit if the place is beyond it.
func (l *Log) checkBatchLimit(ctx context.Context) error {
	m := nats.NewMsg(Subject{Org: "setpoint", Service: "log", Kind: "probe", ID: "batch"}.String(l.opts.Shard))
	m.Header.Set(jetstreamext.BatchIDHeader, rand.Text())
	m.Header.Set(jetstreamext.BatchSeqHeader, strconv.Itoa(max(l.opts.MaxBatch, 2)))
	// A stream just made on a cluster has no leader for a moment, and what is on
	// its way to one that is being replaced is answered by nobody.
	resp, err := ensure.Answered(ctx, func(ctx context.Context) (*nats.Msg, error) {
		return l.nc.RequestMsgWithContext(ctx, m)
	})
	if err != nil {
		return unavailable(err)
	}
	var answer struct {
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(resp.Data, &answer); err != nil || answer.Error == nil {
		return fault.New(fault.Rule, "log.server_too_old", "the NATS server does not know atomic batches").
			WithHint("run nats-server 2.14 or later")
	}
	switch answer.Error.ErrorCode {
	case codeBatchIncomplete:
		return nil
	case codeBatchTooLarge:
		limit, _ := sequenceIn(answer.Error)
		return fault.New(fault.Exhausted, "log.batch_limit_low",
			"the NATS server allows batches of %d messages and setpoint is set to use %d", limit, l.opts.MaxBatch).
			WithHint("set jetstream { limits { batch { max_msgs: %d } } } on the servers", l.opts.MaxBatch)
	}
	return unavailable(answer.Error)
}

// Info describes the log.
func (l *Log) Info(ctx context.Context) (Info, error) {
	ctx, cancel := context.WithTimeout(ctx, l.opts.Timeout)
	defer cancel()
	i, err := l.stream.Info(ctx)
	if err != nil {
		return Info{}, unavailable(err)
	}
	return Info{
		ID: l.id, Stream: i.Config.Name, Replicas: i.Config.Replicas, MaxBatch: l.opts.MaxBatch,
		Messages: i.State.Msgs, Bytes: i.State.Bytes, First: i.State.FirstSeq, Last: i.State.LastSeq,
	}, nil
}
