package pgsql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"pigsty/internal/model"
	"pigsty/internal/operation"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

var removeDatabase = operation.Verb{
	Parent: "remove",
	Usage:  "database CLUSTER/NAME",
	Short:  "Take a database away from its users",
	Long: `Take a database out of pgBouncer, rename it and let nobody in. pigsty undo CLUSTER/NAME gives it back, with
all that is in it, until it expires and is dropped.

The inventory must not list it any more: take it out of pg_databases first, or the next apply makes a new one.
(With state: absent there, an apply drops it at once.) Sessions refuse it, unless --end-sessions ends them.

Exit code 0: done, or nothing to do. 2: with --plan, there is something to do. 1: refused or failed.`,
	Example: `  pigsty remove database pg-test/shop --plan
  pigsty remove database pg-test/shop --yes-destroy pg-test/shop
  pigsty undo pg-test/shop`,
	Destroys: true,
	Prepare: func(flags *pflag.FlagSet) operation.Compile {
		f := objectFlagsOf(flags, "drop it at once, with all its data, which pg_clean has to allow")
		return func(args []string) (operation.Steps, error) {
			return func(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error) {
				return f.database(d, c, args[0])
			}, f.check(args[0])
		}
	},
}

var removeUser = operation.Verb{
	Parent: "remove",
	Usage:  "user CLUSTER/NAME",
	Short:  "Take a user away",
	Long: `Take a user out of pgBouncer, rename it and let it log in no more. pigsty undo CLUSTER/NAME gives it back, with
its password, rights, memberships and settings, until it expires and is dropped.

The inventory must not list it any more: take it out of pg_users first, or the next apply makes it anew. A user
that has sessions is refused unless --end-sessions ends them; one that owns something, unless --reassign gives
that to the owner of the database that it lies in, which undo does not take back. Users that the platform
itself needs are refused, and roles that others are members of.

Exit code 0: done, or nothing to do. 2: with --plan, there is something to do. 1: refused or failed.`,
	Example: `  pigsty remove user pg-test/shop --plan
  pigsty remove user pg-test/shop --yes-destroy pg-test/shop
  pigsty undo pg-test/shop`,
	Destroys: true,
	Prepare: func(flags *pflag.FlagSet) operation.Compile {
		f := objectFlagsOf(flags, "drop it at once, which pg_clean has to allow")
		reassign := flags.Bool("reassign", false, "give what it owns to the owner of its database")
		return func(args []string) (operation.Steps, error) {
			return func(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error) {
				return f.user(d, c, args[0], *reassign)
			}, f.check(args[0])
		}
	},
}

// objectFlags are those of the verbs that remove something in a cluster.
type objectFlags struct {
	days *int
	now  *bool
	end  *bool
}

func objectFlagsOf(flags *pflag.FlagSet, now string) objectFlags {
	return objectFlags{
		days: keepFlag(flags), now: flags.Bool("now", false, now),
		end: flags.Bool("end-sessions", false, "end the sessions that use it"),
	}
}

func (f objectFlags) check(argument string) error {
	if _, name, found := strings.Cut(argument, "/"); !found || name == "" {
		return fmt.Errorf("%q names no cluster and what is in it: write it like pg-test/shop", argument)
	}
	return removalFlags{days: f.days}.check()
}

// allowed refuses what the inventory still wants.
func (f objectFlags) allowed(c *model.PgCluster, what, list, name string, at *model.Listed) error {
	switch {
	case at != nil && !at.Absent:
		return fmt.Errorf("%s: the inventory still lists %s %s: take it out of %s first, or the next apply would make it anew", at.Pos, what, name, list)
	case *f.now && !c.Param.PgClean:
		return fmt.Errorf("%s %s is not dropped at once: pg_clean is false; leave out --now to set it aside, or say -e pg_clean=true", what, name)
	}
	return nil
}

// database lists how pools let go of a database, then everybody, and how it is set aside.
func (f objectFlags) database(d *model.Deployment, c *model.PgCluster, as string) ([]resource.Step, error) {
	_, name, _ := strings.Cut(as, "/")
	if slices.Contains([]string{"postgres", "template0", "template1"}, name) {
		return nil, fmt.Errorf("%s is not removed: PostgreSQL itself, and its tools, need it", name)
	}
	if err := f.allowed(c, "database", "pg_databases", name, c.ListedDatabase(name)); err != nil {
		return nil, err
	}
	return inCluster(d, c, func(m *member) resource.Resource {
		f.expiry(m)
		return &postgres.NoSessions{Conn: m.conn(), Pool: m.pool(), Database: name, End: *f.end}
	}, func(m *member) resource.Resource {
		return &postgres.DatabaseAside{Conn: m.conn(), Pool: m.pool(), Database: name, As: as, Days: *f.days, Now: *f.now, End: *f.end}
	})
}

// user lists the same of a user.
func (f objectFlags) user(d *model.Deployment, c *model.PgCluster, as string, reassign bool) ([]resource.Step, error) {
	_, name, _ := strings.Cut(as, "/")
	if err := f.allowed(c, "user", "pg_users", name, c.ListedUser(name)); err != nil {
		return nil, err
	}
	m := &member{d: d, c: c, i: c.Primary(), p: c.Param}
	if _, system := m.systemPassword(name); system || m.hasRole(name) || strings.HasPrefix(name, "pg_") {
		return nil, fmt.Errorf("%s is not removed: the platform, or PostgreSQL itself, needs it", name)
	}
	return inCluster(d, c, func(m *member) resource.Resource {
		f.expiry(m)
		return &postgres.NoSessions{Conn: m.conn(), Pool: m.pool(), User: name, End: *f.end}
	}, func(m *member) resource.Resource {
		return &postgres.RoleAside{Conn: m.conn(), Role: name, As: as, Days: *f.days, Now: *f.now, End: *f.end, Reassign: reassign}
	})
}

// expiry lists what drops it in time.
func (f objectFlags) expiry(m *member) {
	if !*f.now {
		m.expiry()
	}
}

// inCluster lists a change on the leader's node, after the pools of all members have taken notice
// of the inventory and each member has been dealt with. Members that cannot be reached are left
// out: their server learns it from the leader.
func inCluster(d *model.Deployment, c *model.PgCluster, each, once func(m *member) resource.Resource) ([]resource.Step, error) {
	leader := c.Leader()
	if p := leader.Node.Facts.Patroni; p == nil {
		return nil, fmt.Errorf("nobody takes writes in cluster %s: see pigsty pg list %s", c.Name, c.Name)
	}
	var steps []resource.Step
	var dealt []resource.Ref
	members := slices.DeleteFunc(slices.Clone(c.Instances), func(i *model.PgInstance) bool {
		return !i.Node.Known || !i.Node.Facts.PgData || i == leader
	})
	for _, i := range append(members, leader) {
		m := &member{d: d, c: c, i: i, p: i.Param, verifiers: map[[2]string]string{}}
		if m.p.PgbouncerEnabled {
			m.pgbouncer()
			m.branch = ""
		}
		if each != nil {
			dealt = append(dealt, m.add(each(m)).Ref())
		}
		if i == leader {
			m.add(once(m)).After = slices.DeleteFunc(dealt, func(r resource.Ref) bool { return r.Node == leader.Node.Addr })
		}
		steps = append(steps, m.steps...)
	}
	return steps, nil
}
