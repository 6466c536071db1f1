package pgsql

import (
	"github.com/spf13/pflag"

	"pigsty/internal/operation"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

var switchover = operation.Verb{
	Parent: "pg",
	Usage:  "switchover CLUSTER",
	Short:  "Hand a cluster's leadership to another member",
	Long: `Hand the leadership of a healthy cluster to another member, and wait until that takes writes and
the old leader follows it. Nothing is lost. A member that is behind, not synchronous where others
are, or kept from leading is refused.

Clients of the pool wait for about two seconds and are served by the new leader from then on, over the
same connection. Transactions get five seconds to end; when one does not, nothing is changed and the
command says so. Clients at PostgreSQL itself are cut, and those by the virtual address, which moves.`,
	Example: `  pigsty pg switchover pg-test                  # to the fittest
  pigsty pg switchover pg-test --to pg-test-2
  pigsty pg switchover pg-test --cut            # also when transactions do not end
  pigsty pg switchover pg-test --plan`,
	Prepare: func(flags *pflag.FlagSet) operation.Compile {
		to := flags.String("to", "", "the `instance` that shall lead; the fittest when left out")
		cut := flags.Bool("cut", false, "cut all clients: do not wait until transactions have ended")
		return func([]string) (operation.Steps, error) {
			return handOver(*to, *cut), nil
		}
	},
}

// handOver makes the named member the leader, or the fittest when the name is empty. Clients of the
// pool are kept unless they are to be cut.
func handOver(to string, cut bool) operation.Steps {
	return operate(func(m *member) resource.Resource {
		s := &postgres.Switchover{Cluster: m.c.Name, API: m.api(), To: to}
		if !cut {
			s.Pool = m.handover()
		}
		return s
	})
}
