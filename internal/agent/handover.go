package agent

import (
	"context"
	"fmt"

	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

// Handover carries out a node's part in a handover of clients, which outlives the agent that began
// it: keep does what the file says, and end undoes what is left of it.
func Handover(ctx context.Context, part, file string) error {
	switch part {
	case "keep":
		return postgres.KeepHandover(ctx, resource.NewHost(), file)
	case "end":
		return postgres.EndHandover(ctx, resource.NewHost(), file)
	}
	return fmt.Errorf("part %q of a handover is not known", part)
}
