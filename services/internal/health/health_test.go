package health

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func probe(p *Prober) (int, string) {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
	return w.Code, w.Body.String()
}

func TestThePhasesOfAProcess(t *testing.T) { synctest.Test(t, phases) }

func phases(t *testing.T) {
	far := "reading the log: 3 of 9"
	p := New(func() string { return far })
	if code, body := probe(p); code != 503 || !strings.Contains(body, "starting: reading the log: 3 of 9") {
		t.Errorf("starting: %d %s", code, body)
	}
	p.Begin(Check{"log", func(context.Context) error { return nil }})
	if code, body := probe(p); code != 200 || body != "ok\n" {
		t.Errorf("ready: %d %s", code, body)
	}
	p.Stop() // at once, whatever was said within this second
	if code, body := probe(p); code != 503 || !strings.Contains(body, "shutting down") {
		t.Errorf("stopping: %d %s", code, body)
	}
	p.Begin() // a start that ends while the process stops
	if code, _ := probe(p); code != 503 {
		t.Errorf("stopped: %d", code)
	}
}

func TestEveryReasonIsSaid(t *testing.T) { synctest.Test(t, everyReason) }

func everyReason(t *testing.T) {
	p := New(nil)
	p.Begin(
		Check{"log", func(context.Context) error { return errors.New("no leader") }},
		Check{"disk", func(context.Context) error { return nil }},
		Check{"record", func(context.Context) error { return errors.New("halted") }})
	if _, body := probe(p); body != "not ready: log: no leader; record: halted\n" {
		t.Errorf("%q", body)
	}
}

// A thousand probes in one second cost one run of each check, and the answer
// is never older than a second.
func TestProbesAreCheap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int64
		var broken atomic.Bool
		p := New(nil)
		p.Begin(Check{"log", func(context.Context) error {
			runs.Add(1)
			if broken.Load() {
				return errors.New("gone")
			}
			return nil
		}})
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() { _ = p.Ready(t.Context()) })
		}
		all.Wait()
		if n := runs.Load(); n != 1 {
			t.Errorf("%d runs", n)
		}
		broken.Store(true)
		time.Sleep(time.Second)
		if err := p.Ready(t.Context()); err == nil {
			t.Error("ready after a second")
		}
	})
}

// A check that hangs is the reason, within a second, and is not started again
// while it hangs.
func TestACheckThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int64
		release := make(chan struct{})
		p := New(nil)
		p.Begin(
			Check{"fine", func(context.Context) error { return nil }},
			Check{"log", func(context.Context) error {
				runs.Add(1)
				<-release // deaf to its context
				return nil
			}})
		for range 5 {
			began := time.Now()
			code, body := probe(p)
			if code != 503 || !strings.Contains(body, "log: no answer for") || strings.Contains(body, "fine") {
				t.Errorf("%d %s", code, body)
			}
			if took := time.Since(began); took >= time.Second {
				t.Errorf("it took %s", took)
			}
			time.Sleep(time.Second)
		}
		if n := runs.Load(); n != 1 {
			t.Errorf("%d runs", n)
		}
		close(release)
		time.Sleep(2 * time.Second)
		if code, body := probe(p); code != 200 {
			t.Errorf("once it answers: %d %s", code, body)
		}
	})
}
