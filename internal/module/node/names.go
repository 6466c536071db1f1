package node

import (
	"net/netip"
	"slices"
	"strings"

	"pigsty/internal/model"
	"pigsty/internal/resource"
)

// names sets the node's own name and what it knows of others'.
func (b *builder) names() {
	b.on("name")
	if b.n.Name != "" && b.n.Param.NodenameOverwrite {
		b.add(&resource.Hostname{Hostname: b.n.Name})
	}
	hosts := b.hosts()
	b.add(&resource.Block{Path: "/etc/hosts", Marker: "hosts", Lines: hosts, Absent: len(hosts) == 0})
	b.on("dns")
	b.resolver()
	b.on("")
}

// hosts are the node's lines of /etc/hosts, each once. The first line that has a name wins, so
// what the inventory says comes before what follows from it.
func (b *builder) hosts() []string {
	p := b.n.Param
	lines := slices.Concat(p.NodeEtcHostsDefault, p.NodeEtcHosts)
	if b.n.Name != "" && p.NodenameOverwrite {
		lines = append(lines, ownHostsLine(b.n))
	}
	if p.NodenameExchange {
		for _, peer := range b.d.Nodes {
			if peer != b.n && peer.Name != "" && isAddress(peer.Addr) {
				lines = append(lines, peer.Addr+" "+peer.Name)
			}
		}
	}
	var once []string
	for _, line := range lines {
		if line = strings.Join(strings.Fields(line), " "); !slices.Contains(once, line) {
			once = append(once, line)
		}
	}
	return once
}

// ownHostsLine lets the node resolve its own name, without which sudo complains and waits for
// a name server. A node that is known by a name gets the address that Debian uses for this.
func ownHostsLine(n *model.Node) string {
	if isAddress(n.Addr) {
		return n.Addr + " " + n.Name
	}
	return "127.0.1.1 " + n.Name
}

func isAddress(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}

// resolver tells the node whom to ask for names. Without a server there is nothing to tell.
func (b *builder) resolver() {
	p := b.n.Param
	r := &resource.Resolver{Servers: p.NodeDnsServers, Options: p.NodeDnsOptions, Only: p.NodeDnsMethod == "overwrite"}
	switch {
	case len(p.NodeDnsServers) > 0 && p.NodeDnsMethod != "none":
		b.add(r)
	case p.NodeDnsMethod != "overwrite":
		b.add(&resource.Resolver{Absent: true})
	}
}
