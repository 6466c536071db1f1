//go:build e2e

package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"pigsty/internal/operation"
)

// TestRemove takes things off a platform and brings them back, with the product's commands, while
// a client of another cluster writes and notices nothing.
func TestRemove(t *testing.T) {
	t.Parallel() // most of it is waiting
	nodes := startNodes(t, "t-remove", "10.10.80.0/24", 4, withSoftware)
	s := newSite(t, nodes, "sandbox.yml")
	s.apply()
	s.healthy()
	l := login{host: "2", port: "5433", user: "dbuser_meta", password: "DBUser.Meta", database: "meta"}
	writes := startLedger(s, l, map[string][]string{"of another cluster": {"10:5433"}})
	for _, step := range []struct {
		name string
		do   func(*operator)
	}{
		{"instance", (*operator).removeInstance},
		{"database and user", (*operator).removeObjects},
		{"node off", (*operator).removeLost},
		{"cluster", (*operator).removeCluster},
		{"node", (*operator).removeNode},
	} {
		t.Run(step.name, func(t *testing.T) {
			o := &operator{s.in(t), writes}
			step.do(o)
			o.healthy()
			o.ledger.writable()
			o.planIsEmpty()
		})
	}
	l.port, l.host = "5432", "10"
	account := writes.close(s, l)
	if account.Failed+account.Unknown > 0 {
		t.Errorf("the other cluster's client noticed: %v", account.Errors)
	}
}

const unprotected = "pg_safeguard=false"

// kept is what can be brought back under a name.
func (o *operator) kept(name string) []operation.Kept {
	o.t.Helper()
	var all []operation.Kept
	if err := json.Unmarshal([]byte(o.must(0, "undo", "-o", "json").out), &all); err != nil {
		o.t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(k operation.Kept) bool { return k.Name != name })
}

// says runs a command that has to succeed and say something.
func (o *operator) says(want string, args ...string) {
	o.t.Helper()
	if r := o.must(0, args...); !strings.Contains(r.out, want) {
		o.t.Errorf("pigsty %s does not say %q:\n%s", strings.Join(args, " "), want, r.out)
	}
}

// removeInstance goes by who leads, and not by what is declared.
func (o *operator) removeInstance() {
	o.must(0, "pg", "switchover", "pg-test", "--to", "pg-test-2", "-y")
	o.refused("pg-test-1 is protected by pg_safeguard", "remove", "instance", "pg-test-1")
	o.refused("pg-test-2 is the primary of pg-test", "remove", "instance", "pg-test-2", "-e", unprotected, "--yes-destroy", "pg-test-2")
	o.refused("pg-meta-1 is the only instance of pg-meta", "remove", "instance", "pg-meta-1", "-e", unprotected)
	o.refused("was typed, and not pg-test-1", "remove", "instance", "pg-test-1", "-e", unprotected, "--yes-destroy", "pg-test-2")
	o.refused("pg_clean is false", "remove", "instance", "pg-test-1", "-e", unprotected, "--now")
	o.must(2, "remove", "instance", "pg-test-1", "-e", unprotected, "--plan", "-o", "yaml")
	if len(o.kept("pg-test-1")) > 0 {
		o.t.Error("refusals and a plan set something aside")
	}
	o.says("pigsty undo pg-test-1 brings it back", "remove", "instance", "pg-test-1", "-e", unprotected, "--yes-destroy", "pg-test-1")
	o.says("Nothing to do", "remove", "instance", "pg-test-1", "-e", unprotected)
	if kept := o.kept("pg-test-1"); len(kept) != 1 || kept[0].Bytes == 0 || kept[0].Server == nil {
		o.t.Errorf("kept: %+v", kept)
	}
	for _, path := range []string{"/pg", "/etc/patroni/patroni.yml", "/etc/pigsty/pgsql/server.key", "/var/lib/pgsql/.pgpass"} {
		onNode(o.t, o.nodes, "node-1", "test", "!", "-e", path)
	}
	if timers := onNode(o.t, o.nodes, "node-1", "systemctl", "is-active", "pigsty-expire.timer"); timers != "active" {
		o.t.Errorf("the timer is %s", timers)
	}
	o.must(0, "undo", "pg-test-1", "-y")
	if kept := o.kept("pg-test-1"); len(kept) > 0 {
		o.t.Errorf("still kept: %+v", kept)
	}
}

