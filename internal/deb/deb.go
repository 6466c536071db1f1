// Package deb reads and writes what Debian's package archives are made of: control stanzas,
// versions and their order, and the indexes of a repository. It runs no program and knows no node.
package deb

import (
	"fmt"
	"path"
	"strings"
)

// Package is one binary package as an archive's index tells of it.
type Package struct {
	Name         string
	Version      string
	Architecture string // of the package, such as amd64; all for one that fits every machine
	Source       string // source package that it was built from
	Filename     string // path below the archive's root
	Size         int64  // bytes
	SHA256       string // in hexadecimal
	Control      Stanza // the whole stanza
}

// Read takes a package from its stanza in an archive's index, or in the control file of a package,
// which has no Filename, Size and SHA256.
func Read(s Stanza) (Package, error) {
	p := Package{
		Name: s.Get("Package"), Version: s.Get("Version"), Architecture: s.Get("Architecture"),
		Filename: s.Get("Filename"), SHA256: s.Get("SHA256"), Control: s,
	}
	for _, field := range []struct{ name, value string }{
		{"Package", p.Name}, {"Version", p.Version}, {"Architecture", p.Architecture},
	} {
		if field.value == "" {
			return Package{}, fmt.Errorf("a package without %s: %s", field.name, firstLine(s.String()))
		}
	}
	// "Source: glibc (2.36-9)" has the source's version where it is another.
	p.Source, _, _ = strings.Cut(s.Get("Source"), " ")
	if p.Source == "" {
		p.Source = p.Name
	}
	if text := s.Get("Size"); text != "" {
		if _, err := fmt.Sscanf(text, "%d", &p.Size); err != nil {
			return Package{}, fmt.Errorf("package %s: size %q is not a number", p.Name, text)
		}
	}
	return p, nil
}

// ID tells a package apart from all others of an archive, as apt writes it: name:arch=version.
func (p Package) ID() string { return p.Name + ":" + p.Architecture + "=" + p.Version }

// FileName is what Debian calls the package's file: the version stands in it without its epoch.
func (p Package) FileName() string {
	version := p.Version
	if _, rest, found := strings.Cut(version, ":"); found {
		version = rest
	}
	return p.Name + "_" + version + "_" + p.Architecture + ".deb"
}

// PoolPath is where Debian's archive has the package's file, less the component: below the first
// letter of its source, or the first four of a library's.
func (p Package) PoolPath() string {
	letters := p.Source[:1]
	if strings.HasPrefix(p.Source, "lib") && len(p.Source) > 3 {
		letters = p.Source[:4]
	}
	return path.Join("pool", letters, p.Source, p.FileName())
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
