package etcd

import (
	"net"
	"slices"
	"strconv"

	"pigsty/internal/model"
	"pigsty/internal/pki"
	"pigsty/internal/resource"
	"pigsty/internal/resource/etcd"
)

const (
	configFile  = "/etc/etcd/etcd.conf"
	initialFile = "/etc/etcd/initial.conf"
	caFile      = "/etc/etcd/ca.crt"
	certFile    = "/etc/etcd/server.crt"
	keyFile     = "/etc/etcd/server.key"

	// quota is etcd's own default, stated: what Patroni keeps is a few kilobytes a cluster, so
	// reaching it means that something else writes here.
	quota    = 2 << 30
	certDays = 3650
)

const clientPort = 2379

func clientURL(addr string) string {
	return "https://" + net.JoinHostPort(addr, strconv.Itoa(clientPort))
}

func peerURL(m *model.EtcdMember) string { return "https://" + net.JoinHostPort(m.Addr, "2380") }

// prepare lists what a member needs before it can start or join.
func (c *compiler) prepare(m *model.EtcdMember) {
	n, p := m.Node, c.etcd.Param
	restart := []resource.Notification{resource.RestartOf(unit)}
	c.add(n, &resource.Packages{ID: "etcd", Packages: []string{"etcd-server", "etcd-client"}})
	c.add(n, &etcd.Data{Path: p.EtcdDataDir, Config: configFile, Purge: n.Dcs.DcsClean && !n.Dcs.DcsSafeguard})
	c.add(n, &resource.Directory{Path: "/etc/etcd"})
	// etcd reads a renewed certificate at the next connection, and the authority's only when
	// it starts.
	c.add(n, &resource.File{Path: caFile, Content: c.d.CA}).Notify = restart
	c.add(n, certificate(c.d, m))
	c.add(n, &resource.File{Path: configFile, Content: templates.Fill(configFile, c.settings(m))}).Notify = restart
	path := "/etc/systemd/system/etcd.service"
	c.add(n, &resource.File{Path: path, Content: templates.Fill(path, nil)}).Notify = restart
	path = "/etc/profile.d/etcd.sh"
	c.add(n, &resource.File{Path: path, Content: templates.Fill(path, c.settings(m))})
}

// certificate serves the member to its clients, to its peers, and as a client of both. It has
// no common name: etcd's JSON gateway refuses clients that have one, see etcd.API.
func certificate(d *model.Deployment, m *model.EtcdMember) resource.Resource {
	return &resource.Certificate{
		Path: certFile, KeyPath: keyFile, CA: d.CA, Owner: "etcd", Group: "etcd",
		Leaf: pki.Leaf{
			DNSNames:  slices.Compact([]string{m.Name, "localhost"}),
			Addresses: slices.Compact([]string{m.Addr, "127.0.0.1"}),
			Days:      certDays,
		},
	}
}

// settings fill the member's templates.
type settings struct {
	Name, DataDir      string
	ListenClient       []string
	ClientURL, PeerURL string
	Endpoints          []string // of all members
	CA, Cert, Key      string
	Quota, MetricsPort int
}

func (c *compiler) settings(m *model.EtcdMember) settings {
	s := settings{
		Name: m.Name, DataDir: c.etcd.Param.EtcdDataDir,
		ClientURL: clientURL(m.Addr), PeerURL: peerURL(m),
		ListenClient: slices.Compact([]string{clientURL(m.Addr), clientURL("127.0.0.1")}),
		CA:           caFile, Cert: certFile, Key: keyFile, Quota: quota, MetricsPort: model.EtcdMetricsPort,
	}
	for _, other := range c.etcd.Members {
		s.Endpoints = append(s.Endpoints, clientURL(other.Addr))
	}
	return s
}

// serve lists the unit and the wait for it to be healthy, and returns the latter.
func (c *compiler) serve(m *model.EtcdMember) *resource.Ref {
	// Three members go on electing while one restarts; with fewer, Patroni waits for a moment.
	impact := resource.Reload
	if len(c.etcd.Members) > 2 {
		impact = resource.NoImpact
	}
	c.add(m.Node, &resource.Unit{Unit: unit, RestartImpact: impact})
	ref := c.add(m.Node, &etcd.Member{Member: m.Name, PeerURL: peerURL(m), API: c.api(m)}).Ref()
	return &ref
}

// foundingStart is what etcd reads on the first start of a new cluster.
func (c *compiler) foundingStart(m *model.EtcdMember) string {
	var list []string
	for _, other := range c.etcd.Members {
		list = append(list, other.Name+"="+peerURL(other))
	}
	return etcd.FirstStart("new", c.etcd.Name, peerURL(m), list)
}
