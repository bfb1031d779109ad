package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"

	"connectrpc.com/connect"

	"setpoint.dev/proto/gen/setpoint/admin/v1/adminv1connect"
	"setpoint.dev/proto/gen/setpoint/change/v1/changev1connect"
	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/proto/gen/setpoint/declaration/v1/declarationv1connect"
	"setpoint.dev/proto/gen/setpoint/event/v1/eventv1connect"
	"setpoint.dev/proto/gen/setpoint/gap/v1/gapv1connect"
	"setpoint.dev/proto/gen/setpoint/initiative/v1/initiativev1connect"
	"setpoint.dev/proto/gen/setpoint/strategy/v1/strategyv1connect"
	"setpoint.dev/services/internal/fault"
)

// attempts is how often an unavailable server is asked.
const attempts = 4

// clients is the way to the server.
type clients struct {
	declaration declarationv1connect.DeclarationServiceClient
	strategy    strategyv1connect.StrategyServiceClient
	gap         gapv1connect.GapServiceClient
	initiative  initiativev1connect.InitiativeServiceClient
	change      changev1connect.ChangeServiceClient
	event       eventv1connect.EventServiceClient
	admin       adminv1connect.AdminServiceClient
}

// client connects on first use; the global flags are settled by then.
func (a *app) client() *clients {
	if a.clients == nil {
		h := &http.Client{Transport: meter{&http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSHandshakeTimeout: 10 * time.Second,
			IdleConnTimeout:     time.Minute,
			ForceAttemptHTTP2:   true,
		}}}
		with := connect.WithClientOptions(connect.WithInterceptors(caller{a}))
		if loopback(a.server) {
			// Packing costs more than it saves where nothing is in between.
			with = connect.WithClientOptions(with, connect.WithAcceptCompression("gzip", nil, nil))
		}
		a.clients = &clients{
			declaration: declarationv1connect.NewDeclarationServiceClient(h, a.server, with),
			strategy:    strategyv1connect.NewStrategyServiceClient(h, a.server, with),
			gap:         gapv1connect.NewGapServiceClient(h, a.server, with),
			initiative:  initiativev1connect.NewInitiativeServiceClient(h, a.server, with),
			change:      changev1connect.NewChangeServiceClient(h, a.server, with),
			event:       eventv1connect.NewEventServiceClient(h, a.server, with),
			admin:       adminv1connect.NewAdminServiceClient(h, a.server, with),
		}
	}
	return a.clients
}

// loopback tells whether a server is on this machine, by its name.
func loopback(server string) bool {
	u, err := url.Parse(server)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// caller adds to each call who asks.
type caller struct{ *app }

func (c caller) identify(h http.Header) {
	// A token says whose it is: what is only a default would contradict it.
	if c.token == "" || c.named.org {
		h.Set("Setpoint-Org", c.org)
	}
	if c.token == "" || c.named.actor {
		h.Set("Setpoint-Actor", c.actor)
	}
	if c.token != "" {
		h.Set("Authorization", "Bearer "+c.token)
	}
}

// WrapStreamingHandler implements connect.Interceptor; a client handles none.
func (c caller) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}

// WrapStreamingClient implements connect.Interceptor. A stream may last: there
// is no bound on it.
func (c caller) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return func(ctx context.Context, spec connect.Spec) connect.StreamingClientConn {
		conn := next(ctx, spec)
		c.identify(conn.RequestHeader())
		return conn
	}
}

// WrapUnary implements connect.Interceptor. It bounds the wait, all tries and
// the pauses between them together, and asks again where the server was
// unavailable: reads change nothing, and writes carry a request id.
func (c caller) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	a := c.app
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		c.identify(req.Header())
		ctx, cancel := context.WithTimeout(ctx, a.timeout)
		defer cancel()
		if a.completing {
			return next(ctx, req)
		}
		delay := a.opts.RetryDelay
		var before error
		for attempt := 1; ; attempt++ {
			res, err := next(ctx, req)
			if before != nil && (unreached(err) || ctx.Err() != nil) {
				// The server has gone since, or the time is over; what became of the
				// request is as unknown as the answer before says.
				return nil, before
			}
			if attempt == attempts || !transient(err) {
				return res, err
			}
			before = err
			select {
			case <-ctx.Done():
				return nil, err
			case <-time.After(delay):
			}
			delay *= 2
		}
	}
}

// transient reports whether asking again may help: not where nobody listens.
func transient(err error) bool {
	return err != nil && connect.CodeOf(err) == connect.CodeUnavailable && !unreached(err)
}

// unreached reports whether no connection came about: nothing was sent.
func unreached(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// requestID identifies one write for ever.
func requestID() string { return "cli-" + rand.Text() }

// settle waits until reads show a write, so that the next command in a script
// does not run ahead of the projections. The write is in the log whatever comes
// of the waiting; if reads lag behind, the user is told.
func (a *app) settle(ctx context.Context, revision int64) {
	if revision <= 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err := a.client().declaration.List(ctx, &declarationv1.ListRequest{
		Kind: "Organization", PageSize: 1, MinRevision: revision,
	})
	if code := connect.CodeOf(err); err != nil && (code == connect.CodeUnavailable || code == connect.CodeDeadlineExceeded) {
		a.warnf("this is in the log at revision %d, but reads do not show it yet; setpoint status tells how far they are\n", revision)
	}
}

// perhaps says of a write whose answer did not come that it may have been
// carried out.
func (a *app) perhaps(err error) error {
	e := a.explain(err)
	if !unreached(err) && (e.Kind == fault.Unavailable || e.Kind == fault.Internal) {
		e.Message += "; it is not known whether this was carried out"
		if e.Hint == "" {
			e.Hint = "run it again: what is already so is not written twice"
		}
	}
	return e
}

func checkServerURL(server string) error {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.RawQuery != "" || u.Fragment != "" {
		return &usageError{message: "--server: not a server's address: " + server, hint: "for example http://127.0.0.1:8080"}
	}
	return nil
}
