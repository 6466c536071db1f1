//go:build e2e

package e2e

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"pigsty/internal/controller"
)

// md5Verifier is what PostgreSQL keeps of a password under password_encryption md5.
func md5Verifier(user, password string) string {
	sum := md5.Sum([]byte(password + user))
	return "md5" + hex.EncodeToString(sum[:])
}

// roles are the default ones: what each may do is what the next part looks at.
func (a *access) roles() {
	a.is("11", "postgres", "dbrole_admin,dbrole_offline,dbrole_readonly,dbrole_readwrite",
		"SELECT string_agg(rolname, ',' ORDER BY rolname) FROM pg_roles WHERE rolname LIKE 'dbrole%' AND NOT rolcanlogin")
	a.is("11", "postgres", "dbuser_dba,postgres", "SELECT string_agg(rolname, ',' ORDER BY rolname) FROM pg_roles WHERE rolsuper AND rolname <> 'mighty'")
	for user, want := range map[string]string{
		"dbrole_readwrite": "dbrole_readonly", "dbrole_admin": "dbrole_readwrite,pg_monitor", "dbuser_dba": "dbrole_admin",
		"dbuser_monitor": "dbrole_readonly,pg_monitor", "replicator": "dbrole_readonly,pg_monitor", "able": "dbrole_readwrite,pg_signal_backend",
	} {
		a.memberOf(user, want)
	}
	a.is("11", "postgres", "true true", "SELECT concat_ws(' ', rolreplication::text, rolbypassrls::text) FROM pg_roles WHERE rolname = 'replicator'")
	a.is("11", "postgres", "log_min_duration_statement=1000",
		"SELECT array_to_string(setconfig, ',') FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = setrole WHERE rolname = 'dbuser_monitor'")
	if conn, err := a.connect(a.as("group", "11", "5432", "app")); err == nil {
		conn.Close(a.t.Context())
		a.t.Error("a role without login logs in")
	}
}

// memberOf fails the test unless the user is a member of these roles and no others.
func (a *access) memberOf(user, want string) {
	a.t.Helper()
	a.is("11", "postgres", want, `SELECT coalesce(string_agg(g.rolname, ',' ORDER BY g.rolname), '') FROM pg_auth_members m
		JOIN pg_roles g ON g.oid = roleid JOIN pg_roles u ON u.oid = member WHERE u.rolname = '`+user+`'`)
}

// privileges reach every object that an administrator makes, in every schema, whenever it is made
// and whichever administrator makes it.
func (a *access) privileges() {
	boss, dba := a.as("boss", "11", "5436", "app"), with(a.dba("11"), "database", "app")
	a.may(dba, "CREATE SCHEMA dba_made; CREATE TABLE dba_made.t (id serial); CREATE FUNCTION dba_made.f() RETURNS int RETURN 1; REVOKE EXECUTE ON FUNCTION dba_made.f() FROM PUBLIC")
	a.may(boss, "SET ROLE dbrole_admin; CREATE SCHEMA boss_made; CREATE TABLE boss_made.t (id serial); CREATE FUNCTION boss_made.f() RETURNS int RETURN 1; REVOKE EXECUTE ON FUNCTION boss_made.f() FROM PUBLIC")
	reader, writer := a.as("reader", "11", "5432", "app"), a.as("writer", "11", "5432", "app")
	for _, schema := range []string{"dba_made", "boss_made"} {
		a.may(reader, fmt.Sprintf("SELECT * FROM %[1]s.t; SELECT last_value FROM %[1]s.t_id_seq; SELECT %[1]s.f()", schema))
		for _, sql := range []string{"INSERT INTO %s.t DEFAULT VALUES", "UPDATE %s.t SET id = 1", "DELETE FROM %s.t", "TRUNCATE %s.t", "SELECT nextval('%s.t_id_seq')", "CREATE TABLE %s.mine ()", "DROP TABLE %s.t"} {
			a.mayNot(reader, fmt.Sprintf(sql, schema))
		}
		a.may(writer, fmt.Sprintf("INSERT INTO %[1]s.t DEFAULT VALUES; UPDATE %[1]s.t SET id = 2; DELETE FROM %[1]s.t; SELECT %[1]s.f()", schema))
		for _, sql := range []string{"TRUNCATE %s.t", "CREATE TABLE %s.mine ()", "CREATE TRIGGER x BEFORE INSERT ON %s.t EXECUTE FUNCTION suppress_redundant_updates_trigger()", "DROP TABLE %s.t"} {
			a.mayNot(writer, fmt.Sprintf(sql, schema))
		}
		a.may(boss, fmt.Sprintf("TRUNCATE %[1]s.t; CREATE TABLE %[1]s.more (r int); DROP TABLE %[1]s.more", schema))
		a.may(a.as("etl", "13", "5432", "app"), fmt.Sprintf("SELECT * FROM %[1]s.t; SELECT %[1]s.f()", schema))
		a.mayNot(a.as("verified", "11", "5432", "app"), fmt.Sprintf("SELECT * FROM %s.t", schema))
	}
	a.mayNot(a.as("noinherit", "11", "5432", "app"), "SELECT * FROM dba_made.t")
	a.may(a.as("noinherit", "11", "5432", "app"), "SET ROLE dbrole_readonly; SELECT * FROM dba_made.t")
	a.mayNot(boss, "DROP TABLE dba_made.t")
	for _, sql := range []string{"CREATE SCHEMA mine", "CREATE TABLE public.mine ()", "CREATE DATABASE mine", "CREATE ROLE mine", "SELECT * FROM pg_authid", "SELECT pg_read_file('PG_VERSION')"} {
		a.mayNot(reader, sql)
		a.mayNot(writer, sql)
	}
	a.may(boss, "CREATE SCHEMA mine; DROP SCHEMA mine; CREATE TABLE public.mine (); DROP TABLE public.mine; SELECT count(query) FROM pg_stat_activity")
	for _, sql := range []string{"CREATE DATABASE mine", "CREATE ROLE mine", "SELECT * FROM pg_authid"} {
		a.mayNot(boss, sql)
	}
	a.offline()
}

