package rpc

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"setpoint.dev/services/internal/fault"
)

// writePair writes a certificate with a serial number, and its key.
func writePair(t *testing.T, cert, key string, serial int64) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Unix(1_700_000_000+serial, 0)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
}

func TestARenewedCertificateIsTaken(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	now, log := time.Now(), new(bytes.Buffer)
	clock := func() time.Time { return now }
	logger := slog.New(slog.NewTextHandler(log, nil))
	if _, err := TLS(cert, key, clock, logger); fault.ReasonOf(err) != "server.certificate" {
		t.Errorf("without files: %v", err)
	}
	writePair(t, cert, key, 1)
	config, err := TLS(cert, key, clock, logger)
	if err != nil {
		t.Fatal(err)
	}
	if config.MinVersion != tls.VersionTLS12 {
		t.Errorf("least version %x", config.MinVersion)
	}
	serial := func() int64 {
		t.Helper()
		c, err := config.GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := x509.ParseCertificate(c.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		return parsed.SerialNumber.Int64()
	}
	if n := serial(); n != 1 {
		t.Fatalf("certificate %d", n)
	}
	writePair(t, cert, key, 2)
	if n := serial(); n != 1 {
		t.Errorf("within the minute: certificate %d", n)
	}
	now = now.Add(certificateEvery)
	if n := serial(); n != 2 {
		t.Errorf("after a minute: certificate %d", n)
	}
	writePair(t, cert, filepath.Join(dir, "other.pem"), 3)
	now = now.Add(certificateEvery)
	if n := serial(); n != 2 || strings.Count(log.String(), "level=ERROR") != 1 {
		t.Errorf("half a pair: certificate %d, log: %s", n, log)
	}
	writePair(t, cert, key, 4)
	now = now.Add(certificateEvery)
	if n := serial(); n != 4 {
		t.Errorf("repaired: certificate %d", n)
	}
}
