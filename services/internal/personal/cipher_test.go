package personal

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"setpoint.dev/services/internal/fault"
)

var here = Place{Org: "acme", Of: "strategy.checkin.t", Field: "setpoint.strategy.v1.CheckedIn.note"}

// memory is a Store whose failures a test chooses.
type memory struct {
	mu     sync.Mutex
	keys   map[string]*Key
	erased map[string]*Tombstone
	down   bool
	asked  int
}

func newMemory() *memory { return &memory{keys: map[string]*Key{}, erased: map[string]*Tombstone{}} }

func (m *memory) ask() error {
	m.asked++
	if m.down {
		return errors.New("down")
	}
	return nil
}

func (m *memory) Get(_ context.Context, org string, h Holder, n int) (*Key, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.keys[fmt.Sprint(org, h, n)], m.ask()
}

func (m *memory) Erased(_ context.Context, org string, h Holder) (*Tombstone, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.erased[fmt.Sprint(org, h)], m.ask()
}

func (m *memory) Create(_ context.Context, org string, h Holder, n int, k *Key) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.ask(); err != nil || m.keys[fmt.Sprint(org, h, n)] != nil {
		return false, err
	}
	m.keys[fmt.Sprint(org, h, n)] = k
	return true, nil
}

func (m *memory) Destroy(_ context.Context, org string, h Holder, t Tombstone) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.ask(); err != nil {
		return err
	}
	m.erased[fmt.Sprint(org, h)] = &t
	delete(m.keys, fmt.Sprint(org, h, 0))
	return nil
}

func (m *memory) List(context.Context, string, func(Holder, int, *Key) error) error { return nil }

func (m *memory) Watch(ctx context.Context, _ func(string, Holder)) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestWhatIsSealedOpensThereOnly(t *testing.T) {
	ctx := t.Context()
	keys := NewKeys(newMemory())
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		h := Principal(rapid.StringMatching(`[A-Za-z0-9_-]{1,64}`).Draw(t, "principal"))
		key, err := keys.For(ctx, here.Org, h)
		if err != nil {
			t.Fatal(err)
		}
		one, two := key.Seal(h, here, text), key.Seal(h, here, text)
		if one == two {
			t.Fatal("the same text is sealed the same way twice")
		}
		if !IsSealed(one) || HolderOf(one) != h || len(text) > 8 && strings.Contains(one, text) {
			t.Fatalf("sealed: %q", one)
		}
		if got := keys.Open(ctx, here, one); got != text {
			t.Fatalf("opened %q, want %q", got, text)
		}
		for name, p := range map[string]Place{
			"organization": {"other", here.Of, here.Field},
			"aggregate":    {here.Org, "strategy.checkin.u", here.Field},
			"field":        {here.Org, here.Of, "setpoint.strategy.v1.StatusOverride.reason"},
			"borders":      {here.Org, here.Of + here.Field[:1], here.Field[1:]},
		} {
			if got := keys.Open(ctx, p, one); got != Unreadable {
				t.Fatalf("moved to another %s it reads %q", name, got)
			}
		}
		// Another holder's key, and a changed bit.
		if got := keys.Open(ctx, here, strings.Replace(one, string(h), string(h)+"x", 1)); got != Unreadable {
			t.Fatalf("under another holder it reads %q", got)
		}
		head := len(prefix) + len(h) + 1
		b, _ := base64.RawURLEncoding.DecodeString(one[head:])
		b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if got := keys.Open(ctx, here, one[:head]+base64.RawURLEncoding.EncodeToString(b)); got != Unreadable {
			t.Fatalf("tampered with it reads %q", got)
		}
	})
}

