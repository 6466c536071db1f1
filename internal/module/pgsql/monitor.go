package pgsql

import (
	"net"
	"strconv"

	"pigsty/internal/model"
	"pigsty/internal/register"
	"pigsty/internal/resource"
)

// Registered makes a cluster known to Prometheus: each of its instances, and the virtual address as
// clients see it.
func Registered(d *model.Deployment, c *model.PgCluster) []resource.Step {
	var steps []resource.Step
	for _, i := range c.Instances {
		steps = append(steps, register.Steps(d, "pgsql", target(d, i))...)
	}
	return append(steps, register.Steps(d, "pgsql", probes(c))...)
}

// unregistered takes all of that away.
func unregistered(d *model.Deployment, c *model.PgCluster) []resource.Step {
	steps := register.Removal(d, "pgsql", register.Probe, c.Name, c.Instances[0].Node.Addr)
	for _, i := range c.Instances {
		steps = append(steps, register.Removal(d, "pgsql", register.Pgsql, i.Name, i.Node.Addr)...)
	}
	return steps
}

// target is what of an instance is scraped.
func target(d *model.Deployment, i *model.PgInstance) register.Target {
	p, addr := i.Param, i.Node.Addr
	t := register.Target{Job: register.Pgsql, Name: i.Name, About: addr, Labels: map[string]string{"cls": i.Cluster.Name, "ins": i.Name, "ip": addr}}
	if i.Cluster.Param.PatroniEnabled {
		t.Endpoints = append(t.Endpoints, register.Endpoint{Addr: addr, Port: p.PatroniPort, Type: "patroni", Plain: !i.Cluster.Param.PatroniSslEnabled})
	}
	t.Endpoints = append(t.Endpoints, exported(d, i)...)
	if p.HaproxyEnabled {
		t.Endpoints = append(t.Endpoints, register.Endpoint{Addr: addr, Port: p.HaproxyExporterPort, Type: "haproxy", Plain: true, Path: d.Infra.ExporterMetricsPath})
	}
	return t
}

// probes look at the virtual address: whoever holds it has to be the cluster's leader.
func probes(c *model.PgCluster) register.Target {
	t := register.Target{Job: register.Probe, Name: c.Name, About: c.Instances[0].Node.Addr, Labels: map[string]string{"cls": c.Name, "__param_module": "http"}}
	if !c.HasVIP() {
		return t
	}
	scheme := "https://"
	if !c.Param.PatroniSslEnabled {
		scheme = "http://"
	}
	t.Endpoints = []register.Endpoint{{
		URL: scheme + net.JoinHostPort(c.Param.VipAddress, strconv.Itoa(c.Param.PatroniPort)) + "/primary", Type: "vip",
	}}
	return t
}
