package server

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"

	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/rpc"
	"setpoint.dev/services/internal/token"
)

// maxConnections bounds the API's open connections.
const maxConnections = 2048

// startKeys reads what opens the door.
func startKeys(_ context.Context, s *Server) (err error) {
	s.keys, err = takeKeys(s.opts)
	return err
}

// startListener takes the port: if that is taken, nothing else need start.
func startListener(_ context.Context, s *Server) (err error) {
	s.listener, err = net.Listen("tcp", s.opts.Listen)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "server.listen", "cannot listen on %s", s.opts.Listen).
			WithHint("another program may have the port: choose one with --listen 127.0.0.1:PORT")
	}
	s.onStop(func() error {
		if err := s.listener.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	s.url = "http://" + s.listener.Addr().String()
	if s.keys.tls != nil {
		s.url = "https://" + s.listener.Addr().String()
	}
	return nil
}

// startDoor answers requests.
func startDoor(_ context.Context, s *Server) error {
	options := s.keys.options(s, s.opts.Logger)
	options.Observer = s.telemetry.RPC()
	var err error
	if options.Interceptors, err = s.telemetry.Interceptors(); err != nil {
		return err
	}
	door, err := rpc.NewDoor(options, s.services...)
	if err != nil {
		return err
	}
	s.http = rpc.NewServer(door, s.opts.Logger)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := s.keys.serve(s.http, s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.serves <- err
		}
		close(s.serves)
	}()
	s.onStop(func() error {
		ctx, cancel := s.finishing()
		defer cancel()
		err := s.http.Shutdown(ctx)
		<-ended
		return err
	})
	return nil
}

// keys are what opens the door.
type keys struct {
	tokens *token.Keeper // nil: whoever reaches the door is trusted
	tls    *tls.Config   // nil: in the clear
	public *url.URL
}

// takeKeys checks what was asked for: other machines are served only with
// tokens, and tokens travel only encrypted.
func takeKeys(o Options) (k keys, err error) {
	loopback, err := isLoopback("--listen", o.Listen)
	if err != nil {
		return k, err
	}
	switch {
	case (o.TLSCert == "") != (o.TLSKey == ""):
		return k, fault.New(fault.Invalid, "server.certificate", "--tls-cert and --tls-key belong together")
	case !loopback && o.TokenFile == "":
		return k, fault.New(fault.Denied, "server.not_loopback",
			"--listen: %q would serve other machines, and without tokens requests are not authenticated", o.Listen).
			WithHint("make a token with: setpoint token create --file tokens --org ORG --role ROLE, and start with --token-file tokens; or listen on 127.0.0.1")
	case !loopback && o.TLSCert == "" && !o.BehindProxy:
		return k, fault.New(fault.Denied, "server.plaintext",
			"--listen: %q would receive tokens in the clear", o.Listen).
			WithHint("give --tls-cert and --tls-key, or --behind-proxy if a proxy in front ends TLS and nobody else reaches this address")
	}
	if k.public, err = publicURL(o.PublicURL); err != nil {
		return k, err
	}
	if o.TokenFile != "" {
		if k.tokens, err = token.Open(o.TokenFile, o.Now, o.Logger); err != nil {
			return k, err
		}
	}
	if o.TLSCert != "" {
		k.tls, err = rpc.TLS(o.TLSCert, o.TLSKey, o.Now, o.Logger)
	}
	return k, err
}

func isLoopback(flag, address string) (bool, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false, fault.New(fault.Invalid, "server.address", "%s: %q is not HOST:PORT", flag, address)
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback(), nil
}

func publicURL(s string) (*url.URL, error) {
	if s == "" {
		return nil, nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil ||
		u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fault.New(fault.Invalid, "server.public_url", "--public-url: %q is not the address of a site", s).
			WithHint("for example https://setpoint.example.org")
	}
	return u, nil
}

// options are those of the door that these keys open.
func (k keys) options(s *Server, logger *slog.Logger) rpc.Options {
	o := rpc.Options{Logger: logger, Healthy: s.Healthy, Public: k.public}
	if k.tokens != nil {
		o.Tokens = k.tokens
		o.Warning = func() string {
			if k.tokens.Problem() == nil {
				return ""
			}
			return "the token file cannot be read, the tokens read before stay in force"
		}
	}
	return o
}

// serve answers on the listener until the server is shut down.
func (k keys) serve(s *rpc.Server, l net.Listener) error {
	l = rpc.LimitConnections(l, maxConnections)
	if k.tls == nil {
		return s.Serve(l)
	}
	s.TLSConfig = k.tls
	return s.ServeTLS(l, "", "")
}
