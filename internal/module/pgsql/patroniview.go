package pgsql

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"pigsty/internal/pki"
)

// patroniView is what the template of patroni.yml is filled with. What stands in Q is quoted.
type patroniView struct {
	Instance, Cluster, EnvFile string
	Q                          quotedView
	Endpoints                  []string
	CA, Cert, Key              string
	TLS, Delayed               bool
	Watchdog, ReplicateFrom    string
	Initdb, Shared             []string
	PassFile                   string
	ReplicationSSL             string
	ReplicationCA              string
	Parameters, HBA, Ident     []string
}

type quotedView struct {
	Cluster, Namespace, Instance, APIListen, APIAddress string
	Listen, Address, Data, Bin, Superuser, Replicator   string
}

func (m *member) patroniView() patroniView {
	addr, c := m.i.Node.Addr, m.c.Param
	v := patroniView{
		Instance: m.i.Name, Cluster: m.c.Name, EnvFile: patroniEnv,
		Q: quotedView{
			Cluster: quote(m.c.Name), Namespace: quote(c.PgNamespace + "/"), Instance: quote(m.i.Name),
			APIListen: quote(hostPort("0.0.0.0", c.PatroniPort)), APIAddress: quote(hostPort(addr, c.PatroniPort)),
			Listen: quote(m.p.PgListen + ":" + strconv.Itoa(m.p.PgPort)), Address: quote(hostPort(addr, m.p.PgPort)),
			Data: quote(m.p.PgData), Bin: quote(m.p.PgBinDir), Superuser: quote(m.p.PgDbsu),
			Replicator: quote(c.PgReplicationUsername),
		},
		CA: pki.CAPath, Cert: certFile, Key: keyFile, TLS: c.PatroniSslEnabled,
		Delayed: m.i.Delayed(), Watchdog: m.p.PatroniWatchdogMode, ReplicateFrom: m.replicateFrom(),
		Initdb: m.initdb(), Shared: yamlLines(m.founding(), ""), PassFile: "/pg/conf/patroni.pgpass",
		ReplicationSSL: "verify-full", ReplicationCA: pki.CAPath,
	}
	for _, e := range m.c.Etcd.Endpoints() {
		v.Endpoints = append(v.Endpoints, quote(e))
	}
	if m.foreignUpstream() || !m.tls() || m.c.Upstream != nil && !takesTLS(m.c.Upstream.Cluster.Param) {
		// The authority of a server that is not ours is not known here.
		v.ReplicationSSL, v.ReplicationCA = "prefer", ""
	}
	v.Parameters = yamlLines(typed(m.localParameters()), "")
	for _, line := range m.hba() {
		v.HBA = append(v.HBA, quote(line.Text))
	}
	for _, line := range m.poolIdentLines() {
		v.Ident = append(v.Ident, quote(line))
	}
	return v
}

// foreignUpstream tells whether the cluster follows a server outside of this deployment.
func (m *member) foreignUpstream() bool {
	return m.c.Upstream != nil && m.c.Upstream.Cluster == nil
}

// replicateFrom names the member that the instance copies from when that is not the leader.
// v1.5 writes the address there, which Patroni looks for among the names in vain.
func (m *member) replicateFrom() string {
	if up := m.i.Cascade(); up != nil {
		return quote(up.Name)
	}
	return ""
}

// quote writes text as a YAML scalar in double quotes, whose escapes are those of JSON.
func quote(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		panic(err) // text has an encoding
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// typed gives whole numbers the type that they have in Patroni's own configuration.
func typed(settings map[string]string) map[string]any {
	out := map[string]any{}
	for name, value := range settings {
		out[name] = value
		if n, err := strconv.Atoi(value); err == nil && strconv.Itoa(n) == value {
			out[name] = n
		}
	}
	return out
}

// yamlLines writes a tree of settings in the order of their names.
func yamlLines(tree map[string]any, indent string) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		switch v := tree[name].(type) {
		case map[string]any:
			lines = append(lines, indent+name+":")
			lines = append(lines, yamlLines(v, indent+"  ")...)
		case string:
			lines = append(lines, indent+name+": "+quote(v))
		case []string:
			lines = append(lines, indent+name+": ["+strings.Join(v, ", ")+"]")
		default:
			lines = append(lines, indent+name+": "+fmt.Sprint(v))
		}
	}
	return lines
}
