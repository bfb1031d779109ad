// Package keystore keeps the keys of personal data in a JetStream key-value
// bucket beside the log: SETPOINT_KEYS_<shard>, one message a key, in files,
// with as many replicas as the log.
//
// Invariants: a key is written once and never changed, so that no second copy
// of it is ever left in the bucket's files; destroying one overwrites its
// message (a secure delete), where a plain delete or purge would leave the bytes
// on the disk; the tombstone is written first and beside the keys, so that
// whatever ends in between, and whoever makes a key meanwhile, the holder is
// erased; nothing is read from a replica that may lag.
//
// Open and Destroy say how.
package keystore

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"setpoint.dev/services/internal/ensure"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/personal"
)

// Options say which bucket to open and how.
type Options struct {
	Shard int
	// Replicas is used when the bucket is made; 0 is 1.
	Replicas int
	// Timeout bounds each operation; 0 is 2 s.
	Timeout time.Duration
}

// Store implements personal.Store.
type Store struct {
	nc     *nats.Conn
	kv     jetstream.KeyValue
	stream jetstream.Stream
	opts   Options
}

var _ personal.Store = (*Store)(nil)

// Bucket is the name of a shard's bucket.
func Bucket(shard int) string { return "SETPOINT_KEYS_" + strconv.Itoa(shard) }

// Stream is the name of the stream that holds a shard's bucket.
func Stream(shard int) string { return "KV_" + Bucket(shard) }

// Open opens the bucket of a shard, and makes it if there is none. One that
// could lose keys, or not destroy them, is refused as Rule,
// personal.bucket_unsafe.
func Open(ctx context.Context, nc *nats.Conn, opts Options) (*Store, error) {
	if opts.Replicas == 0 {
		opts.Replicas = 1
	}
	if opts.Timeout == 0 {
		opts.Timeout = 2 * time.Second
	}
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(opts.Timeout))
	if err != nil {
		return nil, unreachable(err)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	stream, err := ensure.Made(ctx,
		func(ctx context.Context) (jetstream.Stream, error) { return js.Stream(ctx, Stream(opts.Shard)) },
		func(ctx context.Context) (jetstream.Stream, error) { return js.CreateStream(ctx, config(opts)) })
	if err != nil {
		return nil, unreachable(err)
	}
	if wrong := unsafe(stream.CachedInfo().Config, opts.Shard); len(wrong) > 0 {
		return nil, fault.New(fault.Rule, "personal.bucket_unsafe", "the bucket %s cannot hold keys: %s",
			Bucket(opts.Shard), strings.Join(wrong, ", ")).
			WithHint("let setpoint make the bucket, or give it the settings of ADR 13")
	}
	kv, err := ensure.Answered(ctx, func(ctx context.Context) (jetstream.KeyValue, error) {
		return js.KeyValue(ctx, Bucket(opts.Shard))
	})
	if err != nil {
		return nil, unreachable(err)
	}
	return &Store{nc: nc, kv: kv, stream: stream, opts: opts}, nil
}

// Look tells whether a shard has a bucket, and which of its settings could lose
// keys or keep them from being destroyed. It makes nothing.
func Look(ctx context.Context, nc *nats.Conn, shard int) (there bool, wrong []string, err error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return false, nil, unreachable(err)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	stream, err := js.Stream(ctx, Stream(shard))
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return false, nil, nil
	}
	if err != nil {
		return false, nil, unreachable(err)
	}
	return true, unsafe(stream.CachedInfo().Config, shard), nil
}

// config differs from the bucket that the client library makes: messages can
// be deleted, which a secure delete needs, and all reads are the leader's.
func config(opts Options) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:              Stream(opts.Shard),
		Description:       "Setpoint: the keys of personal data. Back it up apart from the log",
		Subjects:          []string{"$KV." + Bucket(opts.Shard) + ".>"},
		Retention:         jetstream.LimitsPolicy,
		Discard:           jetstream.DiscardNew,
		Storage:           jetstream.FileStorage,
		Replicas:          opts.Replicas,
		MaxMsgsPerSubject: 1,
		DenyPurge:         true,
	}
}

