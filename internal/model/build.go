package model

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"pigsty/internal/diag"
	"pigsty/internal/fact"
	"pigsty/internal/inventory"
	"pigsty/internal/param"
)

// builder collects the model and everything wrong with it.
type builder struct {
	inv      *inventory.Inventory
	d        *Deployment
	problems diag.List
}

// Build makes the model of an inventory that param.Check has accepted. All problems are found
// at once; with errors among them the deployment must not be used. Facts come later, see
// Observe: what is wrong with an inventory does not depend on them.
func Build(inv *inventory.Inventory) (*Deployment, diag.List) {
	b := &builder{inv: inv, d: &Deployment{}}
	for _, host := range inv.Hosts() {
		b.addNode(host)
	}
	b.addMeta()
	b.addEtcd()
	b.addClusters()
	b.addUpstreams()
	b.checkShards()
	b.checkVIPs()
	b.addRepository()
	inv.Explain(b.problems)
	b.problems.Sort()
	return b.d, b.problems
}

// Observe adds what the nodes said of themselves. A node that is not in the map is left
// unknown.
func (d *Deployment) Observe(facts map[string]fact.Node) {
	for _, n := range d.Nodes {
		n.Facts, n.Known = facts[n.Addr]
	}
}

// Node finds a node by its address; nil when there is none.
func (d *Deployment) Node(addr string) *Node {
	for _, n := range d.Nodes {
		if n.Addr == addr {
			return n
		}
	}
	return nil
}

// Cluster finds a PostgreSQL cluster by its name; nil when there is none.
func (d *Deployment) Cluster(name string) *PgCluster {
	for _, c := range d.Pg {
		if c.Name == name {
			return c
		}
	}
	return nil
}

func decode[T any](b *builder, vars inventory.Vars) T {
	value, problems := param.Decode[T](vars)
	b.problems.Add(problems...)
	return value
}

func (b *builder) addNode(host string) {
	vars := b.inv.Vars(host)
	n := &Node{
		Addr: host, Pos: b.inv.HostPos(host), Vars: vars,
		Connect: decode[param.Connect](b, vars),
		Param:   decode[param.Node](b, vars),
		Dcs:     decode[param.Dcs](b, vars),
	}
	n.Name, n.Cluster = n.Param.Nodename, n.Param.NodeCluster
	b.warnSSHPassword(n)
	b.d.Nodes = append(b.d.Nodes, n)
}

// warnSSHPassword tells that ssh is never given a password.
func (b *builder) warnSSHPassword(n *Node) {
	for name, value := range map[string]string{"ansible_password": n.Connect.AnsiblePassword, "ansible_ssh_pass": n.Connect.AnsibleSshPass} {
		if value != "" {
			b.problems.Warnf(at(n, name), "%s is not used: ssh logs in with a key", name).
				Hint = "put your public key on the node (ssh-copy-id), then remove the line"
		}
	}
}

// identify gives a node the name and cluster of the instance on it, as v1.5 does when
// pg_hostname is set and the node has none of its own.
func (i *PgInstance) identify() {
	if !i.Param.PgHostname {
		return
	}
	if i.Node.Name == "" {
		i.Node.Name = i.Name
	}
	if i.Node.Cluster == "" || i.Node.Cluster == "nodes" {
		i.Node.Cluster = i.Cluster.Name
	}
}

// addEtcd makes the etcd cluster from dcs_servers. The map is global by nature: one that
// differs between nodes is refused.
func (b *builder) addEtcd() {
	if len(b.d.Nodes) == 0 {
		return
	}
	first := b.d.Nodes[0]
	for _, n := range b.d.Nodes[1:] {
		if !equalServers(n.Dcs.DcsServers, first.Dcs.DcsServers) {
			b.problems.Errorf(at(n, "dcs_servers"), "dcs_servers of %s differs from that of %s", n.Addr, first.Addr).
				Hint = "a deployment has one DCS: set dcs_servers under all.vars only"
			return
		}
	}
	if !first.Dcs.EtcdEnabled || len(first.Dcs.DcsServers) == 0 {
		return
	}
	c := &EtcdCluster{Name: first.Dcs.DcsName, Param: first.Dcs}
	for _, name := range sortedKeys(first.Dcs.DcsServers) {
		m := &EtcdMember{Cluster: c, Name: name, Addr: first.Dcs.DcsServers[name], Node: b.d.Node(first.Dcs.DcsServers[name])}
		if m.Node != nil {
			m.Node.Etcd = m
		}
		c.Members = append(c.Members, m)
	}
	if n := len(c.Members); n%2 == 0 {
		b.problems.Warnf(at(first, "dcs_servers"), "dcs_servers has %d members, an even number", n).
			Hint = fmt.Sprintf("%d members survive the loss of no more than %d do: add or remove one", n, n-1)
	}
	b.d.Etcd = c
}

func equalServers(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for name, addr := range a {
		if b[name] != addr {
			return false
		}
	}
	return true
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// at is where a node's variable was set, or the node itself.
func at(n *Node, variable string) diag.Pos {
	if v, ok := n.Vars[variable]; ok {
		return v.Pos
	}
	return n.Pos
}

// checkVIPs refuses an address that two clusters, or a cluster and a node, would both claim.
func (b *builder) checkVIPs() {
	owner := map[netip.Addr]string{}
	for _, n := range b.d.Nodes {
		if addr, err := netip.ParseAddr(n.Addr); err == nil {
			owner[addr] = "node " + n.Addr
		}
	}
	for _, c := range b.d.Pg {
		if c.Param.VipMode == "none" {
			continue
		}
		primary := c.Primary()
		addr, err := netip.ParseAddr(c.Param.VipAddress)
		if err != nil {
			b.problems.Errorf(at(primary.Node, "vip_mode"), "cluster %s has vip_mode %s but no vip_address", c.Name, c.Param.VipMode).
				Hint = "set vip_address to a free address of the members' network, or vip_mode to none"
			continue
		}
		if other := owner[addr]; other != "" {
			b.problems.Errorf(at(primary.Node, "vip_address"), "vip_address %s of cluster %s is already the address of %s", addr, c.Name, other).
				Hint = "choose a free address"
			continue
		}
		owner[addr] = "cluster " + c.Name
	}
}

func bySeq(a, b *PgInstance) int {
	return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Node.Addr, b.Node.Addr))
}