// offline users get in where offline queries are served and nowhere else, not through a pool either.
func (a *access) offline() {
	const refused = "pg_hba.conf rejects"
	for _, l := range []login{
		a.as("etl", "11", "5432", "app"), a.as("etl", "12", "5432", "app"), a.as("etl", "11", "5433", "app"),
		a.as("etl", "11", "5434", "app"), a.as("etl", "11", "5436", "app"),
	} {
		a.enters(l, refused)
	}
	for _, l := range []login{
		a.as("etl", "13", "5432", "app"), a.as("etl", "13", "6432", "app"), a.as("etl", "11", "5438", "app"),
		a.as("both", "11", "5432", "app"), a.as("both", "11", "5433", "app"), a.as("both", "13", "5432", "app"),
	} {
		a.enters(l, "")
	}
	if got, err := a.serverOf(a.as("etl", "11", "5438", "app")); got != "13" {
		a.t.Errorf("port 5438 leads to %q: %v", got, err)
	}
}

// users have the attributes that they were given, passwords in every form among them.
func (a *access) users() {
	const attributes = `SELECT concat_ws(' ', rolsuper::int, rolcreatedb::int, rolcreaterole::int, rolinherit::int, rolreplication::int, rolbypassrls::int, rolcanlogin::int, rolconnlimit)
		FROM pg_roles WHERE rolname = `
	for user, want := range map[string]string{
		"able": "0 1 1 1 1 1 1 -1", "mighty": "1 0 0 1 0 0 1 -1", "noinherit": "0 0 0 0 0 0 1 -1", "group": "0 0 0 1 0 0 0 -1", "tuned": "0 0 0 1 0 0 1 1",
	} {
		a.is("11", "postgres", want, attributes+"'"+user+"'")
	}
	a.is("11", "postgres", "may do much", "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = 'able'")
	a.enters(a.as("expired", "11", "5432", "app"), "password authentication failed")
	a.enters(a.as("soon", "11", "5432", "app"), "")
	a.is("11", "postgres", "true", "SELECT (rolvaliduntil BETWEEN now() + '29 days' AND now() + '31 days')::text FROM pg_roles WHERE rolname = 'soon'")
	a.enters(a.as("verified", "11", "5432", "app"), "")
	a.enters(a.as("legacy", "11", "5432", "app"), "")
	a.enters(with(a.as("legacy", "11", "5432", "app"), "password", "Legacy.Two"), "password authentication failed")

	held := a.mustConnect(a.as("tuned", "11", "5432", "app"))
	if got := query(a.t, held, "SELECT current_setting('work_mem') || ' ' || current_setting('search_path')"); got != "5MB app, public" && got != "5MB app,public" {
		a.t.Errorf("settings of user tuned: %q", got)
	}
	a.enters(a.as("tuned", "11", "5432", "app"), "too many connections for role")
	held.Close(a.t.Context())

	// Through the pool: a mode and a limit of one user, and nobody who is not to come that way.
	pooled := a.mustConnect(a.as("pooled", "11", "6432", "app"))
	query(a.t, pooled, "SELECT 'in'")
	if mode := a.console("11", "SHOW POOLS", "app", "pooled")["pool_mode"]; mode != "session" {
		a.t.Errorf("the pool of user pooled is in mode %q", mode)
	}
	if most := a.console("11", "SHOW USERS", "pooled", "")["max_user_connections"]; most != "2" {
		a.t.Errorf("most connections of user pooled in the pool: %q", most)
	}
	a.enters(a.as("able", "11", "6432", "app"), "authentication failed")
}

