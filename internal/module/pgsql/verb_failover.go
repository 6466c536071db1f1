package pgsql

import (
	"pigsty/internal/operation"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

var failover = operation.Verb{
	Parent: "pg",
	Usage:  "failover INSTANCE",
	Short:  "Make a member the leader of a cluster that has lost its own",
	Long: `Make a member the leader of a cluster whose leader is lost, where no member is promoted by itself:
while the cluster is paused, or because all are too far behind. What the lost leader acknowledged and
this member has not received is gone, so the instance's name has to be typed. A cluster whose leader
runs is refused: a switchover loses nothing.`,
	Example: `  pigsty pg failover pg-test-2 --plan
  pigsty pg failover pg-test-2 --yes-destroy pg-test-2`,
	Destroys: true,
	Prepare: operation.Plain(func(instance string) operation.Steps {
		return operate(func(m *member) resource.Resource {
			return &postgres.Failover{Cluster: m.c.Name, API: m.api(), To: instance}
		})
	}),
}
