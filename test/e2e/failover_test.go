//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pigsty/internal/controller"
	"pigsty/internal/engine"
	"pigsty/internal/health"
	"pigsty/internal/sandbox"
)

// critical is three machines that each carry an etcd member and an instance of a cluster that may
// lose no acknowledged write. Whatever machine is lost, both have to go on.
const critical = `
all:
  children:
    meta:
      vars: { meta_node: true, ansible_group_priority: 99 }
      hosts: { NET.10: {} }
    pg-test:
      hosts:
        NET.10: { pg_seq: 1, pg_role: primary }
        NET.11: { pg_seq: 2, pg_role: replica }
        NET.12: { pg_seq: 3, pg_role: replica }
      vars:
        pg_cluster: pg-test
        pg_conf: crit.yml
        patroni_watchdog_mode: "off"
        pg_shared_buffer_ratio: 0.1
        pg_databases: [{ name: test }]
        pg_users:
          - { name: test, password: test, pgbouncer: true, roles: [dbrole_admin] }
        vip_mode: l2
        vip_address: NET.3
        vip_cidrmask: 24
  vars:
CONNECT
    dcs_servers: { etcd-1: NET.10, etcd-2: NET.11, etcd-3: NET.12 }
    pg_dcs_type: etcd
    node_tune: tiny
`

// testLogin is the business user of critical, at the virtual address.
var testLogin = login{host: "3", port: "5433", user: "test", password: "test", database: "test"}

// TestFailover breaks machines of a synchronous cluster under load, in the ways in which they
// break. Every time the cluster has to come back by itself, with every acknowledged write.
func TestFailover(t *testing.T) {
	t.Parallel() // most of it is waiting
	s := startNodes(t, "t-fail", "10.10.72.0/24", 3, withSoftware)
	f := &failover{site: filledSite(t, s, critical)}
	f.apply()
	if members := f.members(); !slices.ContainsFunc(members, func(m health.Member) bool { return m.Role == "sync_standby" }) {
		t.Errorf("apply is done, and no standby is synchronous: %+v", members)
	}
	f.healthy()
	f.ledger = startLedger(f.site, testLogin, map[string][]string{
		"by VIP":     {"3:5433"},
		"by members": {"10:5433", "11:5433", "12:5433"},
	})
	f.ledger.writable()
	for _, step := range []struct {
		name string
		do   func(*failover)
	}{
		{"power cut", (*failover).powerCut},
		{"switchover", (*failover).switchover},
		{"cut off from its peers", (*failover).cutOff},
		{"stall", (*failover).stall},
		{"reboot", (*failover).reboot},
		{"power cut with short times", (*failover).shortTimes},
	} {
		passed := t.Run(step.name, func(t *testing.T) {
			sub := &failover{site: f.in(t), ledger: f.ledger}
			began := time.Now()
			step.do(sub)
			sub.ledger.told(step.name, began)
			sub.whole()
		})
		if !passed {
			break
		}
	}
	f.ledger.close(f.site, testLogin)
}

// filledSite is a site of a text with the sandbox's addresses and keys to be filled in.
func filledSite(t *testing.T, nodes *sandbox.Sandbox, text string) *site {
	t.Helper()
	s := newSite(t, nodes, "sandbox.yml")
	s.write(strings.NewReplacer("NET.", s.net, "CONNECT\n", ""+
		"    ansible_user: debian\n"+
		"    ansible_ssh_private_key_file: "+nodes.KeyPath()+"\n"+
		"    ansible_ssh_common_args: -o UserKnownHostsFile="+nodes.KnownHostsPath()+"\n").Replace(text))
	return s
}

// failover is the cluster under test, with the writers that use it.
type failover struct {
	*site
	ledger *book
}

// status is what pigsty status says, and its exit code.
func (s *site) status() (controller.Status, int) {
	s.t.Helper()
	r := s.pigsty("status", "-o", "json")
	var status controller.Status
	if err := json.Unmarshal([]byte(r.out), &status); err != nil {
		s.t.Fatalf("status: exit code %d, %v\n%s%s", r.code, err, r.out, r.err)
	}
	return status, r.code
}

