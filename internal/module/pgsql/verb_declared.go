package pgsql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"pigsty/internal/diag"
	"pigsty/internal/model"
	"pigsty/internal/operation"
	"pigsty/internal/param"
	"pigsty/internal/resource"
)

// declared is a verb that brings about a part of what the inventory says of a cluster, by the same
// steps as an apply. things is the command that has it, and names what it takes after the cluster.
func declared(things, names, short, long, example string, steps func(names []string) operation.Steps) operation.Verb {
	return operation.Verb{
		Parent: "pg " + things, Usage: strings.TrimSpace("apply CLUSTER " + names), Short: short, Long: long, Example: example,
		Prepare: func(*pflag.FlagSet) operation.Compile {
			return func(args []string) (operation.Steps, error) { return steps(args[1:]), nil }
		},
	}
}

var (
	applyUser = declared("user", "NAME...", "Make users what the inventory says, and nothing else",
		`Make the named users of pg_users or pg_default_roles what the inventory says, on the leader and in the
pool of every member: what apply does for them, without the rest.`,
		`  pigsty pg user apply pg-test reporter --plan
  pigsty pg user apply pg-test reporter -y`, usersSteps)

	applyDatabase = declared("db", "NAME...", "Make databases what the inventory says, and nothing else",
		`Make the named databases of pg_databases what the inventory says, on the leader and in the pool of
every member: what apply does for them, without the rest. Extensions that they declare are installed on
all members; where the server has to load a library for one it restarts, and the plan says so.`,
		`  pigsty pg db apply pg-test shop --plan
  pigsty pg db apply pg-test shop -y`, databasesSteps)

	applyRules = declared("hba", "", "Put the access rules of the inventory in force, and nothing else",
		`Write the access rules that the inventory says for PostgreSQL and pgBouncer of every member, and have
them read. No connection is lost. Patroni's file, which has PostgreSQL's rules, holds the instance's
settings as well: what is different there comes along, and the plan shows it.`,
		`  pigsty pg hba apply pg-test --plan
  pigsty pg hba apply pg-test -y`, func([]string) operation.Steps {
			return eachMember(func(m *member) {
				if m.c.Param.PatroniEnabled {
					m.patroniFile()
				}
				m.poolIfOn()
			})
		})

	applyServices = declared("service", "", "Put the services of the inventory in force, and nothing else",
		`Configure HAProxy of every member as the inventory says, and have it read that; connections that exist
go on. The certificate names the services, so PostgreSQL, pgBouncer and vip-manager read a new one where that
changes.`,
		`  pigsty pg service apply pg-test --plan
  pigsty pg service apply pg-test -y`, func([]string) operation.Steps {
			return eachMember(func(m *member) {
				m.certificate() // names every service
				if m.c.Param.PatroniEnabled {
					m.patroniFile()
				}
				m.poolIfOn()
				m.haproxy()
				if m.hasVIPManager() {
					m.vip()
				}
			})
		})
)

// eachMember lists steps for every member in turn.
func eachMember(list func(*member)) operation.Steps {
	return func(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error) {
		var steps []resource.Step
		verifiers := map[[2]string]string{}
		for _, i := range c.Instances {
			m := &member{d: d, c: c, i: i, p: i.Param, verifiers: verifiers}
			list(m)
			steps = append(steps, m.steps...)
		}
		return steps, nil
	}
}

// poolIfOn is the pool's steps, where there is one: who switched it off has its verb stop nothing.
func (m *member) poolIfOn() {
	if m.p.PgbouncerEnabled {
		m.pgbouncer()
	}
}

// writable refuses what needs a leader that takes writes.
func writable(d *model.Deployment, c *model.PgCluster) error {
	leader := c.Leader()
	m := &member{d: d, c: c, i: leader, p: leader.Param}
	switch {
	case !leader.Node.Known || leader.Node.Facts.Patroni == nil:
		return fmt.Errorf("nobody leads cluster %s: see pigsty pg list %s", c.Name, c.Name)
	case m.standby():
		return fmt.Errorf("cluster %s follows %s and takes no writes: do it there", c.Name, c.Param.PgUpstream)
	case !m.provisions():
		return fmt.Errorf("pg_provision is off for cluster %s, so pigsty makes nothing in it", c.Name)
	}
	return nil
}

func usersSteps(names []string) operation.Steps {
	return func(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error) {
		all := slices.Concat(c.Param.PgUsers, c.Param.PgDefaultRoles)
		var users []param.User
		for _, name := range names {
			n := slices.IndexFunc(all, func(u param.User) bool { return u.Name == name })
			if n < 0 {
				return nil, undeclared("user", name, "pg_users", c, nameList(all, func(u param.User) string { return u.Name }))
			}
			users = append(users, all[n])
		}
		if err := writable(d, c); err != nil {
			return nil, err
		}
		return eachMember(func(m *member) {
			for _, u := range users {
				if m.provisions() {
					m.branch = "pgsql/user " + u.Name
					m.add(m.role(u))
				}
			}
			m.poolIfOn()
		})(d, c)
	}
}

func databasesSteps(names []string) operation.Steps {
	return func(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error) {
		var chosen []param.Database
		for _, name := range names {
			n := slices.IndexFunc(c.Param.PgDatabases, func(o param.Database) bool { return o.Name == name })
			if n < 0 {
				return nil, undeclared("database", name, "pg_databases", c, nameList(c.Param.PgDatabases, func(o param.Database) string { return o.Name }))
			}
			chosen = append(chosen, c.Param.PgDatabases[n])
		}
		if err := writable(d, c); err != nil {
			return nil, err
		}
		var wanted []string
		for _, o := range chosen {
			for _, e := range o.Extensions {
				if e.State != "absent" && o.State != "absent" {
					wanted = append(wanted, e.Name)
				}
			}
		}
		return prepared(d, c, nil, loads(c, wanted), func(m *member) {
			for _, o := range chosen {
				m.branch = "pgsql/database " + o.Name
				m.one(o)
			}
		}, func(m *member) {
			for _, o := range chosen {
				m.branch = "pgsql/settings"
				m.late(o.Name, m.waiting(o.Extensions))
				if m.provisions() && m.waitsForBaseline(o) {
					m.branch = "pgsql/database " + o.Name
					m.baseline(o)
				}
			}
			m.branch = ""
			m.poolIfOn()
		}), nil
	}
}

// undeclared refuses a name that the inventory does not have.
func undeclared(kind, name, variable string, c *model.PgCluster, names []string) error {
	text := fmt.Sprintf("%s of cluster %s has no %s %s", variable, c.Name, kind, name)
	if near := diag.Nearest(name, names); near != "" {
		return fmt.Errorf("%s; did you mean %s?", text, near)
	}
	return fmt.Errorf("%s, but %s: add it to the inventory first", text, strings.Join(names, ", "))
}

func nameList[T any](list []T, name func(T) string) []string {
	names := make([]string, len(list))
	for n, one := range list {
		names[n] = name(one)
	}
	return names
}
