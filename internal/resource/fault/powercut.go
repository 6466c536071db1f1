package fault

import (
	"context"
	"errors"
	"time"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*PowerLoss)(nil)
	_                   = resource.Register(func() resource.Resource { return &PowerLoss{} })
)

// PowerLoss reboots the leader's machine at once, with nothing written that was not. It is an
// order and no state. List it on the leader's node.
type PowerLoss struct {
	Leader
	// Outside is true where the power is somebody else's to cut, as of a container: then only
	// what keeps the cluster from being broken is looked at.
	Outside bool `json:"outside,omitempty"`
}

func (p *PowerLoss) Kind() string { return "fault_power_cut" }
func (p *PowerLoss) Name() string { return p.Instance }

// errContainer keeps a drill from rebooting a machine that nobody named: the kernel is the host's.
var errContainer = errors.New("this node is a container, and rebooting it so would reboot its host: cut the power where the container was started")

// Diff refuses a container.
func (p *PowerLoss) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	if h.Container && !p.Outside {
		return nil, errContainer
	}
	s, err := p.standing(ctx, h)
	if err != nil {
		return nil, err
	}
	c := p.lost(s, "a replica takes over when the leader's key expires; everything else on the machine goes down with it")
	c.Add("machine of "+p.Instance, "runs", "loses its power")
	return c, nil
}

// powerDelay leaves time to tell of it.
const powerDelay = 500 * time.Millisecond

// Apply returns just before. The kernel's own key sequence neither writes what is in memory nor
// ends any program.
func (p *PowerLoss) Apply(ctx context.Context, h *resource.Host) error {
	if h.Container || p.Outside {
		return errContainer
	}
	return arm(ctx, h, PowerCut, powerDelay, ending{argv: []string{"cat"}, stdin: "b", stdout: "/proc/sysrq-trigger"})
}
