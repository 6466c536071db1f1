package pgsql

import (
	"pigsty/internal/model"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

// poolIdent is the map of pg_ident.conf by which pgBouncer's process is its login.
const poolIdent = "pigsty_pool"

// authDbname is the first release of Debian whose pgBouncer can ask in another database than the one
// that a client wants (1.19); Debian 12 has 1.18.
const authDbname = 13

// poolAsks tells whether the member's pool asks PostgreSQL for users. Without Patroni there is no
// server of ours that would answer.
func (m *member) poolAsks() bool {
	return m.c.Param.PgbouncerAuthQuery && m.c.Param.PatroniEnabled && m.release() >= authDbname
}

// poolLogin is the login that a pool asks as; empty for one that does not.
func (m *member) poolLogin() string {
	if !m.poolAsks() {
		return ""
	}
	return model.PoolLogin
}

// poolAuth makes what pools ask by, in the leader's PostgreSQL, before any of them asks.
func (m *member) poolAuth() {
	if m.provisions() && m.c.Param.PgbouncerAuthQuery {
		m.branch = "pgsql/pool login"
		p := m.c.Param
		m.add(&postgres.PoolAuth{
			Conn: m.conn(), Login: model.PoolLogin,
			Withheld: []string{m.p.PgDbsu, p.PgReplicationUsername, p.PgMonitorUsername, p.PgAdminUsername},
		})
	}
}

// poolAuthDone is that step; none where pools keep their list.
func (m *member) poolAuthDone() []resource.Ref {
	leader := m.leader()
	if !m.c.Param.PgbouncerAuthQuery || !leader.provisions() {
		return nil
	}
	return []resource.Ref{{Node: leader.i.Node.Addr, ID: resource.ID(&postgres.PoolAuth{Login: model.PoolLogin})}}
}

// noPoolAuth takes it away where no pool asks, after all have got their list of users again.
func (m *member) noPoolAuth() {
	if !m.provisions() || m.c.Param.PgbouncerAuthQuery {
		return
	}
	m.branch = "pgsql/pool login"
	step := m.add(&postgres.PoolAuth{Conn: m.conn(), Login: model.PoolLogin, Absent: true})
	for _, i := range m.c.Instances {
		if i != m.i {
			step.After = append(step.After, resource.Ref{Node: i.Node.Addr, ID: resource.ID(&resource.Unit{Unit: pgbouncerUnit})})
		}
	}
}

// isLate tells whether the pool is set up after roles and databases are: when it is to ask for
// them, or to forget those that are dropped, which has to succeed first.
func (m *member) isLate() bool {
	return m.p.PgbouncerEnabled && m.c.Param.PatroniEnabled && (m.c.Param.PgbouncerAuthQuery || m.waitsForDrops())
}

// poolEarly sets the pool up before Patroni: a replica that is yet to copy its data keeps nobody
// from anything.
func (m *member) poolEarly() {
	if !m.isLate() {
		m.pgbouncer()
	}
}

// poolLate sets it up when what it waits for is there.
func (m *member) poolLate() {
	if m.isLate() {
		first := len(m.steps)
		m.pgbouncer()
		m.steps[first].After = m.poolAuthDone()
	}
}

// leader is the member that leads the cluster.
func (m *member) leader() *member {
	i := m.c.Leader()
	return &member{d: m.d, c: m.c, i: i, p: i.Param, verifiers: m.verifiers}
}

// poolIdentLines are the lines of pg_ident.conf.
func (m *member) poolIdentLines() []string {
	if !m.poolAsks() {
		return nil
	}
	return []string{poolIdent + " " + m.p.PgDbsu + " " + model.PoolLogin}
}

// poolLoginHBA lets the pool's process in as its login, and nobody else, from nowhere else.
func (m *member) poolLoginHBA() []string {
	if !m.poolAsks() {
		return nil
	}
	return []string{
		"local postgres " + model.PoolLogin + " peer map=" + poolIdent,
		"local all " + model.PoolLogin + " reject",
		"host all " + model.PoolLogin + " all reject",
	}
}

// poolRefusals keep those out of a pool that asks whom the inventory does not let through it.
func (m *member) poolRefusals() []string {
	if !m.poolAsks() {
		return nil
	}
	refused := []string{model.PoolLogin}
	for _, u := range m.inventoryUsers() {
		if _, system := m.systemPassword(u.Name); !system && u.Login && !u.Pgbouncer && u.State != "absent" {
			refused = append(refused, u.Name)
		}
	}
	var lines []string
	for _, name := range refused {
		lines = append(lines, "local all "+role(name)+" reject", "host all "+role(name)+" 0.0.0.0/0 reject", "host all "+role(name)+" ::/0 reject")
	}
	return lines
}
