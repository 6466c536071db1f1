package resource

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"pigsty/internal/pki"
)

var (
	_ Resource = (*Certificate)(nil)
	_          = Register(func() Resource { return &Certificate{} })
)

// Certificate is a certificate signed by the deployment's authority, and its private key, which
// is made on the node and never leaves it.
type Certificate struct {
	Path    string      `json:"path"`     // certificate, PEM, mode 0644
	KeyPath string      `json:"key_path"` // private key, PKCS #8 PEM
	Leaf    pki.Leaf    `json:"leaf"`     // what the certificate is for
	CA      string      `json:"ca"`       // the authority's certificate, PEM
	Owner   string      `json:"owner,omitempty"`
	Group   string      `json:"group,omitempty"`
	KeyMode fs.FileMode `json:"key_mode,omitempty"` // 0 = 0600
	// RenewDays is how long before its end a certificate is renewed, and at most a third of
	// its validity; 0 = 30.
	RenewDays int `json:"renew_days,omitempty"`
}

func (c *Certificate) Kind() string { return "certificate" }
func (c *Certificate) Name() string { return c.Path }

func (c *Certificate) keyMode() fs.FileMode {
	if c.KeyMode == 0 {
		return 0o600
	}
	return c.KeyMode
}

// Diff says why a new certificate is needed, and compares owner and mode of both files.
func (c *Certificate) Diff(_ context.Context, h *Host) (*Change, error) {
	change := &Change{Action: Update}
	text, err := os.ReadFile(h.Path(c.Path))
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDirectory):
		change.Action = Create
		change.Add("name", "", c.Leaf.CommonName)
		return change, nil
	case err != nil:
		return nil, err
	}
	if err := c.compare(h, text, change); err != nil {
		return nil, err
	}
	for _, file := range []struct {
		path string
		mode fs.FileMode
	}{{c.Path, 0o644}, {c.KeyPath, c.keyMode()}} {
		if info, err := os.Stat(h.Path(file.path)); err == nil {
			compareOwnership(h, info, c.Owner, c.Group, file.mode, change)
		}
	}
	return change.OrNil(), nil
}

// Apply makes what is missing or wrong: the key where there is none to keep, the certificate
// where Diff finds a reason.
func (c *Certificate) Apply(ctx context.Context, h *Host) error {
	uid, gid, err := h.ownership(c.Owner, c.Group)
	if err != nil {
		return err
	}
	for _, path := range []string{c.Path, c.KeyPath} {
		if err := os.MkdirAll(filepath.Dir(h.Path(path)), 0o755); err != nil {
			return err
		}
	}
	key, err := c.readKey(h)
	if err != nil {
		if key, err = c.makeKey(h, uid, gid); err != nil {
			return err
		}
	}
	change := &Change{Action: Update}
	text, err := os.ReadFile(h.Path(c.Path))
	if err == nil {
		err = c.compare(h, text, change)
	}
	if err != nil || len(change.Fields) > 0 {
		if text, err = c.order(ctx, h, key); err != nil {
			return err
		}
		if err := writeAtomic(h.Path(c.Path), text, 0o644, uid, gid); err != nil {
			return err
		}
	}
	if err := setOwnership(h.Path(c.Path), uid, gid, 0o644); err != nil {
		return err
	}
	return setOwnership(h.Path(c.KeyPath), uid, gid, c.keyMode())
}

// makeKey makes a private key and writes it, before any certificate that goes with it.
func (c *Certificate) makeKey(h *Host, uid, gid int) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	return key, writeAtomic(h.Path(c.KeyPath), text, c.keyMode(), uid, gid)
}

// order has a request signed, and checks that what comes back is what was asked for.
func (c *Certificate) order(ctx context.Context, h *Host, key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return nil, err
	}
	csr := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
	text, err := h.Sign(ctx, pki.Request{CSR: csr, Leaf: c.Leaf})
	if err != nil {
		return nil, fmt.Errorf("have the certificate for %s signed: %w", c.Leaf.CommonName, err)
	}
	wrong := &Change{Action: Update}
	if err := c.compare(h, text, wrong); err != nil {
		return nil, err
	}
	if len(wrong.Fields) > 0 {
		f := wrong.Fields[0]
		return nil, fmt.Errorf("the authority's certificate for %s is not what was asked for: %s is %q, wanted %q", c.Leaf.CommonName, f.Name, f.Before, f.After)
	}
	return text, nil
}
