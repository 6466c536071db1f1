package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*Role)(nil)
	_                   = resource.Register(func() resource.Resource { return &Role{} })
)

// Role is a PostgreSQL role, with or without login. Attributes are compared in both
// directions: one that is no longer wanted is taken away.
type Role struct {
	Conn Conn   `json:"conn"`
	Role string `json:"role"`
	// Pool is the node's own pgBouncer, whose clients count when the role is to be dropped.
	Pool Pool `json:"pool,omitzero"`
	// Verifier is the password as PostgreSQL stores it: SCRAM-SHA-256$… or md5…. Secret. Empty
	// leaves the password alone.
	Verifier string `json:"verifier,omitempty"`

	Login     bool `json:"login,omitempty"`
	Superuser bool `json:"superuser,omitempty"`
	// A superuser has these four anyway, so they are not taken from one.
	CreateDB    bool `json:"createdb,omitempty"`
	CreateRole  bool `json:"createrole,omitempty"`
	Replication bool `json:"replication,omitempty"`
	BypassRLS   bool `json:"bypassrls,omitempty"`
	// Inherit gives the role the rights of its roles without SET ROLE.
	Inherit   bool `json:"inherit,omitempty"`
	ConnLimit int  `json:"connlimit"` // most sessions; -1 = no limit, 0 = none at all

	// ValidUntil is when the password expires, as RFC 3339; empty = never.
	ValidUntil string `json:"valid_until,omitempty"`
	// ExpireIn, in days, makes the password expire that long after the role was created or its
	// password changed, by the node's clock; in between the date stands. It wins over
	// ValidUntil. 0 = not used.
	ExpireIn int      `json:"expire_in,omitempty"`
	Comment  string   `json:"comment,omitempty"` // empty leaves the comment alone
	Roles    []string `json:"roles,omitempty"`   // memberships to grant
	// NotRoles are memberships to revoke.
	NotRoles []string `json:"not_roles,omitempty"`
	// Declared are the roles whose members the inventory lists: the role leaves those of them, and
	// of PostgreSQL's own (pg_…), that are not in Roles. Memberships in all others stay:
	// applications and administrators make roles of their own.
	Declared []string `json:"declared,omitempty"`
	// Parameters are settings of the role's sessions in every database. Others that the role
	// has are reset.
	Parameters map[string]string `json:"parameters,omitempty"`
	// Absent drops the role. It is refused while the role owns something or has sessions.
	Absent bool `json:"absent,omitempty"`
}

func (r *Role) Kind() string { return "pg_role" }
func (r *Role) Name() string { return r.Role }

// check refuses what could only fail half-way.
func (r *Role) check() error {
	if _, err := time.Parse(time.RFC3339, r.ValidUntil); err != nil && r.ValidUntil != "" {
		return fmt.Errorf("role %s: valid_until %q is no date and time: write it like 2030-01-31T00:00:00Z", r.Role, r.ValidUntil)
	}
	known := strings.HasPrefix(r.Verifier, "SCRAM-SHA-256$") || strings.HasPrefix(r.Verifier, "md5") && len(r.Verifier) == 35
	if r.Verifier != "" && !known {
		// Anything else PostgreSQL would take for a password in the clear, and hash.
		return fmt.Errorf("role %s: the password is in none of the forms that PostgreSQL stores", r.Role)
	}
	return nil
}

// Diff compares the role with the catalog.
func (r *Role) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	s, err := r.Conn.session(ctx, h, maintenance)
	if errors.Is(err, errNoServer) {
		if r.Absent {
			return nil, nil
		}
		// The newest version's statements: only their fields are told.
		return changeOf(resource.Create, diffRole(r, nil, grantsOfTheirOwn, time.Now())), nil
	}
	if err != nil {
		return nil, err
	}
	if r.Absent {
		return r.diffAbsent(ctx, h, s)
	}
	edits, have, err := r.edits(ctx, s)
	if err != nil {
		return nil, err
	}
	if have == nil {
		return changeOf(resource.Create, edits), nil
	}
	return changeOf(resource.Update, edits), nil
}

func (r *Role) edits(ctx context.Context, s session) ([]edit, *roleRow, error) {
	version, err := s.serverVersion(ctx)
	if err != nil {
		return nil, nil, err
	}
	have, err := s.readRole(ctx, r.Role, version)
	if err != nil {
		return nil, nil, err
	}
	return diffRole(r, have, version, time.Now()), have, nil
}

// Apply creates, alters or drops the role in one transaction.
func (r *Role) Apply(ctx context.Context, h *resource.Host) error {
	s, err := r.Conn.session(ctx, h, maintenance)
	if err != nil {
		return err
	}
	if r.Absent {
		return r.drop(ctx, h, s)
	}
	edits, _, err := r.edits(ctx, s)
	if err != nil {
		return err
	}
	return s.run(ctx, "set up role "+r.Role, edits)
}
