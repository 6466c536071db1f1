package postgres

import (
	"slices"
	"strings"
	"testing"
)

func TestSwitchover(t *testing.T) {
	for name, c := range map[string]struct {
		to      string
		prepare func(*patroniCluster)
		want    string // what is ordered of Patroni
		refused string
	}{
		"to the one that is asked for": {to: "c", want: "switchover a c"},
		"to the fittest":               {prepare: func(c *patroniCluster) { c.members[1].lag = 1 << 20 }, want: "switchover a c"},
		"to the synchronous one":       {prepare: func(c *patroniCluster) { c.members[2].sync = true }, want: "switchover a c"},
		"who leads already":            {to: "a"},
		"to nobody there":              {to: "d", refused: "cluster pg-test has no member d; it has a, b, c"},
		"past the synchronous one": {
			to: "b", prepare: func(c *patroniCluster) { c.members[2].sync = true },
			refused: "b is not synchronous: only c may take over without loss",
		},
		"to one that does not answer": {to: "b", prepare: func(c *patroniCluster) { c.dead = "b" }, refused: "b cannot be asked"},
		"to one of unknown lag":       {to: "b", prepare: func(c *patroniCluster) { c.members[1].lag = "unknown" }, refused: "nobody knows how far b is behind"},
		"without a leader":            {prepare: func(c *patroniCluster) { c.members[0].leads = false }, refused: "has no leader"},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := newPatroniCluster(t, "a", "b", "c")
			if c.prepare != nil {
				c.prepare(cluster)
			}
			h := hostOf(t, cluster, leaderRuns("100"))
			s := &Switchover{Cluster: "pg-test", API: cluster.api(), To: c.to}
			change, err := s.Diff(t.Context(), h)
			if c.refused != "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("error %v, want %q", err, c.refused)
				}
				return
			}
			if err != nil || (change != nil) != (c.want != "") {
				t.Fatalf("change %+v, error %v", change, err)
			}
			if done := cluster.ordered(); len(done) > 0 {
				t.Fatalf("looking alone has ordered %q", done)
			}
			if err := s.Apply(t.Context(), h); err != nil {
				t.Fatal(err)
			}
			if done := cluster.ordered(); !slices.Equal(done, strings.FieldsFunc(c.want, func(r rune) bool { return r == ',' })) {
				t.Errorf("ordered %q, want %q", done, c.want)
			}
		})
	}
}
