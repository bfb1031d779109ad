package health

import (
	"context"
	"net/http"
	"time"
)

// answerWithin bounds a probe, which has a second.
const answerWithin = 900 * time.Millisecond

// Live answers whenever the process can answer at all.
func Live(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) }

// ServeHTTP answers a readiness probe: 200 ok, or 503 and the reason.
func (p *Prober) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), answerWithin)
	defer cancel()
	w.Header().Set("Cache-Control", "no-store")
	if err := p.Ready(ctx); err != nil {
		http.Error(w, "not ready: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}
