package view

import (
	"bytes"
	"testing"

	"pigsty/internal/controller"
	"pigsty/internal/golden"
	"pigsty/internal/health"
)

func TestMembers(t *testing.T) {
	failed := healthy("patroni.service", "pgbouncer.service")
	failed.Units["pgbouncer.service"] = "failed"
	well := &controller.Status{
		Nodes: []controller.NodeStatus{{Addr: "10.0.0.1", Name: "pg-1", Health: healthy("patroni.service")}},
		Clusters: []controller.ClusterStatus{{
			Name: "pg", VIP: "10.0.0.9", VIPHolder: "pg-1",
			Members: []health.Member{
				{Name: "pg-1", Host: "10.0.0.1", Role: "primary", State: "running", Timeline: 3, Tags: map[string]any{"seq": 1, "clonefrom": true}},
				{Name: "pg-2", Host: "10.0.0.2", Role: "sync_standby", State: "streaming", Timeline: 3, Lag: 2048, PendingRestart: true},
			},
			Services: []controller.ServiceStatus{{Name: "pg-primary", Port: 5433, Open: 2, Of: 2}},
		}},
	}
	ill := &controller.Status{
		Nodes: []controller.NodeStatus{
			{Addr: "10.0.0.1", Name: "pg-1", Health: failed},
			{Addr: "10.0.0.2", Name: "pg-2", Error: "no route to host"},
		},
		Clusters: []controller.ClusterStatus{
			{
				Name: "pg", VIP: "10.0.0.9", Paused: true, Missing: []string{"pg-2"},
				Members:  []health.Member{{Name: "pg-1", Host: "10.0.0.1", Role: "replica", State: "starting", Lag: -1}},
				Services: []controller.ServiceStatus{{Name: "pg-primary", Port: 5433, Open: 0, Of: 1}},
			},
			{Name: "pg-b", VIP: "10.0.0.8", VIPHolder: "pg-b-1", VIPAlso: []string{"pg-b-2"}, Missing: []string{"pg-b-1"}},
		},
	}
	for name, s := range map[string]*controller.Status{"well": well, "ill": ill} {
		var b bytes.Buffer
		Members(&b, s, false)
		golden.Compare(t, "testdata/members-"+name+".txt", b.String())
	}
}
