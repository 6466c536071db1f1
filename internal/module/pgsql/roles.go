package pgsql

import (
	"crypto/md5" // what PostgreSQL keeps under password_encryption md5
	"encoding/hex"
	"regexp"
	"slices"

	"pigsty/internal/param"
	"pigsty/internal/resource/postgres"
	"pigsty/internal/secret"
)

// roles lists the default roles and the business users, each on a branch of its own where it
// can be spared: one that cannot be made stops no other. Default roles are what privileges and
// databases build on, so they stand on the trunk.
func (m *member) roles() {
	if !m.provisions() {
		for _, u := range m.inventoryUsers() {
			if u.State == "absent" {
				m.branch = "pgsql/user " + u.Name
				m.unused(postgres.Unused{Role: u.Name})
			}
		}
		return
	}
	for _, r := range m.c.Param.PgDefaultRoles {
		m.addRole(r)
	}
	for _, u := range m.systemUsers() {
		m.addRole(u)
	}
	for _, u := range m.c.Param.PgUsers {
		m.branch = "pgsql/user " + u.Name
		m.addRole(u)
	}
}

func (m *member) addRole(u param.User) {
	step := m.add(m.role(u))
	if u.State == "absent" {
		step.After = m.unusedElsewhere(postgres.Unused{Role: u.Name})
	}
}

// provisions tells whether this member is where roles and databases are made. Without Patroni
// there is no server of ours to make them in.
func (m *member) provisions() bool {
	return m.i == m.c.Leader() && m.c.Param.PatroniEnabled && m.c.Param.PgProvision.PgProvision && !m.standby()
}

// systemUsers are the users that services log in as, where pg_default_roles leaves them out.
func (m *member) systemUsers() []param.User {
	var missing []param.User
	for _, u := range []param.User{
		{Name: m.c.Param.PgReplicationUsername, Replication: true, Bypassrls: true, Roles: []param.Membership{{Name: "pg_monitor"}}},
		{Name: m.c.Param.PgMonitorUsername, Roles: []param.Membership{{Name: "pg_monitor"}}},
		{Name: m.c.Param.PgAdminUsername, Superuser: true},
	} {
		if !m.hasRole(u.Name) {
			u.Login, u.Inherit, u.Connlimit = true, true, -1
			missing = append(missing, u)
		}
	}
	return missing
}

// hasRole tells whether pg_default_roles has a role.
func (m *member) hasRole(name string) bool {
	return slices.ContainsFunc(m.c.Param.PgDefaultRoles, func(r param.Role) bool { return r.Name == name })
}

// defaultRole is the name when pg_default_roles has it, and empty otherwise.
func (m *member) defaultRole(name string) string {
	if m.hasRole(name) {
		return name
	}
	return ""
}

func (m *member) role(u param.User) *postgres.Role {
	r := &postgres.Role{
		Conn: m.conn(), Role: u.Name, Verifier: m.verifier(u),
		Login: u.Login, Superuser: u.Superuser, CreateDB: u.Createdb, CreateRole: u.Createrole,
		Replication: u.Replication, BypassRLS: u.Bypassrls, Inherit: u.Inherit, ConnLimit: u.Connlimit,
		ExpireIn: u.ExpireIn, Comment: u.Comment, Declared: m.declared(), Parameters: u.Parameters,
		Absent: u.State == "absent",
	}
	if r.Absent {
		r.Pool = m.pool()
	}
	for _, in := range u.Roles {
		if in.State == "absent" {
			r.NotRoles = append(r.NotRoles, in.Name)
		} else {
			r.Roles = append(r.Roles, in.Name)
		}
	}
	if u.ExpireAt != "" {
		r.ValidUntil = u.ExpireAt + "T00:00:00Z"
	}
	if u.Name == m.p.PgDbsu { // the superuser that everything is done as can lose none of this
		r.Login, r.Superuser = true, true
	}
	return r
}

// declared are the roles of the inventory: who is a member of them is for the inventory to say.
func (m *member) declared() []string {
	var names []string
	for _, r := range m.inventoryUsers() {
		names = append(names, r.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// systemPassword is the password of a user that the platform itself needs; given is false for
// any other.
func (m *member) systemPassword(name string) (password string, given bool) {
	p := m.c.Param
	switch name {
	case p.PgReplicationUsername:
		return p.PgReplicationPassword, true
	case p.PgMonitorUsername:
		return p.PgMonitorPassword, true
	case p.PgAdminUsername:
		return p.PgAdminPassword, true
	case m.p.PgDbsu:
		return p.PgDbsuPassword, true
	}
	return "", false
}

// verifier is what PostgreSQL and pgBouncer keep of a user's password. It is made here, with a
// salt that stays the same, so that both have the same one (pgBouncer then logs in with what it
// learned from the client) and a second apply changes nothing.
func (m *member) verifier(u param.User) string {
	password := u.Password
	if system, ok := m.systemPassword(u.Name); ok {
		password = system
	}
	switch {
	case password == "":
		return ""
	case m.c.Param.PgPwdEnc == "md5" && !storedPassword.MatchString(password):
		sum := md5.Sum([]byte(password + u.Name))
		return "md5" + hex.EncodeToString(sum[:])
	}
	key := [2]string{u.Name, password}
	made, ok := m.verifiers[key]
	if !ok {
		made = secret.ScramVerifier(password, m.d.Derive("scram", m.c.Name, u.Name)[:16])
		m.verifiers[key] = made
	}
	return made
}

// storedPassword matches what is no password but what PostgreSQL keeps of one.
var storedPassword = regexp.MustCompile(`^(md5[0-9a-f]{32}$|SCRAM-SHA-256\$)`)
