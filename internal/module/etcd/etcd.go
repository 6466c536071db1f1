// Package etcd sets up the store in which Patroni elects leaders: the members that dcs_servers
// lists, TLS on every port, and a user for each PostgreSQL cluster.
package etcd

import (
	"embed"

	"pigsty/internal/model"
	"pigsty/internal/register"
	"pigsty/internal/render"
	"pigsty/internal/resource"
	"pigsty/internal/resource/etcd"
)

//go:embed templates
var files embed.FS

var templates = render.Parse(files, "templates")

const unit = "etcd.service"

// Compile lists what etcd needs. A cluster that is not there yet is founded by all its members
// at once; in one that runs, one member at a time is touched.
func Compile(d *model.Deployment) []resource.Step {
	if d.Etcd == nil {
		return nil
	}
	c := &compiler{d: d, etcd: d.Etcd, running: d.Etcd.Bootstrapped()}
	if c.running {
		c.converge()
	} else {
		c.found()
	}
	c.keepRootPassword()
	for _, m := range d.Etcd.Members {
		for _, t := range Targets(m) {
			c.steps = append(c.steps, register.Steps(d, "etcd", t)...)
		}
	}
	return c.steps
}

type compiler struct {
	d       *model.Deployment
	etcd    *model.EtcdCluster
	running bool
	steps   []resource.Step
}

// found starts all members together: each one's unit is ready only when a majority is.
func (c *compiler) found() {
	for _, m := range c.etcd.Members {
		if m.Node == nil {
			continue
		}
		c.prepare(m)
		c.add(m.Node, &resource.File{Path: initialFile, Content: c.foundingStart(m)})
		c.serve(m)
		if m.Node == c.etcd.Keeper() {
			c.giveAccess(m.Node)
		}
	}
}

// converge brings a running cluster up to date: dead members leave, members restart where they
// have to, newcomers join, and those that are no longer wanted leave and are put away.
func (c *compiler) converge() {
	keeper := c.etcd.Keeper()
	var turn *resource.Ref // the member that has to be healthy before the next is touched
	for _, m := range c.members(true) {
		c.prepare(m)
		if m.Node == keeper {
			c.add(keeper, c.leave(true))
		}
		c.add(m.Node, &etcd.Quorum{Unit: unit, PeerURL: peerURL(m), API: c.api(m)}, turn)
		healthy := c.serve(m)
		// Nobody waits for a node that could not be reached: its steps will not run.
		if m.Node.Known {
			turn = healthy
		}
		if m.Node == keeper {
			c.giveAccess(keeper)
		}
	}
	gone := &resource.Ref{Node: keeper.Addr, ID: resource.ID(c.leave(true))}
	var joined []*resource.Ref
	turn = nil
	for _, m := range c.members(false) {
		c.prepare(m)
		c.add(m.Node, c.join(m), gone, turn)
		turn = c.serve(m)
		joined = append(joined, turn)
	}
	left := c.add(keeper, c.leave(false), joined...).Ref()
	for _, n := range c.d.Nodes {
		if n.Etcd == nil && n.Facts.EtcdData {
			c.add(n, &resource.File{Path: etcd.RootFile, Absent: true}, &left)
			c.add(n, c.retire(n), &left)
		}
	}
}

// keepRootPassword leaves the password of root with every member once it is in force: only with
// the old one can a new one be set, by whichever member looks after the users then.
func (c *compiler) keepRootPassword() {
	keeper := c.etcd.Keeper()
	for _, m := range c.etcd.Members {
		if m.Node == nil {
			continue
		}
		file := &resource.File{Path: etcd.RootFile, Content: c.etcd.Param.EtcdRootPassword, Mode: 0o600, Secret: true}
		if m.Node == keeper {
			c.add(m.Node, file)
			continue
		}
		inForce := etcd.AccessRef(keeper.Addr, c.etcd.Name)
		c.add(m.Node, file, &inForce)
	}
}

// members are those on nodes of ours that have data, or those that have none and are to join.
// One whose node could not be reached counts as having data, so that nothing is done to it.
func (c *compiler) members(data bool) []*model.EtcdMember {
	var some []*model.EtcdMember
	for _, m := range c.etcd.Members {
		if m.Node != nil && (m.Node.Facts.EtcdData || !m.Node.Known) == data {
			some = append(some, m)
		}
	}
	return some
}

// add lists a step. In a running cluster a member that fails must not keep its node from
// everything else: the other members serve.
func (c *compiler) add(n *model.Node, r resource.Resource, after ...*resource.Ref) *resource.Step {
	s := resource.Step{Node: n.Addr, Module: "etcd", Resource: r}
	if c.running {
		s.Branch = "etcd"
	}
	for _, ref := range after {
		if ref != nil {
			s.After = append(s.After, *ref)
		}
	}
	c.steps = append(c.steps, s)
	return &c.steps[len(c.steps)-1]
}

// Targets are what of a member is scraped and probed: its client port, which asks for a certificate.
func Targets(m *model.EtcdMember) []register.Target {
	about := []string{m.Addr}
	labels := map[string]string{"cls": m.Cluster.Name, "ins": m.Name, "ip": m.Addr}
	client := register.Endpoint{Addr: m.Addr, Port: clientPort, Type: "etcd"}
	probed := client
	probed.Probe = register.TLS
	return []register.Target{
		{Job: register.Infra, Name: m.Name, About: about, Labels: labels, Endpoints: []register.Endpoint{client}},
		{Job: register.Probe, Name: m.Name + ".etcd", About: about, Labels: labels, Endpoints: []register.Endpoint{probed}},
	}
}

// AccessRef is the step after which clients can log in to the store.
func AccessRef(c *model.EtcdCluster) resource.Ref { return etcd.AccessRef(c.Keeper().Addr, c.Name) }

// LeaveRef is the step that takes members out of a running cluster that dcs_servers does not list.
func LeaveRef(c *model.EtcdCluster) resource.Ref {
	return resource.Ref{Node: c.Keeper().Addr, ID: resource.ID(&etcd.Leave{})}
}