// console asks pgBouncer on a node, and gives the line of a database, and of a user where that is
// given.
func (a *access) console(host, what, database, user string) map[string]string {
	a.t.Helper()
	conn := a.mustConnect(with(with(a.dba(host), "port", "6432"), "database", "pgbouncer"))
	defer conn.Close(a.t.Context())
	results, err := conn.PgConn().Exec(a.t.Context(), what).ReadAll()
	if err != nil {
		a.t.Fatal(err)
	}
	for _, r := range results {
		for _, row := range r.Rows {
			line := map[string]string{}
			for i, f := range r.FieldDescriptions {
				line[f.Name] = string(row[i])
			}
			if name := line["database"] + line["name"]; strings.HasPrefix(name, database) && (user == "" || line["user"] == user) {
				return line
			}
		}
	}
	return nil
}

// databases are as they were asked for.
func (a *access) databases() {
	const settings = "SELECT concat_ws(' ', pg_encoding_to_char(encoding), datcollate, datctype) FROM pg_database WHERE datname = "
	for name, want := range map[string]string{"app": "UTF8 C C.UTF-8", "odd": "UTF8 C.UTF-8 C", "latin": "LATIN1 C C"} {
		a.is("11", "postgres", want, settings+"'"+name+"'")
	}
	a.is("11", "app", "boss 40 the application 3MB app", `SELECT concat_ws(' ', pg_get_userbyid(datdba), datconnlimit, shobj_description(d.oid, 'pg_database'),
		current_setting('work_mem'), (SELECT nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'hstore'))
		FROM pg_database d WHERE datname = current_database()`)
	for _, database := range []string{"app", "direct"} {
		a.is("12", database, "1 loaded postgres dbrole_admin app.sql", `SELECT concat_ws(' ', (SELECT count(*) FROM loaded), 'loaded',
			(SELECT string_agg(tableowner, ' ' ORDER BY tablename) FROM pg_tables WHERE tablename IN ('loaded', 'ours')), (SELECT script FROM monitor.pigsty_baseline))`)
	}
	const owner, noConnect = "writer", "permission denied for database"
	for _, port := range []string{"5432", "6432"} {
		a.enters(a.as(owner, "11", port, "tenant"), "")
		a.enters(a.as("reader", "11", port, "tenant"), noConnect)
		a.enters(a.as("boss", "11", port, "tenant"), noConnect)
	}
	monitor := login{host: "11", port: "5432", user: "dbuser_monitor", password: a.secrets()["pg_monitor_password"], database: "tenant"}
	for _, l := range []login{monitor, with(with(monitor, "user", "replicator"), "password", a.secrets()["pg_replication_password"]), with(a.dba("11"), "database", "tenant")} {
		a.enters(l, "")
	}
	a.enters(with(a.dba("11"), "database", "closed"), "not currently accepting connections")
	a.enters(a.as("reader", "11", "5432", "direct"), "")
	a.enters(a.as("reader", "11", "6432", "direct"), "no such database")
	if line := a.console("11", "SHOW DATABASES", "app", ""); line["pool_size"] != "7" || line["max_connections"] != "9" && line["max_server_connections"] != "9" || line["pool_mode"] != "session" {
		a.t.Errorf("the pool of database app: %v", line)
	}
}

