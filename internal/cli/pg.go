package cli

import "github.com/spf13/cobra"

// newPgCommand is the parent of what a DBA does with a cluster that runs.
func newPgCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pg",
		Short: "Look at PostgreSQL clusters and operate them",
		Long: `Operate clusters that run: who leads, restarts, maintenance. What a cluster is made of stands in
the inventory and is changed by apply.`,
	}
	cmd.AddCommand(newPgSwitchoverCommand(a))
	return cmd
}
