package pgsql

import (
	"slices"

	"pigsty/internal/param"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

// waits tells whether an extension is created after the restart that has its library loaded, and
// not with its database. A cluster that is being founded runs with all libraries from the start.
func (m *member) waits(e param.Extension) bool {
	return e.State != "absent" && m.c.Bootstrapped() && m.c.NeedsPreload(e.Name)
}

// prompt are the extensions that can be created with their database.
func (m *member) prompt(list []param.Extension) []postgres.Extension {
	return extensions(slices.DeleteFunc(slices.Clone(list), m.waits))
}

// waiting are the others.
func (m *member) waiting(list []param.Extension) []postgres.Extension {
	return extensions(slices.DeleteFunc(slices.Clone(list), func(e param.Extension) bool { return !m.waits(e) }))
}

// lateExtensions creates what the server had to be restarted for, and then loads the files of
// databases that may build on it. The restart may have moved the leader, so every member looks
// whether it is the one that takes writes.
func (m *member) lateExtensions() {
	if !m.c.Param.PatroniEnabled || !m.c.Param.PgProvision.PgProvision || m.standby() {
		return
	}
	m.branch = "pgsql/settings"
	common := m.waiting(m.c.Param.PgDefaultExtensions)
	for _, name := range []string{"template1", "postgres"} {
		m.late(name, common)
	}
	for _, d := range m.c.Param.PgDatabases {
		if d.State == "absent" || !d.Allowconn {
			continue
		}
		m.late(d.Name, slices.Concat(common, m.waiting(d.Extensions)))
	}
	for _, d := range m.c.Param.PgDatabases {
		if m.provisions() && m.waitsForBaseline(d) {
			m.branch = "pgsql/database " + d.Name
			m.baseline(d)
		}
	}
}

// late lists extensions of a database that wait, if any.
func (m *member) late(database string, list []postgres.Extension) {
	if len(list) == 0 {
		return
	}
	leader := m.c.Leader()
	step := m.add(&postgres.Extensions{Conn: m.conn(), Database: database, Extensions: list, Leads: m.i == leader})
	if m.i != leader {
		step.After = []resource.Ref{{Node: leader.Node.Addr, ID: resource.ID(&postgres.PatroniRestart{Cluster: m.c.Name})}}
	}
}

// waitsForBaseline tells whether a database's file is loaded after extensions that wait.
func (m *member) waitsForBaseline(d param.Database) bool {
	return m.hasBaseline(d) && len(m.waiting(d.Extensions)) > 0
}
