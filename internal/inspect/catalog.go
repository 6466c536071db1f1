package inspect

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"pigsty/internal/hba"
)

// Each query gives one column of JSON, in the form of what is read from it. All names are
// qualified by search_path, which is pg_catalog.
const (
	rolesQuery = `
SELECT jsonb_build_object(
  'name', r.rolname, 'login', r.rolcanlogin, 'superuser', r.rolsuper, 'createdb', r.rolcreatedb,
  'createrole', r.rolcreaterole, 'replication', r.rolreplication, 'bypassrls', r.rolbypassrls, 'inherit', r.rolinherit,
  'roles', (SELECT jsonb_agg(g.rolname ORDER BY g.rolname)
            FROM (SELECT DISTINCT roleid FROM pg_auth_members WHERE member = r.oid) m JOIN pg_roles g ON g.oid = m.roleid),
  'expires', CASE WHEN isfinite(r.rolvaliduntil) THEN r.rolvaliduntil END,
  'connlimit', r.rolconnlimit,
  'sessions', (SELECT count(*) FROM pg_stat_activity a WHERE a.usesysid = r.oid),
  'parameters', (SELECT jsonb_object_agg(split_part(c, '=', 1), substr(c, strpos(c, '=') + 1))
                 FROM pg_db_role_setting s, unnest(s.setconfig) c WHERE s.setrole = r.oid AND s.setdatabase = 0),
  'comment', shobj_description(r.oid, 'pg_authid'))
FROM pg_roles r WHERE r.oid >= 16384 OR r.rolcanlogin ORDER BY r.rolname`

	databasesQuery = `
SELECT jsonb_build_object(
  'name', d.datname, 'owner', r.rolname, 'size', pg_database_size(d.oid), 'encoding', pg_encoding_to_char(d.encoding),
  'collate', d.datcollate, 'ctype', d.datctype, 'tablespace', t.spcname, 'template', d.datistemplate,
  'allowconn', d.datallowconn, 'connlimit', d.datconnlimit,
  'sessions', (SELECT count(*) FROM pg_stat_activity a WHERE a.datid = d.oid),
  'xid_age', age(d.datfrozenxid), 'comment', shobj_description(d.oid, 'pg_database'))
FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba JOIN pg_tablespace t ON t.oid = d.dattablespace ORDER BY d.datname`

	createdQuery = `
SELECT jsonb_build_object(
  'name', e.extname, 'version', e.extversion, 'schema', n.nspname,
  'update', CASE WHEN a.default_version <> e.extversion THEN
    (SELECT a.default_version FROM pg_extension_update_paths(e.extname) p
     WHERE p.source = e.extversion AND p.target = a.default_version AND p.path IS NOT NULL) END)
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
     LEFT JOIN pg_available_extensions a ON a.name = e.extname ORDER BY e.extname`

	availableQuery = `
SELECT jsonb_build_object('name', name, 'version', default_version)
FROM pg_available_extensions WHERE default_version IS NOT NULL ORDER BY name`

	rulesQuery = `SELECT to_jsonb(r) FROM pg_hba_file_rules r ORDER BY line_number`

	rulesFileQuery = `
SELECT current_setting('hba_file'), (pg_stat_file(current_setting('hba_file'))).modification > pg_conf_load_time()`

	librariesQuery = `SELECT current_setting('shared_preload_libraries')`
)

// readAll reads the one column of a query.
func readAll[T any](ctx context.Context, s *pgx.Conn, query string) ([]T, error) {
	rows, err := s.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	var all []T
	var text []byte
	_, err = pgx.ForEachRow(rows, []any{&text}, func() error {
		var one T
		if err := json.Unmarshal(text, &one); err != nil {
			return err
		}
		all = append(all, one)
		return nil
	})
	return all, err
}

func readRoles(ctx context.Context, s *pgx.Conn) ([]Role, error) {
	return readAll[Role](ctx, s, rolesQuery)
}

func readDatabases(ctx context.Context, s *pgx.Conn) ([]Database, error) {
	return readAll[Database](ctx, s, databasesQuery)
}

func readCreated(ctx context.Context, s *pgx.Conn) ([]Created, error) {
	return readAll[Created](ctx, s, createdQuery)
}

func (i *Instance) readExtensions(ctx context.Context, s *pgx.Conn) error {
	var libraries string
	err := s.QueryRow(ctx, librariesQuery).Scan(&libraries)
	if err == nil {
		i.Available, err = readAll[Available](ctx, s, availableQuery)
	}
	i.Libraries = strings.FieldsFunc(libraries, func(r rune) bool { return strings.ContainsRune(`, "'`, r) })
	return err
}

// fileRule is a row of pg_hba_file_rules.
type fileRule struct {
	Line      int      `json:"line_number"`
	File      string   `json:"file_name"` // since PostgreSQL 16
	Type      string   `json:"type"`
	Databases []string `json:"database"`
	Users     []string `json:"user_name"`
	Address   string   `json:"address"`
	Netmask   string   `json:"netmask"`
	Method    string   `json:"auth_method"`
	Options   []string `json:"options"`
	Error     string   `json:"error"`
}

// readRules reads the rules in their order; main is the file that needs no name.
func readRules(ctx context.Context, s *pgx.Conn, main string) ([]hba.Rule, error) {
	rows, err := readAll[fileRule](ctx, s, rulesQuery)
	var rules []hba.Rule
	for _, r := range rows {
		if r.File == main {
			r.File = ""
		}
		rules = append(rules, hba.Rule{
			Line: r.Line, File: r.File, Type: r.Type, Databases: r.Databases, Users: r.Users, Address: r.Address,
			Netmask: r.Netmask, Method: r.Method, Options: r.Options, Error: r.Error,
		})
	}
	return rules, err
}

// showRows reads an answer of pgBouncer's console, column by column as text.
func showRows(ctx context.Context, s *pgx.Conn, command string) ([]map[string]string, error) {
	results, err := s.PgConn().Exec(ctx, command).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(results) != 1 {
		return nil, errors.New("pgBouncer gives no answer to " + command)
	}
	var all []map[string]string
	for _, row := range results[0].Rows {
		named := map[string]string{}
		for n, column := range results[0].FieldDescriptions {
			named[column.Name] = string(row[n])
		}
		all = append(all, named)
	}
	return all, nil
}

// number reads a count; 0 for what is none.
func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}
