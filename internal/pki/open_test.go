package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func mustKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func mustPKCS8(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return encodePEM("PRIVATE KEY", der)
}

// put writes an authority such as somebody else's tool would make; edit spoils it.
func put(t *testing.T, key crypto.Signer, keyPEM []byte, edit func(*x509.Certificate)) string {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "theirs"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(48 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	edit(template)
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, DefaultCertFile), "# theirs\n"+string(encodePEM("CERTIFICATE", der)))
	write(t, filepath.Join(dir, DefaultKeyFile), string(keyPEM))
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func asIs(*x509.Certificate) {}

func TestOpenReadsKeysOfAllForms(t *testing.T) {
	ec := mustKey(t)
	ecDER, err := x509.MarshalECPrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key crypto.Signer
		pem []byte
	}{
		"PKCS 8":                  {ec, mustPKCS8(t, ec)},
		"EC with parameters":      {ec, append(encodePEM("EC PARAMETERS", []byte{6, 0}), encodePEM("EC PRIVATE KEY", ecDER)...)},
		"RSA, as pigsty 1.5 made": {rsaKey, encodePEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey))},
	} {
		t.Run(name, func(t *testing.T) {
			a, created, err := Ensure(put(t, c.key, c.pem, asIs), Options{Method: MethodCopy})
			if err != nil || created {
				t.Fatalf("created %v, %v", created, err)
			}
			if strings.Contains(a.CertPEM(), "#") {
				t.Error("the text around the certificate is handed on")
			}
			checkLeaf(t, a, Leaf{CommonName: "node", Days: 1}, mustKey(t))
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	key := mustKey(t)
	good := mustPKCS8(t, key)
	var encrypted strings.Builder
	if err := pem.Encode(&encrypted, &pem.Block{Type: "EC PRIVATE KEY", Headers: map[string]string{"DEK-Info": "AES"}, Bytes: []byte{1}}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key  []byte
		edit func(*x509.Certificate)
		want string
	}{
		"another key":         {mustPKCS8(t, mustKey(t)), asIs, "is not the key of"},
		"not a CA":            {good, func(c *x509.Certificate) { c.IsCA = false }, "not a certificate authority"},
		"may not sign":        {good, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }, "not a certificate authority"},
		"expired":             {good, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }, "expired on"},
		"not yet":             {good, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) }, "not valid before"},
		"passphrase":          {encodePEM("ENCRYPTED PRIVATE KEY", []byte{1}), asIs, "passphrase"},
		"old passphrase":      {[]byte(encrypted.String()), asIs, "passphrase"},
		"no key":              {[]byte("nothing"), asIs, "no private key"},
		"a certificate twice": {encodePEM("CERTIFICATE", []byte{1}), asIs, "not a private key"},
		"broken key":          {encodePEM("PRIVATE KEY", []byte{1}), asIs, "ca.key"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(put(t, key, c.key, c.edit), DefaultCertFile, DefaultKeyFile)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestOpenRefusesFiles(t *testing.T) {
	dir := put(t, mustKey(t), nil, asIs)
	key := filepath.Join(dir, DefaultKeyFile)
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, DefaultCertFile, DefaultKeyFile); err == nil || !strings.Contains(err.Error(), "chmod 600 "+key) {
		t.Errorf("a key that others read: %v", err)
	}
	for text, want := range map[string]string{
		"":                                "no certificate",
		string(encodePEM("X", []byte{1})): "no certificate",
		string(encodePEM("CERTIFICATE", []byte{1})): "ca.crt",
	} {
		write(t, filepath.Join(dir, DefaultCertFile), text)
		if _, err := Open(dir, DefaultCertFile, DefaultKeyFile); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("certificate file %q: %v, want %q", text, err, want)
		}
	}
}
