package cli

import (
	"github.com/spf13/cobra"

	"pigsty/internal/module"
)

func newPgReinitCommand(a *app) *cobra.Command {
	var f operationFlags
	cmd := &cobra.Command{
		Use:   "reinit INSTANCE",
		Short: "Have a replica copy its data anew",
		Long: `Delete the data of a replica that cannot catch up any more, copy them anew from the cluster, and
wait until it follows again. The leader is refused. Because data are deleted, the instance's name has
to be typed.`,
		Example: `  pigsty pg reinit pg-test-3 --plan
  pigsty pg reinit pg-test-3 --yes-destroy pg-test-3`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.destroys = args[0]
			return a.operate(cmd.Context(), "pg reinit", args[0], f, module.Reinit(args[0]))
		},
	}
	f.addDestroying(cmd)
	return cmd
}