func unsafe(c jetstream.StreamConfig, shard int) []string {
	var wrong []string
	check := func(ok bool, what string) {
		if !ok {
			wrong = append(wrong, what)
		}
	}
	want := "$KV." + Bucket(shard) + ".>"
	check(len(c.Subjects) == 1 && c.Subjects[0] == want, "its subjects are not "+want)
	check(c.Storage == jetstream.FileStorage, "it is not stored in files")
	check(c.Retention == jetstream.LimitsPolicy, "its retention is not limits")
	check(c.Discard == jetstream.DiscardNew, "it discards old messages")
	check(c.MaxAge == 0, "keys expire (max_age)")
	check(c.MaxMsgsPerSubject == 1, "it keeps more than one message a key (history)")
	check(!c.DenyDelete, "messages cannot be destroyed (deny_delete is on)")
	check(!c.AllowRollup, "it allows roll-ups")
	check(!c.AllowMsgTTL, "keys may expire (allow_msg_ttl)")
	check(!c.AllowDirect, "it answers stale reads (allow_direct)")
	check(c.PersistMode == jetstream.DefaultPersistMode, "it is flushed asynchronously (persist_mode)")
	check(c.Mirror == nil && len(c.Sources) == 0, "it is a copy of another stream")
	check(!c.Sealed, "it is sealed")
	return wrong
}

func unreachable(err error) error {
	return fault.Wrap(err, fault.Unavailable, "personal.keys_unavailable", "the keys of personal data cannot be reached")
}

// stored is the value of an entry.
type stored struct {
	ID      string     `json:"id,omitempty"`
	Key     string     `json:"key,omitempty"` // base64
	Made    *time.Time `json:"made,omitempty"`
	Erased  *time.Time `json:"erased,omitempty"`
	Because uint64     `json:"revision,omitempty"` // of the event of the erasure
}

// tombstone is the number of a holder's tombstone.
const tombstone = "erased"

// name is the key of an entry: ORG.KIND/ID.NUMBER, with = for ~, which a
// bucket does not take and no id holds.
func name(org string, h personal.Holder, number string) string {
	return org + "." + strings.ReplaceAll(string(h), "~", "=") + "." + number
}

func parseName(s string) (org string, h personal.Holder, number string, err error) {
	parts := strings.Split(s, ".")
	if len(parts) == 3 {
		h = personal.Holder(strings.ReplaceAll(parts[1], "=", "~"))
		if _, err = strconv.Atoi(parts[2]); (err == nil || parts[2] == tombstone) && h.Valid() {
			return parts[0], h, parts[2], nil
		}
	}
	return "", "", "", fmt.Errorf("the bucket holds %q, which names no key", s)
}

func decode(e jetstream.KeyValueEntry) (*personal.Key, error) {
	var s stored
	err := json.Unmarshal(e.Value(), &s)
	var secret []byte
	if err == nil {
		secret, err = base64.StdEncoding.DecodeString(s.Key)
	}
	if err == nil {
		var k *personal.Key
		if k, err = personal.ParseKey(s.ID, secret); err == nil {
			return k, nil
		}
	}
	// What is wrong with it is not said: it may hold a part of a key.
	return nil, fmt.Errorf("the entry %s of the bucket of keys holds no key", e.Key())
}

// Get implements personal.Store.
func (s *Store) Get(ctx context.Context, org string, h personal.Holder, number int) (*personal.Key, error) {
	e, err := s.get(ctx, name(org, h, strconv.Itoa(number)))
	if e == nil || err != nil {
		return nil, err
	}
	return decode(e)
}

// Erased implements personal.Store.
func (s *Store) Erased(ctx context.Context, org string, h personal.Holder) (*personal.Tombstone, error) {
	e, err := s.get(ctx, name(org, h, tombstone))
	if e == nil || err != nil {
		return nil, err
	}
	var v stored
	if err := json.Unmarshal(e.Value(), &v); err != nil {
		return nil, fmt.Errorf("the entry %s of the bucket of keys cannot be read", e.Key())
	}
	return &personal.Tombstone{Revision: v.Because}, nil
}

