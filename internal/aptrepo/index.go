package aptrepo

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"slices"
	"time"

	"pigsty/internal/deb"
)

// component is the only one of a suite.
const component = "main"

// Origin is what the Release files name as the maker of the repository.
const Origin = "pigsty"

// Signer signs a Release file: as a text with its signature in it, and apart.
type Signer func(text string, at time.Time) (clear, detached string, err error)

// Indexes are the files that tell apt of what the manifest holds, by their paths below the
// repository. The same manifest and signer give the same bytes.
func (m *Manifest) Indexes(sign Signer) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, codename := range m.codenames() {
		release := deb.Release{
			Origin: Origin, Label: m.Name, Suite: codename, Codename: codename, Date: m.Date,
			Components: []string{component}, Description: "Packages of a deployment of pigsty, for Debian " + codename,
		}
		for i := range m.Suites {
			s := &m.Suites[i]
			if s.Codename != codename {
				continue
			}
			release.Architectures = append(release.Architectures, s.Arch)
			indexes, err := m.packagesFiles(s)
			if err != nil {
				return nil, err
			}
			for _, name := range slices.Sorted(maps.Keys(indexes)) {
				data := indexes[name]
				sum := sha256.Sum256(data)
				inSuite := path.Join(component, "binary-"+s.Arch, name)
				release.Files = append(release.Files, deb.IndexFile{Path: inSuite, Size: len(data), SHA256: hex.EncodeToString(sum[:])})
				files[path.Join("dists", codename, inSuite)] = data
				files[path.Join("dists", codename, path.Dir(inSuite), "by-hash/SHA256", hex.EncodeToString(sum[:]))] = data
			}
		}
		text := release.String()
		clear, detached, err := sign(text, m.Date)
		if err != nil {
			return nil, fmt.Errorf("sign the index of %s: %w", codename, err)
		}
		for name, content := range map[string]string{"Release": text, "InRelease": clear, "Release.gpg": detached} {
			files[path.Join("dists", codename, name)] = []byte(content)
		}
	}
	text, err := m.Text()
	files[ManifestFile] = text
	return files, err
}

func (m *Manifest) codenames() []string {
	var names []string
	for _, s := range m.Suites {
		names = append(names, s.Codename)
	}
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

// packagesFiles are the index of a suite, plain and compressed.
func (m *Manifest) packagesFiles(s *Suite) (map[string][]byte, error) {
	var packages []deb.Package
	for i := range m.Packages {
		if p := &m.Packages[i]; p.For(s) {
			entry, err := p.deb()
			if err != nil {
				return nil, err
			}
			packages = append(packages, entry)
		}
	}
	text := []byte(deb.Index(packages))
	var packed bytes.Buffer
	// Without a date or a name in its head, the same text gives the same bytes.
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(text); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return map[string][]byte{"Packages": text, "Packages.gz": packed.Bytes()}, nil
}
