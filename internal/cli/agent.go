package cli

import (
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"pigsty/internal/agent"
	"pigsty/internal/resource"
)

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
			return agent.Serve(cmd.Context(), a.in, a.out, resource.NewHost())
		},
	}
}
