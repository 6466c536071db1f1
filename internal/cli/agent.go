package cli

import (
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"pigsty/internal/agent"
	"pigsty/internal/resource"
)

// agentGC lets the heap grow to 32 MiB before it is collected for the first time (Go begins at
// 4 MiB × percent / 100). An agent that only looks is done by then, and collecting was a third of
// its work; one that stays long, such as for a copy of data, holds little at any time.
const agentGC = 800

// newAgentCommand is what the controller starts on a node; people have no use for it.
func newAgentCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:    "agent",
		Short:  "Serve a controller on standard input and output",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// A controller that goes away must not end the agent inside a step: the write fails
			// instead, and hangups and interrupts meant for the controller's terminal pass by.
			signal.Ignore(syscall.SIGPIPE, syscall.SIGHUP, syscall.SIGINT)
			debug.SetGCPercent(agentGC)
			return agent.Serve(cmd.Context(), a.in, a.out, resource.NewHost())
		},
	}
}
