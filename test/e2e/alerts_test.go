//go:build e2e

package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pigsty/internal/sandbox"
)

// watchedCluster is the least that everything of the monitoring has something to look at: a node that
// watches, and a cluster of two instances. HASTE is what the time of every alert is divided by.
const watchedCluster = `
all:
  children:
    meta:
      vars: { meta_node: true, ansible_group_priority: 99, alertmanager_config: alertmanager.yml }
      hosts: { NET.10: {} }
    pg-test:
      hosts:
        NET.10: { pg_seq: 1, pg_role: primary }
        NET.11: { pg_seq: 2, pg_role: replica }
      vars:
        pg_cluster: pg-test
        pg_conf: tiny.yml
        patroni_watchdog_mode: "off"
        pg_databases: [{ name: test }]
        pg_users:
          - { name: test, password: test, pgbouncer: true, roles: [dbrole_admin] }
        vip_mode: l2
        vip_address: NET.3
        vip_cidrmask: 24
  vars:
CONNECT
    dcs_servers: { etcd-1: NET.10 }
    pg_dcs_type: etcd
    etcd_data_dir: /var/lib/etcd # not on the disk that is filled
    node_tune: tiny
    node_repo_method: local
    node_etc_hosts_default: [NET.10 pigsty]
`

// quickly is for tests of alerts: what lasts for minutes fires within seconds.
const quickly = `
    prometheus_scrape_interval: 5s
    prometheus_scrape_timeout: 4s
    prometheus_alert_haste: 10
`

// TestAlerts holds that a healthy system calls nobody and has a value for every rule; that alerts reach
// people when what they are about really happens, name the right instance, and end when it is mended; and
// that of a node that is down nothing else is told.
func TestAlerts(t *testing.T) {
	t.Parallel() // most of it is waiting
	a := newAlarms(t, "t-alerts", "10.10.88.0/24", quickly)
	for _, step := range []struct {
		name string
		do   func(*alarms)
	}{
		{"a healthy system", func(a *alarms) { a.healthyFor(2 * time.Minute) }},
		{"troubles side by side", (*alarms).sideBySide},
		{"a leader that is lost", (*alarms).leaderLost},
		{"a node that is down", (*alarms).nodeDown},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.do(a.in(t)) }) {
			break // what fires now would be taken for what comes next
		}
	}
}

// newAlarms deploys the cluster, with logs and somebody who is told of alerts, and puts a load on it.
func newAlarms(t *testing.T, name, subnet, settings string, opts ...func(*sandbox.Config)) *alarms {
	t.Helper()
	nodes := startNodes(t, name, subnet, 2, append(opts, withWatching, func(c *sandbox.Config) { c.Disk = 2 << 30 })...)
	s := filledSite(t, nodes, watchedCluster+strings.TrimPrefix(settings, "\n"))
	s.extra = nil
	a := &alarms{infrastructure: &infrastructure{s}, people: newReceiver(t, s.net+"1")}
	a.route("1s")
	a.buildRepository()
	a.apply()
	a.healthy()
	a.load()
	return a
}

// busy are alerts that other work on the machine of the test causes by itself: its nodes share their
// processors, and their disk, with whatever else the machine does, and each sees the load of all. The
// space on the disk of a node that is new fills at a pace that it does not keep.
var busy = []string{"NodeCpuHigh", "NodeLoadHigh", "PostgresPressureHigh", "NodeDiskSlow", "NodeFsExhaustSoon"}

// ofMachine tells whether an alert may be about the machine of the test: those that are busy, and all of
// the nodes' root, which is on its disk.
func ofMachine(labels map[string]string) bool {
	return slices.Contains(busy, labels["alertname"]) || labels["mountpoint"] == "/"
}

