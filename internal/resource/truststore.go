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
	"regexp"
	"strings"
)

const (
	localCertificates = "/usr/local/share/ca-certificates"
	trustedFolder     = "/etc/ssl/certs"
	trustedBundle     = trustedFolder + "/ca-certificates.crt"
	// trustHooks are told of every change to the store: Java's copy is kept by one.
	trustHooks = "/etc/ca-certificates/update.d"
)

var (
	_ Resource = (*TrustStore)(nil)
	_          = Register(func() Resource { return &TrustStore{} })
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

// Apply writes the file, and puts the certificate into the store.
func (s *TrustStore) Apply(ctx context.Context, h *Host) error {
	if err := s.file().Apply(ctx, h); err != nil {
		return err
	}
	linked, err := s.linked(h)
	if err != nil {
		return err
	}
	argv := []string{"update-ca-certificates"}
	switch {
	case linked:
		// The name is known and the certificate another: unless it starts afresh, the program
		// takes the one for the other and leaves the folder's index as it is.
		argv = append(argv, "--fresh")
	case s.insert(ctx, h) == nil:
		return nil
	}
	if err := h.run(ctx, argv...); err != nil {
		return fmt.Errorf("make %s trusted: %w", s.Certificate, err)
	}
	return nil
}

// errMakeAnew says that a certificate is not merely to be added to the store.
var errMakeAnew = errors.New("the store has to be made anew")

// insert adds the one certificate to a store that is there, as update-ca-certificates would:
// that program reads all 150 of the others again, which takes a second of processor time. Where
// more than adding is to be done, it is an error, and the program's work. The link that Diff
// looks for comes last.
func (s *TrustStore) insert(ctx context.Context, h *Host) error {
	if hooks, err := os.ReadDir(h.Path(trustHooks)); err == nil && len(hooks) > 0 {
		return errMakeAnew
	}
	bundle, err := os.ReadFile(h.Path(trustedBundle))
	if err != nil {
		return err
	}
	index, err := s.index(ctx, h)
	if err != nil {
		return err
	}
	block, _ := pem.Decode([]byte(s.PEM))
	if block != nil && !holds(bundle, block.Bytes) {
		bundle = append(bytes.TrimRight(bundle, "\n"), "\n"+strings.TrimSpace(s.PEM)+"\n"...)
		if err := h.WriteFile(trustedBundle, bundle, 0o644); err != nil {
			return err
		}
	}
	if err := linkAtomic(h.Path(index), path.Base(s.link())); err != nil {
		return err
	}
	return linkAtomic(h.Path(s.link()), s.file().Path)
}

// index is the link under which OpenSSL looks the certificate up: a hash of its subject, and a
// number that tells those of the same subject apart.
func (s *TrustStore) index(ctx context.Context, h *Host) (string, error) {
	said, err := h.Exec.Run(ctx, Command{Argv: []string{"openssl", "x509", "-subject_hash", "-noout", "-in", s.file().Path}})
	hash := strings.TrimSpace(string(said))
	if err != nil || !subjectHash.MatchString(hash) {
		return "", errMakeAnew
	}
	for n := range 10 {
		link := path.Join(trustedFolder, fmt.Sprintf("%s.%d", hash, n))
		target, err := os.Readlink(h.Path(link))
		if errors.Is(err, fs.ErrNotExist) || err == nil && target == path.Base(s.link()) {
			return link, nil
		}
	}
	return "", errMakeAnew
}

var subjectHash = regexp.MustCompile(`^[0-9a-f]{8}$`)
