//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"pigsty/internal/controller"
	"pigsty/internal/distro"
	"pigsty/internal/inspect"
)

// extensionSite is a cluster of two. Rules are there for what the matcher is asked about.
const extensionSite = `all:
  children:
    pg-test:
      hosts:
        10.10.10.10: { pg_seq: 1, pg_role: primary }
        10.10.10.11: { pg_seq: 2, pg_role: replica }
      vars:
        pg_cluster: pg-test
        pg_users:
          - { name: test, password: test, pgbouncer: true, roles: [dbrole_admin] }
          - { name: reader, password: reader, roles: [dbrole_readonly], connlimit: 7 }
        pg_databases:
          - { name: test, owner: test }
          - name: shop
            extensions:
              - hstore
        pg_hba_rules_extra:
          - { title: the reader's way, user: reader, db: shop, addr: 10.10.10.0/24, auth: ssl }
          - title: nothing else for the reader
            rules:
              - host all reader all reject
  vars:
    ansible_user: debian
    ansible_ssh_private_key_file: /var/lib/pigsty/sandbox/main/id_ed25519
    ansible_ssh_common_args: -o UserKnownHostsFile=/var/lib/pigsty/sandbox/main/known_hosts
    dcs_servers: { etcd-1: 10.10.10.10 }
    node_tune: tiny
    pg_conf: tiny.yml
    pg_rto: fast
`

// TestExtension looks into a cluster and brings extensions to it: what the commands say is held
// against the server itself, and what they do happens in order, while a client writes.
func TestExtension(t *testing.T) {
	t.Parallel() // most of it is waiting
	nodes := startNodes(t, "t-ext", "10.10.82.0/24", 2, withSoftware)
	s := newSite(t, nodes, "sandbox.yml")
	s.write(strings.NewReplacer(
		"10.10.10.", s.net,
		"/var/lib/pigsty/sandbox/main/id_ed25519", nodes.KeyPath(),
		"/var/lib/pigsty/sandbox/main/known_hosts", nodes.KnownHostsPath(),
	).Replace(extensionSite))
	s.apply()
	for _, step := range []struct {
		name string
		do   func(*site)
	}{
		{"catalogue", (*site).catalogueIsTrue},
		{"users and databases", (*site).usersAndDatabases},
		{"access rules", (*site).accessRules},
		{"services", (*site).servicesLead},
		{"refusals", (*site).extensionRefusals},
		{"without a library", (*site).extensionWithout},
		{"with a library", (*site).extensionWith},
		{"by apply, with a switchover", (*site).extensionByApply},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.do(s.in(t)) }) {
			return
		}
	}
}

// told decodes what a command says as JSON.
func told[T any](s *site, code int, args ...string) T {
	s.t.Helper()
	var value T
	if r := s.must(code, append(args, "-o", "json")...); json.Unmarshal([]byte(r.out), &value) != nil {
		s.t.Fatalf("pigsty %s gives no JSON:\n%s", strings.Join(args, " "), r.out)
	}
	return value
}

// says fails the test unless the command ends with the code and says all of it.
func (s *site) says(code int, command string, wants ...string) {
	s.t.Helper()
	r := s.must(code, strings.Fields(command)...)
	for _, want := range wants {
		if !strings.Contains(r.out+r.err, want) {
			s.t.Errorf("pigsty %s does not say %q:\n%s%s", command, want, r.out, r.err)
		}
	}
}

// catalogueIsTrue holds the catalogue against what the server finds in its own control files.
func (s *site) catalogueIsTrue() {
	conn := s.mustConnect(s.dba("10"))
	rows, err := conn.Query(s.t.Context(), `SELECT v.name, v.version, v.superuser, v.trusted, v.relocatable, coalesce(v.schema, ''), coalesce(v.requires, '{}')::text[]
		FROM pg_available_extension_versions v JOIN pg_available_extensions a ON a.name = v.name AND a.default_version = v.version`)
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	seen := 0
	for rows.Next() {
		var e distro.Extension
		var superuser, trusted bool
		if err := rows.Scan(&e.Name, &e.Version, &superuser, &trusted, &e.Relocatable, &e.Schema, &e.Requires); err != nil {
			s.t.Fatal(err)
		}
		e.Creator = distro.ByAnybody
		if superuser {
			e.Creator = distro.BySuperuser
		}
		if superuser && trusted {
			e.Creator = distro.ByTrusted
		}
		seen++
		known := distro.Extensions(13).Find(e.Name)
		if known == nil {
			s.t.Errorf("the catalogue has no %s", e.Name)
			continue
		}
		if known.Version != e.Version || known.Creator != e.Creator || known.Relocatable != e.Relocatable || known.Schema != e.Schema || !slices.Equal(known.Requires, e.Requires) {
			s.t.Errorf("the catalogue has %+v, and the server %+v", *known, e)
		}
	}
	if rows.Err() != nil || seen < 40 {
		s.t.Errorf("%d extensions, %v", seen, rows.Err())
	}
}

