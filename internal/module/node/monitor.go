package node

import (
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
		}{p.NodeExporterPort, exporterWeb, p.NodeExporterOptions}, resource.RestartOf(model.NodeExporterUnit))
		b.add(&resource.Unit{Unit: model.NodeExporterUnit})
		b.scraped = append(b.scraped, register.Endpoint{Addr: b.n.Addr, Port: p.NodeExporterPort, Type: "node"})
	} else {
		b.add(&resource.Unit{Unit: model.NodeExporterUnit, Stopped: true, Disabled: true})
	}
	b.on("")
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
	b.steps = append(b.steps, register.Steps(b.d, "node", register.Target{
		Job: register.Nodes, Name: b.n.Addr, About: b.n.Addr,
		Labels: map[string]string{"cls": b.n.Cluster, "ins": b.n.Identity(), "ip": b.n.Addr}, Endpoints: b.scraped,
	})...)
}
