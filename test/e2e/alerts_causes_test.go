//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

func (a *alarms) on(node string, argv ...string) string {
	a.t.Helper()
	return onNode(a.t, a.nodes, node, argv...)
}

// psql runs a statement as the administrator of a node's server.
func (a *alarms) psql(node, statement string) string {
	a.t.Helper()
	return a.on(node, "runuser", "-u", "postgres", "--", "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", "test", "-c", statement)
}

// session leaves one open that has run statements, as a unit of the node of the primary.
func (a *alarms) session(unit, statements string) {
	a.t.Helper()
	a.on("meta", "systemd-run", "--unit="+unit, "--property=User=postgres", "sh", "-c", "(echo '"+statements+"'; sleep 3600) | psql -qX test")
}

// sideBySide causes troubles at once that leave each other alone.
func (a *alarms) sideBySide() {
	a.haste(60)
	began := time.Now()
	vip := a.net + "3/24"
	all := []wanted{
		want("PatroniPaused", "cls=pg-test"),
		want("EtcdNoQuorum", "cls=pigsty"),
		want("InfraDown", "ins=etcd-1", "type=etcd", "ip="+a.net+"10"),
		want("PatroniDcsLost", "cls=pg-test", "ins=pg-test-1"),
		want("PatroniDcsLost", "cls=pg-test", "ins=pg-test-2"),
		want("NodeUnitFailed", "cls=pg-test", "ins=pg-test-1", "name=broken-job.service"),
		want("NodeFsSpaceFull", "cls=pg-test", "ins=pg-test-2", "mountpoint=/data"),
		want("PgbouncerDown", "cls=pg-test", "ins=pg-test-2", "ip="+a.net+"11"),
		want("AgentDown", "cls=pg-test", "ins=pg-test-2", "type=haproxy"),
		want("PostgresIdleInXact", "cls=pg-test", "ins=pg-test-1", "datname=test"),
		want("PostgresLockWait", "cls=pg-test", "ins=pg-test-1", "datname=test"),
		want("PostgresArchiveFailing", "cls=pg-test", "ins=pg-test-1"),
		want("PostgresReplayPaused", "cls=pg-test", "ins=pg-test-2"),
		want("PostgresReplicationLag", "cls=pg-test", "ins=pg-test-2"),
		want("VipHeldTwice", "cls=pg-test", "address="+a.net+"3"),
	}
	a.must(0, "pg", "pause", "pg-test", "-y")
	a.on("meta", "systemctl", "stop", "etcd")
	a.on("meta", "systemd-run", "--unit=broken-job", "false")
	a.on("node-1", "sh", "-c", "fallocate -l $(($(stat -f -c '%a*%S' /data) * 93 / 100)) /data/ballast")
	// A virtual address that nobody takes off a node whose vip-manager has gone.
	a.on("node-1", "systemctl", "stop", "pgbouncer", "haproxy", "vip-manager")
	a.on("node-1", "ip", "address", "add", vip, "dev", "host0")
	a.psql("node-1", "SELECT pg_wal_replay_pause()")
	a.psql("meta", "ALTER SYSTEM SET archive_command = 'false'")
	a.psql("meta", "SELECT pg_reload_conf()")
	a.session("holder", "BEGIN; LOCK TABLE pgbench_tellers;")
	a.session("idler", "BEGIN; SELECT 1;")
	a.settles("a table is locked", func() (bool, string) {
		return a.psql("meta", "SELECT count(*) FROM pg_locks WHERE relation = 'pgbench_tellers'::regclass") == "1", ""
	})
	a.session("waiter", "BEGIN; LOCK TABLE pgbench_tellers;")
	a.psql("meta", "SELECT pg_switch_wal()")
	a.fires(all...)

	a.on("meta", "systemctl", "start", "etcd")
	a.on("meta", "systemctl", "stop", "holder", "idler", "waiter")
	a.on("meta", "systemctl", "reset-failed")
	a.on("node-1", "rm", "/data/ballast")
	a.on("node-1", "ip", "address", "del", vip, "dev", "host0")
	a.on("node-1", "systemctl", "start", "vip-manager", "pgbouncer", "haproxy")
	a.psql("node-1", "SELECT pg_wal_replay_resume()")
	a.psql("meta", "ALTER SYSTEM RESET archive_command")
	a.psql("meta", "SELECT pg_reload_conf()")
	a.must(0, "pg", "resume", "pg-test", "-y")
	a.ends(all...)
	a.nothingElse(began, all)
	a.healthy()
}

