package pgsql

import (
	"fmt"
	"slices"
	"strings"

	"pigsty/internal/diag"
	"pigsty/internal/distro"
	"pigsty/internal/model"
)

// warnExtensions tells of declared extensions that the members' distribution does not package, and
// of what somebody has to add to the inventory for them.
func warnExtensions(c *model.PgCluster, list *diag.List) {
	primary := c.Primary()
	if !primary.Node.Known {
		return // which release it has is not known
	}
	value := primary.Node.Vars["pg_databases"]
	settings, parameters := map[string]string{}, c.ClusterSettings()
	for _, e := range c.Declared() {
		summary, hint := lacks(c, e.Name)
		if summary == "" {
			summary, hint = overruled(c, e, settings, parameters)
		}
		if summary == "" {
			continue
		}
		problem := list.Warnf(c.ExtensionPos(e), "%s", summary)
		problem.Hint = hint
		value.Explain(problem)
	}
}

// lacks says what keeps an extension from being installed without further ado; empty when nothing
// does.
func lacks(c *model.PgCluster, name string) (summary, hint string) {
	primary := c.Primary()
	release := primary.Node.Facts.Release
	catalogue := primary.Catalogue()
	newest := distro.Extensions(release)
	switch known := newest.Find(name); {
	case catalogue != nil && known != nil && known.Library:
		return fmt.Sprintf("%s is no extension but a library, so there is nothing to create", name), "list it in pg_libs instead"
	case catalogue != nil && known != nil, brought(c, name):
		return "", ""
	case catalogue != nil:
		return fmt.Sprintf("no package of Debian %d brings extension %s", release, name), suggestion(name, newest)
	case known != nil && slices.ContainsFunc(newest.PackagesOf(newest.Closure(name)), func(p string) bool { return p != "" }):
		return fmt.Sprintf("Debian %d packages %s for PostgreSQL %d, and cluster %s runs %d", release, name, newest.Postgres, c.Name, primary.Version()),
			"list a package of it in pg_extensions, which another package source has" + loading(known)
	}
	return "", ""
}

// loading says that a library has to be listed by hand, where an extension needs one.
func loading(e *distro.Extension) string {
	if len(e.Preload) == 0 {
		return ""
	}
	return ", and " + strings.Join(e.Preload, ", ") + " in pg_libs"
}

// suggestion is what to do about a name that no package brings.
func suggestion(name string, c *distro.Catalogue) string {
	if near := diag.Nearest(name, c.Names()); near != "" {
		return "did you mean " + near + "?"
	}
	return "list the package that brings it in pg_extensions; pigsty pg ext list shows what there is"
}

// brought tells whether a package that the inventory lists seems to bring an extension: packages are
// named after what they bring.
func brought(c *model.PgCluster, extension string) bool {
	stem := strings.ReplaceAll(strings.TrimPrefix(extension, "pg_"), "_", "-")
	return slices.ContainsFunc(c.Param.PgExtensions, func(entry string) bool {
		return strings.Contains(strings.ReplaceAll(entry, "_", "-"), stem)
	})
}

// overruled tells of an extension whose library or setting pg_parameters or another database keeps
// from being in force. settings collects what the extensions before it brought.
func overruled(c *model.PgCluster, e model.DeclaredExtension, settings, parameters map[string]string) (summary, hint string) {
	catalogue := c.Primary().Catalogue()
	if catalogue == nil {
		return "", ""
	}
	for _, needed := range catalogue.Closure(e.Name) {
		for _, library := range needed.Preload {
			if !slices.Contains(strings.FieldsFunc(parameters["shared_preload_libraries"], isSeparator), library) {
				return fmt.Sprintf("%s has to be loaded as the server starts, and shared_preload_libraries of pg_parameters leaves it out", library),
					"list libraries in pg_libs instead, or add this one there"
			}
		}
		for name, value := range needed.Settings {
			if !strings.Contains(value, "${database}") {
				continue
			}
			if other, taken := settings[name]; taken && other != e.Database {
				return fmt.Sprintf("%s works in one database of a cluster, which is %s", needed.Name, other), "declare it there alone"
			}
			settings[name] = e.Database
			if parameters[name] != e.Database {
				return fmt.Sprintf("%s works in one database of a cluster, and pg_parameters sets %s to %s", needed.Name, name, parameters[name]),
					"remove the setting: it follows from where the extension is declared"
			}
		}
	}
	return "", ""
}

// isSeparator tells what stands between the names of a list of libraries.
func isSeparator(r rune) bool { return strings.ContainsRune(`, "'`, r) }
