package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

const roleQuery = `
SELECT r.oid::int8, rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls,
       rolinherit, rolconnlimit, coalesce(rolpassword, ''),
       CASE WHEN isfinite(rolvaliduntil) THEN extract(epoch FROM rolvaliduntil)::float8 END,
       coalesce(shobj_description(r.oid, 'pg_authid'), ''),
       coalesce((SELECT setconfig FROM pg_db_role_setting WHERE setrole = r.oid AND setdatabase = 0), '{}')
FROM pg_authid r WHERE rolname = $1`

// Since PostgreSQL 16 a membership may be granted several times. The option that counts here is
// that of the bootstrap superuser's grant (role 10), in whose name every superuser grants.
const membershipQuery = `
SELECT m.rolname, %s, array_agg(coalesce(g.rolname, '') ORDER BY g.rolname)::text[]
FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.roleid LEFT JOIN pg_roles g ON g.oid = a.grantor
WHERE a.member = $1%s GROUP BY m.rolname ORDER BY m.rolname`

// A role that makes another one has got it to administer since then, which is no membership of use.
const ofUse = " AND (a.inherit_option OR a.set_option)"

const ownOption = "coalesce(bool_or(a.inherit_option) FILTER (WHERE a.grantor = 10), bool_or(a.inherit_option))"

// readRole reads a role from the catalog; nil when there is none.
func (s session) readRole(ctx context.Context, name string, version int) (*roleRow, error) {
	var (
		r      roleRow
		until  *float64
		config []string
		oid    int64
	)
	err := s.QueryRow(ctx, roleQuery, name).Scan(&oid, &r.login, &r.superuser, &r.createDB, &r.createRole,
		&r.replication, &r.bypassRLS, &r.inherit, &r.connLimit, &r.password, &until, &r.comment, &config)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, problem("look at role "+name, err)
	}
	r.oid = uint32(oid)
	if until != nil {
		t := time.Unix(int64(*until), 0).UTC()
		r.validUntil = &t
	}
	r.settings = parseSettings(config)
	r.members, err = s.readMemberships(ctx, r.oid, version)
	if err != nil {
		return nil, problem("look at the memberships of role "+name, err)
	}
	return &r, nil
}

func (s session) readMemberships(ctx context.Context, oid uint32, version int) ([]membership, error) {
	option, only := "true", ""
	if version >= grantsOfTheirOwn {
		option, only = ownOption, ofUse
	}
	rows, err := s.Query(ctx, fmt.Sprintf(membershipQuery, option, only), oid)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (membership, error) {
		var m membership
		err := row.Scan(&m.role, &m.inherit, &m.grantors)
		return m, err
	})
}
