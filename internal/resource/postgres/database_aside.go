package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*DatabaseAside)(nil)
	_ resource.Resource = (*DatabaseBack)(nil)
	_                   = resource.Register(func() resource.Resource { return &DatabaseAside{} })
	_                   = resource.Register(func() resource.Resource { return &DatabaseBack{} })
)

// DatabaseAside takes a database away from its users and keeps it for some days, under another
// name and closed. List NoSessions before it, on every member.
type DatabaseAside struct {
	Conn     Conn   `json:"conn"`
	Pool     Pool   `json:"pool"`
	Database string `json:"database"`
	As       string `json:"as"`             // what is named to bring it back
	Days     int    `json:"days,omitempty"` // how long it is kept; 0 = until somebody drops it
	Now      bool   `json:"now,omitempty"`  // drop it at once instead
	End      bool   `json:"end,omitempty"`  // sessions that come back are ended
}

func (d *DatabaseAside) Kind() string { return "pg_database_aside" }
func (d *DatabaseAside) Name() string { return d.Database }

func (d *DatabaseAside) database() *Database {
	return &Database{Conn: d.Conn, Database: d.Database, Absent: true}
}

// Diff is a change while there is such a database.
func (d *DatabaseAside) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	s, have, err := d.look(ctx, h)
	if have == nil || err != nil {
		return nil, err
	}
	var bytes int64
	if err := s.QueryRow(ctx, "SELECT pg_database_size($1)", d.Database).Scan(&bytes); err != nil {
		return nil, problem("ask for the size of database "+d.Database, err)
	}
	c := &resource.Change{Action: resource.Delete, Impact: resource.Restart, Effect: "nobody can connect to it any more"}
	c.Add("size", "", resource.SizeText(bytes))
	if d.Now {
		c.Impact, c.Effect = resource.DataLoss, "its data are deleted"
		return c, nil
	}
	c.Add("renamed to", "", d.Database+".removed-<time>")
	c.Add("kept", "", resource.KeptFor(d.Days))
	return c, nil
}

// look reads the database; nil when there is none, or when it cannot be asked for.
func (d *DatabaseAside) look(ctx context.Context, h *resource.Host) (session, *databaseRow, error) {
	s, err := d.Conn.session(ctx, h, maintenance)
	if errors.Is(err, errNoServer) {
		return s, nil, fmt.Errorf("PostgreSQL does not run here: start it first")
	}
	if err != nil {
		return s, nil, err
	}
	have, err := s.readDatabase(ctx, d.database())
	if have != nil && err == nil {
		err = d.database().protected(have)
	}
	return s, have, err
}

// Apply renames and closes it in one transaction.
func (d *DatabaseAside) Apply(ctx context.Context, h *resource.Host) error {
	s, have, err := d.look(ctx, h)
	if have == nil || err != nil {
		return err
	}
	d.Conn.leave(h, d.Database)
	now := time.Now().UTC().Truncate(time.Second)
	note := asideComment{Name: d.Database, Removed: now, Open: have.allowConn, Comment: have.comment}
	if d.Days > 0 {
		note.Expires = now.AddDate(0, 0, d.Days)
	}
	as := asideName(d.Database, now)
	object := "DATABASE " + quoteName(as)
	busy := &NoSessions{Conn: d.Conn, Pool: d.Pool, Database: d.Database, End: d.End}
	err = busy.aside(ctx, h, s, "set database "+d.Database+" aside", []edit{{SQL: []string{
		"ALTER DATABASE " + quoteName(d.Database) + " RENAME TO " + quoteName(as),
		"ALTER " + object + " ALLOW_CONNECTIONS false",
		"COMMENT ON " + object + " IS " + quoteText(note.String()),
	}}})
	if err != nil {
		return err
	}
	if d.Now {
		return d.Conn.destroy(ctx, h, resource.Aside{What: resource.AsideDatabase, As: as})
	}
	h.Note("database %s is kept as %s: pigsty undo %s brings it back", d.Database, as, d.As)
	return nil
}

// DatabaseBack gives a database that was set aside its name and its users back: the last one of
// that name.
type DatabaseBack struct {
	Conn     Conn   `json:"conn"`
	Database string `json:"database"`
}

func (d *DatabaseBack) Kind() string { return "pg_database_back" }
func (d *DatabaseBack) Name() string { return d.Database }

// Diff is a change while one is kept, and an error when its name is taken.
func (d *DatabaseBack) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	_, a, _, err := d.look(ctx, h)
	if a == nil || err != nil {
		return nil, err
	}
	c := &resource.Change{Action: resource.Create}
	c.Add("renamed from", "", a.As)
	c.Add("size", "", resource.SizeText(a.Bytes))
	return c, nil
}

func (d *DatabaseBack) look(ctx context.Context, h *resource.Host) (session, *resource.Aside, asideComment, error) {
	s, err := d.Conn.session(ctx, h, maintenance)
	if err != nil {
		return s, nil, asideComment{}, err
	}
	a, err := s.newest(ctx, resource.AsideDatabase, d.Database)
	if a == nil || err != nil {
		return s, nil, asideComment{}, err
	}
	taken, err := s.exists(ctx, "SELECT 1 FROM pg_database WHERE datname = $1", d.Database)
	switch {
	case err != nil:
		return s, nil, asideComment{}, problem("look for database "+d.Database, err)
	case taken:
		return s, nil, asideComment{}, fmt.Errorf("there is a database %s again: rename or remove it first, then bring back %s", d.Database, a.As)
	}
	var text string
	err = s.QueryRow(ctx, "SELECT coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database WHERE datname = $1", a.As).Scan(&text)
	note, _ := readAsideComment(text)
	return s, a, note, problem("look at database "+a.As, err)
}

// Apply renames and opens it in one transaction.
func (d *DatabaseBack) Apply(ctx context.Context, h *resource.Host) error {
	s, a, note, err := d.look(ctx, h)
	if a == nil || err != nil {
		return err
	}
	object := "DATABASE " + quoteName(d.Database)
	sql := []string{
		"ALTER DATABASE " + quoteName(a.As) + " RENAME TO " + quoteName(d.Database),
		"COMMENT ON " + object + " IS " + commentText(note.Comment),
	}
	if note.Open {
		sql = append(sql, "ALTER "+object+" ALLOW_CONNECTIONS true")
	}
	return s.run(ctx, "bring back database "+d.Database, []edit{{SQL: sql}})
}