// healthy waits until pigsty status calls everything healthy.
func (s *site) healthy() controller.Status {
	s.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(500 * time.Millisecond) {
		status, code := s.status()
		if code == 0 {
			return status
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("not healthy after two minutes: exit code %d\n%s", code, s.pigsty("status").out)
		}
	}
}

// members are the only cluster's, as Patroni tells.
func (f *failover) members() []health.Member {
	f.t.Helper()
	status, _ := f.status()
	if len(status.Clusters) != 1 {
		f.t.Fatalf("status tells of %d clusters", len(status.Clusters))
	}
	return status.Clusters[0].Members
}

// leader waits for a member to lead, other than the named one.
func (f *failover) leader(other string) health.Member {
	f.t.Helper()
	var members []health.Member
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		members = f.members()
		i := slices.IndexFunc(members, func(m health.Member) bool { return m.Role == "primary" && m.State == "running" })
		if i >= 0 && members[i].Name != other {
			return members[i]
		}
	}
	f.t.Fatalf("nobody but %s leads after two minutes: %+v", other, members)
	return health.Member{}
}

// synchronous waits until a standby confirms writes before they are acknowledged. From then on
// nothing acknowledged may be lost.
func (f *failover) synchronous() string {
	f.t.Helper()
	var members []health.Member
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		members = f.members()
		for _, m := range members {
			if m.Role == "sync_standby" {
				return m.Name
			}
		}
	}
	f.t.Fatalf("no standby is synchronous after two minutes: %+v", members)
	return ""
}

// machineAt is the sandbox's name of the machine with the address.
func (s *site) machineAt(address string) string {
	s.t.Helper()
	for _, n := range s.nodes.Nodes() {
		if n.Addr.String() == address {
			return n.Name
		}
	}
	s.t.Fatalf("no node has the address %s", address)
	return ""
}

// peers are the names of all other nodes.
func (s *site) peers(node string) []string {
	var others []string
	for _, n := range s.nodes.Nodes() {
		if n.Name != node {
			others = append(others, n.Name)
		}
	}
	return others
}

// whole is what must be true of a cluster that has recovered: everything is healthy, all members
// follow one leader on one timeline, the virtual address and the services lead to it, writes go
// through, and apply has nothing to do, whoever leads.
func (f *failover) whole() {
	f.t.Helper()
	status := f.healthy()
	f.synchronous()
	cluster := status.Clusters[0]
	leader := f.leader("")
	for _, m := range f.members() {
		if m.Timeline != leader.Timeline || m.Name != leader.Name && m.State != "streaming" {
			f.t.Errorf("%s is %s, %s on timeline %d; %s leads on %d", m.Name, m.Role, m.State, m.Timeline, leader.Name, leader.Timeline)
		}
	}
	if len(cluster.Members) != 3 || cluster.VIPHolder != leader.Name {
		f.t.Errorf("%d members, %s leads and %s has the virtual address", len(cluster.Members), leader.Name, cluster.VIPHolder)
	}
	f.ledger.writable()
	for _, host := range []string{"3", "10", "11", "12"} {
		for _, port := range []string{"5433", "5434", "5436"} {
			f.leads(host, port)
		}
	}
	f.planIsEmpty()
}

// leads waits until a service leads where it should. A balancer that was cut off itself takes some
// seconds to see the leader again.
func (f *failover) leads(host, port string) {
	f.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(500 * time.Millisecond) {
		conn, err := f.connect(f.userOf(port, host))
		if err == nil {
			standby := query(f.t, conn, "SELECT pg_is_in_recovery()::text")
			// The service of replicas leads to the leader while there is no replica.
			if standby == "false" || port == "5434" {
				return
			}
			err = errors.New("it leads to a standby")
		}
		if time.Now().After(deadline) {
			f.t.Errorf("%s:%s: %v", host, port, err)
			return
		}
	}
}

// userOf is who may log in on a service: the business user through pgBouncer, and the
// administrator at PostgreSQL itself.
func (f *failover) userOf(port, host string) login {
	l := testLogin
	if port == "5436" {
		l = f.dba(host)
	}
	l.host, l.port = host, port
	return l
}

