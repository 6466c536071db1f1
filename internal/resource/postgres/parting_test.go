package postgres

import (
	"strings"
	"testing"
)

func TestParting(t *testing.T) {
	for name, c := range map[string]struct {
		member  string
		away    bool
		prepare func(*patroniCluster)
		refused string
	}{
		"a replica":  {member: "b"},
		"the leader": {member: "a", refused: "a is the primary of pg-test: switch over first"},
		"the declared primary, after a failover": {
			member: "a", prepare: func(c *patroniCluster) { c.members[0].leads, c.members[1].leads = false, true },
		},
		"who was promoted": {
			member: "b", prepare: func(c *patroniCluster) { c.members[0].leads, c.members[1].leads = false, true },
			refused: "b is the primary of pg-test",
		},
		"without a leader":     {member: "b", prepare: func(c *patroniCluster) { c.members[0].leads = false }, refused: "has no leader"},
		"in maintenance":       {member: "b", prepare: func(c *patroniCluster) { c.paused = true }, refused: "end it first (pigsty pg resume pg-test)"},
		"all":                  {},
		"all, without one":     {prepare: func(c *patroniCluster) { c.members[0].leads = false }},
		"all, paused":          {prepare: func(c *patroniCluster) { c.paused = true }, refused: "leaves PostgreSQL running"},
		"away and dead":        {member: "b", away: true, prepare: func(c *patroniCluster) { c.dead = "b" }},
		"away and alive":       {member: "b", away: true, refused: "b runs: its Patroni answers from here"},
		"away, not listed":     {member: "d", away: true},
		"strict, two are left": {member: "b", prepare: func(c *patroniCluster) { c.config["synchronous_mode_strict"] = true }},
		"strict, the last": {
			member: "b", prepare: func(c *patroniCluster) { c.config["synchronous_mode_strict"] = true; c.members = c.members[:2] },
			refused: "b is the last replica that can be synchronous",
		},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := newPatroniCluster(t, "a", "b", "c")
			if c.prepare != nil {
				c.prepare(cluster)
			}
			h := hostOf(t, cluster, leaderRuns("100"))
			change, err := (&Parting{Cluster: "pg-test", API: cluster.api(), Member: c.member, Away: c.away}).Diff(t.Context(), h)
			if change != nil || (err != nil) != (c.refused != "") || err != nil && !strings.Contains(err.Error(), c.refused) {
				t.Errorf("change %+v, error %v, want %q", change, err, c.refused)
			}
		})
	}
}
