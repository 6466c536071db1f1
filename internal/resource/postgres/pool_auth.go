package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*PoolAuth)(nil)
	_                   = resource.Register(func() resource.Resource { return &PoolAuth{} })
)

// PoolAuth lets pgBouncer ask PostgreSQL for what it keeps of a user's password, so that it needs no
// list of users: a function in a schema of its own, and a login that may call it and nothing else.
// The login has no password: access rules let it in on the server's socket by its process' owner.
//
// The function runs as the superuser, since nobody else may read verifiers, and answers for business
// users only: a pool that was broken into learns none that opens more than the pool itself does.
type PoolAuth struct {
	Conn  Conn   `json:"conn"`
	Login string `json:"login"` // the role that calls it
	// Withheld are the system's users, whom it does not answer for; nor does it for superusers, for
	// those who may replicate, or for members of either.
	Withheld []string `json:"withheld,omitempty"`
	Absent   bool     `json:"absent,omitempty"` // removes function, schema and login
}

// PoolAuthQuery is what pgBouncer asks, in database postgres.
const PoolAuthQuery = "SELECT usename, passwd FROM pigsty_pool.get_auth($1)"

const (
	poolAuthSchema   = "pigsty_pool"
	poolAuthFunction = poolAuthSchema + ".get_auth(name)"
	poolAuthMark     = " (pigsty "
)

func (a *PoolAuth) Kind() string { return "pg_pool_auth" }
func (a *PoolAuth) Name() string { return a.Login }

// body is the definition of the function. The search path is fixed, so that nothing a user makes can
// be taken for what is meant, and every name has its schema.
func (a *PoolAuth) body() string {
	var withheld []string
	for _, name := range append([]string{a.Login}, a.Withheld...) {
		withheld = append(withheld, quoteText(name))
	}
	return `CREATE OR REPLACE FUNCTION pigsty_pool.get_auth(who name, OUT usename name, OUT passwd text)
RETURNS SETOF record LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS ` + quoteText(`
SELECT r.rolname, r.rolpassword
FROM pg_catalog.pg_authid r
WHERE r.rolname = who AND r.rolcanlogin
  AND (r.rolvaliduntil IS NULL OR r.rolvaliduntil > pg_catalog.now())
  AND r.rolname NOT IN (`+strings.Join(withheld, ", ")+`)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_authid s
                  WHERE (s.rolsuper OR s.rolreplication) AND pg_catalog.pg_has_role(r.oid, s.oid, 'MEMBER'))
`)
}

// comment tells by a digest which definition it is.
func (a *PoolAuth) comment() string {
	sum := sha256.Sum256([]byte(a.body()))
	return "what pgBouncer asks for users that it does not know" + poolAuthMark + hex.EncodeToString(sum[:6]) + ")"
}

// poolAuthRow is what is there of all that.
type poolAuthRow struct {
	login, schema, function bool
	plain                   bool   // the login can log in, has no password, and may do nothing of itself
	comment                 string // of the function
	schemaACL, functionACL  acl
}

const poolAuthQuery = `
SELECT coalesce((SELECT rolcanlogin AND NOT (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)
                        AND rolpassword IS NULL
                 FROM pg_authid r WHERE rolname = $1), false),
       EXISTS (SELECT FROM pg_authid WHERE rolname = $1),
       to_regnamespace('pigsty_pool') IS NOT NULL,
       to_regprocedure('pigsty_pool.get_auth(name)') IS NOT NULL,
       coalesce(obj_description(to_regprocedure('pigsty_pool.get_auth(name)'), 'pg_proc'), '')`

const poolAuthACL = `
SELECT 'schema', coalesce(pg_get_userbyid(nullif(x.grantee, 0)), ''), x.privilege_type, x.is_grantable
FROM pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) x
WHERE n.nspname = 'pigsty_pool' AND x.grantee <> n.nspowner
UNION ALL
SELECT 'function', coalesce(pg_get_userbyid(nullif(x.grantee, 0)), ''), x.privilege_type, x.is_grantable
FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x
WHERE p.oid = to_regprocedure('pigsty_pool.get_auth(name)') AND x.grantee <> p.proowner`

func (a *PoolAuth) read(ctx context.Context, s session) (*poolAuthRow, error) {
	doing := "look at what pgBouncer may ask"
	var have poolAuthRow
	err := s.QueryRow(ctx, poolAuthQuery, a.Login).Scan(&have.plain, &have.login, &have.schema, &have.function, &have.comment)
	if err != nil {
		return nil, problem(doing, err)
	}
	var of string
	var g grant
	err = s.forEach(ctx, poolAuthACL, nil, []any{&of, &g.grantee, &g.privilege, &g.option}, func() {
		if of == "schema" {
			have.schemaACL = append(have.schemaACL, g)
		} else {
			have.functionACL = append(have.functionACL, g)
		}
	})
	return &have, problem(doing, err)
}

// ours tells whether the function is one that this kind has made.
func (r *poolAuthRow) ours() bool { return strings.Contains(r.comment, poolAuthMark) }

