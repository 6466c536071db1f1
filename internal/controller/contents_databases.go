package controller

import (
	"context"
	"slices"
	"strings"

	"pigsty/internal/inspect"
	"pigsty/internal/model"
)

// Databases are the databases of a cluster beside those that the inventory declares.
type Databases struct {
	Cluster   string     `json:"cluster"`
	From      string     `json:"from"`
	Databases []Database `json:"databases"`
	Notes     []string   `json:"notes,omitempty"`
}

// Database is a database, of the server or of the inventory or of both.
type Database struct {
	inspect.Database
	// Declared is what makes it: pg_databases, or pigsty for those that every server has; empty for
	// one that the inventory does not know.
	Declared string `json:"declared,omitempty"`
	Place    string `json:"place,omitempty"`
	Missing  bool   `json:"missing,omitempty"`
	Unwanted bool   `json:"unwanted,omitempty"` // declared absent, and there
	Pool     bool   `json:"pool"`               // pgBouncer serves it
	PoolMode string `json:"pool_mode,omitempty"`
}

// Databases asks a cluster for its databases. Sessions are those of all members that answer.
func (s *Site) Databases(ctx context.Context, cluster string, dial Dialer) (*Databases, error) {
	all, err := s.inspect(ctx, cluster, dial, func(_ *model.PgInstance, q *inspect.Query) { q.Databases = true })
	if err != nil {
		return nil, err
	}
	from, answer, err := all.leader()
	if err != nil {
		return nil, err
	}
	report := &Databases{Cluster: all.cluster.Name, From: from.Name}
	for _, d := range answer.Databases {
		one := Database{Database: d}
		for name, other := range all.answers {
			if name != from.Name {
				one.Sessions += sessionsIn(other.Databases, d.Name)
			}
			if other.Pool != nil {
				one.pooled(other.Pool)
			}
		}
		report.Databases = append(report.Databases, one)
	}
	report.declare(all.cluster)
	report.Notes = all.notes
	return report, nil
}

func sessionsIn(databases []inspect.Database, name string) int {
	for _, d := range databases {
		if d.Name == name {
			return d.Sessions
		}
	}
	return 0
}

// pooled takes in what a pool says of the database.
func (d *Database) pooled(p *inspect.Pool) {
	for _, o := range p.Databases {
		if o.Name == d.Name {
			d.Pool, d.PoolMode = true, o.Mode
		}
	}
}

// declare holds the databases against the inventory's, and adds those that are not there.
func (d *Databases) declare(c *model.PgCluster) {
	for n := range d.Databases {
		if slices.Contains([]string{"postgres", "template0", "template1"}, d.Databases[n].Name) {
			d.Databases[n].Declared = "pigsty"
		}
	}
	for _, wanted := range c.Param.PgDatabases {
		n := slices.IndexFunc(d.Databases, func(o Database) bool { return o.Name == wanted.Name })
		switch {
		case n < 0 && wanted.State == "absent":
			continue
		case n < 0:
			d.Databases = append(d.Databases, Database{Database: inspect.Database{Name: wanted.Name, Owner: wanted.Owner}, Missing: true})
			n = len(d.Databases) - 1
		}
		d.Databases[n].Declared, d.Databases[n].Unwanted = "pg_databases", wanted.State == "absent"
		d.Databases[n].Place = place(c.DatabasePos(wanted.Name))
	}
	slices.SortFunc(d.Databases, func(a, b Database) int { return strings.Compare(a.Name, b.Name) })
}
