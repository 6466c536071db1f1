package pgsql

import (
	"pigsty/internal/param"
	"pigsty/internal/resource/postgres"
)

// databases sets up what every database has, then the databases of the inventory, each on a
// branch of its own. template1 comes first: new databases are copies of it.
func (m *member) databases() {
	if !m.provisions() {
		for _, d := range m.c.Param.PgDatabases {
			if d.State == "absent" {
				m.branch = "pgsql/database " + d.Name
				m.unused(postgres.Unused{Database: d.Name})
			}
		}
		return
	}
	m.add(m.privileges("template1"))
	m.add(m.privileges("postgres"))
	for _, d := range m.c.Param.PgDatabases {
		m.branch = "pgsql/database " + d.Name
		m.one(d)
	}
}

// one sets up a database and what belongs in it.
func (m *member) one(d param.Database) {
	step := m.add(m.database(d))
	if d.State == "absent" {
		step.After = m.unusedElsewhere(postgres.Unused{Database: d.Name})
	}
	// Of a copy of another template, template1's rules are not known to hold.
	if d.State != "absent" && d.Allowconn && d.Name != "postgres" && d.Name != "template1" {
		m.add(m.privileges(d.Name))
	}
	if m.hasBaseline(d) && !m.waitsForBaseline(d) {
		m.baseline(d)
	}
}

// baseline loads a database's file when it is new.
func (m *member) baseline(d param.Database) {
	m.add(&postgres.Baseline{
		Conn: m.conn(), Database: d.Name, Script: d.Baseline, SQL: m.d.Files[d.Baseline],
		New: true, ConnLimit: d.Connlimit, Shut: !d.Allowconn,
	})
}

// hasBaseline tells whether a file is loaded into the database when it is created.
func (m *member) hasBaseline(d param.Database) bool {
	_, read := m.d.Files[d.Baseline]
	return read && d.State != "absent"
}

// privileges are the rules for objects to come, in the terms of pg_default_privileges.
func (m *member) privileges(database string) *postgres.Privileges {
	p := &postgres.Privileges{
		Conn: m.conn(), Database: database, DefaultPrivileges: m.c.Param.PgDefaultPrivileges,
		Creators: []string{m.p.PgDbsu, m.c.Param.PgAdminUsername}, Schemas: m.c.Param.PgDefaultSchemas,
		Extensions: m.prompt(m.c.Param.PgDefaultExtensions), Creator: m.defaultRole("dbrole_admin"),
		// Everybody has the use of pg_catalog, unless somebody took it away.
		SchemaUsers: map[string][]string{"pg_catalog": {m.c.Param.PgReplicationUsername}},
		BackupUser:  m.c.Param.PgReplicationUsername,
	}
	if p.Creator != "" {
		p.Creators = append(p.Creators, p.Creator)
	}
	for _, schema := range p.Schemas {
		if schema == "monitor" {
			p.Monitoring = true
			p.SchemaUsers["monitor"] = []string{
				m.c.Param.PgMonitorUsername, m.c.Param.PgAdminUsername, m.c.Param.PgReplicationUsername,
			}
		}
	}
	return p
}

func (m *member) database(d param.Database) *postgres.Database {
	p := m.c.Param
	out := &postgres.Database{
		Conn: m.conn(), Database: d.Name, Owner: d.Owner, Template: d.Template,
		Encoding: d.Encoding, Locale: d.Locale, LcCollate: d.LcCollate, LcCtype: d.LcCtype,
		Tablespace: d.Tablespace, AllowConn: d.Allowconn, ConnLimit: d.Connlimit, Comment: d.Comment,
		Parameters: d.Parameters, Schemas: d.Schemas, Extensions: m.prompt(d.Extensions),
		RevokeConn: d.Revokeconn, Replication: p.PgReplicationUsername, Monitor: p.PgMonitorUsername,
		Admin: p.PgAdminUsername, Creator: m.defaultRole("dbrole_admin"), Absent: d.State == "absent",
		Baseline: m.hasBaseline(d),
	}
	if out.Absent {
		out.Pool = m.pool()
	}
	return out
}

func extensions(list []param.Extension) []postgres.Extension {
	var out []postgres.Extension
	for _, e := range list {
		out = append(out, postgres.Extension{Name: e.Name, Schema: e.Schema, Version: e.Version, Absent: e.State == "absent"})
	}
	return out
}
