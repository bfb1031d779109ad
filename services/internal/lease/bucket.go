package lease

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"setpoint.dev/services/internal/ensure"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/pause"
)

const (
	// DefaultTTL is how long a lease outlives its last renewal.
	DefaultTTL = 3 * time.Second

	bucketName = "SETPOINT_LEASES"

	// remake bounds how long making the bucket again is tried at a time.
	remake = 2 * time.Second
)

// Options say where leases are kept. The zero value is a bucket with one
// replica and leases of DefaultTTL.
type Options struct {
	// Replicas is used when the bucket is made; 0 is 1.
	Replicas int
	// TTL must be the same for everybody who competes; 0 is DefaultTTL.
	TTL time.Duration
}

// Bucket holds leases. Its methods may be called concurrently.
type Bucket struct {
	kv   jetstream.KeyValue
	ttl  time.Duration
	make func(context.Context) (jetstream.KeyValue, error) // finds the bucket, or makes it

	now  func() time.Time                          // with a monotonic reading
	rest func(context.Context, time.Duration) bool // false: the context ended
}

// Open opens the bucket of leases, and makes it if there is none.
func Open(ctx context.Context, nc *nats.Conn, o Options) (*Bucket, error) {
	if o.TTL == 0 {
		o.TTL = DefaultTTL
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, unavailable(err)
	}
	b := &Bucket{ttl: o.TTL, now: time.Now, rest: pause.For, make: func(ctx context.Context) (jetstream.KeyValue, error) {
		return ensure.Made(ctx,
			func(ctx context.Context) (jetstream.KeyValue, error) { return js.KeyValue(ctx, bucketName) },
			func(ctx context.Context) (jetstream.KeyValue, error) {
				return js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
					Bucket: bucketName, Description: "Setpoint: which process has which role",
					History: 1, Replicas: max(o.Replicas, 1), MaxValueSize: maxValue,
				})
			})
	}}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if b.kv, err = b.make(ctx); err != nil {
		return nil, unavailable(err)
	}
	return b, nil
}

// TTL is how long a lease outlives its last renewal.
func (b *Bucket) TTL() time.Duration { return b.ttl }

// maxValue bounds an entry in bytes, maxNote the note in it.
const (
	maxValue = 8 << 10
	maxNote  = 4 << 10
)

// State is what an entry says.
type State struct {
	// Holder is who holds the lease; "" if it was given back.
	Holder string `json:"holder,omitempty"`
	// Since is when the holder took it, by its own clock.
	Since time.Time `json:"since,omitzero"`
	// Note is what holders want everybody to know. It outlives its holder.
	Note string `json:"note,omitempty"`

	revision uint64
}

// Get reads an entry; the zero State if nobody ever held it. A bucket that
// somebody deleted is made again: it holds nothing that is not there anew in a
// moment, and without it nobody would work until all processes were restarted.
func (b *Bucket) Get(ctx context.Context, name string) (State, error) {
	e, err := b.get(ctx, name)
	if errors.Is(err, nats.ErrNoResponders) {
		making, made := context.WithTimeout(ctx, remake)
		// Whom nobody answers may as well be servers without a leader.
		if _, lost := b.make(making); lost == nil {
			e, err = b.get(ctx, name)
		}
		made()
	}
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return State{}, nil
	}
	if err != nil {
		return State{}, unavailable(err)
	}
	s := State{}
	// What nobody can read, nobody holds.
	_ = json.Unmarshal(e.Value(), &s)
	s.revision = e.Revision()
	return s, nil
}

func (b *Bucket) get(ctx context.Context, name string) (jetstream.KeyValueEntry, error) {
	ctx, cancel := context.WithTimeout(ctx, b.ttl/3)
	defer cancel()
	return b.kv.Get(ctx, name)
}

// errMoved says that an entry was written since it was read.
var errMoved = errors.New("the lease was changed by somebody else")

// put writes an entry over the one that s was read from.
func (b *Bucket) put(ctx context.Context, name string, s State) (State, error) {
	ctx, cancel := context.WithTimeout(ctx, b.ttl/3)
	defer cancel()
	if len(s.Note) > maxNote {
		s.Note = s.Note[:maxNote]
	}
	value, err := json.Marshal(s)
	if err != nil {
		return s, err
	}
	var revision uint64
	if s.revision == 0 {
		revision, err = b.kv.Create(ctx, name, value)
	} else {
		revision, err = b.kv.Update(ctx, name, value, s.revision)
	}
	if errors.Is(err, jetstream.ErrKeyExists) || errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return s, errMoved
	}
	if err != nil {
		return s, unavailable(err)
	}
	s.revision = revision
	return s, nil
}

func unavailable(cause error) error {
	return fault.Wrap(cause, fault.Unavailable, "lease.unavailable", "the leases in NATS cannot be read or written")
}