func (s *site) usersAndDatabases() {
	conn := s.mustConnect(s.dba("10"))
	execute(s.t, conn, `CREATE ROLE stranger LOGIN`)
	execute(s.t, conn, `CREATE DATABASE strange`)
	users := told[controller.Users](s, 0, "pg", "user", "pg-test")
	find := func(name string) controller.User {
		n := slices.IndexFunc(users.Users, func(u controller.User) bool { return u.Name == name })
		if n < 0 {
			s.t.Fatalf("there is no user %s in %+v", name, users)
		}
		return users.Users[n]
	}
	if u := find("reader"); u.Declared != "pg_users" || !strings.Contains(u.Place, ":11:13") || u.ConnLimit != 7 || u.Pool || !slices.Equal(u.Roles, []string{"dbrole_readonly"}) {
		s.t.Errorf("reader: %+v", u)
	}
	if u := find("stranger"); u.Declared != "" || u.Missing {
		s.t.Errorf("stranger: %+v", u)
	}
	if u := find("test"); !u.Pool {
		s.t.Errorf("test: %+v", u)
	}
	s.edit("connlimit: 7 }", "connlimit: 8 }")
	s.after("connlimit: 8 }", "\n          - { name: newcomer, password: newcomer, pgbouncer: true }")
	s.says(0, "pg user pg-test", "newcomer is declared", "pg user apply pg-test newcomer")
	s.says(1, "pg user apply pg-test newcomr -y", "did you mean newcomer?")
	s.says(2, "pg user apply pg-test newcomer --plan", "pg_role newcomer")
	s.must(0, "pg", "user", "apply", "pg-test", "newcomer", "-y")
	if got := s.plan(); !slices.Equal(got, []string{"pg-test-1 ~ pg_role:reader"}) {
		s.t.Errorf("after a user by itself there is left to do: %q", got)
	}
	s.must(0, "pg", "user", "apply", "pg-test", "reader", "-y")
	s.mustConnect(login{host: "11", port: "6432", user: "newcomer", password: "newcomer", database: "test"})

	databases := told[controller.Databases](s, 0, "pg", "db", "list", "pg-test")
	for _, d := range databases.Databases {
		switch d.Name {
		case "shop":
			has := slices.ContainsFunc(d.Extensions, func(e inspect.Created) bool { return e.Name == "hstore" })
			if d.Declared != "pg_databases" || d.Size < 1<<20 || !d.Pool || !has || d.Encoding != "UTF8" {
				s.t.Errorf("shop: %+v", d)
			}
		case "strange":
			if d.Declared != "" || d.Owner != "dbuser_dba" {
				s.t.Errorf("strange: %+v", d)
			}
		}
	}
	s.after("owner: test }", "\n          - { name: bazaar, owner: test, extensions: [citext] }")
	s.says(0, "pg db pg-test", "bazaar is declared")
	s.must(0, "pg", "db", "apply", "pg-test", "bazaar", "-y")
	s.planIsEmpty()
	if got := query(s.t, s.mustConnect(login{host: "11", port: "5433", user: "test", password: "test", database: "bazaar"}), "SELECT extname FROM pg_extension WHERE extname = 'citext'"); got != "citext" {
		s.t.Errorf("bazaar has %q", got)
	}
	execute(s.t, conn, `DROP DATABASE strange`)
	execute(s.t, conn, `DROP ROLE stranger`)
}

