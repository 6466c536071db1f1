// Package register makes what runs on nodes known to the platform's own services: what Prometheus
// scrapes and probes. Each module registers what it sets up, and
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

// Endpoint is one address that is scraped, or probed.
type Endpoint struct {
	Addr string // address of the node, without brackets
	Port int
	URL  string // what is probed, in place of both
	// Type says what answers there: node, promtail, pgsql, pgbouncer, patroni, haproxy, etcd …
	Type string
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
	if e.URL == "" && !e.Plain {
		labels["__scheme__"] = "https"
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
	// About is the node that the endpoints are on; a cluster's is that of any of its members.
	About string
	// Labels are those of all its endpoints: cls, ins, ip.
	Labels    map[string]string
	Endpoints []Endpoint
}

// path is where the target's file lies.
func (t Target) path() string { return TargetsDir + "/" + t.Job + "/" + t.Name + ".yml" }

// text is the file, as Prometheus reads it.
func (t Target) text() string {
	var b strings.Builder
	b.WriteString("# Written by pigsty: change the inventory instead.\n")
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
			Node: m.Node.Addr, About: t.About, Module: module, Branch: Branch,
			Resource: t.File(),
		})
	}
	return steps
}

// Removal takes a target away on every node that runs Prometheus.
func Removal(d *model.Deployment, module, job, name, about string) []resource.Step {
	return Steps(d, module, Target{Job: job, Name: name, About: about})
}

// Branch is the branch of the steps that register.
const Branch = "register"

// WebConfig is the file by which Prometheus and its exporters serve TLS. They read it, and the
// certificate, anew with each connection.
func WebConfig(cert, key string) string {
	return "# Written by pigsty: change the inventory instead.\ntls_server_config:\n  cert_file: " + cert + "\n  key_file: " + key + "\n"
}
