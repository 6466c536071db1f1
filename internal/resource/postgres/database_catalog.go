package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

const databaseQuery = `
SELECT d.oid::int8, r.rolname, pg_encoding_to_char(encoding), datcollate, datctype, t.spcname, datallowconn,
       datconnlimit, datistemplate, coalesce(shobj_description(d.oid, 'pg_database'), ''),
       coalesce((SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = d.oid AND setrole = 0), '{}'),
       pg_encoding_to_char(pg_char_to_encoding($2))
FROM pg_database d JOIN pg_roles r ON r.oid = datdba JOIN pg_tablespace t ON t.oid = dattablespace
WHERE datname = $1`

const databaseACLQuery = `
SELECT coalesce(r.rolname, ''), x.privilege_type, bool_or(x.is_grantable)
FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x LEFT JOIN pg_roles r ON r.oid = x.grantee
WHERE d.oid = $1 GROUP BY 1, 2`

// readDatabase reads the wanted database's row from the catalog; nil when there is none.
func (s session) readDatabase(ctx context.Context, want *Database) (*databaseRow, error) {
	var (
		r      databaseRow
		oid    int64
		config []string
		doing  = "look at database " + want.Database
	)
	err := s.QueryRow(ctx, databaseQuery, want.Database, want.Encoding).Scan(&oid, &r.owner, &r.encoding, &r.collate, &r.ctype,
		&r.tablespace, &r.allowConn, &r.connLimit, &r.template, &r.comment, &config, &r.wanted)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, problem(doing, err)
	}
	r.settings = parseSettings(config)
	var g grant
	err = s.forEach(ctx, databaseACLQuery, []any{oid}, []any{&g.grantee, &g.privilege, &g.option}, func() {
		r.acl = append(r.acl, g)
	})
	return &r, problem(doing, err)
}
