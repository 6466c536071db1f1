package pgsql

import (
	"github.com/spf13/pflag"

	"pigsty/internal/operation"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

var restart = operation.Verb{
	Parent: "pg",
	Usage:  "restart CLUSTER|INSTANCE",
	Short:  "Restart PostgreSQL, one member at a time and the leader last",
	Long: `Restart PostgreSQL on one instance, or on all members of a cluster: one at a time, each when the
one before serves again, the leader last. The run stops at the first that does not come back.`,
	Example: `  pigsty pg restart pg-test-2
  pigsty pg restart pg-test --pending           # only where a setting waits for it
  pigsty pg restart pg-test --switchover        # a replica takes over before the leader restarts`,
	Prepare: func(flags *pflag.FlagSet) operation.Compile {
		pending := flags.Bool("pending", false, "only members that a setting waits for")
		bySwitchover := flags.Bool("switchover", false, "hand the leader's role to a replica before it restarts")
		return func(args []string) (operation.Steps, error) {
			return operate(func(m *member) resource.Resource {
				r := &postgres.Restart{Cluster: m.c.Name, API: m.api(), Members: membersOf(m.c, args[0]), Pending: *pending}
				if *bySwitchover {
					r.Method, r.Pool = postgres.RestartBySwitchover, m.handover()
				}
				return r
			}), nil
		}
	},
}

var reload = operation.Verb{
	Parent: "pg",
	Usage:  "reload CLUSTER|INSTANCE",
	Short:  "Make PostgreSQL and Patroni read their settings again",
	Long:   `Make one instance, or all members of a cluster, read their settings and access rules again. No connection is lost.`,
	Example: `  pigsty pg reload pg-test
  pigsty pg reload pg-test-2`,
	Prepare: operation.Plain(func(name string) operation.Steps {
		return operate(func(m *member) resource.Resource {
			return &postgres.Reload{Cluster: m.c.Name, API: m.api(), Members: membersOf(m.c, name)}
		})
	}),
}
