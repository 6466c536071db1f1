package cli

import (
	"github.com/spf13/cobra"

	"pigsty/internal/module"
)

func newPgFailoverCommand(a *app) *cobra.Command {
	var f operationFlags
	cmd := &cobra.Command{
		Use:   "failover INSTANCE",
		Short: "Make a member the leader of a cluster that has lost its own",
		Long: `Make a member the leader of a cluster whose leader is lost, where no member is promoted by itself:
while the cluster is paused, or because all are too far behind. What the lost leader acknowledged and
this member has not received is gone, so the instance's name has to be typed. A cluster whose leader
runs is refused: a switchover loses nothing.`,
		Example: `  pigsty pg failover pg-test-2 --plan
  pigsty pg failover pg-test-2 --yes-destroy pg-test-2`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.destroys = args[0]
			return a.operate(cmd.Context(), "pg failover", args[0], f, module.Failover(args[0]))
		},
	}
	f.addDestroying(cmd)
	return cmd
}
