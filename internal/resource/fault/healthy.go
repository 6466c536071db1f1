package fault

import (
	"context"
	"fmt"

	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

var (
	_ resource.Resource = (*Healthy)(nil)
	_                   = resource.Register(func() resource.Resource { return &Healthy{} })
)

// Leader is the instance that a fault hits: the one that leads its cluster.
type Leader struct {
	Cluster  string              `json:"cluster"`
	Instance string              `json:"instance"`
	API      postgres.PatroniAPI `json:"api"` // of the instance
}

// standing is an error unless all members are well and the instance still leads them.
func (l Leader) standing(ctx context.Context, h *resource.Host) (postgres.Standing, error) {
	s, err := l.API.Standing(ctx, h, l.Cluster)
	if err != nil {
		return s, fmt.Errorf("a drill is for a healthy cluster: %w", err)
	}
	if s.Leader != l.Instance {
		return s, fmt.Errorf("%s leads cluster %s by now, and not %s: try again", s.Leader, l.Cluster, l.Instance)
	}
	return s, nil
}

// lost is the change of a fault by which the cluster may lose its leader for good.
func (l Leader) lost(s postgres.Standing, effect string) *resource.Change {
	c := &resource.Change{Action: resource.Run, Impact: resource.Switchover, Effect: effect}
	if len(s.Synchronous) == 0 {
		c.Impact = resource.DataLoss
		c.Effect += "; replication is asynchronous, so writes that " + l.Instance + " has acknowledged and no replica has received are lost when one takes over"
	}
	return c
}

// Healthy is a cluster that can be broken in a drill. It only looks: a cluster that is not healthy
// is an error. List it on the leader's node, before faults of other nodes.
type Healthy struct {
	Leader
}

func (c *Healthy) Kind() string { return "fault_healthy" }
func (c *Healthy) Name() string { return c.Cluster }

// Diff is an error when the cluster is not healthy, and never a change.
func (c *Healthy) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	_, err := c.standing(ctx, h)
	return nil, err
}

// Apply looks again.
func (c *Healthy) Apply(ctx context.Context, h *resource.Host) error {
	_, err := c.standing(ctx, h)
	return err
}
