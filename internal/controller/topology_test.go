package controller

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pigsty/internal/health"
	"pigsty/internal/model"
	"pigsty/internal/model/modeltest"
)

// replicating is a cluster of four, one of which copies from another and one stays behind, and a
// cluster of two that follows it.
const replicating = `
all:
  children:
    pg:
      hosts:
        10.0.0.1: { pg_seq: 1, pg_role: primary }
        10.0.0.2: { pg_seq: 2, pg_role: replica }
        10.0.0.3: { pg_seq: 3, pg_role: replica, pg_upstream: 10.0.0.2 }
        10.0.0.4: { pg_seq: 4, pg_role: delayed, pg_delay: 1h }
      vars: { pg_cluster: pg, vip_mode: l2, vip_address: 10.0.0.9, vip_cidrmask: 24 }
    dr:
      hosts:
        10.0.0.5: { pg_seq: 1, pg_role: primary, pg_upstream: 10.0.0.9 }
        10.0.0.6: { pg_seq: 2, pg_role: replica }
      vars: { pg_cluster: dr }
  vars: { dcs_servers: { etcd-1: 10.0.0.1 } }
`

func clustersOf(t *testing.T, text string) []*model.PgCluster {
	t.Helper()
	d, _ := modeltest.Text(t, text)
	return d.Pg
}

func primary(timeline int, senders ...health.Sender) *health.Node {
	return &health.Node{Replication: &health.Replication{Timeline: timeline, Position: 5000, Senders: senders}}
}

func fed(by string, senders ...health.Sender) *health.Node {
	return &health.Node{Replication: &health.Replication{
		Recovery: true, Timeline: 1, Position: 5000, Replayed: 4000,
		Receiver: &health.Receiver{Status: "streaming", Host: by, Port: 5432}, Senders: senders,
	}}
}

func streams(name string, behind int64) health.Sender {
	return health.Sender{Name: name, State: "streaming", SyncState: "async", Behind: behind}
}

// outline is the tree, an instance with what it is a line.
func outline(places []*Place, indent string) string {
	var b strings.Builder
	for _, p := range places {
		b.WriteString(indent + p.Instance + " " + p.Role + " " + p.State)
		if p.Declared != "" {
			b.WriteString(" declared " + p.Declared)
		}
		b.WriteString("\n" + outline(p.Followers, indent+"  "))
	}
	return b.String()
}

func TestTopology(t *testing.T) {
	leads := []health.Member{{Name: "pg-1", Role: "primary"}, {Name: "pg-2", Role: "replica"}, {Name: "pg-3", Role: "replica"}, {Name: "pg-4", Role: "replica"}}
	follows := []health.Member{{Name: "dr-1", Role: "standby_leader"}, {Name: "dr-2", Role: "replica"}}
	for name, test := range map[string]struct {
		change   func(map[string]*health.Node)
		want     string
		problems []string
	}{
		"as the inventory wants": {
			func(map[string]*health.Node) {},
			"pg-1 primary running\n  pg-2 replica streaming\n    pg-3 replica streaming\n  pg-4 replica streaming\n  dr-1 standby leader streaming\n    dr-2 replica streaming\n",
			nil,
		},
		"a cascade past its upstream": {
			func(a map[string]*health.Node) { a["10.0.0.3"].Replication.Receiver.Host = "10.0.0.1" },
			"pg-1 primary running\n  pg-2 replica streaming\n  pg-3 replica streaming declared pg-2\n  pg-4 replica streaming\n  dr-1 standby leader streaming\n    dr-2 replica streaming\n",
			[]string{"pg-3 replicates from pg-1, and pg_upstream says pg-2"},
		},
		"a node that cannot be asked is where its upstream has it": {
			func(a map[string]*health.Node) { delete(a, "10.0.0.3") },
			"pg-1 primary running\n  pg-2 replica streaming\n    pg-3 replica unreachable\n  pg-4 replica streaming\n  dr-1 standby leader streaming\n    dr-2 replica streaming\n",
			[]string{"pg-3 (10.0.0.3) cannot be asked: no route"},
		},
		"a replica that follows nobody": {
			func(a map[string]*health.Node) { a["10.0.0.2"].Replication.Receiver = nil },
			"pg-1 primary running\n  pg-2 replica not streaming declared pg-1\n    pg-3 replica streaming\n  pg-4 replica streaming\n  dr-1 standby leader streaming\n    dr-2 replica streaming\n",
			[]string{"pg-2 follows nobody; it should follow pg-1"},
		},
		"a standby cluster that follows somebody else": {
			func(a map[string]*health.Node) { a["10.0.0.5"].Replication.Receiver.Host = "192.0.2.7" },
			"pg-1 primary running\n  pg-2 replica streaming\n    pg-3 replica streaming\n  pg-4 replica streaming\ndr-1 standby leader streaming declared pg\n  dr-2 replica streaming\n",
			[]string{"dr-1 replicates from 192.0.2.7:5432 in place of pg"},
		},
		"two that take writes, and an old timeline": {
			func(a map[string]*health.Node) { a["10.0.0.4"] = primary(2) },
			"pg-1 primary running\n  pg-2 replica streaming\n    pg-3 replica streaming\n  dr-1 standby leader streaming\n    dr-2 replica streaming\npg-4 primary running\n",
			[]string{
				"cluster pg has several servers that take writes: pg-1, pg-4",
				"pg-2 is on timeline 1, its leader on 2", "pg-3 is on timeline 1, its leader on 2",
			},
		},
		"in a circle": {
			func(a map[string]*health.Node) { a["10.0.0.2"].Replication.Receiver.Host = "10.0.0.3" },
			"pg-1 primary running\n  pg-4 replica streaming\n  dr-1 standby leader streaming\n    dr-2 replica streaming\npg-2 replica streaming declared pg-1\n  pg-3 replica streaming\n",
			[]string{"pg-2 replicates from pg-3 in place of pg-1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			answers := map[string]*health.Node{
				"10.0.0.1": primary(1, streams("pg-2", 10), streams("pg-4", 3000), streams("dr-1", 0)),
				"10.0.0.2": fed("10.0.0.1", streams("pg-3", 0)),
				"10.0.0.3": fed("10.0.0.2"),
				"10.0.0.4": fed("10.0.0.1"),
				"10.0.0.5": fed("10.0.0.9", streams("dr-2", 0)), // the virtual address of pg
				"10.0.0.6": fed("10.0.0.5"),
			}
			answers["10.0.0.1"].HasVIP = true
			answers["10.0.0.4"].Replication.Delay = 3600000
			for addr, answer := range answers {
				if answer.Members = leads; addr >= "10.0.0.5" {
					answer.Members = follows
				}
			}
			test.change(answers)
			top := buildTopology(clustersOf(t, replicating), answers, map[string]error{"10.0.0.3": errors.New("no route")})
			if d := cmp.Diff(test.want, outline(top.Roots, "")); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(test.problems, top.Problems); d != "" {
				t.Error(d)
			}
		})
	}
}
