package cli

import (
	"github.com/spf13/cobra"

	"pigsty/internal/view"
)

func newPgDbCommand(a *app) *cobra.Command {
	var output string
	list := &cobra.Command{
		Use:   "list CLUSTER",
		Short: "List the databases of a cluster beside those that the inventory declares",
		Long: `List the databases that a cluster has: what declares each, owner, size, encoding and locale, sessions
on all members and their limit, how pgBouncer serves it, how many transactions ago its oldest unfrozen
one began, and its extensions. A database that is declared and not there is named.`,
		Example: `  pigsty pg db pg-test
  pigsty pg db list pg-test -o json | jq -r '.databases[] | "\(.size) \(.name)"' | sort -n`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			site, dial, err := a.reach()
			if err != nil {
				return err
			}
			databases, err := site.Databases(cmd.Context(), args[0], dial)
			if err != nil {
				return err
			}
			if output != "table" {
				return encode(a.out, output, databases)
			}
			view.Databases(a.out, databases, view.Color(a.out))
			return nil
		},
	}
	outputFlag(list, &output, "table", "json", "yaml")
	return a.things("db", "Databases of a cluster: what there is, and make one as declared", list)
}
