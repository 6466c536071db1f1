package postgres

import "slices"

// builtinForTest is what PostgreSQL 17 gives without default privileges.
var builtinForTest = defaultBuiltin{
	all: map[string][]string{
		"n": {"USAGE", "CREATE"}, "S": {"SELECT", "UPDATE", "USAGE"}, "f": {"EXECUTE"}, "T": {"USAGE"},
		"r": {"INSERT", "SELECT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"},
	},
	public: map[string][]string{"f": {"EXECUTE"}, "T": {"USAGE"}},
}

func (m *model) createDatabase() {
	name := m.name()
	if m.databases[name] != nil {
		m.t.Fatalf("database %q exists", name)
	}
	m.must("OWNER")
	d := &databaseRow{owner: m.name(), allowConn: true, connLimit: -1, settings: map[string]string{}, tablespace: "pg_default"}
	m.must("TEMPLATE")
	m.name()
	d.encoding, d.collate, d.ctype = "UTF8", "C", "C.UTF-8"
	if m.is("ENCODING") {
		d.encoding = m.text()
	}
	if m.is("LC_COLLATE") {
		d.collate = m.text()
	}
	if m.is("LC_CTYPE") {
		d.ctype = m.text()
	}
	if m.is("TABLESPACE") {
		d.tablespace = m.name()
	}
	if m.is("CONNECTION LIMIT") {
		d.connLimit = m.number()
	}
	if m.is("IS_TEMPLATE") {
		d.template = m.word() == "true"
	}
	d.wanted = d.encoding
	for _, p := range []string{"CREATE", "CONNECT", "TEMPORARY"} {
		d.acl = append(d.acl, grant{grantee: d.owner, privilege: p})
	}
	d.acl = append(d.acl, grant{privilege: "CONNECT"}, grant{privilege: "TEMPORARY"})
	m.databases[name] = d
}

func (m *model) alterDatabase(d *databaseRow) {
	switch {
	case m.is("ALLOW_CONNECTIONS"):
		d.allowConn = m.word() == "true"
	case m.is("IS_TEMPLATE"):
		d.template = m.word() == "true"
	case m.is("OWNER TO"):
		owner := m.name()
		for i := range d.acl {
			if d.acl[i].grantee == d.owner {
				d.acl[i].grantee = owner
			}
		}
		d.owner = owner
	case m.is("CONNECTION LIMIT"):
		d.connLimit = m.number()
	case m.is("SET TABLESPACE"):
		d.tablespace = m.name()
	case m.is("SET"):
		m.setting(d.settings)
	case m.is("RESET"):
		m.reset(d.settings)
	default:
		m.t.Fatalf("cannot read %s", m.sql)
	}
}

// insideStatement reads what happens within one database.
func (m *model) insideStatement() {
	switch {
	case m.is("SET LOCAL search_path ="):
		m.searchPath = m.word()
	case m.is("CREATE SCHEMA"):
		name := m.name()
		if _, ok := m.inside.schemas[name]; ok {
			m.t.Fatalf("schema %q exists", name)
		}
		m.inside.schemas[name] = acl{{grantee: m.super, privilege: "USAGE"}, {grantee: m.super, privilege: "CREATE"}}
	case m.is("CREATE EXTENSION"):
		m.createExtension(m.name())
	case m.is("DROP EXTENSION"):
		delete(m.inside.extensions, m.name())
	case m.is("ALTER EXTENSION"):
		name := m.name()
		e := m.inside.extensions[name]
		if m.is("UPDATE TO") {
			e.version = m.text()
		} else {
			m.must("SET SCHEMA")
			if e.schema = m.name(); !e.relocatable {
				m.t.Fatalf("extension %q cannot move", name)
			}
		}
		m.inside.extensions[name] = e
	default:
		m.t.Fatalf("cannot read %s", m.sql)
	}
}

func (m *model) createExtension(name string) {
	e := extensionRow{schema: m.searchPath, version: "1.0"}
	if fixed := m.inside.fixed[name]; fixed != "" {
		e.schema = fixed
	}
	if m.is("SCHEMA") {
		e.schema = m.name()
	}
	if m.is("VERSION") {
		e.version = m.text()
	}
	m.must("CASCADE")
	if _, ok := m.inside.extensions[name]; ok {
		m.t.Fatalf("extension %q exists", name)
	}
	if _, ok := m.inside.schemas[e.schema]; !ok {
		m.t.Fatalf("extension %q: no schema %q", name, e.schema)
	}
	m.inside.extensions[name] = e
}

func (m *model) alterDefaults(creator string) {
	give := m.is("GRANT")
	if !give {
		m.must("REVOKE")
	}
	optionOnly := m.is("GRANT OPTION FOR")
	privileges := []string{m.word()}
	for m.is(",") {
		privileges = append(privileges, m.word())
	}
	m.must("ON")
	word := m.word()
	n := slices.IndexFunc(defaultKinds, func(k struct{ letter, word, alias string }) bool { return k.word == word })
	kind := defaultKinds[n].letter
	m.must(map[bool]string{true: "TO", false: "FROM"}[give])
	grantee := m.grantee()
	option := m.is("WITH GRANT OPTION")
	if m.defaults[creator] == nil {
		m.defaults[creator] = map[string]acl{}
	}
	list, ok := m.defaults[creator][kind]
	if !ok {
		list = builtinList(m.builtin, creator, kind)
	}
	for _, p := range privileges {
		if optionOnly {
			list = append(list.with(grant{grantee: grantee, privilege: p}, false), grant{grantee: grantee, privilege: p})
			continue
		}
		list = list.with(grant{grantee, p, option}, give)
	}
	m.defaults[creator][kind] = list
}

// builtinList is a creator's list before there is an entry for it.
func builtinList(b defaultBuiltin, creator, kind string) acl {
	var list acl
	for _, p := range b.all[kind] {
		list = append(list, grant{grantee: creator, privilege: p})
	}
	for _, p := range b.public[kind] {
		list = append(list, grant{privilege: p})
	}
	return list
}
