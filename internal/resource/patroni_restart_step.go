package resource

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// comebackPause is how often a member is asked whether it is back.
const comebackPause = 500 * time.Millisecond

// carryOut restarts one member and returns when it does its work again.
func (r *PatroniRestart) carryOut(ctx context.Context, h *Host, s restartStep) error {
	if s.problem != nil {
		return s.problem
	}
	client, err := h.Patroni(r.API)
	if err != nil {
		return err
	}
	member := client.At(s.member.APIURL)
	if s.switchTo != "" {
		if err := member.Switchover(ctx, s.member.Name, s.switchTo, r.timeout()); err != nil {
			return fmt.Errorf("%s: %w", s.member.Name, err)
		}
		return r.comeback(ctx, client, s.member.Name, false)
	}
	if err := member.Restart(ctx, r.timeout()); err != nil {
		return fmt.Errorf("%s: %w", s.member.Name, err)
	}
	return r.comeback(ctx, client, s.member.Name, s.member.Leads())
}

// comeback waits until a member leads, or follows the leader, with nothing left to replay: a
// replica learns from the WAL that the primary runs with other settings.
func (r *PatroniRestart) comeback(ctx context.Context, client *Patroni, name string, leads bool) error {
	deadline := time.Now().Add(r.timeout())
	for {
		m, err := r.look(ctx, client, name)
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
			return fmt.Errorf("%s did not come back within %s: %w", name, r.timeout(), err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(comebackPause):
		}
	}
}

// look finds a member in the cluster and asks it for itself.
func (r *PatroniRestart) look(ctx context.Context, client *Patroni, name string) (clusterMember, error) {
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