// takenOver waits until another member takes writes and the services lead to it, and returns who
// that is.
func (f *failover) takenOver(old health.Member) health.Member {
	f.t.Helper()
	since := time.Now()
	for ; time.Since(since) < 2*time.Minute; time.Sleep(200 * time.Millisecond) {
		for i, host := range []string{"10", "11", "12"} {
			m := health.Member{Name: fmt.Sprintf("pg-test-%d", i+1), Host: f.net + host}
			if m.Name == old.Name || !f.takesWrites(host) {
				continue
			}
			promoted := time.Since(since)
			f.ledger.writable()
			f.t.Logf("%s is gone: %s was promoted after %.1f s, and the services led there after %.1f s",
				old.Name, m.Name, promoted.Seconds(), time.Since(since).Seconds())
			return m
		}
	}
	f.t.Fatalf("nobody took over from %s in two minutes", old.Name)
	return health.Member{}
}

// takesWrites asks the node's PostgreSQL itself.
func (f *failover) takesWrites(host string) bool {
	conn, err := f.connect(f.dba(host))
	if err != nil {
		return false
	}
	defer conn.Close(f.t.Context())
	return query(f.t, conn, "SELECT pg_is_in_recovery()::text") == "false"
}

// powerCut takes the leader's power. While it is off, the rest can be planned and changed; when
// it is back, it follows.
func (f *failover) powerCut() {
	old := f.leader("")
	node := f.machineAt(old.Host)
	must(f.t, "power cut", func() error { return f.nodes.Kill(f.t.Context(), node) })
	next := f.takenOver(old)
	f.synchronous() // until there is one, plan says that it would be waited for
	f.planWithout(old)
	f.edit("roles: [dbrole_admin] }", "roles: [dbrole_admin] }\n          - { name: later, password: later, pgbouncer: true }")
	if r := f.pigsty("apply", "--yes"); r.code != 1 || !strings.Contains(r.out, "1 node could not be reached") {
		f.t.Errorf("apply with a node that is off: exit code %d\n%s%s", r.code, r.out, r.err)
	}
	for _, l := range []login{{host: lastNumber(next.Host), port: "5432"}, {host: "3", port: "5433"}} {
		l.user, l.password, l.database = "later", "later", "test"
		conn, err := f.connect(l)
		if err != nil {
			f.t.Errorf("the new user at %s:%s: %v", l.host, l.port, err)
			continue
		}
		if got := query(f.t, conn, "SELECT current_user::text"); got != "later" {
			f.t.Errorf("the new user is %s", got)
		}
	}

	must(f.t, "start", func() error { return f.nodes.Start(f.t.Context(), node) })
	since := time.Now()
	f.follows(old.Name)
	f.t.Logf("%s follows again after %.1f s", old.Name, time.Since(since).Seconds())
	// pgBouncer's list of users on the node that was off is still without the new one.
	f.apply()
}

// shortTimes takes the leader's power in a cluster that was told to be quick about it.
func (f *failover) shortTimes() {
	f.edit("        vip_mode: l2\n", "        pg_rto: fast\n        vip_mode: l2\n")
	if r := f.must(2, "plan"); !strings.Contains(r.out, "a lost leader is replaced in 18 to 27 s") {
		f.t.Errorf("the plan does not say what it comes to:\n%s", r.out)
	}
	f.apply()
	f.synchronous()
	old := f.leader("")
	node := f.machineAt(old.Host)
	must(f.t, "power cut", func() error { return f.nodes.Kill(f.t.Context(), node) })
	f.takenOver(old)
	must(f.t, "start", func() error { return f.nodes.Start(f.t.Context(), node) })
	f.follows(old.Name)
}

// planWithout proves that plan names the node that is off, and looks at all others.
func (f *failover) planWithout(off health.Member) {
	f.t.Helper()
	r := f.pigsty("plan", "--json")
	var plan engine.Plan
	if err := json.Unmarshal([]byte(r.out), &plan); err != nil || r.code != 1 {
		f.t.Fatalf("plan: exit code %d, %v\n%s%s", r.code, err, r.out, r.err)
	}
	for _, n := range plan.Nodes {
		if n.Node == off.Host {
			if !strings.Contains(n.Error, "cannot reach "+off.Host) {
				f.t.Errorf("of %s, which is off, plan says %q", off.Name, n.Error)
			}
			continue
		}
		if n.Error != "" || n.Steps == 0 || len(n.Changes) > 0 {
			f.t.Errorf("%s: %d steps, error %q, changes %+v", n.Name, n.Steps, n.Error, n.Changes)
		}
	}
}

