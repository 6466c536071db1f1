package pgsql

import (
	"slices"
	"strings"

	"pigsty/internal/distro"
	"pigsty/internal/resource"
)

// account makes the user that owns the database. The group's number is the system's choice:
// v1.5's 26 is Debian's group tape.
func (m *member) account() {
	m.add(&resource.Group{Group: m.p.PgDbsu, System: true})
	m.add(&resource.User{
		User: m.p.PgDbsu, UID: m.p.PgDbsuUid, Group: m.p.PgDbsu, Home: m.p.PgDbsuHome,
		Shell: "/bin/bash", Comment: "PostgreSQL administrator", System: true, CreateHome: true,
	})
}

// sudoUnits are what v1.5 lets the database's user manage.
var sudoUnits = []string{"patroni", "postgres", "pgbouncer", "pg_exporter", "pgbouncer_exporter", "haproxy", "vip-manager"}

// A sudoers file with a mistake in it leaves nobody on the machine with sudo.
var sudoersCheck = resource.FileCheck{Argv: []string{"visudo", "-c", "-f", resource.Candidate}}

// sudo says what that user may do as root.
func (m *member) sudo() {
	path, user := "/etc/sudoers.d/"+m.p.PgDbsu, m.p.PgDbsu
	var lines []string
	switch m.p.PgDbsuSudo {
	case "none":
		m.add(&resource.File{Path: path, Absent: true})
		return
	case "nopass":
		lines = []string{user + " ALL=(ALL) NOPASSWD: ALL"}
	case "all":
		lines = []string{user + " ALL=(ALL) ALL"}
	default:
		for _, unit := range sudoUnits {
			var commands []string
			for _, verb := range []string{"start", "stop", "status", "reload", "restart"} {
				commands = append(commands, "/usr/bin/systemctl "+verb+" "+unit)
			}
			lines = append(lines, user+" ALL=(root) NOPASSWD: "+strings.Join(commands, ", "))
		}
	}
	view := struct {
		User, Mode string
		Lines      []string
	}{user, m.p.PgDbsuSudo, lines}
	m.add(&resource.File{Path: path, Content: templates.Fill("/etc/sudoers.d/dbsu", view), Mode: 0o440, Check: &sudoersCheck})
}

// packages installs the programs and links them under a path without a version. What the
// packages would start by themselves never runs: one server answers to Patroni alone.
func (m *member) packages() {
	m.file("/etc/postgresql-common/createcluster.conf", nil)
	names, _ := distro.Packages(m.release(), m.wanted(), m.i.Version())
	for _, name := range m.i.ExtensionPackages() {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	m.add(&resource.Packages{ID: "pgsql", Packages: names})
	m.add(&resource.Unit{Unit: "postgresql.service", Masked: true})
	if bin := m.p.PgBinDir; strings.HasSuffix(bin, "/bin") && !strings.HasPrefix(bin, "/usr/lib/postgresql/") {
		m.add(&resource.Link{Path: strings.TrimSuffix(bin, "/bin"), Target: m.programs()})
	}
}

// release is the node's version of Debian; the newest that is tested while it is not known.
func (m *member) release() int {
	if m.i.Node.Known {
		return m.i.Node.Facts.Release
	}
	return 13
}

// wanted is what the inventory asks for, without the services that are switched off, and what the
// others cannot do without. Names that the distribution does not have were reported when the
// inventory was checked.
func (m *member) wanted() []string {
	off := map[string]bool{
		"patroni": !m.c.Param.PatroniEnabled, "pgbouncer": !m.p.PgbouncerEnabled,
		"haproxy": !m.p.HaproxyEnabled, "vip-manager": !m.hasVIPManager(),
	}
	var wanted []string
	for _, entry := range append(slices.Clone(m.p.PgPackages), m.p.PgExtensions...) {
		wanted = append(wanted, slices.DeleteFunc(distro.Names(entry), func(name string) bool { return off[name] })...)
	}
	wanted = append(wanted, "postgresql-${pg_version}", "postgresql-client-${pg_version}", "lz4")
	if m.c.Param.PatroniEnabled {
		// Patroni is content with any store's library, and Debian 13's brings Consul's.
		wanted = append(wanted, "patroni", "python3-etcd")
	}
	if m.p.PgDbsuSudo != "none" {
		wanted = append(wanted, "sudo")
	}
	if m.p.PgbouncerEnabled {
		wanted = append(wanted, "pgbouncer")
	}
	if m.p.HaproxyEnabled {
		wanted = append(wanted, "haproxy", "socat")
	}
	switch {
	case m.hasVIPManager():
		wanted = append(wanted, "vip-manager")
	case m.c.HasVIP():
		wanted = append(wanted, "keepalived", "curl")
	}
	return wanted
}
