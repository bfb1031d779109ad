// Package rpc is the plumbing under every service: one door that speaks
// Connect, gRPC and gRPC-Web, with authentication, roles, validation, limits,
// error mapping, reflection and health. The slices bring their handlers.
//
// A request passes, in this order and before its body is read: origin.go (is
// it a stranger's web page?), identity.go (who calls?), access.go (may that
// role?), limit.go (is there room?). Then interceptor.go: once more the role,
// the message's validation, the deadline, the mapping of errors. Nothing
// reaches a handler that did not pass all of them; what is in no table is
// refused.
//
// Start with Door.ServeHTTP in request.go, and Door.pass in door.go.
package rpc

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"buf.build/go/protovalidate"
	"connectrpc.com/connect"
	"connectrpc.com/grpchealth"
	"connectrpc.com/grpcreflect"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/health"
	"setpoint.dev/services/internal/logging"
	"setpoint.dev/services/internal/principal"
)

// writeTime is added to a call's own time for its response to leave.
const writeTime = time.Minute

// Service is one Connect service: its full name and how to mount it.
type Service struct {
	Name  string
	Mount func(opts ...connect.HandlerOption) (path string, handler http.Handler)
}

// Options say how a door is kept. Only Logger and Healthy are required.
type Options struct {
	Logger *slog.Logger
	// Healthy tells whether the process can do its work.
	Healthy func(context.Context) error
	// Warning is what an operator should look at while the service works; it
	// is public, nil or "" for nothing.
	Warning func() string
	// Tokens, if not nil, must know the bearer token of every request. Nil:
	// whoever reaches the door is trusted.
	Tokens Authenticator
	// Public is the address under which browsers know the service, if it is
	// another than the one it listens on.
	Public *url.URL
	Limits Limits
	// BodyTime is how long a request may take to arrive, so that a client that
	// trickles holds a place no longer; default 2 minutes.
	BodyTime time.Duration
	// Observer is told of each request but the probes.
	Observer Observer
	// Interceptors are around every call, and see its errors as clients do.
	Interceptors []connect.Interceptor
	// RenewEvery is how often an open stream's token is checked while nothing
	// is sent; default 5 s.
	RenewEvery time.Duration
}

// Door is the handler of everything the process serves.
type Door struct {
	logger   *slog.Logger
	observer Observer
	tokens   Authenticator
	public   *url.URL
	mux      *http.ServeMux
	streams  map[string]bool // procedures
	errors   *connect.ErrorWriter
	refusals *throttle
	calls    *gate
	open     *gate // streams
	bodyTime time.Duration
	underWay inFlight
	stopping context.Context // ends when the streams are to end
	stop     context.CancelFunc
}

// Handler is a door that trusts whoever reaches it.
func Handler(logger *slog.Logger, healthy func(context.Context) error, services ...Service) (*Door, error) {
	return NewDoor(Options{Logger: logger, Healthy: healthy}, services...)
}

