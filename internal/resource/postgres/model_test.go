package postgres

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"pigsty/internal/pguser"
)

// model is a catalog in memory that understands the statements of this package.
type model struct {
	t          interface{ Fatalf(string, ...any) }
	super      string // who runs the statements
	roles      map[string]*roleRow
	databases  map[string]*databaseRow
	inside     contentsRow               // of the database at hand
	defaults   map[string]map[string]acl // creator → kind → list
	builtin    defaultBuiltin
	searchPath string

	sql string
	in  []sqlToken
}

func newModel(t interface{ Fatalf(string, ...any) }) *model {
	return &model{
		t: t, super: "postgres", roles: map[string]*roleRow{}, databases: map[string]*databaseRow{},
		inside:   contentsRow{schemas: map[string]acl{}, extensions: map[string]extensionRow{}, fixed: map[string]string{}},
		defaults: map[string]map[string]acl{}, builtin: builtinForTest, searchPath: "pg_catalog",
	}
}

func (m *model) run(edits []edit) {
	for _, sql := range statements(edits) {
		tokens, err := lexSQL(sql)
		if err != nil {
			m.t.Fatalf("%v", err)
		}
		m.sql, m.in = sql, tokens
		m.statement()
		if len(m.in) > 0 {
			m.t.Fatalf("left over %v in %s", m.in, sql)
		}
	}
}

// is takes the words when they come next.
func (m *model) is(words string) bool {
	list := strings.Fields(words)
	for i, w := range list {
		if i >= len(m.in) || m.in[i].kind == 'n' || m.in[i].kind == 's' || m.in[i].text != w {
			return false
		}
	}
	m.in = m.in[len(list):]
	return true
}

func (m *model) must(words string) {
	if !m.is(words) {
		m.t.Fatalf("%q expected at %v in %s", words, m.in, m.sql)
	}
}

func (m *model) take(kinds string) string {
	if len(m.in) == 0 || !strings.ContainsRune(kinds, rune(m.in[0].kind)) {
		m.t.Fatalf("token of kind %s expected at %v in %s", kinds, m.in, m.sql)
	}
	text := m.in[0].text
	m.in = m.in[1:]
	return text
}

func (m *model) name() string { return m.take("n") }
func (m *model) text() string { return m.take("s") }
func (m *model) word() string { return m.take("w") }

func (m *model) grantee() string {
	if m.is("PUBLIC") {
		return ""
	}
	return m.name()
}

func (m *model) number() int {
	n, err := strconv.Atoi(m.word())
	if err != nil {
		m.t.Fatalf("%v in %s", err, m.sql)
	}
	return n
}

// setting reads `"name" = 'value'[, 'value']` into the settings as PostgreSQL would keep it.
func (m *model) setting(into map[string]string) {
	name := m.settingName()
	m.must("=")
	values := []string{m.text()}
	for m.is(",") {
		values = append(values, m.text())
	}
	for key := range into {
		if strings.EqualFold(key, name) {
			name = key
		}
	}
	if !slices.Contains(listSettings, strings.ToLower(name)) {
		if len(values) > 1 {
			m.t.Fatalf("SET %s takes only one argument", name)
		}
		into[name] = values[0]
		return
	}
	for i, v := range values {
		values[i] = quoteName(v)
	}
	into[name] = strings.Join(values, ", ")
}

func (m *model) settingName() string {
	name := m.name()
	for m.is(".") {
		name += "." + m.name()
	}
	return name
}

func (m *model) reset(from map[string]string) {
	name := m.settingName()
	for key := range from {
		if strings.EqualFold(key, name) {
			delete(from, key)
		}
	}
}

