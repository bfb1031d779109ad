package externalnats

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"setpoint.dev/services/internal/embeddednats"
	"setpoint.dev/services/internal/fault"
	"setpoint.dev/services/internal/pause"
)

const (
	// oldestMajor and oldestMinor are of the first server with what the log
	// needs: atomic batches of a size that can be set.
	oldestMajor, oldestMinor = 2, 14

	defaultWithin = 30 * time.Second
	firstPause    = 100 * time.Millisecond
	longestPause  = 2 * time.Second
)

// Options say what to connect to, and with which secrets.
type Options struct {
	// URL is one address or several with commas between: nats://HOST:PORT, or
	// tls://. User and password, or a token, may be in it.
	URL string
	// Creds is a credentials file (JWT and seed).
	Creds string
	// CA, Cert and Key are PEM files: who is trusted, and the client's own.
	CA, Cert, Key string
	// Within bounds how long a server that does not answer is tried; 0 is 30 s.
	Within time.Duration
	Logger *slog.Logger // nil: silent
}

// Connect connects, and tries for a while if nobody answers yet. From then on
// the connection is made again whenever it is lost.
//
// Errors: Invalid nats.url, nats.file; Unavailable nats.unreachable, nats.no_jetstream;
// Denied nats.refused if the secrets or certificates are not accepted; Rule
// nats.server_too_old.
func Connect(ctx context.Context, o Options) (*nats.Conn, error) {
	if o.Within == 0 {
		o.Within = defaultWithin
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	servers, err := Servers(o.URL)
	if err != nil {
		return nil, err
	}
	opts, err := o.options()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.Within)
	defer cancel()
	nc, err := retry(ctx, o.Logger, servers, func() (*nats.Conn, error) { return nats.Connect(o.URL, opts...) })
	if err != nil {
		return nil, err
	}
	if err := check(ctx, nc, o.Logger, servers); err != nil {
		nc.Close()
		return nil, err
	}
	return nc, nil
}

// Replicas is how many copies of the log are right for what nc is connected
// to: three on a cluster, one on a single server.
func Replicas(nc *nats.Conn) int {
	if nc.ConnectedClusterName() != "" {
		return 3
	}
	return 1
}

// Servers names the servers of a URL without its secrets.
func Servers(urls string) (string, error) {
	var names []string
	for one := range strings.SplitSeq(urls, ",") {
		one = strings.TrimSpace(one)
		if one != "" && !strings.Contains(one, "://") {
			one = "nats://" + one
		}
		u, err := url.Parse(one)
		// The error of url.Parse holds the whole URL.
		if err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" && u.Scheme != "ws" && u.Scheme != "wss" {
			return "", fault.New(fault.Invalid, "nats.url", "--nats-url: entry %d is not the address of a NATS server", len(names)+1).
				WithHint("for example nats://127.0.0.1:4222, or tls://a.example.org:4222,tls://b.example.org:4222")
		}
		names = append(names, u.Host)
	}
	return strings.Join(names, ", "), nil
}

func (o Options) options() ([]nats.Option, error) {
	for _, x := range []struct{ flag, file string }{
		{"nats-creds", o.Creds}, {"nats-ca", o.CA}, {"nats-cert", o.Cert}, {"nats-key", o.Key},
	} {
		if x.file == "" {
			continue
		}
		f, err := os.Open(x.file)
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "nats.file", "--%s: the file cannot be read", x.flag)
		}
		_ = f.Close()
	}
	if (o.Cert == "") != (o.Key == "") {
		return nil, fault.New(fault.Invalid, "nats.file", "--nats-cert and --nats-key belong together")
	}
	host, _ := os.Hostname()
	opts := []nats.Option{
		nats.Name("setpoint " + host + " " + strconv.Itoa(os.Getpid())),
		nats.Timeout(5 * time.Second),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectJitter(100*time.Millisecond, 250*time.Millisecond),
		// A server that stands still is left after four seconds.
		nats.PingInterval(2 * time.Second),
		nats.MaxPingsOutstanding(2),
		nats.DisconnectErrHandler(func(nc *nats.Conn, err error) {
			if err != nil {
				o.Logger.Warn("the connection to NATS is lost", "error", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			o.Logger.Warn("the connection to NATS is there again", "server", nc.ConnectedServerName())
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			o.Logger.Warn("NATS reports an error", "error", err)
		}),
	}
	if o.Creds != "" {
		opts = append(opts, nats.UserCredentials(o.Creds))
	}
	if o.CA != "" {
		opts = append(opts, nats.RootCAs(o.CA))
	}
	if o.Cert != "" {
		opts = append(opts, nats.ClientCert(o.Cert, o.Key))
	}
	return opts, nil
}

// retry connects until that succeeds, is refused, or ctx ends.
func retry(ctx context.Context, logger *slog.Logger, servers string, connect func() (*nats.Conn, error)) (*nats.Conn, error) {
	for wait := firstPause; ; wait = min(2*wait, longestPause) {
		nc, err := connect()
		switch {
		case err == nil:
			return nc, nil
		case refused(err):
			return nil, fault.Wrap(err, fault.Denied, "nats.refused", "NATS at %s does not let setpoint in", servers).
				WithHint("check user and password in --nats-url, or --nats-creds, --nats-ca, --nats-cert and --nats-key")
		case wait == firstPause:
			logger.Warn("NATS does not answer yet", "servers", servers, "error", err)
		}
		if !pause.For(ctx, wait) {
			return nil, fault.Wrap(err, fault.Unavailable, "nats.unreachable", "NATS at %s does not answer", servers).
				WithHint("is it running, and is --nats-url its address?")
		}
	}
}

// refused tells whether asking again would be of no use.
func refused(err error) bool {
	if errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) || errors.Is(err, nats.ErrAuthRevoked) ||
		errors.Is(err, nats.ErrSecureConnRequired) || errors.Is(err, nats.ErrSecureConnWanted) {
		return true
	}
	text := err.Error()
	return strings.Contains(text, "x509:") || strings.Contains(text, "tls: ") || strings.Contains(strings.ToLower(text), "authorization violation")
}

// check finds out whether the servers can hold the log at all.
func check(ctx context.Context, nc *nats.Conn, logger *slog.Logger, servers string) error {
	if v := nc.ConnectedServerVersion(); !newEnough(v) {
		return fault.New(fault.Rule, "nats.server_too_old", "NATS at %s is version %s", servers, v).
			WithHint("run nats-server %d.%d or later", oldestMajor, oldestMinor)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	for wait := firstPause; ; wait = min(2*wait, longestPause) {
		asking, cancel := context.WithTimeout(ctx, 2*time.Second)
		_, err := js.AccountInfo(asking)
		cancel()
		if err == nil {
			break
		}
		if errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) {
			return fault.Wrap(err, fault.Rule, "nats.no_jetstream", "NATS at %s has no JetStream for this account", servers).
				WithHint("enable JetStream for the account that setpoint uses")
		}
		// A cluster that forms has none for a while.
		if !pause.For(ctx, wait) {
			return fault.Wrap(err, fault.Unavailable, "nats.no_jetstream", "NATS at %s answers, but its JetStream does not", servers).
				WithHint("is jetstream enabled on the servers, and do more than half of the cluster run?")
		}
	}
	if most := nc.MaxPayload(); most < embeddednats.MaxPayload {
		logger.Warn("NATS takes smaller messages than setpoint's own server: large requests will be refused",
			"max_payload", most, "recommended", embeddednats.MaxPayload)
	}
	return nil
}

func newEnough(version string) bool {
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil {
		return false
	}
	return major > oldestMajor || major == oldestMajor && minor >= oldestMinor
}
