package pgsql

import (
	"pigsty/internal/operation"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

var promote = operation.Verb{
	Parent: "pg",
	Usage:  "promote CLUSTER",
	Short:  "Make a standby cluster take writes of its own",
	Long: `Make a cluster that follows another (pg_upstream) take writes of its own, and wait until it does. What
its source acknowledged and it has not received is not in it; what a delay (pg_delay) holds back is
replayed first, deletions as well: stop the replay and save what you need before.

From then on there are two clusters with a common past, and clients may write to either: the name has
to be typed. The way back is a new copy of the data. Remove pg_upstream from the inventory afterwards;
the next apply makes roles and databases here.`,
	Example: `  pigsty pg promote pg-dr --plan
  pigsty pg promote pg-dr --yes-destroy pg-dr`,
	Destroys: true,
	Prepare: operation.Plain(func(string) operation.Steps {
		return operate(func(m *member) resource.Resource {
			return &postgres.Promote{Cluster: m.c.Name, API: m.api()}
		})
	}),
}