// NewDoor serves the services, their reflection and health. It fails if a
// service has a method that the table of access does not name.
func NewDoor(o Options, services ...Service) (*Door, error) {
	validator, err := protovalidate.New()
	if err != nil {
		return nil, err
	}
	if o.RenewEvery == 0 {
		o.RenewEvery = 5 * time.Second
	}
	if o.BodyTime == 0 {
		o.BodyTime = 2 * time.Minute
	}
	o.Limits = o.Limits.withDefaults()
	o.Logger = logging.WithRequests(o.Logger)
	d := &Door{
		logger: o.Logger, observer: o.Observer, tokens: o.Tokens, public: o.Public,
		mux: http.NewServeMux(), streams: map[string]bool{},
		errors: connect.NewErrorWriter(), refusals: &throttle{now: time.Now},
		open:     newGate("streams", o.Limits.Streams, o.Limits.StreamsPerPrincipal),
		bodyTime: o.BodyTime,
	}
	perPrincipal := o.Limits.RequestsPerPrincipal
	if d.tokens == nil {
		perPrincipal = 0 // who calls is not known
	}
	d.calls = newGate("requests", o.Limits.Requests, perPrincipal)
	d.stopping, d.stop = context.WithCancel(context.Background())

	opts := []connect.HandlerOption{
		connect.WithInterceptors(append(slices.Clone(o.Interceptors), &interceptor{
			logger: o.Logger, validator: validator, stopping: d.stopping, renewEvery: o.RenewEvery,
		})...),
		connect.WithConditionalHandlerOptions(func(spec connect.Spec) []connect.HandlerOption {
			return []connect.HandlerOption{connect.WithReadMaxBytes(maxMessage(spec.Procedure))}
		}),
		connect.WithCompressMinBytes(1 << 10),
		connect.WithCodec(strictJSON{"json"}),
		connect.WithCodec(strictJSON{"json; charset=utf-8"}),
	}
	var names []string
	for _, s := range services {
		if err := checkAccess(s.Name, d.streams); err != nil {
			return nil, err
		}
		names = append(names, s.Name)
		d.mux.Handle(s.Mount(opts...))
	}
	for _, name := range []string{grpcreflect.ReflectV1ServiceName, grpcreflect.ReflectV1AlphaServiceName} {
		d.streams["/"+name+"/ServerReflectionInfo"] = true
	}
	reflector := grpcreflect.NewStaticReflector(append(names, grpchealth.HealthV1ServiceName)...)
	d.mux.Handle(grpcreflect.NewHandlerV1(reflector, opts...))
	d.mux.Handle(grpcreflect.NewHandlerV1Alpha(reflector, opts...))
	d.mux.Handle(grpchealth.NewHandler(checker{healthy: o.Healthy, names: names}, connect.WithReadMaxBytes(4<<10)))
	d.mux.HandleFunc("GET /healthz", d.healthz(o.Healthy, o.Warning))
	d.mux.HandleFunc("GET /readyz", d.healthz(o.Healthy, nil))
	d.mux.HandleFunc("GET /livez", health.Live)
	return d, nil
}

// pass lets a request through to its handler, or refuses it.
func (d *Door) pass(w http.ResponseWriter, r *http.Request) {
	procedure := r.URL.Path
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(d.bodyTime))
	if d.streams[procedure] {
		_ = control.SetWriteDeadline(time.Time{}) // each message has its own
	} else {
		_ = control.SetWriteDeadline(time.Now().Add(d.bodyTime + callTime(procedure) + writeTime))
	}
	if !d.sameSite(w, r) {
		return
	}
	if open[procedure] {
		d.mux.ServeHTTP(w, r)
		return
	}
	p, renew, err := d.identify(r)
	if err == nil && !Access[procedure].Allows(principal.Viewer) {
		http.NotFound(w, r)
		return
	}
	if err == nil {
		err = authorize(p, procedure)
	}
	gate := d.calls
	if d.streams[procedure] {
		gate = d.open
	}
	if err == nil {
		err = gate.enter(p)
	}
	if err != nil {
		d.refuse(w, r, err)
		return
	}
	defer gate.leave(p)
	ctx := principal.With(r.Context(), p)
	ctx = context.WithValue(ctx, callKey{}, &call{control: control, renew: renew})
	d.mux.ServeHTTP(w, r.WithContext(ctx))
}

// refuse answers without having read the body.
func (d *Door) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if fault.KindOf(err) == fault.Unauthenticated {
		w.Header().Set("WWW-Authenticate", "Bearer")
		d.refusals.log(r.Context(), d.logger, "a request was refused", "from", r.RemoteAddr, "error", err)
	}
	_ = d.errors.Write(w, r, Error(r.Context(), d.logger, r.URL.Path, err)) // the client has gone
}

func (d *Door) healthz(healthy func(context.Context) error, warning func() string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 900*time.Millisecond)
		defer cancel()
		if err := healthy(ctx); err != nil {
			why := ": " + err.Error()
			if d.tokens != nil {
				why = "" // anybody can ask; the log has it
			}
			http.Error(w, "not ready"+why, http.StatusServiceUnavailable)
			return
		}
		body := "ok\n"
		if warning != nil {
			if s := warning(); s != "" {
				body += "warning: " + s + "\n"
			}
		}
		_, _ = w.Write([]byte(body))
	}
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
