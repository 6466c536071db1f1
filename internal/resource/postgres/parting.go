package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*Parting)(nil)
	_                   = resource.Register(func() resource.Resource { return &Parting{} })
)

// Parting looks whether a cluster can spare a member, or all of them, and changes nothing. It is
// an error while it cannot. List it before the steps that stop the member, on another one's node;
// for all, on any member's.
type Parting struct {
	Cluster string     `json:"cluster"`
	API     PatroniAPI `json:"api"`              // of the member on this node
	Member  string     `json:"member,omitempty"` // that is to go; empty = all
	// Away says that the member's node cannot be reached by who removes it: its Patroni must not
	// answer the others either.
	Away bool `json:"away,omitempty"`
}

func (p *Parting) Kind() string { return "parting" }

// Name says whose.
func (p *Parting) Name() string {
	if p.Member == "" {
		return p.Cluster
	}
	return p.Member
}

// Diff asks the cluster.
func (p *Parting) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	var cluster PatroniCluster
	client, err := p.API.Open(h)
	if err == nil {
		cluster, err = client.Cluster(ctx)
	}
	if errors.Is(err, errNoPatroni) && p.Member == "" {
		return nil, nil // all are to be stopped, and this one is
	}
	if err != nil {
		return nil, err
	}
	if cluster.Pause {
		return nil, fmt.Errorf("cluster %s is in maintenance mode, in which Patroni leaves PostgreSQL running when it stops: end it first (pigsty pg resume %s)", p.Cluster, p.Cluster)
	}
	if p.Member == "" {
		return nil, nil
	}
	config, err := client.Config(ctx)
	if err != nil {
		return nil, err
	}
	n := slices.IndexFunc(cluster.Members, func(m PatroniPeer) bool { return m.Name == p.Member })
	if n >= 0 && p.Away {
		if _, err := client.At(cluster.Members[n].APIURL).Member(ctx); err == nil {
			return nil, fmt.Errorf("%s runs: its Patroni answers from here, so only the way to its node is cut; mend that first", p.Member)
		}
	}
	return nil, p.spare(cluster, config["synchronous_mode_strict"] == true)
}

// spare says why the cluster cannot do without the member. Where writes have to wait for a
// synchronous standby, somebody has to be left to be one.
func (p *Parting) spare(cluster PatroniCluster, strict bool) error {
	leader, ok := cluster.Leader()
	switch {
	case !ok:
		return fmt.Errorf("cluster %s has no leader: nobody can say whether it can spare %s; see pigsty pg list %s", p.Cluster, p.Member, p.Cluster)
	case leader.Name == p.Member:
		return fmt.Errorf("%s is the primary of %s: switch over first (pigsty pg switchover %s), then remove it", p.Member, p.Cluster, p.Cluster)
	}
	others := slices.ContainsFunc(cluster.Members, func(m PatroniPeer) bool {
		return m.Name != p.Member && !m.Leads() && (m.State == "streaming" || m.State == "running") && m.Tags["nosync"] != true
	})
	if strict && !others {
		return fmt.Errorf("%s is the last replica that can be synchronous, and without one %s takes no writes (synchronous_mode_strict): add a replica first, or turn that off", p.Member, p.Cluster)
	}
	return nil
}

// Apply has nothing to do: Diff never finds anything.
func (p *Parting) Apply(context.Context, *resource.Host) error { return nil }
