package resource

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
)

const (
	localCertificates = "/usr/local/share/ca-certificates"
	trustedFolder     = "/etc/ssl/certs"
	trustedBundle     = trustedFolder + "/ca-certificates.crt"
)

var (
	_ Resource = (*TrustStore)(nil)
	_          = register(func() Resource { return &TrustStore{} })
)

// TrustStore is an authority's certificate among those that the node's programs trust. The store
// comes with the package ca-certificates.
type TrustStore struct {
	Certificate string `json:"certificate"` // names the file, such as "pigsty-ca"
	PEM         string `json:"pem"`
}

func (s *TrustStore) Kind() string { return "truststore" }
func (s *TrustStore) Name() string { return s.Certificate }

func (s *TrustStore) file() *File {
	return &File{Path: path.Join(localCertificates, s.Certificate+".crt"), Content: s.PEM}
}

// link is what the store makes of the file, for programs that look certificates up one by one.
func (s *TrustStore) link() string { return path.Join(trustedFolder, s.Certificate+".pem") }

// Diff looks for the certificate in both forms of the store: the bundle and the folder.
func (s *TrustStore) Diff(ctx context.Context, h *Host) (*Change, error) {
	block, _ := pem.Decode([]byte(s.PEM))
	if block == nil {
		return nil, fmt.Errorf("certificate %s is not in PEM form", s.Certificate)
	}
	c, err := s.file().Diff(ctx, h)
	if err != nil {
		return nil, err
	}
	if c == nil {
		c = &Change{Action: Update}
	}
	bundle, err := os.ReadFile(h.Path(trustedBundle))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	linked, err := s.linked(h)
	if err != nil {
		return nil, err
	}
	if !holds(bundle, block.Bytes) || !linked {
		c.Add("trusted", "no", "yes")
	}
	return c.OrNil(), nil
}

func (s *TrustStore) linked(h *Host) (bool, error) {
	_, err := os.Lstat(h.Path(s.link()))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDirectory) {
		return false, nil
	}
	return err == nil, err
}

// holds tells whether a bundle of PEM blocks has the certificate.
func holds(bundle, certificate []byte) bool {
	for {
		var block *pem.Block
		if block, bundle = pem.Decode(bundle); block == nil {
			return false
		}
		if bytes.Equal(block.Bytes, certificate) {
			return true
		}
	}
}

// Apply writes the file and has the store made from all such files.
func (s *TrustStore) Apply(ctx context.Context, h *Host) error {
	if err := s.file().Apply(ctx, h); err != nil {
		return err
	}
	argv := []string{"update-ca-certificates"}
	linked, err := s.linked(h)
	if err != nil {
		return err
	}
	if linked {
		// The name is known and the certificate another: unless it starts afresh, the program
		// takes the one for the other and leaves the folder's index as it is.
		argv = append(argv, "--fresh")
	}
	if err := h.run(ctx, argv...); err != nil {
		return fmt.Errorf("make %s trusted: %w", s.Certificate, err)
	}
	return nil
}
