// Package rpc is the plumbing under every service: one HTTP handler that
// speaks Connect, gRPC and gRPC-Web, with validation, limits, error mapping,
// reflection and health. server.go puts it together; the slices bring their
// handlers.
package rpc

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"buf.build/go/protovalidate"
	"connectrpc.com/connect"
	"connectrpc.com/grpchealth"
	"connectrpc.com/grpcreflect"
)

// MaxMessage bounds a request message, in bytes.
const MaxMessage = 64 << 20

// Service is one Connect service: its full name and how to mount it.
type Service struct {
	Name  string
	Mount func(opts ...connect.HandlerOption) (path string, handler http.Handler)
}

// Handler serves the services, their reflection and health. healthy tells
// whether the process can do its work.
func Handler(logger *slog.Logger, healthy func(context.Context) error, services ...Service) (http.Handler, error) {
	validator, err := protovalidate.New()
	if err != nil {
		return nil, err
	}
	opts := []connect.HandlerOption{
		connect.WithInterceptors(Interceptor(logger, validator)),
		connect.WithReadMaxBytes(MaxMessage),
		connect.WithCompressMinBytes(1 << 10),
	}
	mux := http.NewServeMux()
	var names []string
	for _, s := range services {
		names = append(names, s.Name)
		mux.Handle(s.Mount(opts...))
	}
	reflector := grpcreflect.NewStaticReflector(append(names, grpchealth.HealthV1ServiceName)...)
	mux.Handle(grpcreflect.NewHandlerV1(reflector))
	mux.Handle(grpcreflect.NewHandlerV1Alpha(reflector))
	mux.Handle(grpchealth.NewHandler(checker{healthy: healthy, names: names}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if err := healthy(ctx); err != nil {
			http.Error(w, "not ready: "+err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ok\n"))
	})
	return guardHost(mux), nil
}

type checker struct {
	healthy func(context.Context) error
	names   []string
}

func (c checker) Check(ctx context.Context, r *grpchealth.CheckRequest) (*grpchealth.CheckResponse, error) {
	known := r.Service == ""
	for _, n := range c.names {
		known = known || n == r.Service
	}
	if !known {
		return nil, connect.NewError(connect.CodeNotFound, nil)
	}
	if c.healthy(ctx) != nil {
		return &grpchealth.CheckResponse{Status: grpchealth.StatusNotServing}, nil
	}
	return &grpchealth.CheckResponse{Status: grpchealth.StatusServing}, nil
}

// guardHost keeps web pages of other origins from driving a service that
// trusts everybody on this machine: the Host must be a loopback name or
// address (a rebound DNS name is not), and an Origin, if there is one, too.
func guardHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback(r.Host) {
			http.Error(w, "this address is not served here", http.StatusMisdirectedRequest)
			return
		}
		if o := r.Header.Get("Origin"); o != "" {
			u, err := url.Parse(o)
			if err != nil || !loopback(u.Host) {
				http.Error(w, "requests from this origin are refused", http.StatusForbidden)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func loopback(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// NewServer is an HTTP server for the handler, with HTTP/2 in the clear for
// gRPC, and bounds on what a slow or careless client can hold.
func NewServer(handler http.Handler, logger *slog.Logger) *http.Server {
	var p http.Protocols
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           handler,
		Protocols:         &p,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}
