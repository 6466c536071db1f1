package pgsql

import (
	"net"
	"strconv"

	"pigsty/internal/model"
	"pigsty/internal/register"
	"pigsty/internal/resource"
)

// Registered makes a cluster known to Prometheus and the portal: each of its instances, and the virtual
// address as clients see it.
func Registered(d *model.Deployment, c *model.PgCluster) []resource.Step {
	var steps []resource.Step
	for _, i := range c.Instances {
		for _, t := range targets(d, i) {
			steps = append(steps, register.Steps(d, "pgsql", t)...)
		}
	}
	steps = append(steps, register.Steps(d, "pgsql", vipProbe(c))...)
	var pages []register.Page
	for _, i := range c.Instances {
		pages = append(pages, page(i))
	}
	return append(steps, register.Pages(d, "pgsql", c.Name, pages...)...)
}

// unregistered takes instances away from there again.
func unregistered(d *model.Deployment, c *model.PgCluster, gone ...*model.PgInstance) []resource.Step {
	var steps []resource.Step
	var pages []register.Page
	for _, i := range gone {
		steps = append(steps, register.Removal(d, "pgsql", targets(d, i)...)...)
		pages = append(pages, register.Page{Name: i.Name, About: i.Node.Addr})
	}
	return append(steps, register.Pages(d, "pgsql", c.Name, pages...)...)
}

// page is the admin page of an instance's HAProxy.
func page(i *model.PgInstance) register.Page {
	p := register.Page{Name: i.Name, About: i.Node.Addr}
	if i.Param.HaproxyEnabled {
		p.Endpoint = hostPort(i.Node.Addr, i.Cluster.Param.HaproxyExporterPort)
	}
	return p
}

// targets are what of an instance is scraped, and what is looked at from outside.
func targets(d *model.Deployment, i *model.PgInstance) []register.Target {
	about := []string{i.Node.Addr}
	labels := map[string]string{"cls": i.Cluster.Name, "ins": i.Name, "ip": i.Node.Addr}
	return []register.Target{
		{Job: register.Pgsql, Name: i.Name, About: about, Labels: labels, Endpoints: scraped(d, i)},
		{Job: register.Probe, Name: i.Name + ".pgsql", About: about, Labels: labels, Endpoints: probed(i)},
	}
}

func scraped(d *model.Deployment, i *model.PgInstance) []register.Endpoint {
	p, addr := i.Param, i.Node.Addr
	var all []register.Endpoint
	if i.Cluster.Param.PatroniEnabled {
		all = append(all, register.Endpoint{Addr: addr, Port: p.PatroniPort, Type: "patroni", Plain: !i.Cluster.Param.PatroniSslEnabled})
	}
	all = append(all, exported(d, i)...)
	if p.HaproxyEnabled {
		all = append(all, register.Endpoint{Addr: addr, Port: p.HaproxyExporterPort, Type: "haproxy", Path: d.Infra.ExporterMetricsPath})
	}
	return all
}

// probed are the ports that clients of an instance come to. Those of services that are on the virtual
// address alone are not the instance's.
func probed(i *model.PgInstance) []register.Endpoint {
	p, addr := i.Param, i.Node.Addr
	var all []register.Endpoint
	if i.Cluster.Param.PatroniEnabled {
		e := register.Endpoint{Addr: addr, Port: p.PatroniPort, Type: "patroni", Probe: register.TLS}
		if !i.Cluster.Param.PatroniSslEnabled {
			e.Probe = register.TCP
		}
		all = append(all, e)
	}
	if p.PgbouncerEnabled {
		all = append(all, register.Endpoint{Addr: addr, Port: p.PgbouncerPort, Type: "pgbouncer", Probe: register.TCP})
	}
	for _, s := range i.Cluster.Services {
		if p.HaproxyEnabled && (s.Bind == "*" || s.Bind == addr) {
			all = append(all, register.Endpoint{Addr: addr, Port: s.Port, Type: "service", Probe: register.TCP})
		}
	}
	return all
}

// vipProbe looks at the virtual address: whoever holds it has to be the cluster's leader.
func vipProbe(c *model.PgCluster) register.Target {
	t := register.Target{Job: register.Probe, Name: c.Name, Labels: map[string]string{"cls": c.Name}}
	for _, i := range c.Instances {
		t.About = append(t.About, i.Node.Addr)
	}
	if !c.HasVIP() {
		return t
	}
	scheme := "https://"
	if !c.Param.PatroniSslEnabled {
		scheme = "http://"
	}
	t.Endpoints = []register.Endpoint{{
		URL: scheme + net.JoinHostPort(c.Param.VipAddress, strconv.Itoa(c.Param.PatroniPort)) + "/primary", Type: "vip", Probe: register.HTTP,
	}}
	return t
}
