package fault

import (
	"context"
	"time"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*Standstill)(nil)
	_                   = resource.Register(func() resource.Resource { return &Standstill{} })
)

// Standstill freezes the leader's Patroni and PostgreSQL for a while. They notice nothing of it:
// when they go on, they say whatever they were about to say. It is an order and no state. List it
// on the leader's node.
type Standstill struct {
	Leader
	Unit  string        `json:"unit"` // Patroni's; PostgreSQL is in its control group
	Lasts time.Duration `json:"lasts"`
}

func (s *Standstill) Kind() string { return "fault_freeze" }
func (s *Standstill) Name() string { return s.Instance }

// Diff tells what stands still, and for how long.
func (s *Standstill) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	standing, err := s.standing(ctx, h)
	if err != nil {
		return nil, err
	}
	c := s.lost(standing, "a replica takes over when the leader's key expires")
	c.Add("Patroni and PostgreSQL of "+s.Instance, "run", "stand still for "+s.Lasts.String())
	return c, nil
}

// Apply returns when everything stands still.
func (s *Standstill) Apply(ctx context.Context, h *resource.Host) error {
	thaw := ending{argv: []string{"systemctl", "thaw", s.Unit}}
	return inject(ctx, h, Freeze, s.Lasts, thaw, func() error {
		_, err := h.Exec.Run(ctx, resource.Command{Argv: []string{"systemctl", "freeze", s.Unit}})
		return err
	})
}
