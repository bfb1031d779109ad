package cli

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"
)

// --timeout is how long the user waits, not how long each of several tries may
// take: a try is told what is left.
func TestTheTimeoutIsOfAllTries(t *testing.T) {
	var left []int
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ms, err := strconv.Atoi(r.Header.Get("Connect-Timeout-Ms"))
		if err != nil {
			t.Error(err)
		}
		left = append(left, ms)
		for began := time.Now(); time.Since(began) < 5*time.Millisecond; { // a try takes some time
			<-time.After(time.Millisecond)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"code":"unavailable","message":"the record lags behind"}`))
	}))
	defer s.Close()
	session{server: s.URL}.run(t, "status", "--timeout", "60s")
	if len(left) != attempts || left[0] > 60_000 {
		t.Fatalf("the tries had %d ms", left)
	}
	for i := 1; i < len(left); i++ {
		if left[i] > left[i-1]-5 {
			t.Errorf("try %d had %d ms, after one with %d", i+1, left[i], left[i-1])
		}
	}
}
