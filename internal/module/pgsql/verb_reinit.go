package pgsql

import (
	"pigsty/internal/operation"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

var reinit = operation.Verb{
	Parent: "pg",
	Usage:  "reinit INSTANCE",
	Short:  "Have a replica copy its data anew",
	Long: `Delete the data of a replica that cannot catch up any more, copy them anew from the cluster, and
wait until it follows again. The leader is refused. Because data are deleted, the instance's name has
to be typed.`,
	Example: `  pigsty pg reinit pg-test-3 --plan
  pigsty pg reinit pg-test-3 --yes-destroy pg-test-3`,
	Destroys: true,
	Prepare: operation.Plain(func(instance string) operation.Steps {
		return operate(func(m *member) resource.Resource {
			return &postgres.Reinit{Cluster: m.c.Name, API: m.api(), Member: instance}
		})
	}),
}
