// Package register makes what runs on nodes known to the platform's own services: what Prometheus
// scrapes and probes, and what the portal leads to. Each module registers what it sets up, and
// takes it away again.
package register

import (
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"pigsty/internal/model"
	"pigsty/internal/resource"
)

// Jobs of Prometheus, each with a folder of targets below TargetsDir.
const (
	Infra = "infra" // the platform's own services
	Nodes = "nodes" // machines, and what runs on each of them
	Pgsql = "pgsql" // instances of PostgreSQL, with their pools, balancers and Patroni
	Redis = "redis"
	Probe = "probe" // what is only looked at from outside, by blackbox_exporter
)

// Scraped are the jobs whose targets are asked themselves, in the order of prometheus.yml; those of Probe
// are asked through blackbox_exporter.
var Scraped = []string{Infra, Nodes, Pgsql, Redis}

// TargetsDir is where Prometheus finds the files that say what to scrape.
const TargetsDir = "/etc/prometheus/targets"

// PrometheusOwner is the user that Debian's packages of Prometheus and its exporters run as.
const PrometheusOwner = "prometheus"

// mark is the first line of every file that registers something.
const mark = "# Written by pigsty: change the inventory instead."

// Modules of blackbox_exporter: how something is looked at from outside. They are in its
// configuration by these names.
const (
	HTTP = "http" // a page that answers with success, by TLS where its URL says so
	TCP  = "tcp"  // a port that accepts connections
	TLS  = "tls"  // a port that speaks TLS with a certificate of the deployment's authority
)

// portPause is the time between two probes of a port: each is a connection to the service behind.
const portPause = "30s"

// Endpoint is one address that is scraped, or probed.
type Endpoint struct {
	Addr string // address of the node, without brackets
	Port int
	URL  string // what is probed, in place of both
	// Type says what answers there: node, promtail, pgsql, pgbouncer, patroni, haproxy, etcd …
	Type string
	// Probe is the module of blackbox_exporter by which it is probed; empty for one that is scraped.
	Probe string
	// Plain endpoints do not speak TLS.
	Plain bool
	Path  string // empty = /metrics
}

func (e Endpoint) target() string {
	if e.URL != "" {
		return e.URL
	}
	return net.JoinHostPort(e.Addr, strconv.Itoa(e.Port))
}

// labels say what answers, and how it is asked.
func (e Endpoint) labels() map[string]string {
	labels := map[string]string{"type": e.Type}
	switch {
	case e.Probe == "" && !e.Plain:
		labels["__scheme__"] = "https"
	case e.Probe != "":
		labels["__param_module"] = e.Probe
	}
	if e.Probe == TCP || e.Probe == TLS {
		labels["__scrape_interval__"] = portPause
	}
	if e.Path != "" {
		labels["__metrics_path__"] = e.Path
	}
	return labels
}

// Target is a file of endpoints that share labels.
type Target struct {
	Job  string // one of the jobs
	Name string // of the file, without its ending: an instance, or the address of a node
	// About are the nodes that the endpoints are on; a virtual address is on any member's.
	About []string
	// With is the step that brings the endpoints, where a node may do without it: then there is nothing to
	// ask. Zero = they are always there.
	With resource.Ref
	// Labels are those of all its endpoints: cls, ins, ip.
	Labels    map[string]string
	Endpoints []Endpoint
}

// path is where the target's file lies.
func (t Target) path() string { return TargetsDir + "/" + t.Job + "/" + t.Name + ".yml" }

// text is the file, as Prometheus reads it.
func (t Target) text() string {
	var b strings.Builder
	b.WriteString(mark + "\n")
	for _, e := range t.Endpoints {
		b.WriteString("- targets: [" + quote(e.target()) + "]\n")
		labels := maps.Clone(t.Labels)
		maps.Copy(labels, e.labels())
		b.WriteString("  labels:\n")
		for _, name := range slices.Sorted(maps.Keys(labels)) {
			b.WriteString("    " + name + ": " + quote(labels[name]) + "\n")
		}
	}
	return b.String()
}

// File is the target as Prometheus finds it on its node; without endpoints, that there is none.
func (t Target) File() *resource.File {
	return &resource.File{Path: t.path(), Content: t.text(), Absent: len(t.Endpoints) == 0}
}

// quote makes a string of YAML that nothing in it can end.
func quote(s string) string { return strconv.Quote(s) }

// Steps write the target on every node that runs Prometheus. They stand on a branch of their own:
// what is not watched serves all the same. And they wait for nothing: what does not come up is to be
// seen as down.
func Steps(d *model.Deployment, module string, t Target) []resource.Step {
	var steps []resource.Step
	for _, m := range d.PrometheusNodes() {
		steps = append(steps, resource.Step{
			Node: m.Node.Addr, About: t.About, Module: module, Branch: Branch, With: t.With,
			Resource: t.File(),
		})
	}
	return steps
}

// Removal takes targets away on every node that runs Prometheus.
func Removal(d *model.Deployment, module string, targets ...Target) []resource.Step {
	var steps []resource.Step
	for _, t := range targets {
		t.Endpoints, t.With = nil, resource.Ref{}
		steps = append(steps, Steps(d, module, t)...)
	}
	return steps
}

// Branch is the branch of the steps that register.
const Branch = "register"

// WebConfig is the file by which Prometheus and its exporters serve TLS. They read it, and the
// certificate, anew with each connection.
func WebConfig(cert, key string) string {
	return mark + "\ntls_server_config:\n  cert_file: " + cert + "\n  key_file: " + key + "\n"
}

// ClosedWebConfig is WebConfig of a service that answers only who shows a certificate of the authority
// ca.
func ClosedWebConfig(cert, key, ca string) string {
	return WebConfig(cert, key) + "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: " + ca + "\n"
}
