package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"setpoint.dev/services/devserver"
)

func start(t *testing.T) string {
	t.Helper()
	s, err := devserver.Start(t.Context(), devserver.Options{Data: t.TempDir(), Listen: "127.0.0.1:0", ReadWait: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s.URL()
}

func output(t *testing.T, url string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	if err := run(ctx, newClient(http.DefaultClient, url, "default", ""), &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	return out.String()
}

func TestTheExampleRuns(t *testing.T) {
	url := start(t)
	const first = `declared: 4 created, 0 unchanged
observed: 1 recorded, 0 unchanged
compared: unsold-bread is on_track, 11.0 % in 2026-01, 5.0 percentage points to go
watching: unsold-bread is on_track, 11.0 % in 2026-01, 5.0 percentage points to go
observed: 1 recorded, 0 unchanged
changed: unsold-bread is off_track, 12.5 % in 2026-02, 6.5 percentage points to go
`
	if got := output(t, url); got != first {
		t.Errorf("got\n%s\nwant\n%s", got, first)
	}
	// Again: nothing is declared or recorded twice, and a repeated request is
	// answered as it was then.
	again := strings.NewReplacer("4 created, 0 unchanged", "0 created, 4 unchanged",
		"on_track, 11.0 % in 2026-01, 5.0", "off_track, 12.5 % in 2026-02, 6.5").Replace(first)
	if got := output(t, url); got != again {
		t.Errorf("the second time\n%s\nwant\n%s", got, again)
	}
}

// The answer to every first attempt is lost on its way back; each value is
// recorded once all the same.
func TestLostAnswersAreAskedForAgain(t *testing.T) {
	server, err := url.Parse(start(t))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(server)
	proxy.FlushInterval = -1
	var lost atomic.Int32
	proxy.ModifyResponse = func(r *http.Response) error {
		if strings.HasSuffix(r.Request.URL.Path, "/RecordObservations") && lost.Add(1)%2 == 1 {
			return errors.New("lost")
		}
		return nil
	}
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusServiceUnavailable) }
	between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Without it the rest of a request is taken away when its answer begins.
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		proxy.ServeHTTP(w, r)
	}))
	defer between.Close()
	got := output(t, between.URL)
	if lost.Load() != 4 || strings.Count(got, "observed: 1 recorded, 0 unchanged\n") != 2 {
		t.Errorf("%d attempts:\n%s", lost.Load(), got)
	}
}

// Whoever copies the example needs these modules and no others.
func TestTheExampleNeedsOnlyTheContract(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{join .Imports "\n"}}`, ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range strings.Fields(string(out)) {
		domain, _, _ := strings.Cut(path, "/")
		if strings.Contains(domain, ".") && !strings.HasPrefix(path, "setpoint.dev/proto/") && path != "connectrpc.com/connect" {
			t.Errorf("it imports %s", path)
		}
	}
}
