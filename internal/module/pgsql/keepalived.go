package pgsql

import (
	"encoding/hex"
	"fmt"

	"pigsty/internal/model"
	"pigsty/internal/resource"
)

const (
	keepalivedConfig = "/etc/keepalived/pigsty.conf"
	keepalivedAuth   = "/etc/keepalived/pigsty-auth.conf"
	keepalivedUnit   = "/etc/systemd/system/" + model.KeepalivedUnit
)

// keepalived asks the member's own Patroni whether it leads, and tells the other members while
// it has the address.
func (m *member) keepalived() {
	reload := resource.ReloadOf(model.KeepalivedUnit)
	// VRRP takes eight characters. They go over the network as they are, and keep out a stray
	// neighbour rather than an enemy.
	word := hex.EncodeToString(m.d.Derive("vrrp", m.c.Name))[:8]
	m.secret(keepalivedAuth, "root", fmt.Sprintf("authentication {\n    auth_type PASS\n    auth_pass %s\n}\n", word), reload)
	api := m.api()
	content := templates.Fill(keepalivedConfig, struct {
		Cluster, Instance, CA, Question, Interface, Addr, Auth, Address string
		RouterID                                                        int
		Peers                                                           []string
	}{
		Cluster: m.c.Name, Instance: m.i.Name, CA: api.CA, Question: api.URL + m.leads(), Interface: m.vipInterface(),
		Addr: m.i.Node.Addr, Auth: keepalivedAuth, Address: fmt.Sprintf("%s/%d", m.c.Param.VipAddress, m.c.Param.VipCidrmask),
		RouterID: m.routerID(), Peers: m.otherMembers(),
	})
	// No check: --config-test of Debian 12's keepalived ends itself by a signal when the file has
	// a script, whatever is in it.
	m.add(&resource.File{Path: keepalivedConfig, Content: content}, reload)
	m.file(keepalivedUnit, struct{ Cluster, Config string }{m.c.Name, keepalivedConfig}, resource.RestartOf(model.KeepalivedUnit))
	m.add(&resource.Unit{Unit: model.KeepalivedUnit, RestartImpact: resource.Restart})
}

// leads is what Patroni answers with 200 on the member that leads. A primary that is demoted
// stops saying so at once, before it gives the leader's key back. A cluster that follows another
// has a leader and no primary.
func (m *member) leads() string {
	if m.c.Upstream != nil {
		return "/leader"
	}
	return "/primary"
}

// routerID is the cluster's number among those on its network, 1 to 255. Members talk to their
// peers alone, so two clusters with one number do not meet.
func (m *member) routerID() int { return int(m.d.Derive("vrrp router", m.c.Name)[0])%255 + 1 }

// otherMembers are the addresses of the cluster's other members.
func (m *member) otherMembers() []string {
	var others []string
	for _, i := range m.c.Instances {
		if i != m.i {
			others = append(others, i.Node.Addr)
		}
	}
	return others
}
