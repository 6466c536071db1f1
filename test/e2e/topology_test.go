//go:build e2e

package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pigsty/internal/controller"
)

// topologies is a cluster of three, the last of which copies from the second, and a cluster that
// follows it: every further topology is an edit of it.
const topologies = `
all:
  children:
    meta:
      vars: { meta_node: true, ansible_group_priority: 99 }
      hosts: { NET.10: {} }
    pg-main:
      hosts:
        NET.10: { pg_seq: 1, pg_role: primary }
        NET.11: { pg_seq: 2, pg_role: replica }
        NET.12: { pg_seq: 3, pg_role: replica, pg_upstream: NET.11 }
      vars:
        pg_cluster: pg-main
        pg_databases: [{ name: test }]
        pg_users:
          - { name: test, password: test, roles: [dbrole_admin] }
    pg-late:
      hosts: { NET.13: { pg_seq: 1, pg_role: primary } }
      vars:
        pg_cluster: pg-late
        pg_upstream: NET.10
  vars:
CONNECT
    dcs_servers: { etcd-1: NET.10 }
    pg_dcs_type: etcd
    node_tune: tiny
    pg_conf: tiny.yml
    pg_rto: fast
    patroni_watchdog_mode: "off"
    pg_shared_buffer_ratio: 0.1
`

// TestTopology builds each topology on real nodes and asks PostgreSQL itself whether it is one;
// breaks what it lives by, and sees it heal.
func TestTopology(t *testing.T) {
	t.Parallel() // most of it is waiting
	nodes := startNodes(t, "t-topo", "10.10.81.0/24", 4, withSoftware)
	s := filledSite(t, nodes, topologies)
	s.apply()
	for _, step := range []struct {
		name string
		do   func(*topology)
	}{
		{"cascade", (*topology).cascade},
		{"delayed cluster", (*topology).delayed},
		{"promotion of a delayed cluster", (*topology).promotion},
		{"quorum", (*topology).quorum},
		{"why", (*topology).why},
		{"synchronous", (*topology).synchronous},
		{"standby cluster of two", (*topology).standby},
	} {
		began := time.Now()
		passed := t.Run(step.name, func(t *testing.T) {
			step.do(&topology{s.in(t)})
		})
		t.Logf("%s: %.1f s", step.name, time.Since(began).Seconds())
		if !passed {
			return
		}
	}
}

type topology struct{ *site }

// tell is what PostgreSQL on a node, which is named by the last number of its address, answers to
// the superuser.
func (p *topology) tell(host, sql string) string {
	p.t.Helper()
	text, err := p.ask(p.dba(host), sql)
	if err != nil {
		p.t.Fatalf("%s on %s: %v", sql, host, err)
	}
	return text
}

// becomes waits until PostgreSQL on a node answers as wanted. A server that is down has no answer.
func (p *topology) becomes(host, sql, want string) {
	p.t.Helper()
	var got string
	var err error
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(300 * time.Millisecond) {
		if got, err = p.ask(p.dba(host), sql); err == nil && got == want {
			return
		}
	}
	p.t.Fatalf("%s on %s is %q (%v), and not %q, after two minutes\n%s", sql, host, got, err, want, p.pigsty("pg", "topology").out)
}

// Questions to PostgreSQL.
const (
	feeder = "SELECT coalesce((SELECT sender_host || ' ' || status FROM pg_stat_wal_receiver), 'nobody')"
	fed    = "SELECT coalesce(string_agg(application_name, ' ' ORDER BY application_name), 'nobody') FROM pg_stat_replication"
	rows   = "SELECT count(*)::text FROM kept"
	leads  = "SELECT (NOT pg_is_in_recovery())::text"
)

// from is what feeder answers on who streams from that node.
func (p *topology) from(host string) string { return p.net + host + " streaming" }

// do runs a statement in database postgres, as the administrator.
func (p *topology) do(host, sql string) {
	p.t.Helper()
	conn := p.mustConnect(p.dba(host))
	if _, err := conn.Exec(p.t.Context(), sql); err != nil {
		p.t.Fatalf("%s on %s: %v", sql, host, err)
	}
}

// arrived waits until a node has replayed, or with held only received, all that another one wrote.
func (p *topology) arrived(host, from string, held bool) {
	p.t.Helper()
	position := "pg_last_wal_replay_lsn()"
	if held {
		position = "pg_last_wal_receive_lsn()"
	}
	p.becomes(host, "SELECT ("+position+" >= '"+p.tell(from, "SELECT pg_current_wal_lsn()::text")+"')::text", "true")
}

// tree is what pigsty pg topology says, an instance with whom it follows.
func (p *topology) tree() map[string]string {
	p.t.Helper()
	r := p.pigsty("pg", "topology", "-o", "json")
	var top controller.Topology
	if err := json.Unmarshal([]byte(r.out), &top); err != nil {
		p.t.Fatalf("topology: %v\n%s%s", err, r.out, r.err)
	}
	above := map[string]string{}
	var walk func(up string, places []*controller.Place)
	walk = func(up string, places []*controller.Place) {
		for _, place := range places {
			above[place.Instance] = up
			walk(place.Instance, place.Followers)
		}
	}
	walk("", top.Roots)
	return above
}

