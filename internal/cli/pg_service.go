package cli

import (
	"github.com/spf13/cobra"

	"pigsty/internal/view"
)

func newPgServiceCommand(a *app) *cobra.Command {
	var output string
	list := &cobra.Command{
		Use:   "list CLUSTER",
		Short: "List the services of a cluster and where each leads right now",
		Long: `List the services of a cluster, and behind each the instances as the HAProxy of every member sees
them right now: up or down, backup or not, sessions through all members, and what the last health
check answered. SERVES says that new connections go there. Members that see it differently are named.
Below stands how to connect.`,
		Example: `  pigsty pg service pg-test
  pigsty pg service list pg-test -o json | jq -r '.services[] | {name, to: [.servers[] | select(.serves) | .instance]}'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			site, dial, err := a.reach()
			if err != nil {
				return err
			}
			services, err := site.Services(cmd.Context(), args[0], dial)
			if err != nil {
				return err
			}
			if output != "table" {
				return encode(a.out, output, services)
			}
			view.Services(a.out, services, view.Color(a.out))
			return nil
		},
	}
	outputFlag(list, &output, "table", "json", "yaml")
	return a.things("service", "Services: where each leads right now, and put the declared ones in force", list)
}
