package etcd

import (
	"context"
	"fmt"
	"slices"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*Leave)(nil)
	_                   = resource.Register(func() resource.Resource { return &Leave{} })
)

// Leave takes members that the inventory no longer lists out of the cluster. One that is
// dead goes at once: it only costs the cluster quorum. One that is alive goes when the safeguard
// is off. What it leaves on its node is Retire's to put away.
type Leave struct {
	Listed    []string `json:"listed"`              // peer URLs of those that stay
	DeadOnly  bool     `json:"dead_only,omitempty"` // leave the living for later, until newcomers have a vote
	Safeguard bool     `json:"safeguard,omitempty"` // dcs_safeguard
	API       API      `json:"api"`
}

func (l *Leave) Kind() string { return "etcd_leave" }

// Name tells the two rounds apart.
func (l *Leave) Name() string {
	if l.DeadOnly {
		return "dead"
	}
	return "unlisted"
}

// Diff lists who has to go, and refuses what would stop the cluster.
func (l *Leave) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	client, err := l.API.open(h)
	if err != nil {
		return nil, nil // no certificate yet: nobody has joined, so nobody can leave
	}
	defer client.close()
	members, err := client.members(ctx)
	if err != nil {
		// A cluster without quorum can lose nobody. Steps after this one tell what is wrong.
		return nil, nil
	}
	leaving, err := l.leaving(ctx, client, members)
	if err != nil || len(leaving) == 0 {
		return nil, err
	}
	c := &resource.Change{Action: resource.Delete, Effect: "its data is kept"}
	for _, m := range leaving {
		c.Add("member", m.label(), "removed")
	}
	return c, nil
}

// leaving picks the members to remove in this round.
func (l *Leave) leaving(ctx context.Context, client *apiClient, members []peer) ([]peer, error) {
	var dead, alive, kept []peer
	for _, m := range members {
		switch {
		case slices.ContainsFunc(m.PeerURLs, func(u string) bool { return slices.Contains(l.Listed, u) }):
			kept = append(kept, m)
		case client.alive(ctx, m):
			alive = append(alive, m)
		default:
			dead = append(dead, m)
		}
	}
	if l.DeadOnly || len(alive) == 0 {
		return dead, nil
	}
	if l.Safeguard {
		return nil, fmt.Errorf("etcd member %s is alive, and dcs_servers does not list it: list it, or set dcs_safeguard: false to have it removed", alive[0].label())
	}
	stay := 0
	for _, m := range kept {
		if client.alive(ctx, m) {
			stay++
		}
	}
	if stay < len(kept)/2+1 {
		return nil, fmt.Errorf("etcd member %s is not removed: of the %d members that would be left, %d answer, which is no majority", alive[0].label(), len(kept), stay)
	}
	return append(dead, alive...), nil
}

// Apply removes them one by one. etcd itself refuses a removal that would cost the quorum.
func (l *Leave) Apply(ctx context.Context, h *resource.Host) error {
	client, err := l.API.open(h)
	if err != nil {
		return err
	}
	defer client.close()
	members, err := client.members(ctx)
	if err != nil {
		return err
	}
	leaving, err := l.leaving(ctx, client, members)
	if err != nil {
		return err
	}
	for _, m := range leaving {
		if err := untilDone(ctx, settleTimeout, unsettled, func() error { return client.remove(ctx, m) }); err != nil {
			return fmt.Errorf("remove etcd member %s: %w", m.label(), err)
		}
	}
	return nil
}
