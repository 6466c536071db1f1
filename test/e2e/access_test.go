//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Passwords long enough to be searched for.
const (
	testPassword = "Marker.Test.1"
	latePassword = "Marker.Late.2"
)

// lastUserOf is the line of conf/sandbox.yml that makes the user test, with another password.
func lastUserOf(password string) string {
	return strings.Replace(lastUser, "password: test,", "password: "+password+",", 1)
}

func (s *site) business(port string) login {
	return login{host: "3", port: port, user: "test", password: testPassword, database: "test"}
}

func (s *site) owner(port string) login {
	return login{host: "10", port: port, user: "dbuser_meta", password: "DBUser.Meta", database: "meta"}
}

func (s *site) viewer(port string) login {
	return login{host: "10", port: port, user: "dbuser_view", password: "DBUser.Viewer", database: "meta"}
}

// access is who gets where with what on a cluster that was just deployed.
func (s *site) access() {
	// The synchronous replica is chosen while the other tests run.
	s.patronictl("node-1", "edit-config", "--force", "--quiet", "-s", "synchronous_mode=true")
	for _, c := range []struct {
		name string
		run  func(*site)
	}{
		{"services", (*site).services},
		{"virtual address", (*site).virtualAddress},
		{"TLS", (*site).tls},
		{"refused", (*site).refused},
		{"privileges", (*site).privileges},
		{"what is kept of passwords", (*site).verifiers},
		{"by hand", (*site).byHand},
		{"standby service", (*site).standbyService},
	} {
		s.t.Run(c.name, func(t *testing.T) { c.run(s.in(t)) })
	}
}

func (s *site) patronictl(node string, args ...string) string {
	s.t.Helper()
	return onNode(s.t, s.nodes, node, append([]string{"pg"}, args...)...)
}

// services lead where they should, by every member and by the virtual address.
func (s *site) services() {
	const recovery = "SELECT pg_is_in_recovery()::text"
	for _, host := range []string{"3", "11", "12", "13"} {
		for port, want := range map[string]string{"5433": "false", "5434": "true", "5436": "false", "5438": "true"} {
			l := s.business(port)
			l.host = host
			if got := query(s.t, s.mustConnect(l), recovery); got != want {
				s.t.Errorf("port %s of %s%s: in recovery is %s, want %s", port, s.net, host, got, want)
			}
		}
	}
	for port, want := range map[string]string{"5433": "11", "5436": "11", "5438": "13"} {
		if got, err := s.serverOf(s.business(port)); got != want {
			s.t.Errorf("port %s leads to %q, want %s: %v", port, got, want, err)
		}
	}
	seen := map[string]bool{}
	for range 6 {
		got, err := s.serverOf(s.business("5434"))
		if err != nil {
			s.t.Fatal(err)
		}
		seen[got] = true
	}
	if !seen["12"] || !seen["13"] || seen["11"] {
		s.t.Errorf("port 5434 leads to %v, want both replicas and not the primary", seen)
	}
	write := s.mustConnect(s.business("5433"))
	execute(s.t, write, "CREATE TABLE seen (at timestamptz); INSERT INTO seen VALUES (now())")
	if err := try(s.t, s.mustConnect(s.business("5434")), "INSERT INTO seen VALUES (now())"); !strings.Contains(err, "read-only transaction") {
		s.t.Errorf("a write on port 5434: %q", err)
	}
	s.await("the row is on the replicas", func() bool {
		rows, err := s.ask(s.business("5434"), "SELECT count(*)::text FROM seen")
		return err == nil && rows == "1"
	})
}

// execute runs statements that have to work.
func execute(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if err := try(t, conn, sql); err != "" {
		t.Fatalf("%s: %s", sql, err)
	}
}

// try runs statements and returns the error's text; empty when they work.
func try(t *testing.T, conn *pgx.Conn, sql string) string {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		return err.Error()
	}
	return ""
}

// virtualAddress is on the leader's node, on no other, and answers.
func (s *site) virtualAddress() {
	for vip, leader := range map[string]string{"2": "meta", "3": "node-1"} {
		for _, n := range s.nodes.Nodes() {
			has := strings.Contains(onNode(s.t, s.nodes, n.Name, "ip", "-4", "-brief", "address"), " "+s.net+vip+"/24")
			if has != (n.Name == leader) {
				s.t.Errorf("%s has the address %s%s: %t", n.Name, s.net, vip, has)
			}
		}
	}
	l := s.business("5432")
	if got := query(s.t, s.mustConnect(l), "SELECT host(inet_server_addr())"); got != s.net+"3" {
		s.t.Errorf("the virtual address leads to %s", got)
	}
	if got, err := s.serverOf(l); got != "11" {
		s.t.Errorf("the virtual address leads to %q: %v", got, err)
	}
}