// rules let in and keep out, each for the instances of its role, in its order.
func (a *access) rules() {
	const refused = "pg_hba.conf rejects"
	a.enters(a.as("able", "11", "5432", "test"), refused)
	a.enters(a.as("able", "11", "5432", "app"), "")
	a.enters(a.as("reader", "11", "5432", "mytest"), "")
	a.enters(a.as("reader", "12", "5432", "mytest"), refused)
	a.enters(a.as("reader", "13", "5432", "mytest"), "")
	a.enters(a.as("writer", "11", "5432", "postgres"), "")
	a.enters(with(a.as("writer", "11", "5432", "postgres"), "sslmode", "disable"), refused)
	a.enters(a.as("tuned", "11", "5432", "test"), "")
	a.enters(a.as("able", "11", "5432", "mytest"), refused)
	a.enters(a.as("both", "11", "5432", "mytest"), refused)
	const psql = "PGPASSWORD=Able.One psql -X -w -U able -d mytest -Atc 'SELECT current_user' -h "
	if got := onNode(a.t, a.nodes, "node-2", "sh", "-c", psql+a.net+"11"); got != "able" {
		a.t.Errorf("a user that members may come as, from a member: %q", got)
	}
	a.enters(a.as("writer", "11", "6432", "test"), "")
	a.enters(a.as("writer", "11", "6432", "mytest"), "login rejected")
}

// monitoring is what tools of monitoring and backup rely on, in every database. A table of which
// most is dead is found by the share and by the size, which v1.5's scripts took for other units.
func (a *access) monitoring() {
	monitor := login{host: "12", port: "5432", user: "dbuser_monitor", password: a.secrets()["pg_monitor_password"], database: "app"}
	const views = "pg_bloat,pg_index_bloat,pg_index_bloat_human,pg_seq_scan,pg_session,pg_table_bloat,pg_table_bloat_human"
	a.is("11", "app", views, "SELECT string_agg(viewname, ',' ORDER BY viewname) FROM pg_views WHERE schemaname = 'monitor' AND viewname <> ALL ('{pg_stat_statements,pg_stat_statements_info,pg_buffercache,pg_buffercache_summary}')")
	conn := a.mustConnect(with(a.dba("11"), "database", "app"))
	execute(a.t, conn, "CREATE TABLE public.bloated (n int, filler text); INSERT INTO bloated SELECT n, repeat('x', 200) FROM generate_series(1, 20000) n")
	execute(a.t, conn, "CREATE INDEX bloated_n ON bloated (n)")
	execute(a.t, conn, "DELETE FROM bloated WHERE n % 10 <> 0")
	execute(a.t, conn, "VACUUM (ANALYZE) bloated")
	execute(a.t, conn, "CREATE TABLE public.dense (n int, filler text); INSERT INTO dense SELECT n, repeat('x', 200) FROM generate_series(1, 20000) n")
	execute(a.t, conn, "VACUUM (ANALYZE) dense")
	const found = "SELECT coalesce(string_agg(relname, ',' ORDER BY relname), '') FROM monitor.pg_table_bloat WHERE nspname = 'public' AND ratio > 0.4 AND ratio <= 1 AND size > 1024 * 1024"
	if got := query(a.t, conn, found); got != "bloated" {
		a.t.Errorf("tables of over 1 MB of which more than 40 %% are dead: %q", got)
	}
	size := query(a.t, conn, "SELECT (size = pg_relation_size('bloated'))::text FROM monitor.pg_table_bloat WHERE relname = 'bloated'")
	if size != "true" {
		a.t.Errorf("the size is not in bytes: %s", size)
	}
	for view := range strings.SplitSeq(views, ",") {
		a.may(monitor, "SELECT count(*) FROM monitor."+view)
	}
	a.may(monitor, "SELECT count(*) FROM monitor.pg_shmem()")
	// v1.5's scripts for that are not there, nor is what they mailed to.
	if left := onNode(a.t, a.nodes, "node-1", "ls", "/pg/bin"); strings.Contains(left, "pg-repack") || strings.Contains(left, "pg-vacuum") {
		a.t.Errorf("scripts on the node: %s", left)
	}
}

