package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// fataler is what *testing.T and *rapid.T have in common here.
type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// request asks for a certificate with a CSR that also begs for things it must not get.
func request(t fataler, leaf Leaf, key crypto.Signer) Request {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject:  pkix.Name{CommonName: "postgres", Organization: []string{"evil"}},
		DNSNames: []string{"evil.example"},
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	return Request{CSR: encodePEM("CERTIFICATE REQUEST", der), Leaf: leaf}
}

// checkLeaf signs and verifies as both ends of a connection would.
func checkLeaf(t fataler, a *Authority, leaf Leaf, key crypto.Signer) *x509.Certificate {
	t.Helper()
	out, err := a.Sign(request(t, leaf, key))
	if err != nil {
		t.Fatal(err)
	}
	block, rest := pem.Decode(out)
	if block == nil || len(rest) != 0 {
		t.Fatalf("not one PEM block: %s", out)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(a.CertPEM())) {
		t.Fatal("CertPEM holds no certificate")
	}
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
		if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{usage}}); err != nil {
			t.Errorf("usage %v: %v", usage, err)
		}
	}
	if cert.IsCA || !samePublicKey(cert.PublicKey, key.Public()) {
		t.Errorf("a CA (%v) or another's key", cert.IsCA)
	}
	return cert
}

func TestSignSaysWhatTheLeafSays(t *testing.T) {
	a, _ := mustEnsure(t, t.TempDir(), MethodCreate)
	key := mustKey(t)
	serials := make(map[string]bool)
	rapid.Check(t, func(t *rapid.T) {
		leaf := Leaf{
			CommonName: rapid.StringMatching(`[a-zA-Z0-9_.-]{1,64}`).Draw(t, "cn"),
			DNSNames:   rapid.SliceOf(rapid.StringMatching(`[a-z]([a-z0-9-]{0,8}[a-z0-9])?(\.[a-z]{1,5})?`)).Draw(t, "names"),
			Days:       rapid.IntRange(1, 40000).Draw(t, "days"),
		}
		for _, b := range rapid.SliceOf(rapid.SliceOfN(rapid.Byte(), 4, 4)).Draw(t, "addresses") {
			leaf.Addresses = append(leaf.Addresses, net.IP(b).String())
		}
		cert := checkLeaf(t, a, leaf, key)
		if cert.Subject.String() != "CN="+leaf.CommonName || !slices.Equal(cert.DNSNames, leaf.DNSNames) {
			t.Errorf("for %s and %q", cert.Subject, cert.DNSNames)
		}
		if got := fmt.Sprint(cert.IPAddresses); got != fmt.Sprint(leaf.Addresses) {
			t.Errorf("for addresses %s, want %s", got, leaf.Addresses)
		}
		checkTimes(t, a, cert, leaf.Days)
		if s := cert.SerialNumber.String(); serials[s] || cert.SerialNumber.BitLen() > 128 {
			t.Errorf("serial %s", s)
		} else {
			serials[s] = true
		}
	})
}

func checkTimes(t fataler, a *Authority, cert *x509.Certificate, days int) {
	t.Helper()
	now := time.Now()
	if got := now.Sub(cert.NotBefore); (got - time.Hour).Abs() > time.Minute {
		t.Errorf("begins %s ago", got)
	}
	end := now.AddDate(0, 0, days)
	if end.After(a.cert.NotAfter) {
		end = a.cert.NotAfter
	}
	if cert.NotAfter.Sub(end).Abs() > time.Minute {
		t.Errorf("%d days end %s, want %s", days, cert.NotAfter, end)
	}
}

func TestSignTakesModernKeys(t *testing.T) {
	a, _ := mustEnsure(t, t.TempDir(), MethodCreate)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	long, err := rsa.GenerateKey(rand.Reader, minRSABits)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []crypto.Signer{ed, p384} {
		checkLeaf(t, a, Leaf{CommonName: "x", Days: 1}, key)
	}
	if cert := checkLeaf(t, a, Leaf{CommonName: "x", Days: 1}, long); cert.KeyUsage&x509.KeyUsageKeyEncipherment == 0 {
		t.Error("an RSA key without key encipherment")
	}
}

func TestSignRefuses(t *testing.T) {
	a, _ := mustEnsure(t, t.TempDir(), MethodCreate)
	key := mustKey(t)
	good := Leaf{CommonName: "node", Days: 1}
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	tampered := request(t, good, key)
	block, _ := pem.Decode(tampered.CSR)
	block.Bytes[len(block.Bytes)-1] ^= 1
	tampered.CSR = pem.EncodeToMemory(block)
	for name, c := range map[string]struct {
		r    Request
		want string
	}{
		"no name":         {request(t, Leaf{Days: 1}, key), "no name at all"},
		"long name":       {request(t, Leaf{CommonName: strings.Repeat("x", 65), Days: 1}, key), "longer than 64"},
		"no days":         {request(t, Leaf{CommonName: "x"}, key), "validity of 0 days"},
		"name as address": {request(t, Leaf{CommonName: "x", Days: 1, Addresses: []string{"node-1"}}, key), `"node-1" is not an IP`},
		"short RSA key":   {request(t, good, short), "too short"},
		"tampered":        {tampered, "signature"},
		"no PEM":          {Request{CSR: []byte("x"), Leaf: good}, "not a certificate request"},
		"a certificate":   {Request{CSR: []byte(a.CertPEM()), Leaf: good}, "not a certificate request"},
		"broken":          {Request{CSR: encodePEM("CERTIFICATE REQUEST", []byte{1}), Leaf: good}, `"node"`},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := a.Sign(c.r)
			if err == nil || out != nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestSignEndsWithTheAuthority(t *testing.T) {
	a, _ := mustEnsure(t, t.TempDir(), MethodCreate)
	a.cert.NotAfter = time.Now().Add(-time.Second)
	if _, err := a.Sign(request(t, Leaf{CommonName: "x", Days: 1}, mustKey(t))); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("signed by an expired authority: %v", err)
	}
}
