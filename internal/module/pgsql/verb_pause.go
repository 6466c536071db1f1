package pgsql

import (
	"pigsty/internal/operation"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

var pause = operation.Verb{
	Parent: "pg",
	Usage:  "pause CLUSTER",
	Short:  "Put a cluster into maintenance mode: nobody fails over",
	Long: `Put a cluster into maintenance mode. Patroni then leaves PostgreSQL alone: it neither starts nor
promotes anything, whatever fails, until the cluster is resumed. status and plan say so meanwhile.`,
	Example: `  pigsty pg pause pg-test`,
	Prepare: operation.Plain(func(string) operation.Steps { return maintenance(true) }),
}

var resume = operation.Verb{
	Parent:  "pg",
	Usage:   "resume CLUSTER",
	Short:   "End a cluster's maintenance mode",
	Long:    `End maintenance mode: from now on Patroni starts what is down and replaces a leader that is lost.`,
	Example: `  pigsty pg resume pg-test`,
	Prepare: operation.Plain(func(string) operation.Steps { return maintenance(nil) }),
}

// maintenance sets the key pause of the cluster's configuration; nil removes it.
func maintenance(paused any) operation.Steps {
	return operate(func(m *member) resource.Resource {
		return &postgres.PatroniConfig{
			Cluster: m.c.Name, Part: "pause", API: m.api(), Conn: m.conn(), Desired: map[string]any{"pause": paused}, Paused: true,
		}
	})
}
