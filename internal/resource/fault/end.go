package fault

import (
	"context"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*End)(nil)
	_                   = resource.Register(func() resource.Resource { return &End{} })
)

// End ends what goes on of a drill on a node, before its time.
type End struct {
	Node string `json:"node"` // its address
}

func (e *End) Kind() string { return "fault_end" }
func (e *End) Name() string { return e.Node }

// Diff tells what goes on.
func (e *End) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	names, err := armed(ctx, h)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	c := &resource.Change{Action: resource.Run}
	for _, name := range names {
		c.Add(name, "goes on", "over")
	}
	return c, nil
}

// Apply ends them one after the other.
func (e *End) Apply(ctx context.Context, h *resource.Host) error {
	names, err := armed(ctx, h)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := end(ctx, h, name); err != nil {
			return err
		}
	}
	return nil
}
