package controller

import (
	"context"
	"slices"
	"strings"

	"pigsty/internal/inspect"
	"pigsty/internal/model"
	"pigsty/internal/param"
)

// Users are the roles of a cluster beside those that the inventory declares.
type Users struct {
	Cluster string   `json:"cluster"`
	From    string   `json:"from"` // the instance that was asked
	Users   []User   `json:"users"`
	Notes   []string `json:"notes,omitempty"` // what could not be asked
}

// User is a role, of the server or of the inventory or of both.
type User struct {
	inspect.Role
	// Declared is what makes it: pg_users, pg_default_roles, pigsty for those that the platform
	// itself needs; empty for a role that the inventory does not know.
	Declared string `json:"declared,omitempty"`
	Place    string `json:"place,omitempty"`   // where the inventory does, file:line:column
	Missing  bool   `json:"missing,omitempty"` // declared, and not there
	Unwanted bool   `json:"unwanted,omitempty"`
	Pool     bool   `json:"pool"` // pgBouncer knows it
}

// Users asks a cluster for its roles. Sessions are those of all members that answer.
func (s *Site) Users(ctx context.Context, cluster string, dial Dialer) (*Users, error) {
	all, err := s.inspect(ctx, cluster, dial, func(_ *model.PgInstance, q *inspect.Query) { q.Roles = true })
	if err != nil {
		return nil, err
	}
	from, answer, err := all.leader()
	if err != nil {
		return nil, err
	}
	report := &Users{Cluster: all.cluster.Name, From: from.Name}
	pool := all.poolUsers()
	for _, r := range answer.Roles {
		for name, other := range all.answers {
			if name != from.Name {
				r.Sessions += sessionsOf(other.Roles, r.Name)
			}
		}
		report.Users = append(report.Users, User{Role: r, Pool: slices.Contains(pool, r.Name)})
	}
	report.declare(from, all.cluster)
	report.Notes = all.notes
	return report, nil
}

func sessionsOf(roles []inspect.Role, name string) int {
	for _, r := range roles {
		if r.Name == name {
			return r.Sessions
		}
	}
	return 0
}

// poolUsers are those that the pool of any member knows.
func (c *contents) poolUsers() []string {
	var names []string
	for _, answer := range c.answers {
		if answer.Pool != nil {
			names = append(names, answer.Pool.Users...)
		}
	}
	return names
}

// declare holds the roles against the inventory's, and adds those that are not there.
func (u *Users) declare(from *model.PgInstance, c *model.PgCluster) {
	p := c.Param
	for _, name := range []string{from.Param.PgDbsu, p.PgReplicationUsername, p.PgMonitorUsername, p.PgAdminUsername} {
		u.find(name).Declared = "pigsty"
	}
	for _, list := range []struct {
		variable string
		users    []param.User
	}{{"pg_default_roles", p.PgDefaultRoles}, {"pg_users", p.PgUsers}} {
		for _, wanted := range list.users {
			there := u.has(wanted.Name)
			if wanted.State == "absent" && !there {
				continue
			}
			user := u.find(wanted.Name)
			user.Declared, user.Unwanted = list.variable, wanted.State == "absent"
			user.Place = place(c.EntryPos(list.variable, wanted.Name))
		}
	}
	slices.SortFunc(u.Users, func(a, b User) int { return strings.Compare(a.Name, b.Name) })
}

func (u *Users) has(name string) bool {
	return slices.ContainsFunc(u.Users, func(o User) bool { return o.Name == name })
}

// find is the user of a name, which is added as missing when there is none.
func (u *Users) find(name string) *User {
	n := slices.IndexFunc(u.Users, func(o User) bool { return o.Name == name })
	if n < 0 {
		u.Users = append(u.Users, User{Role: inspect.Role{Name: name}, Missing: true})
		n = len(u.Users) - 1
	}
	return &u.Users[n]
}
