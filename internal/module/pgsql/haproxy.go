package pgsql

import (
	"fmt"
	"strconv"

	"pigsty/internal/model"
	"pigsty/internal/resource"
)

const (
	haproxyConfig = "/etc/haproxy/haproxy.cfg"
	haproxyEnv    = "/etc/haproxy/haproxy.env"
	haproxyState  = "/run/haproxy/server-state"
)

// haproxyCheck has stand-ins for the secrets of haproxyEnv: the check goes through plans.
var haproxyCheck = resource.FileCheck{
	Argv: []string{"haproxy", "-c", "-f", resource.Candidate},
	Env:  []string{"HAPROXY_ADMIN_USERNAME=admin", "HAPROXY_ADMIN_PASSWORD=stand-in"},
}

// haproxyView is what the template of haproxy.cfg is filled with.
type haproxyView struct {
	Cluster, Instance, ClientTimeout, ServerTimeout, MetricsPath, StateFile string
	AdminPort                                                               int
	Auth                                                                    bool
	Services                                                                []haproxyService
}

type haproxyService struct {
	Name, Bind, Balance, Options string
	Maxconn                      int
	Check                        *model.ServiceCheck // nil for none
	Servers                      []string
}

// haproxy leads clients of every service to the members that serve it, from every member.
// A reload keeps connections.
func (m *member) haproxy() {
	m.branch = "pgsql/haproxy"
	if !m.p.HaproxyEnabled {
		m.off(haproxyUnit, "services on this node end, with the connections through them")
		return
	}
	restart := resource.RestartOf(haproxyUnit) // a reload keeps the environment of the first start
	m.secret(haproxyEnv, "root", environment([][2]string{
		{"HAPROXY_ADMIN_USERNAME", m.c.Param.HaproxyAdminUsername},
		{"HAPROXY_ADMIN_PASSWORD", m.c.Param.HaproxyAdminPassword},
	}), restart)
	v := haproxyView{
		Cluster: m.c.Name, Instance: m.i.Name, MetricsPath: "/metrics", StateFile: haproxyState, AdminPort: m.c.Param.HaproxyExporterPort,
		ClientTimeout: m.c.Param.HaproxyClientTimeout, ServerTimeout: m.c.Param.HaproxyServerTimeout,
		Auth: m.c.Param.HaproxyAuthEnabled,
	}
	for _, s := range m.c.Services {
		v.Services = append(v.Services, m.service(s))
	}
	m.add(&resource.File{
		Path: haproxyConfig, Content: templates.Fill(haproxyConfig, v), Check: &haproxyCheck,
	}, resource.ReloadOf(haproxyUnit))
	m.file("/etc/systemd/system/haproxy.service.d/pigsty.conf", struct{ EnvFile, StateFile string }{haproxyEnv, haproxyState}, restart)
	m.add(&resource.Unit{Unit: haproxyUnit, RestartImpact: resource.Restart})
}

func (m *member) service(s *model.Service) haproxyService {
	out := haproxyService{
		Name: s.Name, Bind: hostPort(s.Bind, s.Port), Balance: s.Param.Haproxy.Balance,
		Options: s.Param.Haproxy.DefaultServerOptions, Maxconn: s.Param.Haproxy.Maxconn,
	}
	if out.Options == "" {
		out.Options = m.c.Timing().ServerOptions()
	}
	if s.Bind == m.c.Param.VipAddress && s.Bind != m.i.Node.Addr {
		out.Bind += " transparent" // the address is on the leader's node only
	}
	if s.Check.Port != 0 {
		out.Check = &s.Check
	}
	for _, server := range s.Servers {
		out.Servers = append(out.Servers, m.server(s, server))
	}
	return out
}

// server is a server line. Patroni's answer counts only when it comes from the member it is
// said to come from.
func (m *member) server(s *model.Service, to model.ServiceServer) string {
	line := to.Instance.Name + " " + hostPort(to.Instance.Node.Addr, s.Target)
	if s.Check.Port != 0 {
		line += " check port " + strconv.Itoa(s.Check.Port)
		if s.Check.Port == m.c.Param.PatroniPort && m.c.Param.PatroniSslEnabled {
			line += " check-ssl verify required ca-file " + caFile + " verifyhost " + to.Instance.Name
		}
	}
	line += fmt.Sprintf(" weight %d", to.Weight)
	if to.Backup {
		line += " backup"
	}
	return line
}
