package cli

import (
	"github.com/spf13/cobra"

	"pigsty/internal/controller"
	"pigsty/internal/inventory"
	"pigsty/internal/view"
)

func newConnectCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "connect [CLUSTER]",
		Short: "Show how to connect to the clusters' services",
		Long: `Print a psql command for each service of each cluster, with the first business user and
database of the inventory. Passwords are not printed: those that the inventory gives are there,
generated ones in .pigsty/ beside it. No node is contacted.`,
		Example: `  pigsty connect
  pigsty connect pg-test`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			_, d, problems := controller.Read(a.inventory, inventory.Options{Extra: a.extra})
			problems.Write(a.err)
			if err := problems.Err(); err != nil {
				return &exitError{code: exitFailed}
			}
			return view.Connections(a.out, d, args)
		},
	}
}
