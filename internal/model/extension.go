package model

import (
	"slices"
	"strings"

	"pigsty/internal/distro"
)

// DeclaredExtension is an extension that the inventory wants in a database.
type DeclaredExtension struct {
	Database string
	Name     string
	Schema   string
	Version  string
}

// Declared are the extensions that pg_databases list, in their order.
func (c *PgCluster) Declared() []DeclaredExtension {
	var all []DeclaredExtension
	for _, d := range c.Param.PgDatabases {
		if d.State == "absent" {
			continue
		}
		for _, e := range d.Extensions {
			if e.State != "absent" {
				all = append(all, DeclaredExtension{d.Name, e.Name, e.Schema, e.Version})
			}
		}
	}
	return all
}

// Catalogue is what the instance's distribution packages; nil when another version of PostgreSQL
// runs here than the one that it packages extensions for.
func (i *PgInstance) Catalogue() *distro.Catalogue {
	c := distro.Extensions(i.Node.Facts.Release)
	if c.Postgres != i.Version() {
		return nil
	}
	return c
}

// ExtensionPackages are the packages of the extensions that databases declare, and of the
// libraries that the server loads.
func (i *PgInstance) ExtensionPackages() []string {
	catalogue := i.Catalogue()
	if catalogue == nil {
		return nil
	}
	packages := catalogue.PackagesOf(catalogue.Closure(i.Cluster.declaredNames()...))
	for _, library := range i.Cluster.PreloadLibraries() {
		if p := catalogue.Libraries[library]; p != "" && !slices.Contains(packages, p) {
			packages = append(packages, p)
		}
	}
	return packages
}

// declaredNames are the extensions of databases, and those of pg_default_extensions that cannot do
// without what goes with them.
func (c *PgCluster) declaredNames() []string {
	var names []string
	for _, e := range c.Declared() {
		names = append(names, e.Name)
	}
	for _, e := range c.Param.PgDefaultExtensions {
		if e.State != "absent" && c.NeedsPreload(e.Name) {
			names = append(names, e.Name)
		}
	}
	return names
}

// NeedsPreload tells whether an extension, or one that it requires, cannot be created before the
// server has loaded its library.
func (c *PgCluster) NeedsPreload(extension string) bool {
	catalogue := c.Primary().Catalogue()
	return catalogue != nil && slices.ContainsFunc(catalogue.Closure(extension), func(e *distro.Extension) bool { return e.First })
}

// listedLibraries are those of pg_libs.
func (c *PgCluster) listedLibraries() []string {
	var libraries []string
	for name := range strings.SplitSeq(c.Param.PgLibs, ",") {
		if name = strings.Trim(name, ` "'`); name != "" {
			libraries = append(libraries, name)
		}
	}
	return libraries
}

// addedLibraries are those that declared extensions need and that pg_libs does not list.
func (c *PgCluster) addedLibraries() []string {
	catalogue, listed := c.Primary().Catalogue(), c.listedLibraries()
	if catalogue == nil {
		return nil
	}
	needed := distro.PreloadOf(catalogue.Closure(c.declaredNames()...))
	return slices.DeleteFunc(needed, func(library string) bool { return slices.Contains(listed, library) })
}

// PreloadLibraries are those that the server loads as it starts: what pg_libs lists, then what
// declared extensions need besides.
func (c *PgCluster) PreloadLibraries() []string {
	return append(c.listedLibraries(), c.addedLibraries()...)
}

// preload is shared_preload_libraries. What pg_libs says stays as it is written, so that nobody
// restarts for a blank.
func (c *PgCluster) preload() string {
	libraries := c.addedLibraries()
	if strings.TrimSpace(c.Param.PgLibs) != "" {
		libraries = slices.Insert(libraries, 0, c.Param.PgLibs)
	}
	return strings.Join(libraries, ", ")
}

// extensionSettings are those that declared extensions bring. One that names a database names the
// first that declares the extension.
func (c *PgCluster) extensionSettings() map[string]string {
	out := map[string]string{}
	catalogue := c.Primary().Catalogue()
	if catalogue == nil {
		return out
	}
	for _, d := range c.Declared() {
		for _, e := range catalogue.Closure(d.Name) {
			for name, value := range e.Settings {
				if _, given := out[name]; !given {
					out[name] = strings.ReplaceAll(value, "${database}", d.Database)
				}
			}
		}
	}
	return out
}
