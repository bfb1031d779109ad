package rpc

import (
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"time"

	"setpoint.dev/services/internal/fault"
)

// certificateEvery is how often the files are looked at, while there are
// connections.
const certificateEvery = time.Minute

// TLS is the configuration of a server with a certificate, whose files may be
// renewed while it runs: a new pair that does not fit together is logged, and
// the one before stays. TLS 1.2 is the least.
func TLS(certFile, keyFile string, now func() time.Time, logger *slog.Logger) (*tls.Config, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, now: now, logger: logger}
	if err := c.load(); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "server.certificate", "the certificate %s with the key %s cannot be used", certFile, keyFile)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}, nil
}

type certificate struct {
	certFile, keyFile string
	now               func() time.Time
	logger            *slog.Logger

	mu     sync.Mutex
	pair   *tls.Certificate
	stamps [2]time.Time // when the files were changed
	looked time.Time
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); now.Sub(c.looked) >= certificateEvery {
		if stamps, err := c.changed(); err != nil || stamps != c.stamps {
			if err == nil {
				err = c.load()
			}
			if err != nil {
				c.logger.Error("the renewed certificate cannot be used; the one before stays", "error", err)
			}
		}
		c.looked = now
	}
	return c.pair, nil
}

func (c *certificate) changed() (stamps [2]time.Time, err error) {
	for i, path := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(path)
		if err != nil {
			return stamps, err
		}
		stamps[i] = info.ModTime()
	}
	return stamps, nil
}

func (c *certificate) load() error {
	stamps, err := c.changed()
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.pair, c.stamps, c.looked = &pair, stamps, c.now()
	return nil
}
