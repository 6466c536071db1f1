package pgsql

import (
	"fmt"
	"net/netip"

	"pigsty/internal/model"
	"pigsty/internal/resource"
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
// is off: after an upgrade of the system both may be there.
func (m *member) vip() {
	if !m.c.HasVIP() {
		return
	}
	m.branch = "pgsql/vip"
	for _, unit := range []string{model.VIPManagerUnit, model.KeepalivedUnit} {
		if unit != m.c.VIPUnit() {
			m.add(&resource.Unit{Unit: unit, Stopped: true, Disabled: true})
		}
	}
	if m.hasVIPManager() {
		m.vipManager()
	} else {
		m.keepalived()
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
		Key: m.c.Param.PgNamespace + "/" + m.c.Name + "/leader", CA: caFile, CertFile: certFile, KeyFile: keyFile,
		Mask: m.c.Param.VipCidrmask, Endpoints: m.c.Etcd.Endpoints(),
	})
	m.add(&resource.VIPFile{Path: vipConfig, Content: content, Unit: vipUnit}, restart)
	m.file("/etc/systemd/system/vip-manager.service.d/pigsty.conf", struct{ EnvFile, Config, Address, Interface string }{
		vipEnv, vipConfig, fmt.Sprintf("%s/%d", m.c.Param.VipAddress, m.c.Param.VipCidrmask), m.vipInterface(),
	}, restart)
	m.add(&resource.Unit{Unit: vipUnit, RestartImpact: resource.Restart})
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