// load is what gives pools, queries and tables something to be counted: a few transactions in a second,
// as applications make them, one of ten a write. It goes on when it loses its connections.
func (a *alarms) load() {
	const connect = "export PGPASSWORD=test PGHOST=%s3 PGPORT=5433 PGUSER=test PGDATABASE=test PGCONNECT_TIMEOUT=5; "
	prepare := fmt.Sprintf(connect, a.net) + "pgbench -q -i -s 1"
	a.settles("tables for the load", func() (bool, string) {
		_, err := a.nodes.Exec(a.t.Context(), "meta", nil, "sh", "-c", prepare)
		return err == nil, fmt.Sprint(err)
	})
	onNode(a.t, a.nodes, "meta", "systemd-run", "--unit=load", "sh", "-c",
		fmt.Sprintf(connect, a.net)+"while :; do pgbench -n -b select-only@9 -b simple-update@1 -R 20 -c 2 -T 36000; sleep 1; done")
}

// healthyFor holds that for so long every target is up and nobody is called, and that by then every rule
// has a value.
func (a *alarms) healthyFor(long time.Duration) {
	a.up(map[string]int{
		"infra prometheus": 1, "infra alertmanager": 1, "infra nginx": 1, "infra etcd": 1, "infra loki": 1,
		"nodes node": 2, "nodes promtail": 2, "pgsql patroni": 2, "pgsql haproxy": 2, "pgsql pgsql": 2, "pgsql pgbouncer": 2, "probe vip": 1,
		"probe nginx": 1, "probe etcd": 1, "probe patroni": 2, "probe pgbouncer": 2, "probe service": 8,
	})
	began := time.Now()
	for seen := map[string]bool{}; time.Since(began) < long; time.Sleep(5 * time.Second) {
		for _, f := range a.firing() {
			if !ofMachine(f.Labels) && !seen[f.String()] {
				seen[f.String()] = true
				a.t.Errorf("after %.0f s of a healthy system fires %s: %s", time.Since(began).Seconds(), f, f.Annotations["description"])
			}
		}
	}
	window := fmt.Sprintf("[%.0fs]", long.Seconds())
	if down := a.prometheus("min_over_time(up" + window + ") == 0"); len(down) > 0 {
		a.t.Errorf("targets were down: %v", down)
	}
	for _, s := range a.prometheus(`max by (alertname, ins, mountpoint) (max_over_time(ALERTS{alertstate="firing"}` + window + `))`) {
		a.t.Logf("fired: %v", s.Labels)
		if !ofMachine(s.Labels) {
			a.t.Errorf("fired on a healthy system: %v", s.Labels)
		}
	}
	a.recorded()
}

// unseen are rules that have no value on the nodes of the sandbox, and the metric that they would be made
// of: a container does not see the schedule and the clock of its kernel. rules/test holds that they have
// one where there is that metric.
var unseen = map[string]string{
	"node:cpu:sched_timeslices_rate1m": "node_schedstat_timeslices_total",
	"node:ins:sched_timeslices_rate1m": "node_schedstat_timeslices_total",
	"node:cpu:sched_wait_rate1m":       "node_schedstat_waiting_seconds_total",
	"node:ins:sched_wait_rate1m":       "node_schedstat_waiting_seconds_total",
	"node:ins:time_drift":              "node_timex_offset_seconds",
	"node:cls:time_drift_max":          "node_timex_offset_seconds",
	"node:cls:time_drift_range":        "node_timex_offset_seconds",
}

// recorded holds that every recording rule has a value.
func (a *alarms) recorded() {
	a.settles("every rule has a value", func() (bool, string) {
		var without []string
		for file, names := range recordingRules(a.t) {
			have := map[string]bool{}
			for _, s := range a.prometheus(`group by (__name__) ({__name__=~"` + strings.Join(names, "|") + `"})`) {
				have[s.Labels["__name__"]] = true
			}
			for _, name := range names {
				if input, ok := unseen[name]; ok && len(a.prometheus(input)) == 0 {
					continue
				}
				if !have[name] {
					without = append(without, file+" "+name)
				}
			}
		}
		return len(without) == 0, "no value: " + strings.Join(without, ", ")
	})
}

// haste sets by what the times of alerts are divided.
func (a *alarms) haste(by int) {
	a.write(alertHaste.ReplaceAllString(a.read(), fmt.Sprintf("${1}%d", by)))
	a.apply()
}

var alertHaste = regexp.MustCompile(`(prometheus_alert_haste: )\d+`)
