package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"pigsty/internal/resource"
)

// crew is the members of a cluster, to whoever has them restart or change places.
type crew struct {
	cluster  string
	api      PatroniAPI    // of one of them
	patience time.Duration // how long a member may take to do what it is told
}

// newCrew takes a patience of 0 for 5 minutes.
func newCrew(cluster string, api PatroniAPI, patience time.Duration) *crew {
	if patience == 0 {
		patience = 5 * time.Minute
	}
	return &crew{cluster: cluster, api: api, patience: patience}
}

// clusterMember is a member in the DCS's view and in its own.
type clusterMember struct {
	PatroniPeer
	own     PatroniMember
	problem error // why it could not be asked itself
}

// streams tells whether a replica runs and follows another server. Before 3.0.3 Patroni did not
// tell; then a known lag has to do.
func (m clusterMember) streams() bool {
	if m.own.State != "running" {
		return false
	}
	if m.own.ReplicationState == "" {
		return m.Lag != UnknownLag
	}
	return true
}

// observe asks all members at once.
func (c *crew) observe(ctx context.Context, h *resource.Host) ([]clusterMember, error) {
	_, members, err := c.ask(ctx, h)
	return members, err
}

// ask is observe with what the cluster says of itself.
func (c *crew) ask(ctx context.Context, h *resource.Host) (PatroniCluster, []clusterMember, error) {
	client, err := c.api.Open(h)
	if err != nil {
		return PatroniCluster{}, nil, err
	}
	cluster, err := client.Cluster(ctx)
	if err != nil {
		return PatroniCluster{}, nil, err
	}
	members := make([]clusterMember, len(cluster.Members))
	var group sync.WaitGroup
	for i, peer := range cluster.Members {
		group.Go(func() {
			members[i].PatroniPeer = peer
			members[i].own, members[i].problem = client.At(peer.APIURL).Member(ctx)
		})
	}
	group.Wait()
	return cluster, members, nil
}

// look finds a member in the cluster and asks it for itself.
func (c *crew) look(ctx context.Context, client *Patroni, name string) (clusterMember, error) {
	cluster, err := client.Cluster(ctx)
	if err != nil {
		return clusterMember{}, err
	}
	if _, ok := cluster.Leader(); !ok {
		return clusterMember{}, errors.New("the cluster has no leader")
	}
	for _, peer := range cluster.Members {
		if peer.Name == name {
			m := clusterMember{PatroniPeer: peer}
			m.own, err = client.At(peer.APIURL).Member(ctx)
			return m, err
		}
	}
	return clusterMember{}, errors.New("Patroni does not list it")
}

// gone waits until a member has stopped, which it was told to just before. One that is so quick
// that nobody saw it stopped is not waited for longer than a few loops.
func (c *crew) gone(ctx context.Context, member *Patroni) error {
	for deadline := time.Now().Add(gonePatience); time.Now().Before(deadline); {
		if m, err := member.Member(ctx); err != nil || m.State != "running" {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(comebackPause):
		}
	}
	return nil
}

// comeback waits until a member leads, or follows the leader, with nothing left to replay: a
// replica learns from the WAL that the primary runs with other settings.
func (c *crew) comeback(ctx context.Context, client *Patroni, name string, leads bool) error {
	deadline := time.Now().Add(c.patience)
	for {
		m, err := c.look(ctx, client, name)
		switch {
		case err != nil:
		case leads && m.Leads() && m.own.State == "running":
			return nil
		case !leads && !m.Leads() && m.streams() && m.own.Xlog.Replayed >= m.own.Xlog.Received:
			return nil
		default:
			err = fmt.Errorf("it is %s, %s", m.own.Role, m.own.State)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s did not come back within %s: %w", name, c.patience, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(comebackPause):
		}
	}
}

// switchOver hands the primary's role from the named member to another, or to the replica that is
// fittest by now. Replicas may have just restarted, so for a moment there may be none: a
// synchronous one is only chosen in the primary's next loop, and until then Patroni refuses (412).
func (c *crew) switchOver(ctx context.Context, h *resource.Host, leader *Patroni, name, to string) error {
	deadline := time.Now().Add(c.patience)
	for {
		members, err := c.observe(ctx, h)
		if slices.ContainsFunc(members, func(m clusterMember) bool { return m.Leads() && m.Name != name }) {
			return nil
		}
		candidate := to
		if err == nil && to == "" {
			candidate, err = successor(members)
		}
		if err == nil {
			err = leader.Switchover(ctx, name, candidate, c.patience)
		}
		var refused *PatroniError
		fatal := errors.As(err, &refused) && refused.Status != http.StatusPreconditionFailed
		if err == nil || fatal || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(comebackPause):
		}
	}
}

// synchronous tells whether the member confirms writes before clients are told.
func (m clusterMember) synchronous() bool { return strings.HasSuffix(m.Role, "_standby") }

// unfit says why the member cannot take over from the primary; nil when it can.
func (m clusterMember) unfit() error {
	switch {
	case m.Leads():
		return fmt.Errorf("%s leads already", m.Name)
	case m.problem != nil:
		return fmt.Errorf("%s cannot be asked: %w", m.Name, m.problem)
	case !m.streams():
		return fmt.Errorf("%s is %s and follows nobody", m.Name, m.own.State)
	case m.Tags["nofailover"] == true:
		return fmt.Errorf("%s may not lead: its tag nofailover says so", m.Name)
	case m.Lag == UnknownLag:
		return fmt.Errorf("nobody knows how far %s is behind", m.Name)
	}
	return nil
}

// successor is the replica that takes over: a synchronous one where there is one, then the one
// that is least behind.
func successor(members []clusterMember) (string, error) {
	var fit []clusterMember
	for _, m := range members {
		if m.unfit() == nil {
			fit = append(fit, m)
		}
	}
	if len(fit) == 0 {
		return "", fmt.Errorf("no replica can take over from the primary: none streams from it and may lead")
	}
	synchronous := func(m clusterMember) int {
		if m.synchronous() {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(fit, func(a, b clusterMember) int {
		return cmp.Or(cmp.Compare(synchronous(a), synchronous(b)), cmp.Compare(a.Lag, b.Lag), cmp.Compare(a.Name, b.Name))
	})
	return fit[0].Name, nil
}
