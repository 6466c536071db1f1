package pgsql

import (
	"fmt"
	"slices"
	"strings"

	"pigsty/internal/model"
	"pigsty/internal/param"
	"pigsty/internal/pki"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

// pgbouncer pools connections to the instance beside it. It keeps clients while it rereads its
// settings; only where it listens, and whether it asks for users, takes a restart.
func (m *member) pgbouncer() {
	m.branch = "pgsql/pgbouncer"
	if !m.p.PgbouncerEnabled {
		m.off(pgbouncerUnit, "connections through pgBouncer on this node end")
		return
	}
	reload, restart := resource.ReloadOf(pgbouncerUnit), resource.RestartOf(pgbouncerUnit)
	m.directory(pgbouncerDir, 0o750)
	m.directory("/var/log/pgbouncer", 0o750)
	for _, f := range []struct {
		name, content string
		notify        resource.Notification
	}{
		{"listen.txt", templates.Fill(pgbouncerDir+"/listen.txt", struct {
			Port                        int
			Socket, AuthUser, AuthQuery string
		}{m.p.PgbouncerPort, m.p.PgLocalhost, m.poolLogin(), postgres.PoolAuthQuery}), restart},
		{"pgbouncer.ini", m.pgbouncerIni(), reload},
		{"pgb_hba.conf", joined(m.poolHBA()), reload},
	} {
		m.own(pgbouncerDir+"/"+f.name, f.content, 0o640, f.notify)
	}
	m.poolLists(reload)
	user := struct{ User string }{m.p.PgDbsu}
	m.file("/etc/logrotate.d/pgbouncer", user)
	m.file("/etc/systemd/system/pgbouncer.service.d/pigsty.conf", user, restart)
	m.add(&resource.Unit{Unit: pgbouncerUnit, RestartImpact: resource.Restart})
}

// poolLists lists the files that name databases and users. Each stands on a branch of its own, since
// it waits for what is dropped: a database or user that is in use is not dropped, and stays in the
// pool.
func (m *member) poolLists(reload resource.Notification) {
	databases, users := m.drops()
	m.branch = "pgsql/pgbouncer databases"
	m.own(pgbouncerDir+"/database.txt", m.poolDatabases(), 0o640, reload).After = databases
	m.branch = "pgsql/pgbouncer users"
	m.secret(pgbouncerDir+"/userlist.txt", m.p.PgDbsu, m.userlist(), reload).After = slices.Concat(users, m.poolAuthDone())
	m.branch = "pgsql/pgbouncer"
}

func (m *member) pgbouncerIni() string {
	admins, p := []string{m.p.PgDbsu, m.c.Param.PgAdminUsername}, m.c.Param
	var users []string
	for _, u := range m.poolUsers() {
		if u.Admin && !slices.Contains(admins, u.Name) {
			admins = append(admins, u.Name)
		}
		var limits []string
		if u.PoolMode != "" {
			limits = append(limits, "pool_mode="+u.PoolMode)
		}
		// Each user has a line: without one, pgBouncer keeps what it read before. 0 is no limit.
		limits = append(limits, fmt.Sprintf("max_user_connections=%d", max(0, u.PoolConnlimit)))
		users = append(users, pooled(u.Name)+" = "+strings.Join(limits, " "))
	}
	return templates.Fill(pgbouncerDir+"/pgbouncer.ini", struct {
		Instance, PoolMode, SSLMode, Cert, Key, CA string
		Admins, Watchers, Users                    []string
		MaxDbConnections                           int
	}{
		m.i.Name, p.PgbouncerPoolmode, p.PgbouncerSslmode, certFile, keyFile, pki.CAPath,
		admins,
		[]string{m.p.PgDbsu, p.PgMonitorUsername},
		users, p.PgbouncerMaxDbConn,
	})
}

// poolUsers are the users of the inventory that may come through the pool.
func (m *member) poolUsers() []param.User {
	users := append(slices.Clone(m.c.Param.PgDefaultRoles), m.c.Param.PgUsers...)
	return slices.DeleteFunc(users, func(u param.User) bool {
		_, system := m.systemPassword(u.Name)
		return system || !u.Pgbouncer || u.State == "absent"
	})
}

// userlist are the users that may come through the pool, and what is kept of their passwords. Where
// the pool asks PostgreSQL it needs those alone for whom it gets no answer, and for its console.
func (m *member) userlist() string {
	names := []string{m.p.PgDbsu, m.c.Param.PgMonitorUsername, m.c.Param.PgAdminUsername}
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "%s %s\n", quoted(name), quoted(m.verifier(param.User{Name: name})))
	}
	for _, u := range m.poolUsers() {
		if !m.poolAsks() || u.Superuser || u.Replication || u.Admin {
			fmt.Fprintf(&b, "%s %s\n", quoted(u.Name), quoted(m.verifier(u)))
		}
	}
	return b.String()
}

