package rpc

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"

	commonv1 "setpoint.dev/proto/gen/setpoint/common/v1"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/proto/gen/setpoint/gap/v1/gapv1connect"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/principal"
)

// fakeTokens are principals by what stands after "Bearer".
type fakeTokens map[string]principal.Principal

func (f fakeTokens) Authenticate(token string) (principal.Principal, error) {
	p, ok := f[token]
	if !ok {
		return p, fault.Wrap(http.ErrNoCookie, fault.Unauthenticated, "token.rejected", "the token is not valid")
	}
	return p, nil
}

// fakeGap does as its functions say.
type fakeGap struct {
	gapv1connect.UnimplementedGapServiceHandler

	evaluate func(context.Context, *gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, error)
	watch    func(context.Context, *gapv1.WatchRequest, *connect.ServerStream[gapv1.WatchResponse]) error
}

func (f fakeGap) Evaluate(ctx context.Context, r *gapv1.EvaluateRequest) (*gapv1.EvaluateResponse, error) {
	return f.evaluate(ctx, r)
}

func (f fakeGap) Watch(ctx context.Context, r *gapv1.WatchRequest, s *connect.ServerStream[gapv1.WatchResponse]) error {
	return f.watch(ctx, r, s)
}

func (f fakeGap) service() Service {
	return Service{gapv1connect.GapServiceName, func(o ...connect.HandlerOption) (string, http.Handler) {
		return gapv1connect.NewGapServiceHandler(f, o...)
	}}
}

func newDoor(t *testing.T, o Options, services ...Service) *Door {
	t.Helper()
	if o.Logger == nil {
		o.Logger = silent
	}
	if o.Healthy == nil {
		o.Healthy = healthy
	}
	d, err := NewDoor(o, services...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// open serves a door on a port until the test ends.
func serveDoor(t *testing.T, d *Door) (server *Server, url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server = NewServer(d, silent)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-served
	})
	return server, "http://" + l.Addr().String()
}

type bearerTransport struct {
	token string
	next  http.RoundTripper
}

func (b bearerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.next.RoundTrip(r)
}

// protocols are the ways to speak to a door.
var protocols = map[string][]connect.ClientOption{
	"connect": nil, "connect on HTTP/2": {}, "grpc": {connect.WithGRPC()}, "grpc-web": {connect.WithGRPCWeb()},
}

// gapClient speaks one of the protocols; token "" sends none.
func gapClient(t *testing.T, url, protocol, token string) gapv1connect.GapServiceClient {
	t.Helper()
	var p http.Protocols
	p.SetHTTP1(protocol == "connect" || protocol == "grpc-web")
	p.SetUnencryptedHTTP2(!p.HTTP1())
	transport := &http.Transport{Protocols: &p}
	t.Cleanup(transport.CloseIdleConnections)
	h := &http.Client{Transport: transport}
	if token != "" {
		h.Transport = bearerTransport{token, transport}
	}
	return gapv1connect.NewGapServiceClient(h, url, protocols[protocol]...)
}

func detailOf(t *testing.T, err error) *commonv1.ErrorDetail {
	t.Helper()
	c, ok := err.(*connect.Error)
	if !ok {
		t.Fatalf("not a Connect error: %v", err)
	}
	for _, d := range c.Details() {
		if m, err := d.Value(); err == nil {
			if e, ok := m.(*commonv1.ErrorDetail); ok {
				return e
			}
		}
	}
	return nil
}

// wantRefusal checks an error's code and reason.
func wantRefusal(t *testing.T, what string, err error, code connect.Code, reason string) {
	t.Helper()
	if err == nil || connect.CodeOf(err) != code {
		t.Errorf("%s: %v, want %v", what, err, code)
		return
	}
	if d := detailOf(t, err); reason != d.GetReason() {
		t.Errorf("%s: %v with reason %q, want %q", what, err, d.GetReason(), reason)
	}
}

func lines(s string) int { return strings.Count(s, "\n") }
