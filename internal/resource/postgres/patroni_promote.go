package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*Promote)(nil)
	_                   = resource.Register(func() resource.Resource { return &Promote{} })
)

// Promote makes a standby cluster take writes of its own. It follows its source no more, and
// nothing leads back but a new copy of the data. List it on a member's node.
type Promote struct {
	Cluster string        `json:"cluster"`
	API     PatroniAPI    `json:"api"`               // of the member on this node
	Timeout time.Duration `json:"timeout,omitempty"` // for its leader to take writes; 0 = 5 minutes
}

func (p *Promote) Kind() string { return "promote" }
func (p *Promote) Name() string { return p.Cluster }

func (p *Promote) crew() *crew { return newCrew(p.Cluster, p.API, p.Timeout) }

// standby is the leader of the standby cluster, and what it follows; nil for a cluster that takes
// writes.
func (p *Promote) standby(ctx context.Context, h *resource.Host, client *Patroni) (clusterMember, map[string]any, error) {
	config, err := client.Config(ctx)
	if err != nil {
		return clusterMember{}, nil, err
	}
	source, _ := config["standby_cluster"].(map[string]any)
	if len(source) == 0 {
		return clusterMember{}, nil, nil
	}
	if config["pause"] == true {
		return clusterMember{}, nil, fmt.Errorf("cluster %s is paused, and nobody is promoted in it: pigsty pg resume %s ends that", p.Cluster, p.Cluster)
	}
	members, err := p.crew().observe(ctx, h)
	if err != nil {
		return clusterMember{}, nil, err
	}
	n := slices.IndexFunc(members, func(m clusterMember) bool { return m.Leads() })
	if n < 0 {
		return clusterMember{}, nil, fmt.Errorf("cluster %s has no leader that could be promoted: see pigsty pg list %s", p.Cluster, p.Cluster)
	}
	leader := members[n]
	if leader.problem != nil {
		return leader, nil, fmt.Errorf("%s, which leads cluster %s, cannot be asked: %w", leader.Name, p.Cluster, leader.problem)
	}
	return leader, source, nil
}

// Diff is nothing for a cluster that takes writes.
func (p *Promote) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	client, err := p.API.Open(h)
	if err != nil {
		return nil, err
	}
	leader, source, err := p.standby(ctx, h, client)
	if err != nil || source == nil {
		return nil, err
	}
	host := configText(source["host"])
	h.Note("cluster %s goes its own way from here on: see to it that clients write to one of the two, remove pg_upstream from the inventory, and apply", p.Cluster)
	change := &resource.Change{
		Action: resource.Run, Effect: "takes writes, and follows " + host + " no more; only a new copy of the data leads back",
		Fields: []resource.Field{{Name: "standby_cluster", Before: host, After: ""}},
	}
	if delay := configText(source["recovery_min_apply_delay"]); delay != "" {
		change.Impact = resource.DataLoss
		change.Effect += fmt.Sprintf("; the %d bytes that its delay of %s holds back are replayed first", max(leader.own.Xlog.Received-leader.own.Xlog.Replayed, 0), delay)
	}
	return change, nil
}

// Apply returns when the leader takes writes.
func (p *Promote) Apply(ctx context.Context, h *resource.Host) error {
	client, err := p.API.Open(h)
	if err != nil {
		return err
	}
	leader, source, err := p.standby(ctx, h, client)
	if err != nil || source == nil {
		return err
	}
	if err := client.PatchConfig(ctx, map[string]any{"standby_cluster": nil}); err != nil {
		return fmt.Errorf("cluster %s: %w", p.Cluster, err)
	}
	for deadline := time.Now().Add(p.crew().patience); ; {
		own, err := client.At(leader.APIURL).Member(ctx)
		if err == nil && own.State == "running" && own.Role == "primary" {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s was told to take writes and does not after %s: it is %s, %s", leader.Name, p.crew().patience, own.Role, own.State)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(comebackPause):
		}
	}
}