// poolAsks is pg-meta's pool: PostgreSQL answers for business users, for nobody else, and to nobody
// but the pool.
func (a *access) poolAsks() {
	dba := a.mustConnect(a.dba("10"))
	execute(a.t, dba, "CREATE ROLE made LOGIN PASSWORD 'Made.One' IN ROLE dbrole_readonly; CREATE ROLE copying LOGIN REPLICATION PASSWORD 'Copying.One'; CREATE ROLE indirect LOGIN PASSWORD 'Indirect.One' IN ROLE dbuser_dba")
	for _, user := range []string{"known", "made"} {
		a.enters(a.as(user, "10", "6432", "meta"), "")
		a.enters(a.as(user, "10", "5433", "meta"), "")
	}
	a.enters(with(a.as("made", "10", "6432", "meta"), "password", "Made.Two"), "authentication failed")
	execute(a.t, dba, "ALTER ROLE made PASSWORD 'Made.Two'")
	a.enters(with(a.as("made", "10", "6432", "meta"), "password", "Made.Two"), "")
	a.enters(a.as("made", "10", "6432", "meta"), "authentication failed")
	a.enters(a.as("mighty", "10", "6432", "meta"), "") // its entry says so
	for user, why := range map[string]string{"unpooled": "login rejected", "copying": "no such user", "indirect": "no such user", "dbuser_pgbouncer": "login rejected", "replicator": "no such user"} {
		a.enters(a.as(user, "10", "6432", "meta"), why)
	}
	for _, user := range []string{"copying", "indirect"} {
		a.enters(a.as(user, "10", "5432", "meta"), "")
	}
	for _, l := range []login{a.as("dbuser_pgbouncer", "10", "5432", "postgres"), a.as("dbuser_pgbouncer", "10", "5432", "meta")} {
		a.enters(l, "pg_hba.conf rejects")
	}
	const get = "SELECT * FROM pigsty_pool.get_auth('known')"
	a.mayNot(a.as("known", "10", "5432", "postgres"), get)
	a.mayNot(login{host: "10", port: "5432", user: "dbuser_monitor", password: a.secrets()["pg_monitor_password"], database: "postgres"}, get)
	for who, want := range map[string]string{"known": "known", "made": "made", "dbuser_dba": "", "dbuser_monitor": "", "replicator": "", "postgres": "", "dbuser_pgbouncer": "", "mighty": "", "copying": "", "indirect": ""} {
		a.is("10", "postgres", want, "SELECT coalesce(max(usename), '') FROM pigsty_pool.get_auth('"+who+"')")
	}
	if list := onNode(a.t, a.nodes, "meta", "cut", "-d", " ", "-f", "1", "/etc/pgbouncer/userlist.txt"); strings.Contains(list, "known") {
		a.t.Errorf("the pool keeps a list:\n%s", list)
	}
	a.planIsEmpty()
}