// diffPoolAuth gives the edits, which run in one transaction: the function is at no time there for
// anybody else, although default privileges give readers every function that is made.
func diffPoolAuth(a *PoolAuth, have *poolAuthRow) []edit {
	if a.Absent {
		return dropPoolAuth(a, have)
	}
	var edits []edit
	add := func(name, before, after string, sql ...string) {
		edits = append(edits, edit{Field: resource.Field{Name: name, Before: before, After: after}, SQL: sql})
	}
	attributes := " ROLE " + quoteName(a.Login) + " LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD NULL"
	switch {
	case !have.login:
		add("login", "", a.Login, "CREATE"+attributes)
	case !have.plain:
		add("login", a.Login+", who may do more than ask", a.Login, "ALTER"+attributes)
	}
	if !have.schema {
		add("schema", "", poolAuthSchema, "CREATE SCHEMA "+poolAuthSchema)
	}
	if have.comment != a.comment() {
		sql := []string{a.body(), "COMMENT ON FUNCTION " + poolAuthFunction + " IS " + quoteText(a.comment())}
		before := ""
		if have.function { // what it gives may have another shape
			before = "another " + poolAuthFunction
			sql = append([]string{"DROP FUNCTION " + poolAuthFunction}, sql...)
		}
		add("function", before, poolAuthFunction, sql...)
	}
	if !have.schema || !have.schemaACL.only(a.Login, "USAGE") {
		add("may use schema "+poolAuthSchema, have.schemaACL.grantees(), a.Login, restrict("SCHEMA "+poolAuthSchema, a.Login, "USAGE")...)
	}
	if have.comment != a.comment() || !have.functionACL.only(a.Login, "EXECUTE") {
		add("may call it", have.functionACL.grantees(), a.Login, restrict("FUNCTION "+poolAuthFunction, a.Login, "EXECUTE")...)
	}
	return edits
}

// only tells whether the list is one privilege of one grantee.
func (a acl) only(grantee, privilege string) bool {
	return len(a) == 1 && a[0] == grant{grantee: grantee, privilege: privilege}
}

// grantees lists who is on the list.
func (a acl) grantees() string {
	var names []string
	for _, g := range a {
		if name := aclText(g.grantee); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// restrict gives an object to its owner and one other role alone. Whom default privileges gave it to
// is known to the server only, so the statement looks for itself.
func restrict(object, grantee, privilege string) []string {
	kind, name, _ := strings.Cut(object, " ")
	list := "(SELECT nspacl FROM pg_namespace WHERE nspname = " + quoteText(name) + ")"
	if kind == "FUNCTION" {
		list = "(SELECT proacl FROM pg_proc WHERE oid = to_regprocedure(" + quoteText(name) + "))"
	}
	return []string{
		"REVOKE ALL ON " + object + " FROM PUBLIC",
		"DO " + quoteText(`DECLARE who name; BEGIN
FOR who IN SELECT DISTINCT rolname FROM aclexplode(`+list+`) x JOIN pg_roles r ON r.oid = x.grantee WHERE rolname <> current_user LOOP
	EXECUTE format('REVOKE ALL ON `+object+` FROM %I', who);
END LOOP; END`),
		"GRANT " + privilege + " ON " + object + " TO " + quoteName(grantee),
	}
}

// dropPoolAuth drops what this kind has made: where the function is not of its making, neither are
// schema and login.
func dropPoolAuth(a *PoolAuth, have *poolAuthRow) []edit {
	if !have.ours() {
		return nil
	}
	edits := []edit{
		{Field: resource.Field{Name: "function", Before: poolAuthFunction}, SQL: []string{"DROP FUNCTION " + poolAuthFunction}},
		{Field: resource.Field{Name: "schema", Before: poolAuthSchema}, SQL: []string{"DROP SCHEMA " + poolAuthSchema}},
	}
	if have.login {
		edits = append(edits, edit{Field: resource.Field{Name: "login", Before: a.Login}, SQL: []string{"DROP ROLE " + quoteName(a.Login)}})
	}
	return edits
}

// Diff compares function, schema, login and who may use them with the catalog.
func (a *PoolAuth) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	s, err := a.Conn.session(ctx, h, maintenance)
	if errors.Is(err, errNoServer) {
		return changeOf(resource.Create, diffPoolAuth(a, &poolAuthRow{})), nil
	}
	if err != nil {
		return nil, err
	}
	have, err := a.read(ctx, s)
	if err != nil {
		return nil, err
	}
	action := resource.Update
	switch {
	case a.Absent:
		action = resource.Delete
	case !have.function:
		action = resource.Create
	}
	return changeOf(action, diffPoolAuth(a, have)), nil
}

// Apply makes or drops it all in one transaction.
func (a *PoolAuth) Apply(ctx context.Context, h *resource.Host) error {
	s, err := a.Conn.session(ctx, h, maintenance)
	if err != nil {
		return err
	}
	have, err := a.read(ctx, s)
	if err != nil {
		return err
	}
	return s.run(ctx, "set up what pgBouncer asks PostgreSQL", diffPoolAuth(a, have))
}