// accessRules asks for verdicts and then logs in: the server has to decide the same.
func (s *site) accessRules() {
	s.says(0, "pg hba pg-test", "pg_hba_rules_extra: the reader's way", "sandbox.yml:20:13", "sandbox.yml:23:17", "pgBouncer of pg-test-1")
	from := s.net + "1" // this machine
	dba := s.dba("10")
	for _, c := range []struct {
		user, password, db string
		tls, pool, refused bool
	}{
		{"test", "test", "test", false, false, true}, // dbrole_admin from other machines only over TLS
		{"test", "test", "test", true, false, false},
		{"test", "test", "test", false, true, false},
		{"reader", "reader", "shop", true, false, false},
		{"reader", "reader", "shop", false, false, true},
		{"reader", "reader", "test", true, false, true},
		{dba.user, dba.password, "postgres", true, false, false},
		{dba.user, dba.password, "postgres", false, false, true},
		{dba.user, dba.password, "test", true, true, true},
		{"dbuser_monitor", s.secrets()["pg_monitor_password"], "postgres", false, false, true},
		{"newcomer", "newcomer", "test", false, false, false},
	} {
		args := []string{"pg", "hba", "pg-test", "--user", c.user, "--db", c.db, "--addr", from}
		l := login{host: "10", port: "5432", user: c.user, password: c.password, database: c.db, sslmode: "disable"}
		if c.tls {
			args, l.sslmode = append(args, "--ssl"), "require"
		}
		if c.pool {
			args, l.port = append(args, "--pool"), "6432"
		}
		code := 0
		if c.refused {
			code = 2
		}
		v := told[controller.Verdict](s, code, args...)
		_, err := s.connect(l)
		var why *pgconn.PgError
		refused := errors.As(err, &why) && (why.Code == "28000" || c.pool)
		if err != nil && !refused {
			s.t.Errorf("%s to %s: %v", c.user, c.db, err)
		}
		if v.Refused != c.refused || refused != c.refused {
			s.t.Errorf("%s to %s, TLS %v, pool %v: the matcher refuses %v by %+v, and the server %v: %v", c.user, c.db, c.tls, c.pool, v.Refused, v.Rule, refused, err)
		}
	}
	s.says(0, "pg hba pg-test-2 --user postgres --db postgres --addr local", "it is let in when the operating system's user has that name (peer)")
	s.says(0, "pg hba pg-test --user nobody --db test --addr 10.1.2.3", "no role nobody may log in")
	s.says(2, "pg hba pg-test --user newcomer --db test --addr 192.0.2.1", "no rule is for it, so it is refused")
	s.edit("host all reader all reject", "host all reader 0.0.0.0/0 reject")
	s.says(0, "pg hba pg-test", "in the inventory and not in force", "rules of the inventory are not in force", "not of the inventory")
	s.must(0, "pg", "hba", "apply", "pg-test", "-y")
	s.planIsEmpty()
	s.says(2, "pg hba pg-test-2 --user reader --db test --addr "+from+" --ssl", "it is refused", "sandbox.yml:23:17")
}

// servicesLead holds what the commands say of the services against a connection through each.
func (s *site) servicesLead() {
	services := told[controller.Services](s, 0, "pg", "service", "pg-test")
	if len(services.Services) != 4 || len(services.Notes) > 0 {
		s.t.Errorf("%+v", services)
	}
	for _, service := range services.Services {
		var serves []string
		for _, server := range service.Servers {
			if len(server.Views) != 2 {
				s.t.Errorf("%s of %s is seen by %d members", server.Instance, service.Name, len(server.Views))
			}
			if server.Serves {
				serves = append(serves, server.Instance)
			}
		}
		conn := s.mustConnect(login{host: "11", port: fmt.Sprint(service.Port), user: "test", password: "test", database: "test"})
		want := "pg-test-1"
		if query(s.t, conn, "SELECT pg_is_in_recovery()::text") == "true" {
			want = "pg-test-2"
		}
		if !slices.Equal(serves, []string{want}) {
			s.t.Errorf("%s leads to %s, and %q are said to serve", service.Name, want, serves)
		}
	}
	s.after("        pg_cluster: pg-test\n", "        pg_services_extra: [{ name: own, src_port: 5450, dst_port: postgres, check_url: /primary, selector: '[]' }]\n")
	s.says(0, "pg service pg-test", "pg-test-own leads nowhere", "pg-test-own is not offered by pg-test-1, pg-test-2")
	s.must(0, "pg", "service", "apply", "pg-test", "-y")
	s.planIsEmpty()
	s.mustConnect(login{host: "11", port: "5450", user: "test", password: "test", database: "test"})
}

func (s *site) extensionRefusals() {
	s.says(1, "pg ext create pg-test shop vectr -y", "no package of Debian 13 brings extension vectr; did you mean vector?")
	s.says(1, "pg ext install pg-test postgs -y", "did you mean postgis?")
	s.says(1, "pg ext create pg-test shopp hstore -y", "there is no database shopp here, but bazaar, postgres, shop, template1, test")
	s.says(1, "pg ext create pg-test shop auto_explain -y", "is no extension but a library", "pg_libs")
	s.says(1, "pg ext create pg-test shop pg_cron -y", "the next apply would take that away again", "add pg_cron to the extensions of database shop at "+s.path+":")
	s.says(1, "pg ext create pg-test shop vector -y -e pg_version=16", "Debian 13 packages vector for PostgreSQL 17, and cluster pg-test runs 16")
	s.says(1, "pg ext create pg-tset shop vector -y", "its clusters are pg-test")
	s.says(0, "pg ext list --release 12 --search timescaledb", "No extension is like that")
	s.says(0, "pg ext list --search timescaledb", "postgresql-17-timescaledb")
}