// changed takes away and changes what the first apply gave, in one more.
func (a *access) changed() {
	for _, node := range []string{"node-1", "node-2", "node-3"} {
		onNode(a.t, a.nodes, node, "install", "-d", "-o", "postgres", "-m", "0700", "/data/fast")
	}
	execute(a.t, a.mustConnect(a.dba("11")), "CREATE TABLESPACE fast LOCATION '/data/fast'")
	execute(a.t, a.mustConnect(a.dba("11")), "CREATE ROLE theirs; GRANT theirs TO writer; GRANT theirs TO reader")
	soon := query(a.t, a.mustConnect(a.dba("11")), "SELECT rolvaliduntil::text FROM pg_roles WHERE rolname = 'soon'")
	a.edit("createdb: true, createrole: true, replication: true, bypassrls: true, roles: [dbrole_readwrite, pg_signal_backend]", "roles: [dbrole_readonly]")
	a.edit("Writer.One, pgbouncer: true, roles: [dbrole_readwrite]", "Writer.One, pgbouncer: true, roles: [dbrole_readwrite, { name: theirs, state: absent }]")
	a.edit("superuser: true }\n          - { name: group, login: false }", "superuser: false }\n          - { name: group, password: Group.One }")
	a.edit("expire_at: 2020-01-31", "expire_at: 2099-01-31")
	a.edit("connlimit: 1, parameters: { work_mem: 5MB, search_path: \"app,public\" }", "parameters: { work_mem: 6MB }")
	a.edit("pgbouncer: true, pool_mode: session, pool_connlimit: 2", "pgbouncer: true")
	a.edit("Noinherit.One, inherit: false", "Noinherit.One")
	a.edit("          - { name: mytest }\n", "          - { name: mytest }\n          - { name: space, tablespace: fast }\n          - { name: copied, template: direct }\n")
	a.edit("name: closed, allowconn: false", "name: closed, connlimit: 3")
	a.edit("owner: writer, revokeconn: true", "owner: boss")
	a.edit("db: mytest, addr: world, auth: deny }\n        pgbouncer_hba", "db: mytest, addr: world, auth: deny, state: absent }\n        pgbouncer_hba")
	a.edit("auth: deny, order: -1 }", "auth: deny, order: -1, state: absent }")
	a.edit("pg_weight: 50 }", "pg_weight: 0, pg_offline_query: true }")
	a.edit("        vip_address: "+a.net+"3\n", "        vip_address: "+a.net+"3\n        haproxy_auth_enabled: false\n        pg_services:\n          - { name: only, src_port: 5450, dst_port: postgres, check_url: /primary, selector: \"[]\" }\n")
	a.edit("pgbouncer_auth_query: true", "pgbouncer_auth_query: false")
	a.apply()

	a.memberOf("able", "dbrole_readonly")
	a.memberOf("writer", "dbrole_readwrite")
	a.memberOf("reader", "dbrole_readonly,theirs") // made and granted by hand
	a.is("11", "postgres", "0 0 0 1 0 0", "SELECT concat_ws(' ', rolsuper::int, rolcreatedb::int, rolcreaterole::int, rolinherit::int, rolreplication::int, rolbypassrls::int) FROM pg_roles WHERE rolname = 'able'")
	a.is("11", "postgres", "false", "SELECT rolsuper::text FROM pg_roles WHERE rolname = 'mighty'")
	a.is("11", "postgres", soon, "SELECT rolvaliduntil::text FROM pg_roles WHERE rolname = 'soon'")
	a.mayNot(a.as("able", "11", "5432", "app"), "INSERT INTO dba_made.t DEFAULT VALUES")
	a.may(a.as("noinherit", "11", "5432", "app"), "SELECT * FROM dba_made.t")
	for _, user := range []string{"expired", "group"} {
		a.enters(a.as(user, "11", "5432", "app"), "")
	}
	for range 2 { // there is no limit any more
		if got := query(a.t, a.mustConnect(a.as("tuned", "11", "5432", "app")), "SHOW work_mem"); got != "6MB" {
			a.t.Errorf("work_mem of user tuned: %s", got)
		}
	}
	if mode := a.console("11", "SHOW USERS", "pooled", "")["pool_mode"]; mode != "" {
		a.t.Errorf("user pooled still has a pool mode: %q", mode)
	}
	a.is("13", "space", "fast", "SELECT spcname FROM pg_database d JOIN pg_tablespace t ON t.oid = dattablespace WHERE datname = 'space'")
	a.is("11", "copied", "1", "SELECT count(*)::text FROM public.loaded")
	a.is("11", "closed", "3", "SELECT datconnlimit::text FROM pg_database WHERE datname = 'closed'")
	a.enters(a.as("reader", "11", "5432", "tenant"), "")
	a.enters(a.as("both", "11", "5432", "mytest"), "")
	a.enters(a.as("writer", "11", "6432", "mytest"), "")
	a.enters(a.as("etl", "12", "5432", "app"), "") // serves offline queries now
	a.enters(a.as("etl", "12", "6432", "app"), "")
	a.changedServices()

	// pg-meta's pool has its list again, and PostgreSQL nobody who asks.
	a.enters(a.as("known", "10", "6432", "meta"), "")
	a.enters(with(a.as("made", "10", "6432", "meta"), "password", "Made.Two"), "authentication failed")
	a.is("10", "postgres", "0", "SELECT ((SELECT count(*) FROM pg_roles WHERE rolname = 'dbuser_pgbouncer') + (SELECT count(*) FROM pg_namespace WHERE nspname = 'pigsty_pool'))::text")
}

