package personal

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"setpoint.dev/services/internal/fault"
)

const (
	// mostCached bounds how many holders' keys are remembered.
	mostCached = 20_000
	// restFor is how long a store that did not answer is not asked again, so
	// that a reader of many texts waits once.
	restFor = time.Second
	// mostKeys bounds the keys of one holder: more than one exists only where
	// keys were restored beside new ones.
	mostKeys = 64
)

// Store keeps keys. A holder's keys are numbered from 0; beside them there may
// be a tombstone, which outdoes them. Failures are Unavailable.
type Store interface {
	// Get returns the key with a number, nil if there is none.
	Get(ctx context.Context, org string, h Holder, number int) (*Key, error)
	// Erased returns the holder's tombstone, nil if there is none.
	Erased(ctx context.Context, org string, h Holder) (*Tombstone, error)
	// Create stores a new key; false if the number is taken, by whoever.
	Create(ctx context.Context, org string, h Holder, number int, k *Key) (bool, error)
	// Destroy leaves the tombstone, and then overwrites every key of the holder
	// where it is stored. Destroying again, or after a crash, completes it.
	Destroy(ctx context.Context, org string, h Holder, t Tombstone) error
	// List calls f for every key of an organization, on no picture in
	// particular.
	List(ctx context.Context, org string, f func(Holder, int, *Key) error) error
	// Watch calls f with every holder whose entries change, whoever does it,
	// until ctx ends or the watch breaks.
	Watch(ctx context.Context, f func(org string, h Holder)) error
}

// Tombstone stands for the keys of somebody who was erased.
type Tombstone struct {
	Revision uint64 // of the event that says so
}

// Keys gives out the keys of a store, and remembers them. Its methods may be
// called concurrently.
type Keys struct {
	store Store

	mu    sync.Mutex
	rings map[ringName]ring
	// forgotten counts what the watch has told, so that what was being read
	// meanwhile is not remembered.
	forgotten uint64
	downUntil time.Time
}

type ringName struct {
	org    string
	holder Holder
}

// ring is what the store has of a holder. Keys beside a tombstone are about to
// be destroyed, and no use.
type ring struct {
	erased bool
	keys   []*Key
}

// NewKeys makes the door to a store.
func NewKeys(store Store) *Keys { return &Keys{store: store, rings: map[ringName]ring{}} }

// Run forgets what changes in the store, until ctx ends. While it cannot watch,
// nothing is remembered for longer than a moment.
func (k *Keys) Run(ctx context.Context) {
	for ctx.Err() == nil {
		_ = k.store.Watch(ctx, k.forget)
		k.forgetAll()
		select {
		case <-ctx.Done():
		case <-time.After(restFor):
		}
	}
}

func (k *Keys) forget(org string, h Holder) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.rings, ringName{org, h})
	k.forgotten++
}

func (k *Keys) forgetAll() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.rings)
	k.forgotten++
}

// errNone says that a holder has no key, or not the one asked for.
var errNone = errors.New("there is no such key")

// errErased says that a holder's keys were destroyed.
var errErased = errors.New("the key was destroyed")

// ring reads what the store has of a holder.
func (k *Keys) ring(ctx context.Context, org string, h Holder) (ring, error) {
	name := ringName{org, h}
	k.mu.Lock()
	r, known := k.rings[name]
	seen, down := k.forgotten, time.Now().Before(k.downUntil)
	k.mu.Unlock()
	if known {
		return r, nil
	}
	if down {
		return ring{}, unavailable(nil)
	}
	stone, err := k.store.Erased(ctx, org, h)
	if err != nil {
		return ring{}, k.failed(ctx, err)
	}
	r.erased = stone != nil
	for n := range mostKeys {
		key, err := k.store.Get(ctx, org, h, n)
		if err != nil {
			return ring{}, k.failed(ctx, err)
		}
		if key == nil {
			break
		}
		r.keys = append(r.keys, key)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.forgotten == seen {
		if len(k.rings) >= mostCached {
			clear(k.rings)
		}
		k.rings[name] = r
	}
	return r, nil
}

func (k *Keys) failed(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		k.mu.Lock()
		k.downUntil = time.Now().Add(restFor)
		k.mu.Unlock()
	}
	return unavailable(err)
}

func unavailable(err error) error {
	return fault.Wrap(err, fault.Unavailable, "personal.keys_unavailable", "the keys of personal data cannot be reached").
		WithHint("try again; setpoint doctor says what is wrong")
}

