package postgres

import (
	"slices"
	"strings"
	"testing"

	"pigsty/internal/resource"
)

// follows makes a standby cluster, delayed or paused.
func follows(delay string, paused bool) func(*patroniCluster) {
	return func(c *patroniCluster) {
		source := map[string]any{"host": "192.0.2.1", "port": 5432}
		if delay != "" {
			source["recovery_min_apply_delay"] = delay
		}
		c.config["standby_cluster"], c.config["pause"] = source, paused
	}
}

// Each order says beforehand what it costs and does just that, or refuses.
func TestOrders(t *testing.T) {
	for name, c := range map[string]struct {
		order   func(PatroniAPI) resource.Resource
		prepare func(*patroniCluster)
		impact  resource.Impact
		want    []string // what is ordered of Patroni
		nothing bool
		refused string
	}{
		"restart of all: the leader last": {
			order:  func(api PatroniAPI) resource.Resource { return &Restart{Cluster: "pg-test", API: api} },
			impact: resource.Restart, want: []string{"restart b", "restart c", "restart a"},
		},
		"restart of one": {
			order: func(api PatroniAPI) resource.Resource {
				return &Restart{Cluster: "pg-test", API: api, Members: []string{"c"}}
			},
			impact: resource.Restart, want: []string{"restart c"},
		},
		"restart of those that wait": {
			order:   func(api PatroniAPI) resource.Resource { return &Restart{Cluster: "pg-test", API: api, Pending: true} },
			prepare: func(c *patroniCluster) { c.members[1].running = 90 },
			impact:  resource.Restart, want: []string{"restart b"},
		},
		"restart where nobody waits": {
			order:   func(api PatroniAPI) resource.Resource { return &Restart{Cluster: "pg-test", API: api, Pending: true} },
			nothing: true,
		},
		"restart by switchover": {
			order: func(api PatroniAPI) resource.Resource {
				return &Restart{Cluster: "pg-test", API: api, Members: []string{"a"}, Method: RestartBySwitchover}
			},
			impact: resource.Switchover, want: []string{"switchover a b"},
		},
		"restart of nobody": {
			order: func(api PatroniAPI) resource.Resource {
				return &Restart{Cluster: "pg-test", API: api, Members: []string{"x"}}
			},
			refused: "cluster pg-test has no member x; it has a, b, c",
		},
		"reload": {
			order: func(api PatroniAPI) resource.Resource {
				return &Reload{Cluster: "pg-test", API: api, Members: []string{"b"}}
			},
			impact: resource.Reload, want: []string{"reload b", "config b"},
		},
		"new copy": {
			order:  func(api PatroniAPI) resource.Resource { return &Reinit{Cluster: "pg-test", API: api, Member: "c"} },
			impact: resource.Restart, want: []string{"reinitialize c"},
		},
		"new copy of the original": {
			order:   func(api PatroniAPI) resource.Resource { return &Reinit{Cluster: "pg-test", API: api, Member: "a"} },
			refused: "a leads cluster pg-test: its data are the original",
		},
		"new copy of nothing": {
			order:   func(api PatroniAPI) resource.Resource { return &Reinit{Cluster: "pg-test", API: api, Member: "b"} },
			prepare: func(c *patroniCluster) { c.members[0].leads = false },
			refused: "has no leader to copy from",
		},
		"failover without a leader": {
			order:   func(api PatroniAPI) resource.Resource { return &Failover{Cluster: "pg-test", API: api, To: "b"} },
			prepare: func(c *patroniCluster) { c.members[0].leads = false },
			impact:  resource.DataLoss, want: []string{"failover b"},
		},
		"failover to the leader": {
			order:   func(api PatroniAPI) resource.Resource { return &Failover{Cluster: "pg-test", API: api, To: "a"} },
			nothing: true,
		},
		"failover from a leader that runs": {
			order:   func(api PatroniAPI) resource.Resource { return &Failover{Cluster: "pg-test", API: api, To: "b"} },
			refused: "a leads cluster pg-test and runs: a switchover loses nothing (pigsty pg switchover pg-test --to b)",
		},
		"promotion": {
			order:   func(api PatroniAPI) resource.Resource { return &Promote{Cluster: "pg-test", API: api} },
			prepare: follows("", false),
			want:    []string{"config a"},
		},
		"promotion of a delayed cluster": {
			order:   func(api PatroniAPI) resource.Resource { return &Promote{Cluster: "pg-test", API: api} },
			prepare: follows("1h", false),
			impact:  resource.DataLoss, want: []string{"config a"},
		},
		"promotion of a cluster that takes writes": {
			order:   func(api PatroniAPI) resource.Resource { return &Promote{Cluster: "pg-test", API: api} },
			nothing: true,
		},
		"promotion of a paused cluster": {
			order:   func(api PatroniAPI) resource.Resource { return &Promote{Cluster: "pg-test", API: api} },
			prepare: follows("", true),
			refused: "cluster pg-test is paused, and nobody is promoted in it: pigsty pg resume pg-test ends that",
		},
		"promotion without a leader": {
			order: func(api PatroniAPI) resource.Resource { return &Promote{Cluster: "pg-test", API: api} },
			prepare: func(c *patroniCluster) {
				follows("", false)(c)
				c.members[0].leads = false
			},
			refused: "cluster pg-test has no leader that could be promoted",
		},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := newPatroniCluster(t, "a", "b", "c")
			if c.prepare != nil {
				c.prepare(cluster)
			}
			h := hostOf(t, cluster, leaderRuns("100"))
			order := c.order(cluster.api())
			change, err := order.Diff(t.Context(), h)
			if c.refused != "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("error %v, want %q", err, c.refused)
				}
				return
			}
			if err != nil || (change == nil) != c.nothing || change != nil && change.Impact != c.impact {
				t.Fatalf("change %+v, error %v", change, err)
			}
			if err := order.Apply(t.Context(), h); err != nil {
				t.Fatal(err)
			}
			if done := cluster.ordered(); !slices.Equal(done, c.want) {
				t.Errorf("ordered %q, want %q", done, c.want)
			}
		})
	}
}
