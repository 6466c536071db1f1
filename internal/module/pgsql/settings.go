package pgsql

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"pigsty/internal/model"
	"pigsty/internal/pki"
	"pigsty/internal/resource/postgres"
)

// shared is the cluster's dynamic configuration, which members keep in etcd. The same tree
// founds a cluster and is held against the one that runs, so that a second apply finds nothing.
func (m *member) shared(walKeep int64) map[string]any {
	parameters := typed(m.c.ClusterSettings())
	if _, given := parameters["wal_keep_size"]; !given && walKeep > 0 {
		parameters["wal_keep_size"] = fmt.Sprintf("%dMB", walKeep)
	}
	f, t, s := m.c.Failover(), m.c.Timing(), m.c.Synchronous()
	if _, given := parameters["wal_retrieve_retry_interval"]; !given && t.FeedRetry > 0 {
		parameters["wal_retrieve_retry_interval"] = fmt.Sprintf("%ds", t.FeedRetry/time.Second)
	}
	return map[string]any{
		"ttl": t.TTL, "loop_wait": t.LoopWait, "retry_timeout": t.RetryTimeout,
		"maximum_lag_on_failover": f.MaximumLag,
		"primary_start_timeout":   t.StartTimeout,
		"primary_stop_timeout":    f.StopTimeout,
		"synchronous_mode":        synchronousMode(s.Mode),
		"synchronous_mode_strict": s.Strict,
		"synchronous_node_count":  s.Count,
		// The primary stays while etcd is away and all members answer it, as in later versions.
		"failsafe_mode": true,
		"postgresql": map[string]any{
			"use_pg_rewind": true, "use_slots": true, "parameters": parameters,
		},
	}
}

// synchronousMode is Patroni's value for a mode.
func synchronousMode(mode string) any {
	if mode == model.SyncQuorum {
		return mode
	}
	return mode == model.SyncOn
}

// founding is the configuration a new cluster starts with. It depends on nobody else's machine,
// so that a node that is away changes no file of another.
func (m *member) founding() map[string]any {
	tree := m.shared(m.c.WalKeep(m.i))
	if m.i == m.c.Primary() && m.c.Upstream != nil {
		upstream := m.upstream()
		maps.DeleteFunc(upstream, func(_ string, value any) bool { return value == nil })
		upstream["create_replica_methods"] = []string{"basebackup"}
		tree["standby_cluster"] = upstream
	}
	return tree
}

// upstream is what a standby cluster follows, in Patroni's terms; null takes a key away.
func (m *member) upstream() map[string]any {
	tree := map[string]any{
		"host": strings.Join(m.c.Upstream.Hosts, ","), "port": m.c.Upstream.Port, "recovery_min_apply_delay": nil,
	}
	if delay := m.c.Primary().Delay(); delay != "" {
		tree["recovery_min_apply_delay"] = delay
	}
	return tree
}

// current is the shared configuration of a cluster that runs. What a standby cluster follows is
// kept as the inventory has it for as long as it follows: one that was promoted stays promoted.
func (m *member) current() map[string]any {
	tree := m.shared(m.c.WalKeep(m.c.Instances...))
	if m.c.Upstream != nil && m.c.FollowsNow() {
		tree["standby_cluster"] = m.upstream()
	}
	return tree
}

// initdb are the options of a new cluster, as items of a YAML list.
func (m *member) initdb() []string {
	p := m.c.Param
	items := []string{"encoding: " + quote(p.PgEncoding)}
	for _, o := range []struct{ name, value string }{
		{"locale", p.PgLocale}, {"lc-collate", p.PgLcCollate}, {"lc-ctype", p.PgLcCtype},
	} {
		if o.value != "" {
			items = append(items, o.name+": "+quote(o.value))
		}
	}
	switch {
	case m.c.Checksums():
		items = append(items, "data-checksums")
	case m.i.Version() >= 18: // where they are the default
		items = append(items, "no-data-checksums")
	}
	return items
}

// localParameters are the PostgreSQL parameters of this instance alone: what follows from its
// machine, and where things are on it.
func (m *member) localParameters() map[string]string {
	out := m.i.NodeSettings()
	for name, value := range map[string]string{
		"unix_socket_directories": m.p.PgLocalhost,
		"log_directory":           "/pg/log/postgres",
		"archive_command":         "/pg/bin/pg-arcwal %p %f",
		"ssl":                     "on",
		"ssl_ca_file":             pki.CAPath,
		"ssl_cert_file":           certFile,
		"ssl_key_file":            keyFile,
	} {
		if _, given := m.p.PgParameters[name]; !given {
			out[name] = value
		}
	}
	if delay := m.i.Delay(); delay != "" {
		out["recovery_min_apply_delay"] = delay
	}
	return out
}

// settings holds the shared configuration of a cluster against the wanted one, on the node of
// its leader. Settings that need a restart wait for restart.
func (m *member) settings() {
	if m.i != m.c.Leader() || !m.c.Param.PatroniEnabled {
		return
	}
	m.branch = "pgsql/settings"
	m.add(&postgres.PatroniConfig{
		Cluster: m.c.Name, API: m.api(), Conn: m.conn(), Desired: m.current(),
		Paused: m.paused(), Outage: m.c.Timing().Describe(),
	})
}

// paused tells whether the cluster is to be in maintenance mode once it is up.
func (m *member) paused() bool { return m.c.Param.PatroniMode == "pause" }

// pause puts the cluster into maintenance mode, last: a paused Patroni copies no data for a new
// member, so those that are being set up come first. The mode default resumes nothing: who paused
// a cluster by hand is at work on it.
func (m *member) pause() {
	if m.i != m.c.Leader() || !m.c.Param.PatroniEnabled || !m.paused() {
		return
	}
	m.branch = "pgsql/settings"
	step := m.add(&postgres.PatroniConfig{
		Cluster: m.c.Name, Part: "pause", API: m.api(), Conn: m.conn(), Desired: map[string]any{"pause": true}, Paused: true,
	})
	for _, i := range m.c.Instances {
		if i != m.i && i.Node.Known && !runs(i) {
			step.After = append(step.After, readyRef(i))
		}
	}
}

// synchronous waits for a synchronous standby of a cluster that is to have one, when the members that
// are being set up are there.
func (m *member) synchronous() {
	if m.i != m.c.Leader() || !m.c.Param.PatroniEnabled || !m.c.Failover().SynchronousMode || m.standby() {
		return
	}
	var candidates []*model.PgInstance
	for _, i := range m.c.Instances {
		if i != m.i && !i.Delayed() {
			candidates = append(candidates, i)
		}
	}
	if len(candidates) == 0 {
		return
	}
	m.branch = "pgsql/settings"
	wait := &postgres.Synchronous{
		Cluster: m.c.Name, API: m.api(), Conn: m.conn(), Timeout: time.Duration(3*m.c.Timing().LoopWait+15) * time.Second,
	}
	step := m.add(wait)
	for _, i := range candidates {
		wait.Members = append(wait.Members, i.Name)
		if i.Node.Known && !runs(i) {
			step.After = append(step.After, readyRef(i))
		}
	}
}

// restart restarts members that have settings waiting for it.
func (m *member) restart() {
	if m.i != m.c.Leader() || !m.c.Param.PatroniEnabled {
		return
	}
	m.branch = "pgsql/settings"
	r := &postgres.PatroniRestart{Cluster: m.c.Name, API: m.api(), Conn: m.conn()}
	if m.d.Switchover {
		r.Method, r.Pool = postgres.RestartBySwitchover, m.handover()
	}
	m.add(r).Aides = m.aides()
}
