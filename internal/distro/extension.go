package distro

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Extension is an extension of PostgreSQL that a release of Debian packages, or a library that
// there is nothing to create for.
type Extension struct {
	Name string `json:"name"`
	// Library says that PostgreSQL loads or calls it by its name, without CREATE EXTENSION.
	Library bool   `json:"library,omitempty"`
	Version string `json:"version"` // that CREATE EXTENSION gives; of a library, its package's
	Summary string `json:"summary"`
	// Packages bring it; the server's own, of which every node has one, are left out.
	Packages []string `json:"packages,omitempty"`
	Requires []string `json:"requires,omitempty"` // other extensions, that CASCADE creates as well
	// Preload are the libraries that shared_preload_libraries has to list, in this order.
	Preload []string `json:"preload,omitempty"`
	// First says that it cannot be created before the server runs with Preload.
	First bool `json:"first,omitempty"`
	// Settings are what PostgreSQL is to be set to; ${database} stands for the database that the
	// extension is created in.
	Settings    map[string]string `json:"settings,omitempty"`
	Creator     Creator           `json:"creator,omitempty"`     // empty for a library
	Schema      string            `json:"schema,omitempty"`      // that it prescribes; empty leaves the choice
	Relocatable bool              `json:"relocatable,omitempty"` // can move to another schema
}

// Creator says who may create an extension.
type Creator string

// Superusers alone; who may create in the database; or anybody who may do what its script does.
const (
	BySuperuser Creator = "superuser"
	ByTrusted   Creator = "trusted"
	ByAnybody   Creator = "anybody"
)

// Catalogue is what one release of Debian packages for the one version of PostgreSQL it has.
type Catalogue struct {
	Release    int         `json:"release"`
	Postgres   int         `json:"postgres"`
	Extensions []Extension `json:"extensions"` // by name
	// Libraries maps what can be loaded to the package that brings it; the server's own are there
	// with an empty name.
	Libraries map[string]string `json:"libraries"`
}

//go:embed extensions
var catalogueFiles embed.FS

var catalogues = map[int]func() *Catalogue{
	12: sync.OnceValue(func() *Catalogue { return readCatalogue(12) }),
	13: sync.OnceValue(func() *Catalogue { return readCatalogue(13) }),
}

// Extensions is the catalogue of a release; that of the newest one for a release that is not known.
func Extensions(release int) *Catalogue {
	read, known := catalogues[release]
	if !known {
		read = catalogues[newest]
	}
	return read()
}

// readCatalogue reads a file that is part of the program: a mistake in it is one in the program,
// found by the first test.
func readCatalogue(release int) *Catalogue {
	name := fmt.Sprintf("extensions/debian%d.json", release)
	data, err := catalogueFiles.ReadFile(name)
	c := &Catalogue{}
	if err == nil {
		err = json.Unmarshal(data, c)
	}
	if err != nil {
		panic(fmt.Sprintf("%s: %v", name, err))
	}
	return c
}

// Find is the extension of a name; nil when the release has none.
func (c *Catalogue) Find(name string) *Extension {
	n, found := slices.BinarySearchFunc(c.Extensions, name, func(e Extension, name string) int { return strings.Compare(e.Name, name) })
	if !found {
		return nil
	}
	return &c.Extensions[n]
}

// Names are those of all extensions and libraries.
func (c *Catalogue) Names() []string {
	names := make([]string, len(c.Extensions))
	for n, e := range c.Extensions {
		names[n] = e.Name
	}
	return names
}

// Closure is the extensions of those names with all that they require, each once, and what others
// require before these. Names that the catalogue does not have are left out.
func (c *Catalogue) Closure(names ...string) []*Extension {
	var all []*Extension
	seen := map[string]bool{}
	var visit func(string)
	visit = func(name string) {
		e := c.Find(name)
		if seen[name] || e == nil {
			return
		}
		seen[name] = true
		for _, other := range e.Requires {
			visit(other)
		}
		all = append(all, e)
	}
	for _, name := range names {
		visit(name)
	}
	return all
}

// PackagesOf are the packages that bring extensions, those of what they require and of the
// libraries that they need included.
func (c *Catalogue) PackagesOf(extensions []*Extension) []string {
	var packages []string
	add := func(name string) {
		if name != "" && !slices.Contains(packages, name) {
			packages = append(packages, name)
		}
	}
	for _, e := range extensions {
		for _, p := range e.Packages {
			add(p)
		}
		for _, library := range e.Preload {
			add(c.Libraries[library])
		}
	}
	return packages
}

// PreloadOf are the libraries that the server has to load for extensions, in an order that suits
// them.
func PreloadOf(extensions []*Extension) []string {
	var libraries []string
	for _, e := range extensions {
		for _, library := range e.Preload {
			if !slices.Contains(libraries, library) {
				libraries = append(libraries, library)
			}
		}
	}
	return libraries
}
