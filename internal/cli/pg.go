package cli

import "github.com/spf13/cobra"

// newPgCommand is the parent of what a DBA does with a cluster that runs.
func newPgCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pg",
		Short: "Look at PostgreSQL clusters and operate them",
		Long: `Look at clusters that run, and operate them: who leads, restarts, maintenance. What a cluster is made of stands in
the inventory and is changed by apply.

Each that changes something says with --plan what it would do and what that costs, and asks otherwise. Exit code 0: done, or
nothing to do. 2: with --plan, there is something to do. 1: refused or failed.`,
	}
	cmd.AddCommand(newPgListCommand(a), newPgTopologyCommand(a), newPgWhyCommand(a), newPgPsqlCommand(a), newPgLogCommand(a))
	cmd.AddCommand(a.verbCommands("pg")...)
	cmd.AddCommand(newPgUserCommand(a), newPgDbCommand(a), newPgHbaCommand(a), newPgServiceCommand(a), newPgExtCommand(a))
	return cmd
}
