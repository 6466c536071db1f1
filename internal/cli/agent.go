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
	cmd := &cobra.Command{
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
	cmd.AddCommand(&cobra.Command{
		Use:   "handover PART FILE",
		Short: "Do this node's part in a handover of clients",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return agent.Handover(cmd.Context(), args[0], args[1])
		},
	})
	return cmd
}
