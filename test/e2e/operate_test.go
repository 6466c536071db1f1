//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pigsty/internal/health"
)

// TestOperate does to a cluster what its DBA does, with the product's commands, while a client
// writes: each does what it says, refuses what it must, and loses nothing.
func TestOperate(t *testing.T) {
	t.Parallel() // most of it is waiting
	nodes := startNodes(t, "t-operate", "10.10.75.0/24", 4, withSoftware)
	s := newSite(t, nodes, "sandbox.yml")
	s.apply()
	s.healthy()
	l := login{host: "3", port: "5433", user: "test", password: "test", database: "test"}
	kept := startLedger(s, l, map[string][]string{"through two members": {"12:5433", "13:5433"}})
	for _, step := range []struct {
		name string
		do   func(*operator)
	}{
		{"list, psql and log", (*operator).looks},
		{"config", (*operator).config},
		{"switchover", (*operator).switchover},
		{"restart", (*operator).restart},
		{"reload", (*operator).reload},
		{"pause and resume", (*operator).pause},
		{"reinit", (*operator).reinit},
		{"failover", (*operator).failover},
	} {
		t.Run(step.name, func(t *testing.T) {
			o := &operator{s.in(t), kept}
			step.do(o)
			o.healthy()
			o.ledger.writable()
			o.planIsEmpty()
		})
	}
	l.host = lastNumber(s.leads().Host)
	l.port = "5432"
	kept.close(s, l)
}

type operator struct {
	*site
	ledger *book
}

// leads waits for the member of pg-test that leads.
func (s *site) leads() health.Member {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		status, _ := s.status()
		for _, c := range status.Clusters {
			n := slices.IndexFunc(c.Members, func(m health.Member) bool { return m.Role == "primary" && m.State == "running" })
			if c.Name == "pg-test" && n >= 0 {
				return c.Members[n]
			}
		}
	}
	s.t.Fatal("nobody leads pg-test")
	return health.Member{}
}

// another is a member of pg-test that is none of those.
func another(names ...string) string {
	for _, name := range []string{"pg-test-1", "pg-test-2", "pg-test-3"} {
		if !slices.Contains(names, name) {
			return name
		}
	}
	return ""
}

// refused runs a command that has to fail and say why.
func (o *operator) refused(why string, args ...string) {
	o.t.Helper()
	if r := o.must(1, args...); !strings.Contains(r.out+r.err, why) {
		o.t.Errorf("pigsty %s does not say %q:\n%s%s", strings.Join(args, " "), why, r.out, r.err)
	}
}

// looks asks a cluster what it is and what it says, and changes nothing.
func (o *operator) looks() {
	leader := o.leads().Name
	replica := another(leader)
	list := o.must(0, "pg", "list", "pg-test").out
	for _, want := range []string{leader, replica, "primary", "streaming"} {
		if !strings.Contains(list, want) {
			o.t.Errorf("pg list does not say %s:\n%s", want, list)
		}
	}
	if strings.Contains(list, "pg-meta") {
		o.t.Errorf("pg list pg-test lists others:\n%s", list)
	}
	const recovers = "SELECT 'it is ' || pg_is_in_recovery()"
	for target, want := range map[string]string{"pg-test": "it is false", replica: "it is true"} {
		if r := o.must(0, "pg", "psql", target, "-d", "test", "-c", recovers); !strings.Contains(r.out, want) {
			o.t.Errorf("psql on %s does not say %q:\n%s", target, want, r.out)
		}
	}
	o.must(1, "pg", "psql", "pg-test", "-d", "test", "-c", "SELECT 1/0 AS looked_at")
	if r := o.must(0, "pg", "log", leader, "-n", "200"); !strings.Contains(r.out, "statement: SELECT 1/0 AS looked_at") {
		o.t.Errorf("the log does not tell of the error:\n%s", r.out)
	}
	for _, log := range []string{"--patroni", "--pgbouncer"} {
		if r := o.must(0, "pg", "log", leader, log); r.out == "" {
			o.t.Errorf("pg log %s shows nothing", log)
		}
	}
}

// config changes a key, removes it, and says who would have to restart for another.
func (o *operator) config() {
	const key, line = "postgresql.parameters.work_mem", "work_mem: 9MB\n"
	before := o.look()
	if r := o.must(2, "pg", "config", "pg-test", key+"=9MB", "--plan"); !strings.Contains(r.out, "9MB") {
		o.t.Errorf("the plan does not name the value:\n%s", r.out)
	}
	if r := o.must(0, "pg", "config", "pg-test"); strings.Contains(r.out, line) {
		o.t.Errorf("a plan changed the configuration:\n%s", r.out)
	}
	o.must(0, "pg", "config", "pg-test", key+"=9MB", "-y")
	if r := o.must(0, "pg", "config", "pg-test"); !strings.Contains(r.out, line) {
		o.t.Errorf("the value is not there:\n%s", r.out)
	}
	o.must(0, "pg", "config", "pg-test", key+"=null", "-y")
	if r := o.must(0, "pg", "config", "pg-test"); strings.Contains(r.out, line) {
		o.t.Errorf("the value is still there:\n%s", r.out)
	}
	wait := o.must(0, "pg", "config", "pg-test", "postgresql.parameters.max_connections=321", "-y")
	if !strings.Contains(wait.out, "waits for a restart of pg-test-1, pg-test-2, pg-test-3: pigsty pg restart pg-test --pending") {
		o.t.Errorf("nobody is said to wait for a restart:\n%s", wait.out)
	}
	if restarted := before.differs(o.look()); len(restarted) > 0 {
		o.t.Errorf("restarted: %q", restarted)
	}
	o.apply() // sets back what the inventory says
}

