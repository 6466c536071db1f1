package param

import (
	"bytes"
	_ "embed" // for the texts about behaviour
	"fmt"
	"strings"
)

// behaviour is what modules do in another way than v1.5, which no parameter's default shows.
//
// What modules do otherwise than v1.5, besides defaults.
var (
	//go:embed behaviour-node.md
	nodeBehaviour string
	//go:embed behaviour-pgsql.md
	pgsqlBehaviour string
)

// Difference is a default that is not that of v1.5. V15 is v1.5's in one line, Reason why it was
// changed.
type Difference struct {
	Name, V15, Reason string
}

// Reasons that hold for several parameters.
const (
	published = "a password that everyone can read protects nothing; one is generated"
	placehold = "v1.5's value is an address of its example machines"
	debian    = "v1.5 names packages of EL7"
	optIn     = "what destroys or weakens something is asked for, not assumed"
	ownMirror = "v1.5 lists mirrors and packages of EL7; the node's own sources are used"
)

// Differences lists every default that differs from v1.5, in alphabetical order.
func Differences() []Difference {
	return []Difference{
		{"dcs_clean", "true", optIn},
		{"dcs_registry", "consul", "with etcd as the store there is no Consul to register with"},
		{"dcs_safeguard", "false", optIn},
		{"dcs_servers", "{meta-1: 10.10.10.10}", placehold},
		{"dns_records", "[10.10.10.2  pg-meta, …]", placehold},
		{"etcd_certs", "[ca-etcd.pem, …]", "each member's certificate is signed by the deployment's own authority"},
		{"grafana_admin_password", "pigsty", published},
		{"grafana_endpoint", "http://10.10.10.10:3000", placehold + "; the first infrastructure node is taken"},
		{"grafana_plugin_git", "[https://github.com/Vonng/vonng-echarts-panel]", "the platform's dashboards need no plugins"},
		{"grafana_plugin_list", "[marcusolsson-csv-datasource, …]", "the platform's dashboards need no plugins"},
		{"haproxy_admin_password", "pigsty", published},
		{"haproxy_auth_enabled", "false", "the admin page can take servers out of service, so it asks who you are"},
		{"jupyter_password", "pigsty", published},
		{"loki_endpoint", "http://10.10.10.10:3100/loki/api/v1/push", placehold + "; the first infrastructure node is taken"},
		{"nginx_indexes", "[PgAdmin4, PGWeb, …]", "links follow from the applications that are installed"},
		{"nginx_upstream", "[home, grafana, …]", placehold},
		{"node_admin_pk_list", "[ssh-rsa … vagrant@pigsty.com]", "the private half of that key is public"},
		{"node_disable_firewall", "true", optIn},
		{"node_disable_selinux", "true", optIn},
		{"node_dns_method", "add", "there is no name server to add until one is set up"},
		{"node_dns_options", "[options single-request-reopen timeout:1 rotate, domain service.consul]", "the search domain is Consul's, which is not the default store"},
		{"node_dns_servers", "[10.10.10.10]", placehold},
		{"node_etc_hosts_default", "[10.10.10.10 meta pigsty …]", placehold},
		{"node_exporter_options", "--no-collector.softnet --no-collector.nvme --collector.ntp --collector.tcpstat --collector.processes", "the collector ntp is gone from later versions, the kernel tells the clock's offset; failed units, and who holds an address, are told of"},
		{"node_kernel_modules", "[softdog, br_netfilter, ip_vs, ip_vs_rr, ip_vs_rr, ip_vs_wrr, ip_vs_sh]", "one module stands there twice"},
		{"node_ntp_servers", "[pool cn.pool.ntp.org iburst, …, server 10.10.10.10 iburst]", placehold},
		{"node_ntp_service", "ntp", "chrony is Debian's choice and the only one that v2 kept"},
		{"node_packages_default", "[wget, sshpass, ntp, …]", debian},
		{"node_packages_meta", "[grafana, prometheus2, …]", debian + "; modules install what they need"},
		{"node_packages_meta_pip", "jupyterlab", "an optional application is not installed everywhere"},
		{"node_repo_method", "local", "until there is a local repository the node's own sources are used"},
		{"node_repo_remove", "true", optIn},
		{"node_timezone", "Asia/Hong_Kong", "a machine keeps the time zone that it has"},
		{"pg_admin_password", "DBUser.DBA", published},
		{"pg_checksum", "false", "silent corruption is found; the cost is small"},
		{"pg_clean", "true", optIn},
		{"pg_dcs_type", "consul", "etcd is in Debian, speaks TLS and has users; consul works as well"},
		{"pg_dbsu_uid", "26", "Debian's packages make the user with a number of the system's choice"},
		{"pg_default_extensions", "[…, pg_qualstats, pg_repack, intagg]", "intagg is gone since PostgreSQL 15; the other two need packages that may not be there"},
		{"pg_default_roles", "[…, dbuser_stats]", "dbuser_stats has a published password"},
		{"pg_exporter_options", `--log.level=info --log.format="logger:syslog?appname=pg_exporter&local=7"`, "the journal keeps what it prints"},
		{"pg_extensions", "[pg_repack_${pg_version} …]", debian},
		{"pg_hba_rules", "[host … md5, …]", "passwords by SCRAM, administrators from other machines only over TLS"},
		{"pg_lc_ctype", "en_US.UTF8", "that locale is not generated on Debian; C.UTF-8 always exists"},
		{"pg_libs", "timescaledb, pg_stat_statements, auto_explain", "libraries of declared extensions join it; TimescaleDB is not in Debian 12"},
		{"pg_monitor_password", "DBUser.Monitor", published},
		{"pg_packages", "[postgresql${pg_version}*, …]", debian},
		{"pg_replication_password", "DBUser.Replicator", published},
		{"pg_safeguard", "false", optIn},
		{"pg_services", "[primary, replica, default, offline]", "the same four services; selectors are written as JMESPath wants them"},
		{"pg_version", "14", "0 is the version of the node's distribution"},
		{"pgbouncer_exporter_options", `--log.level=info --log.format="logger:syslog?appname=pgbouncer_exporter&local=7"`, "the journal keeps what it prints"},
		{"pgbouncer_hba_rules", "[host … md5, …]", "passwords by SCRAM"},
		{"prometheus_options", "--storage.tsdb.retention=15d", "the option is called storage.tsdb.retention.time now"},
		{"promtail_positions", "/var/log/positions.yaml", "Promtail runs as a user of its own, which writes nowhere else"},
		{"proxy_env", "{no_proxy: localhost,…,*.aliyun.com,…}", "the list of Chinese mirrors is of no use elsewhere"},
		{"redis_clean", "true", optIn},
		{"redis_safeguard", "false", optIn},
		{"repo_packages", "[epel-release nginx …]", ownMirror},
		{"repo_upstreams", "[base, updates, …]", ownMirror},
		{"repo_url_packages", "[loki-2.5.0.x86_64.rpm, …]", ownMirror},
		{"vip_interface", "eth0", "the interface that has the node's address is found"},
	}
}

