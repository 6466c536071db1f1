package pki

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"time"

	"pigsty/internal/localfile"
)

// Open reads an authority and checks that it can sign: the key belongs to the certificate and
// only its owner can read it, the certificate is an authority's and in its time.
func Open(dir, certName, keyName string) (*Authority, error) {
	p := pathsIn(dir, certName, keyName)
	cert, chain, err := loadCert(p.cert)
	if err != nil {
		return nil, err
	}
	key, err := loadKey(p.key)
	if err != nil {
		return nil, err
	}
	if !samePublicKey(cert.PublicKey, key.Public()) {
		return nil, fmt.Errorf("%s is not the key of %s", p.key, p.cert)
	}
	if !cert.IsCA || (cert.KeyUsage != 0 && cert.KeyUsage&x509.KeyUsageCertSign == 0) {
		return nil, fmt.Errorf("%s may not sign certificates: it is not a certificate authority", p.cert)
	}
	a := &Authority{cert: cert, key: key, chain: chain}
	if err := a.inTime(time.Now()); err != nil {
		return nil, fmt.Errorf("%s: %w", p.cert, err)
	}
	return a, nil
}

// inTime tells why the authority cannot sign at an instant.
func (a *Authority) inTime(now time.Time) error {
	const layout = "2006-01-02 15:04 MST"
	switch {
	case now.After(a.cert.NotAfter):
		return fmt.Errorf("the certificate authority expired on %s; ca_method: recreate makes a new one", a.cert.NotAfter.UTC().Format(layout))
	case now.Before(a.cert.NotBefore):
		return fmt.Errorf("the certificate authority is not valid before %s; is this machine's clock right?", a.cert.NotBefore.UTC().Format(layout))
	}
	return nil
}

// loadCert gives the first certificate in a file, and the PEM of all of them without whatever
// text stands between them.
func loadCert(path string) (first *x509.Certificate, chain []byte, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", path, err)
		}
		if first == nil {
			first = cert
		}
		chain = append(chain, encodePEM("CERTIFICATE", block.Bytes)...)
	}
	if first == nil {
		return nil, nil, fmt.Errorf("%s holds no certificate in PEM form", path)
	}
	return first, chain, nil
}

// loadKey reads a private key in any of the three forms that openssl writes. Text and EC
// parameters, which it may put before the key, are passed over.
func loadKey(path string) (crypto.Signer, error) {
	data, err := localfile.ReadPrivate(path)
	if err != nil {
		return nil, err
	}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "EC PARAMETERS" {
			continue
		}
		key, err := parseKey(block)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return key, nil
	}
	return nil, fmt.Errorf("%s holds no private key in PEM form", path)
}

func parseKey(block *pem.Block) (crypto.Signer, error) {
	var key any
	var err error
	switch {
	case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "":
		return nil, errors.New("the key has a passphrase, which nobody could type during a run; remove it with openssl pkey")
	case block.Type == "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case block.Type == "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case block.Type == "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("a %s is not a private key", block.Type)
	}
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a key of type %T cannot sign", key)
	}
	return signer, nil
}

func samePublicKey(a, b crypto.PublicKey) bool {
	comparable, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && comparable.Equal(b)
}
