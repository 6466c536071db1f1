package aptrepo

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"pigsty/internal/openpgp"
)

// Files of a bundle besides the packages. They come first, so that a bundle that is cut short is
// known by its manifest.
const (
	signatureFile = "manifest.json.asc"
	keyFile       = "key.asc"
)

// headLimit bounds what is read into memory of a bundle's first files.
const headLimit = 256 << 20

// WriteBundle writes the repository as one file: a tar with the manifest, its signature, the public
// key, and every package, in the order of the manifest. open gives a package's file. The same
// repository gives the same bytes. Packages are compressed already, and so the bundle is not.
func WriteBundle(w io.Writer, m *Manifest, key *openpgp.Key, open func(Package) (io.ReadCloser, error)) error {
	text, err := m.Text()
	if err != nil {
		return err
	}
	archive := tar.NewWriter(w)
	for _, head := range []struct {
		name string
		data []byte
	}{
		{ManifestFile, text}, {signatureFile, []byte(key.Detached(text, m.Date))}, {keyFile, []byte(key.Armored())},
	} {
		if err := archive.WriteHeader(entry(head.name, int64(len(head.data)), m.Date)); err != nil {
			return err
		}
		if _, err := archive.Write(head.data); err != nil {
			return err
		}
	}
	for _, p := range m.Packages {
		if err := archive.WriteHeader(entry(p.File, p.Size, m.Date)); err != nil {
			return err
		}
		if err := copyPackage(archive, p, open); err != nil {
			return err
		}
	}
	return archive.Close()
}

func entry(name string, size int64, at time.Time) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644, ModTime: at.UTC().Truncate(time.Second), Format: tar.FormatPAX}
}

// copyPackage writes a package's file and makes sure that it is the one that the manifest means.
func copyPackage(w io.Writer, p Package, open func(Package) (io.ReadCloser, error)) error {
	r, err := open(p)
	if err != nil {
		return err
	}
	defer r.Close()
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(w, sum), r); err != nil {
		return fmt.Errorf("%s: %w", p.File, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != p.SHA256 {
		return fmt.Errorf("%s is damaged: its SHA256 is %s, and must be %s; see pigsty repo verify", p.File, got, p.SHA256)
	}
	return nil
}

// Bundle is a bundle that was read from its beginning to its end and is whole.
type Bundle struct {
	Manifest *Manifest
	Key      openpgp.Public // that has signed it
	Path     string
	// Offsets are where each package's file begins in the bundle, by its path in the repository.
	Offsets map[string]int64
}

// OpenBundle reads a whole bundle. A bundle that is cut short or changed anywhere is refused. Who may
// have made it is the caller's to judge, by Key.
func OpenBundle(path string) (*Bundle, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := readBundle(f)
	if err != nil {
		return nil, fmt.Errorf("%s is no whole bundle: %w; nothing was changed: copy it again from where it was made", path, err)
	}
	b.Path = path
	return b, nil
}

func readBundle(f io.ReadSeeker) (*Bundle, error) {
	archive := tar.NewReader(f)
	b := &Bundle{Offsets: map[string]int64{}}
	if err := b.readHead(archive); err != nil {
		return nil, err
	}
	for _, p := range b.Manifest.Packages {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("it ends before %s", p.File)
		}
		if err != nil {
			return nil, err
		}
		if header.Name != p.File || header.Typeflag != tar.TypeReg {
			return nil, fmt.Errorf("it has %s where %s belongs", header.Name, p.File)
		}
		if b.Offsets[p.File], err = f.Seek(0, io.SeekCurrent); err != nil {
			return nil, err
		}
		if err := copyPackage(io.Discard, p, func(Package) (io.ReadCloser, error) { return io.NopCloser(archive), nil }); err != nil {
			return nil, err
		}
	}
	if header, err := archive.Next(); err == nil {
		return nil, fmt.Errorf("it has %s, which its manifest does not know", header.Name)
	} else if !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b, nil
}

// readHead reads the manifest and checks who has signed it.
func (b *Bundle) readHead(archive *tar.Reader) error {
	heads := map[string][]byte{}
	for _, want := range []string{ManifestFile, signatureFile, keyFile} {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("it ends before %s", want)
		}
		if err != nil {
			return err
		}
		if header.Name != want || header.Size > headLimit {
			return fmt.Errorf("it has %s where %s belongs", header.Name, want)
		}
		if heads[want], err = io.ReadAll(archive); err != nil {
			return fmt.Errorf("%s: %w", want, err)
		}
	}
	var err error
	if b.Key, err = openpgp.ParsePublic(string(heads[keyFile])); err != nil {
		return err
	}
	if err := b.Key.Verify(heads[ManifestFile], string(heads[signatureFile])); err != nil {
		return fmt.Errorf("%s: %w", ManifestFile, err)
	}
	b.Manifest, err = ReadManifest(heads[ManifestFile])
	return err
}
