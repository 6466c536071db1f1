package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"pigsty/internal/controller"
	"pigsty/internal/view"
)

func newPgLogCommand(a *app) *cobra.Command {
	var lines int
	var follow, raw, patroni, pgbouncer bool
	cmd := &cobra.Command{
		Use:   "log INSTANCE",
		Short: "Show the end of an instance's log, and follow it",
		Long: `Show the last lines of the log that PostgreSQL, Patroni or pgBouncer writes on the node of an
instance. PostgreSQL's CSV is shown as time, level, user and database, and message, with details and
the statement below; another form of log is shown as it is.`,
		Example: `  pigsty pg log pg-test-1
  pigsty pg log pg-test-1 -f                    # until Ctrl-C, also as the file changes
  pigsty pg log pg-test-1 -n 1000 --patroni
  pigsty pg log pg-test-1 -n 100000 --raw >pg-test-1.csv`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			site, err := a.openSite()
			if err != nil {
				return err
			}
			source := controller.PostgresLog
			switch {
			case patroni:
				source = controller.PatroniLog
			case pgbouncer:
				source = controller.PgbouncerLog
			}
			streams := controller.Streams{In: strings.NewReader(""), Out: a.out, Err: a.err}
			if source == controller.PostgresLog && !raw {
				streams.Out = view.NewLog(a.out, view.Color(a.out))
			}
			err = site.Log(cmd.Context(), args[0], source, lines, follow, streams)
			if follow && cmd.Context().Err() != nil {
				return nil // by Ctrl-C, as said
			}
			return exitStatus(err)
		},
	}
	cmd.Flags().IntVarP(&lines, "lines", "n", 50, "how many `lines` of the file")
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what is added, until Ctrl-C")
	cmd.Flags().BoolVar(&raw, "raw", false, "show PostgreSQL's log as it is in the file")
	cmd.Flags().BoolVar(&patroni, "patroni", false, "Patroni's log")
	cmd.Flags().BoolVar(&pgbouncer, "pgbouncer", false, "pgBouncer's log")
	cmd.MarkFlagsMutuallyExclusive("raw", "patroni", "pgbouncer")
	return cmd
}