// tls works for pool and server, by member and virtual address, with our authority and only ours.
func (s *site) tls() {
	for _, host := range []string{"3", "11", "13"} {
		for _, port := range []string{"5432", "5433", "5436", "6432"} {
			for _, mode := range []string{"require", "verify-full"} {
				if host == "13" && strings.HasPrefix(port, "543") && port != "5432" && mode == "verify-full" {
					continue // TLS ends at the primary, whose certificate has its own address and the virtual one
				}
				l := s.business(port)
				l.host, l.sslmode = host, mode
				conn := s.mustConnect(l)
				_ = serial(s.t, conn) // it ends the test where there is no TLS
				query(s.t, conn, "SELECT 'in'")
			}
		}
	}
	// An authority that the client does not know.
	target := strings.Replace(s.target(s.business("5432")), "sslmode=require", "sslmode=verify-full", 1)
	if conn, err := pgx.Connect(s.t.Context(), target); err == nil || !strings.Contains(err.Error(), "certificate") {
		s.t.Errorf("verify-full with the system's authorities: %v, %v", conn, err)
	}
}

// refused are those who must not get in, each with the server's reason; and beside them those
// who may.
func (s *site) refused() {
	dba := s.dba("11")
	replicator := with(with(dba, "user", "replicator"), "password", s.secrets()["pg_replication_password"])
	monitor := with(with(dba, "user", "dbuser_monitor"), "password", s.secrets()["pg_monitor_password"])
	for _, c := range []struct {
		name string
		l    login
		want string // part of the refusal; empty: they may
	}{
		{"wrong password, server", with(s.business("5432"), "password", "wrong"), "password authentication failed"},
		{"wrong password, pool", with(s.business("5433"), "password", "wrong"), "authentication failed"},
		{"no such user, pool", with(s.business("5433"), "user", "nobody"), "authentication failed"},
		{"administrator in plain", with(dba, "sslmode", "disable"), "no encryption"},
		{"owner in plain, server", with(s.owner("5432"), "sslmode", "disable"), "no encryption"},
		{"administrator over TLS", dba, ""},
		{"replication user in plain", with(replicator, "sslmode", "disable"), "no encryption"},
		{"replication user over TLS", replicator, ""},
		{"monitoring user in plain", with(monitor, "sslmode", "disable"), "no encryption"},
		{"monitoring user over TLS", monitor, ""},
		{"business user in plain, server", with(s.viewer("5432"), "sslmode", "disable"), ""},
		{"business user in plain, pool", with(s.viewer("6432"), "sslmode", "disable"), ""},
		{"business user in plain, service", with(s.viewer("5433"), "sslmode", "disable"), ""},
		{"superuser through the pool", with(with(dba, "port", "6432"), "database", "test"), "login rejected"},
		{"superuser through the service", with(with(dba, "port", "5433"), "database", "test"), "login rejected"},
		{"superuser at the pool's console", with(with(dba, "port", "6432"), "database", "pgbouncer"), ""},
		{"superuser at the pool's console in plain", with(with(with(dba, "port", "6432"), "database", "pgbouncer"), "sslmode", "disable"), "login rejected"},
		{"the database's own user", with(with(dba, "user", "postgres"), "password", "postgres"), "authentication failed"},
		{"monitoring user from afar, pool", with(with(monitor, "port", "6432"), "database", "postgres"), "login rejected"},
	} {
		_, err := s.connect(c.l)
		switch {
		case c.want == "" && err != nil:
			s.t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			s.t.Errorf("%s: the answer is %v, want %q", c.name, err, c.want)
		}
	}
}

// with is a login with one of its parts replaced.
func with(l login, part, value string) login {
	switch part {
	case "port":
		l.port = value
	case "user":
		l.user = value
	case "password":
		l.password = value
	case "database":
		l.database = value
	case "sslmode":
		l.sslmode = value
	}
	return l
}

