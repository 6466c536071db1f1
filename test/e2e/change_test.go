//go:build e2e

package e2e

import (
	"crypto/tls"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// change is one edit of the inventory of a cluster that runs, and all that may come of it.
type change struct {
	name string
	edit func(s *site)
	args []string // for plan and apply
	// plan is every line of the plan but those of nodes in fresh; "pg-test-*" stands for the
	// three members.
	plan  []string
	fresh []string
	// restarted are the services that may restart, such as "pg-test-1 vip-manager.service";
	// "pg-test-1 postgres" is PostgreSQL.
	restarted []string
	breaks    bool // clients may notice
	check     func(t *testing.T, s *site, before, after state)
}

// What most changes come to.
var (
	poolUsersReload = []string{
		"pg-test-* ~ file:/etc/pgbouncer/userlist.txt",
		"pg-test-* ! unit:pgbouncer.service reload",
	}
	newCertificate = []string{
		"pg-test-* ~ certificate:/etc/pigsty/pgsql/server.crt",
		"pg-test-* ! patroni_file:/etc/patroni/patroni.yml reload",
		"pg-test-* ! unit:pgbouncer.service reload",
		"pg-test-* ! unit:haproxy.service reload",
		"pg-test-* ! unit:vip-manager.service restart",
	}
	newServices = []string{
		"pg-test-* ~ file:/etc/haproxy/haproxy.cfg",
		"pg-test-* ! unit:haproxy.service reload",
	}
	newParameters = []string{
		"pg-test-* ~ patroni_file:/etc/patroni/patroni.yml reload",
	}
	everyVIPManager = []string{"pg-test-* vip-manager.service"}
)

// Pieces of conf/sandbox.yml that the changes stand beside.
const (
	lastUser     = "          - { name: test, password: test, pgbouncer: true, roles: [dbrole_admin] }\n"
	lastDatabase = "          - { name: test }\n"
	lastService  = "            selector_backup: \"[? pg_role == `primary`]\"\n"
	lastMember   = "{ pg_seq: 3, pg_role: replica, pg_offline_query: true }\n"
	services     = "        pg_services_extra:\n"
	nodeTune     = "    node_tune: tiny\n"
)

// after adds lines to the inventory behind a piece of it.
func (s *site) after(piece, lines string) { s.edit(piece, piece+lines) }

// Each change of a running cluster does what it says and nothing else: the plan names exactly
// the steps that follow from it, no service restarts that need not, and a client that writes
// all the time notices nothing unless the plan says so.
func TestChange(t *testing.T) {
	nodes := startNodes(t, "t-change", "10.10.71.0/24", 5, withSoftware)
	s := newSite(t, nodes, "sandbox.yml")
	if r := s.apply(); strings.Contains(r.out, "+ packages") {
		t.Errorf("the disks lack packages:\n%s", packageLines(r.out))
	}
	l := login{host: "3", port: "5433", user: "test", password: "test", database: "test"}
	w := &clients{
		ledger: startLedger(s, l, map[string][]string{"through a replica's node": {"12:5433"}}),
		caller: startCaller(t, s.target(l)),
	}
	for _, c := range changes(w.caller) {
		if !t.Run(c.name, func(t *testing.T) { c.run(t, s.in(t), w) }) {
			// The next one would find more to do than its own.
			t.Logf("apply again: exit code %d", s.pigsty("apply", "--yes").code)
		}
	}
	t.Run("fourth member removed", func(t *testing.T) { s.in(t).removeFourth(w) })
	w.caller.end()
	l.host, l.port = "13", "5436"
	w.ledger.close(s, l)
}

// clients are there all the time, one that stays and one that comes and goes.
type clients struct {
	ledger *book
	caller *caller
	seen   map[string]int // what the ledger's writer has failed with
	since  time.Time
}

// begin forgets what was noticed so far.
func (w *clients) begin() {
	w.caller.look()
	w.seen, w.since = w.ledger.kept.Tracks()[0].Failures(), time.Now()
}

// noticed is what clients have noticed since begin; and how they fared, for people.
func (w *clients) noticed() (failed []string, fared string) {
	writer := w.ledger.kept.Tracks()[0]
	for text, times := range writer.Failures() {
		if times > w.seen[text] {
			failed = append(failed, fmt.Sprintf("writer, %d times: %s", times-w.seen[text], text))
		}
	}
	calls, missed := w.caller.look()
	fared = fmt.Sprintf("writer at most %d ms between two rows, %d calls so far, %d missed", writer.Longest(w.since, time.Now()).Length().Milliseconds(), calls, len(missed))
	return append(failed, missed...), fared
}

// packageLines are the lines of an apply that tell of packages, for messages.
func packageLines(out string) string {
	var lines []string
	for line := range strings.Lines(out) {
		if strings.Contains(line, "packages") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

func (c *change) run(t *testing.T, s *site, w *clients) {
	c.edit(s)
	want := members(c.plan)
	got := slices.DeleteFunc(s.plan(c.args...), func(line string) bool {
		return slices.Contains(c.fresh, strings.Fields(line)[0])
	})
	if !slices.Equal(got, want) {
		t.Fatalf("the plan is\n  %s\nand not\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
	before := s.look(c.fresh...)
	w.begin()
	began := time.Now()
	s.apply(c.args...)
	took := time.Since(began)
	time.Sleep(time.Second) // for clients to notice what reloads do a moment later
	after := s.look()
	failed, fared := w.noticed()
	if restarted := before.differs(after); !slices.Equal(restarted, members(c.restarted)) {
		t.Errorf("restarted: %q, want %q", restarted, members(c.restarted))
	}
	if len(failed) > 0 && !c.breaks {
		t.Errorf("clients noticed:\n  %s", strings.Join(failed, "\n  "))
	}
	if c.check != nil {
		c.check(t, s, before, after)
	}
	t.Logf("%d steps as planned, apply and second plan %.1f s; %s", len(want), took.Seconds(), fared)
}

// members writes a line for each of the three members in place of pg-test-*, sorts, and keeps each
// once: lists that are put together may share some.
func members(lines []string) []string {
	var out []string
	for _, line := range lines {
		rest, all := strings.CutPrefix(line, "pg-test-*")
		if !all {
			out = append(out, line)
			continue
		}
		for _, n := range []string{"1", "2", "3"} {
			out = append(out, "pg-test-"+n+rest)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// state is since when each service of each instance runs; for systemd's an ID that changes with
// every start.
type state struct {
	postgres map[string]time.Time
	units    map[string]string
}

// look asks all instances and their nodes, but those that are not there yet.
func (s *site) look(absent ...string) state {
	s.t.Helper()
	st := state{postgres: map[string]time.Time{}, units: map[string]string{}}
	var mu sync.Mutex
	var group sync.WaitGroup
	for name, host := range s.instances() {
		if slices.Contains(absent, name) {
			continue
		}
		group.Go(func() {
			conn, err := s.connect(s.dba(host))
			if err != nil {
				s.t.Error(err)
				return
			}
			var start time.Time
			if err := conn.QueryRow(s.t.Context(), "SELECT pg_postmaster_start_time()").Scan(&start); err != nil {
				s.t.Error(err)
			}
			units, err := s.nodes.Exec(s.t.Context(), s.nodeAt(host), nil, "systemctl", "show", "-p", "Id,InvocationID",
				"etcd", "haproxy", "patroni", "pgbouncer", "vip-manager")
			if err != nil {
				s.t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			st.postgres[name+" postgres"] = start
			for unit := range strings.SplitSeq(units, "\n\n") {
				var id, invocation string
				for line := range strings.Lines(unit) {
					key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
					switch key {
					case "Id":
						id = value
					case "InvocationID":
						invocation = value
					}
				}
				st.units[name+" "+id] = invocation
			}
		})
	}
	group.Wait()
	return st
}

// differs names what was restarted between two looks; instances that are new are left out.
func (st state) differs(later state) []string {
	var names []string
	for name, start := range st.postgres {
		if !later.postgres[name].Equal(start) {
			names = append(names, name)
		}
	}
	for name, invocation := range st.units {
		if later.units[name] != invocation {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// order is the instances of pg-test by the time their PostgreSQL started.
func (st state) order() []string {
	names := slices.DeleteFunc(slices.Collect(maps.Keys(st.postgres)), func(name string) bool {
		return !strings.HasPrefix(name, "pg-test-")
	})
	slices.SortFunc(names, func(a, b string) int { return st.postgres[a].Compare(st.postgres[b]) })
	return names
}

// instances are those that the inventory has now: the last number of their address by name.
func (s *site) instances() map[string]string {
	all := map[string]string{"pg-meta-1": "10", "pg-test-1": "11", "pg-test-2": "12", "pg-test-3": "13"}
	if strings.Contains(s.read(), s.net+"14:") {
		all["pg-test-4"] = "14"
	}
	return all
}

// nodeAt is the sandbox's name of the node with that last number.
func (s *site) nodeAt(host string) string {
	for _, n := range s.nodes.Nodes() {
		if n.Addr.String() == s.net+host {
			return n.Name
		}
	}
	s.t.Fatalf("no node has the address %s%s", s.net, host)
	return ""
}

// everywhere fails the test unless a statement gives the same value on each of these hosts.
func everywhere(t *testing.T, s *site, want, sql string, hosts ...string) {
	t.Helper()
	for _, host := range hosts {
		if got := query(t, s.mustConnect(s.dba(host)), sql); got != want {
			t.Errorf("%s%s: %s gives %q, want %q", s.net, host, sql, got, want)
		}
	}
}

// serial identifies the certificate that a server shows.
func serial(t *testing.T, conn *pgx.Conn) string {
	t.Helper()
	c, ok := conn.PgConn().Conn().(*tls.Conn)
	if !ok {
		t.Fatal("the connection has no TLS")
	}
	return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

func changes(calls *caller) []change {
	pool := func(user, password, database string) login {
		return login{host: "12", port: "5433", user: user, password: password, database: database}
	}
	restartsAll := append([]string{
		"pg-test-1 ~ patroni_config:pg-test restart", "pg-test-1 ! patroni_restart:pg-test restart",
	}, newParameters...)
	return []change{
		{
			name: "new user",
			edit: func(s *site) {
				s.after(lastUser, "          - { name: extra, password: Extra.One, pgbouncer: true, createdb: true, connlimit: 9, roles: [dbrole_readwrite], comment: the extra user }\n")
			},
			plan: append([]string{"pg-test-1 + pg_role:extra", "pg-test-* ~ file:/etc/pgbouncer/pgbouncer.ini"}, poolUsersReload...),
			check: func(t *testing.T, s *site, _, _ state) {
				query(t, s.mustConnect(pool("extra", "Extra.One", "test")), "SELECT 'in'")
				everywhere(t, s, "true 9 the extra user",
					"SELECT concat_ws(' ', rolcreatedb::text, rolconnlimit, shobj_description(oid, 'pg_authid')) FROM pg_roles WHERE rolname = 'extra'", "11", "12", "13")
			},
		},
		{
			name: "changed password",
			edit: func(s *site) { s.edit("password: Extra.One", "password: Extra.Two") },
			plan: append([]string{"pg-test-1 ~ pg_role:extra"}, poolUsersReload...),
			check: func(t *testing.T, s *site, _, _ state) {
				for _, port := range []string{"5433", "5436"} {
					l := pool("extra", "Extra.Two", "test")
					l.port = port
					query(t, s.mustConnect(l), "SELECT 'in'")
					l.password = "Extra.One"
					if _, err := s.connect(l); err == nil {
						t.Errorf("the old password still opens port %s", port)
					}
				}
			},
		},
		{
			name: "user attribute off again",
			edit: func(s *site) { s.edit("createdb: true", "createdb: false") },
			plan: []string{"pg-test-1 ~ pg_role:extra"},
			check: func(t *testing.T, s *site, _, _ state) {
				everywhere(t, s, "false", "SELECT rolcreatedb::text FROM pg_roles WHERE rolname = 'extra'", "11")
			},
		},
		{
			name: "new database",
			edit: func(s *site) {
				s.after(lastDatabase, "          - { name: shop, owner: extra, schemas: [app], extensions: [{ name: hstore, schema: app }], connlimit: 50, parameters: { work_mem: 3MB }, comment: the shop }\n")
			},
			plan: []string{
				"pg-test-* ~ file:/etc/pgbouncer/database.txt",
				"pg-test-* ! unit:pgbouncer.service reload",
				"pg-test-1 + pg_database:shop",
				"pg-test-1 + pg_privileges:shop",
			},
			check: func(t *testing.T, s *site, _, _ state) {
				conn := s.mustConnect(pool("extra", "Extra.Two", "shop"))
				got := query(t, conn, `SELECT concat_ws(' ', pg_get_userbyid(datdba), datconnlimit, shobj_description(d.oid, 'pg_database'),
					current_setting('work_mem'), (SELECT nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'hstore'))
					FROM pg_database d WHERE datname = current_database()`)
				if got != "extra 50 the shop 3MB app" {
					t.Errorf("the database is %q", got)
				}
			},
		},
		{
			name: "access rules, raw and by fields",
			edit: func(s *site) {
				s.edit(services, "        pg_hba_rules_extra:\n"+
					"          - { title: not from there, role: common, rules: [\"host shop extra "+s.net+"1/32 reject\"] }\n"+
					"          - { role: common, user: extra, db: postgres, addr: "+s.net+"1, auth: deny }\n"+services)
			},
			plan: newParameters,
			check: func(t *testing.T, s *site, _, _ state) {
				for database, open := range map[string]bool{"shop": false, "postgres": false, "test": true} {
					l := pool("extra", "Extra.Two", database)
					l.port = "5432"
					if _, err := s.connect(l); (err == nil) != open {
						t.Errorf("database %s: %v", database, err)
					}
				}
			},
		},
		{
			name: "new service",
			edit: func(s *site) {
				s.after(lastService, "          - { name: extra, src_port: 5440, dst_port: postgres, check_url: /primary, selector: \"[]\" }\n")
			},
			plan:      slices.Concat(newServices, newCertificate),
			restarted: everyVIPManager,
			check: func(t *testing.T, s *site, _, _ state) {
				awaitHost(t, s, login{host: "13", port: "5440", user: "test", password: "test", database: "test"}, "11")
			},
		},
		{
			name: "changed option of a service",
			edit: func(s *site) { s.edit("check_url: /read-only-sync\n", "check_url: /primary\n") },
			plan: newServices,
			check: func(t *testing.T, s *site, _, _ state) {
				awaitHost(t, s, login{host: "13", port: "5435", user: "test", password: "test", database: "test"}, "11")
			},
		},
		{
			name: "parameter of the cluster that reloads",
			edit: func(s *site) {
				s.edit(services, "        pg_parameters: { log_min_duration_statement: 251 }\n"+services)
			},
			plan: append([]string{"pg-test-1 ~ patroni_config:pg-test reload"}, newParameters...),
			check: func(t *testing.T, s *site, _, _ state) {
				awaitSetting(t, s, "log_min_duration_statement", "251ms", "11", "12", "13")
			},
		},
		{
			name: "parameter of one instance",
			edit: func(s *site) {
				s.edit("{ pg_seq: 2, pg_role: replica }", "{ pg_seq: 2, pg_role: replica, pg_parameters: { log_min_duration_statement: 252 } }")
			},
			plan: []string{"pg-test-2 ~ patroni_file:/etc/patroni/patroni.yml reload"},
			check: func(t *testing.T, s *site, _, _ state) {
				awaitSetting(t, s, "log_min_duration_statement", "252ms", "12")
				awaitSetting(t, s, "log_min_duration_statement", "251ms", "11", "13")
			},
		},
		{
			name: "more connections",
			edit: func(s *site) {
				s.edit("{ log_min_duration_statement: 251 }", "{ log_min_duration_statement: 251, max_connections: 120 }")
			},
			plan:      restartsAll,
			restarted: []string{"pg-test-* postgres"},
			breaks:    true,
			check: func(t *testing.T, s *site, _, after state) {
				everywhere(t, s, "120", "SHOW max_connections", "11", "12", "13")
				if order := after.order(); order[2] != "pg-test-1 postgres" {
					t.Errorf("restarted in the order %q: the primary is not the last", order)
				}
				everywhere(t, s, "false", "SELECT pg_is_in_recovery()::text", "11")
			},
		},
		{
			name: "fewer connections",
			edit: func(s *site) { s.edit("max_connections: 120", "max_connections: 110") },
			plan: restartsAll, restarted: []string{"pg-test-* postgres"},
			breaks: true,
			check: func(t *testing.T, s *site, _, after state) {
				everywhere(t, s, "110", "SHOW max_connections", "11", "12", "13")
				if order := after.order(); order[0] != "pg-test-1 postgres" {
					t.Errorf("restarted in the order %q: the primary is not the first", order)
				}
				everywhere(t, s, "false", "SELECT pg_is_in_recovery()::text", "11")
			},
		},
		{
			name: "kernel setting, crontab and host name of the node",
			edit: func(s *site) {
				s.edit(lastMember, strings.Replace(lastMember, " }",
					", node_sysctl_params: { net.ipv4.tcp_keepalive_time: 301 }, node_etc_hosts: [\"192.0.2.9 archive.example\"], node_crontab: [\"00 01 * * * root /bin/true\"] }", 1))
			},
			plan: []string{
				"pg-test-3 ~ block:/etc/hosts#hosts", "pg-test-3 + sysctl:99-pigsty", "pg-test-3 ~ file:/etc/crontab",
			},
			check: func(t *testing.T, s *site, _, _ state) {
				got := onNode(t, s.nodes, "node-3", "sh", "-c", "cat /proc/sys/net/ipv4/tcp_keepalive_time; getent hosts archive.example; grep -c /bin/true /etc/crontab")
				if strings.Join(strings.Fields(got), " ") != "301 192.0.2.9 archive.example 1" {
					t.Errorf("the node has %q", got)
				}
			},
		},
		{
			name: "pool mode",
			edit: func(s *site) { s.edit(services, "        pgbouncer_poolmode: session\n"+services) },
			plan: []string{"pg-test-* ~ file:/etc/pgbouncer/pgbouncer.ini", "pg-test-* ! unit:pgbouncer.service reload"},
			check: func(t *testing.T, s *site, _, _ state) {
				conn := s.mustConnect(login{host: "11", port: "6432", user: "dbuser_dba", password: s.secrets()["pg_admin_password"], database: "pgbouncer"})
				rows, err := conn.Query(t.Context(), "SHOW CONFIG", pgx.QueryExecModeSimpleProtocol)
				if err != nil {
					t.Fatal(err)
				}
				for rows.Next() {
					if v, err := rows.Values(); err == nil && v[0] == "pool_mode" && v[1] != "session" {
						t.Errorf("the pool's mode is %v", v[1])
					}
				}
			},
		},
		{
			name: "virtual address",
			edit: func(s *site) {
				// The caller cannot stay with an address that goes away.
				calls.move(s.target(pool("test", "test", "test")))
				s.edit("vip_address: "+s.net+"3\n", "vip_address: "+s.net+"4\n")
			},
			plan: append([]string{
				"pg-test-* ~ vip_file:/etc/vip-manager.yml restart",
				"pg-test-* ~ file:/etc/systemd/system/vip-manager.service.d/pigsty.conf",
				"pg-test-* ~ file:/pg/bin/pg-failover-callback",
			}, newCertificate...),
			restarted: everyVIPManager,
			check: func(t *testing.T, s *site, _, _ state) {
				awaitHost(t, s, login{host: "4", port: "5436", user: "test", password: "test", database: "test", sslmode: "verify-full"}, "11")
				for _, n := range s.nodes.Nodes() {
					if has := onNode(t, s.nodes, n.Name, "ip", "-4", "-brief", "address"); strings.Contains(has, s.net+"3/") {
						t.Errorf("%s still has the old address: %s", n.Name, has)
					}
				}
				calls.move(s.target(login{host: "4", port: "5433", user: "test", password: "test", database: "test"}))
			},
		},
		{
			name: "fourth member",
			edit: func(s *site) {
				s.edit("        "+s.net+"13:", "        "+s.net+"14: { pg_seq: 4, pg_role: replica }\n        "+s.net+"13:")
			},
			fresh: []string{"pg-test-4"},
			plan: append([]string{
				"pg-test-* ~ block:/home/dba/.ssh/authorized_keys#admin",
				"pg-test-* ~ block:/var/lib/pgsql/.ssh/authorized_keys#cluster pg-test",
			}, slices.Concat(newServices, newCertificate)...),
			restarted: everyVIPManager,
			check: func(t *testing.T, s *site, _, _ state) {
				everywhere(t, s, "true streaming", "SELECT concat_ws(' ', pg_is_in_recovery()::text, (SELECT status FROM pg_stat_wal_receiver))", "14")
				// Any member's address leads to the primary, whose certificate has the name.
				awaitHost(t, s, login{host: "14", port: "5433", user: "test", password: "test", database: "test", sslmode: "verify-full"}, "11")
				// It counts as down until it has been checked, and then it serves readers of the others.
				awaitHost(t, s, login{host: "11", port: "5434", user: "test", password: "test", database: "test"}, "14")
			},
		},
		certificateRenewed(),
		{
			// The last, because it moves the primary.
			name: "more connections, by switchover",
			edit: func(s *site) { s.edit("max_connections: 110", "max_connections: 130") },
			args: []string{"--switchover"},
			plan: append([]string{
				"pg-test-1 ~ patroni_config:pg-test restart", "pg-test-1 ! patroni_restart:pg-test switchover",
				"pg-test-4 ~ patroni_file:/etc/patroni/patroni.yml reload",
			}, newParameters...),
			restarted: []string{"pg-test-* postgres", "pg-test-4 postgres"},
			breaks:    true,
			check: func(t *testing.T, s *site, _, after state) {
				everywhere(t, s, "130", "SHOW max_connections", "11", "12", "13", "14")
				everywhere(t, s, "true", "SELECT pg_is_in_recovery()::text", "11")
			},
		},
	}
}

// removeFourth takes the member that was added off again: refused while it is protected or not
// named, then done, with its data kept and nobody disturbed.
func (s *site) removeFourth(w *clients) {
	for _, refused := range []struct {
		args []string
		want string
	}{
		{[]string{"--yes-destroy", "pg-test-4"}, "pg_safeguard"},
		{[]string{"-e", "pg_safeguard=false"}, "--yes-destroy pg-test-4"},
		{[]string{"-e", "pg_safeguard=false", "--yes-destroy", "pg-test-3"}, "pg-test-4"},
	} {
		if r := s.must(1, append([]string{"remove", "instance", "pg-test-4"}, refused.args...)...); !strings.Contains(r.err, refused.want) {
			s.t.Errorf("remove instance %q does not speak of %s:\n%s%s", refused.args, refused.want, r.out, r.err)
		}
	}
	s.planIsEmpty()
	w.begin()
	s.must(0, "remove", "instance", "pg-test-4", "-e", "pg_safeguard=false", "--yes-destroy", "pg-test-4")
	s.edit("        "+s.net+"14: { pg_seq: 4, pg_role: replica }\n", "")
	s.apply()
	if failed, fared := w.noticed(); len(failed) > 0 {
		s.t.Errorf("clients noticed:\n  %s", strings.Join(failed, "\n  "))
	} else {
		s.t.Log(fared)
	}
	left := onNode(s.t, s.nodes, "node-4", "sh", "-c", "systemctl is-active patroni pgbouncer haproxy vip-manager; systemctl is-enabled patroni; ls /data/postgres; ls -d /pg; true")
	s.t.Logf("on its node: %s", strings.Join(strings.Fields(left), " "))
	if strings.Contains(left, "\nactive") || strings.HasPrefix(left, "active") || strings.Contains(left, "enabled\n") {
		s.t.Errorf("something still runs, or will:\n%s", left)
	}
	for _, m := range s.healthy().Clusters[1].Members {
		if m.Name == "pg-test-4" {
			s.t.Errorf("the cluster still has it: %+v", m)
		}
	}
}

// certificateRenewed is the only change without an edit: somebody lost the file.
func certificateRenewed() change {
	shown := map[string]string{}
	look := func(t *testing.T, s *site, host string) string {
		direct := s.dba(host)
		pool := direct
		pool.port, pool.database = "6432", "pgbouncer"
		return serial(t, s.mustConnect(direct)) + " " + serial(t, s.mustConnect(pool))
	}
	return change{
		name: "certificate lost",
		edit: func(s *site) {
			for _, host := range []string{"11", "12"} {
				shown[host] = look(s.t, s, host)
			}
			onNode(s.t, s.nodes, "node-2", "rm", "/etc/pigsty/pgsql/server.crt")
		},
		plan: []string{
			"pg-test-2 + certificate:/etc/pigsty/pgsql/server.crt",
			"pg-test-2 ! patroni_file:/etc/patroni/patroni.yml reload",
			"pg-test-2 ! unit:pgbouncer.service reload",
			"pg-test-2 ! unit:haproxy.service reload",
			"pg-test-2 ! unit:vip-manager.service restart",
		},
		restarted: []string{"pg-test-2 vip-manager.service"},
		check: func(t *testing.T, s *site, _, _ state) {
			if now := look(t, s, "11"); now != shown["11"] {
				t.Errorf("another member shows a new certificate: %s, before %s", now, shown["11"])
			}
			now := look(t, s, "12")
			before := strings.Fields(shown["12"])
			for i, n := range strings.Fields(now) {
				if n == before[i] {
					t.Errorf("server %d of PostgreSQL and pgBouncer shows the old certificate", i)
				}
			}
			query(t, s.mustConnect(login{host: "12", port: "5432", user: "test", password: "test", database: "test", sslmode: "verify-full"}), "SELECT 'in'")
		},
	}
}

// awaitHost waits until a service leads to the server with that last number: HAProxy asks a
// server several times before it trusts it.
func awaitHost(t *testing.T, s *site, l login, want string) {
	t.Helper()
	began := time.Now()
	for {
		got, err := s.serverOf(l)
		if got == want {
			t.Logf("port %s of %s%s leads to %s%s, %.1f s after apply", l.port, s.net, l.host, s.net, want, time.Since(began).Seconds())
			return
		}
		if time.Since(began) > 40*time.Second {
			t.Errorf("port %s of %s%s leads to %q, want %s: %v", l.port, s.net, l.host, got, want, err)
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// serverOf is the last number of the address of the server that a service leads to, or why it
// leads nowhere. Behind a pool, which comes by the socket, a server has no address: the moment
// at which it started tells which one it is.
func (s *site) serverOf(l login) (string, error) {
	s.t.Helper()
	const start = "SELECT pg_postmaster_start_time()::text"
	answer, err := s.ask(l, start)
	if err != nil {
		return "", err
	}
	for _, host := range s.instances() {
		if at, err := s.ask(s.dba(host), start); err == nil && at == answer {
			return host, nil
		}
	}
	return "", fmt.Errorf("no instance started at %s", answer)
}

// awaitSetting waits until a setting has a value on these hosts: Patroni takes new ones in its
// next loop.
func awaitSetting(t *testing.T, s *site, name, want string, hosts ...string) {
	t.Helper()
	began := time.Now()
	for _, host := range hosts {
		conn := s.mustConnect(s.dba(host))
		for {
			got := query(t, conn, "SELECT current_setting($1)", name)
			if got == want {
				break
			}
			if time.Since(began) > 20*time.Second {
				t.Errorf("%s%s: %s is %s, want %s", s.net, host, name, got, want)
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	t.Logf("%s took effect %.1f s after apply", name, time.Since(began).Seconds())
}