// follows waits until a member streams from the leader.
func (f *failover) follows(name string) {
	f.t.Helper()
	var members []health.Member
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		members = f.members()
		for _, m := range members {
			if m.Name == name && m.State == "streaming" {
				return
			}
		}
	}
	f.t.Fatalf("%s does not follow after two minutes: %+v\n%s", name, members, f.pigsty("status").out)
}

func lastNumber(address string) string { return address[strings.LastIndex(address, ".")+1:] }

// switchover hands over by Patroni's own tool, as people do it.
func (f *failover) switchover() {
	old, candidate := f.leader(""), f.synchronous()
	onNode(f.t, f.nodes, f.machineAt(old.Host), "sudo", "-iu", "postgres", "patronictl", "-c", "/etc/patroni/patroni.yml",
		"switchover", "pg-test", "--leader", old.Name, "--candidate", candidate, "--force")
	since := time.Now()
	f.ledger.writable()
	if next := f.leader(old.Name); next.Name != candidate {
		f.t.Errorf("%s leads, and not %s", next.Name, candidate)
	}
	f.ledger.told("until it was writable again", since)
	f.follows(old.Name)
}

// cutOff takes the leader away from its peers while clients still reach it, which is how
// acknowledged writes get lost elsewhere. Its history parts from theirs, and pg_rewind has to
// bring it back.
func (f *failover) cutOff() {
	old := f.leader("")
	node := f.machineAt(old.Host)
	for _, peer := range f.peers(node) {
		must(f.t, "cut from "+peer, func() error { return f.nodes.CutBetween(f.t.Context(), node, peer) })
	}
	// A write that nobody else gets stays on its disk, so that the histories do part.
	f.stray(old)
	f.takenOver(old)
	f.givesUpAddress(node)
	must(f.t, "heal", func() error { return f.nodes.Heal(f.t.Context()) })
	f.follows(old.Name)
	if log := onNode(f.t, f.nodes, node, "grep", "-c", "running pg_rewind", "/pg/log/patroni.log"); log == "0" {
		f.t.Errorf("%s came back without pg_rewind", old.Name)
	}
}

// givesUpAddress waits until a node that was cut off has left the virtual address to others. Its
// vip-manager alone would keep it: nobody tells it that the leader has changed.
func (f *failover) givesUpAddress(node string) {
	f.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(500 * time.Millisecond) {
		has := onNode(f.t, f.nodes, node, "ip", "-4", "-oneline", "address", "show")
		if !strings.Contains(has, " "+f.net+"3/") {
			return
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("%s was cut off and still has the virtual address after a minute", node)
		}
	}
}

// stray writes on a leader that is cut off, without waiting for a standby.
func (f *failover) stray(m health.Member) {
	f.t.Helper()
	l := f.dba(lastNumber(m.Host))
	conn, err := f.connect(l)
	if err != nil {
		f.t.Fatal(err)
	}
	sql := "SET synchronous_commit = local; CREATE TABLE stray AS SELECT generate_series(1, 10000) n; CHECKPOINT"
	for _, statement := range strings.Split(sql, "; ") {
		if _, err := conn.Exec(f.t.Context(), statement); err != nil {
			f.t.Fatal(fmt.Errorf("%s: %w", statement, err))
		}
	}
}

// stall stops the leader's machine for longer than its lease and lets it go on, with all that it
// was about to say.
func (f *failover) stall() {
	old := f.leader("")
	node := f.machineAt(old.Host)
	must(f.t, "pause", func() error { return f.nodes.Pause(f.t.Context(), node) })
	f.takenOver(old)
	must(f.t, "resume", func() error { return f.nodes.Resume(f.t.Context(), node) })
	f.follows(old.Name)
}

// reboot restarts the leader's machine in good order.
func (f *failover) reboot() {
	old := f.leader("")
	node := f.machineAt(old.Host)
	must(f.t, "reboot", func() error { return f.nodes.Reboot(f.t.Context(), node) })
	f.ledger.writable()
	// It may be back, and lead, before anybody else was fit to take over.
	if now := f.leader(""); now.Name != old.Name {
		f.follows(old.Name)
	}
}
