package fault

import (
	"context"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*Idle)(nil)
	_                   = resource.Register(func() resource.Resource { return &Idle{} })
)

// Idle is a node on which no fault goes on. It only looks: when one does, it is an error.
type Idle struct {
	Node string `json:"node"` // its address
}

func (i *Idle) Kind() string { return "fault_idle" }
func (i *Idle) Name() string { return i.Node }

// Diff is an error while a fault goes on, and never a change.
func (i *Idle) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	return nil, refuseArmed(ctx, h)
}

// Apply looks again.
func (i *Idle) Apply(ctx context.Context, h *resource.Host) error { return refuseArmed(ctx, h) }
