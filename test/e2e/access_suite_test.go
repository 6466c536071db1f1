//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pigsty/internal/secret"
)

// granted is two clusters whose users, databases, access rules and services use everything that the
// access model has. pg-meta's pool asks PostgreSQL for its users.
const granted = `
all:
  children:
    meta:
      vars: { meta_node: true, ansible_group_priority: 99 }
      hosts: { NET.10: {} }
    pg-meta:
      hosts: { NET.10: { pg_seq: 1, pg_role: primary, pg_offline_query: true } }
      vars:
        pg_cluster: pg-meta
        pgbouncer_auth_query: true
        patroni_mode: default
        pg_users:
          - { name: known, password: Known.One, pgbouncer: true, pool_mode: session, roles: [dbrole_readonly] }
          - { name: unpooled, password: Unpooled.One, roles: [dbrole_readonly] }
          - { name: mighty, password: Mighty.One, superuser: true, pgbouncer: true }
        pg_databases: [{ name: meta }]
    pg-test:
      hosts:
        NET.11: { pg_seq: 1, pg_role: primary }
        NET.12: { pg_seq: 2, pg_role: replica, pg_weight: 50 }
        NET.13: { pg_seq: 3, pg_role: offline }
      vars:
        pg_cluster: pg-test
        pg_users:
          - { name: reader, password: Reader.One, pgbouncer: true, roles: [dbrole_readonly] }
          - { name: writer, password: Writer.One, pgbouncer: true, roles: [dbrole_readwrite] }
          - { name: etl, password: Etl.One, pgbouncer: true, roles: [dbrole_offline] }
          - { name: both, password: Both.One, pgbouncer: true, roles: [dbrole_offline, dbrole_readonly] }
          - { name: boss, password: Boss.One, pgbouncer: true, roles: [dbrole_admin] }
          - { name: noinherit, password: Noinherit.One, inherit: false, roles: [dbrole_readonly] }
          - { name: expired, password: Expired.One, expire_at: 2020-01-31 }
          - { name: soon, password: Soon.One, expire_in: 30 }
          - { name: tuned, password: Tuned.One, connlimit: 1, parameters: { work_mem: 5MB, search_path: "app,public" } }
          - { name: pooled, password: Pooled.One, pgbouncer: true, pool_mode: session, pool_connlimit: 2 }
          - { name: able, password: Able.One, createdb: true, createrole: true, replication: true, bypassrls: true, roles: [dbrole_readwrite, pg_signal_backend], comment: may do much }
          - { name: mighty, password: Mighty.One, superuser: true }
          - { name: group, login: false }
          - { name: verified, password: "VERIFIER" }
          - { name: legacy, password: md55a9a1b0a0f0a4a1a9c76b3d2a9b8d5a1 }
          - { name: leaving, password: Leaving.One, pgbouncer: true, roles: [dbrole_readonly] }
          - { name: owning, password: Owning.One }
        pg_databases:
          - { name: app, owner: boss, schemas: [app], extensions: [{ name: hstore, schema: app }], baseline: app.sql, comment: the application, connlimit: 40, parameters: { work_mem: 3MB }, pool_mode: session, pool_size: 7, pool_connlimit: 9, register_datasource: false }
          - { name: tenant, owner: writer, revokeconn: true }
          - { name: odd, template: template0, encoding: UTF8, lc_collate: C.UTF-8, lc_ctype: C }
          - { name: latin, template: template0, encoding: LATIN1, locale: C }
          - { name: closed, allowconn: false }
          - { name: direct, pgbouncer: false, baseline: app.sql }
          - { name: mytest }
          - { name: test }
        pg_hba_rules_extra:
          - { title: raw, role: common, rules: ["host test able NET.1/32 reject"] }
          - { title: on replicas, role: replica, user: reader, db: mytest, addr: intra, auth: deny }
          - { title: over TLS, user: writer, db: postgres, addr: NET.1, auth: ssl }
          - { title: and no other way, user: writer, db: postgres, addr: world, auth: deny }
          - { title: late, user: tuned, db: test, addr: world, auth: deny }
          - { title: but first, user: tuned, db: test, addr: intra, auth: pwd, order: -10 }
          - { title: stored as MD5, user: legacy, addr: intra, auth: md5 }
          - { title: members, user: able, db: mytest, addr: cluster, auth: pwd }
          - { title: and nobody else, user: able, db: mytest, addr: world, auth: deny }
          - { title: in the way, user: both, db: mytest, addr: world, auth: deny }
        pgbouncer_hba_rules_extra:
          - { title: not by the pool, user: writer, db: mytest, addr: world, auth: deny, order: -1 }
        pg_services_extra:
          - name: standby
            src_ip: "*"
            src_port: 5435
            dst_port: pgbouncer
            check_url: /sync
            selector: "[]"
            selector_backup: "[? pg_role == ` + "`primary`" + `]"
          - { name: numeric, src_port: 5440, dst_port: postgres, check_port: 8008, check_url: /primary, selector: "[]" }
          - { name: unchecked, src_port: 5441, dst_port: 5432, check_port: none, selector: "[? pg_seq == ` + "`2`" + `]", haproxy: { maxconn: 77, balance: leastconn } }
          - { name: spread, src_port: 5442, dst_port: postgres, check_url: /read-only, selector: "[]" }
        vip_mode: l2
        vip_address: NET.3
        vip_cidrmask: 24
  vars:
CONNECT
    dcs_servers: { etcd-1: NET.10, etcd-2: NET.11, etcd-3: NET.12 }
    node_tune: tiny
    pg_conf: tiny.yml
`

