package view

import (
	"bytes"
	"testing"

	"pigsty/internal/controller"
	"pigsty/internal/golden"
	"pigsty/internal/health"
)

func healthy(units ...string) *health.Node {
	n := &health.Node{Units: map[string]string{}, Load: 0.25, Memory: 3 << 30, DiskFree: 900, Uptime: 86400 * 3}
	for _, u := range units {
		n.Units[u] = "active"
	}
	return n
}

func TestStatus(t *testing.T) {
	well := &controller.Status{
		Nodes: []controller.NodeStatus{{Addr: "10.0.0.1", Name: "pg-1", CPUs: 2, System: "debian 13", Health: healthy("etcd.service", "patroni.service")}},
		Etcd:  []controller.EtcdStatus{{Name: "etcd-1", Addr: "10.0.0.1", State: "leader"}},
		Clusters: []controller.ClusterStatus{{
			Name: "pg", VIP: "10.0.0.9", VIPHolder: "pg-1",
			Members:  []health.Member{{Name: "pg-1", Host: "10.0.0.1", Role: "primary", State: "running", Timeline: 3}},
			Services: []controller.ServiceStatus{{Name: "pg-primary", Port: 5433, Open: 1, Of: 1}},
		}},
	}
	down := healthy("etcd.service")
	down.Units["patroni.service"], down.Uptime, down.Memory = "failed", 5000, 5<<20
	ill := &controller.Status{
		Nodes: []controller.NodeStatus{
			{Addr: "10.0.0.1", Name: "pg-1", CPUs: 2, System: "debian 13", Health: down},
			{Addr: "10.0.0.2", Name: "pg-2", Error: "no route to host"},
		},
		Etcd: []controller.EtcdStatus{{Name: "etcd-1", Addr: "10.0.0.1", State: "down"}},
		Clusters: []controller.ClusterStatus{{
			Name: "pg", VIP: "10.0.0.9", Paused: true, Missing: []string{"pg-2"},
			Members: []health.Member{
				{Name: "pg-1", Host: "10.0.0.1", Role: "sync_standby", State: "streaming", Timeline: 3, Lag: -1, PendingRestart: true},
				{Name: "pg-3", Host: "10.0.0.3", Role: "replica", State: "starting", Timeline: 2, Lag: 5 << 40},
			},
			Services: []controller.ServiceStatus{{Name: "pg-primary", Port: 5433, Open: 0, Of: 2}},
		}},
	}
	for name, s := range map[string]*controller.Status{"well": well, "ill": ill} {
		var b bytes.Buffer
		Status(&b, s, false)
		golden.Compare(t, "testdata/status-"+name+".txt", b.String())
	}
}

func TestAge(t *testing.T) {
	for seconds, want := range map[int64]string{0: "0 s", 119: "119 s", 120: "2 min", 7199: "119 min", 7200: "2 h", 172799: "47 h", 172800: "2 days"} {
		if got := age(seconds); got != want {
			t.Errorf("%d: %s, want %s", seconds, got, want)
		}
	}
}
