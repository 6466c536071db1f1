// Package infra sets up the platform's own services on the nodes with meta_node: the local package
// repository, the portal that serves it, Prometheus and Alertmanager, Loki, a name server, Grafana
// where it can be had.
package infra

import (
	"embed"
	"net"
	"strconv"
	"strings"

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
		b.nginx() // first: other nodes wait for the packages that it serves
		b.prometheus()
		b.alertmanager()
		b.blackbox()
		b.loki()
		b.grafana()
		b.nameserver()
		b.register()
		steps = append(steps, b.steps...)
	}
	return steps
}

// Removable tells whether a file of this module goes when its node is taken out: keys, passwords and what
// is about the deployment. What the portal serves stays, and nginx's main file, without which the
// machine would have an nginx that does not start.
func Removable(path string) bool {
	return path != nginxConfig && !strings.HasSuffix(path, "/index.html") && !strings.HasPrefix(path, register.TargetsDir+"/")
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
	probed  []register.Endpoint // what of them is looked at from outside
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

// run lists a service that runs, and is started again whatever ends it. How it takes notice of that
// is said because systemd reads a new drop-in only when it is told.
func (b *builder) run(unit string, notice resource.Notification) {
	b.add(resource.Restarting(unit), notice)
	b.add(&resource.Unit{Unit: unit})
}

// scrape notes an endpoint of the node that Prometheus is to scrape.
func (b *builder) scrape(kind string, port int) {
	b.scraped = append(b.scraped, register.Endpoint{Addr: b.n.Addr, Port: port, Type: kind})
}

// scrapeHere has this node's own Prometheus scrape a service that may not be installed: the file stands
// on the service's branch, and is left out with it.
func (b *builder) scrapeHere(kind string, port int) {
	if !b.p.PrometheusEnabled {
		return
	}
	b.add(register.Target{
		Job: register.Infra, Name: b.n.Addr + "." + kind,
		Labels:    map[string]string{"ip": b.n.Addr, "ins": b.n.Identity(), "cls": b.n.Cluster},
		Endpoints: []register.Endpoint{{Addr: b.n.Addr, Port: port, Type: kind}},
	}.File())
}

// register makes the node's services known to Prometheus.
func (b *builder) register() {
	if b.n.Name == "" && !b.n.Known {
		return // it was registered by the name that it could tell then
	}
	targets := Targets(b.n)
	targets[0].Endpoints, targets[1].Endpoints = b.scraped, b.probed
	for _, t := range targets {
		b.steps = append(b.steps, register.Steps(b.d, "infra", t)...)
	}
}

// Targets are what of an infrastructure node is scraped, and what is looked at from outside, without the
// endpoints.
func Targets(n *model.Node) []register.Target {
	about := []string{n.Addr}
	labels := map[string]string{"ip": n.Addr, "ins": n.Identity(), "cls": n.Cluster}
	return []register.Target{
		{Job: register.Infra, Name: n.Addr, About: about, Labels: labels},
		{Job: register.Probe, Name: n.Addr + ".infra", About: about, Labels: labels},
	}
}

// leaf is a certificate of a service on this node, under which it also asks others.
func (b *builder) leaf(names ...string) pki.Leaf {
	l := pki.Leaf{Days: certDays}
	l.DNSNames, l.Addresses = pki.Names(append(names, "localhost", b.n.Addr, "127.0.0.1")...)
	return l
}

const (
	certDays = 3650
	certDir  = "/etc/pigsty/infra"
)

// at is an address and a port as URLs and most programs take them.
func at(addr string, port int) string { return net.JoinHostPort(addr, strconv.Itoa(port)) }