// extensionWithout creates one that nobody declares and that takes no restart.
func (s *site) extensionWithout() {
	before := s.started()
	s.says(2, "pg ext create pg-test shop vector --schema tools --plan", "postgresql-17-pgvector: installed", "extension: vector",
		"add { name: vector, schema: tools } to the extensions of database shop")
	s.must(0, "pg", "ext", "create", "pg-test", "shop", "vector", "--schema", "tools", "-y")
	s.says(0, "pg ext create pg-test shop vector --schema tools -y", "Nothing to do")
	s.planIsEmpty() // nobody takes away what is not declared
	shop := with(s.dba("10"), "database", "shop")
	if got := query(s.t, s.mustConnect(shop), "SELECT nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'vector'"); got != "tools" {
		s.t.Errorf("vector is in schema %s", got)
	}
	execute(s.t, s.mustConnect(shop), "CREATE TABLE points (p tools.vector(3)); INSERT INTO points VALUES ('[1,2,3]')")
	s.after("              - hstore\n", "              - { name: vector, schema: tools }\n")
	s.planIsEmpty()
	list := told[controller.Extensions](s, 0, "pg", "ext", "list", "pg-test")
	n := slices.IndexFunc(list.Extensions, func(e controller.Extension) bool { return e.Name == "vector" })
	if n < 0 || !list.Extensions[n].Everyone || len(list.Extensions[n].Created) != 1 || !list.Extensions[n].Created[0].Declared {
		s.t.Errorf("%+v", list.Extensions)
	}
	if after := s.started(); after != before {
		s.t.Errorf("servers restarted: %v, then %v", before, after)
	}
}

// started is when the servers of both members were, in seconds.
func (s *site) started() [2]float64 {
	var at [2]float64
	for n, host := range []string{"10", "11"} {
		text := query(s.t, s.mustConnect(s.dba(host)), "SELECT extract(epoch FROM pg_postmaster_start_time())::text")
		if _, err := fmt.Sscan(text, &at[n]); err != nil {
			s.t.Fatal(err)
		}
	}
	return at
}

// extensionWith creates one that the server has to load: packages, setting, restart of the replica
// and then of the leader, and the extension.
func (s *site) extensionWith() {
	book := startLedger(s, login{host: "10", port: "5433", user: "test", password: "test", database: "test"},
		map[string][]string{"through both": {"10:5433", "11:5433"}})
	before := s.started()
	s.after("              - hstore\n", "              - pg_cron\n")
	s.says(0, "pg ext list pg-test", "pg_cron is declared for shop")
	s.says(2, "pg ext create pg-test shop pg_cron --plan", "postgresql-17-cron: installed", "one at a time: pg-test-2, the primary pg-test-1", "Users notice")
	s.must(0, "pg", "ext", "create", "pg-test", "shop", "pg_cron", "-y")
	after := s.started()
	if after[1] <= before[1] || after[0] <= after[1] {
		s.t.Errorf("servers were started at %v, and then at %v: want the replica's first, then the leader's", before, after)
	}
	conn := s.mustConnect(with(s.dba("10"), "database", "shop"))
	execute(s.t, conn, "CREATE TABLE ticks (at timestamptz); SELECT cron.schedule('tick', '1 second', 'INSERT INTO ticks SELECT now()')")
	s.await("the job runs", func() bool { return query(s.t, conn, "SELECT count(*)::text FROM ticks") != "0" })
	execute(s.t, conn, "SELECT cron.unschedule('tick')")
	s.planIsEmpty()
	s.says(0, "pg ext create pg-test shop pg_cron -y", "Nothing to do")
	book.writable()
	book.close(s, login{host: "10", port: "5432", user: "test", password: "test", database: "test"})
}

// extensionByApply declares one and applies: the leader moves, and the extension is created by the
// member that leads then.
func (s *site) extensionByApply() {
	s.after("              - hstore\n", "              - pgaudit\n")
	s.apply("--switchover")
	conn := s.mustConnect(with(s.dba("11"), "database", "shop"))
	if got := query(s.t, conn, "SELECT pg_is_in_recovery()::text || ' ' || (SELECT count(*) FROM pg_extension WHERE extname = 'pgaudit')"); got != "false 1" {
		s.t.Errorf("the second member is in recovery, and has extensions: %s", got)
	}
	s.says(0, "pg ext list pg-test --search pgaudit", "loaded", "all", "shop")
	s.says(0, "pg service pg-test", "pg-test-primary", "pg-test-own")
}
