package postgres

import (
	"context"
	"errors"

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
}

func (e *Extensions) Kind() string { return "pg_extensions" }
func (e *Extensions) Name() string { return e.Database }

// Diff compares them with the database's catalog, where the server takes writes.
func (e *Extensions) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	follows, err := e.follows(ctx, h)
	if err == nil && follows {
		return nil, nil
	}
	var edits []edit
	if err == nil {
		edits, err = e.Conn.diffInside(ctx, h, e.Database, contents{extensions: e.Extensions})
	}
	if errors.Is(err, errNoServer) {
		if !e.Leads {
			return nil, nil
		}
		edits, _ = diffContents(contents{extensions: e.Extensions}, contentsRow{})
		return changeOf(resource.Create, edits), nil
	}
	return changeOf(resource.Update, edits), err
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
