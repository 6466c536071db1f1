package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"pigsty/internal/controller"
	"pigsty/internal/view"
)

func newPgHbaCommand(a *app) *cobra.Command {
	var output string
	var login controller.Login
	list := &cobra.Command{
		Use:   "list CLUSTER|INSTANCE",
		Short: "List the access rules in force, and say which decides about a login",
		Long: `List the access rules of an instance, or of a cluster's leader, and those of its pgBouncer, in the
order in which they are tried; the first that matches decides. Each stands with the place in the
inventory that it comes from. Rules that cannot be read, and rules of the inventory that are not in
force, are named.

With --user, --db and --addr it says instead which rule decides about such a login, and what that
asks for. Nobody logs in for that, and no password is tried. --db replication stands for the stream
of a replica. Exit code 0: it is let in or asked for proof. 2: it is refused.`,
		Example: `  pigsty pg hba pg-test
  pigsty pg hba pg-test-3
  pigsty pg hba pg-test --user app --db shop --addr 10.10.10.99
  pigsty pg hba pg-test --user dbuser_dba --db postgres --addr 10.10.10.99 --ssl
  pigsty pg hba pg-test --user app --db shop --addr local --pool`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			asked := login != controller.Login{}
			if asked && (login.User == "" || login.Database == "" || login.Addr == "") {
				return errors.New("a login is a user, a database and an address: give --user, --db and --addr")
			}
			site, dial, err := a.reach()
			if err != nil {
				return err
			}
			rules, err := site.Rules(cmd.Context(), args[0], dial)
			if err != nil {
				return err
			}
			if asked {
				return a.decide(rules, login, output)
			}
			if output != "table" {
				return encode(a.out, output, rules)
			}
			view.Rules(a.out, rules, view.Color(a.out))
			return nil
		},
	}
	outputFlag(list, &output, "table", "json", "yaml")
	list.Flags().StringVar(&login.User, "user", "", "the `name` that somebody logs in by")
	list.Flags().StringVar(&login.Database, "db", "", "the `database`, or replication")
	list.Flags().StringVar(&login.Addr, "addr", "", "the client's `address`, or local for the Unix socket")
	list.Flags().BoolVar(&login.TLS, "ssl", false, "the client speaks TLS")
	list.Flags().BoolVar(&login.Pool, "pool", false, "by way of pgBouncer")
	return a.things("hba", "Access rules: what is in force, who is let in, and put the declared ones in force", list)
}

// decide says which rule decides about a login.
func (a *app) decide(rules *controller.Rules, login controller.Login, output string) error {
	verdict, err := rules.Decide(login)
	if err != nil {
		return err
	}
	if output == "table" {
		view.Verdict(a.out, verdict, view.Color(a.out))
	} else if err := encode(a.out, output, verdict); err != nil {
		return err
	}
	if verdict.Refused {
		return &exitError{code: exitPending}
	}
	return nil
}
