package keystore_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/keystore"
	"setpoint.dev/services/internal/personal"
)

func start(t *testing.T, dir string) *embeddednats.Server {
	t.Helper()
	s, err := embeddednats.Start(embeddednats.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func open(t *testing.T, s *embeddednats.Server) (*keystore.Store, *nats.Conn) {
	t.Helper()
	nc, err := s.ConnectInProcess()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	store, err := keystore.Open(t.Context(), nc, keystore.Options{Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return store, nc
}

// onDisk counts the files that hold a key, as it is or in base64.
func onDisk(t *testing.T, dir string, k *personal.Key) (n int) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, k.Secret()) || bytes.Contains(b, []byte(base64.StdEncoding.EncodeToString(k.Secret()))) {
			n++
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestADestroyedKeyIsNotOnTheDisk(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	s := start(t, dir)
	store, _ := open(t, s)
	var others, mine []*personal.Key
	for i := range 200 {
		k := personal.NewKey()
		h, n := personal.Person(fmt.Sprintf("other-%d", i)), 0
		switch i {
		case 20, 120:
			h, n = "person/mine~2", len(mine)
			mine = append(mine, k)
		default:
			others = append(others, k)
		}
		if made, err := store.Create(ctx, "acme", h, n, k); err != nil || !made {
			t.Fatal(made, err)
		}
	}
	for _, k := range slices.Concat(mine, others) {
		if onDisk(t, dir, k) == 0 {
			t.Fatal("a key is not found where it must be: the test sees nothing")
		}
	}
	for range 2 { // again changes nothing
		if err := store.Destroy(ctx, "acme", "person/mine~2", personal.Tombstone{Revision: 7}); err != nil {
			t.Fatal(err)
		}
	}
	look := func() {
		t.Helper()
		for _, k := range mine {
			if n := onDisk(t, dir, k); n > 0 {
				t.Errorf("a destroyed key is in %d files", n)
			}
		}
		for _, k := range others {
			if onDisk(t, dir, k) == 0 {
				t.Fatal("another key is gone")
			}
		}
		if stone, err := store.Erased(ctx, "acme", "person/mine~2"); err != nil || stone == nil || stone.Revision != 7 {
			t.Errorf("the tombstone: %v, %v", stone, err)
		}
		for n := range 2 {
			if k, err := store.Get(ctx, "acme", "person/mine~2", n); err != nil || k != nil {
				t.Errorf("key %d: %v, %v", n, k, err)
			}
		}
	}
	look()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	store, _ = open(t, start(t, dir))
	look()
	if _, err := personal.NewKeys(store).For(ctx, "acme", "person/mine~2"); fault.ReasonOf(err) != "personal.erased" {
		t.Errorf("a new key: %v", err)
	}
}

// A process ended while it destroyed keys: after the tombstone, or after some.
func TestDestroyingIsCompleted(t *testing.T) {
	ctx := t.Context()
	for name, destroyed := range map[string][]uint64{"tombstone only": nil, "one key": {3}, "two keys": {3, 2}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			store, nc := open(t, start(t, dir))
			made := make([]*personal.Key, 3)
			for n := range made {
				made[n] = personal.NewKey()
				if _, err := store.Create(ctx, "acme", "person/p", n, made[n]); err != nil {
					t.Fatal(err)
				}
			}
			js, err := jetstream.New(nc)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := js.Publish(ctx, "$KV."+keystore.Bucket(0)+".acme.person/p.erased", []byte(`{"erased":"2026-01-01T00:00:00Z","revision":7}`)); err != nil {
				t.Fatal(err)
			}
			stream, err := js.Stream(ctx, keystore.Stream(0))
			if err != nil {
				t.Fatal(err)
			}
			for _, sequence := range destroyed {
				if err := stream.SecureDeleteMsg(ctx, sequence); err != nil {
					t.Fatal(err)
				}
			}
			keys := personal.NewKeys(store)
			if done, err := keys.Destroyed(ctx, "acme", []personal.Holder{"person/p"}); err != nil || done {
				t.Errorf("before: %v, %v", done, err)
			}
			if err := keys.Destroy(ctx, "acme", []personal.Holder{"person/p"}, 7); err != nil {
				t.Fatal(err)
			}
			if done, err := keys.Destroyed(ctx, "acme", []personal.Holder{"person/p"}); err != nil || !done {
				t.Errorf("after: %v, %v", done, err)
			}
			for i, k := range made {
				if onDisk(t, dir, k) > 0 {
					t.Errorf("key %d is left", i)
				}
			}
		})
	}
}

func TestOneKeyWins(t *testing.T) {
	s := start(t, t.TempDir())
	var all sync.WaitGroup
	ids := make(chan string, 20)
	gate := make(chan struct{})
	for range 20 {
		store, _ := open(t, s)
		keys := personal.NewKeys(store)
		all.Go(func() {
			<-gate
			k, err := keys.For(t.Context(), "acme", "principal/u-42")
			if err != nil {
				t.Error(err)
				return
			}
			ids <- k.ID
		})
	}
	close(gate)
	all.Wait()
	close(ids)
	seen := map[string]bool{}
	for id := range ids {
		seen[id] = true
	}
	if len(seen) != 1 {
		t.Errorf("%d keys of one holder", len(seen))
	}
}

// Keys are made while they are destroyed: whoever made one, the holder is
// erased, and what is left the next call destroys.
func TestMakingWhileDestroying(t *testing.T) {
	s := start(t, t.TempDir())
	one, _ := open(t, s)
	two, _ := open(t, s)
	for round := range 10 {
		h := personal.Person(fmt.Sprint("p-", round))
		if _, err := one.Create(t.Context(), "acme", h, 0, personal.NewKey()); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		all.Go(func() {
			for range 30 {
				if _, err := two.Create(t.Context(), "acme", h, 0, personal.NewKey()); err != nil {
					t.Error(err)
				}
			}
		})
		if err := one.Destroy(t.Context(), "acme", h, personal.Tombstone{Revision: 1}); err != nil {
			t.Fatal(err)
		}
		all.Wait()
		if _, err := personal.NewKeys(two).For(t.Context(), "acme", h); fault.ReasonOf(err) != "personal.erased" {
			t.Fatalf("round %d: %v", round, err)
		}
		if err := one.Destroy(t.Context(), "acme", h, personal.Tombstone{Revision: 1}); err != nil {
			t.Fatal(err)
		}
		if k, err := one.Get(t.Context(), "acme", h, 0); err != nil || k != nil {
			t.Fatalf("round %d: a key is left: %v, %v", round, k, err)
		}
	}
}

// watched is a store that tells whom its watch told of, after it was told.
type watched struct {
	personal.Store
	told chan personal.Holder
}

func (w watched) Watch(ctx context.Context, f func(string, personal.Holder)) error {
	return w.Store.Watch(ctx, func(org string, h personal.Holder) {
		f(org, h)
		select {
		case w.told <- h:
		default:
		}
	})
}

// What one process destroys another one does not open any more, although it
// remembered the key.
func TestAnotherProcessForgets(t *testing.T) {
	s := start(t, t.TempDir())
	mine, _ := open(t, s)
	theirs, _ := open(t, s)
	told := make(chan personal.Holder, 1_000)
	keys, others := personal.NewKeys(mine), personal.NewKeys(watched{theirs, told})
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { others.Run(ctx) })
	defer running.Wait()
	defer stop()
	within := time.After(time.Minute)
	keyOf := func(h personal.Holder) *personal.Key {
		t.Helper()
		k, err := keys.For(t.Context(), "acme", h)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	// Whether the watch has begun is not told: that it tells of somebody shows it.
	for n, begun := 0, false; !begun; n++ {
		keyOf(personal.Person(fmt.Sprint("p-", n)))
		select {
		case <-told:
			begun = true
		case <-within:
			t.Fatal("another process does not watch")
		default:
		}
	}
	at, h := personal.Place{Org: "acme", Of: "a.b.c", Field: "f"}, personal.Person("erased")
	sealed := keyOf(h).Seal(h, at, "text")
	if got := others.Open(t.Context(), at, sealed); got != "text" {
		t.Fatalf("%q", got)
	}
	if err := keys.Destroy(t.Context(), "acme", []personal.Holder{h}, 1); err != nil {
		t.Fatal(err)
	}
	for others.Open(t.Context(), at, sealed) != personal.Erased {
		select {
		case <-told:
		case <-within:
			t.Fatal("another process still opens what was erased")
		}
	}
}

func TestListIsOfOneOrganization(t *testing.T) {
	store, _ := open(t, start(t, t.TempDir()))
	for _, org := range []string{"acme", "acme-2", "b"} {
		for n, h := range []personal.Holder{"person/p~2", "principal/U_4-2"} {
			if _, err := store.Create(t.Context(), org, h, n, personal.NewKey()); err != nil {
				t.Fatal(err)
			}
		}
	}
	var got []string
	if err := store.List(t.Context(), "acme", func(h personal.Holder, n int, k *personal.Key) error {
		got = append(got, fmt.Sprint(h, " ", n, " ", k != nil))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	if want := []string{"person/p~2 0 true", "principal/U_4-2 1 true"}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if err := store.List(t.Context(), "nobody", func(personal.Holder, int, *personal.Key) error { return fmt.Errorf("one") }); err != nil {
		t.Errorf("an organization without keys: %v", err)
	}
}

// The bucket that the client library would make cannot destroy anything.
func TestAnUnsafeBucketIsRefused(t *testing.T) {
	s := start(t, t.TempDir())
	nc, err := s.ConnectInProcess()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: keystore.Bucket(0)}); err != nil {
		t.Fatal(err)
	}
	if _, err := keystore.Open(t.Context(), nc, keystore.Options{}); fault.ReasonOf(err) != "personal.bucket_unsafe" {
		t.Errorf("%v", err)
	}
}

func TestAServerThatIsGone(t *testing.T) {
	s := start(t, t.TempDir())
	store, nc := open(t, s)
	nc.Close()
	if _, err := store.Get(t.Context(), "acme", "person/p", 0); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("%v", err)
	}
	if _, err := store.Create(t.Context(), "acme", "person/p", 0, personal.NewKey()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("%v", err)
	}
	if err := store.Destroy(t.Context(), "acme", "person/p", personal.Tombstone{}); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("%v", err)
	}
}
