package cli

import (
	"github.com/spf13/cobra"

	"pigsty/internal/view"
)

func newPgUserCommand(a *app) *cobra.Command {
	var output string
	list := &cobra.Command{
		Use:   "list CLUSTER",
		Short: "List the roles of a cluster beside those that the inventory declares",
		Long: `List the roles that a cluster has: what declares each, whether it may log in, what it may do beyond
others, the roles it is a member of, when its password expires, its sessions on all members and their
limit, and whether pgBouncer knows it. A role that is declared and not there is named, and so is one
that is there and declared absent. Passwords are not shown.`,
		Example: `  pigsty pg user pg-test
  pigsty pg user list pg-test -o json | jq -r '.users[] | select(.superuser) | .name'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			site, dial, err := a.reach()
			if err != nil {
				return err
			}
			users, err := site.Users(cmd.Context(), args[0], dial)
			if err != nil {
				return err
			}
			if output != "table" {
				return encode(a.out, output, users)
			}
			view.Users(a.out, users, view.Color(a.out))
			return nil
		},
	}
	outputFlag(list, &output, "table", "json", "yaml")
	return a.things("user", "Roles of a cluster: what there is, and make one as declared", list)
}

// things is a command with verbs about one kind of thing; named with a cluster alone it lists them.
func (a *app) things(name, short string, list *cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: name + " [CLUSTER]", Short: short,
		Long:    short + ". With a cluster and no verb it is list.",
		Example: list.Example,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return list.RunE(cmd, args)
		},
	}
	cmd.Flags().AddFlagSet(list.Flags())
	cmd.AddCommand(list)
	cmd.AddCommand(a.verbCommands("pg " + name)...)
	return cmd
}
