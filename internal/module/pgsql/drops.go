package pgsql

import (
	"slices"

	"pigsty/internal/param"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

// inventoryUsers are all roles of the inventory.
func (m *member) inventoryUsers() []param.User {
	return slices.Concat(m.c.Param.PgDefaultRoles, m.c.Param.PgUsers)
}

// drops are the steps on the leader's node that drop databases and users.
func (m *member) drops() (databases, users []resource.Ref) {
	leader := m.leader()
	if !leader.provisions() {
		return nil, nil
	}
	on := func(r resource.Resource) resource.Ref {
		return resource.Ref{Node: leader.i.Node.Addr, ID: resource.ID(r)}
	}
	for _, d := range m.c.Param.PgDatabases {
		if d.State == "absent" {
			databases = append(databases, on(&postgres.Database{Database: d.Name}))
		}
	}
	for _, u := range m.inventoryUsers() {
		if u.State == "absent" {
			users = append(users, on(&postgres.Role{Role: u.Name}))
		}
	}
	return databases, users
}

// waitsForDrops tells whether the pool has something to forget once it is dropped.
func (m *member) waitsForDrops() bool {
	databases, users := m.drops()
	return len(databases)+len(users) > 0
}

// unused lists, on members that do not lead, that nobody uses what the leader is to drop. A delayed
// member serves nobody, and learns of a drop late.
func (m *member) unused(of postgres.Unused) {
	if m.i == m.c.Leader() || !m.leader().provisions() || m.i.Delayed() {
		return
	}
	of.Conn, of.Pool, of.Instance = m.conn(), m.pool(), m.i.Name
	m.add(&of)
}

// unusedElsewhere are those steps of the other members.
func (m *member) unusedElsewhere(of postgres.Unused) []resource.Ref {
	var refs []resource.Ref
	for _, i := range m.c.Instances {
		if i != m.i && !i.Delayed() {
			refs = append(refs, resource.Ref{Node: i.Node.Addr, ID: resource.ID(&of)})
		}
	}
	return refs
}
