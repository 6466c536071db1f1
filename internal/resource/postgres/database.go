package postgres

import (
	"context"
	"errors"
	"fmt"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*Database)(nil)
	_                   = resource.Register(func() resource.Resource { return &Database{} })
)

// Database is a database, its access list, and its schemas and extensions.
type Database struct {
	Conn     Conn   `json:"conn"`
	Database string `json:"database"`
	// Pool is the node's own pgBouncer, whose clients count when the database is to be dropped.
	Pool     Pool   `json:"pool,omitzero"`
	Owner    string `json:"owner,omitempty"`    // empty = the connecting superuser
	Template string `json:"template,omitempty"` // database to copy at creation; empty = template1

	// These four cannot be changed after creation, so a difference is an error. Empty takes the
	// template's and is not compared. Locale stands for both of the others where they are empty.
	Encoding  string `json:"encoding,omitempty"`
	Locale    string `json:"locale,omitempty"`
	LcCollate string `json:"lc_collate,omitempty"`
	LcCtype   string `json:"lc_ctype,omitempty"`

	Tablespace string `json:"tablespace,omitempty"` // empty leaves it where it is
	// AllowConn lets sessions in. Schemas and extensions of a database that lets nobody in
	// cannot be looked at and are taken to be in order.
	AllowConn bool   `json:"allowconn"`
	ConnLimit int    `json:"connlimit"`         // most sessions; -1 = no limit
	Comment   string `json:"comment,omitempty"` // empty leaves the comment alone
	// Parameters are settings of every session in the database. Others that it has are reset.
	Parameters map[string]string `json:"parameters,omitempty"`
	Schemas    []string          `json:"schemas,omitempty"` // created where missing, never dropped
	Extensions []Extension       `json:"extensions,omitempty"`

	// RevokeConn takes the right to connect from everybody but the owner, Replication, Monitor
	// and Admin; otherwise everybody has it.
	RevokeConn  bool   `json:"revokeconn,omitempty"`
	Replication string `json:"replication,omitempty"` // user names; an empty one is left out
	Monitor     string `json:"monitor,omitempty"`
	Admin       string `json:"admin,omitempty"`
	// Creator is the role that may create schemas in the database, and objects in its schema
	// public, where everybody else may not; empty = nobody but the owner.
	Creator string `json:"creator,omitempty"`

	// Baseline says that a PgBaseline follows, which opens the database: it is created as a template
	// that takes no connections, and left so. PostgreSQL marks it in the same instant, so a run that
	// is cut short leaves no doubt whether the script is still to be loaded.
	Baseline bool `json:"baseline,omitempty"`

	// Absent drops the database with all its data. It is refused while somebody is connected,
	// and for templates and the database postgres.
	Absent bool `json:"absent,omitempty"`
}

func (d *Database) Kind() string { return "pg_database" }
func (d *Database) Name() string { return d.Database }

func (d *Database) contents() contents {
	return contents{schemas: d.Schemas, extensions: d.Extensions, creator: d.Creator}
}

// Diff compares the database with the catalog. What PostgreSQL cannot change is an error.
func (d *Database) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	s, err := d.Conn.session(ctx, h, maintenance)
	var have *databaseRow
	switch {
	case err == nil:
		if have, err = s.readDatabase(ctx, d); err != nil {
			return nil, err
		}
	case !errors.Is(err, errNoServer):
		return nil, err
	}
	if d.Absent {
		if have == nil {
			return nil, nil
		}
		return d.diffAbsent(ctx, h, s, have)
	}
	edits := diffDatabase(d, have)
	if have == nil {
		inside, _ := diffContents(d.contents(), contentsRow{})
		return changeOf(resource.Create, append(append(edits, inside...), diffShut(d, have)...)), nil
	}
	if err := d.unchangeable(have); err != nil {
		return nil, err
	}
	if have.allowConn {
		inside, err := d.Conn.diffInside(ctx, h, d.Database, d.contents())
		if err != nil {
			return nil, err
		}
		edits = append(edits, inside...)
	}
	return changeOf(resource.Update, append(edits, diffShut(d, have)...)), nil
}

// diffInside compares what lies in a database, and notes what cannot be changed.
func (c Conn) diffInside(ctx context.Context, h *resource.Host, database string, want contents) ([]edit, error) {
	s, err := c.session(ctx, h, database)
	if err != nil {
		return nil, err
	}
	have, err := s.readContents(ctx, want)
	if err != nil {
		return nil, err
	}
	edits, notes := diffContents(want, have)
	for _, note := range notes {
		h.Note("database %s: %s", database, note)
	}
	return edits, nil
}

// Apply creates or alters the database, then what is in it, or drops it.
func (d *Database) Apply(ctx context.Context, h *resource.Host) error {
	s, err := d.Conn.session(ctx, h, maintenance)
	if err != nil {
		return err
	}
	have, err := s.readDatabase(ctx, d)
	if err != nil {
		return err
	}
	if d.Absent {
		return d.drop(ctx, h, s, have)
	}
	// Sessions of our own must not hinder copying the template or moving the files.
	for _, database := range []string{d.template(), d.Database} {
		if database != maintenance {
			d.Conn.leave(h, database)
		}
	}
	doing := "set up database " + d.Database
	if err := s.run(ctx, doing, diffDatabase(d, have)); err != nil {
		return d.explainTemplate(err)
	}
	if d.AllowConn || have == nil || have.allowConn {
		inside, err := d.Conn.diffInside(ctx, h, d.Database, d.contents())
		if err != nil {
			return err
		}
		in, err := d.Conn.session(ctx, h, d.Database)
		if err != nil {
			return err
		}
		if err := in.run(ctx, doing, inside); err != nil {
			return err
		}
	}
	return s.run(ctx, doing, diffShut(d, have))
}

// explainTemplate says what to do about a template whose encoding or locale does not fit: only
// template0 can be copied with others, since it is sure to hold no text.
func (d *Database) explainTemplate(err error) error {
	if sqlState(err) == stateBadValue && d.template() != "template0" {
		return fmt.Errorf("%w; a database with another encoding or locale than %s needs template: template0", err, d.template())
	}
	return err
}
