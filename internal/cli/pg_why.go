package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"pigsty/internal/election"
	"pigsty/internal/view"
)

func newPgWhyCommand(a *app) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "why [CLUSTER|INSTANCE...]",
		Short: "Tell who would be promoted if a leader were lost now, and why the others would not",
		Long: `Ask the members of the named clusters, or of all, and etcd, and hold the election that Patroni would
hold if the leader's machine went now. For each member it says whether it would be promoted, and every
rule that speaks against it: a node or a Patroni that does not answer, maintenance mode, PostgreSQL
that is not up, the tag nofailover, a delay, WAL that it lacks beyond maximum_lag_on_failover, an older
timeline, replication that is synchronous without it, votes that a quorum lacks, an etcd without a
majority; or another member that has more. Below stands what would be lost at most, how long writers
would wait, and what the leader does while etcd is away.

Exit code 0: in every cluster somebody would take over. 2: in one, nobody would. 1: there is no such
cluster.`,
		Example: `  pigsty pg why
  pigsty pg why pg-test
  pigsty pg why pg-test -o json | jq -r '.[].winners[]'`,
		RunE: func(cmd *cobra.Command, names []string) error {
			site, dial, err := a.reach()
			if err != nil {
				return err
			}
			reports, err := site.Why(cmd.Context(), names, dial)
			if err != nil {
				return err
			}
			if output == "table" {
				view.Elections(a.out, reports, view.Color(a.out))
			} else if err := encode(a.out, output, reports); err != nil {
				return err
			}
			if slices.ContainsFunc(reports, func(r election.Report) bool { return len(r.Winners) == 0 }) {
				return &exitError{code: exitPending}
			}
			return nil
		},
	}
	outputFlag(cmd, &output, "table", "json", "yaml")
	return cmd
}
