package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"pigsty/internal/fact"
	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*VIPAddress)(nil)
	_                   = resource.Register(func() resource.Resource { return &VIPAddress{} })
)

// VIPAddress sees to it that the node of a cluster's leader has the cluster's address, and that no
// other has it. vip-manager does so by itself; one whose watch of etcd broke (3.0) sleeps on, and
// has to be started again. List it after Patroni.
type VIPAddress struct {
	IP   string     `json:"ip"`
	Unit string     `json:"unit"` // vip-manager's
	API  PatroniAPI `json:"api"`  // of the member on this node
	Conn Conn       `json:"conn"` // to its PostgreSQL
	// Patience is how long vip-manager may take by itself. 0 = 5 seconds: it looks at what it
	// knows once a second.
	Patience time.Duration `json:"patience,omitempty"`
}

const vipPause = 200 * time.Millisecond

func (v *VIPAddress) patience() time.Duration {
	if v.Patience == 0 {
		return 5 * time.Second
	}
	return v.Patience
}

func (v *VIPAddress) Kind() string { return "vip_address" }
func (v *VIPAddress) Name() string { return v.IP }

// Diff is a change when the address is where it should not be, or is not where it should, and
// stays so for a moment. Where Patroni does not answer, nobody can tell; and a vip-manager that is
// about to restart will look by itself.
func (v *VIPAddress) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	if h.PendingNotice(v.Unit) != "" || v.plainlyInOrder(ctx, h) {
		return nil, nil
	}
	leads, holds, err := v.settle(ctx, h)
	if errors.Is(err, errNoPatroni) || err == nil && leads == holds {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	field := resource.Field{Name: "address", Before: "not here, and the leader is", After: "here"}
	if holds {
		field.Before, field.After = "here, and the leader is not", "not here"
	}
	return &resource.Change{Action: resource.Run, Effect: v.Unit + " restarts and looks again", Fields: []resource.Field{field}}, nil
}

// plainlyInOrder tells whether the address is where a primary is, which takes Patroni no question.
// The leader of a standby cluster is no primary and has the address all the same.
func (v *VIPAddress) plainlyInOrder(ctx context.Context, h *resource.Host) bool {
	s, err := v.Conn.session(ctx, h, maintenance)
	if err != nil {
		return false
	}
	var replica bool
	if s.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&replica) != nil {
		return false
	}
	holds, err := v.holds(h)
	return err == nil && holds == !replica
}

// Apply makes vip-manager look again.
func (v *VIPAddress) Apply(ctx context.Context, h *resource.Host) error {
	if err := h.Systemd.Restart(ctx, v.Unit); err != nil {
		return err
	}
	leads, holds, err := v.settle(ctx, h)
	if err != nil || leads == holds {
		return err
	}
	if holds {
		return fmt.Errorf("%s was restarted and keeps %s, though the leader is not here; see journalctl -u %s", v.Unit, v.IP, v.Unit)
	}
	return fmt.Errorf("%s was restarted and does not take %s, though the leader is here; see journalctl -u %s", v.Unit, v.IP, v.Unit)
}

// settle looks until the address is where the leader is, for its patience at most.
func (v *VIPAddress) settle(ctx context.Context, h *resource.Host) (leads, holds bool, err error) {
	for deadline := time.Now().Add(v.patience()); ; {
		if leads, err = v.leads(ctx, h); err != nil {
			return false, false, err
		}
		if holds, err = v.holds(h); err != nil || leads == holds || time.Now().After(deadline) {
			return leads, holds, err
		}
		select {
		case <-ctx.Done():
			return false, false, ctx.Err()
		case <-time.After(vipPause):
		}
	}
}

// leads tells whether the member here holds the leader key.
func (v *VIPAddress) leads(ctx context.Context, h *resource.Host) (bool, error) {
	client, err := v.API.Open(h)
	if err != nil {
		return false, err
	}
	m, err := client.Member(ctx)
	return m.leading(), err
}

func (v *VIPAddress) holds(h *resource.Host) (bool, error) {
	addresses, err := fact.Addresses(h.Root)
	for _, a := range addresses {
		if strings.HasPrefix(a.Prefix, v.IP+"/") {
			return true, nil
		}
	}
	return false, err
}