// DifferencesMarkdown gives docs/differences.md.
func DifferencesMarkdown() []byte {
	var b bytes.Buffer
	b.WriteString(`# Differences from v1.5

Generated from internal/param. Names and shapes of parameters are v1.5's, and an old file loads as
it is.

## Defaults

These were changed, and why. What a file sets itself is not changed.

| parameter | v1.5 | here | why |
|---|---|---|---|
`)
	for _, d := range Differences() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", d.Name, code(d.V15), here(d.Name), prose(d.Reason))
	}
	b.WriteString("\n## New parameters\n\nThese are not in v1.5; names are those of later versions.\n\n")
	b.WriteString("| parameter | default | what it does |\n|---|---|---|\n")
	for _, name := range newParameters {
		p, _ := Lookup(name)
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, here(name), prose(p.Help))
	}
	b.WriteString(nodeBehaviour)
	b.WriteString(pgsqlBehaviour)
	return b.Bytes()
}

// pgsqlBehaviour is what differs in module pgsql besides defaults, in Markdown.
//
// newParameters are those that v1.5 did not have.
var newParameters = []string{
	"alertmanager_config", "etcd_root_password", "nginx_ssl_port", "nginx_users", "patroni_password", "patroni_ssl_enabled", "patroni_username",
	"pg_etcd_password", "pg_max_conn", "pg_parameters", "pg_pwd_enc", "pg_rto", "pg_shared_buffer_ratio",
	"pg_sync_count", "pg_sync_mode", "pg_sync_strict",
	"pgbouncer_auth_query", "pgbouncer_sslmode", "prometheus_alert_haste", "prometheus_sample_limit",
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + cell(s) + "`"
}

func here(name string) string {
	p, _ := Lookup(name)
	if s := cellDefault(p); s != "" {
		return strings.ReplaceAll(s, "(#long-defaults)", "(parameters.md#long-defaults)")
	}
	return "empty"
}
