package telemetry

import (
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"setpoint.dev/services/internal/health"
)

// Handler answers at /metrics, /livez and /readyz.
func (t *Telemetry) Handler(p *health.Prober) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: 4, Timeout: 10 * time.Second,
	}))
	mux.HandleFunc("GET /livez", health.Live)
	mux.Handle("GET /readyz", p)
	return mux
}

// Serve answers on a listener until the server that it returns is closed.
func (t *Telemetry) Serve(l net.Listener, p *health.Prober, logger *slog.Logger) *http.Server {
	s := &http.Server{
		Handler: t.Handler(p), ReadTimeout: 5 * time.Second, WriteTimeout: 15 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	go func() { _ = s.Serve(l) }() // it ends with Close
	return s
}

// Registry has every metric.
func (t *Telemetry) Registry() *prometheus.Registry { return t.registry }
