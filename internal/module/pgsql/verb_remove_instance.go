package pgsql

import (
	"fmt"
	"slices"

	"github.com/spf13/pflag"

	"pigsty/internal/model"
	"pigsty/internal/operation"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

var removeInstance = operation.Verb{
	Parent: "remove",
	Usage:  "instance NAME",
	Short:  "Take a replica out of its cluster",
	Long: `Stop and disable a replica's services, set its data aside, on the same disk under its name with the time
added, and remove its settings and certificates from its node. Packages and accounts stay. pigsty undo NAME
brings it back with its data until they expire.

Whoever leads the cluster now is refused, whatever pg_role says; so is an instance that pg_safeguard protects,
and the last replica that can be synchronous where writes need one.

Of an instance whose node is gone for good, --skip-unreachable removes what the cluster still has of it.

Exit code 0: done, or nothing to do. 2: with --plan, there is something to do. 1: refused or failed.`,
	Example: `  pigsty remove instance pg-test-4 --plan -e pg_safeguard=false
  pigsty remove instance pg-test-4 -e pg_safeguard=false --yes-destroy pg-test-4
  pigsty undo pg-test-4`,
	Destroys: true,
	Prepare: func(flags *pflag.FlagSet) operation.Compile {
		f := removalFlagsOf(flags)
		return func(args []string) (operation.Steps, error) {
			return func(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error) {
				return f.instance(d, c, args[0])
			}, f.check()
		}
	},
	Next: `The other members' HAProxy now finds it down. Take its host out of the inventory and apply, and they forget
it; an apply that still finds it listed makes it anew.`,
}

// instance lists how one member goes, which another member is asked to spare.
func (f removalFlags) instance(d *model.Deployment, c *model.PgCluster, name string) ([]resource.Step, error) {
	n := slices.IndexFunc(c.Instances, func(i *model.PgInstance) bool { return i.Name == name })
	if n < 0 {
		return nil, fmt.Errorf("%s is a cluster: name one of its instances, or remove cluster takes all of them", name)
	}
	i := c.Instances[n]
	if err := f.allowed(i); err != nil {
		return nil, err
	}
	if len(c.Instances) == 1 {
		return nil, fmt.Errorf("%s is the only instance of %s: remove cluster takes both", name, c.Name)
	}
	if !i.Node.Known && !*f.skipUnreachable {
		return nil, fmt.Errorf("%s on %s cannot be reached, and would keep its server and its data: mend that, or say --skip-unreachable when the node is gone for good",
			name, i.Node.Addr)
	}
	leader, err := liveLeader(c, i)
	if err != nil {
		return nil, err
	}
	m := &member{d: d, c: c, i: leader, p: leader.Param}
	m.add(&postgres.Parting{Cluster: c.Name, API: m.api(), Member: name, Away: !i.Node.Known})
	key := c.EtcdPrefix() + "members/" + name
	if !i.Node.Known {
		m.forget(key, "")
		return append(m.steps, unregistered(d, c, i)...), nil
	}
	asked := m.steps[0].Ref()
	going, wanted := removing(d, c, i)
	going.stop(asked)
	going.forget(key, "")
	going.clear(f.removal(name), wanted)
	steps := append(m.steps, going.steps...)
	return append(steps, unregistered(d, c, i)...), nil
}

// liveLeader is the member that leads now, as Patroni says, and never the declared primary: a
// failover may have moved the role. It is an error when that is the one that is to go, or when
// nobody knows.
func liveLeader(c *model.PgCluster, going *model.PgInstance) (*model.PgInstance, error) {
	for _, asked := range c.Instances {
		p := asked.Node.Facts.Patroni
		if p == nil || p.Leader == "" {
			continue
		}
		if p.Leader == going.Name {
			return nil, fmt.Errorf("%s is the primary of %s: switch over first (pigsty pg switchover %s), then remove it", going.Name, c.Name, c.Name)
		}
		n := slices.IndexFunc(c.Instances, func(i *model.PgInstance) bool { return i.Name == p.Leader })
		if n >= 0 && c.Instances[n].Node.Facts.Patroni != nil {
			return c.Instances[n], nil
		}
		return asked, nil
	}
	return nil, fmt.Errorf("nobody says who leads %s, so it might be %s: see pigsty pg list %s; remove cluster takes all members", c.Name, going.Name, c.Name)
}
