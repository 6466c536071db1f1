package controller

import (
	"context"
	"slices"

	"pigsty/internal/distro"
	"pigsty/internal/inspect"
	"pigsty/internal/model"
)

// Extensions are what there is of extensions: the catalogue beside what a cluster has.
type Extensions struct {
	Cluster    string      `json:"cluster,omitempty"` // empty: the catalogue alone
	Release    int         `json:"release"`           // of Debian
	Postgres   int         `json:"postgres"`
	Extensions []Extension `json:"extensions"`
	Notes      []string    `json:"notes,omitempty"`
}

// Extension is an extension of the catalogue, of the cluster, or of both.
type Extension struct {
	distro.Extension
	Catalogued bool `json:"catalogued"`
	// Installed are the members that have its files, with the version that each would create.
	Installed []InstalledOn `json:"installed,omitempty"`
	Everyone  bool          `json:"installed_everywhere,omitempty"`
	// Loaded says that the leader's server has loaded what it needs; true where nothing is needed.
	Loaded  bool        `json:"loaded,omitempty"`
	Created []CreatedIn `json:"created,omitempty"`
}

// InstalledOn is an instance that has an extension's files.
type InstalledOn struct {
	Instance string `json:"instance"`
	Version  string `json:"version"`
}

// CreatedIn is a database that an extension is created in, or is declared for.
type CreatedIn struct {
	Database string `json:"database"`
	Version  string `json:"version,omitempty"`
	Schema   string `json:"schema,omitempty"`
	Update   string `json:"update,omitempty"` // newer version that it can be brought to
	Declared bool   `json:"declared"`
	Place    string `json:"place,omitempty"`
	Missing  bool   `json:"missing,omitempty"` // declared, and not created
}

// Catalogue is what a release of Debian packages.
func Catalogue(release int) *Extensions {
	c := distro.Extensions(release)
	all := &Extensions{Release: c.Release, Postgres: c.Postgres}
	for _, e := range c.Extensions {
		all.Extensions = append(all.Extensions, Extension{Extension: e, Catalogued: true})
	}
	return all
}

// Extensions asks a cluster which extensions are installed on its members and created in its
// databases.
func (s *Site) Extensions(ctx context.Context, cluster string, dial Dialer) (*Extensions, error) {
	all, err := s.inspect(ctx, cluster, dial, func(_ *model.PgInstance, q *inspect.Query) { q.Extensions, q.Pool = true, 0 })
	if err != nil {
		return nil, err
	}
	from, answer, err := all.leader()
	if err != nil {
		return nil, err
	}
	report := &Extensions{Release: from.Node.Facts.Release, Postgres: answer.Version}
	if from.Catalogue() != nil {
		report = Catalogue(from.Node.Facts.Release)
	}
	report.Cluster = all.cluster.Name
	for _, i := range all.cluster.Instances {
		if told := all.answers[i.Name]; told != nil {
			for _, a := range told.Available {
				e := report.find(a.Name)
				e.Installed = append(e.Installed, InstalledOn{i.Name, a.Version})
				e.Everyone = len(e.Installed) == len(all.cluster.Instances)
			}
		}
	}
	for _, d := range answer.Databases {
		if d.Error != "" {
			all.notes = append(all.notes, "database "+d.Name+" cannot be looked into: "+d.Error)
		}
		for _, c := range d.Extensions {
			e := report.find(c.Name)
			e.Created = append(e.Created, CreatedIn{Database: d.Name, Version: c.Version, Schema: c.Schema, Update: c.Update})
		}
	}
	report.declare(all.cluster)
	report.loaded(answer.Libraries)
	report.Notes = all.notes
	return report, nil
}

// find is the extension of a name, which is added when the catalogue has none.
func (r *Extensions) find(name string) *Extension {
	n := slices.IndexFunc(r.Extensions, func(e Extension) bool { return e.Name == name })
	if n < 0 {
		r.Extensions = append(r.Extensions, Extension{Extension: distro.Extension{Name: name}})
		n = len(r.Extensions) - 1
	}
	return &r.Extensions[n]
}

// declare holds what is created against the inventory.
func (r *Extensions) declare(c *model.PgCluster) {
	for _, d := range c.Declared() {
		e := r.find(d.Name)
		n := slices.IndexFunc(e.Created, func(o CreatedIn) bool { return o.Database == d.Database })
		if n < 0 {
			e.Created = append(e.Created, CreatedIn{Database: d.Database, Missing: true})
			n = len(e.Created) - 1
		}
		e.Created[n].Declared, e.Created[n].Place = true, place(c.ExtensionPos(d))
	}
	for _, d := range c.Param.PgDefaultExtensions {
		e := r.find(d.Name)
		for n := range e.Created {
			e.Created[n].Declared = true
		}
	}
}

// loaded says of each extension whether the server has loaded what it needs, and of a library
// whether it is loaded.
func (r *Extensions) loaded(libraries []string) {
	for n := range r.Extensions {
		e := &r.Extensions[n]
		needed := e.Preload
		if e.Library {
			needed = []string{e.Name}
		}
		e.Loaded = !slices.ContainsFunc(needed, func(library string) bool { return !slices.Contains(libraries, library) })
	}
}
