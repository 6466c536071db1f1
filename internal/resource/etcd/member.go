package etcd

import (
	"context"
	"fmt"
	"time"

	"pigsty/internal/resource"
)

var (
	_ resource.Waiter = (*Member)(nil)
	_                 = resource.Register(func() resource.Resource { return &Member{} })
)

// Member is a running member of an etcd cluster that serves and has a vote. It stands after
// the member's unit, and holds whoever comes next until the member is healthy.
type Member struct {
	Member  string `json:"member"`   // its name
	PeerURL string `json:"peer_url"` // such as "https://10.10.10.10:2380"
	API     API    `json:"api"`      // the first endpoint is the member's own
}

// startTimeout is how long a member may take to serve, and a learner to catch up.
const startTimeout = 2 * time.Minute

func (m *Member) Kind() string { return "etcd_member" }
func (m *Member) Name() string { return m.Member }

// Diff asks the member for its health and the cluster for its list.
func (m *Member) Diff(ctx context.Context, h *resource.Host) (*resource.Change, error) {
	c := &resource.Change{Action: resource.Run}
	client, err := m.API.open(h)
	if err != nil {
		// The certificate comes with an earlier step.
		c.Add("health", "not there", "healthy")
		return c, nil
	}
	defer client.close()
	if client.health(ctx, m.API.Endpoints[0]) != nil {
		c.Add("health", "no answer", "healthy")
		return c, nil
	}
	members, err := client.members(ctx)
	if err != nil {
		return nil, err
	}
	if self := byPeerURL(members, m.PeerURL); self != nil && self.IsLearner {
		c.Add("vote", "learner", "voter")
		return c, nil
	}
	return nil, nil
}

// Waits marks the kind. Giving a learner its vote is one request, made or not.
func (m *Member) Waits() {}

// Apply waits until the member is healthy, then gives it its vote as soon as it has caught up.
func (m *Member) Apply(ctx context.Context, h *resource.Host) error {
	client, err := m.API.open(h)
	if err != nil {
		return err
	}
	defer client.close()
	err = untilDone(ctx, startTimeout, always, func() error { return client.health(ctx, m.API.Endpoints[0]) })
	if err != nil {
		return fmt.Errorf("etcd member %s is not healthy after %s: %w; journalctl -u etcd tells why", m.Member, startTimeout, err)
	}
	return untilDone(ctx, startTimeout, behind, func() error { return m.vote(ctx, client) })
}

// behind tells whether a promotion may succeed later.
func behind(err error) bool {
	return says(err, "in sync with leader") || momentary(err)
}

func (m *Member) vote(ctx context.Context, client *apiClient) error {
	members, err := client.members(ctx)
	if err != nil {
		return err
	}
	self := byPeerURL(members, m.PeerURL)
	if self == nil {
		return &apiError{Message: fmt.Sprintf("%s is not in the cluster's list of members; was it removed? move its data directory away and apply again", m.Member)}
	}
	if !self.IsLearner {
		return nil
	}
	return client.promote(ctx, members, self.ID)
}
