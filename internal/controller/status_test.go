package controller

import (
	"testing"

	"pigsty/internal/health"
	"pigsty/internal/model"
)

// Status tells what instances say of themselves, and not what the DCS still has of them.
func TestClusterStatusIsFresh(t *testing.T) {
	c := &model.PgCluster{Name: "pg-test"}
	for _, addr := range []string{"10.0.0.1", "10.0.0.2"} {
		c.Instances = append(c.Instances, &model.PgInstance{Name: "pg-" + addr, Cluster: c, Node: &model.Node{Addr: addr}})
	}
	stale := []health.Member{
		{Name: "pg-10.0.0.1", Role: "primary", State: "running", Timeline: 2},
		{Name: "pg-10.0.0.2", Role: "replica", State: "stopped", PendingRestart: true, Lag: -1},
		{Name: "pg-10.0.0.9", Role: "replica", State: "stopped", Lag: -1},
	}
	answers := map[string]*health.Node{
		"10.0.0.1": {Members: stale, Own: &health.Own{State: "running", Timeline: 2}},
		"10.0.0.2": {Members: stale, Own: &health.Own{State: "streaming", Timeline: 2}},
	}
	s := clusterStatus(c, answers)
	if !s.healthy() || len(s.Members) != 2 || s.Members[1].Timeline != 2 {
		t.Errorf("a cluster that has recovered is told of as %+v", s)
	}
	answers["10.0.0.2"].Own = nil
	if s := clusterStatus(c, answers); s.healthy() {
		t.Errorf("an instance that says nothing counts as healthy: %+v", s)
	}
	stale[2].State = "streaming"
	answers["10.0.0.2"].Own = &health.Own{State: "streaming"}
	if s := clusterStatus(c, answers); len(s.Members) != 3 {
		t.Errorf("a member that runs and is not in the inventory is hidden: %+v", s)
	}
}