// privileges of the default roles reach objects that are made later.
func (s *site) privileges() {
	owner, viewer := s.mustConnect(s.owner("5436")), s.mustConnect(s.viewer("5436"))
	execute(s.t, owner, `SET ROLE dbrole_admin; CREATE SCHEMA shop; CREATE TABLE shop.goods (id int);
		INSERT INTO shop.goods VALUES (7); CREATE TABLE pigsty.parts (id serial)`)
	if got := query(s.t, viewer, "SELECT id::text FROM shop.goods"); got != "7" {
		s.t.Errorf("the reader sees %q", got)
	}
	query(s.t, viewer, "SELECT count(*)::text FROM pigsty.parts")
	for _, sql := range []string{
		"INSERT INTO shop.goods VALUES (8)", "UPDATE shop.goods SET id = 8", "DELETE FROM shop.goods", "TRUNCATE shop.goods",
		"CREATE TABLE shop.mine (id int)", "CREATE TABLE public.mine (id int)", "CREATE SCHEMA mine", "DROP TABLE shop.goods",
	} {
		if err := try(s.t, viewer, sql); !strings.Contains(err, "42501") {
			s.t.Errorf("a reader's %s: %q", sql, err)
		}
	}
	// Nobody but administrators may look at another database's users' secrets.
	if err := try(s.t, owner, "RESET ROLE; SELECT rolpassword FROM pg_authid"); !strings.Contains(err, "42501") {
		s.t.Errorf("pg_authid by the owner of a database: %q", err)
	}
}

// verifiers are all that servers keep of passwords, and data pages have checksums.
func (s *site) verifiers() {
	for _, host := range []string{"10", "11", "12", "13"} {
		conn := s.mustConnect(s.dba(host))
		const kinds = "SELECT string_agg(DISTINCT split_part(rolpassword, '$', 1), ',') FROM pg_authid WHERE rolpassword IS NOT NULL"
		if got := query(s.t, conn, kinds); got != "SCRAM-SHA-256" {
			s.t.Errorf("%s%s keeps passwords as %s", s.net, host, got)
		}
		for name, want := range map[string]string{"data_checksums": "on", "ssl": "on", "password_encryption": "scram-sha-256"} {
			if got := query(s.t, conn, "SHOW "+name); got != want {
				s.t.Errorf("%s%s: %s is %s", s.net, host, name, got)
			}
		}
	}
}

// byHand are the commands that administrators type.
func (s *site) byHand() {
	for _, argv := range [][]string{
		{"runuser", "-l", "postgres", "-c", "patronictl -c /etc/patroni/patroni.yml list"},
		{"runuser", "-l", "postgres", "-c", "pg list"},
		{"pg", "list"},
	} {
		got := onNode(s.t, s.nodes, "node-2", argv...)
		for _, want := range []string{"pg-test-1", "Leader", "pg-test-2", "pg-test-3", "streaming"} {
			if !strings.Contains(got, want) {
				s.t.Errorf("%q does not say %q:\n%s", argv, want, got)
			}
		}
	}
	for user, where := range map[string]string{
		"postgres": "", "dbuser_dba": "-h 127.0.0.1 -U dbuser_dba", "dbuser_monitor": "-h 127.0.0.1 -U dbuser_monitor",
	} {
		got := onNode(s.t, s.nodes, "node-2", "runuser", "-l", "postgres", "-c", "psql "+where+" -X -w -d postgres -Atc 'SELECT current_user'")
		if got != user {
			s.t.Errorf("psql as %s: %q", user, got)
		}
	}
}

// standbyService leads to the synchronous replica where there is one, and else to the leader.
// What was set by hand for that is taken back by the next apply.
func (s *site) standbyService() {
	var standby string
	conn := s.mustConnect(s.dba("11"))
	s.await("a replica is synchronous", func() bool {
		const name = "SELECT coalesce(max(right(host(client_addr), 2)), '') FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')"
		standby = query(s.t, conn, name)
		return standby != ""
	})
	awaitHost(s.t, s, s.business("5435"), standby)
	s.expect([]string{"pg-test-1 ~ patroni_config:pg-test reload"})
	s.apply()
	if got := s.patronictl("node-1", "show-config"); !strings.Contains(got, "synchronous_mode: false") {
		s.t.Errorf("what was set by hand stays:\n%s", got)
	}
	awaitHost(s.t, s, s.business("5435"), "11")
}
