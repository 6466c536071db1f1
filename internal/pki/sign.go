package pki

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"time"
)

const (
	// maxCommonName is X.520's limit, which openssl enforces when it reads.
	maxCommonName = 64
	minRSABits    = 2048
)

// Sign gives a certificate in PEM for the key of a request. Everything else in the request is
// ignored: what the certificate says comes from the Leaf, which the controller wrote. It serves
// for both ends of a connection and ends no later than the authority.
func (a *Authority) Sign(r Request) ([]byte, error) {
	now := time.Now()
	if err := a.inTime(now); err != nil {
		return nil, err
	}
	csr, err := parseCSR(r.CSR)
	if err != nil {
		return nil, fmt.Errorf("certificate request for %q: %w", r.Leaf.CommonName, err)
	}
	template, err := r.Leaf.template(now)
	if err != nil {
		return nil, fmt.Errorf("certificate for %q: %w", r.Leaf.CommonName, err)
	}
	if template.NotAfter.After(a.cert.NotAfter) {
		template.NotAfter = a.cert.NotAfter
	}
	if _, ok := csr.PublicKey.(*rsa.PublicKey); ok {
		template.KeyUsage |= x509.KeyUsageKeyEncipherment // how TLS 1.2 may use an RSA key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, csr.PublicKey, a.key)
	if err != nil {
		return nil, fmt.Errorf("sign certificate for %q: %w", r.Leaf.CommonName, err)
	}
	return encodePEM("CERTIFICATE", der), nil
}

// parseCSR reads a request and makes sure that the sender holds its key.
func parseCSR(data []byte) (*x509.CertificateRequest, error) {
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "CERTIFICATE REQUEST" {
		return nil, errors.New("not a certificate request in PEM form")
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, err
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, fmt.Errorf("its signature does not hold: %w", err)
	}
	switch key := csr.PublicKey.(type) {
	case *ecdsa.PublicKey, ed25519.PublicKey:
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSABits {
			return nil, fmt.Errorf("an RSA key of %d bits is too short, %d are needed", bits, minRSABits)
		}
	default:
		return nil, fmt.Errorf("keys of type %T are not signed", key)
	}
	return csr, nil
}

// template is the certificate a leaf asks for, before its end is held to the authority's.
func (l Leaf) template(now time.Time) (*x509.Certificate, error) {
	switch {
	case l.CommonName == "" && len(l.DNSNames)+len(l.Addresses) == 0:
		return nil, errors.New("no name at all")
	case len(l.CommonName) > maxCommonName:
		return nil, fmt.Errorf("the common name is longer than %d bytes", maxCommonName)
	case l.Days <= 0:
		return nil, fmt.Errorf("a validity of %d days", l.Days)
	}
	addresses, err := parseAddresses(l.Addresses)
	if err != nil {
		return nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: l.CommonName},
		DNSNames:              l.DNSNames,
		IPAddresses:           addresses,
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.AddDate(0, 0, l.Days),
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		// The members of etcd, Patroni and Consul are clients of each other with the same
		// certificate they serve with.
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, nil
}

func parseAddresses(texts []string) ([]net.IP, error) {
	var out []net.IP
	for _, text := range texts {
		ip := net.ParseIP(text)
		if ip == nil {
			return nil, fmt.Errorf("%q is not an IP address", text)
		}
		out = append(out, ip)
	}
	return out, nil
}
