// Package aptrepo says what the local package repository is: what it holds, the files that tell apt
// of it, and the bundle in which it travels. It is the same on the node that has the repository and
// on the controller; it runs nothing.
package aptrepo

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"pigsty/internal/deb"
)

// Format is the version of the manifest's form. A manifest of another one is refused.
const Format = 1

// ManifestFile is the manifest's name at the top of the repository and of a bundle.
const ManifestFile = "manifest.json"

// Manifest is all that a repository holds. Its indexes follow from it.
type Manifest struct {
	Format int       `json:"format"`
	Name   string    `json:"name"` // repo_name
	Date   time.Time `json:"date"` // what the indexes say of their age; every change has a later one
	Suites []Suite   `json:"suites"`
	// Packages are sorted as in an index.
	Packages []Package `json:"packages"`
}

// Suite is one release of Debian on one architecture.
type Suite struct {
	Codename string `json:"codename"` // such as trixie
	Arch     string `json:"arch"`     // as Debian names it, such as amd64
	// Sets are what was wanted and can be installed from the repository alone.
	Sets []Set `json:"sets"`
	// Missing are names that were wanted and that no source had.
	Missing []string `json:"missing,omitempty"`
	// Newest are the packages, as name:arch=version, that the sets were last resolved to. Others of
	// the suite are from before.
	Newest []string `json:"newest"`
}

// Name is the suite in messages.
func (s *Suite) Name() string { return s.Codename + "/" + s.Arch }

// Set is what is installed together in one go.
type Set struct {
	Packages []string `json:"packages"` // as apt takes them: name, name=version
	// Recommends has recommended packages installed, too.
	Recommends bool `json:"recommends,omitempty"`
}

// Key is equal for sets that resolve to the same.
func (s Set) Key() string {
	key := strings.Join(slices.Compact(slices.Sorted(slices.Values(s.Packages))), " ")
	if s.Recommends {
		key += " +recommends"
	}
	return key
}

// Has tells whether the suite was resolved for a set.
func (s *Suite) Has(set Set) bool {
	return slices.ContainsFunc(s.Sets, func(have Set) bool { return have.Key() == set.Key() })
}

// Package is one file of the repository.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Arch    string `json:"arch"`
	File    string `json:"file"` // path below the repository
	Size    int64  `json:"size"` // bytes
	SHA256  string `json:"sha256"`
	// Origin is where it is from, such as "Debian:13.2/stable", or "own".
	Origin string `json:"origin"`
	// Licence is what the package says of itself; Debian's packages say it only inside.
	Licence string   `json:"licence,omitempty"`
	Suites  []string `json:"suites"`  // codenames of the releases it is for, sorted
	Control string   `json:"control"` // what an index says of it besides the file
}

// OriginOwn is the origin of packages that were not fetched from a source.
const OriginOwn = "own"

// ID tells it apart from all others, as apt writes it.
func (p *Package) ID() string { return p.Name + ":" + p.Arch + "=" + p.Version }

// For tells whether the package is for a suite.
func (p *Package) For(s *Suite) bool {
	return slices.Contains(p.Suites, s.Codename) && (p.Arch == s.Arch || p.Arch == "all")
}

// New makes the entry of a package in the repository.
func New(p deb.Package, codename, origin string) Package {
	control := p.Control.Without("Filename", "Size", "MD5sum", "SHA1", "SHA256", "Description-md5")
	licence := control.Get("License")
	if licence == "" {
		licence = control.Get("Licence")
	}
	return Package{
		Name: p.Name, Version: p.Version, Arch: p.Architecture, File: p.PoolPath(), Size: p.Size, SHA256: p.SHA256,
		Origin: origin, Licence: licence, Suites: []string{codename}, Control: control.String(),
	}
}

// deb is the package as an index has it.
func (p *Package) deb() (deb.Package, error) {
	stanzas, err := deb.Parse(p.Control)
	if err == nil && len(stanzas) != 1 {
		err = fmt.Errorf("%d stanzas", len(stanzas))
	}
	if err != nil {
		return deb.Package{}, fmt.Errorf("what the manifest says of %s: %w", p.ID(), err)
	}
	out, err := deb.Read(stanzas[0])
	out.Filename, out.Size, out.SHA256 = p.File, p.Size, p.SHA256
	return out, err
}

// Suite finds a suite; nil when there is none.
func (m *Manifest) Suite(codename, arch string) *Suite {
	for i := range m.Suites {
		if m.Suites[i].Codename == codename && m.Suites[i].Arch == arch {
			return &m.Suites[i]
		}
	}
	return nil
}

// Find is the package of an ID; nil when there is none.
func (m *Manifest) Find(id string) *Package {
	for i := range m.Packages {
		if m.Packages[i].ID() == id {
			return &m.Packages[i]
		}
	}
	return nil
}