// drawn waits until the command draws an instance below another one.
func (p *topology) drawn(instance, upstream string) {
	p.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(time.Second) {
		if p.tree()[instance] == upstream {
			return
		}
	}
	p.t.Errorf("%s is not drawn below %q:\n%s", instance, upstream, p.pigsty("pg", "topology").out)
}

// cascade is defect D-11 as well: v1.5's replica follows the leader, whatever pg_upstream says.
func (p *topology) cascade() {
	p.becomes("12", feeder, p.from("11"))
	p.becomes("11", fed, "pg-main-3")
	p.becomes("10", fed, "pg-late-1 pg-main-2")
	p.drawn("pg-main-3", "pg-main-2")
	p.drawn("pg-late-1", "pg-main-1")
	if err := p.nodes.Kill(p.t.Context(), "node-1"); err != nil {
		p.t.Fatal(err)
	}
	p.becomes("12", feeder, p.from("10"))
	if r := p.must(2, "pg", "topology", "pg-main"); !strings.Contains(r.out, "declared: pg-main-2") {
		p.t.Errorf("the declared upstream is not named:\n%s", r.out)
	}
	if err := p.nodes.Start(p.t.Context(), "node-1"); err != nil {
		p.t.Fatal(err)
	}
	p.becomes("12", feeder, p.from("11"))
	// Its slot is free when the leader has noticed that the connection before the cut is dead.
	p.becomes("11", feeder, p.from("10"))
	p.healthy()
	p.planIsEmpty()
}

// delayed has the cluster stay behind, deletes what is then still there, and fetches it.
func (p *topology) delayed() {
	p.do("10", "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS id")
	p.arrived("13", "10", false)
	upstream := "        pg_upstream: " + p.net + "10\n"
	p.edit(upstream, upstream+"        pg_delay: 1h\n")
	p.apply()
	p.becomes("13", "SHOW recovery_min_apply_delay", "1h")
	p.do("10", "DELETE FROM kept")
	p.arrived("13", "10", true)
	p.do("13", "SELECT pg_wal_replay_pause()")
	if n := p.tell("10", rows) + " and " + p.tell("13", rows); n != "0 and 1000" {
		p.t.Errorf("%s rows on the source and in the delayed cluster", n)
	}
	if r := p.must(2, "pg", "topology", "pg-late"); !strings.Contains(r.out, "stays 1h behind, replay paused") {
		p.t.Errorf("the delay is not told:\n%s", r.out)
	}
	p.do("13", "SELECT pg_wal_replay_resume()")
	p.planIsEmpty()
}

// promotion ends the delay, and the deletion arrives with it.
func (p *topology) promotion() {
	if r := p.must(2, "pg", "promote", "pg-late", "--plan"); !strings.Contains(r.out, "its delay of 1h holds back") {
		p.t.Errorf("the plan does not say what the delay holds back:\n%s", r.out)
	}
	if r := p.must(1, "pg", "promote", "pg-late"); !strings.Contains(r.err, "pg-late") {
		p.t.Errorf("nobody is told to type the name:\n%s", r.err)
	}
	if p.tell("13", leads) != "false" {
		p.t.Fatal("a plan or a refusal promoted it")
	}
	p.must(0, "pg", "promote", "pg-late", "--yes-destroy", "pg-late")
	p.becomes("13", leads, "true")
	p.do("13", "INSERT INTO kept VALUES (1)")
	if n := p.tell("13", rows); n != "1" {
		p.t.Errorf("%s rows: the deletion did not arrive", n)
	}
	if r := p.must(0, "pg", "promote", "pg-late", "--yes-destroy", "pg-late"); !strings.Contains(r.out, "Nothing to do") {
		p.t.Errorf("a second promotion:\n%s", r.out)
	}
	if r := p.pigsty("plan"); !strings.Contains(r.err, "cluster pg-late takes writes, and pg_upstream makes no standby cluster of it") {
		p.t.Errorf("the plan does not warn of pg_upstream:\n%s", r.err)
	}
	p.edit("        pg_upstream: "+p.net+"10\n        pg_delay: 1h\n", "")
	p.apply()
	p.drawn("pg-late-1", "")
}

