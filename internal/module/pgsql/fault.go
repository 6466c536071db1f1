package pgsql

import (
	"fmt"
	"slices"
	"time"

	"pigsty/internal/model"
	"pigsty/internal/resource"
	"pigsty/internal/resource/fault"
)

const etcdUnit = "etcd.service"

// Fault lists what breaks the cluster in the named way, after what refuses a cluster that is not
// healthy. lasts is how long it goes on; 0 = the fault's own default. outside tells that the power
// of the leader's machine is cut by somebody else: then the steps only look.
func Fault(d *model.Deployment, c *model.PgCluster, name string, lasts time.Duration, outside bool) ([]resource.Step, error) {
	f, err := fault.Find(name)
	if err != nil {
		return nil, err
	}
	if lasts, err = f.Duration(lasts); err != nil {
		return nil, err
	}
	b := &breaker{d: d, c: c, name: name, lasts: lasts, outside: outside}
	if err := b.complete(); err != nil {
		return nil, fmt.Errorf("a drill is for a healthy cluster: %w", err)
	}
	var checks []resource.Ref
	for _, n := range b.nodes() {
		checks = append(checks, b.add(n, &fault.Idle{Node: n.Addr}).Ref())
	}
	b.after = checks
	if err := b.list(); err != nil {
		return nil, err
	}
	return b.steps, nil
}

// EndFaults lists what ends faults of a drill before their time, on the nodes that can be reached.
func EndFaults(d *model.Deployment, c *model.PgCluster) ([]resource.Step, error) {
	b := &breaker{d: d, c: c}
	for _, n := range b.nodes() {
		if n.Known {
			b.add(n, &fault.End{Node: n.Addr})
		}
	}
	return b.steps, nil
}

// breaker lists the steps of a fault.
type breaker struct {
	d       *model.Deployment
	c       *model.PgCluster
	name    string
	lasts   time.Duration
	outside bool
	after   []resource.Ref // what comes before steps that are added, on any node
	steps   []resource.Step
}

func (b *breaker) add(n *model.Node, r resource.Resource) *resource.Step {
	s := resource.Step{Node: n.Addr, Module: "pgsql", Resource: r}
	for _, ref := range b.after {
		if ref.Node != n.Addr {
			s.After = append(s.After, ref)
		}
	}
	b.steps = append(b.steps, s)
	return &b.steps[len(b.steps)-1]
}

// nodes are those of the cluster and of etcd.
func (b *breaker) nodes() []*model.Node {
	var nodes []*model.Node
	for _, i := range b.c.Instances {
		nodes = append(nodes, i.Node)
	}
	for _, m := range b.c.Etcd.Members {
		if m.Node != nil && !slices.Contains(nodes, m.Node) {
			nodes = append(nodes, m.Node)
		}
	}
	return nodes
}

// complete is an error unless all nodes can be asked and somebody leads.
func (b *breaker) complete() error {
	for _, n := range b.nodes() {
		if !n.Known {
			return fmt.Errorf("%s cannot be reached", n.Addr)
		}
	}
	p := b.c.Leader().Node.Facts.Patroni
	if p == nil || !slices.Contains([]string{"primary", "master", "standby_leader"}, p.Role) {
		return fmt.Errorf("cluster %s has no leader; see pigsty pg list", b.c.Name)
	}
	return nil
}

func (b *breaker) list() error {
	i := b.c.Leader()
	m := &member{d: b.d, c: b.c, i: i, p: i.Param}
	leader := fault.Leader{Cluster: b.c.Name, Instance: i.Name, API: m.api()}
	switch b.name {
	case fault.Switchover:
		steps, err := handOver("")(b.d, b.c)
		b.steps = append(b.steps, steps...)
		return err
	case fault.KillPostgres, fault.KillPatroni:
		b.add(i.Node, &fault.Kill{Leader: leader, Fault: b.name, Data: m.p.PgData, Unit: patroniUnit})
	case fault.PowerCut:
		b.add(i.Node, &fault.PowerLoss{Leader: leader, Outside: b.outside})
	case fault.Freeze:
		b.add(i.Node, &fault.Standstill{Leader: leader, Unit: patroniUnit, Lasts: b.lasts})
	case fault.CutPeers:
		b.add(i.Node, &fault.Cut{Leader: leader, Fault: b.name, Hosts: b.hosts(true), Lasts: b.lasts})
	case fault.CutDCS:
		b.add(i.Node, &fault.Cut{Leader: leader, Fault: b.name, Hosts: b.hosts(false), Ports: "2379-2380", Lasts: b.lasts})
	case fault.EtcdLeader, fault.EtcdQuorum:
		return b.etcd(i.Node, leader)
	case fault.FullDisk:
		b.add(i.Node, &fault.FillDisk{Leader: leader, Data: m.p.PgData, Spared: b.spared(i.Node), Lasts: b.lasts})
	}
	return nil
}

// hosts are the members of etcd, and of the cluster where they are asked for, by their addresses;
// the node leaves out its own.
func (b *breaker) hosts(members bool) []string {
	var hosts []string
	for _, m := range b.c.Etcd.Members {
		hosts = append(hosts, m.Addr)
	}
	for _, i := range b.c.Instances {
		if members && i != b.c.Leader() && !slices.Contains(hosts, i.Node.Addr) {
			hosts = append(hosts, i.Node.Addr)
		}
	}
	return slices.DeleteFunc(hosts, func(host string) bool { return host == b.c.Leader().Node.Addr })
}

// spared is what must not run out of space with PostgreSQL.
func (b *breaker) spared(n *model.Node) map[string]string {
	spared := map[string]string{"/var/log": "the system's log", "/tmp": "the folder of temporary files", "/var/tmp": "the folder of temporary files"}
	if n.Etcd != nil {
		spared[n.Etcd.Cluster.Param.EtcdDataDir] = "etcd's data (" + n.Etcd.Cluster.Param.EtcdDataDir + ")"
	}
	return spared
}

// etcd lists what stops members of etcd once the cluster and all of etcd have shown to be healthy.
func (b *breaker) etcd(leads *model.Node, leader fault.Leader) error {
	members := b.c.Etcd.Members
	managed := slices.DeleteFunc(slices.Clone(members), func(m *model.EtcdMember) bool { return m.Node == nil })
	if b.name == fault.EtcdLeader && len(members) < 3 {
		return fmt.Errorf("etcd has no quorum without its leader, as it has only %d members: that is the fault %s", len(members), fault.EtcdQuorum)
	}
	if b.name == fault.EtcdLeader && len(managed) < len(members) {
		return fmt.Errorf("the leader of etcd may be a member that this inventory does not manage")
	}
	majority := len(members)/2 + 1
	if len(managed) < majority {
		return fmt.Errorf("a majority of etcd's members is %d, and this inventory manages %d of them", majority, len(managed))
	}
	checks := append(slices.Clone(b.after), b.add(leads, &fault.Healthy{Leader: leader}).Ref())
	for _, m := range managed {
		checks = append(checks, b.add(m.Node, &fault.EtcdHealthy{EtcdMember: etcdMember(m)}).Ref())
	}
	b.after = checks
	if b.name == fault.EtcdQuorum {
		managed = managed[:majority]
	}
	for _, m := range managed {
		b.add(m.Node, &fault.EtcdStop{EtcdMember: etcdMember(m), Fault: b.name, Unit: etcdUnit, Lasts: b.lasts})
	}
	return nil
}

func etcdMember(m *model.EtcdMember) fault.EtcdMember {
	return fault.EtcdMember{Member: m.Name, Metrics: model.EtcdMetricsPort}
}