// leaderLost stops the server of the primary while nobody may take its place.
func (a *alarms) leaderLost() {
	began := time.Now()
	all := []wanted{
		want("PostgresDown", "cls=pg-test", "ins=pg-test-1", "ip="+a.net+"10"),
		want("PostgresNoLeader", "cls=pg-test"),
		want("PostgresReplicationBreak", "cls=pg-test"),
		want("PostgresReplicaNotStreaming", "cls=pg-test", "ins=pg-test-2"),
		want("VipNotHeld", "cls=pg-test", "address="+a.net+"3"),
		want("VipDown", "cls=pg-test"),
		want("HaproxyServiceDown", "cls=pg-test", "ins=pg-test-1", "proxy=pg-test-primary"),
		want("HaproxyServiceDown", "cls=pg-test", "ins=pg-test-2", "proxy=pg-test-primary"),
		want("HaproxyServiceDown", "cls=pg-test", "ins=pg-test-1", "proxy=pg-test-default"),
		want("HaproxyServiceDown", "cls=pg-test", "ins=pg-test-2", "proxy=pg-test-default"),
	}
	a.must(0, "pg", "pause", "pg-test", "-y")
	a.on("meta", "sh", "-c", "kill -INT $(head -n 1 /pg/data/postmaster.pid)")
	a.fires(all...)

	a.must(0, "pg", "resume", "pg-test", "-y")
	restart := want("PostgresRestart", "cls=pg-test", "ins=pg-test-1")
	a.fires(restart)
	a.healthy()
	if a.leads().Name != "pg-test-1" {
		a.must(0, "pg", "switchover", "pg-test", "--to", "pg-test-1", "-y")
	}
	a.ends(all...)
	// The pause is what keeps the other from taking over; clients of the pool wait meanwhile. Once it does,
	// a cluster of two has nobody for those who want a replica until the old leader follows. What a
	// switchover back takes is long for alerts that are sixty times as quick.
	a.nothingElse(began, append(all, restart), "PgbouncerPoolWait", "PgbouncerClientQueue",
		"HaproxyBackendDown", "HaproxyQueue", "PostgresReplicationLag", "PostgresRestart")
	a.healthy()
}

// nodeDown cuts the power of a node: whoever is told hears of the node, and of nothing that runs on it.
func (a *alarms) nodeDown() {
	a.route("10s") // as Alertmanager is when nobody says otherwise
	a.haste(4)
	// What fires of the node by now is the step's before, and so is the word of its end. A restart of a server
	// is told for five minutes.
	ofNode := func(x alert) bool {
		return x.Labels["ip"] == a.net+"11" && !slices.Contains([]string{"NodeRestart", "PostgresRestart"}, x.Labels["alertname"]) && !ofMachine(x.Labels)
	}
	a.settles("nothing is wrong with the node", func() (bool, string) {
		active, _ := a.known()
		return !slices.ContainsFunc(active, ofNode), fmt.Sprint(active)
	})
	began, heard := time.Now(), len(a.people.heard())
	down := want("NodeDown", "cls=pg-test", "ins=pg-test-2", "ip="+a.net+"11")
	must(a.t, "power cut", func() error { return a.nodes.Kill(a.t.Context(), "node-1") })
	a.fires(down)
	a.settles("Alertmanager holds back what runs on the node", func() (bool, string) {
		active, heldBack := a.known()
		var types []string
		for _, x := range heldBack {
			if x.Labels["alertname"] == "AgentDown" && x.Labels["ip"] == a.net+"11" {
				types = append(types, x.Labels["type"])
			}
		}
		slices.Sort(types)
		return slices.Equal(types, []string{"haproxy", "node", "patroni", "pgbouncer", "pgsql", "promtail"}), fmt.Sprint("active: ", active, "; held back: ", heldBack)
	})
	must(a.t, "start", func() error { return a.nodes.Start(a.t.Context(), "node-1") })
	back := time.Now()
	a.settles("the node is watched again", func() (bool, string) {
		off := a.prometheus(`up == 0`)
		return len(off) == 0, fmt.Sprint(off)
	})
	a.t.Logf("every target was up %.0f s after the node", time.Since(back).Seconds())
	a.ends(down)
	a.healthy()
	// That the cluster has lost a replica is told of the cluster, and that a server has restarted when
	// the node is back.
	for _, x := range a.people.heard()[heard:] {
		if ofNode(x) && !down.is(x) && string(x.Status) == `"firing"` {
			a.t.Errorf("told of a node that is down: %s (%s)", x, x.Status)
		}
	}
	var told []string
	for _, x := range a.people.heard()[heard:] {
		told = append(told, x.String()+" "+strings.Trim(string(x.Status), `"`))
	}
	a.t.Logf("told: %s", strings.Join(told, "\n"))
	a.nothingElse(began, []wanted{down}, "AgentDown", "NodeRestart", "PostgresRestart", "PostgresReplicationBreak", "PostgresReplicationLag", "HaproxyBackendDown")
}
