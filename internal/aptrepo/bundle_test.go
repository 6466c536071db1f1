package aptrepo_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"pigsty/internal/aptrepo"
	"pigsty/internal/deb"
	"pigsty/internal/openpgp"
)

var at = time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)

func key(name string) *openpgp.Key {
	seed := sha256.Sum256([]byte(name))
	return openpgp.NewKey(seed[:], name)
}

// content is what is in a package's file.
func content(name, version string) []byte {
	return fmt.Appendf(nil, "the file of %s %s", name, version)
}

func pkg(name, version, arch string) aptrepo.Package {
	data := content(name, version)
	sum := sha256.Sum256(data)
	return aptrepo.New(deb.Package{
		Name: name, Version: version, Architecture: arch, Source: name, Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:]),
		Control: deb.Stanza{{Name: "Package", Value: name}, {Name: "Version", Value: version}, {Name: "Architecture", Value: arch}},
	}, "trixie", "Debian:13/stable")
}

func manifest(t testing.TB) *aptrepo.Manifest {
	m := &aptrepo.Manifest{Format: aptrepo.Format, Name: "pigsty", Date: at}
	m.SetSuite(aptrepo.Suite{
		Codename: "trixie", Arch: "amd64", Sets: []aptrepo.Set{{Packages: []string{"a", "b"}}},
		Newest: []string{"a:amd64=2", "b:all=1"},
	})
	if err := m.Add(pkg("b", "1", "all"), pkg("a", "2", "amd64"), pkg("a", "1", "amd64")); err != nil {
		t.Fatal(err)
	}
	return m
}

func open(p aptrepo.Package) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(content(p.Name, p.Version))), nil
}

func bundle(t testing.TB) []byte {
	var b bytes.Buffer
	if err := aptrepo.WriteBundle(&b, manifest(t), key("site"), open); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(t testing.TB, data []byte) (*aptrepo.Bundle, error) {
	path := filepath.Join(t.TempDir(), "bundle.tar")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return aptrepo.OpenBundle(path)
}

func TestBundle(t *testing.T) {
	data := bundle(t)
	if !bytes.Equal(data, bundle(t)) {
		t.Error("the same repository gives two bundles")
	}
	b, err := read(t, data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(manifest(t), b.Manifest); diff != "" {
		t.Error(diff)
	}
	if b.Key.Fingerprint() != key("site").Fingerprint() {
		t.Errorf("signed by %s", b.Key)
	}
	for _, p := range b.Manifest.Packages {
		offset := b.Offsets[p.File]
		if got := data[offset : offset+p.Size]; !bytes.Equal(got, content(p.Name, p.Version)) {
			t.Errorf("%s is at %d: %q", p.File, offset, got)
		}
	}
}

// No byte of a bundle can change, and no end of it can be missing, without being noticed; but for the
// zeros that fill the blocks up, which say nothing.
func TestDamagedBundle(t *testing.T) {
	data := bundle(t)
	dir := t.TempDir()
	want, err := read(t, data)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		damaged := bytes.Clone(data)
		path := filepath.Join(dir, "bundle.tar")
		if rapid.Bool().Draw(rt, "cut") {
			damaged = damaged[:rapid.IntRange(0, len(data)-2*512-512).Draw(rt, "length")]
		} else {
			damaged[rapid.IntRange(0, len(data)-1).Draw(rt, "at")] ^= byte(rapid.IntRange(1, 255).Draw(rt, "bits"))
		}
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			rt.Fatal(err)
		}
		b, err := aptrepo.OpenBundle(path)
		if err != nil {
			return
		}
		if diff := cmp.Diff(want.Manifest, b.Manifest); diff != "" {
			rt.Fatalf("a changed bundle was accepted: %s", diff)
		}
		for _, p := range b.Manifest.Packages {
			at := b.Offsets[p.File]
			if !bytes.Equal(damaged[at:at+p.Size], content(p.Name, p.Version)) {
				rt.Fatalf("a changed %s was accepted", p.File)
			}
		}
	})
}

func TestBundleOfSomebodyElse(t *testing.T) {
	data := bundle(t)
	text, err := manifest(t).Text()
	if err != nil {
		t.Fatal(err)
	}
	forged := bytes.Replace(data, []byte(key("site").Detached(text, at)), []byte(key("else").Detached(text, at)), 1)
	if bytes.Equal(forged, data) {
		t.Fatal("nothing was replaced")
	}
	if _, err := read(t, forged); !errors.Is(err, openpgp.ErrSignature) {
		t.Errorf("a manifest that another key has signed: %v", err)
	}
}

func TestBundleOfDamagedRepository(t *testing.T) {
	err := aptrepo.WriteBundle(io.Discard, manifest(t), key("site"), func(p aptrepo.Package) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(make([]byte, p.Size))), nil
	})
	if err == nil || !strings.Contains(err.Error(), "is damaged: its SHA256 is") {
		t.Error(err)
	}
}

func TestMoreThanTheManifest(t *testing.T) {
	var b bytes.Buffer
	m := manifest(t)
	if err := aptrepo.WriteBundle(&b, m, key("site"), open); err != nil {
		t.Fatal(err)
	}
	// The first file once more, in front of the end.
	data := b.Bytes()
	end := len(data) - 1024
	data = append(append(bytes.Clone(data[:end]), data[:end]...), data[end:]...)
	if _, err := read(t, data); err == nil || !strings.Contains(err.Error(), "which its manifest does not know") {
		t.Error(err)
	}
}
