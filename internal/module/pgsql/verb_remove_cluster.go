package pgsql

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"pigsty/internal/model"
	"pigsty/internal/operation"
	"pigsty/internal/register"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

var removeCluster = operation.Verb{
	Parent: "remove",
	Usage:  "cluster NAME",
	Short:  "Take a whole cluster off its nodes",
	Long: `Stop a cluster's services on all its nodes, the primary last, so that nothing is lost; set the data of every
member aside, on the same disk under its name with the time added; remove what the cluster has in etcd,
and its settings, certificates and virtual address from the nodes. Packages and accounts stay.

pigsty undo NAME brings the cluster back with its data until they expire. A cluster that pg_safeguard
protects is refused. A member whose node cannot be reached is refused, too, unless --skip-unreachable
leaves it as it is: when its node comes back, remove the cluster again.

As long as the inventory lists the cluster, the next apply makes a new one, which is empty.

Exit code 0: done, or nothing to do. 2: with --plan, there is something to do. 1: refused or failed.`,
	Example: `  pigsty remove cluster pg-test --plan -e pg_safeguard=false
  pigsty remove cluster pg-test -e pg_safeguard=false --yes-destroy pg-test
  pigsty undo pg-test`,
	Destroys: true,
	Prepare: func(flags *pflag.FlagSet) operation.Compile {
		f := removalFlagsOf(flags)
		return func(args []string) (operation.Steps, error) {
			return func(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error) {
				if args[0] != c.Name {
					return nil, fmt.Errorf("%s is an instance of %s: remove instance takes it out of its cluster", args[0], c.Name)
				}
				return f.cluster(d, c)
			}, f.check()
		}
	},
	Next: `The inventory still lists the cluster: an apply would make a new one, which is empty. Take it out,
or bring the old one back with pigsty undo.`,
}

// removalFlags are those of the verbs that take instances off their nodes.
type removalFlags struct {
	days            *int
	now             *bool
	skipUnreachable *bool
}

func removalFlagsOf(flags *pflag.FlagSet) removalFlags {
	return removalFlags{
		days: keepFlag(flags), now: flags.Bool("now", false, "delete the data at once, which pg_clean has to allow"),
		skipUnreachable: flags.Bool("skip-unreachable", false, "go on without nodes that cannot be reached"),
	}
}

// keepDays is how long what was removed can be brought back.
const keepDays = 7

func keepFlag(flags *pflag.FlagSet) *int {
	return flags.Int("keep", keepDays, "how many `days` undo can bring it back; 0 for until somebody deletes it")
}

func (f removalFlags) check() error {
	if *f.days < 0 {
		return fmt.Errorf("--keep takes a number of days, and %d is none", *f.days)
	}
	return nil
}

// allowed refuses instances that are protected, and to delete data that are.
func (f removalFlags) allowed(i *model.PgInstance) error {
	switch {
	case i.Param.PgSafeguard:
		return fmt.Errorf("%s is protected by pg_safeguard; to remove it all the same, say -e pg_safeguard=false", i.Name)
	case *f.now && !i.Param.PgClean:
		return fmt.Errorf("the data of %s are not deleted at once: pg_clean is false; leave out --now to set them aside, or say -e pg_clean=true", i.Name)
	}
	return nil
}

func (f removalFlags) removal(as string) removal { return removal{as: as, days: *f.days, now: *f.now} }

// cluster lists how all members go: replicas first, so that the primary has nobody to hand over
// to, then the primary and what the store has of the cluster.
func (f removalFlags) cluster(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error) {
	var away []string
	var here []*model.PgInstance
	for _, i := range c.Instances {
		if err := f.allowed(i); err != nil {
			return nil, err
		}
		if i.Node.Known {
			here = append(here, i)
		} else {
			away = append(away, fmt.Sprintf("%s on %s", i.Name, i.Node.Addr))
		}
	}
	switch {
	case len(here) == 0:
		return nil, fmt.Errorf("no node of cluster %s can be reached: nothing can be done from here", c.Name)
	case len(away) > 0 && !*f.skipUnreachable:
		return nil, fmt.Errorf("%s cannot be reached, and would keep its server and its data: mend that, or go on without it (--skip-unreachable) and remove %s again when it is back",
			strings.Join(away, ", "), c.Name)
	}
	return f.members(d, c, here), nil
}

// members lists how the members that can be reached go; the last to stop also clears the store.
func (f removalFlags) members(d *model.Deployment, c *model.PgCluster, here []*model.PgInstance) []resource.Step {
	last := here[0]
	for _, i := range here {
		if i == c.Leader() {
			last = i
		}
	}
	ask := &postgres.Parting{Cluster: c.Name}
	asked := resource.Ref{Node: last.Node.Addr, ID: resource.ID(ask)}
	var steps []resource.Step
	var stopped []resource.Ref
	for _, i := range here {
		if i == last {
			continue
		}
		m, wanted := removing(d, c, i)
		m.stop(asked)
		m.clear(f.removal(c.Name), wanted)
		steps = append(steps, m.steps...)
		stopped = append(stopped, patroniStopped(i))
	}
	m, wanted := removing(d, c, last)
	ask.API = m.api()
	m.add(ask)
	m.stop(stopped...)
	m.forget(c.EtcdPrefix(), c.EtcdUser())
	m.clear(f.removal(c.Name), wanted)
	steps = append(append(steps, m.steps...), unregistered(d, c, c.Instances...)...)
	return append(steps, register.Removal(d, "pgsql", vipProbe(c))...)
}
