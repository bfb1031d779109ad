package server

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"setpoint.dev/services/internal/logging"
)

// lines is a log that many write.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// At the least level, with tokens, good and bad requests: the log has neither
// what was sent nor the token, and every line about a request has its id.
func TestTheLogHoldsNothingThatWasSent(t *testing.T) {
	const canary = "canary"
	var log lines
	logger, err := logging.New(&log, "json", "debug")
	if err != nil {
		t.Fatal(err)
	}
	tokens, whole := tokenFile(t)
	s := startServer(t, Options{TokenFile: tokens, Logger: logger})
	for i, r := range []struct{ procedure, token, body string }{
		{"gap.v1.GapService/Evaluate", whole, `{"strategy":"canary"}`},
		{"gap.v1.GapService/Evaluate", whole, `{"asOf":"canary"}`},
		{"gap.v1.GapService/Evaluate", whole, `{"canary":`},
		{"gap.v1.GapService/Evaluate", "sp_canary", `{}`},
		{"strategy.v1.StrategyService/CheckIn", whole, `{"target":"canary","note":"canary"}`}, // a viewer may not
		{"gap.v1.GapService/canary", whole, `{}`},
	} {
		req, err := http.NewRequest(http.MethodPost, s.URL()+"/setpoint."+r.procedure+"?canary", strings.NewReader(r.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+r.token)
		req.Header.Set("Cookie", canary)
		req.Header.Set("User-Agent", canary)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		id := res.Header.Get("X-Request-Id")
		for deadline := 0; !strings.Contains(log.String(), `"request_id":"`+id+`"`); deadline++ {
			if deadline > 1_000_000 {
				t.Fatalf("request %d (%s) is not in the log:\n%s", i, id, log.String())
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	secret := whole[strings.LastIndexByte(whole, '_')+1:]
	if text := log.String(); strings.Contains(text, canary) || strings.Contains(text, secret) {
		t.Errorf("the log:\n%s", text)
	}
}
