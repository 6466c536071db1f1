package cli

import (
	"github.com/spf13/cobra"

	"pigsty/internal/module"
)

func newPgSwitchoverCommand(a *app) *cobra.Command {
	var f operationFlags
	var to string
	cmd := &cobra.Command{
		Use:   "switchover CLUSTER",
		Short: "Hand a cluster's leadership to another member",
		Long: `Hand the leadership of a healthy cluster to another member, and wait until that takes writes and
the old leader follows it. Nothing is lost. A member that is behind, not synchronous where others
are, or kept from leading is refused.`,
		Example: `  pigsty pg switchover pg-test                  # to the fittest
  pigsty pg switchover pg-test --to pg-test-2
  pigsty pg switchover pg-test --plan`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.operate(cmd.Context(), "pg switchover", args[0], f, module.Switchover(to))
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&to, "to", "", "the `instance` that shall lead; the fittest when left out")
	return cmd
}