// quorum has either of two replicas confirm a write, and goes on with one of them.
func (p *topology) quorum() {
	p.edit(", pg_upstream: "+p.net+"11 }", " }")
	p.edit("        pg_cluster: pg-main\n", "        pg_cluster: pg-main\n        pg_sync_mode: quorum\n")
	p.apply()
	p.becomes("10", "SHOW synchronous_standby_names", `ANY 1 ("pg-main-2","pg-main-3")`)
	p.becomes("10", "SELECT string_agg(DISTINCT sync_state, ' ') FROM pg_stat_replication", "quorum")
	if err := p.nodes.Kill(p.t.Context(), "node-2"); err != nil {
		p.t.Fatal(err)
	}
	p.do("10", "CREATE TABLE confirmed AS SELECT 1 AS id") // the other one confirms it
	p.becomes("10", fed, "pg-main-2")
	if err := p.nodes.Start(p.t.Context(), "node-2"); err != nil {
		p.t.Fatal(err)
	}
	p.becomes("10", "SHOW synchronous_standby_names", `ANY 1 ("pg-main-2","pg-main-3")`)
	p.planIsEmpty()
}

// synchronous loses its only standby: writes go on, and wait where they are told to.
func (p *topology) synchronous() {
	p.must(0, "remove", "instance", "pg-main-3", "-e", "pg_safeguard=false", "--yes-destroy", "pg-main-3")
	p.edit("        "+p.net+"12: { pg_seq: 3, pg_role: replica }\n", "")
	p.edit("pg_sync_mode: quorum", "pg_sync_mode: sync")
	p.apply()
	p.becomes("10", "SHOW synchronous_standby_names", `"pg-main-2"`)
	p.becomes("10", "SELECT string_agg(sync_state, ' ') FROM pg_stat_replication", "sync")
	if err := p.nodes.Kill(p.t.Context(), "node-1"); err != nil {
		p.t.Fatal(err)
	}
	p.do("10", "CREATE TABLE alone AS SELECT 1 AS id") // waits until the standby is given up
	p.becomes("10", "SHOW synchronous_standby_names", "")
	p.edit("pg_sync_mode: sync", "pg_sync_mode: sync\n        pg_sync_strict: true")
	p.must(0, "pg", "config", "pg-main", "synchronous_mode_strict=true", "-y")
	p.becomes("10", "SHOW synchronous_standby_names", "*")
	conn := p.mustConnect(p.dba("10"))
	confirmed := make(chan error, 1)
	go func() {
		_, err := conn.Exec(p.t.Context(), "CREATE TABLE waits AS SELECT 1 AS id")
		confirmed <- err
	}()
	p.becomes("10", "SELECT count(*)::text FROM pg_stat_activity WHERE wait_event = 'SyncRep'", "1")
	if err := p.nodes.Start(p.t.Context(), "node-1"); err != nil {
		p.t.Fatal(err)
	}
	if err := <-confirmed; err != nil {
		p.t.Errorf("the write that waited: %v", err)
	}
	p.becomes("10", "SHOW synchronous_standby_names", `"pg-main-2"`)
	p.apply() // the verb told Patroni, and not the files that would found the cluster
	p.edit("        pg_sync_mode: sync\n        pg_sync_strict: true\n", "")
	p.apply()
	p.becomes("10", "SHOW synchronous_standby_names", "")
}

// standby makes a cluster of two of the last nodes, which follows the first one a little late: its
// leader is lost, and the next one follows on and stays behind as far; then the source's moves. A
// server in its delay asks for WAL again when that is over, so this one is short.
func (p *topology) standby() {
	for _, node := range []string{"node-2", "node-3"} {
		if err := p.nodes.Reset(p.t.Context(), node); err != nil {
			p.t.Fatal(err)
		}
	}
	p.edit("    pg-late:\n      hosts: { "+p.net+"13: { pg_seq: 1, pg_role: primary } }\n      vars:\n        pg_cluster: pg-late\n",
		"    pg-dr:\n      hosts: { "+p.net+"12: { pg_seq: 1, pg_role: primary }, "+p.net+"13: { pg_seq: 2, pg_role: replica } }\n"+
			"      vars:\n        pg_cluster: pg-dr\n        pg_upstream: "+p.net+"10\n        pg_delay: 3s\n")
	p.apply()
	p.becomes("12", feeder, p.from("10"))
	p.becomes("13", feeder, p.from("12"))
	p.drawn("pg-dr-1", "pg-main-1")
	p.drawn("pg-dr-2", "pg-dr-1")
	if err := p.nodes.Kill(p.t.Context(), "node-2"); err != nil {
		p.t.Fatal(err)
	}
	p.becomes("13", feeder, p.from("10"))
	p.becomes("13", "SHOW recovery_min_apply_delay", "3s")
	p.do("10", "CREATE TABLE followed AS SELECT 1 AS id")
	p.arrived("13", "10", false)
	if err := p.nodes.Start(p.t.Context(), "node-2"); err != nil {
		p.t.Fatal(err)
	}
	p.becomes("12", feeder, p.from("13"))
	p.must(0, "pg", "switchover", "pg-main", "--to", "pg-main-2", "-y")
	p.do("11", "CREATE TABLE followed_again AS SELECT 1 AS id")
	p.arrived("13", "11", false)
	p.arrived("12", "11", false)
	p.planIsEmpty()
}
