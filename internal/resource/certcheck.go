package resource

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"
)

// renewDefault is when a certificate is renewed if nothing is said, in days before its end.
const renewDefault = 30

// compare adds to the change every reason why the certificate in text will not do. An error
// means that the authority itself, given by the controller, is unusable.
func (c *Certificate) compare(h *Host, text []byte, change *Change) error {
	authorities, err := c.authorities()
	if err != nil {
		return err
	}
	cert, err := parseCertificate(text)
	if err != nil {
		change.Add("content", err.Error(), "a certificate")
		return nil
	}
	if err := signedBy(cert, authorities); err != nil {
		change.Add("authority", cert.Issuer.CommonName, authorities[0].Subject.CommonName+" (this deployment's)")
	}
	change.Add("name", cert.Subject.CommonName, c.Leaf.CommonName)
	change.Add("DNS names", sortedList(cert.DNSNames), sortedList(c.Leaf.DNSNames))
	change.Add("addresses", sortedList(addressTexts(cert.IPAddresses)), sortedList(normalAddresses(c.Leaf.Addresses)))
	switch key, err := c.readKey(h); {
	case err != nil:
		change.Add("key", err.Error(), "a key of its own")
	case !key.PublicKey.Equal(cert.PublicKey):
		change.Add("key", "does not fit the certificate", "fits")
	}
	if left := time.Until(cert.NotAfter); left < c.margin(cert) {
		change.Add("valid until", cert.NotAfter.UTC().Format(time.DateOnly), fmt.Sprintf("%d days from now", c.Leaf.Days))
	}
	return nil
}

// margin is how long before its end the certificate is renewed. A third of its validity is the
// most, or a certificate of a few days would be renewed in every run.
func (c *Certificate) margin(cert *x509.Certificate) time.Duration {
	wanted := time.Duration(cmp.Or(c.RenewDays, renewDefault)) * 24 * time.Hour
	return min(wanted, cert.NotAfter.Sub(cert.NotBefore)/3)
}

// authorities are the certificates in CA; a chain is given with the signing one first.
func (c *Certificate) authorities() ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for rest := []byte(c.CA); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("read the authority's certificate: %w", err)
		}
		all = append(all, cert)
	}
	if len(all) == 0 {
		return nil, errors.New("read the authority's certificate: there is none in the text given")
	}
	return all, nil
}

func parseCertificate(text []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("no certificate")
	}
	return x509.ParseCertificate(block.Bytes)
}

func signedBy(cert *x509.Certificate, authorities []*x509.Certificate) error {
	err := errors.New("no authority")
	for _, authority := range authorities {
		if err = cert.CheckSignatureFrom(authority); err == nil {
			return nil
		}
	}
	return err
}

// readKey is the key on disk; an error says in a few words what is the matter with it.
func (c *Certificate) readKey(h *Host) (*ecdsa.PrivateKey, error) {
	text, err := os.ReadFile(h.Path(c.KeyPath))
	if os.IsNotExist(err) {
		return nil, errors.New("missing")
	}
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("unreadable")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("unreadable")
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("of another type")
	}
	return key, nil
}

func sortedList(names []string) string {
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(names))), ", ")
}

func addressTexts(addresses []net.IP) []string {
	texts := make([]string, len(addresses))
	for i, a := range addresses {
		texts[i] = a.String()
	}
	return texts
}

// normalAddresses writes addresses as a certificate gives them back.
func normalAddresses(addresses []string) []string {
	texts := make([]string, len(addresses))
	for i, a := range addresses {
		texts[i] = a
		if parsed := net.ParseIP(a); parsed != nil {
			texts[i] = parsed.String()
		}
	}
	return texts
}
