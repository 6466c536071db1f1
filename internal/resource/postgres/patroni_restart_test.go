package postgres

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pigsty/internal/resource"
)

// leaderRuns is a PostgreSQL that runs with a number of connections.
func leaderRuns(connections string) *fakeServer {
	return &fakeServer{rows: map[string][]string{
		"SELECT name, setting":        {"max_connections", connections},
		"SELECT lower(name), context": {"max_connections", "postmaster"},
	}}
}

// hostOf has the leader's PostgreSQL, and reaches the cluster's API over the network.
func hostOf(t *testing.T, c *patroniCluster, server *fakeServer) *resource.Host {
	t.Helper()
	h := server.host(t)
	unix := h.Dial
	h.Dial = dialBoth(unix)
	writeForTest(t, h.Path(c.ca), readForTest(t, c.ca))
	return h
}

func TestRestartOrder(t *testing.T) {
	for name, c := range map[string]struct {
		connections float64
		method      RestartMethod
		prepare     func(*patroniCluster)
		want        []string
		impact      resource.Impact
	}{
		"nothing changed": {connections: 100},
		"raised: replicas first": {
			connections: 200, impact: resource.Restart,
			want: []string{"restart b", "restart c", "restart a"},
		},
		"lowered: the primary first": {
			connections: 50, impact: resource.Restart,
			want: []string{"restart a", "restart b", "restart c"},
		},
		"switchover to the one least behind": {
			connections: 200, method: RestartBySwitchover, impact: resource.Switchover,
			prepare: func(c *patroniCluster) { c.members[1].lag = 1 << 20 },
			want:    []string{"restart b", "restart c", "switchover a c"},
		},
		"switchover to a synchronous one": {
			connections: 200, method: RestartBySwitchover, impact: resource.Switchover,
			prepare: func(c *patroniCluster) { c.members[1].lag, c.members[1].sync = 1, true },
			want:    []string{"restart b", "restart c", "switchover a b"},
		},
		"lowered in spite of switchover": {
			connections: 50, method: RestartBySwitchover, impact: resource.Restart,
			want: []string{"restart a", "restart b", "restart c"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := newPatroniCluster(t, "a", "b", "c")
			if c.prepare != nil {
				c.prepare(cluster)
			}
			mergeConfig(cluster.config, map[string]any{"postgresql": map[string]any{"parameters": map[string]any{"max_connections": c.connections}}})
			h := hostOf(t, cluster, leaderRuns("100"))
			r := &PatroniRestart{Cluster: "pg-test", API: cluster.api(), Method: c.method, Timeout: time.Second}
			change, err := r.Diff(t.Context(), h)
			if err != nil || (change == nil) != (c.want == nil) || change != nil && change.Impact != c.impact {
				t.Fatalf("%+v, %v", change, err)
			}
			if change == nil {
				return
			}
			if err := r.Apply(t.Context(), h); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, cluster.ordered()); d != "" {
				t.Error(d)
			}
			if again, err := r.Diff(t.Context(), h); again != nil || err != nil {
				t.Errorf("again: %+v, %v", again, err)
			}
		})
	}
}

func TestRestartStopsAtAMemberThatFails(t *testing.T) {
	cluster := newPatroniCluster(t, "a", "b", "c")
	cluster.broken = "c"
	mergeConfig(cluster.config, map[string]any{"postgresql": map[string]any{"parameters": map[string]any{"max_connections": 200.0}}})
	err := (&PatroniRestart{Cluster: "pg-test", API: cluster.api(), Timeout: time.Second}).Apply(t.Context(), hostOf(t, cluster, leaderRuns("100")))
	for _, want := range []string{"cluster pg-test: c: restart PostgreSQL", "503: restart failed", "so c, a may still run with old settings"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
	if got := cluster.ordered(); len(got) != 2 {
		t.Errorf("ordered %v", got)
	}
}

func TestRestartNeedsASuccessor(t *testing.T) {
	cluster := newPatroniCluster(t, "a", "b")
	cluster.members[1].lag = "unknown"
	cluster.members[1].running = 200
	mergeConfig(cluster.config, map[string]any{"postgresql": map[string]any{"parameters": map[string]any{"max_connections": 200.0}}})
	r := &PatroniRestart{Cluster: "pg-test", API: cluster.api(), Method: RestartBySwitchover, Timeout: time.Second}
	err := r.Apply(t.Context(), hostOf(t, cluster, leaderRuns("100")))
	if err == nil || !strings.Contains(err.Error(), "no replica can take over") || len(cluster.ordered()) > 0 {
		t.Error(err)
	}
}

func TestLonePrimaryRestartsInPlace(t *testing.T) {
	cluster := newPatroniCluster(t, "a")
	mergeConfig(cluster.config, map[string]any{"postgresql": map[string]any{"parameters": map[string]any{"max_connections": 200.0}}})
	r := &PatroniRestart{Cluster: "pg-test", API: cluster.api(), Method: RestartBySwitchover, Timeout: time.Second}
	if err := r.Apply(t.Context(), hostOf(t, cluster, leaderRuns("100"))); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"restart a"}, cluster.ordered()); d != "" {
		t.Error(d)
	}
}

func TestNoPatroniNoRestart(t *testing.T) {
	cluster := newPatroniCluster(t, "a")
	h := hostOf(t, cluster, leaderRuns("100"))
	cluster.members[0].server.Close()
	if c, err := (&PatroniRestart{Cluster: "pg-test", API: cluster.api()}).Diff(t.Context(), h); c != nil || err != nil {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestUnreachableMemberStopsTheRestart(t *testing.T) {
	steps := planRestart([]clusterMember{
		{PatroniPeer: PatroniPeer{Name: "b", Role: "replica", PendingRestart: true}, problem: errNoPatroni},
		{PatroniPeer: PatroniPeer{Name: "a", Role: "leader"}, own: PatroniMember{PendingRestart: true}},
	}, RestartInPlace, false, false)
	if len(steps) != 2 || steps[0].problem == nil || steps[1].problem != nil {
		t.Errorf("%+v", steps)
	}
}