// What was sealed by the first release opens for ever.
func TestTheFirstFormatStillOpens(t *testing.T) {
	key, err := ParseKey("00112233445566ff", bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	store := newMemory()
	if _, err := store.Create(t.Context(), here.Org, "principal/u-42", 0, key); err != nil {
		t.Fatal(err)
	}
	const sealed = "enc:1:principal/u-42:ABEiM0RVZv81uqrKnbK6cMJGjEPnTqRESXfSO19DyFpuQhWABkqUQBjh66qoZAiAu_KMp6bskk7dQDAt"
	if got := NewKeys(store).Open(t.Context(), here, sealed); got != "said in the first format" {
		t.Errorf("%q; sealed now: %s", got, key.Seal("principal/u-42", here, "said in the first format"))
	}
}

func TestPlainTextOfBeforeReadsAsItIs(t *testing.T) {
	keys := NewKeys(newMemory())
	for _, text := range []string{"", "a note", "enc", "enc:2:x", "[erased]"} {
		if got := keys.Open(t.Context(), here, text); got != text {
			t.Errorf("%q reads %q", text, got)
		}
	}
}

func TestKeysOfTheErased(t *testing.T) {
	ctx, store := t.Context(), newMemory()
	keys := NewKeys(store)
	key, err := keys.For(ctx, "acme", "person/p")
	if err != nil {
		t.Fatal(err)
	}
	sealed := key.Seal("person/p", here, "x")
	if err := keys.Destroy(ctx, "acme", []Holder{"person/p"}, 7); err != nil {
		t.Fatal(err)
	}
	if got := keys.Open(ctx, here, sealed); got != Erased {
		t.Errorf("%q", got)
	}
	if _, err := keys.For(ctx, "acme", "person/p"); fault.ReasonOf(err) != "personal.erased" || fault.KindOf(err) != fault.Rule {
		t.Errorf("a new key for somebody who is erased: %v", err)
	}
	if _, err := keys.For(ctx, "other", "person/p"); err != nil {
		t.Errorf("another organization's person of the name: %v", err)
	}
	if what, err := keys.Restore(ctx, "acme", Kept{"person/p", key}); what != StaysErased || err != nil {
		t.Errorf("restored: %v, %v", what, err)
	}
}

func TestWithoutKeysNothingWrongIsRead(t *testing.T) {
	ctx, store := t.Context(), newMemory()
	key, err := NewKeys(store).For(ctx, "acme", "principal/u")
	if err != nil {
		t.Fatal(err)
	}
	sealed := key.Seal("principal/u", here, "x")
	store.down = true
	keys := NewKeys(store)
	before := store.asked
	for range 100 {
		if got := keys.Open(ctx, here, sealed); got != Unavailable {
			t.Fatalf("%q", got)
		}
	}
	if n := store.asked - before; n > 2 {
		t.Errorf("a store that does not answer was asked %d times", n)
	}
	if _, err := keys.For(ctx, "acme", "principal/u"); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a key: %v", err)
	}
	store.down = false
	store.keys = map[string]*Key{}
	if got := NewKeys(store).Open(ctx, here, sealed); got != Unreadable {
		t.Errorf("a key that is lost: %q", got)
	}
}

func TestKeysStayOutOfLogs(t *testing.T) {
	k := NewKey()
	for _, s := range []string{fmt.Sprint(k), fmt.Sprintf("%v %+v %#v %s", k, k, k, k), fmt.Sprintf("%v", []*Key{k}), fmt.Sprintf("%+v", Kept{"person/p", k})} {
		for _, secret := range []string{string(k.secret[:]), hex.EncodeToString(k.secret[:]), fmt.Sprint(k.secret[:])[1:40]} {
			if strings.Contains(s, secret) {
				t.Errorf("a key shows its secret: %s", s)
			}
		}
	}
}

// Two who make a key at once have one.
func TestOneKeyForAll(t *testing.T) {
	store := newMemory()
	got := make(chan string, 40)
	var start, all sync.WaitGroup
	start.Add(1)
	for range 20 {
		keys := NewKeys(store)
		all.Go(func() {
			start.Wait()
			for range 2 {
				k, err := keys.For(context.Background(), "acme", "person/p")
				if err != nil {
					t.Error(err)
					return
				}
				got <- k.ID
			}
		})
	}
	start.Done()
	all.Wait()
	close(got)
	first := <-got
	for id := range got {
		if id != first {
			t.Fatalf("keys %s and %s", first, id)
		}
	}
}

func FuzzOpen(f *testing.F) {
	store := newMemory()
	keys := NewKeys(store)
	key, err := keys.For(context.Background(), here.Org, "principal/u-42")
	if err != nil {
		f.Fatal(err)
	}
	sealed := key.Seal("principal/u-42", here, "the text")
	f.Add(sealed)
	f.Add(sealed[:len(sealed)-1])
	f.Add("enc:1:")
	f.Add("enc:1:principal/u-42:")
	f.Add("enc:1:person/~:AAAA")
	f.Add("plain")
	f.Fuzz(func(t *testing.T, stored string) {
		got := keys.Open(context.Background(), here, stored)
		switch {
		case !IsSealed(stored):
			if got != stored {
				t.Errorf("plain %q reads %q", stored, got)
			}
		case stored == sealed:
			if got != "the text" {
				t.Errorf("reads %q", got)
			}
		case !IsMarker(got):
			t.Errorf("%q opens to %q", stored, got)
		}
	})
}
