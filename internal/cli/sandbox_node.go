package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"pigsty/internal/sandbox"
)

// nodeCommand makes a command that does one thing to each of the named nodes at the same time.
func (o *sandboxOptions) nodeCommand(verb, short, example, done string,
	do func(s *sandbox.Sandbox, ctx context.Context, node string) error,
) *cobra.Command {
	return &cobra.Command{
		Use:               verb + " NODE...",
		Short:             short,
		Example:           "  pigsty sandbox " + verb + " " + example,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: o.completeNodes,
		RunE: func(cmd *cobra.Command, nodes []string) error {
			s, err := o.open()
			if err != nil {
				return err
			}
			errs := make([]error, len(nodes))
			var wg sync.WaitGroup
			for i, node := range nodes {
				wg.Go(func() {
					began := time.Now()
					if errs[i] = do(s, cmd.Context(), node); errs[i] == nil {
						o.progress(fmt.Sprintf("%s %s (%.2f s)", node, done, time.Since(began).Seconds()))
					}
				})
			}
			wg.Wait()
			return errors.Join(errs...)
		},
	}
}

func newSandboxKillCommand(o *sandboxOptions) *cobra.Command {
	return o.nodeCommand("kill", "Cut the power of nodes; their disks keep what was written", "node-1",
		"lost its power", (*sandbox.Sandbox).Kill)
}

func newSandboxStartCommand(o *sandboxOptions) *cobra.Command {
	return o.nodeCommand("start", "Switch nodes on that are off, with their disks as they were", "node-1 node-2",
		"is up", (*sandbox.Sandbox).Start)
}

func newSandboxRebootCommand(o *sandboxOptions) *cobra.Command {
	return o.nodeCommand("reboot", "Restart nodes in good order", "node-1",
		"is up again", (*sandbox.Sandbox).Reboot)
}

func newSandboxResetCommand(o *sandboxOptions) *cobra.Command {
	return o.nodeCommand("reset", "Give nodes back the disk they were made with and boot them", "node-1 node-2 node-3",
		"is as new", (*sandbox.Sandbox).Reset)
}

func newSandboxPauseCommand(o *sandboxOptions) *cobra.Command {
	return o.nodeCommand("pause", "Freeze nodes where they are", "node-1",
		"stands still", (*sandbox.Sandbox).Pause)
}

func newSandboxResumeCommand(o *sandboxOptions) *cobra.Command {
	return o.nodeCommand("resume", "Let frozen nodes go on", "node-1",
		"goes on", (*sandbox.Sandbox).Resume)
}

func newSandboxCutCommand(o *sandboxOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "cut NODE [NODE...]",
		Short: "Pull a node's network cable, or cut the first node off from the others",
		Long: `With one node: pull its network cable, so that nobody reaches it, this host
included. With more: drop the traffic between the first and each of the others;
everybody else still reaches all of them.`,
		Example: `  pigsty sandbox cut node-1
  pigsty sandbox cut node-1 node-2 node-3`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: o.completeNodes,
		RunE: func(cmd *cobra.Command, nodes []string) error {
			s, err := o.open()
			if err != nil {
				return err
			}
			if len(nodes) == 1 {
				return s.Cut(cmd.Context(), nodes[0])
			}
			var errs []error
			for _, other := range nodes[1:] {
				errs = append(errs, s.CutBetween(cmd.Context(), nodes[0], other))
			}
			return errors.Join(errs...)
		},
	}
}

func newSandboxHealCommand(o *sandboxOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "heal [NODE...]",
		Short: "Undo every cut of the nodes, of all nodes when none is named",
		Example: `  pigsty sandbox heal
  pigsty sandbox heal node-1`,
		ValidArgsFunction: o.completeNodes,
		RunE: func(cmd *cobra.Command, nodes []string) error {
			s, err := o.open()
			if err != nil {
				return err
			}
			return s.Heal(cmd.Context(), nodes...)
		},
	}
}

func newSandboxLogsCommand(o *sandboxOptions) *cobra.Command {
	var lines int
	cmd := &cobra.Command{
		Use:   "logs NODE",
		Short: "Show a node's boot console and journal, also when it is off or out of reach",
		Example: `  pigsty sandbox logs node-1
  pigsty sandbox logs node-1 --lines 0 > node-1.log`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: o.completeNodes,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := o.open()
			if err != nil {
				return err
			}
			return s.Logs(cmd.Context(), args[0], lines, o.out)
		},
	}
	cmd.Flags().IntVar(&lines, "lines", 200, "last `lines` of the journal; 0 shows all of it")
	return cmd
}
