package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*Extensions)(nil)
	_                   = resource.Register(func() resource.Resource { return &Extensions{} })
)

// Extensions are the extensions of a database that cannot be created before the server has loaded
// their libraries. List it on every member, after PatroniRestart: that may have moved the leader,
// and only where the leader is something happens.
type Extensions struct {
	Conn       Conn        `json:"conn"`
	Database   string      `json:"database"`
	Extensions []Extension `json:"extensions"`
	// Leads says that this member led when the listing was made: what cannot be looked at yet is
	// to be created here.
	Leads bool `json:"leads,omitempty"`
	// Existing says that nothing else makes the database, so that one that is not there is an error.
	Existing bool `json:"existing,omitempty"`
	// Remark is told when something is to be done; empty when there is nothing to say of it.
	Remark string `json:"remark,omitempty"`
}

func (e *Extensions) Kind() string { return "pg_extensions" }
func (e *Extensions) Name() string { return e.Database }

// Diff compares them with the database's catalog, where the server takes writes.
func (e *Extensions) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	follows, err := e.follows(ctx, h)
	switch {
	case errors.Is(err, errNoServer) && e.Existing:
		return nil, err
	case errors.Is(err, errNoServer) && e.Leads:
		return e.unseen(), nil
	case errors.Is(err, errNoServer), err == nil && follows:
		return nil, nil
	case err != nil:
		return nil, err
	}
	edits, err := e.Conn.diffInside(ctx, h, e.Database, contents{extensions: e.Extensions})
	switch {
	case errors.Is(err, errNoServer) && e.Existing:
		return nil, e.missing(ctx, h)
	case errors.Is(err, errNoServer):
		return e.unseen(), nil
	}
	if len(edits) > 0 && e.Remark != "" {
		h.Note("%s", e.Remark)
	}
	return changeOf(resource.Update, edits), err
}

// unseen tells of all as to be created, where there is no database to look at yet.
func (e *Extensions) unseen() *resource.Change {
	edits, _ := diffContents(contents{extensions: e.Extensions}, contentsRow{})
	return changeOf(resource.Create, edits)
}

// missing says which databases there are in place of the one that is not.
func (e *Extensions) missing(ctx context.Context, h *resource.Host) error {
	s, err := e.Conn.session(ctx, h, maintenance)
	if err != nil {
		return err
	}
	var names []string
	var name string
	err = s.forEach(ctx, "SELECT datname FROM pg_database WHERE datallowconn ORDER BY 1", nil, []any{&name}, func() { names = append(names, name) })
	if err != nil {
		return problem("list databases", err)
	}
	return fmt.Errorf("there is no database %s here, but %s: make one that the inventory declares with pigsty pg db apply", e.Database, strings.Join(names, ", "))
}

// follows tells whether the server is a replica.
func (e *Extensions) follows(ctx context.Context, h *resource.Host) (bool, error) {
	s, err := e.Conn.session(ctx, h, maintenance)
	if err != nil {
		return false, err
	}
	var follows bool
	err = s.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&follows)
	return follows, problem("ask whether the server is a replica", err)
}

// Apply creates or alters them in one transaction.
func (e *Extensions) Apply(ctx context.Context, h *resource.Host) error {
	edits, err := e.Conn.diffInside(ctx, h, e.Database, contents{extensions: e.Extensions})
	if err != nil {
		return err
	}
	s, err := e.Conn.session(ctx, h, e.Database)
	if err != nil {
		return err
	}
	return s.run(ctx, "create extensions in database "+e.Database, edits)
}
