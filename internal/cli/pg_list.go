package cli

import (
	"github.com/spf13/cobra"

	"pigsty/internal/view"
)

func newPgListCommand(a *app) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "list [CLUSTER...]",
		Short: "List clusters with a row for each member",
		Long: `Ask the nodes of the named clusters, or of all, and list their members: role, state, timeline,
bytes behind the leader, whether a setting waits for a restart, and Patroni's tags. Below stands what
is wrong: a cluster that is paused or has no leader, a node that cannot be asked.

Exit code 0: healthy. 2: something is down, missing or behind. 1: there is no such cluster.`,
		Example: `  pigsty pg list
  pigsty pg list pg-test
  pigsty pg list -o json | jq -r '.clusters[].members[] | select(.pending_restart) | .name'`,
		RunE: func(cmd *cobra.Command, names []string) error {
			site, dial, err := a.reach()
			if err != nil {
				return err
			}
			status, err := site.Clusters(cmd.Context(), names, dial)
			if err != nil {
				return err
			}
			if output == "table" {
				view.Members(a.out, status, view.Color(a.out))
			} else if err := encode(a.out, output, status); err != nil {
				return err
			}
			if !status.Healthy() {
				return &exitError{code: exitPending}
			}
			return nil
		},
	}
	outputFlag(cmd, &output, "table", "json", "yaml")
	return cmd
}