func (o *operator) switchover() {
	old := o.leads().Name
	to := another(old)
	if r := o.must(2, "pg", "switchover", "pg-test", "--to", to, "--plan"); !strings.Contains(r.out, "leader: "+old+" → "+to) {
		o.t.Errorf("the plan does not name both:\n%s", r.out)
	}
	o.refused("its clusters are pg-meta, pg-test", "pg", "switchover", "pg-tset", "-y")
	o.refused("cluster pg-test has no member pg-test-9", "pg", "switchover", "pg-test", "--to", "pg-test-9", "-y")
	o.refused("no replica can take over", "pg", "switchover", "pg-meta", "-y")
	o.refused("say --yes", "pg", "switchover", "pg-test")
	if now := o.leads().Name; now != old {
		o.t.Fatalf("%s leads after refusals, and not %s", now, old)
	}
	o.must(0, "pg", "switchover", "pg-test", "--to", to, "-y")
	if now := o.leads().Name; now != to {
		o.t.Errorf("%s leads, and not %s", now, to)
	}
	if r := o.must(0, "pg", "switchover", "pg-test", "--to", to, "-y"); !strings.Contains(r.out, "Nothing to do") {
		o.t.Errorf("a second time:\n%s", r.out)
	}
	o.must(0, "pg", "switchover", "pg-test", "-y")
	if now := o.leads().Name; now == to {
		o.t.Errorf("%s still leads", to)
	}
}

func (o *operator) restart() {
	old := o.leads().Name
	replica := another(old)
	before := o.look()
	o.must(0, "pg", "restart", replica, "-y")
	if restarted := before.differs(o.look()); !slices.Equal(restarted, []string{replica + " postgres"}) {
		o.t.Errorf("restarted: %q, want %s alone", restarted, replica)
	}
	if r := o.must(0, "pg", "restart", "pg-test", "--pending", "-y"); !strings.Contains(r.out, "Nothing to do") {
		o.t.Errorf("nobody waits for a restart:\n%s", r.out)
	}
	before = o.look()
	o.must(0, "pg", "restart", "pg-test", "--switchover", "-y", "-o", "json")
	want := []string{"pg-test-1 postgres", "pg-test-2 postgres", "pg-test-3 postgres"}
	if restarted := before.differs(o.look()); !slices.Equal(restarted, want) {
		o.t.Errorf("restarted: %q, want %q", restarted, want)
	}
	if now := o.leads().Name; now == old {
		o.t.Errorf("%s still leads", old)
	}
	o.refused("has no cluster and no instance pg-test-9", "pg", "restart", "pg-test-9", "-y")
}

func (o *operator) reload() {
	before := o.look()
	onNode(o.t, o.nodes, "node-1", "sh", "-c", "echo '# a remark' >>/etc/patroni/patroni.yml")
	o.must(0, "pg", "reload", "pg-test", "-y")
	if restarted := before.differs(o.look()); len(restarted) > 0 {
		o.t.Errorf("restarted: %q", restarted)
	}
	o.apply() // takes the remark away
}

func (o *operator) pause() {
	o.must(0, "pg", "pause", "pg-test", "-y")
	if status, _ := o.status(); !status.Clusters[1].Paused {
		o.t.Error("status does not say that the cluster is paused")
	}
	if r := o.must(0, "pg", "pause", "pg-test", "-y"); !strings.Contains(r.out, "Nothing to do") {
		o.t.Errorf("a second time:\n%s", r.out)
	}
	if r := o.must(0, "plan"); !strings.Contains(r.out, "maintenance mode") {
		o.t.Errorf("plan does not say that the cluster is paused:\n%s", r.out)
	}
	o.must(0, "pg", "resume", "pg-test", "-y")
	if status, _ := o.status(); status.Clusters[1].Paused {
		o.t.Error("status says that the cluster is paused")
	}
}

func (o *operator) reinit() {
	leader := o.leads().Name
	replica := another(leader)
	o.refused("leads cluster pg-test: its data are the original", "pg", "reinit", leader, "--yes-destroy", leader)
	o.refused("say --yes-destroy "+replica, "pg", "reinit", replica)
	o.refused("was typed, and not "+replica, "pg", "reinit", replica, "--yes-destroy", leader)
	before := o.look()
	o.must(0, "pg", "reinit", replica, "--yes-destroy", replica)
	if restarted := before.differs(o.look()); !slices.Equal(restarted, []string{replica + " postgres"}) {
		o.t.Errorf("restarted: %q, want %s alone", restarted, replica)
	}
}

// failover is of a paused cluster, whose leader has been shut down, and whom nobody replaces by
// itself.
func (o *operator) failover() {
	old := o.leads()
	to := another(old.Name)
	o.refused("runs: a switchover loses nothing", "pg", "failover", to, "--yes-destroy", to)
	o.must(0, "pg", "pause", "pg-test", "-y")
	onNode(o.t, o.nodes, o.nodeAt(lastNumber(old.Host)),
		"sudo", "-u", "postgres", "/usr/lib/postgresql/17/bin/pg_ctl", "stop", "-D", "/pg/data", "-m", "fast")
	o.must(2, "pg", "failover", to, "--plan")
	o.refused("say --yes-destroy "+to, "pg", "failover", to)
	o.must(0, "pg", "failover", to, "--yes-destroy", to)
	if now := o.leads().Name; now != to {
		o.t.Errorf("%s leads, and not %s", now, to)
	}
	o.must(0, "pg", "resume", "pg-test", "-y")
}
