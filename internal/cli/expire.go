package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"pigsty/internal/agent"
	"pigsty/internal/resource"
)

// newExpireCommand is what a timer on a node starts; people have no use for it.
func newExpireCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:    "expire",
		Short:  "Delete what was set aside on this node and has expired",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return agent.Expire(cmd.Context(), resource.NewHost(), time.Now(), func(text string) { fmt.Fprintln(a.out, text) })
		},
	}
}
