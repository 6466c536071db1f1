// Package infra sets up the platform's own services on the nodes with meta_node: Prometheus and
// Alertmanager, Loki, the portal, a name server, Grafana where it can be had.
package infra

import (
	"embed"
	"net"
	"strconv"

	"pigsty/internal/model"
	"pigsty/internal/param"
	"pigsty/internal/pki"
	"pigsty/internal/register"
	"pigsty/internal/render"
	"pigsty/internal/resource"
)

//go:embed templates
var files embed.FS

var templates = render.Parse(files, "templates")

// Compile lists what the infrastructure nodes need.
func Compile(d *model.Deployment) []resource.Step {
	var steps []resource.Step
	for _, m := range d.Metas {
		b := &builder{d: d, m: m, n: m.Node, p: m.Param}
		b.prometheus()
		b.alertmanager()
		b.blackbox()
		b.loki()
		b.grafana()
		b.nginx()
		b.nameserver()
		b.register()
		steps = append(steps, b.steps...)
	}
	return steps
}

// builder collects the steps of one node.
type builder struct {
	d      *model.Deployment
	m      *model.Meta
	n      *model.Node
	p      param.Infra
	branch string // of the steps that are being added
	steps  []resource.Step
	// scraped are the endpoints of the services set up so far.
	scraped []register.Endpoint
}

// on starts a branch: each service is one, so that what fails of one stops no other.
func (b *builder) on(service string) { b.branch = "infra/" + service }

func (b *builder) add(r resource.Resource, notify ...resource.Notification) {
	b.steps = append(b.steps, resource.Step{
		Node: b.n.Addr, Module: "infra", Branch: b.branch, Notify: notify, Resource: r,
	})
}

// file adds a file whose text is the template of the given path.
func (b *builder) file(path string, data any, notify ...resource.Notification) {
	b.add(&resource.File{Path: path, Content: templates.Fill(path, data)}, notify...)
}

// off lists units that neither run nor start at boot.
func (b *builder) off(units ...string) {
	for _, unit := range units {
		b.add(&resource.Unit{Unit: unit, Stopped: true, Disabled: true})
	}
}

// scrape notes an endpoint of the node that Prometheus is to scrape.
func (b *builder) scrape(kind string, port int) {
	b.scraped = append(b.scraped, register.Endpoint{Addr: b.n.Addr, Port: port, Type: kind})
}

// register makes the node's services known to Prometheus.
func (b *builder) register() {
	if b.n.Name == "" && !b.n.Known {
		return // it was registered by the name that it could tell then
	}
	b.steps = append(b.steps, register.Steps(b.d, "infra", register.Target{
		Job: register.Infra, Name: b.n.Addr, About: b.n.Addr, Labels: map[string]string{"ip": b.n.Addr, "ins": b.n.Identity(), "cls": b.n.Cluster}, Endpoints: b.scraped,
	})...)
}

// leaf is a certificate of a service on this node, under which it also asks others.
func (b *builder) leaf(names ...string) pki.Leaf {
	l := pki.Leaf{Days: certDays}
	l.DNSNames, l.Addresses = pki.Names(append(names, "localhost", b.n.Addr, "127.0.0.1")...)
	return l
}

const (
	certDays = 3650
	caFile   = "/etc/pigsty/ca.crt" // the node module puts it there
	certDir  = "/etc/pigsty/infra"
)

// at is an address and a port as URLs and most programs take them.
func at(addr string, port int) string { return net.JoinHostPort(addr, strconv.Itoa(port)) }
