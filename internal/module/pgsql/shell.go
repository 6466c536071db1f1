package pgsql

import (
	"fmt"
	"strconv"
	"strings"

	"pigsty/internal/model"
	"pigsty/internal/resource"
	"pigsty/internal/secret"
)

// programs is where Debian keeps a version's programs, without /bin.
func (m *member) programs() string {
	return fmt.Sprintf("/usr/lib/postgresql/%d", m.i.Version())
}

// shell sets up what people type in.
func (m *member) shell() {
	view := struct {
		Bin, Data, Socket, EnvFile, Config, User string
		Port, PoolPort                           int
		Elsewhere                                bool
	}{
		Bin: m.p.PgBinDir, Data: m.p.PgData, Socket: m.p.PgLocalhost, EnvFile: patroniEnv, Config: patroniConfig,
		User: m.p.PgDbsu, Port: m.p.PgPort, PoolPort: m.p.PgbouncerPort,
		Elsewhere: m.p.PgPort != 5432 || m.socket() != "/run/postgresql",
	}
	m.file("/etc/profile.d/pgsql.sh", view)
	m.file("/etc/profile.d/pg-alias.sh", view)
	pg := "/usr/local/bin/pg"
	m.add(&resource.File{Path: pg, Content: templates.Fill(pg, view), Mode: 0o755})
	m.own(m.p.PgDbsuHome+"/.psqlrc", templates.Fill("/home/psqlrc", nil), 0o600)
	m.secret(m.p.PgDbsuHome+"/.pgpass", m.p.PgDbsu, m.pgpass())
}

// pgpass lets the database's user connect as each of the system's users, to any server, without
// typing a password. Colons and backslashes are escaped, as libpq wants them.
func (m *member) pgpass() string {
	escape := strings.NewReplacer(`\`, `\\`, `:`, `\:`)
	var b strings.Builder
	for _, u := range []struct{ name, password string }{
		{m.p.PgDbsu, m.c.Param.PgDbsuPassword},
		{m.p.PgReplicationUsername, m.c.Param.PgReplicationPassword},
		{m.p.PgMonitorUsername, m.c.Param.PgMonitorPassword},
		{m.p.PgAdminUsername, m.c.Param.PgAdminPassword},
	} {
		if u.password != "" {
			fmt.Fprintf(&b, "*:*:*:%s:%s\n", escape.Replace(u.name), escape.Replace(u.password))
		}
	}
	return b.String()
}

// ssh lets the database's user go between the members of its cluster. Keys are derived from the
// deployment's seed, so that every member's is known before any node was reached.
func (m *member) ssh() {
	if !m.p.PgDbsuSshExchange {
		return
	}
	dir := m.p.PgDbsuHome + "/.ssh"
	private, public := m.key(m.i)
	m.directory(dir, 0o700)
	m.secret(dir+"/id_ed25519", m.p.PgDbsu, private)
	m.own(dir+"/id_ed25519.pub", public+"\n", 0o644)
	m.own(dir+"/config", templates.Fill("/home/ssh_config", nil), 0o600)
	var peers []string
	for _, i := range m.c.Instances {
		_, line := m.key(i)
		peers = append(peers, line)
	}
	m.add(&resource.Block{
		Path: dir + "/authorized_keys", Marker: "cluster " + m.c.Name, Lines: peers, Owner: m.p.PgDbsu, Mode: 0o600,
	})
}

func (m *member) key(i *model.PgInstance) (private, public string) {
	user := i.Param.PgDbsu
	private, public, err := secret.SSHKey(m.d.Derive("ssh", i.Node.Addr, user), user+"@"+i.Name)
	if err != nil {
		panic(err) // only for a seed that is not 32 bytes, or a name with a line break
	}
	return private, public
}

// socket is the folder of the Unix sockets as the system names it: /var/run is a link.
func (m *member) socket() string {
	if rest, ok := strings.CutPrefix(m.p.PgLocalhost, "/var/run/"); ok {
		return "/run/" + rest
	}
	return m.p.PgLocalhost
}

// hostPort joins an address and a port, an IPv6 address in brackets.
func hostPort(host string, port int) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(port)
}
