package cli

import (
	"github.com/spf13/cobra"

	"pigsty/internal/view"
)

func newStatusCommand(a *app) *cobra.Command {
	var limit, output string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how nodes, etcd and clusters are right now",
		Long: `Ask every node how it is and show nodes, etcd members and PostgreSQL clusters with their roles,
timelines, lag, virtual addresses and services.

Exit code 0: healthy. 2: something is down, missing or behind. 1: nothing could be asked.`,
		Example: `  pigsty status
  pigsty status -l pg-test
  pigsty status -o json | jq '.clusters[].members'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			site, dial, err := a.reach()
			if err != nil {
				return err
			}
			status, err := site.Status(cmd.Context(), limit, dial)
			if err != nil {
				return err
			}
			if output == "table" {
				view.Status(a.out, status, view.Color(a.out))
			} else if err := encode(a.out, output, status); err != nil {
				return err
			}
			if !status.Healthy() {
				return &exitError{code: exitPending}
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&limit, "limit", "l", "", "only these hosts and their clusters: a limit `pattern`")
	outputFlag(cmd, &output, "table", "json", "yaml")
	return cmd
}
