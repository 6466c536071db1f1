package cli

import (
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pigsty/internal/controller"
	"pigsty/internal/view"
)

func newPgPsqlCommand(a *app) *cobra.Command {
	var database string
	var commands []string
	cmd := &cobra.Command{
		Use:   "psql CLUSTER|INSTANCE [-- ARGUMENT...]",
		Short: "Open psql on the node of a cluster's leader, or of an instance",
		Long: `Run psql over ssh on the node of an instance or of whoever leads the cluster now, as the user that
runs the server, which needs no password. Arguments after -- are psql's; files that they name are the
node's. With -c, or when standard input is not a terminal, psql is given none.

On a terminal, sudo asks there where it wants a password; otherwise it is given
ansible_become_password. Ends with psql's exit code.`,
		Example: `  pigsty pg psql pg-test
  pigsty pg psql pg-test-2 -d test -c 'SELECT pg_is_in_recovery()'
  pigsty pg psql pg-test -d test -- -v ON_ERROR_STOP=1 -1 <change.sql`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			site, err := a.openSite()
			if err != nil {
				return err
			}
			dial, err := a.dialer()
			if err != nil {
				return err
			}
			p := controller.Psql{Target: args[0], Database: database, Args: args[1:]}
			for _, c := range commands {
				p.Args = append(p.Args, "-c", c)
			}
			p.Terminal = a.terminal() && !slices.ContainsFunc(p.Args, reads)
			return exitStatus(site.Psql(cmd.Context(), p, dial, controller.Streams{In: a.in, Out: a.out, Err: a.err}))
		},
	}
	cmd.Flags().StringVarP(&database, "dbname", "d", "", "`database`; psql's own default is the one of its user's name")
	cmd.Flags().StringArrayVarP(&commands, "command", "c", nil, "run an `SQL` command, or psql's own, and end; may be repeated")
	return cmd
}

// reads tells of an argument by which psql has its commands from elsewhere than a person.
func reads(arg string) bool {
	return strings.HasPrefix(arg, "-c") || strings.HasPrefix(arg, "-f") || strings.HasPrefix(arg, "-l") ||
		strings.HasPrefix(arg, "--command") || strings.HasPrefix(arg, "--file") || strings.HasPrefix(arg, "--list")
}

// terminal tells whether a person types and reads here.
func (a *app) terminal() bool {
	in, ok := a.in.(*os.File)
	if !ok {
		return false
	}
	_, types := view.Terminal(in)
	_, reads := view.Terminal(a.out)
	return types && reads
}