// removed are a user and databases: not while somebody uses them, on whichever member and by
// whichever way, nor while the user owns something; and then from the pools as well.
func (a *access) removed() {
	execute(a.t, a.mustConnect(with(a.dba("11"), "database", "app")), "CREATE TABLE app.owned (n int); ALTER TABLE app.owned OWNER TO owning")
	hold := func(logins ...login) (held []*pgx.Conn) {
		for _, l := range logins {
			held = append(held, a.mustConnect(l))
			query(a.t, held[len(held)-1], "SELECT 'in'")
		}
		return held
	}
	onPrimary := hold(
		a.as("leaving", "11", "5432", "app"), a.as("leaving", "11", "6432", "app"),
		a.as("reader", "11", "5432", "test"), a.as("reader", "11", "6432", "test"),
	)
	onReplicas := hold(
		a.as("leaving", "12", "5432", "app"), a.as("leaving", "12", "6432", "app"),
		a.as("reader", "13", "5432", "test"), a.as("reader", "13", "6432", "test"),
	)
	a.edit("{ name: leaving, password: Leaving.One, pgbouncer: true, roles: [dbrole_readonly] }", "{ name: leaving, state: absent }")
	a.edit("{ name: owning, password: Owning.One }", "{ name: owning, state: absent }")
	a.edit("          - { name: test }\n", "          - { name: test, state: absent }\n")
	from := " from " + strings.TrimSuffix(a.net, ".") + ".1"
	const owned = "role owning is not dropped, because it owns table app.owned in database app"
	a.keeps(append(onPrimary, onReplicas...), owned,
		"role leaving is not dropped, because it is in use on pg-test-2: process ", " of leaving in app"+from,
		"a client of pgBouncer, leaving in app"+from,
		"database test is not dropped, because it is in use on pg-test-3: process ", " of reader in test"+from,
		"a client of pgBouncer, reader in test"+from)
	for _, conn := range onReplicas {
		conn.Close(a.t.Context())
	}
	a.await("the sessions on replicas are gone", func() bool {
		r := a.pigsty("plan")
		return !strings.Contains(r.out, "pg_unused")
	})
	a.keeps(onPrimary, owned,
		"role leaving is not dropped, because it has sessions: process ", " of leaving in app"+from, "a client of pgBouncer, leaving in app"+from,
		"database test is not dropped, because somebody is connected: process ", " of reader in test"+from, "a client of pgBouncer, reader in test"+from)
	for _, conn := range onPrimary {
		conn.Close(a.t.Context())
	}
	execute(a.t, a.mustConnect(with(a.dba("11"), "database", "app")), "ALTER TABLE app.owned OWNER TO boss")
	keeps := a.mustConnect(a.as("reader", "11", "6432", "mytest"))
	a.await("the sessions are gone", func() bool { return !strings.Contains(a.pigsty("plan").out, "refused while") })
	a.apply()
	a.is("12", "postgres", "0", "SELECT ((SELECT count(*) FROM pg_roles WHERE rolname IN ('leaving', 'owning')) + (SELECT count(*) FROM pg_database WHERE datname = 'test'))::text")
	if got := query(a.t, keeps, "SELECT current_database()"); got != "mytest" {
		a.t.Errorf("a session in mytest: %q", got)
	}
	for _, host := range []string{"11", "12", "13"} {
		a.enters(a.as("leaving", host, "6432", "app"), "authentication failed")
		a.enters(a.as("reader", host, "6432", "test"), "no such database")
		lists := onNode(a.t, a.nodes, a.nodeAt(host), "cat", "/etc/pgbouncer/userlist.txt", "/etc/pgbouncer/database.txt")
		if strings.Contains(lists, "leaving") || strings.Contains(lists, "\ntest =") || !strings.Contains(lists, "mytest =") {
			a.t.Errorf("the pool's lists on %s%s name what is gone, or not what stays", a.net, host)
		}
	}
	a.enters(a.as("reader", "13", "6432", "mytest"), "")
}

// keeps fails the test unless an apply is refused with all of these reasons, and sessions, and ways
// in, are as they were.
func (a *access) keeps(held []*pgx.Conn, reasons ...string) {
	a.t.Helper()
	r := a.must(1, "apply", "--yes")
	for _, want := range reasons {
		if !strings.Contains(r.out, want) {
			a.t.Errorf("apply does not say %q:\n%s", want, r.out)
		}
	}
	for _, conn := range held {
		if err := try(a.t, conn, "SELECT 1"); err != "" {
			a.t.Errorf("a session is lost: %s", err)
		}
	}
	for _, host := range []string{"11", "12", "13"} {
		for _, port := range []string{"5432", "6432"} {
			a.enters(a.as("leaving", host, port, "app"), "")
			a.enters(a.as("reader", host, port, "test"), "")
		}
	}
}

