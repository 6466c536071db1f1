package pgsql

import (
	"fmt"
	"net/netip"

	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

const (
	vipConfig = "/etc/vip-manager.yml"
	vipEnv    = "/etc/vip-manager.env"
)

// hasVIP tells whether vip-manager runs on the member.
func (m *member) hasVIP() bool { return m.c.HasVIP() }

// vip lets the cluster's address follow its leader. Where none is wanted any more, the address
// leaves the node with vip-manager, which by itself would leave it behind.
func (m *member) vip() {
	m.branch = "pgsql/vip"
	if !m.hasVIP() {
		m.off(vipUnit, "")
		m.add(&postgres.VIPFile{Path: vipConfig, Unit: vipUnit, Absent: true})
		m.add(&resource.File{Path: vipEnv, Absent: true})
		return
	}
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
	m.add(&postgres.VIPFile{Path: vipConfig, Content: content, Unit: vipUnit}, restart)
	m.file("/etc/systemd/system/vip-manager.service.d/pigsty.conf", struct{ EnvFile, Config, Address, Interface string }{
		vipEnv, vipConfig, fmt.Sprintf("%s/%d", m.c.Param.VipAddress, m.c.Param.VipCidrmask), m.vipInterface(),
	}, restart)
	m.add(&resource.Unit{Unit: vipUnit, RestartImpact: resource.Restart})
}

// vipAddress looks whether the address follows, once everything else is done.
func (m *member) vipAddress() {
	if !m.hasVIP() {
		return
	}
	m.branch = "pgsql/vip"
	m.add(&postgres.VIPAddress{IP: m.c.Param.VipAddress, Unit: vipUnit, API: m.api()})
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
