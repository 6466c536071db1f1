package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"pigsty/internal/resource"
)

// listedAtMost is how many sessions or objects an error names.
const listedAtMost = 10

// roleHold is what stands in the way of dropping a role.
type roleHold struct {
	sessions []string
	owned    []string // objects, with their database
	granted  []string // databases where it has rights, which go with it
}

// explain says what has to go first; empty when nothing.
func (d roleHold) explain() string {
	var parts []string
	if len(d.sessions) > 0 {
		parts = append(parts, "has sessions: "+shortList(d.sessions))
	}
	if len(d.owned) > 0 {
		parts = append(parts, "owns "+shortList(d.owned))
	}
	return strings.Join(parts, "; ")
}

func shortList(items []string) string {
	if len(items) > listedAtMost {
		return strings.Join(items[:listedAtMost], ", ") + " and more"
	}
	return strings.Join(items, ", ")
}

// Rights on objects, policies, and the role's own default privileges go by DROP OWNED; what it
// owns besides stays its own.
const dependencyQuery = `
SELECT DISTINCT coalesce(d.datname, ''), s.deptype = 'o' AND s.classid <> 'pg_default_acl'::regclass
FROM pg_shdepend s LEFT JOIN pg_database d ON d.oid = s.dbid
WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = $1 ORDER BY 1, 2`

// An object can be described only from within its database, or anywhere when it is shared.
const ownedQuery = `
SELECT pg_describe_object(classid, objid, objsubid) FROM pg_shdepend
WHERE refclassid = 'pg_authid'::regclass AND refobjid = $1 AND deptype = 'o' AND classid <> 'pg_default_acl'::regclass
      AND dbid = CASE WHEN $2 THEN 0 ELSE (SELECT oid FROM pg_database WHERE datname = current_database()) END
ORDER BY 1 LIMIT 11`

func (r *Role) diffAbsent(ctx context.Context, h *resource.Host, s session) (*resource.Change, error) {
	have, err := r.existing(ctx, s)
	if have == nil || err != nil {
		return nil, err
	}
	hold, err := r.hold(ctx, h, s, have.oid)
	if err != nil {
		return nil, err
	}
	c := &resource.Change{Action: resource.Delete}
	if why := hold.explain(); why != "" {
		c.Effect = "refused while the role " + why
	}
	return c, nil
}

func (r *Role) existing(ctx context.Context, s session) (*roleRow, error) {
	version, err := s.serverVersion(ctx)
	if err != nil {
		return nil, err
	}
	return s.readRole(ctx, r.Role, version)
}

// drop removes the role with the rights it was given. Before that it is kept from logging in,
// and looked at again, so that nothing can come to be owned in between.
func (r *Role) drop(ctx context.Context, h *resource.Host, s session) error {
	have, err := r.existing(ctx, s)
	if have == nil || err != nil {
		return err
	}
	if _, err := r.droppable(ctx, h, s, have.oid); err != nil {
		return err
	}
	doing := "drop role " + r.Role
	if err := s.run(ctx, doing, []edit{{SQL: r.alter("NOLOGIN")}}); err != nil {
		return err
	}
	hold, err := r.droppable(ctx, h, s, have.oid)
	if err != nil {
		if have.login { // somebody came in between: the role stays as it was
			err = errors.Join(err, s.run(ctx, doing, []edit{{SQL: r.alter("LOGIN")}}))
		}
		return err
	}
	for _, database := range hold.granted {
		in, err := r.Conn.session(ctx, h, database)
		if err != nil {
			return err
		}
		if err := in.run(ctx, doing, []edit{{SQL: []string{"DROP OWNED BY " + quoteName(r.Role)}}}); err != nil {
			return err
		}
	}
	// Asked for again: a session that was kept may have been used for one of the databases.
	if s, err = r.Conn.session(ctx, h, maintenance); err != nil {
		return err
	}
	return s.run(ctx, doing, []edit{{SQL: []string{"DROP ROLE " + quoteName(r.Role)}}})
}

func (r *Role) droppable(ctx context.Context, h *resource.Host, s session, oid uint32) (roleHold, error) {
	hold, err := r.hold(ctx, h, s, oid)
	if why := hold.explain(); err == nil && why != "" {
		err = fmt.Errorf("role %s is not dropped, because it %s: end the sessions, and give what it owns to another role (REASSIGN OWNED) or drop it", r.Role, why)
	}
	return hold, err
}

// hold looks through all databases for what the role has.
func (r *Role) hold(ctx context.Context, h *resource.Host, s session, oid uint32) (roleHold, error) {
	doing := "look for what role " + r.Role + " has"
	var hold roleHold
	var err error
	if hold.sessions, err = r.Pool.users(ctx, h, s, "usename", r.Role); err != nil {
		return hold, err
	}
	rows, err := s.Query(ctx, dependencyQuery, oid)
	if err != nil {
		return hold, problem(doing, err)
	}
	type dependency struct {
		Database string
		Owned    bool
	}
	dependencies, err := pgx.CollectRows(rows, pgx.RowToStructByPos[dependency])
	if err != nil {
		return hold, problem(doing, err)
	}
	for _, d := range dependencies {
		shared := d.Database == ""
		if shared {
			d.Database = maintenance
		}
		if !d.Owned {
			if !slices.Contains(hold.granted, d.Database) {
				hold.granted = append(hold.granted, d.Database)
			}
			continue
		}
		owned, err := r.describeOwned(ctx, h, d.Database, shared, oid)
		if err != nil {
			return hold, err
		}
		hold.owned = append(hold.owned, owned...)
	}
	return hold, nil
}

func (r *Role) describeOwned(ctx context.Context, h *resource.Host, database string, shared bool, oid uint32) ([]string, error) {
	in, err := r.Conn.session(ctx, h, database)
	if err != nil {
		return []string{"objects in database " + database + ", which could not be looked at (" + err.Error() + ")"}, nil
	}
	owned, err := in.texts(ctx, ownedQuery, oid, shared)
	if err != nil {
		return nil, problem("look for what role "+r.Role+" owns in database "+database, err)
	}
	if !shared {
		for i := range owned {
			owned[i] += " in database " + database
		}
	}
	return owned, nil
}

// texts runs a query whose only column is text.
func (s session) texts(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := s.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