// removeObjects takes a database and its owner away and gives them back as they were.
func (o *operator) removeObjects() {
	const user, database = "          - { name: shop, password: shop, pgbouncer: true }\n", "          - { name: shop, owner: shop, comment: goods }\n"
	const users, databases = "          - { name: test, password: test, pgbouncer: true, roles: [dbrole_admin] }\n", "          - { name: test }\n"
	o.edit(users, users+user)
	o.edit(databases, databases+database)
	o.apply()
	leader := lastNumber(o.leads().Host)
	shop := login{host: leader, port: "6432", user: "shop", password: "shop", database: "shop"}
	client := o.mustConnect(shop)
	if _, err := client.Exec(o.t.Context(), "CREATE TABLE goods AS SELECT 42 AS number", pgx.QueryExecModeSimpleProtocol); err != nil {
		o.t.Fatal(err)
	}
	o.refused("the inventory still lists database shop", "remove", "database", "pg-test/shop")
	o.refused("the inventory still lists user shop", "remove", "user", "pg-test/shop")
	o.edit(user, "")
	o.edit(database, "")
	o.refused("dbuser_dba is not removed", "remove", "user", "pg-test/dbuser_dba")
	o.refused("postgres is not removed", "remove", "database", "pg-test/postgres")
	o.refused("database shop is in use by a client of pgBouncer", "remove", "database", "pg-test/shop", "--yes-destroy", "pg-test/shop")
	o.refused("owns database shop, table public.goods in database shop", "remove", "user", "pg-test/shop", "--end-sessions")
	o.must(0, "remove", "database", "pg-test/shop", "--end-sessions", "--yes-destroy", "pg-test/shop")
	o.must(0, "remove", "user", "pg-test/shop", "--end-sessions", "--yes-destroy", "pg-test/shop")
	if _, err := o.ask(shop, "SELECT 1"); err == nil {
		o.t.Error("a user that was removed still gets into a database that was")
	}
	for _, what := range []string{"database", "user"} {
		o.says("Nothing to do", "remove", what, "pg-test/shop")
	}
	o.planIsEmpty() // an apply makes neither anew
	if kept := o.kept("pg-test/shop"); len(kept) != 2 {
		o.t.Errorf("kept: %+v", kept)
	}
	o.refused("is the name of a database and of a user: say which with --what", "undo", "pg-test/shop", "-y")
	o.edit(users, users+user)
	o.edit(databases, databases+database)
	o.must(0, "undo", "pg-test/shop", "--what", "user", "-y")
	o.must(0, "undo", "pg-test/shop", "--what", "database", "-y")
	if number := query(o.t, o.mustConnect(shop), "SELECT number::text FROM goods"); number != "42" {
		o.t.Errorf("%s came back", number)
	}
	o.planIsEmpty() // owner, comment, password and rights are what they were
	o.edit(user, "")
	o.edit(database, "")
	o.must(0, "remove", "database", "pg-test/shop", "--end-sessions", "--now", "-e", "pg_clean=true", "--yes-destroy", "pg-test/shop")
	o.must(0, "remove", "user", "pg-test/shop", "--end-sessions", "--keep", "1", "--yes-destroy", "pg-test/shop")
	o.refused("say --yes-destroy pg-test/shop", "undo", "--forget", "pg-test/shop")
	o.must(0, "undo", "--forget", "pg-test/shop", "--yes-destroy", "pg-test/shop")
	if kept := o.kept("pg-test/shop"); len(kept) > 0 {
		o.t.Errorf("still kept: %+v", kept)
	}
}

