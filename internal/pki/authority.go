package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"pigsty/internal/localfile"
)

const (
	authorityYears = 20
	// backdate is how far a node's clock may run behind the controller's without its refusing
	// a certificate that was just signed.
	backdate = time.Hour
)

// The names of an authority's files where the inventory gives none.
const (
	DefaultCertFile = "ca.crt"
	DefaultKeyFile  = "ca.key"
)

// Authority signs the certificates of a deployment.
type Authority struct {
	cert  *x509.Certificate
	key   crypto.Signer
	chain []byte // PEM of cert and of whatever stands above it
}

// CertPEM gives what everybody must trust: the authority's certificate, followed by those above
// it when it is not a root itself.
func (a *Authority) CertPEM() string { return string(a.chain) }

// Create makes a self-signed authority under the default names in a folder that has none. The
// subject is in openssl's slash form, such as "/O=pigsty/CN=root-ca".
func Create(dir, subject string) (*Authority, error) {
	a, created, err := Ensure(dir, Options{Method: MethodCreate, Subject: subject})
	if err == nil && !created {
		return nil, fmt.Errorf("%s already holds a certificate authority", dir)
	}
	return a, err
}

// generate writes a new certificate for the key at the key path, making the key first when
// there is none. The certificate comes last, so an interruption leaves at most a key, from
// which the next run goes on.
func generate(p paths, subject string) error {
	name, err := parseSubject(subject)
	if err != nil {
		return err
	}
	key, err := loadKey(p.key)
	if os.IsNotExist(err) {
		key, err = newKey(p.key)
	}
	if err != nil {
		return err
	}
	serial, err := newSerial()
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               name,
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.AddDate(authorityYears, 0, 0),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true, // it signs nodes and people, never another authority
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return fmt.Errorf("make the authority's certificate: %w", err)
	}
	return localfile.Write(p.cert, encodePEM("CERTIFICATE", der), 0o644)
}

func newKey(path string) (crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, localfile.Write(path, encodePEM("PRIVATE KEY", der), 0o600)
}

// newSerial gives 128 random bits, so that no record of serials has to be kept.
func newSerial() (*big.Int, error) {
	return rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
}

func encodePEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// paths are where an authority's two files lie.
type paths struct{ cert, key string }

func pathsIn(dir, certName, keyName string) paths {
	return paths{cert: filepath.Join(dir, certName), key: filepath.Join(dir, keyName)}
}

// recreated is the mark beside an authority that MethodRecreate made.
func (p paths) recreated() string { return p.cert + ".recreated" }
