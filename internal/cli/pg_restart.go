package cli

import (
	"github.com/spf13/cobra"

	"pigsty/internal/module"
)

func newPgRestartCommand(a *app) *cobra.Command {
	var f operationFlags
	var pending, switchover bool
	cmd := &cobra.Command{
		Use:   "restart CLUSTER|INSTANCE",
		Short: "Restart PostgreSQL, one member at a time and the leader last",
		Long: `Restart PostgreSQL on one instance, or on all members of a cluster: one at a time, each when the
one before serves again, the leader last. The run stops at the first that does not come back.`,
		Example: `  pigsty pg restart pg-test-2
  pigsty pg restart pg-test --pending           # only where a setting waits for it
  pigsty pg restart pg-test --switchover        # a replica takes over before the leader restarts`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.operate(cmd.Context(), "pg restart", args[0], f, module.Restart(args[0], pending, switchover))
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&pending, "pending", false, "only members that a setting waits for")
	cmd.Flags().BoolVar(&switchover, "switchover", false, "hand the leader's role to a replica before it restarts")
	return cmd
}

func newPgReloadCommand(a *app) *cobra.Command {
	var f operationFlags
	cmd := &cobra.Command{
		Use:   "reload CLUSTER|INSTANCE",
		Short: "Make PostgreSQL and Patroni read their settings again",
		Long:  `Make one instance, or all members of a cluster, read their settings and access rules again. No connection is lost.`,
		Example: `  pigsty pg reload pg-test
  pigsty pg reload pg-test-2`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.operate(cmd.Context(), "pg reload", args[0], f, module.Reload(args[0]))
		},
	}
	f.add(cmd)
	return cmd
}
