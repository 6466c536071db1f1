package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"pigsty/internal/resource"
)

// Standing is who is who in a healthy cluster.
type Standing struct {
	Leader string
	// Synchronous are the replicas that confirm writes before clients are told; none when
	// replication is asynchronous.
	Synchronous []string
}

// Standing asks all members. The error says what the cluster lacks to be healthy: a leader that
// takes writes, replicas that all stream from it, of whom one may take over, and a Patroni that
// was not told to keep its hands off.
func (api PatroniAPI) Standing(ctx context.Context, h *resource.Host, cluster string) (Standing, error) {
	all, members, err := newCrew(cluster, api, 0).ask(ctx, h)
	if err != nil {
		return Standing{}, err
	}
	if all.Pause {
		return Standing{}, fmt.Errorf("cluster %s is paused, so nobody would take over; see pigsty pg resume %s", cluster, cluster)
	}
	n := slices.IndexFunc(members, func(m clusterMember) bool { return m.Leads() })
	if n < 0 {
		return Standing{}, fmt.Errorf("cluster %s has no leader", cluster)
	}
	s := Standing{Leader: members[n].Name}
	fit := 0
	for _, m := range members {
		if err := m.well(); err != nil {
			return s, err
		}
		if m.unfit() == nil {
			fit++
		}
		if m.synchronous() {
			s.Synchronous = append(s.Synchronous, m.Name)
		}
	}
	if fit == 0 {
		return s, fmt.Errorf("cluster %s has no replica that could take over from %s", cluster, s.Leader)
	}
	return s, nil
}

// well is an error unless the member does what a member of its role does.
func (m clusterMember) well() error {
	switch {
	case m.problem != nil:
		return fmt.Errorf("%s cannot be asked: %w", m.Name, m.problem)
	case m.own.State != "running":
		return fmt.Errorf("%s is not running: it is %s", m.Name, m.own.State)
	case m.Role == "standby_leader":
		return errors.New(m.Name + " leads a standby cluster, which takes no writes")
	case m.Leads() && m.own.Role != "primary":
		return fmt.Errorf("%s leads and takes no writes: it is %s", m.Name, m.own.Role)
	case !m.Leads() && (!m.streams() || m.own.ReplicationState != "" && m.own.ReplicationState != "streaming"):
		return fmt.Errorf("%s does not stream from another member: it is %s", m.Name, cmp.Or(m.own.ReplicationState, m.own.State))
	}
	return nil
}