// baselineOfApp is loaded into a database when it is created.
const baselineOfApp = "CREATE TABLE public.loaded (n int); INSERT INTO public.loaded VALUES (1); SET ROLE dbrole_admin; CREATE TABLE public.ours (n int);\n"

// access is the site of this suite.
type access struct{ *site }

// TestAccess looks at the whole access model from a client's side: who may do what where, through
// which service, and that every part of it can be given, changed and taken away again.
func TestAccess(t *testing.T) {
	t.Parallel() // much of it is waiting
	nodes := startNodes(t, "t-access", "10.10.83.0/24", 4, withSoftware)
	s := filledSite(t, nodes, strings.NewReplacer(
		"VERIFIER", secret.ScramVerifier("Verified.One", []byte("saltsaltsaltsalt")),
		"md55a9a1b0a0f0a4a1a9c76b3d2a9b8d5a1", md5Verifier("legacy", "Legacy.One"),
	).Replace(granted))
	if err := os.WriteFile(filepath.Join(filepath.Dir(s.path), "app.sql"), []byte(baselineOfApp), 0o600); err != nil {
		t.Fatal(err)
	}
	s.apply()
	for _, part := range []struct {
		name string
		do   func(*access)
	}{
		{"roles", (*access).roles},
		{"privileges", (*access).privileges},
		{"users", (*access).users},
		{"databases", (*access).databases},
		{"rules", (*access).rules},
		{"services", (*access).services},
		{"admin page", (*access).adminPage},
		{"monitoring", (*access).monitoring},
		{"pool that asks", (*access).poolAsks},
		{"changed", (*access).changed},
		{"removed", (*access).removed},
		{"switched off and on", (*access).switched},
		{"after a switchover", (*access).afterSwitchover},
	} {
		t.Run(part.name, func(t *testing.T) { part.do(&access{s.in(t)}) })
	}
}

// as is the login of a user whose password follows from the name.
func (a *access) as(user, host, port, database string) login {
	return login{host: host, port: port, user: user, password: strings.ToUpper(user[:1]) + user[1:] + ".One", database: database}
}

// may fails the test unless the statement works for the login.
func (a *access) may(l login, sql string) {
	a.t.Helper()
	conn := a.mustConnect(l)
	defer conn.Close(a.t.Context())
	if err := try(a.t, conn, sql); err != "" {
		a.t.Errorf("%s at %s:%s, %s: %s: %s", l.user, l.host, l.port, l.database, sql, err)
	}
}

// mayNot fails the test unless the statement is refused for want of privileges.
func (a *access) mayNot(l login, sql string) {
	a.t.Helper()
	conn := a.mustConnect(l)
	defer conn.Close(a.t.Context())
	if err := try(a.t, conn, sql); !strings.Contains(err, "42501") {
		a.t.Errorf("%s at %s:%s, %s: %s is not refused: %q", l.user, l.host, l.port, l.database, sql, err)
	}
}

// enters fails the test unless the login is let in, or, with a reason, kept out for that.
func (a *access) enters(l login, refusal string) {
	a.t.Helper()
	conn, err := a.connect(l)
	switch {
	case refusal == "" && err != nil:
		a.t.Errorf("%s at %s:%s, database %s: %v", l.user, l.host, l.port, l.database, err)
	case refusal == "":
		conn.Close(a.t.Context())
	case err == nil || !strings.Contains(err.Error(), refusal):
		a.t.Errorf("%s at %s:%s, database %s: the answer is %v, want %q", l.user, l.host, l.port, l.database, err, refusal)
	}
}

// is fails the test unless a statement gives that value on the server of the node.
func (a *access) is(host, database, want, sql string) {
	a.t.Helper()
	l := a.dba(host)
	l.database = database
	if got, err := a.ask(l, sql); got != want || err != nil {
		a.t.Errorf("%s%s, database %s: %s gives %q, want %q: %v", a.net, host, database, sql, got, want, err)
	}
}
