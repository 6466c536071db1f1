package cli

import (
	"github.com/spf13/cobra"

	"pigsty/internal/module"
)

// newPgPauseCommand is pause, or resume.
func newPgPauseCommand(a *app, on bool) *cobra.Command {
	var f operationFlags
	cmd := &cobra.Command{
		Use:   "pause CLUSTER",
		Short: "Put a cluster into maintenance mode: nobody fails over",
		Long: `Put a cluster into maintenance mode. Patroni then leaves PostgreSQL alone: it neither starts nor
promotes anything, whatever fails, until the cluster is resumed. status and plan say so meanwhile.`,
		Example: `  pigsty pg pause pg-test`,
		Args:    cobra.ExactArgs(1),
	}
	if !on {
		cmd.Use, cmd.Short = "resume CLUSTER", "End a cluster's maintenance mode"
		cmd.Long = `End maintenance mode: from now on Patroni starts what is down and replaces a leader that is lost.`
		cmd.Example = `  pigsty pg resume pg-test`
	}
	cmd.RunE = func(c *cobra.Command, args []string) error {
		return a.operate(c.Context(), "pg "+c.Name(), args[0], f, module.Pause(on))
	}
	f.add(cmd)
	return cmd
}
