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
are, or kept from leading is refused.`,
	Example: `  pigsty pg switchover pg-test                  # to the fittest
  pigsty pg switchover pg-test --to pg-test-2
  pigsty pg switchover pg-test --plan`,
	Prepare: func(flags *pflag.FlagSet) operation.Compile {
		to := flags.String("to", "", "the `instance` that shall lead; the fittest when left out")
		return func([]string) (operation.Steps, error) {
			return handOver(*to), nil
		}
	},
}

// handOver makes the named member the leader, or the fittest when the name is empty.
func handOver(to string) operation.Steps {
	return operate(func(m *member) resource.Resource {
		return &postgres.Switchover{Cluster: m.c.Name, API: m.api(), To: to}
	})
}