// switched are the services of pg-meta and the address of pg-test, off and on again.
func (a *access) switched() {
	known := a.as("known", "10", "5433", "meta")
	a.edit("        patroni_mode: default\n", "        patroni_mode: pause\n        pgbouncer_enabled: false\n        haproxy_enabled: false\n")
	a.edit("vip_mode: l2", "vip_mode: none")
	a.apply()
	a.units("meta", "haproxy=inactive pgbouncer=inactive patroni=active")
	a.enters(known, "refused")
	a.enters(with(known, "port", "6432"), "refused")
	a.enters(with(known, "port", "5432"), "")
	for _, n := range a.nodes.Nodes() {
		if has := onNode(a.t, a.nodes, n.Name, "ip", "-4", "-brief", "address"); strings.Contains(has, " "+a.net+"3/") {
			a.t.Errorf("%s has an address that nobody wants: %s", n.Name, has)
		}
	}
	if status, _ := a.status(); !status.Clusters[slices.IndexFunc(status.Clusters, func(c controller.ClusterStatus) bool { return c.Name == "pg-meta" })].Paused {
		a.t.Error("pg-meta is not paused")
	}
	a.edit("        patroni_mode: pause\n        pgbouncer_enabled: false\n        haproxy_enabled: false\n", "        patroni_mode: default\n")
	a.edit("vip_mode: none", "vip_mode: l2")
	a.apply()
	a.units("meta", "haproxy=active pgbouncer=active patroni=active")
	a.must(0, "pg", "resume", "pg-meta", "-y")
	query(a.t, a.mustConnect(known), "SELECT 'in'")
	query(a.t, a.mustConnect(a.as("reader", "3", "5432", "app")), "SELECT 'in'")
}

// units fails the test unless these services of a node are in these states.
func (a *access) units(node, want string) {
	a.t.Helper()
	var got []string
	for pair := range strings.FieldsSeq(want) {
		unit, _, _ := strings.Cut(pair, "=")
		out, _ := a.nodes.Exec(a.t.Context(), node, nil, "sh", "-c", "systemctl is-active "+unit+"; true")
		got = append(got, unit+"="+strings.TrimSpace(out))
	}
	if strings.Join(got, " ") != want {
		a.t.Errorf("services of %s: %s, want %s", node, strings.Join(got, " "), want)
	}
}

// afterSwitchover reads go where replicas are: not to the leader that was declared a replica. Who
// leads is what everybody says who is asked: callbacks, status, services.
func (a *access) afterSwitchover() {
	began := time.Now()
	a.must(0, "pg", "switchover", "pg-test", "--to", "pg-test-2", "-y")
	reads := a.as("reader", "12", "5434", "app")
	a.edit("          - { name: only,", "          - { name: replica, src_port: 5434, check_url: /read-only, selector: \"[]\", selector_backup: \"[? pg_role == 'primary' || pg_role == 'offline']\" }\n          - { name: only,")
	a.edit("pg_weight: 0,", "pg_weight: 100,")
	a.apply()
	awaitHost(a.t, a.site, reads, "11")
	for range 6 {
		if got, err := a.serverOf(reads); got != "11" {
			a.t.Errorf("port 5434 leads to %q and not to the replica: %v", got, err)
		}
	}
	awaitHost(a.t, a.site, a.as("reader", "11", "5450", "app"), "12")
	awaitHost(a.t, a.site, a.as("reader", "11", "5435", "app"), "12") // no standby is synchronous
	for node, role := range map[string]string{"node-2": "(primary|master)", "node-1": "replica"} {
		a.await(node+"'s callback says "+role, func() bool {
			out, err := a.nodes.Exec(a.t.Context(), node, nil, "sh", "-c", "grep -Ec 'event=on_role_change role="+role+" cluster=pg-test|event=on_start role="+role+" cluster=pg-test' /pg/log/callback.log; true")
			return err == nil && strings.TrimSpace(out) != "0"
		})
	}
	if leader := a.leads(); leader.Name != "pg-test-2" {
		a.t.Errorf("%s leads", leader.Name)
	}
	a.t.Logf("%.1f s after the switchover began", time.Since(began).Seconds())
	// The replica gone, reads go to whoever leads.
	onNode(a.t, a.nodes, "node-1", "systemctl", "stop", "patroni")
	awaitHost(a.t, a.site, reads, "12")
	onNode(a.t, a.nodes, "node-1", "systemctl", "start", "patroni")
	awaitHost(a.t, a.site, reads, "11")
}
