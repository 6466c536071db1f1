package pgsql

import (
	"fmt"
	"net/netip"
	"time"

	"pigsty/internal/model"
	"pigsty/internal/pki"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

const (
	vipConfig = "/etc/vip-manager.yml"
	vipEnv    = "/etc/vip-manager.env"
)

// hasVIPManager tells whether vip-manager runs on the member.
func (m *member) hasVIPManager() bool {
	return m.c.HasVIP() && m.c.VIPUnit() == model.VIPManagerUnit
}

// vip lets the cluster's address follow its leader, by one program on all members. The other one
// is off: after an upgrade of the system both may be there. Where no address is wanted any more it
// leaves the node; vip-manager by itself would leave it behind.
func (m *member) vip() {
	m.branch = "pgsql/vip"
	if m.hasVIPManager() {
		m.off(model.KeepalivedUnit, "")
		m.vipManager()
		return
	}
	m.off(model.VIPManagerUnit, "")
	m.add(&postgres.VIPFile{Path: vipConfig, Unit: model.VIPManagerUnit, Absent: true})
	m.add(&resource.File{Path: vipEnv, Absent: true})
	if m.c.HasVIP() {
		m.keepalived()
	} else {
		m.off(model.KeepalivedUnit, "")
	}
}

// vipManager asks etcd who leads.
func (m *member) vipManager() {
	vipUnit := model.VIPManagerUnit
	restart := resource.RestartOf(vipUnit) // it has no reload
	m.secret(vipEnv, "root", environment([][2]string{
		{"VIP_ETCD_USER", m.c.EtcdUser()}, {"VIP_ETCD_PASSWORD", m.c.EtcdPassword(m.d)},
	}), restart)
	content := templates.Fill(vipConfig, struct {
		Cluster, Instance, EnvFile, IP, Interface, Key, CA, CertFile, KeyFile string
		Mask                                                                  int
		Endpoints                                                             []string
	}{
		Cluster: m.c.Name, Instance: m.i.Name, EnvFile: vipEnv, IP: m.c.Param.VipAddress, Interface: m.vipInterface(),
		Key: m.c.Param.PgNamespace + "/" + m.c.Name + "/leader", CA: pki.CAPath, CertFile: certFile, KeyFile: keyFile,
		Mask: m.c.Param.VipCidrmask, Endpoints: m.c.Etcd.Endpoints(),
	})
	m.add(&postgres.VIPFile{Path: vipConfig, Content: content, Unit: vipUnit}, restart)
	m.file("/etc/systemd/system/vip-manager.service.d/pigsty.conf", struct{ EnvFile, Config, Address, Interface string }{
		vipEnv, vipConfig, fmt.Sprintf("%s/%d", m.c.Param.VipAddress, m.c.Param.VipCidrmask), m.vipInterface(),
	}, restart)
	m.add(&resource.Unit{Unit: vipUnit, RestartImpact: resource.Restart})
}

// vipAddress looks whether the address follows, once everything else is done.
func (m *member) vipAddress() {
	if !m.c.HasVIP() {
		return
	}
	m.branch = "pgsql/vip"
	a := &postgres.VIPAddress{IP: m.c.Param.VipAddress, Unit: m.c.VIPUnit(), API: m.api(), Conn: m.conn()}
	if !m.hasVIPManager() {
		a.Patience = 15 * time.Second // keepalived elects for some seconds
	}
	m.add(a)
}

// vipInterface is vip_interface, or the one that has the address that peers reach the node by.
func (m *member) vipInterface() string {
	if m.p.VipInterface != "" {
		return m.p.VipInterface
	}
	for _, a := range m.i.Node.Facts.Addresses {
		if p, err := netip.ParsePrefix(a.Prefix); err == nil && p.Addr().String() == m.i.Node.Addr {
			return a.Interface
		}
	}
	return ""
}
