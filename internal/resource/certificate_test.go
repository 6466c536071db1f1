package resource_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"pigsty/internal/pki"
	"pigsty/internal/resource"
)

// authority is a small certificate authority.
type authority struct {
	t    *testing.T
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pem  string
	// spoil changes what is about to be signed.
	spoil func(*x509.Certificate)
}

func newAuthority(t *testing.T, name string) *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{t: t, key: key}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pem = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return a
}

func (a *authority) sign(_ context.Context, r pki.Request) ([]byte, error) {
	block, _ := pem.Decode(r.CSR)
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil || request.CheckSignature() != nil {
		return nil, errors.New("bad request")
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: r.Leaf.CommonName}, DNSNames: r.Leaf.DNSNames,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 0, r.Leaf.Days),
	}
	for _, address := range r.Leaf.Addresses {
		leaf.IPAddresses = append(leaf.IPAddresses, net.ParseIP(address))
	}
	if a.spoil != nil {
		a.spoil(leaf)
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, a.cert, request.PublicKey, a.key)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), err
}

func certified(t *testing.T) (*resource.Host, *resource.Certificate, *authority) {
	a := newAuthority(t, "pigsty-ca")
	h := newNode(t)
	h.Sign = a.sign
	return h, &resource.Certificate{
		Path: "/etc/etcd/server.crt", KeyPath: "/etc/etcd/server.key", CA: a.pem,
		Leaf: pki.Leaf{CommonName: "etcd-1", DNSNames: []string{"etcd-1", "localhost"}, Addresses: []string{"10.10.10.10", "127.0.0.1", "::1"}, Days: 365},
	}, a
}

func TestCertificate(t *testing.T) {
	h, c, _ := certified(t)
	converge(t, h, c, resource.Create)
	if _, err := tls.X509KeyPair([]byte(get(t, h, c.Path)), []byte(get(t, h, c.KeyPath))); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(h.Path(c.KeyPath)); err != nil || info.Mode() != 0o600 {
		t.Errorf("key's mode %v, %v", info.Mode(), err)
	}
	// The order of names is of no importance.
	c.Leaf.DNSNames = []string{"localhost", "etcd-1"}
	quiet(t, h, c)
}

func TestCertificateIsRenewed(t *testing.T) {
	tests := []struct {
		name    string
		change  func(t *testing.T, h *resource.Host, c *resource.Certificate)
		field   string
		keepKey bool
	}{
		{"another name", func(_ *testing.T, _ *resource.Host, c *resource.Certificate) { c.Leaf.CommonName = "etcd-2" }, "name", true},
		{"another DNS name", func(_ *testing.T, _ *resource.Host, c *resource.Certificate) {
			c.Leaf.DNSNames = append(c.Leaf.DNSNames, "x")
		}, "DNS names", true},
		{"another address", func(_ *testing.T, _ *resource.Host, c *resource.Certificate) {
			c.Leaf.Addresses = []string{"10.10.10.11"}
		}, "addresses", true},
		{"another authority", func(t *testing.T, h *resource.Host, c *resource.Certificate) {
			a := newAuthority(t, "new-ca")
			c.CA, h.Sign = a.pem, a.sign
		}, "authority", true},
		{"key gone", func(t *testing.T, h *resource.Host, c *resource.Certificate) {
			if err := os.Remove(h.Path(c.KeyPath)); err != nil {
				t.Fatal(err)
			}
		}, "key", false},
		{"key damaged", func(t *testing.T, h *resource.Host, c *resource.Certificate) { put(t, h, c.KeyPath, "x") }, "key", false},
		{"certificate damaged", func(t *testing.T, h *resource.Host, c *resource.Certificate) { put(t, h, c.Path, "x") }, "content", true},
		{"key readable to all", func(t *testing.T, h *resource.Host, c *resource.Certificate) {
			if err := os.Chmod(h.Path(c.KeyPath), 0o644); err != nil {
				t.Fatal(err)
			}
		}, "mode", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h, c, _ := certified(t)
			converge(t, h, c, resource.Create)
			key := get(t, h, c.KeyPath)
			test.change(t, h, c)
			change := converge(t, h, c, resource.Update)
			if before, after := field(change, test.field); before == after {
				t.Errorf("no field %s in %+v", test.field, change.Fields)
			}
			if kept := get(t, h, c.KeyPath) == key; kept != test.keepKey {
				t.Errorf("key kept: %t, want %t", kept, test.keepKey)
			}
		})
	}
}

func TestCertificateNearItsEnd(t *testing.T) {
	h, c, a := certified(t)
	a.spoil = func(leaf *x509.Certificate) {
		leaf.NotBefore, leaf.NotAfter = time.Now().AddDate(0, 0, -325), time.Now().AddDate(0, 0, 40)
	}
	converge(t, h, c, resource.Create)
	a.spoil = nil
	c.RenewDays = 50
	if _, after := field(converge(t, h, c, resource.Update), "valid until"); after != "365 days from now" {
		t.Errorf("valid until %s", after)
	}
	// Asking for more than a third of its life does not renew it in every run.
	c.RenewDays = 364
	quiet(t, h, c)
}

func TestCertificateNotAsAskedFor(t *testing.T) {
	h, c, a := certified(t)
	a.spoil = func(leaf *x509.Certificate) { leaf.DNSNames = nil }
	if err := c.Apply(context.Background(), h); err == nil || !strings.Contains(err.Error(), "not what was asked for: DNS names") {
		t.Errorf("error %v", err)
	}
	if exists(h, c.Path) {
		t.Error("a wrong certificate was written")
	}
	h.Sign = func(context.Context, pki.Request) ([]byte, error) { return nil, errors.New("the authority is locked") }
	if err := c.Apply(context.Background(), h); err == nil || !strings.Contains(err.Error(), "certificate for etcd-1 signed: the authority is locked") {
		t.Errorf("error %v", err)
	}
	c.CA = "nothing"
	put(t, h, c.Path, "x")
	refused(t, h, c, "read the authority's certificate")
}
