package pgsql

import (
	"fmt"
	"strings"
	"time"

	"pigsty/internal/model"
	"pigsty/internal/pki"
	"pigsty/internal/resource"
	"pigsty/internal/resource/postgres"
)

// scripts are what PostgreSQL and Patroni call.
func (m *member) scripts() {
	for _, name := range []string{"pg-failover-callback", "pg-arcwal"} {
		path := "/pg/bin/" + name
		view := struct{ Instance, VIP string }{Instance: m.i.Name}
		if m.hasVIPManager() {
			view.VIP = m.c.Param.VipAddress
		}
		m.own(path, templates.Fill(path, view), 0o700)
	}
}

// patroniFiles configures Patroni. Its own file is world-readable and holds no secret.
func (m *member) patroniFiles() {
	if !m.c.Param.PatroniEnabled {
		return
	}
	m.secret(patroniEnv, m.p.PgDbsu, m.patroniEnv(), resource.RestartOf(patroniUnit))
	m.patroniFile()
	m.add(&resource.Link{Path: "/pg/bin/patroni.yml", Target: patroniConfig})
	m.add(&resource.Link{Path: "/pg/conf/" + m.i.Name + ".yml", Target: patroniConfig})
	m.file("/etc/systemd/system/"+patroniUnit, struct {
		Instance, User, EnvFile, Config string
		Watchdog                        bool
	}{m.i.Name, m.p.PgDbsu, patroniEnv, patroniConfig, m.p.PatroniWatchdogMode != "off"}, resource.RestartOf(patroniUnit))
}

// patroniFile is Patroni's own, with the instance's settings and PostgreSQL's access rules.
func (m *member) patroniFile() {
	m.add(&postgres.PatroniFile{
		Path: patroniConfig, Content: templates.Fill(patroniConfig, m.patroniView()), Owner: m.p.PgDbsu,
		API: m.api(), Conn: m.conn(),
	})
}

// patroniEnv are the passwords that Patroni takes from its environment.
func (m *member) patroniEnv() string {
	return environment([][2]string{
		{"PATRONI_RESTAPI_USERNAME", m.c.Param.PatroniUsername},
		{"PATRONI_RESTAPI_PASSWORD", m.c.Param.PatroniPassword},
		{"PATRONI_REPLICATION_USERNAME", m.c.Param.PgReplicationUsername},
		{"PATRONI_REPLICATION_PASSWORD", m.c.Param.PgReplicationPassword},
		{"PATRONI_REWIND_USERNAME", m.c.Param.PgReplicationUsername},
		{"PATRONI_REWIND_PASSWORD", m.c.Param.PgReplicationPassword},
		// Patroni takes user and password from here only when another setting of etcd3 is, too.
		{"PATRONI_ETCD3_PROTOCOL", "https"},
		{"PATRONI_ETCD3_USERNAME", m.c.EtcdUser()},
		{"PATRONI_ETCD3_PASSWORD", m.c.EtcdPassword(m.d)},
	})
}

// environment writes assignments that systemd and a shell read alike: in double quotes, both
// take a backslash before these four characters as an escape and any other as itself.
func environment(pairs [][2]string) string {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", `$`, `\$`)
	var b strings.Builder
	for _, p := range pairs {
		fmt.Fprintf(&b, "%s=\"%s\"\n", p[0], escape.Replace(p[1]))
	}
	return b.String()
}

// api is the member's own REST API.
func (m *member) api() postgres.PatroniAPI {
	api := postgres.PatroniAPI{
		URL:  "http://" + hostPort(m.i.Node.Addr, m.c.Param.PatroniPort),
		User: m.c.Param.PatroniUsername, Password: m.c.Param.PatroniPassword,
	}
	if m.c.Param.PatroniSslEnabled {
		api.URL, api.CA = "https"+strings.TrimPrefix(api.URL, "http"), pki.CAPath
	}
	return api
}

// patroni starts the member and waits for it. The unit stands on a branch: when a rolling
// restart stops at a member that does not come back, the others go on with all the rest.
func (m *member) patroni() {
	if !m.c.Param.PatroniEnabled {
		m.withoutPatroni()
		return
	}
	unit := &resource.Unit{Unit: patroniUnit, RestartImpact: resource.Restart}
	if m.i == m.c.Leader() && len(m.c.Instances) > 1 {
		unit.RestartImpact = resource.Switchover
	}
	m.branch = "pgsql/patroni"
	m.add(unit).After = m.startsAfter()
	m.branch = ""
	ready := m.ready()
	m.add(ready).After = m.readyAfter()
}

// withoutPatroni stops Patroni, and with it PostgreSQL, on the leader last: no replica is promoted
// on the way. A server that somebody else runs in its place is left alone.
func (m *member) withoutPatroni() {
	step := m.off(patroniUnit, "PostgreSQL stops with Patroni, and nothing starts it again")
	if leader := m.c.Leader(); leader == m.i {
		for _, i := range m.c.Instances {
			if i != leader {
				step.After = append(step.After, resource.Ref{Node: i.Node.Addr, ID: resource.ID(&resource.Unit{Unit: patroniUnit})})
			}
		}
	}
}

func (m *member) ready() *postgres.Ready {
	r := &postgres.Ready{
		Instance: m.i.Name, Conn: m.conn(), Patroni: m.api(), DataDir: m.p.PgData, Log: "/pg/log/patroni.log",
		Timeout: 3 * time.Minute,
	}
	if m.i == m.c.Leader() && !m.standby() && !m.asleep() {
		r.Role = postgres.Primary
	}
	return r
}

// readyRef is the step that says that an instance serves.
func readyRef(i *model.PgInstance) resource.Ref {
	return resource.Ref{Node: i.Node.Addr, ID: resource.ID(&postgres.Ready{Instance: i.Name})}
}

// standby tells whether the cluster follows another one, and so takes no writes. Once it was
// promoted, it says so itself.
func (m *member) standby() bool { return m.c.FollowsNow() }