// removeLost removes a member whose node is off, which comes back as if nothing had been.
func (o *operator) removeLost() {
	must(o.t, "power cut", func() error { return o.nodes.Kill(o.t.Context(), "node-3") })
	o.refused("pg-test-3 on "+o.net+"13 cannot be reached", "remove", "instance", "pg-test-3", "-e", unprotected)
	o.refused("go on without it (--skip-unreachable)", "remove", "cluster", "pg-test", "-e", unprotected)
	o.must(0, "remove", "instance", "pg-test-3", "-e", unprotected, "--skip-unreachable", "--yes-destroy", "pg-test-3")
	must(o.t, "start", func() error { return o.nodes.Start(o.t.Context(), "node-3") })
}

// removeCluster brings the same cluster back, led by who led last and with what it wrote last.
func (o *operator) removeCluster() {
	const system = "SELECT system_identifier::text FROM pg_control_system()"
	leader := o.leads()
	at := o.dba(lastNumber(leader.Host))
	conn := o.mustConnect(at)
	if _, err := conn.Exec(o.t.Context(), "CREATE TABLE last AS SELECT 7 AS word", pgx.QueryExecModeSimpleProtocol); err != nil {
		o.t.Fatal(err)
	}
	before := query(o.t, conn, system)
	o.refused("is protected by pg_safeguard", "remove", "cluster", "pg-test")
	o.must(0, "pg", "pause", "pg-test", "-y")
	o.refused("end it first (pigsty pg resume pg-test)", "remove", "cluster", "pg-test", "-e", unprotected)
	o.must(0, "pg", "resume", "pg-test", "-y")
	o.says("pigsty undo pg-test brings it back", "remove", "cluster", "pg-test", "-e", unprotected, "--yes-destroy", "pg-test")
	o.says("Nothing to do", "remove", "cluster", "pg-test", "-e", unprotected)
	if kept := o.kept("pg-test"); len(kept) != 3 {
		o.t.Errorf("kept: %+v", kept)
	}
	for _, node := range []string{"node-1", "node-2", "node-3"} {
		if out := onNode(o.t, o.nodes, node, "ip", "-o", "address"); strings.Contains(out, o.net+"3/") {
			o.t.Errorf("the virtual address is still on %s", node)
		}
	}
	o.must(0, "undo", "pg-test", "-y")
	if now := o.leads().Name; now != leader.Name {
		o.t.Errorf("%s leads, and %s did", now, leader.Name)
	}
	if after := query(o.t, o.mustConnect(at), system); after != before {
		o.t.Errorf("the cluster is %s, and was %s", after, before)
	}
	if word := query(o.t, o.mustConnect(at), "SELECT word::text FROM last"); word != "7" {
		o.t.Errorf("the last word is %s", word)
	}
}

// removeNode takes a member of etcd out, by the majority of the others, and an apply takes it in
// again.
func (o *operator) removeNode() {
	if o.leads().Name == "pg-test-1" {
		o.must(0, "pg", "switchover", "pg-test", "--to", "pg-test-2", "-y")
	}
	addr := o.net + "11"
	o.refused(addr+" carries pg-test-1: remove that first", "remove", "node", addr)
	o.must(0, "remove", "instance", "pg-test-1", "-e", unprotected, "--yes-destroy", "pg-test-1")
	o.refused("protected by dcs_safeguard", "remove", "node", addr)
	remove := []string{"remove", "node", addr, "-e", "dcs_safeguard=false"}
	o.must(0, append(remove, "--yes-destroy", addr)...)
	o.says("Nothing to do", remove...)
	onNode(o.t, o.nodes, "node-1", "test", "!", "-e", "/etc/pigsty/ca.crt")
	if state := onNode(o.t, o.nodes, "node-1", "sh", "-c", "systemctl is-enabled etcd || true"); state != "disabled" {
		o.t.Errorf("etcd is %s", state)
	}
	o.apply()
	o.refused("is in use again", "undo", "pg-test-1", "-y")
	o.must(0, "undo", "--forget", "pg-test-1", "--yes-destroy", "pg-test-1")
}
