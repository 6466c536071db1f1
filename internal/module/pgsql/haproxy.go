package pgsql

import (
	"fmt"
	"slices"
	"strconv"

	"pigsty/internal/haproxy"
	"pigsty/internal/model"
	"pigsty/internal/pki"
	"pigsty/internal/resource"
)

const (
	haproxyConfig = "/etc/haproxy/haproxy.cfg"
	haproxyMemory = "/etc/haproxy/remember-servers"
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
	Cluster, Instance, ClientTimeout, ServerTimeout, MetricsPath, StateFile, Socket, Cert string
	AdminPort                                                                             int
	Auth                                                                                  bool
	LeaderOptions                                                                         string
	Leaders                                                                               []string // the servers of backend leader, where a service tracks them
	Services                                                                              []haproxyService
}

// leaderBackend serves nobody: services track its servers to know who leads. Services' own names
// begin with their cluster's, so that none is called that.
const leaderBackend = "leader"

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
		Cluster: m.c.Name, Instance: m.i.Name, MetricsPath: m.d.Infra.ExporterMetricsPath, StateFile: haproxyState, Socket: haproxy.Socket, Cert: certFile, AdminPort: m.c.Param.HaproxyExporterPort,
		ClientTimeout: m.c.Param.HaproxyClientTimeout, ServerTimeout: m.c.Param.HaproxyServerTimeout,
		Auth: m.c.Param.HaproxyAuthEnabled, LeaderOptions: m.c.Timing().ServerOptions(),
	}
	for _, s := range m.c.Services {
		v.Services = append(v.Services, m.service(s))
		if v.Leaders == nil && slices.ContainsFunc(s.Servers, func(to model.ServiceServer) bool { return to.Leads }) {
			v.Leaders = m.leaders()
		}
	}
	m.add(&resource.File{
		Path: haproxyConfig, Content: templates.Fill(haproxyConfig, v), Check: &haproxyCheck,
	}, resource.ReloadOf(haproxyUnit))
	m.add(&resource.File{Path: haproxyMemory, Content: templates.Fill(haproxyMemory, nil), Mode: 0o755})
	m.file("/etc/systemd/system/haproxy.service.d/pigsty.conf", struct{ EnvFile, StateFile, Socket, Memory, Config string }{
		haproxyEnv, haproxyState, haproxy.Socket, haproxyMemory, haproxyConfig,
	}, restart)
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

// leaders are the server lines of backend leader.
func (m *member) leaders() []string {
	var lines []string
	for _, i := range m.c.Instances {
		lines = append(lines, i.Name+" "+hostPort(i.Node.Addr, m.c.Param.PgPort)+m.check(i, m.c.Param.PatroniPort))
	}
	return lines
}

// check is the part of a server line that has it checked. Patroni's answer counts only when it
// comes from the member it is said to come from.
func (m *member) check(i *model.PgInstance, port int) string {
	text := " check port " + strconv.Itoa(port)
	if port == m.c.Param.PatroniPort && m.c.Param.PatroniSslEnabled {
		text += " check-ssl verify required ca-file " + pki.CAPath + " verifyhost " + i.Name
	}
	return text
}

// server is a server line.
func (m *member) server(s *model.Service, to model.ServiceServer) string {
	name := to.Instance.Name
	at := " " + hostPort(to.Instance.Node.Addr, s.Target)
	line := name + at
	switch {
	case to.Leads:
		line = name + "-leader" + at + " track " + leaderBackend + "/" + name
	case s.Check.Port != 0:
		line += m.check(to.Instance, s.Check.Port)
	}
	line += fmt.Sprintf(" weight %d", to.Weight)
	if to.Backup {
		line += " backup"
	}
	return line
}