// Size is the bytes of all packages.
func (m *Manifest) Size() int64 {
	var size int64
	for _, p := range m.Packages {
		size += p.Size
	}
	return size
}

// IsCurrent is a test for packages that are among the newest of one of their suites. Those that are
// not were there before, and are kept for nodes that have not seen the newer ones.
func (m *Manifest) IsCurrent() func(p *Package) bool {
	current := map[string]bool{}
	for _, s := range m.Suites {
		for _, id := range s.Newest {
			current[id] = true
		}
	}
	return func(p *Package) bool { return current[p.ID()] }
}

// Add takes packages in. One that is there already is for further suites from now on; a file that
// claims to be a package that is there, and differs, is an error.
func (m *Manifest) Add(packages ...Package) error {
	for _, p := range packages {
		have := m.Find(p.ID())
		switch {
		case have == nil:
			p.File = m.freeFile(p)
			m.Packages = append(m.Packages, p)
		case have.SHA256 != p.SHA256:
			return fmt.Errorf("%s %s for %s is in the repository already, from %s, and is another file than the one from %s: give one of them a version of its own",
				p.Name, p.Version, p.Arch, have.Origin, p.Origin)
		default:
			have.Suites = slices.Compact(slices.Sorted(slices.Values(slices.Concat(have.Suites, p.Suites))))
		}
	}
	m.sort()
	return nil
}

// freeFile is the path of a new package: two versions that differ in their epoch have files of the
// same name.
func (m *Manifest) freeFile(p Package) string {
	if !slices.ContainsFunc(m.Packages, func(o Package) bool { return o.File == p.File }) {
		return p.File
	}
	at := strings.LastIndexByte(p.File, '/')
	return p.File[:at] + "/" + p.SHA256[:min(12, len(p.SHA256))] + p.File[at:]
}

func (m *Manifest) sort() {
	slices.SortFunc(m.Packages, func(a, b Package) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), deb.Compare(a.Version, b.Version),
			cmp.Compare(a.Version, b.Version), cmp.Compare(a.Arch, b.Arch))
	})
	slices.SortFunc(m.Suites, func(a, b Suite) int {
		return cmp.Or(cmp.Compare(a.Codename, b.Codename), cmp.Compare(a.Arch, b.Arch))
	})
}

// SetSuite puts a suite in the place of the one it is a newer state of.
func (m *Manifest) SetSuite(s Suite) {
	if have := m.Suite(s.Codename, s.Arch); have != nil {
		*have = s
		return
	}
	m.Suites = append(m.Suites, s)
	m.sort()
}

// Prune drops every package that is not among the newest of a suite, and returns what it dropped.
func (m *Manifest) Prune() []Package {
	current := m.IsCurrent()
	var dropped []Package
	m.Packages = slices.DeleteFunc(m.Packages, func(p Package) bool {
		if current(&p) {
			return false
		}
		dropped = append(dropped, p)
		return true
	})
	return dropped
}

// Clone is a copy that can be changed.
func (m *Manifest) Clone() *Manifest {
	c := *m
	c.Packages = slices.Clone(m.Packages)
	for i := range c.Packages {
		c.Packages[i].Suites = slices.Clone(c.Packages[i].Suites)
	}
	c.Suites = slices.Clone(m.Suites)
	return &c
}

// Text is the manifest as a file.
func (m *Manifest) Text() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	err := encoder.Encode(m)
	return b.Bytes(), err
}

// Content is equal for manifests that differ in their date alone.
func (m *Manifest) Content() (string, error) {
	undated := *m
	undated.Date = time.Time{}
	text, err := undated.Text()
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), err
}

// ReadManifest reads what Text wrote, and refuses paths that lead out of the repository.
func ReadManifest(text []byte) (*Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("read %s: %w", ManifestFile, err)
	}
	if m.Format != Format {
		return nil, fmt.Errorf("%s has format %d, and this version of pigsty reads %d", ManifestFile, m.Format, Format)
	}
	files := map[string]bool{}
	for _, p := range m.Packages {
		if !IsPoolFile(p.File) || len(p.SHA256) != 64 || files[p.File] {
			return nil, fmt.Errorf("%s: package %s has no proper file: %q", ManifestFile, p.ID(), p.File)
		}
		files[p.File] = true
	}
	return &m, nil
}

// IsPoolFile tells whether a path is one that a package can have in a repository.
func IsPoolFile(file string) bool {
	parts := strings.Split(file, "/")
	return len(parts) >= 2 && parts[0] == "pool" && strings.HasSuffix(file, ".deb") &&
		!slices.ContainsFunc(parts, func(part string) bool { return part == "" || strings.HasPrefix(part, ".") })
}
