package model

import (
	"net"
	"net/url"
	"strconv"

	"pigsty/internal/param"
)

// Ports of the platform's own services. v1.5 has no parameters for them.
const (
	PrometheusPort    = 9090
	AlertmanagerPort  = 9093
	AlertGossipPort   = 9094 // Alertmanagers tell each other what they have sent
	GrafanaPort       = 3000
	LokiPort          = 3100
	LokiRingPort      = 7946 // on loopback: its parts find each other by it
	NginxExporterPort = 9113
	BlackboxPort      = 9115
)

// Units of systemd that the platform's own services run as.
const (
	PrometheusUnit    = "prometheus.service"
	AlertmanagerUnit  = "prometheus-alertmanager.service"
	BlackboxUnit      = "prometheus-blackbox-exporter.service"
	NginxUnit         = "nginx.service"
	NginxExporterUnit = "prometheus-nginx-exporter.service"
	DnsmasqUnit       = "dnsmasq.service"
	LokiUnit          = "loki.service"
	GrafanaUnit       = "grafana-server.service"
	NodeExporterUnit  = "prometheus-node-exporter.service"
	PromtailUnit      = "promtail.service"
	PgExporterUnit    = "pg_exporter.service"
)

// MonitorUnits are those of the node's that watch, and what it has of the platform's own services.
// Optional ones may not be there, where no repository has them.
func (d *Deployment) MonitorUnits(n *Node) (needed, optional []string) {
	if n.Param.NodeExporterEnabled {
		needed = append(needed, NodeExporterUnit)
	}
	if url, _ := d.LogStore(); n.Param.PromtailEnabled && url != "" {
		optional = append(optional, PromtailUnit)
	}
	if n.Pg != nil && n.Pg.Exports() {
		needed = append(needed, PgExporterUnit)
	}
	if n.Meta == nil {
		return needed, optional
	}
	p := n.Meta.Param
	if p.PrometheusEnabled {
		needed = append(needed, PrometheusUnit, AlertmanagerUnit, BlackboxUnit)
	}
	if p.NginxEnabled {
		needed = append(needed, NginxUnit, NginxExporterUnit)
	}
	if p.NameserverEnabled {
		needed = append(needed, DnsmasqUnit)
	}
	if p.LokiEnabled {
		optional = append(optional, LokiUnit)
	}
	if p.GrafanaEnabled {
		optional = append(optional, GrafanaUnit)
	}
	return needed, optional
}

// Meta is what a node with meta_node carries of the platform's own services.
type Meta struct {
	Node  *Node
	Param param.Infra
}

// addMeta makes the infrastructure of the nodes that say so.
func (b *builder) addMeta() {
	for _, n := range b.d.Nodes {
		if n.Param.MetaNode {
			n.Meta = &Meta{Node: n, Param: decode[param.Infra](b, n.Vars)}
			b.d.Metas = append(b.d.Metas, n.Meta)
		}
	}
	if len(b.d.Metas) > 0 {
		b.d.Infra = b.d.Metas[0].Param
	} else {
		b.d.Infra = decode[param.Infra](b, b.inv.Global())
	}
}

// PrometheusNodes are the infrastructure nodes that run Prometheus.
func (d *Deployment) PrometheusNodes() []*Meta {
	var some []*Meta
	for _, m := range d.Metas {
		if m.Param.PrometheusEnabled {
			some = append(some, m)
		}
	}
	return some
}

// PortalNodes are the infrastructure nodes that run nginx.
func (d *Deployment) PortalNodes() []*Meta {
	var some []*Meta
	for _, m := range d.Metas {
		if m.Param.NginxEnabled {
			some = append(some, m)
		}
	}
	return some
}

// LogStore is where nodes send their logs: loki_endpoint, or the first infrastructure node that runs
// Loki. Own says that it is one of the platform's, which asks for a certificate of the
// deployment's authority. An empty URL says that there is none.
func (d *Deployment) LogStore() (endpoint string, own bool) {
	given := d.Infra.LokiEndpoint
	if given == "" {
		for _, m := range d.Metas {
			if m.Param.LokiEnabled {
				return lokiPush(m.Node.Addr), true
			}
		}
		return "", false
	}
	// v1.5's form is plain HTTP; Loki of the platform speaks TLS alone.
	if u, err := url.Parse(given); err == nil {
		for _, m := range d.Metas {
			if m.Param.LokiEnabled && u.Hostname() == m.Node.Addr && u.Port() == strconv.Itoa(LokiPort) {
				return lokiPush(m.Node.Addr), true
			}
		}
	}
	return given, false
}

func lokiPush(addr string) string {
	return "https://" + net.JoinHostPort(addr, strconv.Itoa(LokiPort)) + "/loki/api/v1/push"
}
