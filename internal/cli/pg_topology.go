package cli

import (
	"github.com/spf13/cobra"

	"pigsty/internal/view"
)

func newPgTopologyCommand(a *app) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "topology [CLUSTER...]",
		Short: "Draw who replicates from whom",
		Long: `Ask PostgreSQL itself on the nodes of the named clusters, and of those that they follow or that
follow them, who feeds it and whom it feeds, and draw the tree. Each line tells an instance's role,
what its receiver is doing, its timeline, how many bytes of its upstream's WAL it has not replayed and
how long replay took of late, how it confirms writes, by how much it stays behind on purpose, and its
tags. Where the inventory wants another upstream, that is named as declared. Below stands which
replicas writes wait for, and what is wrong.

Exit code 0: all as the inventory wants. 2: something is not. 1: there is no such cluster.`,
		Example: `  pigsty pg topology
  pigsty pg topology pg-test
  pigsty pg topology -o json | jq '.. | objects | select(.delay) | {instance, behind}'`,
		RunE: func(cmd *cobra.Command, names []string) error {
			site, dial, err := a.reach()
			if err != nil {
				return err
			}
			top, err := site.Topology(cmd.Context(), names, dial)
			if err != nil {
				return err
			}
			if output == "table" {
				view.Topology(a.out, top, view.Color(a.out))
			} else if err := encode(a.out, output, top); err != nil {
				return err
			}
			if len(top.Problems) > 0 {
				return &exitError{code: exitPending}
			}
			return nil
		},
	}
	outputFlag(cmd, &output, "table", "json", "yaml")
	return cmd
}
