package drill

import (
	"context"
	"time"
)

// Power is the power of a machine, where this program can switch it.
type Power interface {
	Off(ctx context.Context) error
	// On returns when the machine has booted.
	On(ctx context.Context) error
}

// PowerCut is the fault of a machine whose power this program switches off, and on again after its
// time.
type PowerCut struct{ Power Power }

// Begin returns when the machine is off.
func (p *PowerCut) Begin(ctx context.Context) (time.Time, error) {
	began := time.Now()
	return began, p.Power.Off(ctx)
}

// EndsItself is false: a machine without power does nothing by itself.
func (p *PowerCut) EndsItself() bool { return false }

// End boots the machine.
func (p *PowerCut) End(ctx context.Context) error { return p.Power.On(ctx) }