// quoted writes a word of userlist.txt, where a quote is doubled.
func quoted(word string) string { return `"` + strings.ReplaceAll(word, `"`, `""`) + `"` }

// pooled writes a name as a key of pgbouncer.ini: anything but letters, digits, _ and the like
// needs double quotes.
func pooled(name string) string {
	if plain.MatchString(name) && !strings.ContainsAny(name, "+@/") {
		return name
	}
	return quoted(name)
}

// poolDatabases are the databases that the pool serves, over the server's Unix socket.
func (m *member) poolDatabases() string {
	var b strings.Builder
	for _, d := range append([]param.Database{{Name: "postgres", Pgbouncer: true}}, m.c.Param.PgDatabases...) {
		if !d.Pgbouncer || d.State == "absent" {
			continue
		}
		line := fmt.Sprintf("%s = host=%s port=%d", pooled(d.Name), m.p.PgLocalhost, m.p.PgPort)
		if d.PoolMode != "" {
			line += " pool_mode=" + d.PoolMode
		}
		if d.PoolSize > 0 {
			line += fmt.Sprintf(" pool_size=%d", d.PoolSize)
		}
		if d.PoolConnlimit > 0 {
			line += fmt.Sprintf(" max_db_connections=%d", d.PoolConnlimit)
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// poolHBA are the lines of pgBouncer's own access file, in v1.5's order: the system's users, the
// default rules, then what the inventory adds. Those who watch and administer the pool reach its
// console and nothing else through it, and from other machines only over TLS, where there is TLS.
func (m *member) poolHBA() []model.AccessLine {
	password := m.password()
	lines := append([]string{"local pgbouncer " + role(m.p.PgDbsu) + " peer"}, m.poolRefusals()...)
	lines = append(lines, "local all all "+password, "host all all 127.0.0.1/32 "+password)
	kind := "hostssl"
	if m.c.Param.PgbouncerSslmode == "disable" {
		kind = "host"
	}
	for _, user := range []string{m.c.Param.PgMonitorUsername, m.c.Param.PgAdminUsername} {
		for _, network := range intranet {
			lines = append(lines, kind+" pgbouncer "+role(user)+" "+network+" "+password)
		}
		lines = append(lines, "host all "+role(user)+" 0.0.0.0/0 reject", "host all "+role(user)+" ::/0 reject")
	}
	var chosen []listedRule
	for _, list := range [][]listedRule{
		m.listed("pgbouncer_hba_rules", m.c.Param.PgbouncerHbaRules),
		m.listed("pgbouncer_hba_rules_extra", m.c.Param.PgbouncerHbaRulesExtra),
	} {
		chosen = append(chosen, ofRole(list, "common")...)
		chosen = append(chosen, ofRole(list, m.i.Role)...)
	}
	return append(m.ours("users of the system", lines), m.rules(chosen)...)
}

// joined is the file of access lines.
func joined(lines []model.AccessLine) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(line.Text + "\n")
	}
	return b.String()
}
