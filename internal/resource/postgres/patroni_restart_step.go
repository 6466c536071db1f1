package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"pigsty/internal/resource"
)

const (
	comebackPause   = 500 * time.Millisecond
	catchUpPatience = 10 * time.Second
	followPatience  = 30 * time.Second
)

// carryOut restarts one member and returns when it does its work again.
func (r *PatroniRestart) carryOut(ctx context.Context, h *resource.Host, s restartStep) error {
	if s.problem != nil {
		return s.problem
	}
	client, err := r.API.Open(h)
	if err != nil {
		return err
	}
	member := client.At(s.member.APIURL)
	if s.switchTo != "" {
		if err := r.switchOver(ctx, h, member, s.member.Name); err != nil {
			return fmt.Errorf("%s: %w", s.member.Name, err)
		}
		return r.comeback(ctx, client, s.member.Name, false)
	}
	if !s.member.Leads() {
		r.catchUp(ctx, client, member)
	}
	if err := member.Restart(ctx, r.timeout()); err != nil {
		return fmt.Errorf("%s: %w", s.member.Name, err)
	}
	return r.comeback(ctx, client, s.member.Name, s.member.Leads())
}

// catchUp lets a replica replay what its leader has written, for a few seconds at most: when the
// leader has restarted with a lower setting, that stands in the WAL, and a replica that has not
// read it starts with the higher one again.
func (r *PatroniRestart) catchUp(ctx context.Context, client, replica *Patroni) {
	leader, err := client.Member(ctx)
	deadline := time.Now().Add(catchUpPatience)
	for err == nil && time.Now().Before(deadline) {
		var m PatroniMember
		if m, err = replica.Member(ctx); err != nil || m.Xlog.Replayed >= leader.Xlog.Location {
			return
		}
		time.Sleep(comebackPause)
	}
}

// switchOver hands the primary's role to the replica that is fit for it by now. Replicas have
// just restarted, so for a moment there may be none: a synchronous one is only chosen in the
// primary's next loop, and until then Patroni refuses (412).
func (r *PatroniRestart) switchOver(ctx context.Context, h *resource.Host, leader *Patroni, name string) error {
	deadline := time.Now().Add(r.timeout())
	for {
		members, err := r.observe(ctx, h)
		if slices.ContainsFunc(members, func(m clusterMember) bool { return m.Leads() && m.Name != name }) {
			return nil
		}
		var candidate string
		if err == nil {
			candidate, err = successor(members)
		}
		if err == nil {
			err = leader.Switchover(ctx, name, candidate, r.timeout())
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

// follow waits until the replicas that streamed before do so again: one whose primary has
// restarted looks for it every five seconds. One that does not is noted, and delays nobody.
func (r *PatroniRestart) follow(ctx context.Context, h *resource.Host, members []clusterMember) {
	client, err := r.API.Open(h)
	if err != nil {
		return
	}
	deadline := time.Now().Add(followPatience)
	for _, m := range members {
		for !m.Leads() && m.problem == nil && m.own.ReplicationState == "streaming" && ctx.Err() == nil {
			now, err := client.At(m.APIURL).Member(ctx)
			if err == nil && (now.Role == "primary" || now.ReplicationState == "streaming") {
				break
			}
			if time.Now().After(deadline) {
				h.Note("%s does not stream from the primary yet", m.Name)
				break
			}
			time.Sleep(comebackPause)
		}
	}
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