// For returns the key that a holder's texts are sealed with, and makes it if
// the holder has none; of two who make one at once, both get the first.
//
// Errors: Rule personal.erased for somebody who was erased; Unavailable
// personal.keys_unavailable.
func (k *Keys) For(ctx context.Context, org string, h Holder) (*Key, error) {
	for range 3 {
		r, err := k.ring(ctx, org, h)
		switch {
		case err != nil:
			return nil, err
		case r.erased:
			return nil, fault.New(fault.Rule, "personal.erased", "%s was erased: nothing personal can be written in this name any more", h).
				WithHint("a person who comes back is declared under another name, and acts as another principal")
		case len(r.keys) > 0:
			return r.keys[0], nil
		}
		if _, err := k.store.Create(ctx, org, h, 0, NewKey()); err != nil {
			return nil, k.failed(ctx, err)
		}
		// Whoever made it, what is stored is the key.
		k.forget(org, h)
	}
	return nil, unavailable(errors.New("the key that was made cannot be read"))
}

// find returns a holder's key by its id: errErased, errNone or Unavailable if
// it cannot.
func (k *Keys) find(ctx context.Context, org string, h Holder, id string) (*Key, error) {
	r, err := k.ring(ctx, org, h)
	if err != nil {
		return nil, err
	}
	if r.erased {
		return nil, errErased
	}
	for _, key := range r.keys {
		if key.ID == id {
			return key, nil
		}
	}
	return nil, errNone
}

// Open gives the text of a stored text: itself if it is not sealed, a marker if
// it does not open.
func (k *Keys) Open(ctx context.Context, at Place, stored string) string {
	if !IsSealed(stored) {
		return stored
	}
	s, err := parse(stored)
	if err != nil {
		return Unreadable
	}
	key, err := k.find(ctx, at.Org, s.holder, s.keyID)
	switch {
	case errors.Is(err, errErased):
		return Erased
	case errors.Is(err, errNone):
		return Unreadable
	case err != nil:
		return Unavailable
	}
	text, err := key.open(s, at)
	if err != nil {
		return Unreadable
	}
	return text
}

// Digests are the keyed digests that a request of a holder can have; none if
// the holder has no key, or none any more.
func (k *Keys) Digests(ctx context.Context, org string, h Holder, plain []byte) ([][]byte, error) {
	r, err := k.ring(ctx, org, h)
	if err != nil {
		return nil, err
	}
	if r.erased {
		return nil, nil
	}
	var out [][]byte
	for _, key := range r.keys {
		out = append(out, key.Digest(org, plain))
	}
	return out, nil
}

// Destroy makes everything that holders' keys sealed unreadable for ever;
// revision is the event's that says so. It may be repeated.
func (k *Keys) Destroy(ctx context.Context, org string, holders []Holder, revision uint64) error {
	for _, h := range holders {
		err := k.store.Destroy(ctx, org, h, Tombstone{Revision: revision})
		k.forget(org, h)
		if err != nil {
			return k.failed(ctx, err)
		}
	}
	return nil
}

// Destroyed tells whether nothing is left of the holders' keys.
func (k *Keys) Destroyed(ctx context.Context, org string, holders []Holder) (bool, error) {
	for _, h := range holders {
		r, err := k.ring(ctx, org, h)
		if err != nil || !r.erased || len(r.keys) > 0 {
			return false, err
		}
	}
	return true, nil
}

// Kept is one key of a backup.
type Kept struct {
	Holder Holder
	Key    *Key
}

// All returns every key of an organization, by holder.
func (k *Keys) All(ctx context.Context, org string) ([]Kept, error) {
	byHolder := map[Holder]map[int]*Key{}
	err := k.store.List(ctx, org, func(h Holder, n int, key *Key) error {
		if byHolder[h] == nil {
			byHolder[h] = map[int]*Key{}
		}
		byHolder[h][n] = key
		return nil
	})
	if err != nil {
		return nil, unavailable(err)
	}
	var out []Kept
	for _, h := range slices.Sorted(maps.Keys(byHolder)) {
		for _, n := range slices.Sorted(maps.Keys(byHolder[h])) {
			out = append(out, Kept{Holder: h, Key: byHolder[h][n]})
		}
	}
	return out, nil
}

// Restored tells what became of a key that was put back.
type Restored int

// What can become of it.
const (
	WasThere Restored = iota
	PutBack
	StaysErased
)

// Restore puts a key back, beside those that the holder has got since, unless
// the holder is erased.
func (k *Keys) Restore(ctx context.Context, org string, kept Kept) (Restored, error) {
	defer k.forget(org, kept.Holder)
	stone, err := k.store.Erased(ctx, org, kept.Holder)
	if err != nil {
		return WasThere, k.failed(ctx, err)
	}
	if stone != nil {
		return StaysErased, nil
	}
	for n := range mostKeys {
		made, err := k.store.Create(ctx, org, kept.Holder, n, kept.Key)
		if err != nil {
			return WasThere, k.failed(ctx, err)
		}
		if made {
			return PutBack, nil
		}
		have, err := k.store.Get(ctx, org, kept.Holder, n)
		if err != nil {
			return WasThere, k.failed(ctx, err)
		}
		if have != nil && have.ID == kept.Key.ID {
			return WasThere, nil
		}
	}
	return WasThere, fault.New(fault.Exhausted, "personal.too_many_keys", "%s has %d keys already", kept.Holder, mostKeys)
}
