package node

import (
	"strings"

	"pigsty/internal/model"
	"pigsty/internal/pki"
	"pigsty/internal/register"
	"pigsty/internal/resource"
)

const (
	exporterArgs = "/etc/default/prometheus-node-exporter"
	exporterWeb  = "/etc/prometheus/node-exporter-web.yml"
	exporterCert = "/etc/pigsty/node/exporter.crt"
	exporterKey  = "/etc/pigsty/node/exporter.key"

	certDays = 3650
)

// monitor exports the machine's metrics.
func (b *builder) monitor() {
	p := b.n.Param
	b.on("exporter")
	if p.NodeExporterEnabled {
		b.add(&resource.Packages{ID: "node-exporter", Packages: []string{"prometheus-node-exporter"}})
		b.add(&resource.Certificate{
			Path: exporterCert, KeyPath: exporterKey, CA: b.d.CA, Leaf: b.leaf(), Owner: register.PrometheusOwner, Group: register.PrometheusOwner,
		})
		b.add(&resource.File{Path: exporterWeb, Content: register.WebConfig(exporterCert, exporterKey)})
		b.file(exporterArgs, struct {
			Port         int
			Web, Options string
		}{p.NodeExporterPort, exporterWeb, exporterOptions(p.NodeExporterOptions)}, resource.RestartOf(model.NodeExporterUnit))
		b.add(resource.Restarting(model.NodeExporterUnit), resource.RestartOf(model.NodeExporterUnit))
		b.add(&resource.Unit{Unit: model.NodeExporterUnit})
		b.scraped = append(b.scraped, register.Endpoint{Addr: b.n.Addr, Port: p.NodeExporterPort, Type: "node"})
	} else {
		b.add(&resource.Unit{Unit: model.NodeExporterUnit, Stopped: true, Disabled: true})
	}
	b.on("")
}

// ruleOptions are what the rules need of node_exporter besides its defaults, which either of these
// options replaces: failed and reset connections, and file systems on an overlay, as the root of
// some machines is. What containers mount stays out by its place.
var ruleOptions = []string{
	"--collector.netstat.fields=^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)|TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)|Tcp_(ActiveOpens|AttemptFails|EstabResets|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)|Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$",
	"--collector.filesystem.fs-types-exclude=^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|erofs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|proc|procfs|pstore|ramfs|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tracefs)$",
}

// exporterOptions adds to options what the rules need, unless they say it otherwise.
func exporterOptions(options string) string {
	for _, o := range ruleOptions {
		if name, _, _ := strings.Cut(o, "="); !strings.Contains(options, name) {
			options += " " + o
		}
	}
	return options
}

// leaf is a certificate by which the node's own services are known, and send logs.
func (b *builder) leaf() pki.Leaf {
	l := pki.Leaf{Days: certDays}
	l.DNSNames, l.Addresses = pki.Names(b.n.Name, "localhost", b.n.Addr, "127.0.0.1")
	return l
}

// targets makes the node known to Prometheus.
func (b *builder) targets() {
	if b.n.Name == "" && !b.n.Known {
		return // it was registered by the name that it could tell then
	}
	targets := Targets(b.n)
	targets[0].Endpoints = b.scraped
	targets[1].Endpoints, targets[1].With = b.sender, b.promtail
	for _, t := range targets {
		b.steps = append(b.steps, register.Steps(b.d, "node", t)...)
	}
}

// Targets are what Prometheus knows of a node, without the endpoints: the node's own, and Promtail.
func Targets(n *model.Node) []register.Target {
	labels := map[string]string{"cls": n.Cluster, "ins": n.Identity(), "ip": n.Addr}
	return []register.Target{
		{Job: register.Nodes, Name: n.Addr, About: []string{n.Addr}, Labels: labels},
		{Job: register.Nodes, Name: n.Addr + ".promtail", About: []string{n.Addr}, Labels: labels},
	}
}