func (s *Store) get(ctx context.Context, name string) (jetstream.KeyValueEntry, error) {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	e, err := s.kv.Get(ctx, name)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, unreachable(err)
	}
	return e, nil
}

// Create implements personal.Store.
func (s *Store) Create(ctx context.Context, org string, h personal.Holder, number int, k *personal.Key) (bool, error) {
	now := time.Now().UTC()
	return s.create(ctx, name(org, h, strconv.Itoa(number)), stored{
		ID: k.ID, Key: base64.StdEncoding.EncodeToString(k.Secret()), Made: &now,
	})
}

func (s *Store) create(ctx context.Context, name string, value stored) (bool, error) {
	b, err := json.Marshal(value)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	// Not kv.Create, which would write over a delete marker: there are none.
	if _, err = s.kv.Update(ctx, name, b, 0); isMoved(err) {
		return false, nil
	}
	if err != nil {
		return false, unreachable(err)
	}
	return true, nil
}

// isMoved tells whether somebody else wrote the entry first.
func isMoved(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == wrongLastSequenceConstant)
}

// wrongLastSequenceConstant is what a replicated stream says instead while
// another write of the entry is under way.
const wrongLastSequenceConstant = 10164

// Destroy implements personal.Store. A key that somebody makes at the same
// time may be left, of no use beside the tombstone; the next call destroys it.
func (s *Store) Destroy(ctx context.Context, org string, h personal.Holder, t personal.Tombstone) error {
	now := time.Now().UTC()
	if _, err := s.create(ctx, name(org, h, tombstone), stored{Erased: &now, Because: t.Revision}); err != nil {
		return err
	}
	// The last first: what a crash leaves is numbered without a hole.
	var sequences []uint64
	for n := 0; ; n++ {
		e, err := s.get(ctx, name(org, h, strconv.Itoa(n)))
		if err != nil {
			return err
		}
		if e == nil {
			break
		}
		sequences = append(sequences, e.Revision())
	}
	for _, sequence := range slices.Backward(sequences) {
		if err := s.overwrite(ctx, sequence); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) overwrite(ctx context.Context, sequence uint64) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	err := s.stream.SecureDeleteMsg(ctx, sequence)
	if err == nil {
		return nil
	}
	if _, gone := s.stream.GetMsg(ctx, sequence); errors.Is(gone, jetstream.ErrMsgNotFound) {
		return nil // by another process
	}
	return unreachable(err)
}

// List implements personal.Store.
func (s *Store) List(ctx context.Context, org string, f func(personal.Holder, int, *personal.Key) error) error {
	w, err := s.kv.Watch(ctx, org+".>")
	if err != nil {
		return unreachable(err)
	}
	defer func() { _ = w.Stop() }()
	for {
		select {
		case e, open := <-w.Updates():
			if e == nil { // all that there was
				if !open {
					return unreachable(errors.New("the list of keys broke off"))
				}
				return nil
			}
			_, h, number, err := parseName(e.Key())
			if err != nil {
				return err
			}
			if number == tombstone {
				continue
			}
			key, err := decode(e)
			if err != nil {
				return err
			}
			n, _ := strconv.Atoi(number) // parseName looked
			if err := f(h, n, key); err != nil {
				return err
			}
		case <-ctx.Done():
			return unreachable(ctx.Err())
		}
	}
}

// Watch implements personal.Store. It ends when the connection is lost, as
// what was missed then is not known.
func (s *Store) Watch(ctx context.Context, f func(org string, h personal.Holder)) error {
	status := s.nc.StatusChanged(nats.DISCONNECTED, nats.RECONNECTING, nats.CLOSED)
	defer s.nc.RemoveStatusListener(status)
	w, err := s.kv.WatchAll(ctx, jetstream.UpdatesOnly(), jetstream.MetaOnly())
	if err != nil {
		return unreachable(err)
	}
	defer func() { _ = w.Stop() }()
	for {
		select {
		case e, open := <-w.Updates():
			if !open {
				return unreachable(errors.New("the watch of the keys broke off"))
			}
			if e == nil {
				continue
			}
			if org, h, _, err := parseName(e.Key()); err == nil {
				f(org, h)
			}
		case <-status:
			return unreachable(errors.New("the connection was lost"))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