func (m *model) statement() {
	switch {
	case m.is("CREATE ROLE"):
		name := m.name()
		if m.roles[name] != nil {
			m.t.Fatalf("role %q exists", name)
		}
		m.roles[name] = &roleRow{oid: 16384, Attributes: pguser.Attributes{Inherit: true}, connLimit: -1, settings: map[string]string{}}
	case m.is("ALTER ROLE"):
		m.alterRole(m.roles[m.name()])
	case m.is("COMMENT ON ROLE"):
		r := m.roles[m.name()]
		m.must("IS")
		r.comment = m.text()
	case m.is("CREATE DATABASE"):
		m.createDatabase()
	case m.is("ALTER DATABASE"):
		m.alterDatabase(m.databases[m.name()])
	case m.is("COMMENT ON DATABASE"):
		d := m.databases[m.name()]
		m.must("IS")
		d.comment = m.text()
	case m.is("ALTER DEFAULT PRIVILEGES FOR ROLE"):
		m.alterDefaults(m.name())
	case m.is("GRANT"):
		m.grant(true)
	case m.is("REVOKE"):
		m.grant(false)
	default:
		m.insideStatement()
	}
}

func (m *model) alterRole(r *roleRow) {
	for _, a := range pguser.All {
		if m.is(a.Keyword) {
			*a.In(&r.Attributes) = true
			return
		}
		if m.is("NO" + a.Keyword) {
			*a.In(&r.Attributes) = false
			return
		}
	}
	switch {
	case m.is("CONNECTION LIMIT"):
		r.connLimit = m.number()
	case m.is("PASSWORD"):
		r.password = m.text()
	case m.is("VALID UNTIL"):
		r.validUntil = nil
		if text := m.text(); text != "infinity" {
			t, err := time.Parse(time.RFC3339, text)
			if err != nil {
				m.t.Fatalf("%v", err)
			}
			r.validUntil = &t
		}
	case m.is("SET"):
		m.setting(r.settings)
	case m.is("RESET"):
		m.reset(r.settings)
	default:
		m.t.Fatalf("cannot read %s", m.sql)
	}
}

// grant reads both forms of GRANT and REVOKE: of a role, and of a privilege on an object.
func (m *model) grant(give bool) {
	if len(m.in) > 0 && m.in[0].kind == 'n' {
		m.grantRole(give)
		return
	}
	privilege := m.word()
	m.must("ON")
	kind, name := m.word(), m.name()
	m.must(map[bool]string{true: "TO", false: "FROM"}[give])
	g := grant{grantee: m.grantee(), privilege: privilege, option: m.is("WITH GRANT OPTION")}
	switch kind {
	case "DATABASE":
		m.databases[name].acl = m.databases[name].acl.with(g, give)
	case "SCHEMA":
		if _, ok := m.inside.schemas[name]; !ok {
			m.t.Fatalf("no schema in %s", m.sql)
		}
		m.inside.schemas[name] = m.inside.schemas[name].with(g, give)
	default:
		m.t.Fatalf("cannot read %s", m.sql)
	}
}

func (a acl) with(g grant, give bool) acl {
	g.option = g.option || give && a.has(g.grantee, g.privilege, true)
	rest := slices.DeleteFunc(slices.Clone(a), func(o grant) bool { return o.grantee == g.grantee && o.privilege == g.privilege })
	if give {
		rest = append(rest, g)
	}
	return rest
}

func (m *model) grantRole(give bool) {
	role := m.name()
	m.must(map[bool]string{true: "TO", false: "FROM"}[give])
	r := m.roles[m.name()]
	n := slices.IndexFunc(r.members, func(o membership) bool { return o.role == role })
	if !give {
		grantor := ""
		if m.is("GRANTED BY") {
			grantor = m.name()
		}
		left := slices.DeleteFunc(slices.Clone(r.members[n].grantors), func(g string) bool { return grantor == "" || g == grantor })
		if r.members[n].grantors = left; len(left) == 0 {
			r.members = slices.Delete(r.members, n, n+1)
		}
		return
	}
	inherit := r.Inherit
	if m.is("WITH INHERIT") {
		inherit = m.word() == "TRUE"
	}
	if n < 0 {
		r.members = append(r.members, membership{role: role, grantors: []string{m.super}})
		n = len(r.members) - 1
	}
	r.members[n].inherit = inherit
}
