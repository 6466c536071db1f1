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
	NginxExporterPort = 9113
	BlackboxPort      = 9115
)

// Meta is what a node with meta_node carries of the platform's own services.
type Meta struct {
	Node  *Node
	Param param.Infra
}

// addMeta makes the infrastructure of the nodes that say so.
func (b *builder) addMeta() {
	b.d.Infra = decode[param.Infra](b, b.inv.Global())
	for _, n := range b.d.Nodes {
		if n.Param.MetaNode {
			n.Meta = &Meta{Node: n, Param: decode[param.Infra](b, n.Vars)}
			b.d.Metas = append(b.d.Metas, n.Meta)
		}
	}
}

// Prometheis are the infrastructure nodes that scrape and alert.
func (d *Deployment) Prometheis() []*Meta {
	var some []*Meta
	for _, m := range d.Metas {
		if m.Param.PrometheusEnabled {
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
