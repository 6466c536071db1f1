package drill

import (
	"fmt"
	"maps"
	"slices"

	"pigsty/internal/controller"
	"pigsty/internal/health"
)

// synchronous tells whether a standby confirms writes before they are acknowledged.
func synchronous(m health.Member) bool { return m.Role == "sync_standby" || m.Role == "quorum_standby" }

// complaint is the first thing that is not as it should be; empty when everything is.
func (d *Drill) complaint(status *controller.Status) string {
	for _, n := range status.Nodes {
		if n.Health == nil {
			return fmt.Sprintf("node %s cannot be asked: %s", n.Name, n.Error)
		}
		for _, unit := range slices.Sorted(maps.Keys(n.Health.Units)) {
			if state := n.Health.Units[unit]; state != "active" {
				return fmt.Sprintf("%s is %s on %s", unit, state, n.Name)
			}
		}
	}
	for _, e := range status.Etcd {
		if e.State != "leader" && e.State != "follower" {
			return fmt.Sprintf("etcd's member %s is %s", e.Name, e.State)
		}
	}
	return d.clusterComplaint(status)
}

func (d *Drill) clusterComplaint(status *controller.Status) string {
	cluster := status.Clusters[0]
	timeline := 0
	for _, m := range cluster.Members {
		if m.Leads() {
			timeline = m.Timeline
		}
	}
	if timeline == 0 {
		return "nobody leads"
	}
	for _, m := range cluster.Members {
		switch {
		case !m.Works():
			return fmt.Sprintf("%s is %s", m.Name, m.State)
		case m.Timeline != timeline:
			return fmt.Sprintf("%s is on timeline %d, and the leader on %d", m.Name, m.Timeline, timeline)
		}
	}
	if d.c.Failover().SynchronousMode && !slices.ContainsFunc(cluster.Members, synchronous) {
		return "no standby is synchronous"
	}
	if !status.Healthy() {
		return fmt.Sprintf("a member, its virtual address or a service is missing (members unknown to Patroni: %d)", len(cluster.Missing))
	}
	return ""
}
