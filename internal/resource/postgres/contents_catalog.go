package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

const schemaQuery = `
SELECT n.nspname, coalesce(r.rolname, ''), coalesce(x.privilege_type, ''), coalesce(bool_or(x.is_grantable), false)
FROM pg_namespace n LEFT JOIN LATERAL aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) x ON true
     LEFT JOIN pg_roles r ON r.oid = x.grantee
GROUP BY 1, 2, 3`

const extensionQuery = `
SELECT extname, nspname, extversion, extrelocatable FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace`

const fixedQuery = `
SELECT DISTINCT name, schema::text FROM pg_available_extension_versions
WHERE schema IS NOT NULL AND NOT installed AND name = ANY($1)`

// readContents reads the schemas and extensions of the session's database.
func (s session) readContents(ctx context.Context, want contents) (contentsRow, error) {
	have := contentsRow{schemas: map[string]acl{}, extensions: map[string]extensionRow{}, fixed: map[string]string{}}
	var schema, name, fixed string
	var g grant
	var e extensionRow
	var missing []string
	err := s.forEach(ctx, schemaQuery, nil, []any{&schema, &g.grantee, &g.privilege, &g.option}, func() {
		have.schemas[schema] = append(have.schemas[schema], g)
	})
	if err == nil {
		err = s.forEach(ctx, extensionQuery, nil, []any{&name, &e.schema, &e.version, &e.relocatable}, func() {
			have.extensions[name] = e
		})
	}
	for _, w := range want.extensions {
		if _, ok := have.extensions[w.Name]; !ok {
			missing = append(missing, w.Name)
		}
	}
	if err == nil && len(missing) > 0 {
		// Reads every control file that there is, so only asked when it matters.
		err = s.forEach(ctx, fixedQuery, []any{missing}, []any{&name, &fixed}, func() { have.fixed[name] = fixed })
	}
	return have, problem("look at schemas and extensions", err)
}

// forEach runs a query and calls row after each row was scanned.
func (s session) forEach(ctx context.Context, query string, args, scan []any, row func()) error {
	rows, err := s.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	_, err = pgx.ForEachRow(rows, scan, func() error {
		row()
		return nil
	})
	return err
}
