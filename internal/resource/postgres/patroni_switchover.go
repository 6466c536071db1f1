package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"pigsty/internal/resource"
)

var (
	_ resource.Resource = (*Switchover)(nil)
	_                   = resource.Register(func() resource.Resource { return &Switchover{} })
)

// Switchover hands a cluster's leadership to another member while all is well. It is an order and
// no state: without To there is always something to do. List it on a member's node.
type Switchover struct {
	Cluster string     `json:"cluster"`
	API     PatroniAPI `json:"api"` // of the member on this node
	// To is the member that shall lead; empty = the one that is fittest.
	To string `json:"to,omitempty"`
	// Pool keeps the clients of the pools on the way; nil = they are cut.
	Pool *Handover `json:"pool,omitempty"`
	// Timeout is how long it may take altogether. 0 = 5 minutes.
	Timeout time.Duration `json:"timeout,omitempty"`
}

func (s *Switchover) Kind() string { return "switchover" }
func (s *Switchover) Name() string { return s.Cluster }

func (s *Switchover) crew() *crew {
	return newCrew(s.Cluster, s.API, s.Timeout).keeping(s.Pool, s)
}

// Diff is nothing when the wanted member leads, and an error when nobody may take over.
func (s *Switchover) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	members, err := s.crew().observe(ctx, h)
	if err != nil {
		return nil, err
	}
	leader, to, err := s.choose(members)
	if err != nil || leader == to {
		return nil, err
	}
	return &resource.Change{
		Action: resource.Run, Impact: resource.Switchover,
		Effect: s.Pool.cost(ctx, h, leader, to),
		Fields: []resource.Field{{Name: "leader", Before: leader, After: to}},
	}, nil
}

// choose names the leader and who is to follow it.
func (s *Switchover) choose(members []clusterMember) (leader, to string, err error) {
	n := slices.IndexFunc(members, func(m clusterMember) bool { return m.Leads() })
	if n < 0 {
		return "", "", fmt.Errorf("cluster %s has no leader: nothing can be handed over; a failover promotes a member all the same", s.Cluster)
	}
	leader = members[n].Name
	if s.To == "" {
		to, err = successor(members)
		return leader, to, err
	}
	n = slices.IndexFunc(members, func(m clusterMember) bool { return m.Name == s.To })
	if n < 0 {
		return "", "", fmt.Errorf("cluster %s has no member %s; it has %s", s.Cluster, s.To, strings.Join(memberNames(members), ", "))
	}
	if s.To == leader {
		return leader, leader, nil
	}
	return leader, s.To, s.refuse(members[n], members)
}

// refuse says why the member may not follow the leader. Where some members are synchronous, only
// one of those has all that was acknowledged.
func (s *Switchover) refuse(to clusterMember, members []clusterMember) error {
	if err := to.unfit(); err != nil {
		return err
	}
	var synchronous []string
	for _, m := range members {
		if m.synchronous() {
			synchronous = append(synchronous, m.Name)
		}
	}
	if len(synchronous) > 0 && !to.synchronous() {
		return fmt.Errorf("%s is not synchronous: only %s may take over without loss", to.Name, strings.Join(synchronous, ", "))
	}
	return nil
}

func memberNames(members []clusterMember) []string {
	var names []string
	for _, m := range members {
		names = append(names, m.Name)
	}
	return names
}

// Apply hands over and waits until the new leader takes writes and the old one follows.
func (s *Switchover) Apply(ctx context.Context, h *resource.Host) error {
	members, err := s.crew().observe(ctx, h)
	if err != nil {
		return err
	}
	leader, to, err := s.choose(members)
	if err != nil || leader == to {
		return err
	}
	n := slices.IndexFunc(members, func(m clusterMember) bool { return m.Name == leader })
	client, err := s.API.Open(h)
	if err != nil {
		return err
	}
	if err := s.crew().switchOver(ctx, h, client.At(members[n].APIURL), leader, to); err != nil {
		return err
	}
	if err := s.crew().comeback(ctx, client, to, true); err != nil {
		return err
	}
	return s.crew().comeback(ctx, client, leader, false)
}
