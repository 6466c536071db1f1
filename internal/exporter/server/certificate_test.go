package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"strconv"
	"testing"
	"time"
)

// shown is what a server shows whose certificates are good for that long.
func shown(t *testing.T, lives ...time.Duration) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	chain := tls.Certificate{PrivateKey: key}
	for i, life := range lives {
		template := &x509.Certificate{SerialNumber: big.NewInt(int64(i + 1)), NotAfter: time.Now().Add(life)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		chain.Certificate = append(chain.Certificate, der)
	}
	return &tls.Config{Certificates: []tls.Certificate{chain}}
}

func TestCertificateExpiry(t *testing.T) {
	for name, want := range map[string]struct {
		lives []time.Duration
		hours float64
	}{
		"one":           {[]time.Duration{1000 * time.Hour}, 1000},
		"the authority": {[]time.Duration{1000 * time.Hour, 500 * time.Hour}, 500},
		"over":          {[]time.Duration{-30 * time.Hour}, -30},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t)
			b.answers, b.tls = twoAnswers(), shown(t, want.lives...)
			s := watch(t, b, two)
			var got map[string]string
			eventually(t, "the certificate is seen", func() bool {
				got = scrape(t, s, 0)
				return got["pg_certificate_expiry_seconds"] != ""
			})
			seconds, err := strconv.ParseFloat(got["pg_certificate_expiry_seconds"], 64)
			if hours := seconds / 3600; err != nil || hours > want.hours || hours < want.hours-1 {
				t.Errorf("it expires in %v hours, want %v (%v)", hours, want.hours, err)
			}
			if b.times("TLS") != 1 {
				t.Errorf("the server was asked %d times", b.times("TLS"))
			}
		})
	}
}

func TestAServerWithoutTLSHasNoCertificate(t *testing.T) {
	b := newBackend(t)
	b.answers = twoAnswers()
	s := watch(t, b, two)
	scrape(t, s, 0)
	eventually(t, "the server was asked for TLS", func() bool { return b.times("TLS") == 1 })
	expect(t, scrape(t, s, 0), map[string]string{"pg_up": "1", "pg_certificate_expiry_seconds": ""})
}
